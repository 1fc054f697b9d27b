-- +goose Up
-- Who belongs to an organisation, and to all of a country, is answered from the index alone.
DROP INDEX subscribers.memberships_organisation;
CREATE INDEX memberships_organisation ON subscribers.memberships (organisation_id, contact_id);

-- The few who were erased are left out of every count.
CREATE INDEX contacts_erased ON subscribers.contacts (id) WHERE erased_at IS NOT NULL;

-- +goose Down
DROP INDEX subscribers.contacts_erased;
DROP INDEX subscribers.memberships_organisation;
CREATE INDEX memberships_organisation ON subscribers.memberships (organisation_id);
