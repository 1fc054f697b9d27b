package subscribers

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/errs"
)

// writePeople copies the people into temporary tables and makes the records follow in whole statements. It adds to result
// what became of them.
func writePeople(ctx context.Context, tx *sqlx.Tx, list *List, p *people, o ImportOptions, result *ImportResult) error {
	if err := lockForImport(ctx, tx, list); err != nil {
		return err
	}
	if err := copyPeople(ctx, tx, p); err != nil {
		return err
	}
	state := Pending
	if o.Consent != "" {
		state = Active
	}
	steps := []struct {
		name      string
		statement string
		args      []any
	}{
		{"add contacts", insertContacts, []any{o.Now}},
		{"find contacts", findContacts, nil},
		{"change contacts", updateContacts, nil},
		{"add organisations", insertOrganisations, []any{o.Now}},
		{"change organisations", updateOrganisations, nil},
		{"add members", insertMemberships, nil},
		{"activate subscriptions", activateSubscriptions, []any{list.ID, state, o.Now, o.Consent}},
		{"change subscriptions", updateSubscriptions, []any{list.ID}},
		{"add subscriptions", insertSubscriptions, []any{list.ID, state, list.DefaultRhythm, o.Now, o.Consent}},
	}
	for _, step := range steps {
		if _, err := tx.ExecContext(ctx, step.statement, step.args...); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return tx.QueryRowxContext(ctx, countOutcomes, list.ID).
		Scan(&result.Imported, &result.Changed, &result.Unchanged, &result.Left, &result.Pending)
}

// Imports take turns, so that two with the same people in another order do not wait for one another for ever.
const takeTurn = `SELECT pg_advisory_xact_lock(hashtextextended('silkpost import of contacts', 0))`

const lockOffer = `
SELECT rhythms @> $2 AND default_rhythm = $3
FROM subscribers.lists
WHERE id = $1
FOR SHARE`

// lockForImport waits for other imports and makes sure that the list still offers what the file was checked against.
func lockForImport(ctx context.Context, tx *sqlx.Tx, list *List) error {
	if _, err := tx.ExecContext(ctx, takeTurn); err != nil {
		return fmt.Errorf("wait for another import: %w", err)
	}
	same := false
	if err := tx.GetContext(ctx, &same, lockOffer, list.ID, list.Rhythms, list.DefaultRhythm); err != nil {
		return fmt.Errorf("lock the list: %w", err)
	}
	if !same {
		return errs.New(errs.Conflict, "the rhythms of the list %s were changed meanwhile; import again", list.Slug)
	}
	return nil
}

const insertContacts = `
INSERT INTO subscribers.contacts (email, email_key, name, languages, language_keys, time_zone, delivery_hour, attributes, created_at)
SELECT email, email_key, name, languages, language_keys, time_zone, nullif(delivery_hour, '')::time, attributes, $1
FROM incoming
ORDER BY email_key
ON CONFLICT (email_key) DO NOTHING`

const findContacts = `
UPDATE incoming i
SET contact_id = c.id
FROM subscribers.contacts c
WHERE c.email_key = i.email_key`

// What is said replaces what is known; attributes that are not named stay.
const updateContacts = `
WITH changed AS (
    UPDATE subscribers.contacts c
    SET name          = coalesce(nullif(i.name, ''), c.name),
        languages     = coalesce(nullif(i.languages, '{}'), c.languages),
        language_keys = CASE WHEN i.languages = '{}' THEN c.language_keys ELSE i.language_keys END,
        time_zone     = coalesce(nullif(i.time_zone, ''), c.time_zone),
        delivery_hour = coalesce(nullif(i.delivery_hour, '')::time, c.delivery_hour),
        attributes    = c.attributes || i.attributes
    FROM incoming i
    WHERE c.id = i.contact_id
      AND (   i.name NOT IN ('', c.name)
           OR i.languages NOT IN ('{}', c.languages)
           OR i.time_zone NOT IN ('', c.time_zone)
           OR i.delivery_hour NOT IN ('', coalesce(to_char(c.delivery_hour, 'HH24:MI'), ''))
           OR NOT c.attributes @> i.attributes)
    RETURNING c.id)
UPDATE incoming i
SET outcome = 'changed'
FROM changed
WHERE i.contact_id = changed.id`

const insertOrganisations = `
INSERT INTO subscribers.organisations (name, name_key, country, created_at)
SELECT name, name_key, country, $1
FROM incoming_organisations
ORDER BY name_key
ON CONFLICT (name_key) DO NOTHING`

// A new country of an organisation is news of everyone who belongs to it in the file.
const updateOrganisations = `
WITH changed AS (
    UPDATE subscribers.organisations o
    SET country = i.country
    FROM incoming_organisations i
    WHERE o.name_key = i.name_key AND i.country NOT IN ('', o.country)
    RETURNING o.name_key)
UPDATE incoming i
SET outcome = 'changed'
FROM changed JOIN incoming_memberships m USING (name_key)
WHERE i.email_key = m.email_key`

const insertMemberships = `
WITH added AS (
    INSERT INTO subscribers.memberships (organisation_id, contact_id)
    SELECT o.id, i.contact_id
    FROM incoming_memberships m
    JOIN subscribers.organisations o ON o.name_key = m.name_key
    JOIN incoming i ON i.email_key = m.email_key
    ON CONFLICT DO NOTHING
    RETURNING contact_id)
UPDATE incoming i
SET outcome = 'changed'
FROM added
WHERE i.contact_id = added.contact_id`

// Only what is pending, and only with a statement of consent ($2 is the state it gives). Each change of a state comes with
// its line in the log, in the same statement.
const activateSubscriptions = `
WITH activated AS (
    UPDATE subscribers.subscriptions s
    SET state = 'active', activation = s.activation + 1
    FROM incoming i
    WHERE s.list_id = $1 AND s.contact_id = i.contact_id AND s.state = 'pending' AND $2 = 'active'
    RETURNING s.id, s.contact_id),
logged AS (
    INSERT INTO subscribers.consents (subscription_id, at, state, method, statement)
    SELECT id, $3, 'active', 'import', $4 FROM activated)
UPDATE incoming i
SET outcome = 'changed'
FROM activated
WHERE i.contact_id = activated.contact_id`

const updateSubscriptions = `
WITH changed AS (
    UPDATE subscribers.subscriptions s
    SET rhythm = coalesce(nullif(i.rhythm, ''), s.rhythm),
        topics = coalesce(nullif(i.topics, '{}'), s.topics)
    FROM incoming i
    WHERE s.list_id = $1 AND s.contact_id = i.contact_id AND s.state <> 'unsubscribed'
      AND (i.rhythm NOT IN ('', s.rhythm) OR i.topics NOT IN ('{}', s.topics))
    RETURNING s.contact_id)
UPDATE incoming i
SET outcome = 'changed'
FROM changed
WHERE i.contact_id = changed.contact_id`

const insertSubscriptions = `
WITH added AS (
    INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, topics, activation, created_at)
    SELECT $1, contact_id, $2, coalesce(nullif(rhythm, ''), $3), topics, CASE $2 WHEN 'active' THEN 1 ELSE 0 END, $4
    FROM incoming
    ORDER BY contact_id
    ON CONFLICT (list_id, contact_id) DO NOTHING
    RETURNING id, contact_id),
logged AS (
    INSERT INTO subscribers.consents (subscription_id, at, state, method, statement)
    SELECT id, $4, $2, 'import', $5 FROM added)
UPDATE incoming i
SET outcome = 'imported'
FROM added
WHERE i.contact_id = added.contact_id`

const countOutcomes = `
SELECT count(*) FILTER (WHERE i.outcome = 'imported'), count(*) FILTER (WHERE i.outcome = 'changed'),
       count(*) FILTER (WHERE i.outcome = 'unchanged'), count(*) FILTER (WHERE s.state = 'unsubscribed'),
       count(*) FILTER (WHERE s.state = 'pending')
FROM incoming i JOIN subscribers.subscriptions s ON s.list_id = $1 AND s.contact_id = i.contact_id`
