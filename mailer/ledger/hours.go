package ledger

import (
	"context"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Hour is how much happened to a list's mail within an hour, of what Hours was asked for.
type Hour struct {
	Hour     time.Time `db:"hour"` // its beginning
	Sent     int       `db:"sent"`
	Deferred int       `db:"deferred"` // attempts that were put off; the same message may be among them several times
	Bounced  int       `db:"bounced"`  // also those of which the server that refused them said so at once; without complaints
}

// Hours returns what happened since a time, the earliest hour first; hours without anything are left out. lists are ids, nil for all lists. It reads
// counts that are kept, however many deliveries there are.
func Hours(ctx context.Context, h database.Handle, since time.Time, lists []int64) (hours []Hour, err error) {
	defer errs.Wrap(&err, "ledger.Hours")
	err = h.SelectContext(ctx, &hours, `
		SELECT hour, coalesce(sum(count) FILTER (WHERE what = 'sent'), 0) AS sent, coalesce(sum(count) FILTER (WHERE what = 'deferred'), 0) AS deferred,
		       coalesce(sum(count) FILTER (WHERE what = 'bounced'), 0) AS bounced
		FROM mailer.hours WHERE hour >= date_trunc('hour', $1::timestamptz, 'UTC') AND ($2::bigint[] IS NULL OR list_id = ANY ($2))
		GROUP BY hour ORDER BY hour`, since, pq.Array(lists))
	return hours, err
}

// FoldHours puts together what several processes counted in hours that ended before a time. It may be done at any time by anybody.
func FoldHours(ctx context.Context, h database.Handle, before time.Time) (err error) {
	defer errs.Wrap(&err, "ledger.FoldHours")
	_, err = h.ExecContext(ctx, `
		WITH parts AS (DELETE FROM mailer.hours WHERE hour < date_trunc('hour', $1::timestamptz, 'UTC') AND part <> '' RETURNING hour, list_id, what, count)
		INSERT INTO mailer.hours AS known (hour, list_id, what, part, count)
		SELECT hour, list_id, what, '', sum(count) FROM parts GROUP BY hour, list_id, what
		ON CONFLICT (hour, list_id, what, part) DO UPDATE SET count = known.count + excluded.count`, before)
	return err
}
