-- +goose Up
-- The mails with links that work once. The link itself is made when the mail is: it stands nowhere.
CREATE TABLE accounts.link_mails (
    id         uuid PRIMARY KEY,                      -- its Message-ID follows from it
    account    bigint NOT NULL REFERENCES accounts.accounts ON DELETE CASCADE,
    made_at    timestamptz NOT NULL,                  -- the message's Date, the same at each attempt
    state      text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'deferred', 'sent', 'failed', 'cancelled', 'in_doubt')),
    open       boolean NOT NULL DEFAULT true,         -- it may be tried again
    attempts   integer NOT NULL DEFAULT 0,
    settled_at timestamptz,                           -- the last outcome
    code       integer NOT NULL DEFAULT 0,            -- the last SMTP reply; 0: none came
    reply      text NOT NULL DEFAULT ''               -- likewise, or why it was not sent
);
CREATE INDEX link_mails_account ON accounts.link_mails (account, made_at);

-- +goose Down
DROP TABLE accounts.link_mails;
