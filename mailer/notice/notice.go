// Package notice keeps the account of mails to one person alone, about their own subscription or address: what a form or a page asks for.
//
// Its rules, in words. A notice is written down in the transaction that makes it true, and a job of the queue with its id sends it.
// What a form asks for has limits, since anybody can write anybody's address there; what is beyond them is not written down at all. Whether
// a notice may go is asked right before it is sent: it is cancelled when what it says is no longer so, and suppressed when its person must not be
// mailed. Suppression concerns all of them but the one that asks its person whether they want mail, and only as far as they may lift it by
// saying so (P5). The words of a notice's state are those of a delivery's. Between a server's answer and the record of it lies the only moment
// in which a process that is killed sends a notice a second time, with the same Message-ID and Date (P3).
package notice

import (
	"time"

	"github.com/google/uuid"

	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// Kind is what a notice is about.
type Kind string

// The kinds.
const (
	Confirmation Kind = "confirmation" // was it you who subscribed?
	Known        Kind = "known"        // you are subscribed already
	Welcome      Kind = "welcome"
	LastEdition  Kind = "last edition" // with the welcome
	NewAddress   Kind = "new address"  // is it yours? After the OldAddress was asked
	OldAddress   Kind = "old address"  // shall your mail go to another one?
)

// State is what came of a notice. Pending, Deferred and InDoubt are tried again until it is settled.
type State string

// The states.
const (
	Pending    State = "pending"
	Deferred   State = "deferred"
	InDoubt    State = "in_doubt" // nobody knows whether it was accepted
	Sent       State = "sent"     // accepted by the next hop
	Failed     State = "failed"
	Suppressed State = "suppressed" // its person must not be mailed
	Cancelled  State = "cancelled"  // what it says is no longer so
)

// Notice is a mail to one person alone.
type Notice struct {
	ID             uuid.UUID         `db:"id"`
	Kind           Kind              `db:"kind"`
	ContactID      int64             `db:"contact_id"`
	SubscriptionID int64             `db:"subscription_id"` // its list is whom the notice is from
	Standing       subscribers.State `db:"standing"`        // the subscription's state when the notice was asked for
	Activation     int               `db:"activation"`      // likewise
	EditionID      uuid.NullUUID     `db:"edition_id"`      // of a LastEdition, and of the Welcome that tells of it
	OldAddress     string            `db:"old_address"`     // of a change of address, until the notice is settled;
	NewAddress     string            `db:"new_address"`     // likewise
	State          State             `db:"state"`
	Open           bool              `db:"open"` // it may be tried again
	Unwelcome      bool              `db:"-"`    // the address bounced or complained: it is asked more seldom
	MadeAt         time.Time         `db:"made_at"`
	Attempts       int               `db:"attempts"`
	SettledAt      *time.Time        `db:"settled_at"` // the last outcome; nil: none yet
	Code           int               `db:"code"`       // the last SMTP reply; 0: none came
	Reply          string            `db:"reply"`      // likewise, or why it was not sent
	BouncedAt      *time.Time        `db:"bounced_at"` // nil: nothing was reported of it
	BounceKind     ledger.BounceKind `db:"bounce_kind"`
	BounceStatus   string            `db:"bounce_status"` // enhanced status code (RFC 3463)
}

// Of returns a notice of a kind about a subscription as it stands. Make writes it down.
func Of(kind Kind, sub *subscribers.Subscription) Notice {
	return Notice{Kind: kind, ContactID: sub.Contact.ID, SubscriptionID: sub.ID, Standing: sub.State, Activation: sub.Activation}
}

// To returns the address that the notice goes to, "" when its contact was erased.
func (n *Notice) To(contact *subscribers.Contact) string {
	switch {
	case contact.ErasedAt != nil:
		return ""
	case n.Kind == NewAddress:
		return n.NewAddress
	case n.Kind == OldAddress:
		return n.OldAddress
	}
	return contact.Email
}

// Asked returns what somebody who asks for a subscription is to be told, as it stands and with what speaks against mail to its address: that it is
// there, or else they are asked whether it was them, for only they can begin it, begin it anew, or say that mail may go there again.
func Asked(state subscribers.State, against []subscribers.Reason) Kind {
	if (state == subscribers.Active || state == subscribers.Paused) && len(against) == 0 {
		return Known
	}
	return Confirmation
}

// Verdict decides whether a notice may go now: it is Sent then, else Suppressed or Cancelled, and why. sub is the subscription as it stands now and
// against what speaks against mail to the address that the notice goes to.
func (n *Notice) Verdict(sub *subscribers.Subscription, against []subscribers.Reason) (State, string) {
	if sub.Contact.ErasedAt != nil {
		return Suppressed, "the contact was erased"
	}
	for _, reason := range against {
		if !reason.PersonLifts() || !n.asks() {
			return Suppressed, "the address is suppressed: " + string(reason)
		}
	}
	if why := n.stale(sub, against); why != "" {
		return Cancelled, why
	}
	return Sent, ""
}

// asks reports whether the notice asks its person whether they want mail.
func (n *Notice) asks() bool { return n.Kind == Confirmation || n.Kind == NewAddress }

// stale says why what the notice says is no longer so, "" when it is.
func (n *Notice) stale(sub *subscribers.Subscription, against []subscribers.Reason) string {
	switch n.Kind {
	case Confirmation, Known:
		if n.Kind == Confirmation && sub.State != n.Standing || Asked(sub.State, against) != n.Kind {
			return "the subscription is " + string(sub.State) + " by now"
		}
	case Welcome, LastEdition:
		if sub.State != subscribers.Active {
			return "the subscription is " + string(sub.State) + " by now"
		}
	case NewAddress, OldAddress:
		if sub.Contact.Email != n.OldAddress {
			return "the contact has another address by now"
		}
	}
	return ""
}
