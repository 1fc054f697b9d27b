-- +goose Up
-- What an audience asks of everybody's subscriptions and languages is answered from these indexes alone, which are a fifth of the tables.
DROP INDEX subscribers.subscriptions_contact;
CREATE INDEX subscriptions_contact ON subscribers.subscriptions (contact_id) INCLUDE (list_id, state, rhythm, created_at);
CREATE INDEX contacts_languages ON subscribers.contacts (id) INCLUDE (language_keys) WHERE erased_at IS NULL;

-- +goose Down
DROP INDEX subscribers.contacts_languages;
DROP INDEX subscribers.subscriptions_contact;
CREATE INDEX subscriptions_contact ON subscribers.subscriptions (contact_id);
