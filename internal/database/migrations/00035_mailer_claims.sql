-- +goose Up
-- A claim changes nothing that an index knows, so that it writes one row and no index: the new version of the row stays on the page of the old one,
-- where room is left for it (heap-only tuples). Whatever is open is in one index, in the order in which it is claimed; what a dead sender holds is looked
-- for there.
DROP INDEX mailer.deliveries_due;
DROP INDEX mailer.deliveries_open;
DROP INDEX mailer.deliveries_in_flight;
CREATE INDEX deliveries_due ON mailer.deliveries (edition_id, due_at, variant_id) WHERE due_at IS NOT NULL;
-- +goose StatementBegin
DO $$
DECLARE part regclass;
BEGIN
    FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'mailer.deliveries'::regclass LOOP
        EXECUTE format('ALTER TABLE %s SET (fillfactor = 45)', part);
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP INDEX mailer.deliveries_due;
CREATE INDEX deliveries_due ON mailer.deliveries (edition_id, due_at, variant_id) WHERE due_at IS NOT NULL AND state <> 'in_flight';
CREATE INDEX deliveries_open ON mailer.deliveries (edition_id) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_in_flight ON mailer.deliveries (sender_id) WHERE state = 'in_flight';
