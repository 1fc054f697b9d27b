-- +goose Up
-- The floor of the account: one row. It only rises.
CREATE TABLE mailer.floor (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    first    uuid NOT NULL,                           -- the deliveries of editions before it are counted in tallies, and dropped
    arrived  timestamptz,                             -- translation groups that had come by then are never planned again; null: it never rose
    rose_at  timestamptz
);
INSERT INTO mailer.floor (first) VALUES ('00000000-0000-0000-0000-000000000000');

-- What is known for ever of the deliveries of an edition that was dropped.
CREATE TABLE mailer.tallies (
    edition_id  uuid NOT NULL REFERENCES mailer.editions,
    state       text NOT NULL,
    kind        text NOT NULL,                        -- what the last answer was about: mailer/reply has the words; '': none came
    bounce      text NOT NULL,                        -- the bounce's kind; '': none was reported
    destination text NOT NULL,                        -- '': those with fewer than ten recipients of the edition, together
    count       integer NOT NULL,
    PRIMARY KEY (edition_id, state, kind, bounce, destination)
);

-- How often a person had it sent again; each time it is a new message.
ALTER TABLE mailer.deliveries ADD resent integer NOT NULL DEFAULT 0;

-- An edition of which something is sent again was out before.
DROP TRIGGER editions_archive ON mailer.editions;
CREATE TRIGGER editions_archive AFTER UPDATE OF state ON mailer.editions
    FOR EACH ROW WHEN (NEW.state = 'sending' AND OLD.state NOT IN ('sending', 'sent')) EXECUTE FUNCTION mailer.archive_edition();

-- +goose Down
DROP TRIGGER editions_archive ON mailer.editions;
CREATE TRIGGER editions_archive AFTER UPDATE OF state ON mailer.editions
    FOR EACH ROW WHEN (NEW.state = 'sending' AND OLD.state <> 'sending') EXECUTE FUNCTION mailer.archive_edition();
ALTER TABLE mailer.deliveries DROP resent;
DROP TABLE mailer.tallies, mailer.floor;
