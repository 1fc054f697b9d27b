-- +goose Up
-- Whose turn it is to ask a host, of all processes, and until when it has its rest.
CREATE TABLE articles.hosts (
    name   text PRIMARY KEY,
    holder uuid,                    -- who asks it now; null: nobody
    until  timestamptz NOT NULL     -- while it is asked: when a holder that was not heard of again has lost its turn; else when it may be asked next
);

-- +goose Down
DROP TABLE articles.hosts;
