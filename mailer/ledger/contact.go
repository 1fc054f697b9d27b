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

// Received is a delivery as its contact may see it, with each attempt.
type Received struct {
	EditionID      uuid.UUID     `db:"edition_id"`
	ListID         int64         `db:"list_id"`
	Rhythm         string        `db:"rhythm"`
	LocalDate      time.Time     `db:"local_date"` // of the edition, in the list's zone
	ContactID      int64         `db:"contact_id"`
	SubscriptionID int64         `db:"subscription_id"`
	State          string        `db:"state"`
	Resent         int           `db:"resent"` // how often a person had it sent again
	NotBefore      time.Time     `db:"not_before"`
	SettledAt      *time.Time    `db:"settled_at"` // the last outcome; nil: none yet
	Language       string        `db:"language"`   // of the digest
	Sender         string        `db:"sender"`     // whom it is from; "" before its variant is rendered
	Articles       pq.Int64Array `db:"articles"`   // ids, in the digest's order
	Tries          []Try         `db:"-"`          // the first one first

	BouncedAt        *time.Time `db:"bounced_at"` // nil: nothing was reported of it
	BounceKind       BounceKind `db:"bounce_kind"`
	BounceDiagnostic string     `db:"bounce_diagnostic"`
}

// Try is an attempt as it stands in the account.
type Try struct {
	EditionID uuid.UUID `db:"edition_id"`
	ContactID int64     `db:"contact_id"`
	At        time.Time `db:"at"`
	Outcome   string    `db:"outcome"`
	Phase     string    `db:"phase"`
	Code      int       `db:"code"` // 0: no answer came
	Reply     string    `db:"reply"`
}

// ReceivedBy returns what subscriptions were sent, or are about to be, the newest edition first. It reads two statements: give it a
// snapshot.
func ReceivedBy(ctx context.Context, h database.Handle, subscriptions []int64) (all []Received, err error) {
	defer errs.Wrap(&err, "ledger.ReceivedBy")
	if err := h.SelectContext(ctx, &all, `
		SELECT d.edition_id, e.list_id, e.rhythm, e.local_date, d.contact_id, d.subscription_id, d.state, d.resent, d.not_before, d.settled_at,
		       v.language, coalesce(v.sender, '') AS sender, v.articles || v.more AS articles, d.bounced_at, coalesce(d.bounce_kind, '') AS bounce_kind,
		       coalesce(d.bounce_diagnostic, '') AS bounce_diagnostic
		FROM mailer.deliveries d
		JOIN mailer.editions e ON e.id = d.edition_id
		JOIN mailer.variants v ON v.id = d.variant_id
		WHERE d.subscription_id = ANY ($1)
		ORDER BY d.edition_id DESC, d.subscription_id`, pq.Array(subscriptions)); err != nil {
		return nil, err
	}
	var tries []Try
	err = h.SelectContext(ctx, &tries, `
		SELECT a.edition_id, a.contact_id, a.at, a.outcome, a.phase, a.code, a.reply
		FROM mailer.deliveries d JOIN mailer.attempts a USING (edition_id, contact_id)
		WHERE d.subscription_id = ANY ($1)
		ORDER BY a.at, a.number`, pq.Array(subscriptions))
	type key struct {
		edition uuid.UUID
		contact int64
	}
	place := make(map[key]*Received, len(all))
	for i := range all {
		place[key{all[i].EditionID, all[i].ContactID}] = &all[i]
	}
	for _, try := range tries {
		if r := place[key{try.EditionID, try.ContactID}]; r != nil {
			r.Tries = append(r.Tries, try)
		}
	}
	return all, err
}

// Forget takes from the account of an erased contact what may name the person: of each reply only the enhanced status code stays, also of
// those that are still to come. States, times and codes stay, so every count is what it was. It is for the transaction that erases the
// contact; doing it again changes nothing.
func Forget(ctx context.Context, tx *sqlx.Tx, subscriptions []int64) (err error) {
	defer errs.Wrap(&err, "ledger.Forget")
	for _, statement := range []string{
		// The rows first: who is settling one of them holds it, and is done when the attempts are looked at.
		`UPDATE mailer.deliveries SET erased = true, reply = coalesce(substring(reply FROM ` + EnhancedCode + `), ''),
			bounce_diagnostic = substring(bounce_diagnostic FROM ` + EnhancedCode + `)
		 WHERE subscription_id = ANY ($1) AND NOT erased`,
		`UPDATE mailer.attempts a SET reply = coalesce(substring(a.reply FROM ` + EnhancedCode + `), '')
		 FROM mailer.deliveries d
		 WHERE d.subscription_id = ANY ($1) AND a.edition_id = d.edition_id AND a.contact_id = d.contact_id`,
	} {
		if _, err := tx.ExecContext(ctx, statement, pq.Array(subscriptions)); err != nil {
			return err
		}
	}
	return nil
}
