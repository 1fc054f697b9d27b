package edition

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"silkpost/internal/errs"
)

const columns = `id, list_id, rhythm, local_date, state, reason, cut_off, articles, variants, recipients, empty, waiting, created_at, finished_at`

// Latest returns up to limit editions, newest first.
func Latest(ctx context.Context, h handle, limit int) (editions []Edition, err error) {
	defer errs.Wrap(&err, "edition.Latest")
	err = h.SelectContext(ctx, &editions, `SELECT `+columns+` FROM mailer.editions ORDER BY id DESC LIMIT $1`, limit)
	return editions, err
}

// ByID returns an edition, or an error of kind errs.NotFound.
func ByID(ctx context.Context, h handle, id uuid.UUID) (e Edition, err error) {
	err = h.GetContext(ctx, &e, `SELECT `+columns+` FROM mailer.editions WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return e, errs.New(errs.NotFound, "no edition %s: silkpost edition list shows what there is", id)
	}
	errs.Wrap(&err, "edition.ByID(%s)", id)
	return e, err
}

// Approve lets an edition that waits in review go out. One in another state is an error of kind errs.Conflict.
func Approve(ctx context.Context, h handle, id uuid.UUID, now time.Time) error {
	return letGo(ctx, h, id, now, Review)
}

// Release lets an edition go out that is held, or of which deliveries wait because their hour has passed by too much. One in
// another state is an error of kind errs.Conflict.
func Release(ctx context.Context, h handle, id uuid.UUID, now time.Time) error {
	return letGo(ctx, h, id, now, Held, Approved, Sending)
}

// letGo brings an edition to approved, in one statement. Its deliveries whose hour has passed are dated anew, or they would be
// held as late; but not those that were begun, for a receiver may have them.
func letGo(ctx context.Context, h handle, id uuid.UUID, now time.Time, from ...State) error {
	e, err := ByID(ctx, h, id)
	if err != nil {
		return err
	}
	defer errs.Wrap(&err, "let edition %s go", id)
	var done bool
	if err = h.GetContext(ctx, &done, `
		WITH gone AS (
			UPDATE mailer.editions SET state = CASE state WHEN 'sending' THEN state ELSE 'approved' END, reason = ''
			WHERE id = $1 AND state = ANY ($2) RETURNING id
		), late AS (
			UPDATE mailer.deliveries d SET not_before = $3, due_at = $3
			FROM gone WHERE d.edition_id = gone.id AND d.state = 'pending' AND NOT d.begun AND d.not_before <= $3
		)
		SELECT EXISTS (SELECT 1 FROM gone)`,
		id, pq.Array(from), now); err != nil {
		return err
	}
	if !done {
		return errs.New(errs.Conflict, "edition %s is %s: it does not wait for this", id, e.State)
	}
	return nil
}
