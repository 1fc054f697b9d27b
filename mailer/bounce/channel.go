package bounce

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Channel is how mail comes back to us.
type Channel struct {
	Name     string     `db:"name" json:"domain"`
	TestedAt *time.Time `db:"tested_at" json:"tested_at"` // when a message of our own last came back; nil: never
	ReadAt   *time.Time `db:"read_at" json:"read_at"`     // when the mailbox was last read; nil: never
	Failure  string     `db:"failure" json:"failure"`     // why it cannot be
}

// probeLife is for how long a message of our own may be under way.
const probeLife = 24 * time.Hour

// noteProbe notes that a message of our own came back.
func noteProbe(ctx context.Context, h database.Handle, domain string, sent, now time.Time) error {
	if now.Sub(sent) > probeLife {
		return nil
	}
	_, err := h.ExecContext(ctx, `
		INSERT INTO mailer.channels AS c (name, tested_at) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET tested_at = greatest(c.tested_at, excluded.tested_at)`, domain, now)
	return err
}

// ChannelOf returns the channel of a domain; the zero one but for its name when nothing ever came.
func ChannelOf(ctx context.Context, h database.Handle, domain string) (c Channel, err error) {
	err = h.GetContext(ctx, &c, `SELECT name, tested_at, read_at, failure FROM mailer.channels WHERE name = $1`, domain)
	if errors.Is(err, sql.ErrNoRows) {
		return Channel{Name: domain}, nil
	}
	errs.Wrap(&err, "bounce.ChannelOf(%s)", domain)
	return c, err
}
