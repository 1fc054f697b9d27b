package subscribers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/errs"
)

// step is a statement of an import.
type step struct {
	name      string
	statement string
	args      []any
}

func runSteps(ctx context.Context, tx *sqlx.Tx, steps []step) error {
	for _, s := range steps {
		if _, err := tx.ExecContext(ctx, s.statement, s.args...); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// refused holds, for each reason, the row that is refused. Where another row is named, that one says otherwise.
const createRefused = `
CREATE TEMPORARY TABLE refused (
    row         integer NOT NULL,
    own         text NOT NULL DEFAULT '',    -- what the row itself has wrong, as JSON
    place       text NOT NULL DEFAULT '',    -- of the column; 'erased' or 'former' when the address is
    value       text NOT NULL DEFAULT '',
    other_row   integer NOT NULL DEFAULT 0,
    other_value text NOT NULL DEFAULT '',
    whose       text NOT NULL DEFAULT ''     -- address, organisation
) ON COMMIT DROP`

const refuseThemselves = `
INSERT INTO refused (row, own) SELECT row, refusals FROM incoming WHERE refusals <> ''`

const refuseErased = `
INSERT INTO refused (row, place)
SELECT i.row, 'erased'
FROM incoming i JOIN subscribers.suppressions x ON x.address_hash = i.address_hash
WHERE x.lifted_at IS NULL`

const refuseFormer = `
INSERT INTO refused (row, place, value)
SELECT i.row, 'former', i.email
FROM incoming i JOIN subscribers.former_addresses f ON f.address_hash = i.address_hash
WHERE i.refusals = '' AND NOT EXISTS (SELECT FROM subscribers.contacts c WHERE c.email_key = i.email_key)`

// The first row that speaks of something of a person is right; those that say otherwise are refused.
const refuseContradictions = `
INSERT INTO refused (row, place, value, other_row, other_value, whose)
WITH doubled AS (
    SELECT email_key FROM incoming WHERE refusals = '' GROUP BY email_key HAVING count(*) > 1
), said AS (
    SELECT i.row, i.email_key, v.place, v.value
    FROM incoming i JOIN doubled USING (email_key) CROSS JOIN LATERAL (
        VALUES ('name', i.name), ('languages', array_to_string(i.languages, ';')), ('time_zone', i.time_zone),
               ('delivery_hour', i.delivery_hour), ('rhythm', i.rhythm), ('topics', array_to_string(i.topics, ';'))
        UNION ALL
        SELECT 'attribute:' || a.key, a.value FROM jsonb_each_text(i.attributes) a) AS v (place, value)
    WHERE i.refusals = '' AND v.value <> ''
), compared AS (
    SELECT row, place, value, first_value(row) OVER earlier AS other_row, first_value(value) OVER earlier AS other_value
    FROM said
    WINDOW earlier AS (PARTITION BY email_key, place ORDER BY row)
)
SELECT row, place, value, other_row, other_value, 'address' FROM compared WHERE value <> other_value`

// Many rows say the same of an organisation, so what they say is compared, and only then the rows are found.
const refuseContradictionsOfOrganisations = `
INSERT INTO refused (row, place, value, other_row, other_value, whose)
WITH said AS (
    SELECT organisation_key, about, min(row) AS row FROM incoming WHERE refusals = '' AND about <> '{}' GROUP BY organisation_key, about
), compared AS (
    SELECT s.organisation_key, s.about, a.key, a.value,
           first_value(s.row) OVER earlier AS other_row, first_value(a.value) OVER earlier AS other_value
    FROM said s CROSS JOIN LATERAL jsonb_each_text(s.about) a
    WINDOW earlier AS (PARTITION BY s.organisation_key, a.key ORDER BY s.row)
)
SELECT i.row, 'about ' || c.key, c.value, c.other_row, c.other_value, 'organisation'
FROM compared c JOIN incoming i ON i.organisation_key = c.organisation_key AND i.about = c.about
WHERE c.value <> c.other_value AND i.refusals = ''`

// refuse finds the rows that are not taken and counts them.
func (i *importing) refuse(ctx context.Context, tx *sqlx.Tx) error {
	err := runSteps(ctx, tx, []step{
		{"create the table of refused rows", createRefused, nil},
		{"refuse rows", refuseThemselves, nil},
		{"refuse erased addresses", refuseErased, nil},
		{"refuse former addresses", refuseFormer, nil},
		{"compare people", refuseContradictions, nil},
		{"compare organisations", refuseContradictionsOfOrganisations, nil},
	})
	if err != nil {
		return err
	}
	if err := tx.GetContext(ctx, &i.result.Refused, `SELECT count(DISTINCT row) FROM refused`); err != nil || i.result.Refused == 0 {
		return err
	}
	return i.eachRefused(ctx, tx, maxRefusals, func(_ int, refusals []Refusal) error {
		i.result.Refusals = append(i.result.Refusals, refusals...)
		return nil
	})
}

// refusedRow is a row of the table refused.
type refusedRow struct {
	Row        int    `db:"row" json:"row"`
	Own        string `db:"own" json:"own"`
	Place      string `db:"place" json:"place"`
	Value      string `db:"value" json:"value"`
	OtherRow   int    `db:"other_row" json:"other_row"`
	OtherValue string `db:"other_value" json:"other_value"`
	Whose      string `db:"whose" json:"whose"`
}

// selectRefused gives the refused rows in order, each with all reasons, as JSON of refusedRows.
const selectRefused = `
SELECT row, json_agg(row_to_json(r) ORDER BY own DESC, whose, place)::text AS reasons FROM refused r GROUP BY row`

// eachRefused calls do for the refused rows in order, at most limit (0: all), with all reasons of each.
func (i *importing) eachRefused(ctx context.Context, tx *sqlx.Tx, limit int, do func(row int, refusals []Refusal) error) (err error) {
	rows, err := tx.QueryContext(ctx, selectRefused+` ORDER BY row LIMIT nullif($1, 0)`, limit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var (
			row     int
			reasons string
		)
		if err := rows.Scan(&row, &reasons); err != nil {
			return err
		}
		refusals, err := i.refusals(reasons)
		if err != nil {
			return err
		}
		if err := do(row, refusals); err != nil {
			return err
		}
	}
	return rows.Err()
}

// refusals puts the reasons against a row into words, in the order of its columns.
func (i *importing) refusals(reasons string) (found []Refusal, err error) {
	var rows []refusedRow
	if err := json.Unmarshal([]byte(reasons), &rows); err != nil {
		return nil, err
	}
	if at := slices.IndexFunc(rows, func(r refusedRow) bool { return r.Place == "erased" }); at >= 0 {
		rows = rows[at : at+1] // what else is wrong would tell of the person
	}
	for _, r := range rows {
		of, err := i.refusalsOf(r)
		if err != nil {
			return nil, err
		}
		found = append(found, of...)
	}
	at := func(r Refusal) int {
		return slices.IndexFunc(i.columns, func(c column) bool { return c.header == r.Field })
	}
	slices.SortStableFunc(found, func(a, b Refusal) int { return cmp.Compare(at(a), at(b)) })
	return found, nil
}

func (i *importing) refusalsOf(r refusedRow) (found []Refusal, err error) {
	switch {
	case r.Own != "":
		err = json.Unmarshal([]byte(r.Own), &found)
		for n := range found {
			found[n].Row = r.Row
		}
		return found, err
	case r.Place == "erased":
		return []Refusal{{Row: r.Row, Field: i.label(fieldEmail), Reason: erasedReason}}, nil
	case r.Place == "former":
		return []Refusal{{Row: r.Row, Field: i.label(fieldEmail), Value: r.Value, Reason: formerReason}}, nil
	}
	reason := fmt.Sprintf("row %d says %q of the same %s", r.OtherRow, r.OtherValue, r.Whose)
	return []Refusal{{Row: r.Row, Field: i.labelOf(r.Place), Value: r.Value, Reason: reason}}, nil
}

// erasedReason does not repeat the address: it was to be forgotten.
const erasedReason = "its owner was erased; they come back only by subscribing themselves"

const formerReason = "its owner has changed to another address since, and comes back to this one only by subscribing"

// labelOf returns the column that says what stands in a place of the tables.
func (i *importing) labelOf(place string) string {
	if key, ok := strings.CutPrefix(place, "about "); ok {
		for _, one := range orgFields {
			if one.key == key {
				return i.label(one.field)
			}
		}
		place = string(fieldOrgName) + strings.TrimPrefix(key, "name ")
	}
	for _, c := range i.columns {
		if c.place() == place {
			return c.header
		}
	}
	if name, ok := strings.CutPrefix(place, string(fieldAttribute)); ok {
		return name // of a JSON object, or a country that is the person's
	}
	return i.label(fieldFirstName, fieldLastName, fieldMiddleName)
}

// label returns the name of the first column with one of the fields.
func (i *importing) label(fields ...field) string {
	for _, f := range fields {
		if at := slices.IndexFunc(i.columns, func(c column) bool { return c.field == f }); at >= 0 {
			return i.columns[at].header
		}
	}
	return string(fields[0])
}

// Imports take turns in writing, so that two with the same people in another order do not wait for one another for ever; and nobody is erased
// between the look at the hashes of those who were and the writing. Erase takes the same lock, shared.
const (
	takeTurn      = `SELECT pg_advisory_xact_lock(hashtextextended('silkpost import of contacts', 0))`
	keepTurnsAway = `SELECT pg_advisory_xact_lock_shared(hashtextextended('silkpost import of contacts', 0))`
)

const lockOffer = `
SELECT rhythms @> $2 AND default_rhythm = $3
FROM subscribers.lists
WHERE id = $1
FOR SHARE`

// lock waits for other imports and makes sure that the list still offers what the file was checked against.
func (i *importing) lock(ctx context.Context, tx *sqlx.Tx) error {
	if _, err := tx.ExecContext(ctx, takeTurn); err != nil {
		return fmt.Errorf("wait for another import: %w", err)
	}
	same := false
	if err := tx.GetContext(ctx, &same, lockOffer, i.list.ID, i.list.Rhythms, i.list.DefaultRhythm); err != nil {
		return fmt.Errorf("lock the list: %w", err)
	}
	if !same {
		return errs.New(errs.Conflict, "the rhythms of the list %s were changed meanwhile; import again", i.list.Slug)
	}
	return nil
}

// What speaks against mail to somebody counts from every row, also from one that is refused for something else.
const gatherNoes = `
CREATE TEMPORARY TABLE incoming_noes ON COMMIT DROP AS
SELECT email_key, says, min(row) AS row FROM incoming WHERE says NOT IN ('', 'active') AND email_key <> '' GROUP BY email_key, says`

const dropRefused = `DELETE FROM incoming i USING refused r WHERE r.row = i.row`

const gatherOrganisations = `
CREATE TEMPORARY TABLE incoming_organisations ON COMMIT DROP AS
WITH said AS (
    SELECT organisation_key, about, min(row) AS row FROM incoming WHERE organisation_key <> '' GROUP BY organisation_key, about
), told AS (
    SELECT s.organisation_key, coalesce(jsonb_object_agg(a.key, a.value) FILTER (WHERE a.key IS NOT NULL), '{}') AS about, min(s.row) AS row
    FROM said s LEFT JOIN LATERAL jsonb_each_text(s.about) a ON true
    GROUP BY s.organisation_key
)
SELECT t.organisation_key AS name_key, i.organisation AS name, coalesce(t.about->>'country', '') AS country,
       coalesce(t.about->>'web_site', '') AS web_site, coalesce(string_to_array(t.about->>'languages', ';'), '{}') AS languages,
       coalesce(t.about->>'kind', '') AS kind, coalesce(t.about->>'notes', '') AS notes,
       coalesce(string_to_array(t.about->>'tags', ';'), '{}') AS tags,
       (SELECT coalesce(jsonb_object_agg(substr(a.key, 6), a.value), '{}') FROM jsonb_each_text(t.about) a WHERE a.key LIKE 'name %') AS names
FROM told t JOIN incoming i ON i.row = t.row`

const gatherJoined = `
CREATE TEMPORARY TABLE joined ON COMMIT DROP AS
SELECT i.row, d.first AS into_row, i.organisation_key
FROM incoming i JOIN (SELECT email_key, min(row) AS first FROM incoming GROUP BY email_key HAVING count(*) > 1) d USING (email_key)
WHERE i.row <> d.first`

// What several rows say of one person they say alike, or not at all: the greatest value is the one that was said.
const joinRows = `
WITH together AS (
    SELECT coalesce(j.into_row, i.row) AS into_row, i.* FROM incoming i LEFT JOIN joined j USING (row)
    WHERE i.row IN (SELECT row FROM joined UNION ALL SELECT into_row FROM joined)
), attributes AS (
    SELECT t.into_row, jsonb_object_agg(a.key, a.value) AS attributes FROM together t, jsonb_each(t.attributes) a GROUP BY t.into_row
), one AS (
    SELECT into_row, max(name) AS name, max(languages) AS languages, max(language_keys) AS language_keys, max(time_zone) AS time_zone,
           max(delivery_hour) AS delivery_hour, max(rhythm) AS rhythm, max(topics) AS topics,
           coalesce((array_agg(evidence ORDER BY row) FILTER (WHERE evidence <> ''))[1], '') AS evidence
    FROM together GROUP BY into_row
)
UPDATE incoming i
SET name = one.name, languages = one.languages, language_keys = one.language_keys, time_zone = one.time_zone,
    delivery_hour = one.delivery_hour, rhythm = one.rhythm, topics = one.topics, evidence = one.evidence,
    attributes = coalesce(a.attributes, '{}')
FROM one LEFT JOIN attributes a USING (into_row)
WHERE i.row = one.into_row`

const dropJoined = `DELETE FROM incoming i USING joined j WHERE j.row = i.row`

// withinSteps leave of the rows what who is confined to some lists may say: nothing of people who are on others, nor of organisations that are known.
func withinSteps(lists []int64) []step {
	return []step{
		{"leave people of other lists as they are", `
			UPDATE incoming i
			SET (name, languages, language_keys, time_zone, delivery_hour, attributes, organisation_key, organisation, about) = ('', '{}', '{}', '', '', '{}', '', '', '{}')
			FROM subscribers.contacts c
			WHERE c.email_key = i.email_key AND EXISTS (SELECT FROM subscribers.subscriptions s WHERE s.contact_id = c.id AND s.list_id <> ALL ($1))`, []any{pq.Array(lists)}},
		{"leave known organisations as they are", `
			UPDATE incoming i SET about = '{}' FROM subscribers.organisations o WHERE o.name_key = i.organisation_key AND i.about <> '{}'`, nil},
	}
}

// mergeSteps leave one row of incoming for each person.
var mergeSteps = []step{
	{"note who has left", gatherNoes, nil},
	{"leave out refused rows", dropRefused, nil},
	{"gather organisations", gatherOrganisations, nil},
	{"find rows of one person", gatherJoined, nil},
	{"join rows of one person", joinRows, nil},
	{"leave out joined rows", dropJoined, nil},
	{"analyse", `ANALYZE incoming_noes, incoming_organisations, joined`, nil},
}
