-- +goose Up
-- What those who work with the program are told by mail: their mails are no deliveries, and nobody subscribes to them.
CREATE SCHEMA staff;

CREATE TABLE staff.mails (
    id         uuid PRIMARY KEY,                      -- its Message-ID follows from it
    account    bigint NOT NULL,
    content    jsonb NOT NULL,                        -- what it tells
    made_at    timestamptz NOT NULL,                  -- the message's Date, the same at each attempt
    state      text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'deferred', 'sent', 'failed', 'cancelled', 'in_doubt')),
    open       boolean NOT NULL DEFAULT true,         -- it may be tried again
    attempts   integer NOT NULL DEFAULT 0,
    settled_at timestamptz,                           -- the last outcome
    code       integer NOT NULL DEFAULT 0,            -- the last SMTP reply; 0: none came
    reply      text NOT NULL DEFAULT ''               -- likewise, or why it was not sent
);
CREATE INDEX mails_made_at ON staff.mails (made_at);

-- Nobody is told the same twice.
CREATE TABLE staff.told (
    account   bigint NOT NULL,
    happening text NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (account, happening)
);
CREATE INDEX told_at ON staff.told (at);

CREATE TABLE staff.wishes (
    account bigint PRIMARY KEY,
    without text[] NOT NULL                           -- kinds of mails that the account does not want
);

-- +goose Down
DROP SCHEMA staff CASCADE;
