package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/slug"
)

const selectLists = `
SELECT id, slug, name, sender_name AS "sender.name", sender_address AS "sender.address", reply_to AS "sender.reply_to",
       postal_address, sections AS "selection.sections", tags AS "selection.tags", languages AS "selection.languages",
       sources AS "selection.sources", rhythms, default_rhythm, time_zone, to_char(editorial_hour, 'HH24:MI') AS editorial_hour,
       to_char(delivery_hour, 'HH24:MI') AS delivery_hour, fallback_language, approval, public, opt_in, description, theme,
       min_articles, max_articles, welcome,
       daily_on, weekly_on, monthly_on, coalesce(to_char(daily_at, 'HH24:MI'), '') AS daily_at,
       coalesce(to_char(weekly_at, 'HH24:MI'), '') AS weekly_at, coalesce(to_char(monthly_at, 'HH24:MI'), '') AS monthly_at,
       not_on, immediate_after, late_after, rest, leave_out, archive
FROM subscribers.lists`

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
	if added, err := execCount(ctx, h, insertList, listValues(stored)...); err != nil || added == 1 {
		return database.Added, err
	}
	if err := refuseLostRhythm(ctx, h, stored); err != nil {
		return "", err
	}
	changed, err := execCount(ctx, h, updateList, listValues(stored)...)
	if err != nil || changed == 0 {
		return database.Unchanged, err
	}
	return database.Changed, nil
}

const insertList = `
INSERT INTO subscribers.lists (slug, name, sender_name, sender_address, reply_to, postal_address, sections, tags, languages,
       sources, rhythms, default_rhythm, time_zone, editorial_hour, delivery_hour, fallback_language, approval, public, opt_in,
       description, theme, min_articles, max_articles, welcome,
       daily_on, weekly_on, monthly_on, daily_at, weekly_at, monthly_at, not_on, immediate_after, late_after, rest, leave_out, archive)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
        $25, $26, $27, nullif($28, '')::time, nullif($29, '')::time, nullif($30, '')::time, $31, $32, $33, $34, $35, $36)
ON CONFLICT (slug) DO NOTHING`

const updateList = `
UPDATE subscribers.lists
SET (name, sender_name, sender_address, reply_to, postal_address, sections, tags, languages, sources, rhythms, default_rhythm,
     time_zone, editorial_hour, delivery_hour, fallback_language, approval, public, opt_in, description, theme, min_articles, max_articles, welcome,
     daily_on, weekly_on, monthly_on, daily_at, weekly_at, monthly_at, not_on, immediate_after, late_after, rest, leave_out, archive)
    = ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
       $25, $26, $27, nullif($28, '')::time, nullif($29, '')::time, nullif($30, '')::time, $31, $32, $33, $34, $35, $36)
WHERE slug = $1
  AND (name, sender_name, sender_address, reply_to, postal_address, sections, tags, languages, sources, rhythms, default_rhythm,
       time_zone, editorial_hour, delivery_hour, fallback_language, approval, public, opt_in, description, theme, min_articles, max_articles, welcome,
       daily_on, weekly_on, monthly_on, daily_at, weekly_at, monthly_at, not_on, immediate_after, late_after, rest, leave_out, archive)
      IS DISTINCT FROM
      ($2::jsonb, $3, $4, $5, $6, $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12,
       $13, $14::time, $15::time, $16, $17::boolean, $18::boolean, $19, $20::jsonb, $21, $22::integer, $23::integer, $24,
       $25::text[], $26, $27, nullif($28, '')::time, nullif($29, '')::time, nullif($30, '')::time, $31::text[], $32::integer, $33::integer, $34,
       $35::text[], $36::boolean)`

// listValues are the parameters of insertList and updateList.
func listValues(l List) []any {
	return []any{
		l.Slug, l.Name, l.Sender.Name, l.Sender.Address, l.Sender.ReplyTo, l.PostalAddress, l.Selection.Sections,
		l.Selection.Tags, l.Selection.Languages, l.Selection.Sources, l.Rhythms, l.DefaultRhythm, l.TimeZone, l.EditorialHour,
		l.DeliveryHour, l.FallbackLanguage, l.Approval, l.Public, l.OptIn, l.Description, l.Theme, l.MinArticles, l.MaxArticles, l.Welcome,
		l.DailyOn, l.WeeklyOn, l.MonthlyOn, l.DailyAt, l.WeeklyAt, l.MonthlyAt, l.NotOn, l.ImmediateAfter.seconds(), l.LateAfter.seconds(),
		l.Rest, l.LeaveOut, l.Archive,
	}
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
	return errs.New(errs.Conflict, "rhythms: %d on the list have chosen %s; keep it among the rhythms", people, rhythm)
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
