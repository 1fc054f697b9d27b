package ledger

import (
	"context"
	"strings"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/reply"
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
	ByHand      bool      `db:"by_hand"` // it pauses until somebody resumes it
}

// DomainOf returns the domain of an address, with ASCII letters lowered.
func DomainOf(address string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, address[strings.LastIndexByte(address, '@')+1:])
}

// domainOf is DomainOf in SQL, of the column email.
const domainOf = `lower(substring(m.email FROM '[^@]*$') COLLATE "C")`

// DestinationOf returns the destination that a domain belongs to, as far as that is known; else itself.
func DestinationOf(ctx context.Context, h database.Handle, domain string) (name string, err error) {
	defer errs.Wrap(&err, "ledger.DestinationOf(%s)", domain)
	err = h.GetContext(ctx, &name, `SELECT coalesce((SELECT destination FROM mailer.domains WHERE name = $1), $1)`, DomainOf(domain))
	return name, err
}

// pauses is true of a row p of mailer.destinations that pauses at $2.
const pauses = `(p.by_hand OR p.paused_until > $2)`

// lookAgain is for how long a delivery to a destination that pauses is left alone: if the pause is over before, whoever ended it has made it due,
// but for one that was claimed at that moment.
const lookAgain = `interval '1 hour'`

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

// PauseByHand keeps mail from a destination, or from one domain, until Resume. It reports whether that is news.
func PauseByHand(ctx context.Context, h database.Handle, name string, now time.Time) (news bool, err error) {
	defer errs.Wrap(&err, "ledger.PauseByHand(%s)", name)
	var made []string
	err = h.SelectContext(ctx, &made, `
		INSERT INTO mailer.destinations AS d (name, paused_at, paused_until, times, kind, code, reply, by_hand) VALUES ($1, $2, $2, 0, '', 0, '', true)
		ON CONFLICT (name) DO UPDATE SET by_hand = true, paused_at = CASE WHEN d.paused_until > $2 THEN d.paused_at ELSE excluded.paused_at END
		WHERE NOT d.by_hand
		RETURNING name`, DomainOf(name), now)
	return len(made) > 0, err
}

// Resume ends the pause of a destination, of one domain, or of a relay by its address; what waits for it is due at once. Where addresses were refused one after the
// other, such refusals are believed for a day from then on. One that does not pause is errs.NotFound.
func Resume(ctx context.Context, h database.Handle, name string, now time.Time) (err error) {
	res, err := h.ExecContext(ctx, `
		WITH was AS (
			SELECT name, paused_until FROM mailer.destinations p WHERE name = $1 AND `+pauses+` FOR UPDATE
		), over AS (
			UPDATE mailer.destinations p SET paused_until = $2, times = 0, by_hand = false,
			       believed_until = CASE WHEN kind = $3 AND p.paused_until > $2 THEN $2::timestamptz + make_interval(secs => $4) ELSE believed_until END
			FROM was WHERE p.name = was.name RETURNING p.name
		), due AS (
			UPDATE mailer.deliveries d SET due_at = $2
			FROM was, mailer.editions e, subscribers.mailable m LEFT JOIN mailer.domains o ON o.name = `+domainOf+`
			WHERE e.state IN ('approved', 'sending') AND d.edition_id = e.id AND d.state IN ('pending', 'deferred') AND d.due_at > $2 AND d.not_before <= $2
			  AND d.held_by IS NULL AND m.subscription_id = d.subscription_id
			  AND (was.name IN (`+domainOf+`, o.destination)
			       -- What waits for a relay is known by when it is due.
			       OR strpos(was.name, ':') > 0 AND d.due_at BETWEEN was.paused_until AND was.paused_until + interval '1 minute')
		)
		SELECT name FROM over`, DomainOf(name), now, reply.Doubted, believedFor.Seconds())
	if err != nil {
		errs.Wrap(&err, "ledger.Resume(%s)", name)
		return err
	}
	if rows, err := res.RowsAffected(); err != nil || rows == 0 {
		return errs.New(errs.NotFound, "%s does not pause: silkpost status shows which destinations do", name)
	}
	return nil
}

// Paused returns the destinations that pause, the first to begin again first, those that were paused by hand last.
func Paused(ctx context.Context, h database.Handle, now time.Time) (all []Destination, err error) {
	defer errs.Wrap(&err, "ledger.Paused")
	err = h.SelectContext(ctx, &all, `
		SELECT name, paused_at, paused_until, times, kind, code, reply, by_hand FROM mailer.destinations
		WHERE by_hand OR paused_until > $1 ORDER BY by_hand, paused_until, name`, now)
	return all, err
}
