package articles

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Hosts are the turns at the hosts that sources are fetched from, as all processes on one database share them: one asks a host at a time, and after
// it the host has its rest. It is safe for concurrent use.
type Hosts struct{ DB *sqlx.DB }

// Take takes the turn at a host until Give, at the latest until limit, after which somebody else may have it. When it is not to be had, taken is
// false; until says when to ask again at the latest, and held whether somebody asks the host just now, who may be done earlier.
func (h Hosts) Take(ctx context.Context, host string, now, limit time.Time) (holder uuid.UUID, taken bool, until time.Time, held bool, err error) {
	holder = uuid.New()
	done, err := h.DB.ExecContext(ctx, `
		INSERT INTO articles.hosts (name, holder, until) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET holder = $2, until = $3 WHERE hosts.until <= $4`, host, holder, limit, now)
	if err != nil {
		return holder, false, until, false, err
	}
	if n, err := done.RowsAffected(); err != nil || n == 1 {
		return holder, err == nil, limit, false, err
	}
	var other struct {
		Until time.Time `db:"until"`
		Held  bool      `db:"held"`
	}
	err = h.DB.GetContext(ctx, &other, `
		SELECT coalesce(max(until), $2) AS until, coalesce(bool_or(holder IS NOT NULL), false) AS held FROM articles.hosts WHERE name = $1`, host, now)
	return holder, false, other.Until, other.Held, err
}

// Give gives a turn back; the host may be asked next at free. A turn that was lost meanwhile is somebody else's and stays theirs.
func (h Hosts) Give(ctx context.Context, host string, holder uuid.UUID, free time.Time) error {
	_, err := h.DB.ExecContext(ctx, `UPDATE articles.hosts SET holder = NULL, until = $3 WHERE name = $1 AND holder = $2`, host, holder, free)
	return err
}

// Forget drops the hosts that nobody asked for a day.
func (h Hosts) Forget(ctx context.Context, now time.Time) error {
	_, err := h.DB.ExecContext(ctx, `DELETE FROM articles.hosts WHERE until < $1`, now.AddDate(0, 0, -1))
	return err
}
