package edition

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
)

// Resend lets an edition's message go once more to one contact: the same delivery, which keeps its variant and its attempts, as a new message with a
// Message-ID and a Date of its own, for receivers hide one that they know. Only what was sent, has failed or is in doubt goes again, to somebody who may be
// mailed. What was given stays given, whatever becomes of it. Anything else is an error of kind errs.Conflict, errs.Gone below the floor, or errs.NotFound
// when the contact has no delivery of the edition.
func (d *Desk) Resend(ctx context.Context, id uuid.UUID, contact int64) error {
	floor, err := ledger.FloorOf(ctx, d.DB)
	if err != nil {
		return err
	}
	if floor.Below(id) {
		return errs.New(errs.Gone, "the deliveries of edition %s are not kept any more", id)
	}
	return d.work(ctx, id, act{"send it again", []State{Approved, Sending, Sent}}, func(b *bench) (string, error) {
		return fmt.Sprintf("sent again to contact %d", contact), b.resend(ctx, contact)
	})
}

// again is what has to be known of a delivery that is to go once more.
type again struct {
	Subscription int64         `db:"subscription_id"`
	State        string        `db:"state"`
	Groups       pq.Int64Array `db:"groups"`
	Given        bool          `db:"given"`    // its contact has it, or may
	Mailable     bool          `db:"mailable"` // the contact may be mailed
	Retired      bool          `db:"retired"`  // something of it is true no more
}

func (b *bench) resend(ctx context.Context, contact int64) error {
	id := b.edition.ID
	var found again
	err := b.GetContext(ctx, &found, `
		SELECT d.subscription_id, d.state, v.groups, (d.state = 'sent' OR `+ledger.EverInDoubt+`) AS given,
		       EXISTS (SELECT FROM subscribers.mailable m WHERE m.subscription_id = d.subscription_id) AS mailable,
		       v.retired OR EXISTS (SELECT FROM unnest(v.articles || v.more) a WHERE a NOT IN (SELECT article_id FROM articles.available)) AS retired
		FROM mailer.deliveries d JOIN mailer.variants v ON v.id = d.variant_id
		WHERE d.edition_id = $1 AND d.contact_id = $2
		FOR UPDATE OF d`, id, contact)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errs.New(errs.NotFound, "edition %s has no delivery to contact %d", id, contact)
	case err != nil:
		return err
	case found.State != "sent" && found.State != "failed" && found.State != "in_doubt":
		return errs.New(errs.Conflict, "the delivery is %s: only what was sent, has failed or is in doubt goes again", found.State)
	case !found.Mailable:
		return errs.New(errs.Conflict, "contact %d may not be mailed: silkpost contact show says why", contact)
	case found.Retired:
		return errs.New(errs.Conflict, "an article of it was withdrawn: silkpost edition make sends what is left, with --repeat")
	}
	if !found.Given && !b.edition.Repeats {
		if err := b.reclaim(ctx, contact, found); err != nil {
			return err
		}
	}
	if err := b.queueUp(ctx, found.Subscription); err != nil {
		return err
	}
	return b.begin(ctx, contact)
}

// queueUp lets newer digests of the list wait for this one: there is one at a time on its way to a contact.
func (b *bench) queueUp(ctx context.Context, subscription int64) error {
	if err := b.run(ctx, `
		UPDATE mailer.deliveries SET behind = true WHERE subscription_id = $1 AND edition_id > $2 AND due_at IS NOT NULL AND state <> 'in_flight'`,
		subscription, b.edition.ID); err != nil {
		return err
	}
	var flying bool
	if err := b.GetContext(ctx, &flying, `
		SELECT EXISTS (SELECT FROM mailer.deliveries WHERE subscription_id = $1 AND state = 'in_flight')`, subscription); err != nil || !flying {
		return err
	}
	return errs.New(errs.Conflict, "another digest is in flight to the contact: try again in a minute")
}

// reclaim takes the articles that a failed delivery gave back, if the contact has not been given them since.
func (b *bench) reclaim(ctx context.Context, contact int64, found again) error {
	lists, err := b.leftOut(ctx)
	if err != nil {
		return err
	}
	var elsewhere []uuid.UUID
	if err := b.SelectContext(ctx, &elsewhere, `
		SELECT DISTINCT d.edition_id FROM mailer.deliveries d
		JOIN mailer.editions e ON e.id = d.edition_id AND e.list_id = ANY ($4)
		JOIN mailer.variants v ON v.id = d.variant_id
		WHERE d.contact_id = $2 AND d.edition_id <> $1 AND v.groups && $3 AND `+counts+` LIMIT 1`,
		b.edition.ID, contact, found.Groups, pq.Array(append(lists, b.edition.ListID))); err != nil {
		return err
	}
	if len(elsewhere) > 0 {
		return errs.New(errs.Conflict, "its articles were given to contact %d by a later edition: %s", contact, elsewhere[0])
	}
	return b.run(ctx, `DELETE FROM mailer.released WHERE subscription_id = $1 AND group_id = ANY ($2)`, found.Subscription, found.Groups)
}

// begin makes the delivery due as a new message. An edition that was over is not over any more.
func (b *bench) begin(ctx context.Context, contact int64) error {
	if err := b.run(ctx, `
		UPDATE mailer.deliveries SET state = 'pending', due_at = $3, not_before = $3, sender_id = NULL, held_by = NULL, held_until = NULL, behind = true, resent = resent + 1
		WHERE edition_id = $1 AND contact_id = $2`, b.edition.ID, contact, b.now); err != nil {
		return err
	}
	return b.run(ctx, `UPDATE mailer.editions SET state = 'sending', finished_at = NULL WHERE id = $1 AND state = 'sent'`, b.edition.ID)
}
