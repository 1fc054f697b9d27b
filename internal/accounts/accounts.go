// Package accounts knows who may do what: administrators and their roles, the sessions of their browsers, API keys, invitations, and
// the log of everything that was changed.
package accounts

import (
	"slices"
	"time"
)

// Role is what an account is for. An account may have several.
type Role string

// The roles. Nobody sends but an approver: an owner, who may do everything else, can make themselves one, and the log shows it.
const (
	Owner    Role = "owner"
	Editor   Role = "editor"
	Approver Role = "approver"
	Manager  Role = "manager" // of the people of given lists
	Reader   Role = "reader"
)

// Roles are all roles, the mightiest first.
var Roles = []Role{Owner, Editor, Approver, Manager, Reader}

// Act is what a page or an operation needs to be allowed.
type Act string

// The acts.
const (
	Own        Act = "own"         // oneself: the own account, its sessions; everybody who is signed in
	Read       Act = "read"        // see what is published, planned and sent, in numbers
	ReadPeople Act = "read_people" // see persons: contacts, deliveries with their addresses
	Edit       Act = "edit"        // sources, articles, feeds, themes; arrange editions and test them
	Send       Act = "send"        // let mail go out: approve, release, resume, resend, send now
	Stop       Act = "stop"        // keep mail from going out: hold, pause, cancel
	People     Act = "people"      // organisations, contacts, subscriptions, suppressions, imports
	Lists      Act = "lists"       // make and change lists
	Administer Act = "administer"  // accounts, keys, settings, erasing persons
)

// Acts are all acts.
var Acts = []Act{Own, Read, ReadPeople, Edit, Send, Stop, People, Lists, Administer}

// mayDo says what each role is for.
var mayDo = map[Role][]Act{
	Owner:    {Own, Read, ReadPeople, Edit, Stop, People, Lists, Administer},
	Editor:   {Own, Read, Edit, Stop},
	Approver: {Own, Read, ReadPeople, Send, Stop},
	Manager:  {Own, Read, ReadPeople, Stop, People},
	Reader:   {Own, Read},
}

// Actor is who asks for something: an account that is signed in, an API key, or the command line. It is a value: it says what was true when
// the request came.
type Actor struct {
	Account int64  // 0: none, it is a key
	Key     int64  // 0: none, it is an account
	Name    string // what logs call it: an id, such as "account 12" or "key 3"; never an address
	Email   string // of the account, for its own pages
	Roles   []Role
	// Lists are the ids of the only lists whose records it may touch, for managers and keys that are confined; nil: all.
	Lists    []int64
	Language string    // of the pages: a catalogue's tag; "": what the browser asks for
	Zone     string    // IANA time zone; "": UTC
	Proved   time.Time // when it last gave its password (and code); what is dangerous asks again
	Session  string    // its id, for the list of sessions; "" for a key
	// NoPassword: it came by a link that signs in, and has none to give again.
	NoPassword bool
}

// May reports whether the actor may do something on at least some lists.
func (a Actor) May(act Act) bool {
	return slices.ContainsFunc(a.Roles, func(r Role) bool { return slices.Contains(mayDo[r], act) })
}

// MayOn reports whether the actor may do something with records of all the given lists. Records that are of no list are for whoever is not
// confined to some.
func (a Actor) MayOn(act Act, lists ...int64) bool {
	if !a.May(act) {
		return false
	}
	if a.Lists == nil {
		return true
	}
	return len(lists) > 0 && !slices.ContainsFunc(lists, func(list int64) bool { return !slices.Contains(a.Lists, list) })
}

// Location returns the actor's time zone, UTC when it has none that is known.
func (a Actor) Location() *time.Location {
	if zone, err := time.LoadLocation(a.Zone); err == nil {
		return zone
	}
	return time.UTC
}
