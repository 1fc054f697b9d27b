-- +goose Up
CREATE SCHEMA mailer;

-- Per list, translation groups in the order in which they became due. Positions are given out under the list's lock, so a
-- late commit never slips behind a mark; no date decides.
CREATE TABLE mailer.positions (
    list_id  bigint NOT NULL,
    position bigint NOT NULL,
    group_id bigint NOT NULL,
    PRIMARY KEY (list_id, position),
    UNIQUE (list_id, group_id)
);

-- One row per list and rhythm that was ever planned.
CREATE TABLE mailer.plans (
    list_id  bigint NOT NULL,
    rhythm   text NOT NULL,
    position bigint NOT NULL DEFAULT 0,               -- how far its last edition went
    cut_off  timestamptz NOT NULL,                    -- scheduled cut-offs up to here are dealt with
    PRIMARY KEY (list_id, rhythm)
);

-- Per subscription, how far its last edition went. Another activation than the subscription's own means that it was away:
-- it starts where its rhythm's last edition ended.
CREATE TABLE mailer.marks (
    subscription_id bigint PRIMARY KEY,
    position        bigint NOT NULL,
    activation      integer NOT NULL
);

-- What a failed or cancelled delivery gave back: due again in the subscription's next edition.
CREATE TABLE mailer.released (
    subscription_id bigint NOT NULL,
    group_id        bigint NOT NULL,
    PRIMARY KEY (subscription_id, group_id)
);

CREATE TABLE mailer.editions (
    id          uuid PRIMARY KEY,                     -- UUIDv7
    list_id     bigint NOT NULL,
    rhythm      text NOT NULL CHECK (rhythm IN ('immediate', 'daily', 'weekly', 'monthly')),
    local_date  date NOT NULL,                        -- in the list's zone
    origin      text NOT NULL CHECK (origin IN ('schedule', 'hand')),
    state       text NOT NULL
                CHECK (state IN ('draft', 'review', 'approved', 'sending', 'sent', 'held', 'cancelled', 'skipped')),
    reason      text NOT NULL DEFAULT '',             -- why it is held, cancelled or skipped
    cut_off     timestamptz NOT NULL,                 -- its articles are those that were due then
    articles    integer NOT NULL DEFAULT 0,           -- translation groups in it
    variants    integer NOT NULL DEFAULT 0,
    recipients  integer NOT NULL DEFAULT 0,
    empty       integer NOT NULL DEFAULT 0,           -- subscriptions that had nothing new for them
    created_at  timestamptz NOT NULL,
    finished_at timestamptz                           -- sent, cancelled or skipped
);
CREATE UNIQUE INDEX editions_once ON mailer.editions (list_id, rhythm, local_date)
    WHERE origin = 'schedule' AND rhythm <> 'immediate';
CREATE INDEX editions_open ON mailer.editions (id) WHERE state IN ('approved', 'sending');

-- What a group of recipients receives alike. Rendered once, when first needed.
CREATE TABLE mailer.variants (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    edition_id uuid NOT NULL REFERENCES mailer.editions,
    language   text NOT NULL,                         -- of the product's own words
    articles   bigint[] NOT NULL,                     -- article ids in order
    fallbacks  bigint[] NOT NULL DEFAULT '{}',        -- those of them that are in none of the reader's languages
    groups     bigint[] NOT NULL,                     -- translation groups of the articles, in the same order
    key        bytea NOT NULL,                        -- SHA-256 of language, articles and fallbacks
    message    bytea,                                 -- finished MIME, personal parts as placeholders; null: not yet
    sender     text,                                  -- the address that the message is from
    CHECK ((message IS NULL) = (sender IS NULL)),
    UNIQUE (edition_id, key)
);

-- The ledger: exactly one row per edition and contact, ever.
CREATE TABLE mailer.deliveries (
    edition_id      uuid NOT NULL,
    contact_id      bigint NOT NULL,
    subscription_id bigint NOT NULL,
    variant_id      bigint NOT NULL,
    state           text NOT NULL DEFAULT 'pending'
                    CHECK (state IN ('pending', 'in_flight', 'deferred', 'sent', 'failed', 'suppressed', 'cancelled', 'in_doubt')),
    not_before      timestamptz NOT NULL,             -- the contact's hour; the message's Date, the same at each attempt
    due_at          timestamptz,                      -- when it may be tried next; null: never again
    sender_id       uuid,                             -- who holds it while in flight
    begun           boolean NOT NULL DEFAULT false,   -- was in flight before: its Date is fixed, and it is never late
    attempts        integer NOT NULL DEFAULT 0,
    settled_at      timestamptz,                      -- the last outcome
    code            integer NOT NULL DEFAULT 0,       -- the last SMTP reply; 0: none came
    reply           text NOT NULL DEFAULT '',
    PRIMARY KEY (edition_id, contact_id),
    CHECK (due_at IS NULL = (state IN ('sent', 'failed', 'suppressed', 'cancelled')) OR state = 'in_doubt')
) PARTITION BY RANGE (edition_id);
CREATE INDEX deliveries_due ON mailer.deliveries (edition_id, due_at, variant_id) WHERE due_at IS NOT NULL AND state <> 'in_flight';
CREATE INDEX deliveries_open ON mailer.deliveries (edition_id) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_in_flight ON mailer.deliveries (sender_id) WHERE state = 'in_flight';
CREATE INDEX deliveries_subscription ON mailer.deliveries (subscription_id);

-- One try at a delivery.
CREATE TABLE mailer.attempts (
    edition_id uuid NOT NULL,
    contact_id bigint NOT NULL,
    number     integer NOT NULL,
    at         timestamptz NOT NULL,                  -- when the outcome was known
    outcome    text NOT NULL CHECK (outcome IN ('sent', 'deferred', 'failed', 'in_doubt')),
    phase      text NOT NULL,                         -- compose, connect, mail, rcpt, data, dot
    code       integer NOT NULL,
    reply      text NOT NULL,
    sender_id  uuid NOT NULL,                         -- two senders may both have tried, one of them late
    PRIMARY KEY (edition_id, contact_id, number, sender_id)
) PARTITION BY RANGE (edition_id);

-- Worker processes that send. One whose lease ran out is dead: what it held is put back by anyone.
CREATE TABLE mailer.senders (
    id          uuid PRIMARY KEY,
    lease_until timestamptz NOT NULL
);

-- +goose Down
DROP SCHEMA mailer CASCADE;
