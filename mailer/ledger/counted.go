package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Few is how many deliveries are counted while somebody waits for a page. Of editions with more recipients, and of those that are over, it is known what
// they came to when they were last counted (Recount).
const Few = 20_000

// Known are the counts of an edition as they are known.
type Known struct {
	Counts
	At time.Time // when they were counted; zero: they are not known yet, but for the recipients
}

// KnownCounts returns what is known of editions, without counting more than Few deliveries now. Editions that there are not are left out.
func KnownCounts(ctx context.Context, h database.Handle, now time.Time, editions ...uuid.UUID) (known map[uuid.UUID]Known, err error) {
	defer errs.Wrap(&err, "ledger.KnownCounts")
	var rows []struct {
		EditionID  uuid.UUID  `db:"edition_id"`
		Expected   int        `db:"expected"`
		Settled    bool       `db:"settled"` // nothing changes any more
		LastCount  *time.Time `db:"last_count"`
		CountedRow Counts     `db:"counted"`
	}
	if err := h.SelectContext(ctx, &rows, `
		SELECT e.id AS edition_id, e.recipients AS expected, coalesce(e.finished_at <= c.at, false) AS settled, c.at AS last_count,
		       coalesce(c.pending + c.in_flight + c.deferred + c.sent + c.failed + c.suppressed + c.cancelled + c.in_doubt, 0) AS "counted.recipients",
		       coalesce(c.pending, 0) AS "counted.pending", coalesce(c.in_flight, 0) AS "counted.in_flight", coalesce(c.deferred, 0) AS "counted.deferred",
		       coalesce(c.sent, 0) AS "counted.sent", coalesce(c.failed, 0) AS "counted.failed", coalesce(c.suppressed, 0) AS "counted.suppressed",
		       coalesce(c.cancelled, 0) AS "counted.cancelled", coalesce(c.in_doubt, 0) AS "counted.in_doubt"
		FROM mailer.editions e LEFT JOIN mailer.counted c ON c.edition_id = e.id
		WHERE e.id = ANY ($1::uuid[]) ORDER BY e.recipients, e.id`, uuids(editions)); err != nil {
		return nil, err
	}
	known = make(map[uuid.UUID]Known, len(rows))
	var count []uuid.UUID
	room := Few
	for _, row := range rows {
		switch {
		case row.Expected == 0 && row.LastCount == nil:
			known[row.EditionID] = Known{At: now}
		case row.Settled:
			known[row.EditionID] = Known{row.CountedRow, *row.LastCount}
		case row.Expected <= room:
			room -= row.Expected
			count = append(count, row.EditionID)
		case row.LastCount != nil:
			known[row.EditionID] = Known{row.CountedRow, *row.LastCount}
		default:
			known[row.EditionID] = Known{Counts: Counts{Recipients: row.Expected}}
		}
	}
	if len(count) == 0 {
		return known, nil
	}
	counted, err := CountEach(ctx, h, count...)
	for _, id := range count {
		known[id] = Known{counted[id], now}
	}
	return known, err
}

// recountAfter is how many times as long as counting took is left before an edition is counted again.
const recountAfter = 20

// Stale returns the editions that should be counted anew: large ones that are open, and those that are over and were not counted since, or, as bounces come
// late, not for an hour in their first week. At most limit.
func Stale(ctx context.Context, h database.Handle, now time.Time, limit int) (editions []uuid.UUID, err error) {
	defer errs.Wrap(&err, "ledger.Stale")
	err = h.SelectContext(ctx, &editions, `
		SELECT e.id FROM mailer.editions e LEFT JOIN mailer.counted c ON c.edition_id = e.id
		WHERE e.recipients > 0 AND (
			e.finished_at IS NULL AND e.recipients > $2 AND (c.at IS NULL OR c.at + c.took * $3 < $1::timestamptz)
			OR e.finished_at IS NOT NULL AND (c.at IS NULL OR c.at < e.finished_at)
			OR e.finished_at > $1::timestamptz - interval '7 days' AND c.at < $1::timestamptz - interval '1 hour')
		ORDER BY c.at NULLS FIRST, e.id DESC LIMIT $4`, now, Few, recountAfter, limit)
	return editions, err
}

// variantCount is how many get a variant.
type variantCount struct {
	Variant    int64 `db:"variant_id"`
	Recipients int   `db:"recipients"`
	Contact    int64 `db:"contact_id"` // the first of them
}

// Recount counts the deliveries of an edition and keeps what they came to, by state, destination and variant. What takes long is done before anything is
// written, and nothing of the edition is locked: nobody who works on it waits.
func Recount(ctx context.Context, tx *sqlx.Tx, edition uuid.UUID, now time.Time) (err error) {
	defer errs.Wrap(&err, "ledger.Recount(%s)", edition)
	var c Counts
	if err := tx.GetContext(ctx, &c, counts(`d.edition_id = $1`), edition); err != nil {
		return err
	}
	var destinations []DestinationCounts
	if err := tx.SelectContext(ctx, &destinations, perDestination, edition, mostDestinations); err != nil {
		return err
	}
	var variants []variantCount
	if err := tx.SelectContext(ctx, &variants, `
		SELECT variant_id, count(*) AS recipients, min(contact_id) AS contact_id FROM mailer.deliveries
		WHERE edition_id = $1 AND state <> 'cancelled' GROUP BY variant_id`, edition); err != nil {
		return err
	}
	written, err := keepCounts(ctx, tx, edition, c, now)
	if err != nil || !written {
		return err
	}
	for _, d := range destinations {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO mailer.counted_destinations (edition_id, destination, recipients, sent, deferred, failed, bounced, waiting)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, edition, d.Destination, d.Recipients, d.Sent, d.Deferred, d.Failed, d.Bounced, d.Waiting); err != nil {
			return err
		}
	}
	return keepVariants(ctx, tx, edition, variants)
}

// keepCounts writes counts, with nothing yet by destination and variant. It reports false when somebody has counted later, whose counts stay.
func keepCounts(ctx context.Context, tx *sqlx.Tx, edition uuid.UUID, c Counts, now time.Time) (written bool, err error) {
	var kept []uuid.UUID
	if err := tx.SelectContext(ctx, &kept, `
		INSERT INTO mailer.counted AS k (edition_id, at, took, pending, in_flight, deferred, sent, failed, suppressed, cancelled, in_doubt)
		VALUES ($1, $2, '0', $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (edition_id) DO UPDATE SET at = excluded.at, pending = excluded.pending, in_flight = excluded.in_flight, deferred = excluded.deferred,
			sent = excluded.sent, failed = excluded.failed, suppressed = excluded.suppressed, cancelled = excluded.cancelled, in_doubt = excluded.in_doubt
		WHERE k.at <= excluded.at
		RETURNING edition_id`,
		edition, now, c.Pending, c.InFlight, c.Deferred, c.Sent, c.Failed, c.Suppressed, c.Cancelled, c.InDoubt); err != nil || len(kept) == 0 {
		return false, err
	}
	for _, statement := range []string{`DELETE FROM mailer.counted_destinations WHERE edition_id = $1`, `DELETE FROM mailer.counted_variants WHERE edition_id = $1`} {
		if _, err := tx.ExecContext(ctx, statement, edition); err != nil {
			return false, err
		}
	}
	return true, nil
}

func keepVariants(ctx context.Context, tx *sqlx.Tx, edition uuid.UUID, variants []variantCount) error {
	ids, numbers, contacts := make(pq.Int64Array, len(variants)), make(pq.Int64Array, len(variants)), make(pq.Int64Array, len(variants))
	for i, v := range variants {
		ids[i], numbers[i], contacts[i] = v.Variant, int64(v.Recipients), v.Contact
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO mailer.counted_variants (edition_id, variant_id, recipients, contact_id)
		SELECT $1, * FROM unnest($2::bigint[], $3::int[], $4::bigint[])`, edition, ids, numbers, contacts)
	return err
}

// countLock is the first key of the advisory lock that lets one process at a time count an edition.
const countLock = 0x636e7464

// MayCount reports whether nobody else counts an edition just now; then it is the transaction's to do until it ends.
func MayCount(ctx context.Context, tx *sqlx.Tx, edition uuid.UUID) (may bool, err error) {
	err = tx.GetContext(ctx, &may, `SELECT pg_try_advisory_xact_lock($1, hashtext($2))`, countLock, edition.String())
	return may, err
}

// Took notes how long counting took, in seconds: what takes long is done more rarely.
func Took(ctx context.Context, h database.Handle, edition uuid.UUID, took time.Duration) error {
	_, err := h.ExecContext(ctx, `UPDATE mailer.counted SET took = make_interval(secs => $2) WHERE edition_id = $1`, edition, took.Seconds())
	return err
}

// IsCounted is true in SQL of an edition whose deliveries are looked up in what was counted, not among themselves.
func IsCounted(id string) string {
	return fmt.Sprintf(`EXISTS (SELECT FROM mailer.editions e JOIN mailer.counted c ON c.edition_id = e.id
		WHERE e.id = %s AND (e.recipients > %d OR e.finished_at <= c.at))`, id, Few)
}

// DestinationCounts is what an edition came to at one destination.
type DestinationCounts struct {
	Destination string `db:"destination"` // "": all others together
	Recipients  int    `db:"recipients"`
	Sent        int    `db:"sent"`
	Deferred    int    `db:"deferred"`
	Failed      int    `db:"failed"`
	Bounced     int    `db:"bounced"`
	Waiting     int    `db:"waiting"` // pending or in flight
}

// mostDestinations is how many destinations of an edition are told apart.
const mostDestinations = 50

// perDestination adds up the deliveries of edition $1 by destination: the $2 with most recipients, and the others together.
var perDestination = `
	WITH each AS (
		SELECT coalesce(o.destination, ` + domainOf + `, '') AS destination, d.state, d.bounced_at IS NOT NULL AS bounced, count(*) AS n
		FROM mailer.deliveries d LEFT JOIN subscribers.addresses m ON m.contact_id = d.contact_id
		LEFT JOIN mailer.domains o ON o.name = ` + domainOf + `
		WHERE d.edition_id = $1 GROUP BY 1, 2, 3
		UNION ALL
		SELECT destination, state, bounce <> '', sum(count) FROM mailer.tallies WHERE edition_id = $1 GROUP BY 1, 2, 3
	), ranked AS (
		SELECT destination, row_number() OVER (ORDER BY sum(n) DESC, destination) AS place FROM each WHERE destination <> '' GROUP BY destination
	)
	SELECT CASE WHEN place <= $2 THEN e.destination ELSE '' END AS destination, sum(n) AS recipients,
	       coalesce(sum(n) FILTER (WHERE state = 'sent'), 0) AS sent, coalesce(sum(n) FILTER (WHERE state = 'deferred'), 0) AS deferred,
	       coalesce(sum(n) FILTER (WHERE state IN ('failed', 'in_doubt')), 0) AS failed, coalesce(sum(n) FILTER (WHERE bounced), 0) AS bounced,
	       coalesce(sum(n) FILTER (WHERE state IN ('pending', 'in_flight')), 0) AS waiting
	FROM each e LEFT JOIN ranked USING (destination) GROUP BY 1`

// ByDestination returns what an edition came to by destination, the one with most recipients first, all others together last. Of an edition with more than
// Few recipients it is what was counted last, nothing before that.
func ByDestination(ctx context.Context, h database.Handle, edition uuid.UUID) (all []DestinationCounts, err error) {
	defer errs.Wrap(&err, "ledger.ByDestination(%s)", edition)
	var kept, large bool
	if err := h.QueryRowxContext(ctx, `SELECT `+IsCounted("$1")+`, coalesce((SELECT recipients > $2 FROM mailer.editions WHERE id = $1), false)`,
		edition, Few).Scan(&kept, &large); err != nil || large && !kept {
		return nil, err
	}
	from, args := perDestination, []any{edition, mostDestinations}
	if kept {
		from, args = `SELECT * FROM mailer.counted_destinations WHERE edition_id = $1`, args[:1]
	}
	err = h.SelectContext(ctx, &all, `
		SELECT destination, recipients, sent, deferred, failed, bounced, waiting FROM (`+from+`) p
		ORDER BY destination = '', recipients DESC, destination`, args...)
	return all, err
}

// Due returns when the next delivery of an edition that is still open may be tried, and when the last one; nil when none is open.
func Due(ctx context.Context, h database.Handle, edition uuid.UUID) (next, last *time.Time, err error) {
	defer errs.Wrap(&err, "ledger.Due(%s)", edition)
	err = h.QueryRowxContext(ctx, `
		SELECT (SELECT due_at FROM mailer.deliveries WHERE edition_id = $1 AND due_at IS NOT NULL ORDER BY due_at LIMIT 1),
		       (SELECT due_at FROM mailer.deliveries WHERE edition_id = $1 AND due_at IS NOT NULL ORDER BY due_at DESC LIMIT 1)`, edition).Scan(&next, &last)
	return next, last, err
}
