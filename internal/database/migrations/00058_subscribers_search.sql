-- +goose Up

-- Parts of addresses and names are found by their groups of three letters, in every script. The extension comes with Postgres, and whoever owns a
-- database may add it there.
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
CREATE INDEX contacts_search ON subscribers.contacts USING gin (email_key public.gin_trgm_ops, name public.gin_trgm_ops);
CREATE INDEX contacts_reading ON subscribers.contacts USING gin (language_keys) WHERE erased_at IS NULL;

-- Those who are not mailed are few beside those who are.
CREATE INDEX subscriptions_resting ON subscribers.subscriptions (state, contact_id) INCLUDE (list_id) WHERE state <> 'active';

-- Filters that somebody gave a name, to be used again.
CREATE TABLE subscribers.audiences (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text NOT NULL UNIQUE CHECK (name <> ''),
    filter  text NOT NULL,                            -- as it is written: see subscribers.ParseAudience
    made_at timestamptz NOT NULL,
    made_by text NOT NULL
);

-- +goose Down
DROP TABLE subscribers.audiences;
DROP INDEX subscribers.subscriptions_resting;
DROP INDEX subscribers.contacts_reading;
DROP INDEX subscribers.contacts_search;
