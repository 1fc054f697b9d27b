-- +goose Up

-- Tables of people that are about to be imported, from when they are uploaded until a day later. Any process can go on with them.
CREATE TABLE subscribers.uploads (
    id        uuid PRIMARY KEY,
    made_at   timestamptz NOT NULL,
    made_by   text NOT NULL,
    file_name text NOT NULL,                          -- as the browser said; only ever shown
    size      bigint NOT NULL,
    state     text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'checking', 'checked', 'importing', 'imported', 'failed')),
    list_id   bigint REFERENCES subscribers.lists,    -- null: not chosen yet
    choices   jsonb NOT NULL DEFAULT '{}',            -- how it is to be read and imported
    read      bigint NOT NULL DEFAULT 0,              -- octets of it, by the run that is on
    rows      integer NOT NULL DEFAULT 0,             -- likewise
    writing   boolean NOT NULL DEFAULT false,         -- all is read
    result    jsonb,                                  -- of the last run; null: none has ended
    failure   text NOT NULL DEFAULT ''                -- why it ended with nothing done, in a line
);
CREATE INDEX uploads_made ON subscribers.uploads (made_at);

-- The file, and that of its refused rows, in pieces.
CREATE TABLE subscribers.upload_parts (
    upload_id uuid NOT NULL REFERENCES subscribers.uploads ON DELETE CASCADE,
    kind      text NOT NULL CHECK (kind IN ('file', 'refused')),
    number    integer NOT NULL,                       -- from 0
    body      bytea NOT NULL,
    PRIMARY KEY (upload_id, kind, number)
);

-- What would become of each row, or did.
CREATE TABLE subscribers.upload_rows (
    upload_id uuid NOT NULL REFERENCES subscribers.uploads ON DELETE CASCADE,
    row       integer NOT NULL,
    outcome   text NOT NULL,
    told      jsonb NOT NULL,
    PRIMARY KEY (upload_id, row)
);
CREATE INDEX upload_rows_outcome ON subscribers.upload_rows (upload_id, outcome, row);

-- +goose Down
DROP TABLE subscribers.upload_rows, subscribers.upload_parts, subscribers.uploads;
