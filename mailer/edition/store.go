package edition

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"silkpost/internal/errs"
)

const columns = `id, list_id, rhythm, local_date, state, reason, cut_off, articles, variants, recipients, empty, waiting, created_at, finished_at,
	paused, approve_by, corrects, audience, repeats, words_alone`

// Latest returns up to limit editions, newest first.
func Latest(ctx context.Context, h handle, limit int) (editions []Edition, err error) {
	defer errs.Wrap(&err, "edition.Latest")
	err = h.SelectContext(ctx, &editions, `SELECT `+columns+` FROM mailer.editions ORDER BY id DESC LIMIT $1`, limit)
	return editions, err
}

// Going returns the editions that go out, and those of other ids, the oldest first.
func Going(ctx context.Context, h handle, also ...uuid.UUID) (editions []Edition, err error) {
	defer errs.Wrap(&err, "edition.Going")
	ids := make(pq.StringArray, len(also))
	for i, id := range also {
		ids[i] = id.String()
	}
	err = h.SelectContext(ctx, &editions, `
		SELECT `+columns+` FROM mailer.editions WHERE state IN ('approved', 'sending') OR id = ANY ($1::uuid[]) ORDER BY id`, ids)
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
