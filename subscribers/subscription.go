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
	Paused       State = "paused" // by the person, until a time or until they come back
	Unsubscribed State = "unsubscribed"
)

// Subscription is a contact on a list.
type Subscription struct {
	ID          int64          `db:"id"`
	State       State          `db:"state"`
	Rhythm      string         `db:"rhythm"`
	Topics      pq.StringArray `db:"topics"`       // sections or tags; empty is all
	Activation  int            `db:"activation"`   // how often it became active; to come back without catching up counts
	PausedUntil *time.Time     `db:"paused_until"` // nil: not paused, or until they come back by themselves
	CatchUp     bool           `db:"catch_up"`     // paused: what was missed comes at the end
	CreatedAt   time.Time      `db:"created_at"`
	Contact     Contact        `db:"-"`
	List        List           `db:"-"`
}

const selectSubscription = `
SELECT id, state, rhythm, topics, activation, paused_until, catch_up, created_at, contact_id, list_id
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

// SubscriptionIDsOf returns the ids of a contact's subscriptions, also of one who was erased.
func SubscriptionIDsOf(ctx context.Context, h database.Handle, contact int64) (ids []int64, err error) {
	err = h.SelectContext(ctx, &ids, `SELECT id FROM subscribers.subscriptions WHERE contact_id = $1 ORDER BY id`, contact)
	errs.Wrap(&err, "read the subscriptions of contact %d", contact)
	return ids, err
}
