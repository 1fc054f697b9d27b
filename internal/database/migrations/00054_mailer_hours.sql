-- +goose Up
-- How much happened in an hour, so that nobody has to count deliveries. Each process that sends has a part of its own, so that none waits for another;
-- later they are put together as the part ''.
CREATE TABLE mailer.hours (
    hour    timestamptz NOT NULL,
    list_id bigint NOT NULL,
    what    text COLLATE "C" NOT NULL CHECK (what IN ('sent', 'deferred', 'failed', 'in_doubt', 'bounced', 'complaint')),
    part    text COLLATE "C" NOT NULL,
    count   bigint NOT NULL,
    PRIMARY KEY (hour, list_id, what, part)
);
CREATE INDEX hours_parts ON mailer.hours (hour) WHERE part <> '';

-- What was done before is counted once, from the attempts that are kept.
INSERT INTO mailer.hours (hour, list_id, what, part, count)
SELECT date_trunc('hour', a.at, 'UTC'), e.list_id, a.outcome, '', count(*)
FROM mailer.attempts a JOIN mailer.editions e ON e.id = a.edition_id GROUP BY 1, 2, 3;
INSERT INTO mailer.hours (hour, list_id, what, part, count)
SELECT date_trunc('hour', d.bounced_at, 'UTC'), e.list_id, CASE d.bounce_kind WHEN 'complaint' THEN 'complaint' ELSE 'bounced' END, '', count(*)
FROM mailer.deliveries d JOIN mailer.editions e ON e.id = d.edition_id WHERE d.bounced_at IS NOT NULL GROUP BY 1, 2, 3;

-- Editions that wait for a person are few among those that went out.
CREATE INDEX editions_waiting ON mailer.editions (id)
    WHERE state IN ('review', 'held') OR state IN ('approved', 'sending') AND (reason <> '' OR paused);
CREATE INDEX editions_finished ON mailer.editions (finished_at) WHERE state = 'sent';

-- +goose Down
DROP INDEX mailer.editions_waiting, mailer.editions_finished;
DROP TABLE mailer.hours;
