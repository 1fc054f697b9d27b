-- +goose Up
-- As of deliveries, the account of notices to an erased contact keeps what happened, but no words that may name them. The mark is on the notice
-- itself, so that an outcome that comes later knows it too.
ALTER TABLE mailer.notices ADD erased boolean NOT NULL DEFAULT false;

-- Addresses that people have left for another one, so that an old table does not bring them in a second time. Hashed as those of who was erased:
-- the address itself is no longer theirs to keep.
CREATE TABLE subscribers.former_addresses (
    address_hash bytea PRIMARY KEY,
    contact_id   bigint NOT NULL REFERENCES subscribers.contacts,
    left_at      timestamptz NOT NULL
);
CREATE INDEX former_addresses_contact ON subscribers.former_addresses (contact_id);

-- +goose Down
DROP TABLE subscribers.former_addresses;
ALTER TABLE mailer.notices DROP erased;
