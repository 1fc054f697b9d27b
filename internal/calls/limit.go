package calls

import (
	"context"
	"time"

	"silkpost/internal/database"
)

// Limit is how often one caller may call within a window, which begins with their first call.
type Limit struct {
	Times  int
	Within time.Duration // an hour at most
}

// longest is longer than any window.
const longest = time.Hour

// Use is how far a caller's limit is used.
type Use struct {
	Left int           // calls
	Over bool          // this call is one too many
	Ends time.Duration // until the window ends
}

// Count counts a call. The counts are in the database, so any number of processes keep one limit.
func (l Limit) Count(ctx context.Context, h database.Handle, actor string, now time.Time) (Use, error) {
	var window struct {
		Since time.Time `db:"since"`
		Times int       `db:"times"`
	}
	err := h.GetContext(ctx, &window, `
		INSERT INTO calls.uses AS u (actor, since, times) VALUES ($1, $2, 1)
		ON CONFLICT (actor) DO UPDATE
		SET since = CASE WHEN u.since <= $3 THEN $2 ELSE u.since END,
		    times = CASE WHEN u.since <= $3 THEN 1 ELSE u.times + 1 END
		RETURNING since, times`, actor, now, now.Add(-l.Within))
	return Use{
		Left: max(0, l.Times-window.Times), Over: window.Times > l.Times, Ends: window.Since.Add(l.Within).Sub(now),
	}, err
}
