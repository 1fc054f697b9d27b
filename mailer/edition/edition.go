// Package edition decides who gets which articles, in which language and when: it plans the editions of a list.
//
// Its rules, in words (P1). What becomes due for a list gets a position, given out under the list's lock; no date decides. A
// subscription has a mark: what lies behind it was dealt with. An edition holds for each subscription what lies between its mark
// and the last position, and what a failed delivery gave back; planning it moves the marks, so nothing is planned twice and what
// topics or languages left out counts as given, and what the contact has from a list whose articles are left out. Where a digest has a maximum and
// the rest waits, the mark moves to the last article that is in; where it has a minimum that is not reached, it stays. A subscription that is new, or was away, starts where its rhythm's last edition
// ended when the list is next planned. What differs between two subscriptions but leads to the same digest makes one variant.
package edition

import (
	"time"

	"github.com/google/uuid"

	"silkpost/internal/clock"
	"silkpost/internal/database"
	"silkpost/subscribers"
)

// State is where an edition stands.
type State string

// The states that planning gives; sending and sent follow from its deliveries.
const (
	Review   State = "review"   // waits for approval
	Approved State = "approved" // goes out at each contact's hour
	Sending  State = "sending"
	Sent     State = "sent"
	Held     State = "held" // waits for a person
	Skipped  State = "skipped"

	Cancelled State = "cancelled"
)

// The origins of an edition.
const (
	bySchedule = "schedule"
	byHand     = "hand"
)

// Edition is one digest of one list and rhythm for one local date.
type Edition struct {
	ID         uuid.UUID  `db:"id" json:"id"`
	ListID     int64      `db:"list_id" json:"-"`
	List       string     `db:"-" json:"list"` // slug
	Rhythm     string     `db:"rhythm" json:"rhythm"`
	LocalDate  time.Time  `db:"local_date" json:"-"`
	State      State      `db:"state" json:"state"`
	Reason     string     `db:"reason" json:"reason"` // why it is held or skipped
	CutOff     time.Time  `db:"cut_off" json:"-"`
	Articles   int        `db:"articles" json:"articles"` // translation groups
	Variants   int        `db:"variants" json:"variants"`
	Recipients int        `db:"recipients" json:"recipients"`
	Empty      int        `db:"empty" json:"-"`                   // subscriptions that had nothing new for them
	Waiting    int        `db:"waiting" json:"waiting,omitempty"` // subscriptions with fewer articles than the list's minimum
	CreatedAt  time.Time  `db:"created_at" json:"-"`
	Paused     bool       `db:"paused" json:"-"`      // nothing of it goes out
	ApproveBy  *time.Time `db:"approve_by" json:"-"`  // in review: after that its list says what becomes of it; nil: it waits
	Corrects   *uuid.UUID `db:"corrects" json:"-"`    // of a correction notice: the edition whose recipients get it
	Audience   string     `db:"audience" json:"-"`    // whom it was narrowed to; "" is everybody
	Repeats    bool       `db:"repeats" json:"-"`     // also for those who got its articles
	WordsAlone bool       `db:"words_alone" json:"-"` // to those for whom none of its articles is left, it goes with its introduction alone
	FinishedAt *time.Time `db:"finished_at" json:"-"`
}

// Languages chooses the language of the product's words for a reader.
type Languages interface {
	Language(wanted []string, fallback string) string
}

// Request says which edition to plan.
type Request struct {
	List    subscribers.List
	Rhythm  string
	CutOff  time.Time // what is due by now goes in; hours are counted from here
	AtOnce  bool      // ignore the contacts' hours: everything is due at the cut-off
	ByHand  bool      // not the scheduled one of its date
	Approve bool      // whoever asks may approve

	// Audience narrows the edition; its zero value is everybody. Who is not meant gets their next edition as if this one had not been.
	Audience subscribers.Audience
}

// Planner plans editions. It may be used by any number of goroutines and processes at once; the list's lock puts them in order.
type Planner struct {
	Clock     clock.Clock
	Languages Languages
}

// handle is the transaction that a plan is made in.
type handle = database.Handle
