-- +goose Up
-- What editors do with an edition before it is sent. Everything is written down first; then what is not sent yet is laid out again.
ALTER TABLE mailer.editions
    ADD paused     boolean NOT NULL DEFAULT false,    -- nothing is claimed of it
    ADD repeats    boolean NOT NULL DEFAULT false,    -- made by hand, also for those who got its articles: what fails is not due again
    ADD approve_by timestamptz,                       -- in review: when it is approved too late; null: never
    ADD corrects   uuid REFERENCES mailer.editions,   -- of a correction notice: the edition that its recipients got
    ADD audience   text NOT NULL DEFAULT '',          -- whom it was narrowed to; '' is everybody
    DROP CONSTRAINT editions_rhythm_check,
    ADD CONSTRAINT editions_rhythm_check CHECK (rhythm IN ('immediate', 'daily', 'weekly', 'monthly', 'once'));
CREATE INDEX editions_review ON mailer.editions (approve_by) WHERE state = 'review';

CREATE INDEX editions_ending ON mailer.editions (id) WHERE state = 'cancelled' AND finished_at IS NULL;

-- A retired variant is no longer true: nothing is claimed of it, and what is not sent yet gets another one. Who got it keeps it.
ALTER TABLE mailer.variants ADD retired boolean NOT NULL DEFAULT false;
CREATE INDEX variants_retired ON mailer.variants (edition_id) WHERE retired;

-- A delivery that a layout left nothing in is cancelled; another layout may bring it back.
ALTER TABLE mailer.deliveries ADD emptied boolean NOT NULL DEFAULT false;

-- What an editor arranged, by translation group.
CREATE TABLE mailer.arrangements (
    edition_id uuid NOT NULL REFERENCES mailer.editions,
    group_id   bigint NOT NULL,
    added      boolean NOT NULL DEFAULT false,        -- goes to every recipient who was not given it yet
    place      integer,                               -- null: by date, after those that have one
    dropped    text CHECK (dropped IN ('later', 'never')),
    PRIMARY KEY (edition_id, group_id),
    CHECK (NOT (added AND dropped IS NOT NULL))
);

-- What an editor wrote for an edition, by language of the digest. '' is as without.
CREATE TABLE mailer.texts (
    edition_id   uuid NOT NULL REFERENCES mailer.editions,
    language     text NOT NULL,
    subject      text NOT NULL DEFAULT '',
    preheader    text NOT NULL DEFAULT '',
    introduction text NOT NULL DEFAULT '',            -- Markdown
    PRIMARY KEY (edition_id, language)
);

-- Who did what to an edition, and when.
CREATE TABLE mailer.edition_log (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    edition_id uuid NOT NULL REFERENCES mailer.editions,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,                         -- an id or "command line", never a name or an address
    what       text NOT NULL                          -- likewise: ids of articles, no words of theirs
);
CREATE INDEX edition_log_edition ON mailer.edition_log (edition_id, id);

-- Lists of which nothing is claimed.
CREATE TABLE mailer.pauses (
    list_id bigint PRIMARY KEY,                       -- 0: every list
    at      timestamptz NOT NULL,
    actor   text NOT NULL
);

-- +goose Down
DROP TABLE mailer.pauses, mailer.edition_log, mailer.texts, mailer.arrangements;
ALTER TABLE mailer.deliveries DROP emptied;
ALTER TABLE mailer.variants DROP retired;
DROP INDEX mailer.editions_review, mailer.editions_ending;
ALTER TABLE mailer.editions DROP paused, DROP repeats, DROP approve_by, DROP corrects, DROP audience;
