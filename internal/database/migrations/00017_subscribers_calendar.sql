-- +goose Up
ALTER TABLE subscribers.lists
    ADD daily_on text[] NOT NULL DEFAULT '{monday,tuesday,wednesday,thursday,friday,saturday,sunday}' CHECK (daily_on <> '{}'),
    ADD weekly_on text NOT NULL DEFAULT 'monday',
    ADD monthly_on text NOT NULL DEFAULT 'first monday',
    ADD daily_at time,                                 -- the rhythm's own cut-off; null: the editorial hour
    ADD weekly_at time,
    ADD monthly_at time,
    ADD not_on text[] NOT NULL DEFAULT '{}',           -- weekdays, days of each year (12-25), dates (2026-04-06)
    ADD immediate_after integer NOT NULL DEFAULT 60 CHECK (immediate_after >= 0),      -- seconds that an alert waits for others to come along
    ADD late_after integer NOT NULL DEFAULT 43200 CHECK (late_after > 0),              -- seconds after which what is late waits for a person
    ADD rest text NOT NULL DEFAULT 'wait' CHECK (rest IN ('wait', 'more')),            -- what becomes of articles beyond the maximum
    ADD leave_out text[] NOT NULL DEFAULT '{}';        -- slugs of lists: what a contact has from them does not come again

-- Whose articles are counted: of those who may be mailed, and of those who will catch up after a pause.
CREATE VIEW subscribers.reading AS
SELECT subscription_id, list_id, rhythm, activation FROM subscribers.mailable
UNION ALL
SELECT s.id, s.list_id, s.rhythm, s.activation
FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id
WHERE s.state = 'paused' AND s.catch_up AND c.erased_at IS NULL;

-- +goose Down
DROP VIEW subscribers.reading;
ALTER TABLE subscribers.lists
    DROP daily_on, DROP weekly_on, DROP monthly_on, DROP daily_at, DROP weekly_at, DROP monthly_at, DROP not_on, DROP immediate_after,
    DROP late_after, DROP rest, DROP leave_out;
