-- +goose Up
-- Destinations that had to be left alone. A destination is the domain of the recipients' addresses, ASCII letters lowered.
CREATE TABLE mailer.destinations (
    name         text PRIMARY KEY,
    paused_at    timestamptz NOT NULL,                -- when the last pause began
    paused_until timestamptz NOT NULL,                -- in the past: it is over
    times        integer NOT NULL,                    -- pauses in a row, each twice as long
    kind         text NOT NULL,                       -- what the answer was about: mailer/reply has the words
    code         integer NOT NULL,
    reply        text NOT NULL                        -- the answer that it pauses for, without the addresses in it
);

-- +goose Down
DROP TABLE mailer.destinations;
