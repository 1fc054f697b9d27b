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

// LateLimit is by how much a delivery's hour may have passed when it is first tried; a later one waits for a person.
const LateLimit = 12 * time.Hour

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
func Retire(ctx context.Context, h database.Handle, sender uuid.UUID) (err error) {
	defer errs.Wrap(&err, "ledger.Retire")
	_, err = h.ExecContext(ctx, `
		WITH gone AS (DELETE FROM mailer.senders WHERE id = $1)
		UPDATE mailer.deliveries SET state = 'pending', sender_id = NULL
		WHERE state = 'in_flight' AND sender_id = $1`,
		sender)
	return err
}

// TakeOver puts back what dead senders held and returns how many deliveries that were. Anyone may call it at any time. Who is dead is
// settled before anything is put back, so nothing is taken from a sender that comes to life meanwhile.
func TakeOver(ctx context.Context, db *sqlx.DB, now time.Time) (n int, err error) {
	defer errs.Wrap(&err, "ledger.TakeOver")
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		var dead pq.StringArray
		if err := tx.GetContext(ctx, &dead, `
			WITH expired AS (DELETE FROM mailer.senders WHERE lease_until < $1 RETURNING id)
			SELECT coalesce(array_agg(id), '{}') FROM (
				SELECT id FROM expired
				UNION SELECT d.sender_id FROM mailer.deliveries d
				WHERE d.state = 'in_flight' AND NOT EXISTS (SELECT 1 FROM mailer.senders s WHERE s.id = d.sender_id)
			) gone`, now); err != nil || len(dead) == 0 {
			return err
		}
		res, err := tx.ExecContext(ctx, `
			UPDATE mailer.deliveries SET state = 'pending', sender_id = NULL
			WHERE state = 'in_flight' AND sender_id = ANY ($1::uuid[])`, dead)
		if err != nil {
			return err
		}
		rows, err := res.RowsAffected()
		n = int(rows)
		return err
	})
	return n, err
}

// claim takes what is due of the editions that may go out, in the order of their variants, so that a sender holds few of them. Who
// may no longer be mailed is suppressed, whose destination pauses is deferred to its end, the others are in flight. A delivery whose hour has
// passed by too much waits for a person, unless it was begun in time.
const claim = `
	WITH open AS (
		SELECT id FROM mailer.editions WHERE state IN ('approved', 'sending')
	), due AS (
		SELECT d.edition_id, d.contact_id, m.email, m.name, p.paused_until + (d.contact_id % 60) * interval '1 second' AS waits
		FROM open CROSS JOIN LATERAL (
			SELECT * FROM mailer.deliveries
			WHERE edition_id = open.id AND due_at <= $2 AND state <> 'in_flight' AND (begun OR not_before > $3)
			ORDER BY due_at, variant_id
			LIMIT $4
			FOR UPDATE SKIP LOCKED
		) d
		LEFT JOIN subscribers.mailable m ON m.subscription_id = d.subscription_id
		LEFT JOIN mailer.destinations p ON p.paused_until > $2 AND p.name = ` + destinationOf + `
		WHERE EXISTS (SELECT 1 FROM mailer.senders WHERE id = $1 AND lease_until > $2)
		ORDER BY d.due_at, d.variant_id
		LIMIT $4
	), begun AS (
		UPDATE mailer.editions SET state = 'sending'
		WHERE state = 'approved' AND id IN (SELECT edition_id FROM due WHERE waits IS NULL)
	), claimed AS (
		UPDATE mailer.deliveries d
		SET state = CASE WHEN due.email IS NULL THEN 'suppressed' WHEN due.waits IS NOT NULL THEN 'deferred' ELSE 'in_flight' END,
		    sender_id = CASE WHEN due.email IS NULL OR due.waits IS NOT NULL THEN NULL ELSE $1::uuid END,
		    begun = due.email IS NOT NULL AND due.waits IS NULL OR d.begun,
		    due_at = CASE WHEN due.email IS NULL THEN NULL ELSE coalesce(due.waits, d.due_at) END,
		    settled_at = CASE WHEN due.email IS NULL THEN $2::timestamptz ELSE d.settled_at END
		FROM due WHERE d.edition_id = due.edition_id AND d.contact_id = due.contact_id
		RETURNING d.edition_id, d.contact_id, d.subscription_id, d.variant_id, d.not_before, d.attempts,
		          coalesce(due.email, '') AS email, coalesce(due.name, '') AS name, due.waits IS NOT NULL AS waits
	)
	SELECT * FROM claimed ORDER BY variant_id, contact_id`

// Claim hands a sender up to limit deliveries that are due now. It hands out none when the sender's lease has run out. Those that it comes by and
// that may not go do not keep it from looking for others.
func Claim(ctx context.Context, db *sqlx.DB, sender uuid.UUID, now time.Time, limit int) (claimed []*Delivery, err error) {
	defer errs.Wrap(&err, "ledger.Claim")
	for {
		var met []struct {
			Delivery
			Waits bool `db:"waits"`
		}
		if err := database.Transact(ctx, db, func(tx *sqlx.Tx) error {
			met = nil
			return tx.SelectContext(ctx, &met, claim, sender, now, now.Add(-LateLimit), limit)
		}); err != nil {
			return nil, err
		}
		for i := range met {
			if met[i].Email != "" && !met[i].Waits {
				claimed = append(claimed, &met[i].Delivery)
			}
		}
		if len(claimed) > 0 || len(met) == 0 {
			return claimed, nil
		}
	}
}

// Recheck reports whether a claimed delivery may still be sent: it is still the sender's, whose lease lives, and the contact may
// still be mailed, and its destination does not pause. When the contact may not, the delivery is suppressed. Nothing else is written, so asking
// is cheap.
func Recheck(ctx context.Context, h database.Handle, sender uuid.UUID, d *Delivery, now time.Time) (mayGo bool, err error) {
	defer errs.Wrap(&err, "ledger.Recheck")
	var found struct {
		Held     bool `db:"held"`
		Alive    bool `db:"alive"`
		Mailable bool `db:"mailable"`
		Paused   bool `db:"paused"`
	}
	if err := h.GetContext(ctx, &found, `
		SELECT EXISTS (SELECT 1 FROM mailer.deliveries WHERE edition_id = $1 AND contact_id = $2 AND state = 'in_flight' AND sender_id = $3) AS held,
		       EXISTS (SELECT 1 FROM mailer.senders WHERE id = $3 AND lease_until > $4) AS alive,
		       EXISTS (SELECT 1 FROM subscribers.mailable WHERE subscription_id = $5) AS mailable,
		       EXISTS (SELECT 1 FROM mailer.destinations WHERE name = $6 AND paused_until > $4) AS paused`,
		d.EditionID, d.ContactID, sender, now, d.SubscriptionID, DestinationOf(d.Email)); err != nil {
		return false, err
	}
	if found.Held && !found.Mailable {
		_, err = h.ExecContext(ctx, `
			UPDATE mailer.deliveries SET state = 'suppressed', sender_id = NULL, due_at = NULL, settled_at = $4
			WHERE edition_id = $1 AND contact_id = $2 AND state = 'in_flight' AND sender_id = $3`,
			d.EditionID, d.ContactID, sender, now)
	}
	return found.Held && found.Alive && found.Mailable && !found.Paused, err
}
