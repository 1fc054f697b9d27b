package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// State is where a subscription stands.
type State string

// The states. Only an active subscription is mailed.
const (
	Pending      State = "pending" // no consent yet
	Active       State = "active"
	Unsubscribed State = "unsubscribed"
)

// Method is how a consent was given or taken back.
type Method string

// The methods.
const (
	ByImport   Method = "import"
	ByOneClick Method = "one-click" // RFC 8058
	ByPage     Method = "page"
)

// Subscription is a contact on a list.
type Subscription struct {
	ID         int64          `db:"id"`
	State      State          `db:"state"`
	Rhythm     string         `db:"rhythm"`
	Topics     pq.StringArray `db:"topics"`     // sections or tags; empty is all
	Activation int            `db:"activation"` // how often it became active
	CreatedAt  time.Time      `db:"created_at"`
	Contact    Contact        `db:"-"`
	List       List           `db:"-"`
}

const selectSubscription = `
SELECT id, state, rhythm, topics, activation, created_at, contact_id, list_id
FROM subscribers.subscriptions
WHERE id = $1`

// SubscriptionByID returns a subscription with its contact and list, or errs.NotFound.
func SubscriptionByID(ctx context.Context, h database.Handle, id int64) (_ Subscription, err error) {
	var row struct {
		Subscription
		ContactID int64 `db:"contact_id"`
		ListID    int64 `db:"list_id"`
	}
	err = h.GetContext(ctx, &row, selectSubscription, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Subscription{}, noSubscription(id)
	}
	defer errs.Wrap(&err, "read subscription %d", id)
	if err != nil {
		return Subscription{}, err
	}
	if row.Contact, err = ContactByID(ctx, h, row.ContactID); err != nil {
		return Subscription{}, err
	}
	row.List, err = ListByID(ctx, h, row.ListID)
	return row.Subscription, err
}

func noSubscription(id int64) error { return errs.New(errs.NotFound, "no subscription %d", id) }

// The state and its explanation change in one statement, so that neither is ever there alone.
const unsubscribe = `
WITH ended AS (
    UPDATE subscribers.subscriptions
    SET state = 'unsubscribed'
    WHERE id = $1 AND state <> 'unsubscribed'
    RETURNING id)
INSERT INTO subscribers.consents (subscription_id, at, state, method, statement)
SELECT id, $2, 'unsubscribed', $3, $4 FROM ended`

// Unsubscribe ends a subscription: its contact gets nothing more from this list. wording is what the person was shown when
// they asked for it. Doing it again changes nothing, and the log keeps the first time alone. There being no such
// subscription is errs.NotFound.
func Unsubscribe(ctx context.Context, h database.Handle, id int64, method Method, now time.Time, wording string) (err error) {
	ended, err := execCount(ctx, h, unsubscribe, id, now, method, wording)
	if err == nil && ended == 0 {
		_, err = SubscriptionByID(ctx, h, id)
		return err
	}
	errs.Wrap(&err, "unsubscribe %d", id)
	return err
}
