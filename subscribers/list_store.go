package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/slug"
)

// listColumn is a column of a list that is declared: its name, the field of a List that it is, and its type in Postgres.
type listColumn struct{ name, field, kind string }

// listColumns are the columns of a list but its slug.
var listColumns = []listColumn{
	{"name", "name", "jsonb"},
	{"description", "description", "jsonb"},
	{"sender_name", "sender.name", "text"},
	{"sender_address", "sender.address", "text"},
	{"reply_to", "sender.reply_to", "text"},
	{"postal_address", "postal_address", "text"},
	{"sections", "selection.sections", "text[]"},
	{"tags", "selection.tags", "text[]"},
	{"languages", "selection.languages", "text[]"},
	{"sources", "selection.sources", "text[]"},
	{"rhythms", "rhythms", "text[]"},
	{"default_rhythm", "default_rhythm", "text"},
	{"time_zone", "time_zone", "text"},
	{"editorial_hour", "editorial_hour", "time"},
	{"delivery_hour", "delivery_hour", "time"},
	{"fallback_language", "fallback_language", "text"},
	{"approval", "approval", "boolean"},
	{"approval_within", "approval_within", "integer"},
	{"unapproved", "unapproved", "text"},
	{"public", "public", "boolean"},
	{"archive", "archive", "boolean"},
	{"opt_in", "opt_in", "text"},
	{"welcome", "welcome", "text"},
	{"daily_on", "daily_on", "text[]"},
	{"weekly_on", "weekly_on", "text"},
	{"monthly_on", "monthly_on", "text"},
	{"daily_at", "daily_at", "time"},
	{"weekly_at", "weekly_at", "time"},
	{"monthly_at", "monthly_at", "time"},
	{"not_on", "not_on", "text[]"},
	{"immediate_after", "immediate_after", "integer"},
	{"late_after", "late_after", "integer"},
	{"in_doubt", "in_doubt", "text"},
	{"min_articles", "min_articles", "integer"},
	{"max_articles", "max_articles", "integer"},
	{"rest", "rest", "text"},
	{"leave_out", "leave_out", "text[]"},
	{"theme", "theme", "text"},
}

// read is the column in a SELECT. Hours are read as they are declared; none is "".
func (c listColumn) read() string {
	value := c.name
	if c.kind == "time" {
		value = "coalesce(to_char(" + c.name + ", 'HH24:MI'), '')"
	}
	return fmt.Sprintf("%s AS %q", value, c.field)
}

// value is what the column is declared to be, with the field as a named parameter.
func (c listColumn) value() string {
	if c.kind == "time" {
		return "CAST(nullif(:" + c.field + ", '') AS time)"
	}
	return "CAST(:" + c.field + " AS " + c.kind + ")"
}

// each puts together what f says of every declared column.
func each(f func(listColumn) string) string {
	parts := make([]string, len(listColumns))
	for i, c := range listColumns {
		parts[i] = f(c)
	}
	return strings.Join(parts, ", ")
}

var (
	listNames  = each(func(c listColumn) string { return c.name })
	listValues = each(listColumn.value)

	selectLists = "SELECT id, slug, " + each(listColumn.read) + " FROM subscribers.lists"
	insertList  = "INSERT INTO subscribers.lists (slug, " + listNames + ") VALUES (:slug, " + listValues + ") ON CONFLICT (slug) DO NOTHING"
	updateList  = "UPDATE subscribers.lists SET (" + listNames + ") = (" + listValues + ") WHERE slug = :slug AND (" + listNames + ") IS DISTINCT FROM (" + listValues + ")"
)

// Lists returns all lists by slug.
func Lists(ctx context.Context, h database.Handle) (lists []List, err error) {
	defer errs.Wrap(&err, "read the lists")
	err = h.SelectContext(ctx, &lists, selectLists+` ORDER BY slug`)
	return lists, err
}

// ListBySlug returns the list whose slug is name. There being none is errs.NotFound, and the text names those there are.
func ListBySlug(ctx context.Context, h database.Handle, name string) (list List, err error) {
	if !slug.Valid(name) { // also what Postgres would not take as text
		return List{}, noList(ctx, h, name)
	}
	err = h.GetContext(ctx, &list, selectLists+` WHERE slug = $1`, name)
	if errors.Is(err, sql.ErrNoRows) {
		return List{}, noList(ctx, h, name)
	}
	errs.Wrap(&err, "read the list %q", name)
	return list, err
}

// ListByID returns the list of that id, or errs.NotFound.
func ListByID(ctx context.Context, h database.Handle, id int64) (list List, err error) {
	err = h.GetContext(ctx, &list, selectLists+` WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return List{}, errs.New(errs.NotFound, "no list %d", id)
	}
	errs.Wrap(&err, "read list %d", id)
	return list, err
}

func noList(ctx context.Context, h database.Handle, slug string) error {
	lists, err := Lists(ctx, h)
	if err != nil {
		return err
	}
	slugs := make([]string, len(lists))
	for i, list := range lists {
		slugs[i] = list.Slug
	}
	return errs.New(errs.NotFound, "no list %q; the lists are: %s", slug, strings.Join(slugs, ", "))
}

// DeclareList makes the list of l's slug be as l says; l.ID is not looked at. What l leaves empty becomes empty: start from
// NewList, or from the list as it stands. It returns what Validate says, or errs.Conflict when a rhythm that people on the
// list have chosen would no longer be offered: they would hear nothing any more. Called with a transaction, it keeps the
// list's row locked, so that no import brings such people meanwhile.
func DeclareList(ctx context.Context, h database.Handle, l List) (change database.Change, err error) {
	stored, err := l.canonical()
	if err != nil {
		return "", err
	}
	defer errs.Wrap(&err, "list %q", l.Slug)
	if added, err := declare(ctx, h, insertList, stored); err != nil || added == 1 {
		return database.Added, err
	}
	if err := refuseLostRhythm(ctx, h, stored); err != nil {
		return "", err
	}
	changed, err := declare(ctx, h, updateList, stored)
	if err != nil || changed == 0 {
		return database.Unchanged, err
	}
	return database.Changed, nil
}

// declare runs a statement with the fields of a list as its parameters, and returns how many rows it touched.
func declare(ctx context.Context, h database.Handle, statement string, l List) (int64, error) {
	query, args, err := sqlx.Named(statement, l)
	if err != nil {
		return 0, err
	}
	return execCount(ctx, h, sqlx.Rebind(sqlx.DOLLAR, query), args...)
}

const lockList = `SELECT id FROM subscribers.lists WHERE slug = $1 FOR UPDATE`

const lostRhythm = `
SELECT rhythm, count(*)
FROM subscribers.subscriptions
WHERE list_id = $1 AND state <> 'unsubscribed' AND NOT rhythm = ANY ($2)
GROUP BY rhythm
ORDER BY rhythm
LIMIT 1`

func refuseLostRhythm(ctx context.Context, h database.Handle, l List) error {
	var id int64
	if err := h.GetContext(ctx, &id, lockList, l.Slug); err != nil {
		return err
	}
	var rhythm string
	var people int
	switch err := h.QueryRowxContext(ctx, lostRhythm, id, l.Rhythms).Scan(&rhythm, &people); {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return errs.New(errs.Conflict, "%w", &Mistake{Field: "rhythms", Says: fmt.Sprintf("%d on the list have chosen %s; keep it among the rhythms", people, rhythm)})
}

// execCount runs a statement and returns how many rows it touched.
func execCount(ctx context.Context, h database.Handle, statement string, args ...any) (int64, error) {
	result, err := h.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// RhythmsInUse returns the rhythms of a list's mailable subscriptions, from the most to the least frequent.
func RhythmsInUse(ctx context.Context, h database.Handle, listID int64) (rhythms []string, err error) {
	defer errs.Wrap(&err, "read the rhythms in use of list %d", listID)
	err = h.SelectContext(ctx, &rhythms, `
		SELECT rhythm FROM subscribers.mailable WHERE list_id = $1 GROUP BY rhythm
		ORDER BY array_position(ARRAY['immediate', 'daily', 'weekly', 'monthly'], rhythm)`, listID)
	return rhythms, err
}
