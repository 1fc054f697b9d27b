package destination

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/clock"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Day is what attempts at deliveries to a destination came to on a day of UTC, or on several.
type Day struct {
	Name     string    `db:"name"`
	Day      time.Time `db:"day"` // zero: several
	Sent     int       `db:"sent"`
	Deferred int       `db:"deferred"`
	Failed   int       `db:"failed"`
	InDoubt  int       `db:"in_doubt"`
}

// Total returns all attempts of the day.
func (d *Day) Total() int { return d.Sent + d.Deferred + d.Failed + d.InDoubt }

// Tally counts the attempts of a process and writes them down now and then. What a process that is killed had not written yet is lost: it is a picture for
// people; the ledger has the account. It is safe for concurrent use; its exported fields are set before.
type Tally struct {
	DB  *sqlx.DB
	Log *slog.Logger

	mu     sync.Mutex
	counts map[dayKey]*Day
}

type dayKey struct {
	name string
	day  time.Time
}

const (
	writeEvery  = 2 * time.Second
	writeWithin = 10 * time.Second
	mostCounted = 50_000 // destinations and days: what is beyond, while the database does not answer, is not counted
)

// Count counts an attempt by its outcome: sent, deferred, failed or in_doubt.
func (t *Tally) Count(name, outcome string, at time.Time) {
	key := dayKey{name, at.UTC().Truncate(24 * time.Hour)}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[dayKey]*Day{}
	}
	d := t.counts[key]
	if d == nil {
		if len(t.counts) >= mostCounted {
			return
		}
		d = &Day{Name: name, Day: key.day}
		t.counts[key] = d
	}
	d.count(outcome, 1)
}

func (d *Day) count(outcome string, n int) {
	switch outcome {
	case "sent":
		d.Sent += n
	case "deferred":
		d.Deferred += n
	case "failed":
		d.Failed += n
	case "in_doubt":
		d.InDoubt += n
	}
}

// Run writes down what is counted until ctx ends, and then once more.
func (t *Tally) Run(ctx context.Context) {
	again := time.NewTicker(writeEvery)
	defer again.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-again.C:
		}
		if err := t.Write(context.WithoutCancel(ctx)); err != nil {
			t.Log.WarnContext(ctx, "what destinations took could not be written down", slog.Any("error", err))
		}
	}
}

// Write writes down what was counted since. On an error it is counted on.
func (t *Tally) Write(ctx context.Context) error {
	t.mu.Lock()
	counted := t.counts
	t.counts = nil
	t.mu.Unlock()
	if len(counted) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	err := addDays(ctx, t.DB, counted)
	if err != nil {
		for _, d := range counted {
			t.giveBack(d)
		}
	}
	return err
}

func (t *Tally) giveBack(d *Day) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[dayKey]*Day{}
	}
	key := dayKey{d.Name, d.Day}
	if there := t.counts[key]; there != nil {
		d.Sent, d.Deferred, d.Failed, d.InDoubt = d.Sent+there.Sent, d.Deferred+there.Deferred, d.Failed+there.Failed, d.InDoubt+there.InDoubt
	}
	t.counts[key] = d
}

// addDays adds in one order, so that processes that do so at once do not lock one another out.
func addDays(ctx context.Context, h database.Handle, counted map[dayKey]*Day) (err error) {
	defer errs.Wrap(&err, "destination.addDays")
	keys := slices.SortedFunc(maps.Keys(counted), func(a, b dayKey) int { return cmp.Or(strings.Compare(a.name, b.name), a.day.Compare(b.day)) })
	var names, days pq.StringArray
	var sent, deferred, failed, doubt pq.Int64Array
	for _, key := range keys {
		d := counted[key]
		names, days = append(names, d.Name), append(days, d.Day.Format(time.DateOnly))
		sent, deferred, failed, doubt = append(sent, int64(d.Sent)), append(deferred, int64(d.Deferred)), append(failed, int64(d.Failed)), append(doubt, int64(d.InDoubt))
	}
	_, err = h.ExecContext(ctx, `
		WITH unsummed AS (UPDATE mailer.destination_summed SET stale = true) -- waits for whoever sums up, who does not see this
		INSERT INTO mailer.destination_days AS d (name, day, sent, deferred, failed, in_doubt)
		SELECT * FROM unnest($1::text[], $2::date[], $3::integer[], $4::integer[], $5::integer[], $6::integer[])
		ON CONFLICT (name, day) DO UPDATE SET sent = d.sent + excluded.sent, deferred = d.deferred + excluded.deferred, failed = d.failed + excluded.failed,
			in_doubt = d.in_doubt + excluded.in_doubt`, names, days, sent, deferred, failed, doubt)
	return err
}

// ForgetDays drops what was counted before a day.
func ForgetDays(ctx context.Context, h database.Handle, before time.Time) (err error) {
	defer errs.Wrap(&err, "destination.ForgetDays")
	_, err = h.ExecContext(ctx, `DELETE FROM mailer.destination_days WHERE day < $1`, before)
	return err
}

// SumUp sums up for Busiest what destinations took since a day, when something new was written in whichever process, and not again before a hundred times
// as long has passed as it took.
func SumUp(ctx context.Context, db *sqlx.DB, c clock.Clock, since time.Time) (err error) {
	defer errs.Wrap(&err, "destination.SumUp")
	return database.Transact(ctx, db, func(tx *sqlx.Tx) error { return sumUp(ctx, tx, c, since) })
}

func sumUp(ctx context.Context, tx *sqlx.Tx, c clock.Clock, since time.Time) error {
	begun := c.Now()
	var mine []bool
	if err := tx.SelectContext(ctx, &mine, `
		UPDATE mailer.destination_summed SET since = $1, at = $2, stale = false WHERE (stale OR since <> $1) AND at + took * 100 <= $2 RETURNING true`,
		since, begun); err != nil || len(mine) == 0 {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		WITH now AS (
			SELECT name, sum(sent) AS sent, sum(deferred) AS deferred, sum(failed) AS failed, sum(in_doubt) AS in_doubt
			FROM mailer.destination_days WHERE day >= $1 GROUP BY name
		), gone AS (
			DELETE FROM mailer.destination_sums WHERE name NOT IN (SELECT name FROM now)
		)
		INSERT INTO mailer.destination_sums AS s (name, sent, deferred, failed, in_doubt) SELECT name, sent, deferred, failed, in_doubt FROM now
		ON CONFLICT (name) DO UPDATE SET sent = excluded.sent, deferred = excluded.deferred, failed = excluded.failed, in_doubt = excluded.in_doubt
		WHERE (s.sent, s.deferred, s.failed, s.in_doubt) <> (excluded.sent, excluded.deferred, excluded.failed, excluded.in_doubt)`, since); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE mailer.destination_summed SET took = make_interval(secs => $1)`, c.Now().Sub(begun).Seconds())
	return err
}

// Busiest returns what the destinations took, as SumUp has it, those first that most was tried at; after is the last one that was shown, zero to begin.
// find leaves those whose name begins with it.
func Busiest(ctx context.Context, h database.Handle, find string, after Day, most int) (all []Day, err error) {
	defer errs.Wrap(&err, "destination.Busiest")
	total := int64(math.MaxInt64)
	if after.Name != "" {
		total = int64(after.Total())
	}
	err = h.SelectContext(ctx, &all, `
		SELECT name, sent, deferred, failed, in_doubt FROM mailer.destination_sums
		WHERE starts_with(name, $1) AND total <= $2 AND (total < $2 OR name > $3)
		ORDER BY total DESC, name LIMIT $4`, strings.ToLower(find), total, after.Name, most)
	return all, err
}

// DaysOf returns what a destination took on each day since one, the last first.
func DaysOf(ctx context.Context, h database.Handle, name string, since time.Time) (all []Day, err error) {
	defer errs.Wrap(&err, "destination.DaysOf")
	err = h.SelectContext(ctx, &all, `
		SELECT name, day, sent, deferred, failed, in_doubt FROM mailer.destination_days WHERE name = $1 AND day >= $2 ORDER BY day DESC`, name, since)
	return all, err
}

// Domain is a domain with the hosts that take its mail.
type Domain struct {
	Name  string         `db:"name"`
	Hosts pq.StringArray `db:"hosts"`
}

// DomainsOf returns domains that belong to a destination, at most so many.
func DomainsOf(ctx context.Context, h database.Handle, name string, most int) (all []Domain, err error) {
	defer errs.Wrap(&err, "destination.DomainsOf")
	err = h.SelectContext(ctx, &all, `SELECT name, hosts FROM mailer.domains WHERE destination = $1 ORDER BY name LIMIT $2`, name, most)
	return all, err
}
