-- +goose Up
-- Who may do what. Nothing here can be read and used: of passwords, tokens, links, keys and recovery codes there are hashes, and the secrets of second
-- factors are sealed with the program's secret key.
CREATE SCHEMA accounts;

CREATE TABLE accounts.accounts (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email        text NOT NULL UNIQUE,                -- in the form to compare by
    name         text NOT NULL DEFAULT '',
    roles        text[] NOT NULL DEFAULT '{}' CHECK (roles <@ '{owner,editor,approver,manager,reader}'),
    lists        bigint[],                            -- the only ones it may touch; null: all
    language     text NOT NULL DEFAULT '',            -- '': what the browser asks for
    zone         text NOT NULL DEFAULT '',            -- '': UTC
    state        text NOT NULL CHECK (state IN ('invited', 'active', 'disabled')),
    password     text NOT NULL DEFAULT '',            -- argon2id with its parameters; '': there is none
    totp         bytea,                               -- the secret, sealed; null: no second factor
    totp_new     bytea,                               -- one that waits for its first code
    totp_step    bigint NOT NULL DEFAULT 0,           -- of the last code that was used: none is used twice
    recovery     bytea[] NOT NULL DEFAULT '{}',       -- SHA-256 of the codes that are left
    made_at      timestamptz NOT NULL,
    signed_in_at timestamptz
);

-- The browsers that are signed in, and those that have given a password and owe a code.
CREATE TABLE accounts.sessions (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash      bytea NOT NULL UNIQUE,                  -- SHA-256 of the token
    account   bigint NOT NULL REFERENCES accounts.accounts ON DELETE CASCADE,
    waiting   boolean NOT NULL,                       -- for a code
    made_at   timestamptz NOT NULL,
    seen_at   timestamptz NOT NULL,
    proved_at timestamptz NOT NULL,                   -- when the password was given last
    ends_at   timestamptz NOT NULL,
    network   text NOT NULL DEFAULT '',               -- where it came from
    agent     text NOT NULL DEFAULT ''                -- what the browser calls itself
);
CREATE INDEX sessions_account ON accounts.sessions (account);
CREATE INDEX sessions_ends_at ON accounts.sessions (ends_at);

-- Links that work once.
CREATE TABLE accounts.links (
    hash    bytea PRIMARY KEY,                        -- SHA-256 of what stands in it
    account bigint NOT NULL REFERENCES accounts.accounts ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('password', 'sign_in')),
    made_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL
);
CREATE INDEX links_account ON accounts.links (account);

CREATE TABLE accounts.api_keys (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash       bytea NOT NULL UNIQUE,                 -- SHA-256 of the key
    name       text NOT NULL,
    hint       text NOT NULL,                         -- its last characters, to tell keys apart
    made_by    bigint REFERENCES accounts.accounts,   -- null: the command line
    roles      text[] NOT NULL CHECK (roles <@ '{owner,editor,approver,manager,reader}'),
    lists      bigint[],
    made_at    timestamptz NOT NULL,
    ends_at    timestamptz,                           -- null: never
    used_at    timestamptz,
    revoked_at timestamptz
);

-- How often somebody tried in vain of late. What they tried stands here as a hash: it may be anything.
CREATE TABLE accounts.attempts (
    subject bytea PRIMARY KEY,
    tries   integer NOT NULL,
    last_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL                      -- not before this
);
CREATE INDEX attempts_last_at ON accounts.attempts (last_at);

-- What was done by whom. Lines are only ever added.
CREATE TABLE accounts.log (
    seq    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL,
    actor  text NOT NULL,                             -- 'account 12', 'key 3', 'command line'; '': nobody who is known
    thing  text NOT NULL,                             -- room.table
    id     text NOT NULL DEFAULT '',                  -- of the row; '': of many
    what   text NOT NULL,                             -- added, changed, removed, or another word
    before jsonb,                                     -- of what was changed
    after  jsonb
);
CREATE INDEX log_at ON accounts.log (at, seq);
CREATE INDEX log_actor ON accounts.log (actor, at, seq);
CREATE INDEX log_thing ON accounts.log (thing, id, at, seq);

-- +goose StatementBegin
CREATE FUNCTION accounts.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'lines of the log are neither changed nor removed' USING ERRCODE = 'insufficient_privilege';
END $$;
-- +goose StatementEnd
CREATE TRIGGER log_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON accounts.log FOR EACH STATEMENT EXECUTE FUNCTION accounts.refuse();

-- +goose Down
DROP SCHEMA accounts CASCADE;
