-- +goose Up
CREATE SCHEMA subscribers;

CREATE TABLE subscribers.organisations (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL CHECK (name <> ''),
    name_key   text NOT NULL UNIQUE,                  -- case-folded, NFKC, single spaces: what makes two names one
    country    text NOT NULL DEFAULT '' CHECK (country ~ '^([A-Z]{2})?$'),  -- ISO 3166-1 alpha-2
    created_at timestamptz NOT NULL
);

CREATE TABLE subscribers.contacts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email         text NOT NULL,                      -- as given: what is sent to
    email_key     text NOT NULL UNIQUE,               -- NFC, lower case, A-label domain: what makes two addresses one
    name          text NOT NULL DEFAULT '',
    languages     text[] NOT NULL DEFAULT '{}',       -- canonical BCP 47, first is best
    language_keys text[] NOT NULL DEFAULT '{}',       -- language and script of each, for comparing
    time_zone     text NOT NULL DEFAULT '',           -- IANA; '' is the list's
    delivery_hour time,                               -- local; null is the list's
    attributes    jsonb NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL,
    CHECK (cardinality(languages) = cardinality(language_keys))
);

CREATE TABLE subscribers.memberships (
    organisation_id bigint NOT NULL REFERENCES subscribers.organisations,
    contact_id      bigint NOT NULL REFERENCES subscribers.contacts,
    PRIMARY KEY (contact_id, organisation_id)
);
CREATE INDEX memberships_organisation ON subscribers.memberships (organisation_id);

CREATE TABLE subscribers.lists (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug              text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    name              jsonb NOT NULL,                 -- language → words
    sender_name       text NOT NULL DEFAULT '',
    sender_address    text NOT NULL DEFAULT '',       -- '' cannot send
    reply_to          text NOT NULL DEFAULT '',
    postal_address    text NOT NULL DEFAULT '',       -- '' cannot send
    -- the selection; an empty array selects everything
    sections          text[] NOT NULL DEFAULT '{}',
    tags              text[] NOT NULL DEFAULT '{}',
    languages         text[] NOT NULL DEFAULT '{}',
    sources           text[] NOT NULL DEFAULT '{}',
    rhythms           text[] NOT NULL DEFAULT '{immediate,daily,weekly,monthly}'
                      CHECK (rhythms <@ '{immediate,daily,weekly,monthly}' AND rhythms <> '{}'),
    default_rhythm    text NOT NULL DEFAULT 'weekly' CHECK (default_rhythm = ANY (rhythms)),
    time_zone         text NOT NULL DEFAULT 'UTC',
    editorial_hour    time NOT NULL DEFAULT '17:00',  -- cut-off, in the list's own zone
    delivery_hour     time NOT NULL DEFAULT '08:00',  -- in each contact's zone
    fallback_language text NOT NULL DEFAULT 'en',
    approval          boolean NOT NULL DEFAULT false,
    public            boolean NOT NULL DEFAULT true,
    opt_in            text NOT NULL DEFAULT 'double' CHECK (opt_in IN ('single', 'double'))
);

INSERT INTO subscribers.lists (slug, name) VALUES ('partners', '{"en": "News for our partners"}');

CREATE TABLE subscribers.subscriptions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    list_id    bigint NOT NULL REFERENCES subscribers.lists,
    contact_id bigint NOT NULL REFERENCES subscribers.contacts,
    state      text NOT NULL CHECK (state IN ('pending', 'active', 'unsubscribed')),
    rhythm     text NOT NULL CHECK (rhythm IN ('immediate', 'daily', 'weekly', 'monthly')),
    topics     text[] NOT NULL DEFAULT '{}',          -- sections or tags; empty is all
    activation integer NOT NULL DEFAULT 0,            -- rises each time it becomes active: no catching up on what lies between
    created_at timestamptz NOT NULL,
    UNIQUE (list_id, contact_id)
);
CREATE INDEX subscriptions_contact ON subscribers.subscriptions (contact_id);

-- What was agreed to and taken back. Only ever appended to; holds ids, never the person.
CREATE TABLE subscribers.consents (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription_id bigint NOT NULL REFERENCES subscribers.subscriptions,
    at              timestamptz NOT NULL,
    state           text NOT NULL CHECK (state IN ('pending', 'active', 'unsubscribed')),   -- what the subscription became
    method          text NOT NULL CHECK (method IN ('import', 'one-click', 'page')),
    statement       text NOT NULL DEFAULT ''          -- the basis that was stated, or the words that were shown
);
CREATE INDEX consents_subscription ON subscribers.consents (subscription_id);

-- +goose StatementBegin
CREATE FUNCTION subscribers.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the consent log is only ever appended to';
END $$;
-- +goose StatementEnd
CREATE TRIGGER consents_append_only BEFORE UPDATE OR DELETE ON subscribers.consents
    FOR EACH ROW EXECUTE FUNCTION subscribers.refuse_change();

-- Who may be mailed now: what other rooms may read in their whole statements.
CREATE VIEW subscribers.mailable AS
SELECT s.id AS subscription_id, s.list_id, s.contact_id, c.email, c.name, c.languages, c.language_keys, c.time_zone,
       c.delivery_hour, s.rhythm, s.topics, s.activation
FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id
WHERE s.state = 'active';

-- Whom a contact's id stands for, whatever its subscriptions: for showing, not for mailing.
CREATE VIEW subscribers.addresses AS
SELECT id AS contact_id, email, name FROM subscribers.contacts;

-- +goose Down
DROP SCHEMA subscribers CASCADE;
