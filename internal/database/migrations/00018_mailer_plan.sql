-- +goose Up
ALTER TABLE mailer.editions
    ADD waiting integer NOT NULL DEFAULT 0,            -- subscriptions with fewer articles than the list's minimum: theirs wait
    ADD late_after interval NOT NULL DEFAULT '12 hours';   -- the list's limit when it was planned

ALTER TABLE mailer.variants
    ADD more bigint[] NOT NULL DEFAULT '{}';           -- article ids beyond the list's maximum, shown as links; their groups are in groups, too

-- A digest does not go out while an older one of its list is on its way to the same contact. Few are planned then; only those ask.
ALTER TABLE mailer.deliveries
    ADD behind boolean NOT NULL DEFAULT true;          -- an older one may have been open when it was planned

CREATE INDEX deliveries_behind ON mailer.deliveries (subscription_id) WHERE behind AND due_at IS NOT NULL;

-- Which variants hold an article: what a contact has from other lists.
CREATE INDEX variants_groups ON mailer.variants USING gin (groups);

-- +goose Down
DROP INDEX mailer.variants_groups;
DROP INDEX mailer.deliveries_behind;
ALTER TABLE mailer.deliveries DROP behind;
ALTER TABLE mailer.variants DROP more;
ALTER TABLE mailer.editions DROP waiting, DROP late_after;
