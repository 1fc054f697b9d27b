package subscribers

import (
	"context"
	"time"

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
}

// SavedAudiences returns all of them, by name.
func SavedAudiences(ctx context.Context, h database.Handle) (all []SavedAudience, err error) {
	err = h.SelectContext(ctx, &all, `SELECT id, name, filter, made_at, made_by FROM subscribers.audiences ORDER BY lower(name), id LIMIT 1000`)
	errs.Wrap(&err, "read the saved audiences")
	return all, err
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
