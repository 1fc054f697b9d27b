-- +goose Up
-- What may go at most, as administrators declare it. One that names neither relay nor destination nor sender is about all that goes; a * stands for
-- each of them by itself, unless another limit names it.
CREATE TABLE mailer.limits (
    name        text COLLATE "C" PRIMARY KEY,
    relay       text NOT NULL,                        -- a host, or host:port
    destination text NOT NULL,
    sender      text NOT NULL,                        -- a list's address
    per_second  integer NOT NULL,                     -- 0: as many as can be
    per_minute  integer NOT NULL,
    per_hour    integer NOT NULL,
    per_day     integer NOT NULL,
    warm_up     jsonb NOT NULL                        -- how many may go on each day of a plan; {}: none
);

-- What was taken of a limit of late, of which it is counted what may still go.
CREATE TABLE mailer.reservations (
    limit_name text COLLATE "C" NOT NULL,
    about      text COLLATE "C" NOT NULL,             -- which relay, destination or sender; "" for all
    book       jsonb NOT NULL,
    PRIMARY KEY (limit_name, about)
);

-- A delivery that had to wait for its turn says what for, and until when at first; both are null for all others.
ALTER TABLE mailer.deliveries ADD held_by text COLLATE "C", ADD held_until timestamptz;
CREATE INDEX deliveries_held ON mailer.deliveries (held_by, due_at) WHERE held_by IS NOT NULL;

-- Domains of recipients' addresses and the destinations that they belong to, which their MX hosts tell.
CREATE TABLE mailer.domains (
    name        text COLLATE "C" PRIMARY KEY,         -- ASCII letters lowered
    destination text COLLATE "C" NOT NULL,            -- its own name, or that of those who run its MX hosts
    hosts       text[] NOT NULL,                      -- the MX hosts, the preferred ones first
    asked_at    timestamptz NOT NULL,
    ask_again   timestamptz NOT NULL
);

-- A destination, or one domain of it, can also be paused by hand: until somebody lets it go on.
ALTER TABLE mailer.destinations ADD by_hand boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE mailer.destinations DROP by_hand;
DROP TABLE mailer.domains, mailer.reservations, mailer.limits;
ALTER TABLE mailer.deliveries DROP held_by, DROP held_until;
