package ledger

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// counts adds up states from one snapshot, so that they always make up the recipients: of deliveries that a condition on d.edition_id holds for, and
// of those that were dropped.
func counts(where string) string { return sumOf(`(` + states(where) + `)`) }

func sumOf(states string) string {
	return `
	SELECT coalesce(sum(n), 0) AS recipients,
	       coalesce(sum(n) FILTER (WHERE state = 'pending'), 0) AS pending, coalesce(sum(n) FILTER (WHERE state = 'in_flight'), 0) AS in_flight,
	       coalesce(sum(n) FILTER (WHERE state = 'deferred'), 0) AS deferred, coalesce(sum(n) FILTER (WHERE state = 'sent'), 0) AS sent,
	       coalesce(sum(n) FILTER (WHERE state = 'failed'), 0) AS failed, coalesce(sum(n) FILTER (WHERE state = 'suppressed'), 0) AS suppressed,
	       coalesce(sum(n) FILTER (WHERE state = 'cancelled'), 0) AS cancelled, coalesce(sum(n) FILTER (WHERE state = 'in_doubt'), 0) AS in_doubt
	FROM ` + states + ` d`
}

func states(where string) string {
	return `
		SELECT state, count(*) AS n FROM mailer.deliveries d WHERE d.edition_id >= (SELECT first FROM mailer.floor) AND ` + where + ` GROUP BY state
		UNION ALL
		SELECT state, sum(count) AS n FROM mailer.tallies d WHERE ` + where + ` GROUP BY state`
}

// countAll adds up all deliveries: those of an edition that is over as they were counted since, the others one by one.
var countAll = `
	WITH over AS (SELECT c.* FROM mailer.editions e JOIN mailer.counted c ON c.edition_id = e.id WHERE e.finished_at <= c.at),
	states AS (
		SELECT s.state, s.n FROM over c, LATERAL (VALUES ('pending', c.pending), ('in_flight', c.in_flight), ('deferred', c.deferred), ('sent', c.sent),
			('failed', c.failed), ('suppressed', c.suppressed), ('cancelled', c.cancelled), ('in_doubt', c.in_doubt)) s (state, n)
		UNION ALL
		SELECT state, n FROM (` + states(`d.edition_id = ANY (ARRAY(SELECT id FROM mailer.editions EXCEPT SELECT edition_id FROM over))`) + `) d
	)` + sumOf(`states`)

// Count counts all deliveries there are, as fast as those of open editions are counted.
func Count(ctx context.Context, h database.Handle) (c Counts, err error) {
	defer errs.Wrap(&err, "ledger.Count")
	err = h.GetContext(ctx, &c, countAll)
	return c, err
}

// CountOf counts the deliveries of some editions.
func CountOf(ctx context.Context, h database.Handle, editions ...uuid.UUID) (c Counts, err error) {
	defer errs.Wrap(&err, "ledger.CountOf")
	err = h.GetContext(ctx, &c, counts(`d.edition_id = ANY ($1::uuid[])`), uuids(editions))
	return c, err
}

// CountEach counts the deliveries of each of some editions, in one snapshot. An edition without deliveries is left out.
func CountEach(ctx context.Context, h database.Handle, editions ...uuid.UUID) (each map[uuid.UUID]Counts, err error) {
	defer errs.Wrap(&err, "ledger.CountEach")
	var rows []struct {
		EditionID uuid.UUID `db:"edition_id"`
		Counts
	}
	err = h.SelectContext(ctx, &rows, `
		SELECT e.id AS edition_id, c.* FROM unnest($1::uuid[]) AS e (id), LATERAL (`+counts(`d.edition_id = e.id`)+`) c`,
		uuids(editions))
	each = make(map[uuid.UUID]Counts, len(rows))
	for _, row := range rows {
		each[row.EditionID] = row.Counts
	}
	return each, err
}

// Entry is a delivery as it stands in the account.
type Entry struct {
	ContactID int64         `db:"contact_id"`
	Email     string        `db:"email"`
	State     string        `db:"state"`
	Attempts  int           `db:"attempts"`
	Resent    int           `db:"resent"` // how often a person had it sent again
	Code      int           `db:"code"`
	Reply     string        `db:"reply"`
	NotBefore time.Time     `db:"not_before"`
	SettledAt *time.Time    `db:"settled_at"` // nil: nothing came of it yet
	Language  string        `db:"language"`   // of the digest
	Variant   int64         `db:"variant_id"`
	Sender    string        `db:"sender"`   // whom it is from; "" before its variant is rendered
	Articles  pq.Int64Array `db:"articles"` // ids, in the digest's order

	BouncedAt        *time.Time `db:"bounced_at"` // nil: nothing was reported of it
	BounceKind       BounceKind `db:"bounce_kind"`
	BounceStatus     string     `db:"bounce_status"` // enhanced status code; "": none was said
	BounceDiagnostic string     `db:"bounce_diagnostic"`
}

// entryColumns are those of Entry, with the tables that they are from.
const entryColumns = `d.contact_id, a.email, d.state, d.attempts, d.resent, d.code, d.reply, d.not_before, d.settled_at, d.variant_id,
		       v.language, coalesce(v.sender, '') AS sender, v.articles || v.more AS articles, d.bounced_at, coalesce(d.bounce_kind, '') AS bounce_kind,
		       coalesce(d.bounce_status, '') AS bounce_status, coalesce(d.bounce_diagnostic, '') AS bounce_diagnostic
		FROM mailer.deliveries d
		JOIN mailer.variants v ON v.id = d.variant_id
		JOIN subscribers.addresses a ON a.contact_id = d.contact_id`

// Entries returns an edition's deliveries in the order of their contacts.
func Entries(ctx context.Context, h database.Handle, edition uuid.UUID) (entries []Entry, err error) {
	defer errs.Wrap(&err, "ledger.Entries(%s)", edition)
	err = h.SelectContext(ctx, &entries, `SELECT `+entryColumns+`
		WHERE d.edition_id = $1
		ORDER BY d.contact_id`,
		edition)
	return entries, err
}

func uuids(ids []uuid.UUID) pq.StringArray {
	texts := make(pq.StringArray, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return texts
}

// Senders returns how many senders are alive.
func Senders(ctx context.Context, h database.Handle, now time.Time) (n int, err error) {
	defer errs.Wrap(&err, "ledger.Senders")
	err = h.GetContext(ctx, &n, `SELECT count(*) FROM mailer.senders WHERE lease_until > $1`, now)
	return n, err
}

// OldestDue returns for how long the delivery that waits longest could have been claimed: its edition goes out, and it is due. Zero: none waits.
func OldestDue(ctx context.Context, h database.Handle, now time.Time) (age time.Duration, err error) {
	defer errs.Wrap(&err, "ledger.OldestDue")
	var since *time.Time
	if err = h.GetContext(ctx, &since, `
		SELECT min(d.due_at) FROM mailer.editions e CROSS JOIN LATERAL (
			SELECT due_at FROM mailer.deliveries d WHERE d.edition_id = e.id AND d.due_at <= $1 AND d.state <> 'in_flight' ORDER BY d.due_at LIMIT 1) d
		WHERE `+goes("e"), now); since != nil {
		age = now.Sub(*since)
	}
	return age, err
}

// soon is for how long a turn under a limit is waited for as if nothing kept a delivery from going.
const soon = `interval '10 minutes'`

// Waiting reports whether deliveries of editions that may go out wait for their first attempt, which nothing keeps them from for long, or are in
// flight, or, with settled, whether any is still open.
func Waiting(ctx context.Context, h database.Handle, editions []uuid.UUID, settled bool, now time.Time) (waiting bool, err error) {
	defer errs.Wrap(&err, "ledger.Waiting")
	err = h.GetContext(ctx, &waiting, `
		SELECT EXISTS (
			SELECT 1 FROM mailer.deliveries d JOIN mailer.editions e ON e.id = d.edition_id
			WHERE e.id = ANY ($1::uuid[]) AND e.state IN ('approved', 'sending') AND d.due_at IS NOT NULL
			  AND ($3 OR d.state = 'in_flight' OR d.state = 'pending' AND d.attempts = 0 AND NOT `+waits+`
			       OR d.held_by IS NOT NULL AND d.attempts = 0 AND d.due_at < $2::timestamptz + `+soon+`))`,
		uuids(editions), now, settled)
	return waiting, err
}

// Reached reports whether a message of one of the subscriptions, a delivery or a notice, was delivered after a time, or may be under way now:
// whoever comes by its links then may be a program that looks at mail on its way.
func Reached(ctx context.Context, h database.Handle, after time.Time, subscriptions ...int64) (reached bool, err error) {
	defer errs.Wrap(&err, "ledger.Reached")
	err = h.GetContext(ctx, &reached, `
		SELECT EXISTS (
			SELECT 1 FROM mailer.deliveries
			WHERE subscription_id = ANY ($1) AND (state = 'in_flight' OR state IN ('sent', 'in_doubt') AND settled_at > $2)
		) OR EXISTS (
			SELECT 1 FROM mailer.notices
			WHERE subscription_id = ANY ($1) AND (open OR state IN ('sent', 'in_doubt') AND settled_at > $2))`,
		pq.Array(subscriptions), after)
	return reached, err
}
