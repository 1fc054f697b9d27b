package subscribers

import (
	"cmp"
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// write makes the records follow what the rows say, in whole statements, and counts what became of the people. Where somebody else adds or
// changes an address between one statement and the next, all begins anew.
func (i *importing) write(ctx context.Context, tx *sqlx.Tx) error {
	if i.options.Within != nil {
		if err := runSteps(ctx, tx, withinSteps(i.options.Within)); err != nil {
			return err
		}
	}
	if err := runSteps(ctx, tx, mergeSteps); err != nil {
		return err
	}
	if err := i.writeContacts(ctx, tx); err != nil {
		return err
	}
	o, list := &i.options, i.list.ID
	method := cmp.Or(o.Method, ByImport)
	err := runSteps(ctx, tx, []step{
		{"change contacts", updateContacts, nil},
		{"add organisations", insertOrganisations, []any{o.Now}},
		{"change organisations", updateOrganisations, nil},
		{"add members", insertMemberships, nil},
		{"add subscriptions", insertSubscriptions, []any{list, i.list.DefaultRhythm, o.Now, o.Consent, o.Origin, o.Actor, method}},
		{"activate subscriptions", activateSubscriptions, []any{list, o.Now, o.Consent, o.Origin, o.Actor, method}},
		{"hold subscriptions", holdSubscriptions, []any{list}},
		{"end subscriptions", endSubscriptions, []any{list, o.Now, o.Origin, pq.Array(personal), o.Actor, method}},
		{"change subscriptions", updateSubscriptions, []any{list}},
	})
	if err != nil {
		return err
	}
	r := &i.result
	err = tx.QueryRowxContext(ctx, countOutcomes, list).
		Scan(&r.Imported, &r.Changed, &r.Unchanged, &r.Left, &r.Ended, &r.Suppressed, &r.Pending)
	var ended, suppressed int
	if err == nil {
		err = tx.QueryRowxContext(ctx, countHeard).Scan(&ended, &suppressed)
	}
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	r.Ended, r.Suppressed = r.Ended+ended, r.Suppressed+suppressed
	return nil
}

// writeContacts adds who is new, and finds everybody.
func (i *importing) writeContacts(ctx context.Context, tx *sqlx.Tx) error {
	o := &i.options
	people, err := execCount(ctx, tx, gatherPeople)
	if err != nil {
		return fmt.Errorf("look for contacts: %w", err)
	}
	if people > manyRows {
		if _, err := tx.ExecContext(ctx, joinWhole); err != nil {
			return err
		}
	}
	added, err := execCount(ctx, tx, insertContacts, o.Now)
	if err != nil {
		return fmt.Errorf("add contacts: %w", err)
	}
	state := Pending
	if o.Consent != "" {
		state = Active
	}
	err = runSteps(ctx, tx, []step{
		{"prepare the news", createNews, nil},
		{"suppress", insertSuppressions, []any{o.Origin, o.Now}},
		{"find contacts", findContacts, []any{state}},
		{"analyse", `ANALYZE found`, nil},
	})
	if err != nil {
		return err
	}
	var known int64
	if err := tx.GetContext(ctx, &known, `SELECT count(*) FROM found WHERE known`); err != nil {
		return err
	}
	if known+added < people {
		return errMoved
	}
	return nil
}

// Nobody has counted what the import itself writes. Where the server believes of a table that has just got a hundred thousand rows that it has a few, as after
// a check that was undone, it goes through another one for each of them; what is joined whole takes a second whatever it believes.
const (
	manyRows  = 10_000
	joinWhole = `SET LOCAL enable_nestloop = off`
)

const gatherPeople = `
CREATE TEMPORARY TABLE people ON COMMIT DROP AS
SELECT i.row, c.id AS contact_id FROM incoming i LEFT JOIN subscribers.contacts c ON c.email_key = i.email_key`

const insertContacts = `
INSERT INTO subscribers.contacts (email, email_key, name, languages, language_keys, time_zone, delivery_hour, attributes, created_at)
SELECT email, email_key, name, languages, language_keys, time_zone, nullif(delivery_hour, '')::time, attributes, $1
FROM incoming i JOIN people p ON p.row = i.row
WHERE p.contact_id IS NULL
ORDER BY i.email_key
ON CONFLICT (email_key) DO NOTHING`

// Whoever was suppressed for a reason before, and came back, is not suppressed for it again by a file.
const insertSuppressions = `
WITH added AS (
    INSERT INTO subscribers.suppressions (address_key, reason, origin, at)
    SELECT n.email_key, n.says, $1, $2
    FROM incoming_noes n
    WHERE n.says IN ('hard bounce', 'complaint', 'manual')
      AND (EXISTS (SELECT FROM incoming i WHERE i.email_key = n.email_key) OR EXISTS (SELECT FROM subscribers.contacts c WHERE c.email_key = n.email_key))
      AND NOT EXISTS (SELECT FROM subscribers.suppressions x WHERE x.address_key = n.email_key AND x.reason = n.says)
    ON CONFLICT DO NOTHING
    RETURNING address_key, reason)
INSERT INTO news
SELECT coalesce(i.row, n.row), 'suppressed'
FROM added JOIN incoming_noes n ON n.email_key = added.address_key AND n.says = added.reason
LEFT JOIN incoming i ON i.email_key = added.address_key`

// found has what the statements after it ask for most. known are those who were there before: what is new of others need not be looked for. gives is the state that a new subscription gets: only who has not left, is not
// suppressed, and for whom a consent is stated, becomes active.
const findContacts = `
CREATE TEMPORARY TABLE found ON COMMIT DROP AS
SELECT i.row, c.id AS contact_id, p.contact_id IS NOT NULL AS known, n.email_key IS NOT NULL AS said_no, s.suppressed,
       CASE WHEN n.unsubscribed THEN 'unsubscribed' WHEN n.email_key IS NOT NULL OR s.suppressed THEN 'pending' ELSE $1 END AS gives
FROM incoming i
JOIN people p ON p.row = i.row
JOIN subscribers.contacts c ON c.email_key = i.email_key
LEFT JOIN (SELECT DISTINCT address_key FROM subscribers.suppressions WHERE lifted_at IS NULL) a ON a.address_key = c.email_key
LEFT JOIN (SELECT DISTINCT domain_key FROM subscribers.suppressions WHERE lifted_at IS NULL) d ON d.domain_key = c.domain_key
LEFT JOIN (SELECT email_key, bool_or(says = 'unsubscribed') AS unsubscribed FROM incoming_noes GROUP BY email_key) n ON n.email_key = i.email_key
CROSS JOIN LATERAL (SELECT a.address_key IS NOT NULL OR d.domain_key IS NOT NULL AS suppressed) s`

// news says what is new of whom; 'imported' is that they are on the list.
const createNews = `
CREATE TEMPORARY TABLE news (row integer NOT NULL, what text NOT NULL) ON COMMIT DROP`

// What is said replaces what is known; attributes that are not named stay.
const updateContacts = `
WITH changing AS (
    SELECT c.id, i.row, array_remove(ARRAY[
               CASE WHEN i.name NOT IN ('', c.name) THEN 'name' END,
               CASE WHEN i.languages NOT IN ('{}', c.languages) THEN 'languages' END,
               CASE WHEN i.time_zone NOT IN ('', c.time_zone) THEN 'time_zone' END,
               CASE WHEN i.delivery_hour NOT IN ('', coalesce(to_char(c.delivery_hour, 'HH24:MI'), '')) THEN 'delivery_hour' END], NULL)
           || ARRAY(SELECT a.key FROM jsonb_each(i.attributes) a WHERE c.attributes->a.key IS DISTINCT FROM a.value) AS fields
    FROM found f JOIN incoming i ON i.row = f.row JOIN subscribers.contacts c ON c.id = f.contact_id
    WHERE f.known
      AND (   i.name NOT IN ('', c.name)
           OR i.languages NOT IN ('{}', c.languages)
           OR i.time_zone NOT IN ('', c.time_zone)
           OR i.delivery_hour NOT IN ('', coalesce(to_char(c.delivery_hour, 'HH24:MI'), ''))
           OR NOT c.attributes @> i.attributes)
    FOR UPDATE OF c
), changed AS (
    UPDATE subscribers.contacts c
    SET name          = coalesce(nullif(i.name, ''), c.name),
        languages     = coalesce(nullif(i.languages, '{}'), c.languages),
        language_keys = CASE WHEN i.languages = '{}' THEN c.language_keys ELSE i.language_keys END,
        time_zone     = coalesce(nullif(i.time_zone, ''), c.time_zone),
        delivery_hour = coalesce(nullif(i.delivery_hour, '')::time, c.delivery_hour),
        attributes    = c.attributes || i.attributes
    FROM changing JOIN incoming i ON i.row = changing.row
    WHERE c.id = changing.id
)
INSERT INTO news SELECT row, unnest(fields) FROM changing`

const insertOrganisations = `
INSERT INTO subscribers.organisations (name, name_key, country, web_site, languages, kind, notes, tags, names, created_at)
SELECT name, name_key, country, web_site, languages, kind, notes, tags, names, $1
FROM incoming_organisations
ORDER BY name_key
ON CONFLICT (name_key) DO NOTHING`

// What is new of an organisation is news of everyone who belongs to it in the file.
const updateOrganisations = `
WITH changed AS (
    UPDATE subscribers.organisations o
    SET country   = coalesce(nullif(i.country, ''), o.country),
        web_site  = coalesce(nullif(i.web_site, ''), o.web_site),
        languages = coalesce(nullif(i.languages, '{}'), o.languages),
        kind      = coalesce(nullif(i.kind, ''), o.kind),
        notes     = coalesce(nullif(i.notes, ''), o.notes),
        tags      = coalesce(nullif(i.tags, '{}'), o.tags),
        names     = o.names || i.names
    FROM incoming_organisations i
    WHERE o.name_key = i.name_key
      AND (i.country NOT IN ('', o.country) OR i.web_site NOT IN ('', o.web_site) OR i.languages NOT IN ('{}', o.languages)
        OR i.kind NOT IN ('', o.kind) OR i.notes NOT IN ('', o.notes) OR i.tags NOT IN ('{}', o.tags) OR NOT o.names @> i.names)
    RETURNING o.name_key)
INSERT INTO news
SELECT m.row, 'organisation'
FROM changed JOIN ` + members + ` m ON m.organisation_key = changed.name_key`

// members are the people and the organisations that their rows name.
const members = `(
    SELECT row, organisation_key FROM incoming WHERE organisation_key <> ''
    UNION ALL
    SELECT into_row, organisation_key FROM joined WHERE organisation_key <> '')`

const insertMemberships = `
WITH added AS (
    INSERT INTO subscribers.memberships (organisation_id, contact_id)
    SELECT o.id, f.contact_id
    FROM ` + members + ` m
    JOIN subscribers.organisations o ON o.name_key = m.organisation_key
    JOIN found f ON f.row = m.row
    WHERE NOT EXISTS (SELECT FROM subscribers.memberships x WHERE x.contact_id = f.contact_id AND x.organisation_id = o.id)
    ON CONFLICT DO NOTHING
    RETURNING contact_id)
INSERT INTO news SELECT f.row, 'organisation' FROM added JOIN found f USING (contact_id)`

// Each change of a state comes with its line in the log, in the same statement: here and below.
const insertSubscriptions = `
WITH added AS (
    INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, topics, activation, created_at)
    SELECT $1, f.contact_id, f.gives, coalesce(nullif(i.rhythm, ''), $2), i.topics, CASE f.gives WHEN 'active' THEN 1 ELSE 0 END, $3
    FROM found f JOIN incoming i ON i.row = f.row
    WHERE NOT EXISTS (SELECT FROM subscribers.subscriptions s WHERE s.list_id = $1 AND s.contact_id = f.contact_id)
    ORDER BY f.row
    ON CONFLICT (list_id, contact_id) DO NOTHING
    RETURNING id, contact_id),
explained AS (
    SELECT added.id, f.row, f.gives, concat_ws('; ', CASE
               WHEN f.gives = 'active' THEN nullif($4::text, '')
               WHEN f.gives = 'unsubscribed' THEN 'unsubscribed according to the file'
               WHEN f.suppressed THEN 'suppressed'
               WHEN f.said_no THEN 'pending according to the file' END, nullif(i.evidence, '')) AS statement
    FROM added JOIN found f ON f.contact_id = added.contact_id JOIN incoming i ON i.row = f.row),
logged AS (
    INSERT INTO subscribers.consents (subscription_id, at, state, method, statement, origin, actor)
    SELECT id, $3, gives, $7, statement, $5, $6 FROM explained ORDER BY id)
INSERT INTO news SELECT row, 'imported' FROM explained`

// Only what is pending.
const activateSubscriptions = `
WITH activated AS (
    UPDATE subscribers.subscriptions s
    SET state = 'active', activation = s.activation + 1
    FROM found f
    WHERE s.list_id = $1 AND s.contact_id = f.contact_id AND f.known AND s.state = 'pending' AND f.gives = 'active'
    RETURNING s.id, f.row),
logged AS (
    INSERT INTO subscribers.consents (subscription_id, at, state, method, statement, origin, actor)
    SELECT a.id, $2, 'active', $6, concat_ws('; ', $3::text, nullif(i.evidence, '')), $4, $5
    FROM activated a JOIN incoming i ON i.row = a.row ORDER BY a.id)
INSERT INTO news SELECT row, 'active' FROM activated`

// leaving are the subscriptions that the file says have ended, also in rows that are refused: who is in those alone is not found.
const leaving = `
FROM incoming_noes n
JOIN subscribers.contacts c ON c.email_key = n.email_key
JOIN subscribers.subscriptions s ON s.contact_id = c.id
LEFT JOIN found f ON f.contact_id = c.id
WHERE s.list_id = $1 AND n.says = 'unsubscribed' AND s.state <> 'unsubscribed'`

// Nobody takes back meanwhile what they have not said yet: the next statement sees all that was.
const holdSubscriptions = `
SELECT s.id` + leaving + `
FOR UPDATE OF s`

// A no that was said elsewhere ends what others stated for a person, but not what they said here themselves.
const endSubscriptions = `
WITH leaving AS (
    SELECT s.id, coalesce(f.row, n.row) AS row` + leaving + `
      AND NOT EXISTS (
          SELECT FROM subscribers.consents g
          WHERE g.subscription_id = s.id AND g.state IN ('active', 'paused') AND g.method = ANY ($4) AND g.actor = '')),
ended AS (
    UPDATE subscribers.subscriptions s
    SET state = 'unsubscribed', paused_until = NULL, catch_up = false
    FROM leaving l
    WHERE s.id = l.id
    RETURNING s.id, l.row),
logged AS (
    INSERT INTO subscribers.consents (subscription_id, at, state, method, statement, origin, actor)
    SELECT e.id, $2, 'unsubscribed', $6, concat_ws('; ', 'unsubscribed according to the file', nullif(i.evidence, '')), $3, $5
    FROM ended e LEFT JOIN incoming i ON i.row = e.row ORDER BY e.id)
INSERT INTO news SELECT row, 'unsubscribed' FROM ended`

// What was heard of rows that are refused is of nobody whom outcomes has.
const countHeard = `
SELECT count(DISTINCT row) FILTER (WHERE what = 'unsubscribed'), count(DISTINCT row) FILTER (WHERE what = 'suppressed')
FROM news n
WHERE NOT EXISTS (SELECT FROM found f WHERE f.row = n.row)`

const updateSubscriptions = `
WITH changing AS (
    SELECT s.id, i.row, array_remove(ARRAY[
               CASE WHEN i.rhythm NOT IN ('', s.rhythm) THEN 'rhythm' END,
               CASE WHEN i.topics NOT IN ('{}', s.topics) THEN 'topics' END], NULL) AS fields
    FROM found f JOIN incoming i ON i.row = f.row JOIN subscribers.subscriptions s ON s.list_id = $1 AND s.contact_id = f.contact_id
    WHERE f.known AND s.state <> 'unsubscribed' AND (i.rhythm NOT IN ('', s.rhythm) OR i.topics NOT IN ('{}', s.topics))
    FOR UPDATE OF s
), changed AS (
    UPDATE subscribers.subscriptions s
    SET rhythm = coalesce(nullif(i.rhythm, ''), s.rhythm),
        topics = coalesce(nullif(i.topics, '{}'), s.topics)
    FROM changing JOIN incoming i ON i.row = changing.row
    WHERE s.id = changing.id
)
INSERT INTO news SELECT row, unnest(fields) FROM changing`

// outcomes are the people of the file with what became of them.
const outcomes = `
    SELECT f.row, f.suppressed, s.state, n.what, coalesce(n.imported, false) AS imported,
           coalesce(n.ended, false) OR (coalesce(n.imported, false) AND s.state = 'unsubscribed') AS ended
    FROM found f
    JOIN subscribers.subscriptions s ON s.list_id = $1 AND s.contact_id = f.contact_id
    LEFT JOIN (
        SELECT row, array_agg(DISTINCT what) AS what, bool_or(what = 'imported') AS imported, bool_or(what = 'unsubscribed') AS ended
        FROM news GROUP BY row) n ON n.row = f.row`

const countOutcomes = `
SELECT count(*) FILTER (WHERE imported), count(*) FILTER (WHERE NOT imported AND what IS NOT NULL), count(*) FILTER (WHERE what IS NULL),
       count(*) FILTER (WHERE state = 'unsubscribed' AND NOT ended), count(*) FILTER (WHERE ended),
       count(*) FILTER (WHERE suppressed), count(*) FILTER (WHERE state = 'pending' AND NOT suppressed)
FROM (` + outcomes + `) o`
