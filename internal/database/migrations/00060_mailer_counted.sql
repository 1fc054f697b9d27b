-- +goose Up
-- What is at the desk, or on its way: few editions among thousands.
CREATE INDEX editions_desk ON mailer.editions (id) WHERE state IN ('review', 'approved', 'sending', 'held');

-- How many deliveries of a large edition, or of one that is over, are in each state, and what destinations and variants they have: what a page may not
-- count while somebody waits. It is of the moment at which it was counted.
CREATE TABLE mailer.counted (
    edition_id uuid PRIMARY KEY REFERENCES mailer.editions,
    at         timestamptz NOT NULL,
    took       interval NOT NULL,                     -- what takes long is counted more rarely
    pending    integer NOT NULL,
    in_flight  integer NOT NULL,
    deferred   integer NOT NULL,
    sent       integer NOT NULL,
    failed     integer NOT NULL,
    suppressed integer NOT NULL,
    cancelled  integer NOT NULL,
    in_doubt   integer NOT NULL
);
CREATE TABLE mailer.counted_destinations (
    edition_id  uuid NOT NULL REFERENCES mailer.counted ON DELETE CASCADE,
    destination text NOT NULL,                        -- '': those with few recipients, together
    recipients  integer NOT NULL,
    sent        integer NOT NULL,
    deferred    integer NOT NULL,
    failed      integer NOT NULL,
    bounced     integer NOT NULL,
    waiting     integer NOT NULL,
    PRIMARY KEY (edition_id, destination)
);
CREATE TABLE mailer.counted_variants (
    edition_id uuid NOT NULL REFERENCES mailer.counted ON DELETE CASCADE,
    variant_id bigint NOT NULL,
    recipients integer NOT NULL,                      -- without those that were cancelled
    contact_id bigint NOT NULL,                       -- the first of them
    PRIMARY KEY (edition_id, variant_id)
);

-- What went wrong is looked for among attempts, which are written once, so that deliveries need no index that knows their state.
CREATE INDEX attempts_wrong ON mailer.attempts (edition_id, outcome, contact_id) WHERE outcome <> 'sent';

-- +goose Down
DROP INDEX mailer.attempts_wrong;
DROP TABLE mailer.counted_variants, mailer.counted_destinations, mailer.counted;
DROP INDEX mailer.editions_desk;
