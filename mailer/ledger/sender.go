package ledger

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Lease is for how long a sender is taken to be alive after it last renewed.
const Lease = 15 * time.Second

// Enlist makes a new sender with a lease until now + Lease.
func Enlist(ctx context.Context, h database.Handle, now time.Time) (sender uuid.UUID, err error) {
	defer errs.Wrap(&err, "ledger.Enlist")
	sender = uuid.New()
	_, err = h.ExecContext(ctx, `INSERT INTO mailer.senders (id, lease_until) VALUES ($1, $2)`, sender, now.Add(Lease))
	return sender, err
}

// Renew extends a sender's lease to now + Lease. It reports false when the lease has run out: that sender is dead for ever, and
// what it held belongs to others.
func Renew(ctx context.Context, h database.Handle, sender uuid.UUID, now time.Time) (alive bool, err error) {
	defer errs.Wrap(&err, "ledger.Renew")
	res, err := h.ExecContext(ctx, `UPDATE mailer.senders SET lease_until = $2 WHERE id = $1 AND lease_until > $3`,
		sender, now.Add(Lease), now)
	if err != nil {
		return false, err
	}
	rows, err := res.RowsAffected()
	return rows == 1, err
}

// Retire ends a sender: its lease is gone and what it still holds is due again.
func Retire(ctx context.Context, db *sqlx.DB, sender uuid.UUID) (err error) {
	defer errs.Wrap(&err, "ledger.Retire")
	return database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		_, err := bury(ctx, tx, `DELETE FROM mailer.senders WHERE id = $1 RETURNING id`, sender)
		return err
	})
}

// TakeOver puts back what dead senders held and returns how many deliveries that were. Anyone may call it at any time.
func TakeOver(ctx context.Context, db *sqlx.DB, now time.Time) (n int, err error) {
	defer errs.Wrap(&err, "ledger.TakeOver")
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		n, err = bury(ctx, tx, `DELETE FROM mailer.senders WHERE lease_until < $1 RETURNING id`, now)
		return err
	})
	return n, err
}

// bury deletes senders, by a statement that returns who they were, and makes due again what they held. Claims lock their sender, so that those under way
// are waited for and none comes after; what they took the second statement sees. It looks through all that is open: no index knows who holds what, which
// would make each claim dearer.
func bury(ctx context.Context, tx *sqlx.Tx, deletion string, which any) (n int, err error) {
	var dead pq.StringArray
	if err := tx.GetContext(ctx, &dead, `WITH dead AS (`+deletion+`) SELECT coalesce(array_agg(id), '{}') FROM dead`, which); err != nil || len(dead) == 0 {
		return 0, err
	}
	res, err := tx.ExecContext(ctx, `
		UPDATE mailer.deliveries SET state = 'pending', sender_id = NULL
		WHERE due_at IS NOT NULL AND state = 'in_flight' AND sender_id = ANY ($1::uuid[])`, dead)
	if err != nil {
		return 0, err
	}
	rows, err := res.RowsAffected()
	return int(rows), err
}

// begins is true of a delivery d of an edition e that was begun, or may be at $2: a later one waits for a person.
const begins = `(d.begun OR d.not_before > $2::timestamptz - e.late_after)`

// waits is true of a delivery d while an older one of the same subscription is on its way at $2: its hour has come, and it is not one that waits
// for a person.
var waits = `(d.behind AND EXISTS (
	SELECT FROM (SELECT * FROM mailer.deliveries its WHERE its.subscription_id = d.subscription_id OFFSET 0) older
	JOIN mailer.editions first ON first.id = older.edition_id
	WHERE older.edition_id < d.edition_id AND older.due_at IS NOT NULL AND older.not_before <= $2::timestamptz
	  AND ` + goes("first") + ` AND (older.begun OR older.not_before > $2::timestamptz - first.late_after)))`

// goes is true of an edition that goes out.
func goes(e string) string {
	return e + `.state IN ('approved', 'sending') AND NOT ` + e + `.paused AND NOT EXISTS (
		SELECT FROM mailer.pauses p WHERE p.list_id IN (0, ` + e + `.list_id))`
}

// doubted is true of a delivery that was ever in doubt, or sent before it was sent again: its contact may have it.
func doubted(d string) string {
	return `EXISTS (SELECT FROM mailer.attempts a WHERE a.edition_id = ` + d + `.edition_id AND a.contact_id = ` + d + `.contact_id AND a.outcome IN ('in_doubt', 'sent'))`
}

// Remains is the state in which a delivery d that was ever in doubt, or sent before, is left when it is not tried again.
const Remains = `CASE WHEN EXISTS (SELECT FROM mailer.attempts a WHERE a.edition_id = d.edition_id AND a.contact_id = d.contact_id AND a.outcome = 'sent')
	THEN 'sent' ELSE 'in_doubt' END`

// reserves is true of a delivery of an edition that counts for what is given once: one that may repeat articles does not.
func reserves(d string) string {
	return `NOT EXISTS (SELECT FROM mailer.editions its WHERE its.id = ` + d + `.edition_id AND its.repeats)`
}

// GivesBack is true of a delivery that ends without having been sent and gives its articles back: its contact cannot have it.
func GivesBack(d string) string { return `NOT ` + doubted(d) + ` AND ` + reserves(d) }

// claim takes what is due of the editions that may go out, in the order of their variants, so that a sender holds few of them. Who
// may no longer be mailed is suppressed, which gives the articles back, whose destination pauses is deferred to its end, the others are in flight. A
// delivery whose hour has passed by too much waits for a person, unless it was begun in time; one of which an older one is on its way waits for
// that. An edition that is being worked on is left for the next time: whoever holds, pauses, cancels or arranges one locks its row, waits for
// claims under way, and afterwards there are no others.
var claim = `
	WITH alive AS (
		SELECT FROM mailer.senders WHERE id = $1 AND lease_until > $2 FOR KEY SHARE
	), open AS (
		SELECT e.id, e.late_after, e.in_doubt, ARRAY(SELECT v.id FROM mailer.variants v WHERE v.edition_id = e.id AND v.retired) AS retired
		FROM mailer.editions e
		WHERE ` + goes("e") + `
		FOR KEY SHARE SKIP LOCKED
	), due AS (
		SELECT d.edition_id, d.contact_id, m.email, m.name, coalesce(o.destination, '') AS destination, e.in_doubt = 'leave' AS leave_in_doubt,
		       p.until + (d.contact_id % 60) * interval '1 second' AS until
		FROM open e CROSS JOIN LATERAL (
			SELECT * FROM mailer.deliveries d
			WHERE d.edition_id = e.id AND d.due_at <= $2 AND d.state <> 'in_flight' AND ` + begins + ` AND NOT ` + waits + `
			  AND d.variant_id <> ALL (e.retired)
			ORDER BY d.due_at, d.variant_id
			LIMIT $3
			FOR UPDATE OF d SKIP LOCKED
		) d
		LEFT JOIN subscribers.mailable m ON m.subscription_id = d.subscription_id
		-- Not joined, for the planner would read all domains for each row; and each worked out once.
		CROSS JOIN LATERAL (SELECT ` + domainOf + ` AS name OFFSET 0) domain
		CROSS JOIN LATERAL (SELECT coalesce((SELECT o.destination FROM mailer.domains o WHERE o.name = domain.name), domain.name) AS destination OFFSET 0) o
		LEFT JOIN LATERAL (
			SELECT least(max(CASE WHEN p.by_hand THEN 'infinity' ELSE p.paused_until END), $2::timestamptz + ` + lookAgain + `) AS until
			FROM mailer.destinations p WHERE ` + pauses + ` AND p.name IN (domain.name, o.destination)
			HAVING count(*) > 0 -- least() takes no notice of a null
		) p ON true
		WHERE EXISTS (SELECT FROM alive) AND NOT EXISTS (SELECT FROM installation.standing WHERE held)
		ORDER BY d.due_at, d.variant_id
		LIMIT $3
	), begun AS (
		UPDATE mailer.editions SET state = 'sending'
		WHERE state = 'approved' AND id IN (SELECT edition_id FROM due WHERE until IS NULL)
	), claimed AS (
		UPDATE mailer.deliveries d
		SET state = CASE WHEN due.email IS NULL THEN 'suppressed' WHEN due.until IS NOT NULL THEN 'deferred' ELSE 'in_flight' END,
		    sender_id = CASE WHEN due.email IS NULL OR due.until IS NOT NULL THEN NULL ELSE $1::uuid END,
		    begun = due.email IS NOT NULL AND due.until IS NULL OR d.begun,
		    held_by = NULL,
		    due_at = CASE WHEN due.email IS NULL THEN NULL ELSE coalesce(due.until, d.due_at) END,
		    settled_at = CASE WHEN due.email IS NULL THEN $2::timestamptz ELSE d.settled_at END
		FROM due WHERE d.edition_id = due.edition_id AND d.contact_id = due.contact_id
		RETURNING d.edition_id, d.contact_id, d.subscription_id, d.variant_id, d.not_before, d.attempts, d.resent, d.held_until, due.destination, due.leave_in_doubt,
		          coalesce(due.email, '') AS email, coalesce(due.name, '') AS name, due.until IS NOT NULL AS waits
	), released AS (
		INSERT INTO mailer.released (subscription_id, group_id)
		SELECT c.subscription_id, g FROM claimed c JOIN mailer.variants v ON v.id = c.variant_id, unnest(v.groups) g
		WHERE c.email = '' AND ` + GivesBack("c") + `
		ON CONFLICT DO NOTHING
	)
	SELECT * FROM claimed ORDER BY variant_id, contact_id`

// Claim hands a sender up to limit deliveries that are due now. It hands out none when the sender's lease has run out, or while the
// database is held. Those that it comes by and that may not go do not keep it from looking for others.
func Claim(ctx context.Context, db *sqlx.DB, sender uuid.UUID, now time.Time, limit int) (claimed []*Delivery, err error) {
	return NewClerk(db).Claim(ctx, sender, now, limit)
}

// met is a delivery that a claim came by.
type met struct {
	Delivery
	Waits bool `db:"waits"`
}

// Claim is the function of this name.
func (c *Clerk) Claim(ctx context.Context, sender uuid.UUID, now time.Time, limit int) (claimed []*Delivery, err error) {
	defer errs.Wrap(&err, "ledger.Claim")
	statement, err := c.claim.On(ctx, c.db)
	if err != nil {
		return nil, err
	}
	for {
		var all []met
		if err := database.Transact(ctx, c.db, func(tx *sqlx.Tx) error {
			if _, err := tx.ExecContext(ctx, `SET LOCAL enable_sort = off`); err != nil {
				return err
			}
			all = make([]met, 0, limit)
			here := tx.StmtxContext(ctx, statement)
			defer func() { _ = here.Close() }() // it stays prepared
			return here.SelectContext(ctx, &all, sender, now, limit)
		}); err != nil {
			return nil, err
		}
		for i := range all {
			if all[i].Email != "" && !all[i].Waits {
				claimed = append(claimed, &all[i].Delivery)
			}
		}
		if len(claimed) > 0 || len(all) == 0 {
			return claimed, nil
		}
	}
}

// Recheck reports whether a claimed delivery may still be sent: it is still the sender's, whose lease lives, its edition and its destination may
// be sent to, and the contact may still be mailed. When the contact may not, the delivery is suppressed. Nothing else is written, so asking is
// cheap.
func Recheck(ctx context.Context, h database.Handle, sender uuid.UUID, d *Delivery, now time.Time) (mayGo bool, err error) {
	defer errs.Wrap(&err, "ledger.Recheck")
	var found struct {
		Held     bool `db:"held"`
		Alive    bool `db:"alive"`
		Mailable bool `db:"mailable"`
		Open     bool `db:"open"`
	}
	if err := h.GetContext(ctx, &found, `
		SELECT EXISTS (SELECT 1 FROM mailer.deliveries WHERE edition_id = $1 AND contact_id = $2 AND state = 'in_flight' AND sender_id = $3) AS held,
		       EXISTS (SELECT 1 FROM mailer.senders WHERE id = $3 AND lease_until > $4) AS alive,
		       EXISTS (SELECT 1 FROM subscribers.mailable WHERE subscription_id = $5) AS mailable,
		       EXISTS (SELECT 1 FROM mailer.editions e WHERE e.id = $1 AND `+goes("e")+`)
		       AND NOT EXISTS (SELECT 1 FROM mailer.destinations WHERE name IN ($6, $7) AND (by_hand OR paused_until > $4))
		       AND NOT EXISTS (SELECT 1 FROM installation.standing WHERE held) AS open`,
		d.EditionID, d.ContactID, sender, now, d.SubscriptionID, d.Destination, DomainOf(d.Email)); err != nil {
		return false, err
	}
	if found.Held && !found.Mailable {
		_, err = h.ExecContext(ctx, `
			WITH suppressed AS (
				UPDATE mailer.deliveries SET state = 'suppressed', sender_id = NULL, due_at = NULL, settled_at = $4
				WHERE edition_id = $1 AND contact_id = $2 AND state = 'in_flight' AND sender_id = $3
				RETURNING edition_id, contact_id, subscription_id, variant_id
			)
			INSERT INTO mailer.released (subscription_id, group_id)
			SELECT s.subscription_id, g FROM suppressed s JOIN mailer.variants v ON v.id = s.variant_id, unnest(v.groups) g
			WHERE `+GivesBack("s")+`
			ON CONFLICT DO NOTHING`,
			d.EditionID, d.ContactID, sender, now)
	}
	return found.Held && found.Alive && found.Mailable && found.Open, err
}
