-- +goose Up
-- Mail that came back and was not understood, for a person to read.
CREATE TABLE mailer.inbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest     bytea NOT NULL UNIQUE,                 -- SHA-256 of recipient and message: the same mail is kept once
    at         timestamptz NOT NULL,
    recipient  text NOT NULL,                         -- of the envelope, or what is known of it
    sender     text NOT NULL,                         -- the From line, as it stands
    subject    text NOT NULL,
    reason     text NOT NULL,                         -- why it is here
    edition_id uuid,                                  -- the delivery that it seems to be about
    contact_id bigint,                                -- likewise
    message    bytea NOT NULL,                        -- its first 256 KiB
    done_at    timestamptz                            -- a person has dealt with it
);
CREATE INDEX inbox_open ON mailer.inbox (id) WHERE done_at IS NULL;
CREATE INDEX inbox_contact ON mailer.inbox (contact_id);

-- How mail comes back to us.
CREATE TABLE mailer.channels (
    name        text PRIMARY KEY,                     -- the domain that bounces go to
    tested_at   timestamptz,                          -- when a message that we had sent ourselves last came back; null: never
    uidvalidity bigint NOT NULL DEFAULT 0,            -- of the IMAP mailbox,
    uid         bigint NOT NULL DEFAULT 0,            -- and how far it was read
    read_at     timestamptz,                          -- when that last went well
    failure     text NOT NULL DEFAULT ''              -- why it does not
);

-- +goose Down
DROP TABLE mailer.inbox, mailer.channels;
