-- +goose Up
ALTER TABLE subscribers.subscriptions
    ADD catch_up boolean NOT NULL DEFAULT false,       -- of a pause: what was missed comes at its end
    ADD CHECK (state = 'paused' OR NOT catch_up);

-- How often something was asked for by a network or for an address, in the window that runs. A crash may forget it.
CREATE UNLOGGED TABLE subscribers.limits (
    key   text PRIMARY KEY,                            -- a network, or the keyed hash of an address
    since timestamptz NOT NULL,                        -- when the window began
    times integer NOT NULL
);
CREATE INDEX limits_since ON subscribers.limits (since);

-- +goose Down
DROP TABLE subscribers.limits;
ALTER TABLE subscribers.subscriptions DROP catch_up;
