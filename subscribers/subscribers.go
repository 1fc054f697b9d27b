// Package subscribers keeps partner organisations, their contacts, the lists, and who is on which list by which consent.
//
// Three rules hold for everything in it:
//
//   - One address is one contact. Addresses are compared by Address.Key; the form that was given is what is sent to.
//   - No means no. Only the person brings an unsubscribed subscription back; an import never does, and it never weakens
//     consent that is already there.
//   - The log of consents explains every state: each change of a subscription's state appends a row to it in the same
//     statement, and nothing is ever changed or removed there.
//
// Who may be mailed now stands in the view subscribers.mailable, which other rooms may read.
//
// Functions take a database.Handle first; one that needs a transaction of its own takes the *sqlx.DB and says so. Time is
// handed in. Errors about what somebody wrote are errs.Invalid and one clear line each.
package subscribers

// The rhythms, from the most to the least frequent.
const (
	Immediate = "immediate"
	Daily     = "daily"
	Weekly    = "weekly"
	Monthly   = "monthly"
)

// Rhythms holds every rhythm there is, in that order.
var Rhythms = []string{Immediate, Daily, Weekly, Monthly}
