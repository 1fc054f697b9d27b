// Package ledger keeps the account of every message: one delivery per edition and contact, ever, with each attempt at it.
//
// Its rules, in words. A delivery is claimed by a sender, a worker process with a lease; claiming is refused once the lease
// has run out. Whoever may no longer be mailed at that moment is suppressed, not claimed. An outcome is settled with the
// server's reply; a late "sent" is written down even when the lease was lost, because a fact is a fact, while any other late
// outcome only counts as an attempt. What a dead sender held is put back by anyone. A delivery that failed or was suppressed gives its
// articles back to the subscription's next edition, if there is to be one, unless it was ever in doubt: then the contact may have them. At any moment the eight
// states add up to the recipients. Of an edition's own row only what follows from its deliveries is written here: sending, sent.
package ledger

import (
	"time"

	"github.com/google/uuid"

	"silkpost/mailer/reply"
)

// Channel is what the database notifies when an edition may go out from now on.
const Channel = "silkpost_due"

// Delivery is a claimed delivery: one edition's message to one contact.
type Delivery struct {
	EditionID      uuid.UUID `db:"edition_id"`
	ContactID      int64     `db:"contact_id"`
	SubscriptionID int64     `db:"subscription_id"`
	VariantID      int64     `db:"variant_id"`
	NotBefore      time.Time `db:"not_before"` // the message's Date at every attempt
	Attempts       int       `db:"attempts"`   // settled ones
	Resent         int       `db:"resent"`     // how often a person had it sent again, each time as a new message
	Email          string    `db:"email"`
	Name           string    `db:"name"`
	Destination    string    `db:"destination"` // where it goes: the recipient's domain, or those who run its servers

	LeaveInDoubt bool `db:"leave_in_doubt"` // its list wants it left alone when nobody knows whether it arrived

	HeldUntil *time.Time `db:"held_until"` // when its turn came, if it had to wait for one under a limit; nil: it had not
}

// Since returns when a delivery could be tried first: its hour, or its turn when that was later.
func (d *Delivery) Since() time.Time {
	if d.HeldUntil != nil && d.HeldUntil.After(d.NotBefore) {
		return *d.HeldUntil
	}
	return d.NotBefore
}

// Attempt is one try at a delivery and what came of it.
type Attempt struct {
	Sender   uuid.UUID // who tried
	Delivery *Delivery
	At       time.Time
	Outcome  reply.Outcome
	Reply    reply.Reply
	DueAt    time.Time // when to try again; zero: never
	Relay    string    // host:port that it went over; "": it came to none
}

// Counts is how many deliveries are in each state. Recipients is their sum.
type Counts struct {
	Recipients int `db:"recipients" json:"recipients"`
	Pending    int `db:"pending" json:"pending"`
	InFlight   int `db:"in_flight" json:"in_flight"`
	Deferred   int `db:"deferred" json:"deferred"`
	Sent       int `db:"sent" json:"sent"`
	Failed     int `db:"failed" json:"failed"`
	Suppressed int `db:"suppressed" json:"suppressed"`
	Cancelled  int `db:"cancelled" json:"cancelled"`
	InDoubt    int `db:"in_doubt" json:"in_doubt"`
}

// States returns the counts by state.
func (c Counts) States() map[string]int {
	return map[string]int{
		"pending": c.Pending, "in_flight": c.InFlight, "deferred": c.Deferred, "sent": c.Sent, "failed": c.Failed, "suppressed": c.Suppressed,
		"cancelled": c.Cancelled, "in_doubt": c.InDoubt,
	}
}
