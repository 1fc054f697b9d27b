-- +goose Up
-- An edition made by hand that has words of its own goes with them alone to recipients for whom none of its articles is left.
ALTER TABLE mailer.editions ADD COLUMN words_alone boolean NOT NULL DEFAULT false;

-- What each destination took since a day: mailer.destination_days summed up again and again while there is something new, for the page that begins with the
-- busiest. There is one row of what was summed up when.
CREATE TABLE mailer.destination_sums (
    name     text COLLATE "C" PRIMARY KEY,
    sent     bigint NOT NULL,
    deferred bigint NOT NULL,
    failed   bigint NOT NULL,
    in_doubt bigint NOT NULL,
    total    bigint GENERATED ALWAYS AS (sent + deferred + failed + in_doubt) STORED
);
CREATE INDEX destination_sums_busiest ON mailer.destination_sums (total DESC, name);
CREATE TABLE mailer.destination_summed (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    since    date NOT NULL,                           -- UTC
    at       timestamptz NOT NULL,
    took     interval NOT NULL,
    stale    boolean NOT NULL                         -- something was written since
);
INSERT INTO mailer.destination_summed (since, at, took, stale) VALUES ('2000-01-01', '2000-01-01', '0', true);

-- +goose Down
DROP TABLE mailer.destination_summed;
DROP TABLE mailer.destination_sums;
ALTER TABLE mailer.editions DROP COLUMN words_alone;
