package ledger

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

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

// TakeOver puts back what dead senders held and returns how many deliveries that were. Anyone may call it at any time.
func TakeOver(ctx context.Context, h database.Handle, now time.Time) (n int, err error) {
	defer errs.Wrap(&err, "ledger.TakeOver")
	res, err := h.ExecContext(ctx, `
		WITH dead AS (DELETE FROM mailer.senders WHERE lease_until < $1 RETURNING id)
		UPDATE mailer.deliveries d SET state = 'pending', sender_id = NULL
		WHERE d.state = 'in_flight' AND (d.sender_id IN (SELECT id FROM dead)
		      OR NOT EXISTS (SELECT 1 FROM mailer.senders s WHERE s.id = d.sender_id))`,
		now)
	if err != nil {
		return 0, err
	}
	rows, err := res.RowsAffected()
	return int(rows), err
}

// claim takes what is due in the order of its variants, so that a sender holds few of them. Both halves go by the same rows:
// those who may no longer be mailed are suppressed, the others are in flight.
const claim = `
	WITH due AS (
		SELECT d.edition_id, d.contact_id, m.email, m.name
		FROM mailer.deliveries d
		JOIN mailer.editions e ON e.id = d.edition_id AND e.state IN ('approved', 'sending')
		LEFT JOIN subscribers.mailable m ON m.subscription_id = d.subscription_id
		WHERE d.due_at <= $2 AND d.state <> 'in_flight' AND (d.attempts > 0 OR d.not_before > $3)
		  AND EXISTS (SELECT 1 FROM mailer.senders WHERE id = $1 AND lease_until > $2)
		ORDER BY d.due_at, d.variant_id
		LIMIT $4
		FOR UPDATE OF d SKIP LOCKED
	), begun AS (
		UPDATE mailer.editions SET state = 'sending'
		WHERE state = 'approved' AND id IN (SELECT edition_id FROM due)
	), claimed AS (
		UPDATE mailer.deliveries d
		SET state = CASE WHEN due.email IS NULL THEN 'suppressed' ELSE 'in_flight' END,
		    sender_id = CASE WHEN due.email IS NULL THEN NULL ELSE $1::uuid END,
		    due_at = CASE WHEN due.email IS NULL THEN NULL ELSE d.due_at END,
		    settled_at = CASE WHEN due.email IS NULL THEN $2::timestamptz ELSE d.settled_at END
		FROM due WHERE d.edition_id = due.edition_id AND d.contact_id = due.contact_id
		RETURNING d.edition_id, d.contact_id, d.subscription_id, d.variant_id, d.not_before, d.attempts, due.email, due.name
	)
	SELECT * FROM claimed WHERE email IS NOT NULL ORDER BY variant_id, contact_id`

// Claim hands a sender up to limit deliveries that are due now. It hands out none when the sender's lease has run out.
func Claim(ctx context.Context, db *sqlx.DB, sender uuid.UUID, now time.Time, limit int) (claimed []*Delivery, err error) {
	defer errs.Wrap(&err, "ledger.Claim")
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		claimed = nil
		return tx.SelectContext(ctx, &claimed, claim, sender, now, now.Add(-LateLimit), limit)
	})
	return claimed, err
}

// Recheck reports whether a claimed delivery may still be sent: the sender's lease lives, and the contact may still be mailed.
// When the contact may not, the delivery is suppressed.
func Recheck(ctx context.Context, db *sqlx.DB, sender uuid.UUID, d *Delivery, now time.Time) (mayGo bool, err error) {
	defer errs.Wrap(&err, "ledger.Recheck")
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &mayGo, `
			WITH held AS (
				SELECT d.edition_id, d.contact_id, m.subscription_id IS NOT NULL AS mailable
				FROM mailer.deliveries d LEFT JOIN subscribers.mailable m ON m.subscription_id = d.subscription_id
				WHERE d.edition_id = $1 AND d.contact_id = $2 AND d.state = 'in_flight' AND d.sender_id = $3
				FOR UPDATE OF d
			), gone AS (
				UPDATE mailer.deliveries d SET state = 'suppressed', sender_id = NULL, due_at = NULL, settled_at = $4
				FROM held WHERE NOT held.mailable AND d.edition_id = held.edition_id AND d.contact_id = held.contact_id
			)
			SELECT EXISTS (SELECT 1 FROM held WHERE mailable)
			   AND EXISTS (SELECT 1 FROM mailer.senders WHERE id = $3 AND lease_until > $4)`,
			d.EditionID, d.ContactID, sender, now)
	})
	return mayGo, err
}
