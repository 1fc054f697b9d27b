package ledger

import (
	"context"
	"strings"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Destination is one that has to be left alone, or had to be.
type Destination struct {
	Name        string    `db:"name"`
	PausedAt    time.Time `db:"paused_at"`
	PausedUntil time.Time `db:"paused_until"`
	Times       int       `db:"times"` // pauses in a row, each twice as long
	Kind        string    `db:"kind"`  // see reply.Kind
	Code        int       `db:"code"`
	Reply       string    `db:"reply"`
}

// DestinationOf returns the destination of an address: its domain, with ASCII letters lowered. Domains that share their servers are destinations
// of their own.
func DestinationOf(address string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, address[strings.LastIndexByte(address, '@')+1:])
}

// destinationOf is DestinationOf in SQL, of the column email.
const destinationOf = `lower(substring(m.email FROM '[^@]*$') COLLATE "C")`

// inARow is for how long after a pause another one counts as following it.
const inARow = 6 * time.Hour

// Pause keeps mail from a destination for a while: for first, and for twice as long with each pause that follows within six hours of the last, up
// to longest. One that pauses already stays as it is, and false is returned: connections that fail together count once.
func Pause(ctx context.Context, h database.Handle, d Destination, first, longest time.Duration, now time.Time) (until time.Time, news bool, err error) {
	defer errs.Wrap(&err, "ledger.Pause(%s)", d.Name)
	var made []time.Time
	err = h.SelectContext(ctx, &made, `
		INSERT INTO mailer.destinations AS d (name, paused_at, paused_until, times, kind, code, reply)
		VALUES ($1, $2, $2::timestamptz + make_interval(secs => $6), 1, $3, $4, $5)
		ON CONFLICT (name) DO UPDATE SET
			paused_at = excluded.paused_at, kind = excluded.kind, code = excluded.code, reply = excluded.reply,
			times = CASE WHEN d.paused_until > $8 THEN d.times + 1 ELSE 1 END,
			paused_until = CASE WHEN d.paused_until > $8
				THEN $2::timestamptz + make_interval(secs => least($7::float8, $6::float8 * 2 ^ least(d.times, 20))) ELSE excluded.paused_until END
		WHERE d.paused_until <= $2
		RETURNING paused_until`,
		d.Name, now, d.Kind, d.Code, d.Reply, first.Seconds(), longest.Seconds(), now.Add(-inARow))
	if err != nil || len(made) == 0 {
		return until, false, err
	}
	return made[0], true, nil
}

// Resume ends a destination's pause; what waits for it is due at once. One that does not pause is errs.NotFound.
func Resume(ctx context.Context, h database.Handle, name string, now time.Time) (err error) {
	res, err := h.ExecContext(ctx, `
		WITH over AS (
			UPDATE mailer.destinations SET paused_until = $2, times = 0 WHERE name = $1 AND paused_until > $2 RETURNING name
		), due AS (
			UPDATE mailer.deliveries d SET due_at = $2
			FROM over, mailer.editions e, subscribers.mailable m
			WHERE e.state IN ('approved', 'sending') AND d.edition_id = e.id AND d.state IN ('pending', 'deferred') AND d.due_at > $2 AND d.not_before <= $2
			  AND m.subscription_id = d.subscription_id AND `+destinationOf+` = over.name
		)
		SELECT name FROM over`, DestinationOf(name), now)
	if err != nil {
		errs.Wrap(&err, "ledger.Resume(%s)", name)
		return err
	}
	if rows, err := res.RowsAffected(); err != nil || rows == 0 {
		return errs.New(errs.NotFound, "%s does not pause", name)
	}
	return nil
}

// Paused returns the destinations that pause, the first to begin again first.
func Paused(ctx context.Context, h database.Handle, now time.Time) (all []Destination, err error) {
	defer errs.Wrap(&err, "ledger.Paused")
	err = h.SelectContext(ctx, &all, `
		SELECT name, paused_at, paused_until, times, kind, code, reply FROM mailer.destinations WHERE paused_until > $1 ORDER BY paused_until, name`, now)
	return all, err
}
