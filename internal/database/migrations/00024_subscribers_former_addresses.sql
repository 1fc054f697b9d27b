-- +goose Up
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
