package edition

import (
	"context"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"silkpost/internal/errs"
)

// Among says which editions are wanted. What is empty does not matter.
type Among struct {
	Lists []int64 // of these lists; nil: of all
	List  int64
	State State
}

// OlderThan returns up to limit editions that were made before one, the newest first; the nil id begins with the newest of all.
func OlderThan(ctx context.Context, h handle, before uuid.UUID, a Among, limit int) (editions []Edition, err error) {
	defer errs.Wrap(&err, "edition.OlderThan")
	var lists any
	if a.Lists != nil {
		lists = pq.Array(a.Lists)
	}
	if before == uuid.Nil {
		before = uuid.Max
	}
	err = h.SelectContext(ctx, &editions, `
		SELECT `+columns+` FROM mailer.editions
		WHERE id < $1 AND ($2::bigint[] IS NULL OR list_id = ANY ($2)) AND ($3 = 0 OR list_id = $3) AND ($4 = '' OR state = $4)
		ORDER BY id DESC LIMIT $5`, before, lists, a.List, a.State, limit)
	return editions, err
}

// CountOpen counts the editions of some lists, nil for all, that may still go out, by their state.
func CountOpen(ctx context.Context, h handle, lists []int64) (map[State]int, error) {
	var of any
	if lists != nil {
		of = pq.Array(lists)
	}
	var rows []struct {
		State State
		Count int
	}
	err := h.SelectContext(ctx, &rows, `
		SELECT state, count(*) FROM mailer.editions
		WHERE state IN ('review', 'approved', 'sending', 'held') AND ($1::bigint[] IS NULL OR list_id = ANY ($1)) GROUP BY state`, of)
	counts := map[State]int{}
	for _, row := range rows {
		counts[row.State] = row.Count
	}
	errs.Wrap(&err, "edition.CountOpen")
	return counts, err
}
