-- +goose Up
-- The keys that mail is signed with (RFC 6376). Of each domain one for each algorithm signs.
CREATE TABLE mailer.dkim_keys (
    domain     text NOT NULL,                         -- as A-labels
    selector   text NOT NULL,
    algorithm  text NOT NULL CHECK (algorithm IN ('rsa', 'ed25519')),
    state      text NOT NULL CHECK (state IN ('made', 'active', 'retired')),
    public     bytea NOT NULL,                        -- as its record has it
    sealed     bytea NOT NULL,                        -- the private key, which the program's secret key opens
    made_at    timestamptz NOT NULL,
    used_at    timestamptz,                           -- since when it signs, or did
    retired_at timestamptz,
    PRIMARY KEY (domain, selector)
);
CREATE UNIQUE INDEX dkim_keys_active ON mailer.dkim_keys (domain, algorithm) WHERE state = 'active';

-- +goose Down
DROP TABLE mailer.dkim_keys;
