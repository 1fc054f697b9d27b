-- +goose Up
-- People without an organisation can have a country of their own.
CREATE INDEX contacts_country ON subscribers.contacts ((attributes ->> 'country')) WHERE attributes ->> 'country' IS NOT NULL;

-- +goose Down
DROP INDEX subscribers.contacts_country;
