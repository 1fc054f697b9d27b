-- +goose Up
-- Mails to one person alone, about their own subscription or address. A job of the queue sends each, and what came of it stands here.
CREATE TABLE mailer.notices (
    id              uuid PRIMARY KEY,                 -- its Message-ID follows from it
    kind            text NOT NULL CHECK (kind IN ('confirmation', 'known', 'welcome', 'last edition', 'new address', 'old address')),
    contact_id      bigint NOT NULL,
    subscription_id bigint NOT NULL,
    standing        text NOT NULL,                    -- the subscription's state when the notice was asked for
    activation      integer NOT NULL,                 -- likewise
    edition_id      uuid,                             -- of a last edition, and of the welcome that tells of it
    old_address     text,                             -- of a change of address,
    new_address     text,                             -- both until the notice is settled
    state           text NOT NULL DEFAULT 'pending'
                    CHECK (state IN ('pending', 'deferred', 'sent', 'failed', 'suppressed', 'cancelled', 'in_doubt')),
    open            boolean NOT NULL DEFAULT true,    -- it may be tried again
    made_at         timestamptz NOT NULL,             -- the message's Date, the same at each attempt
    attempts        integer NOT NULL DEFAULT 0,
    settled_at      timestamptz,                      -- the last outcome
    code            integer NOT NULL DEFAULT 0,       -- the last SMTP reply; 0: none came
    reply           text NOT NULL DEFAULT '',         -- likewise, or why it was not sent
    CHECK (edition_id IS NOT NULL OR kind <> 'last edition'),
    CHECK (open OR old_address IS NULL AND new_address IS NULL)
);
CREATE INDEX notices_contact ON mailer.notices (contact_id, made_at);
CREATE INDEX notices_subscription ON mailer.notices (subscription_id);
CREATE INDEX notices_troubled ON mailer.notices (settled_at) WHERE state IN ('deferred', 'failed', 'in_doubt');
CREATE UNIQUE INDEX notices_welcome_once ON mailer.notices (subscription_id, activation) WHERE kind = 'welcome';
CREATE UNIQUE INDEX notices_last_edition_once ON mailer.notices (subscription_id) WHERE kind = 'last edition';

-- +goose Down
DROP TABLE mailer.notices;
