package edition

import (
	"context"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/errs"
)

// Waiting is an edition that does not go on until a person says so.
type Waiting struct {
	Edition
	Since time.Time `db:"since"` // of one that is held or paused: when somebody last did so; else when it was planned
	Times int64     `db:"times"` // tells one holding of the same edition from the next
}

// Late reports whether it goes out, but holds deliveries whose hour has passed by too much.
func (w *Waiting) Late() bool { return (w.State == Approved || w.State == Sending) && w.Reason != "" }

// AllWaiting returns the editions of some lists, nil for all, that wait for a person: for approval (the first deadline first), held, paused, or with
// deliveries that are late; at most limit.
func AllWaiting(ctx context.Context, h handle, lists []int64, limit int) (all []Waiting, err error) {
	defer errs.Wrap(&err, "edition.AllWaiting")
	err = h.SelectContext(ctx, &all, `
		SELECT `+columns+`, coalesce(stopped_at, created_at) AS since, coalesce(entry, 0) AS times
		FROM mailer.editions e LEFT JOIN LATERAL (
			SELECT l.id AS entry, l.at AS stopped_at FROM mailer.edition_log l
			WHERE l.edition_id = e.id AND e.state <> 'review' AND (l.what LIKE 'held%' OR l.what = 'paused') ORDER BY l.id DESC LIMIT 1) l ON true
		WHERE (state IN ('review', 'held') OR state IN ('approved', 'sending') AND (reason <> '' OR paused)) AND ($1::bigint[] IS NULL OR list_id = ANY ($1))
		ORDER BY state <> 'review', approve_by, e.id LIMIT $2`, pq.Array(lists), limit)
	return all, err
}

// Finished returns the editions of some lists, nil for all, that were sent since a time, the latest first, at most limit.
func Finished(ctx context.Context, h handle, since time.Time, lists []int64, limit int) (all []Edition, err error) {
	defer errs.Wrap(&err, "edition.Finished")
	err = h.SelectContext(ctx, &all, `
		SELECT `+columns+` FROM mailer.editions
		WHERE state = 'sent' AND finished_at >= $1 AND ($2::bigint[] IS NULL OR list_id = ANY ($2)) ORDER BY finished_at DESC, id DESC LIMIT $3`,
		since, pq.Array(lists), limit)
	return all, err
}

// AnyLetGo reports whether any edition was ever let go out.
func AnyLetGo(ctx context.Context, h handle) (any bool, err error) {
	err = h.GetContext(ctx, &any, `SELECT EXISTS (SELECT FROM mailer.editions WHERE state IN ('approved', 'sending', 'sent'))`)
	errs.Wrap(&err, "edition.AnyLetGo")
	return any, err
}
