-- +goose Up
-- What attempts at deliveries came to, by destination and day. Each process counts for itself and writes it down every few seconds: a picture for people, not
-- the account, which is mailer.deliveries.
CREATE TABLE mailer.destination_days (
    name     text COLLATE "C" NOT NULL,               -- of the destination; counts are integers, for sums of those are fast
    day      date NOT NULL,                           -- UTC
    sent     integer NOT NULL DEFAULT 0,
    deferred integer NOT NULL DEFAULT 0,
    failed   integer NOT NULL DEFAULT 0,
    in_doubt integer NOT NULL DEFAULT 0,
    PRIMARY KEY (name, day)
);
CREATE INDEX destination_days_day ON mailer.destination_days (day) INCLUDE (name, sent, deferred, failed, in_doubt);
CREATE INDEX domains_destination ON mailer.domains (destination, name);

-- +goose Down
DROP INDEX mailer.domains_destination;
DROP TABLE mailer.destination_days;
