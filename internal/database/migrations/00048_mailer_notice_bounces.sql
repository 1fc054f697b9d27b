-- +goose Up
-- What was reported of a notice afterwards, as of deliveries.
ALTER TABLE mailer.notices
    ADD bounced_at        timestamptz,                -- null: nothing was
    ADD bounce_kind       text CHECK (bounce_kind IN ('other', 'soft', 'hard', 'complaint')),
    ADD bounce_status     text,                       -- enhanced status code (RFC 3463); '': none was said
    ADD bounce_diagnostic text,                       -- what the server said, one line
    ADD CHECK ((bounced_at IS NULL) = (bounce_kind IS NULL));
CREATE INDEX notices_bounced ON mailer.notices (bounced_at) WHERE bounced_at IS NOT NULL;

-- Test mails, and what other servers made of them.
CREATE TABLE mailer.trials (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- its address has it
    sent_at timestamptz NOT NULL,
    came_at timestamptz,                              -- when it was heard of; null: not yet
    how     text CHECK (how IN ('arrived', 'answered', 'bounced')),
    said    text NOT NULL DEFAULT '',                 -- Authentication-Results (RFC 8601), one on each line; of a bounce, the server's answer
    CHECK ((came_at IS NULL) = (how IS NULL))
);

-- +goose Down
DROP TABLE mailer.trials;
DROP INDEX mailer.notices_bounced;
ALTER TABLE mailer.notices DROP bounced_at, DROP bounce_kind, DROP bounce_status, DROP bounce_diagnostic;
