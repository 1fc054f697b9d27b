package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// SavedAudience is a filter with a name, to be used again.
type SavedAudience struct {
	ID     int64     `db:"id"`
	Name   string    `db:"name"`
	Filter string    `db:"filter"` // as ParseAudience reads it
	MadeAt time.Time `db:"made_at"`
	MadeBy string    `db:"made_by"`
	People *int      `db:"people"` // as counted last by RecountAudience; nil: it was not, or names what is gone
}

// SavedAudiences returns all of them, by name.
func SavedAudiences(ctx context.Context, h database.Handle) (all []SavedAudience, err error) {
	err = h.SelectContext(ctx, &all, `
		SELECT a.id, a.name, a.filter, a.made_at, a.made_by, c.people
		FROM subscribers.audiences a LEFT JOIN subscribers.audience_counts c ON c.audience_id = a.id AND c.filter = a.filter
		ORDER BY lower(a.name), a.id LIMIT 1000`)
	errs.Wrap(&err, "read the saved audiences")
	return all, err
}

// SavedAudienceByID returns one of them, or an error of kind errs.NotFound.
func SavedAudienceByID(ctx context.Context, h database.Handle, id int64) (a SavedAudience, err error) {
	err = h.GetContext(ctx, &a, `SELECT id, name, filter, made_at, made_by FROM subscribers.audiences WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return a, errs.New(errs.NotFound, "no saved audience %d", id)
	}
	errs.Wrap(&err, "read the saved audience %d", id)
	return a, err
}

// RecountAudience counts the people of the saved audience that was counted longest ago, if that was before a time.
func RecountAudience(ctx context.Context, db *sqlx.DB, before, now time.Time) (err error) {
	defer errs.Wrap(&err, "subscribers.RecountAudience")
	var oldest []SavedAudience
	if err := db.SelectContext(ctx, &oldest, `
		SELECT a.id, a.filter FROM subscribers.audiences a LEFT JOIN subscribers.audience_counts c ON c.audience_id = a.id AND c.filter = a.filter
		WHERE c.at IS NULL OR c.at < $1 ORDER BY c.at NULLS FIRST, a.id LIMIT 1`, before); err != nil || len(oldest) == 0 {
		return err
	}
	a, err := ParseAudience(oldest[0].Filter)
	var people *int
	if err == nil {
		people = new(int)
		*people, err = CountAudience(ctx, db, a)
	}
	if kind := errs.KindOf(err); kind == errs.Invalid || kind == errs.NotFound {
		people, err = nil, nil
	}
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `
		INSERT INTO subscribers.audience_counts (audience_id, filter, people, at) SELECT id, $2, $3, $4 FROM subscribers.audiences WHERE id = $1
		ON CONFLICT (audience_id) DO UPDATE SET filter = excluded.filter, people = excluded.people, at = excluded.at`, oldest[0].ID, oldest[0].Filter, people, now)
	return err
}

// SaveAudience gives an audience a name; the one that has it is replaced. A name that is none is errs.Invalid.
func SaveAudience(ctx context.Context, h database.Handle, name string, a Audience, by string, now time.Time) error {
	name, err := readText(name)
	if err == nil {
		err = checkText(name, maxName)
	}
	if err != nil {
		return errs.New(errs.Invalid, "name: %w", err)
	}
	_, err = h.ExecContext(ctx, `
		INSERT INTO subscribers.audiences (name, filter, made_at, made_by) VALUES ($1, $2, $3, $4)
		ON CONFLICT (name) DO UPDATE SET filter = excluded.filter, made_at = excluded.made_at, made_by = excluded.made_by`, name, a.String(), now, by)
	errs.Wrap(&err, "save the audience %q", name)
	return err
}

// RemoveAudience takes a saved audience away. One that is not there is errs.NotFound.
func RemoveAudience(ctx context.Context, h database.Handle, id int64) error {
	removed, err := execCount(ctx, h, `DELETE FROM subscribers.audiences WHERE id = $1`, id)
	if err == nil && removed == 0 {
		return errs.New(errs.NotFound, "no saved audience %d", id)
	}
	return err
}

// FirstMembers returns the first members of an audience, by contact, at most limit.
func FirstMembers(ctx context.Context, h database.Handle, a Audience, limit int) (all []AudienceMember, err error) {
	w, err := a.where(ctx, h, 1)
	if err != nil {
		return nil, err
	}
	err = h.SelectContext(ctx, &all, `
		SELECT c.id, c.email, CASE WHEN `+w.knows("c.id")+` THEN c.name ELSE '' END AS name, l.slug AS list, s.state, s.rhythm
		FROM subscribers.contacts c
		JOIN subscribers.subscriptions s ON s.contact_id = c.id
		JOIN subscribers.lists l ON l.id = s.list_id
		WHERE `+allOf([]string{"c.erased_at IS NULL"}, w.contact, w.subscription, w.of("c.id"))+`
		ORDER BY c.id, l.slug LIMIT `+w.arg(limit), w.args...)
	errs.Wrap(&err, "list the audience %q", a)
	return all, err
}

// AudienceMember is a Member with the contact's id.
type AudienceMember struct {
	ID int64 `db:"id"`
	Member
}
