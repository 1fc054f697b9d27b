-- +goose Up
CREATE SCHEMA calls;

-- What machines were answered that name their calls: the same call again gets the same answer and does nothing. Kept for a day.
CREATE TABLE calls.answers (
    actor   text NOT NULL,
    name    text NOT NULL,                             -- of the call, as its caller chose it (Idempotency-Key)
    request bytea NOT NULL,                            -- SHA-256 of what is asked: another call must have another name
    claim   uuid NOT NULL,                             -- of who works it, or did
    made_at timestamptz NOT NULL,                      -- when it was claimed
    answer  bytea,                                     -- null: it is being worked, or whoever did is gone
    PRIMARY KEY (actor, name)
);
CREATE INDEX answers_made_at ON calls.answers (made_at);

-- How often somebody called in the window that runs. A crash may forget it.
CREATE UNLOGGED TABLE calls.uses (
    actor text PRIMARY KEY,
    since timestamptz NOT NULL,                        -- when the window began
    times integer NOT NULL
);
CREATE INDEX uses_since ON calls.uses (since);

-- +goose Down
DROP SCHEMA calls CASCADE;
