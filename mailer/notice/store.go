package notice

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
)

// contactLock is the class of the advisory locks under which notices of one contact are counted.
const contactLock = 0x51aa

// Limits of what forms ask for, so that they are no use against people. They are counted in what is written down, so that a restart
// forgets nothing.
const (
	confirmEvery = 10 * time.Minute // of one subscription
	changeEvery  = time.Minute      // of one contact
	timesADay    = 5                // likewise, of either
	unwelcome    = 24 * time.Hour   // of one contact whose address bounced or complained
	formsADay    = 20               // of one contact, whatever they are about
)

// within are the kinds that share a kind's limits with it; none: it has no limits of its own.
func (n *Notice) within() (kinds []Kind, every time.Duration, ofSubscription bool) {
	switch n.Kind {
	case Confirmation, Known:
		if n.Unwelcome {
			return []Kind{Confirmation, Known}, unwelcome, false
		}
		return []Kind{Confirmation, Known}, confirmEvery, true
	case NewAddress, OldAddress:
		return []Kind{n.Kind}, changeEvery, false
	case Welcome, LastEdition:
	}
	return nil, 0, false
}

// Make writes a notice down and gives it its ID, or reports false: it is beyond its limits, or it is a welcome or a last edition and was made before.
// h must be a transaction.
func (n *Notice) Make(ctx context.Context, h database.Handle, now time.Time) (made bool, err error) {
	defer errs.Wrap(&err, "notice.Make(%s, subscription %d)", n.Kind, n.SubscriptionID)
	// Of two forms that are sent at once the second sees what the first one made.
	if _, err := h.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1, ($2::bigint % 2147483647)::int)`, contactLock, n.ContactID); err != nil {
		return false, err
	}
	n.ID, n.MadeAt, n.State, n.Open = uuid.New(), now, Pending, true
	kinds, every, ofSubscription := n.within()
	res, err := h.ExecContext(ctx, `
		INSERT INTO mailer.notices (id, kind, contact_id, subscription_id, standing, activation, edition_id, old_address, new_address, made_at)
		SELECT $1, $2, $3, $4, $5, $6, $7, nullif($8, ''), nullif($9, ''), $10
		WHERE cardinality($11::text[]) = 0 OR NOT EXISTS (
			SELECT FROM (
				SELECT count(*) FILTER (WHERE same) AS times, max(made_at) FILTER (WHERE same) AS last,
				       count(*) FILTER (WHERE kind IN ('confirmation', 'known', 'new address', 'old address')) AS forms
				FROM (
					SELECT kind, made_at, kind = ANY ($11) AND (NOT $12 OR subscription_id = $4) AS same
					FROM mailer.notices WHERE contact_id = $3 AND made_at > $10::timestamptz - interval '1 day'
				) today
			) counted
			WHERE times >= $14 OR last > $13 OR forms >= $15)
		ON CONFLICT DO NOTHING`,
		n.ID, n.Kind, n.ContactID, n.SubscriptionID, n.Standing, n.Activation, n.EditionID, n.OldAddress, n.NewAddress, now,
		kindsArray(kinds), ofSubscription, now.Add(-every), timesADay, formsADay)
	if err != nil {
		return false, err
	}
	rows, err := res.RowsAffected()
	return rows == 1, err
}

func kindsArray(kinds []Kind) pq.StringArray {
	words := make(pq.StringArray, len(kinds))
	for i, kind := range kinds {
		words[i] = string(kind)
	}
	return words
}

const columns = `id, kind, contact_id, subscription_id, standing, activation, edition_id, coalesce(old_address, '') AS old_address,
	coalesce(new_address, '') AS new_address, state, open, made_at, attempts, settled_at, code, reply,
	bounced_at, coalesce(bounce_kind, '') AS bounce_kind, coalesce(bounce_status, '') AS bounce_status`

// ByID returns a notice, or an error of kind errs.NotFound.
func ByID(ctx context.Context, h database.Handle, id uuid.UUID) (n Notice, err error) {
	err = h.GetContext(ctx, &n, `SELECT `+columns+` FROM mailer.notices WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return n, errs.New(errs.NotFound, "no notice %s", id)
	}
	errs.Wrap(&err, "notice.ByID(%s)", id)
	return n, err
}

// Outcome is what an attempt at a notice came to.
type Outcome struct {
	State State
	Tried bool // a server was asked, or the message could not be made
	Again bool // it is to be tried again
	Code  int
	Reply string
}

// Settle writes down what an attempt at a notice came to. Addresses that only this notice knew go when it is not tried again. One that is settled
// for good stays as it is, unless a late answer says that it was sent: a fact is a fact.
func Settle(ctx context.Context, h database.Handle, id uuid.UUID, o Outcome, now time.Time) (err error) {
	_, err = h.ExecContext(ctx, `
		UPDATE mailer.notices
		SET state = $2, open = $3, attempts = attempts + CASE WHEN $4 THEN 1 ELSE 0 END, settled_at = $5, code = $6,
		    reply = CASE WHEN erased THEN coalesce(substring($7 FROM `+ledger.EnhancedCode+`), '') ELSE $7 END,
		    old_address = CASE WHEN $3 THEN old_address END, new_address = CASE WHEN $3 THEN new_address END
		WHERE id = $1 AND (open OR $2 = 'sent')`,
		id, o.State, o.Again, o.Tried, now, o.Code, o.Reply)
	errs.Wrap(&err, "notice.Settle(%s)", id)
	return err
}

// Forget takes from the account of an erased contact what may name the person: addresses, and of each reply all but the enhanced status code, also of
// those that are still to come. It is for the transaction that erases the contact; doing it again changes nothing.
func Forget(ctx context.Context, tx *sqlx.Tx, contact int64) (err error) {
	_, err = tx.ExecContext(ctx, `
		UPDATE mailer.notices
		SET erased = true, old_address = NULL, new_address = NULL, reply = coalesce(substring(reply FROM `+ledger.EnhancedCode+`), ''),
		    bounce_diagnostic = bounce_status
		WHERE contact_id = $1`, contact)
	errs.Wrap(&err, "notice.Forget(contact %d)", contact)
	return err
}

// ToContact returns the notices to a contact, the newest first.
func ToContact(ctx context.Context, h database.Handle, contact int64) (all []Notice, err error) {
	err = h.SelectContext(ctx, &all, `SELECT `+columns+` FROM mailer.notices WHERE contact_id = $1 ORDER BY made_at DESC, id`, contact)
	errs.Wrap(&err, "notice.ToContact(%d)", contact)
	return all, err
}

// Count counts all notices there are by their state.
func Count(ctx context.Context, h database.Handle) (c ledger.Counts, err error) {
	err = h.GetContext(ctx, &c, `
		SELECT count(*) AS recipients,
		       count(*) FILTER (WHERE state = 'pending') AS pending, 0 AS in_flight,
		       count(*) FILTER (WHERE state = 'deferred') AS deferred, count(*) FILTER (WHERE state = 'sent') AS sent,
		       count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE state = 'suppressed') AS suppressed,
		       count(*) FILTER (WHERE state = 'cancelled') AS cancelled, count(*) FILTER (WHERE state = 'in_doubt') AS in_doubt
		FROM mailer.notices`)
	errs.Wrap(&err, "notice.Count")
	return c, err
}

// Troubled returns the notices whose last attempt did not go well, the latest first.
func Troubled(ctx context.Context, h database.Handle, limit int) (troubled []Notice, err error) {
	err = h.SelectContext(ctx, &troubled, `
		SELECT `+columns+` FROM mailer.notices WHERE state IN ('deferred', 'failed', 'in_doubt') ORDER BY settled_at DESC LIMIT $1`, limit)
	errs.Wrap(&err, "notice.Troubled")
	return troubled, err
}
