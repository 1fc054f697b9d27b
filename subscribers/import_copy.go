package subscribers

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/language"
)

const createIncoming = `
CREATE TEMPORARY TABLE incoming (
    email         text NOT NULL,
    email_key     text NOT NULL,
    name          text NOT NULL,                      -- '' and {} say nothing, here and below
    languages     text[] NOT NULL,
    language_keys text[] NOT NULL,
    time_zone     text NOT NULL,
    delivery_hour text NOT NULL,
    rhythm        text NOT NULL,
    topics        text[] NOT NULL,
    attributes    jsonb NOT NULL,
    contact_id    bigint,                             -- found when everyone has one
    outcome       text NOT NULL DEFAULT 'unchanged'   -- unchanged, changed, imported
) ON COMMIT DROP;
CREATE TEMPORARY TABLE incoming_organisations (
    name_key text NOT NULL,
    name     text NOT NULL,
    country  text NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE incoming_memberships (
    email_key text NOT NULL,
    name_key  text NOT NULL
) ON COMMIT DROP`

// Nobody else counts what is in a temporary table, and guessing makes the planner walk it once per row.
const analyseIncoming = `ANALYZE incoming, incoming_organisations, incoming_memberships`

// copyPeople fills the temporary tables.
func copyPeople(ctx context.Context, tx *sqlx.Tx, p *people) error {
	if _, err := tx.ExecContext(ctx, createIncoming); err != nil {
		return fmt.Errorf("create the temporary tables: %w", err)
	}
	for _, table := range []struct {
		name    string
		columns []string
		rows    iter.Seq[[]any]
	}{
		{"incoming", contactColumns, p.contactRows},
		{"incoming_organisations", []string{"name_key", "name", "country"}, p.organisationRows},
		{"incoming_memberships", []string{"email_key", "name_key"}, p.membershipRows},
	} {
		if err := copyIn(ctx, tx, table.name, table.columns, table.rows); err != nil {
			return fmt.Errorf("copy into %s: %w", table.name, err)
		}
	}
	_, err := tx.ExecContext(ctx, analyseIncoming)
	return err
}

// copyIn fills a table with COPY.
func copyIn(ctx context.Context, tx *sqlx.Tx, table string, columns []string, rows iter.Seq[[]any]) error {
	// Preparing a COPY is how lib/pq begins one; the names are our own.
	statement, err := tx.PrepareContext(ctx, fmt.Sprintf("COPY %s (%s) FROM STDIN", table, strings.Join(columns, ", ")))
	if err != nil {
		return err
	}
	defer func() { _ = statement.Close() }()
	for values := range rows {
		if _, err := statement.ExecContext(ctx, values...); err != nil {
			return err
		}
	}
	_, err = statement.ExecContext(ctx) // sends what is left
	return err
}

func (p *people) contactRows(yield func([]any) bool) {
	for _, one := range p.all {
		if !yield(contactValues(p.columns, one)) {
			return
		}
	}
}

func (p *people) organisationRows(yield func([]any) bool) {
	for key, partner := range p.organisations {
		if !yield([]any{key, partner.name, partner.country}) {
			return
		}
	}
}

func (p *people) membershipRows(yield func([]any) bool) {
	for _, one := range p.all {
		for _, key := range one.organisations {
			if !yield([]any{one.key, key}) {
				return
			}
		}
	}
}

var contactColumns = []string{
	"email", "email_key", "name", "languages", "language_keys", "time_zone", "delivery_hour", "rhythm", "topics", "attributes",
}

// contactValues returns a row of incoming, in the order of contactColumns.
func contactValues(columns []string, one *person) []any {
	said := map[string]string{}
	attributes := database.StringMap{}
	for i, name := range columns {
		switch {
		case one.cells[i] == "":
		case isAttribute(name):
			attributes[name] = one.cells[i]
		default:
			said[name] = one.cells[i]
		}
	}
	languages := splitCell(said["languages"])
	return []any{
		one.email, one.key, said["name"], present(languages), present(language.Keys(languages)), said["time_zone"],
		said["delivery_hour"], said["rhythm"], present(splitCell(said["topics"])), attributes,
	}
}
