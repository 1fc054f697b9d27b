-- +goose Up
-- What was reported of a delivery afterwards; the first report of a kind counts, a graver one takes its place.
ALTER TABLE mailer.deliveries
    ADD bounced_at        timestamptz,                -- null: nothing was
    ADD bounce_kind       text CHECK (bounce_kind IN ('other', 'soft', 'hard', 'complaint')),
    ADD bounce_status     text,                       -- enhanced status code (RFC 3463); '': none was said
    ADD bounce_diagnostic text,                       -- what the server said, one line
    ADD CHECK ((bounced_at IS NULL) = (bounce_kind IS NULL));
CREATE INDEX deliveries_bounced ON mailer.deliveries (bounced_at) WHERE bounced_at IS NOT NULL;

-- +goose Down
DROP INDEX mailer.deliveries_bounced;
ALTER TABLE mailer.deliveries DROP bounced_at, DROP bounce_kind, DROP bounce_status, DROP bounce_diagnostic;
