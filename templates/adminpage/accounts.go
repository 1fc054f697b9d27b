package adminpage

import "time"

// Me is one's own account.
type Me struct {
	Email    string
	Fields   Fields // name, language, zone
	Zones    []string
	Password bool // there is one
	Shortest int  // characters of a password
	Factor   bool
	Recovery int // how many recovery codes are left
	Roles    []string
	Lists    []string // the only ones; nil: all
	Sessions []Session
	Mistakes Mistakes
}

// Session is a browser that is signed in.
type Session struct {
	ID             int64
	Agent, Network string
	MadeAt, SeenAt time.Time
	Here           bool // it is the one that shows the page
}

// Factor sets a second factor up.
type Factor struct {
	Secret   string // to be typed
	Modules  string // of the QR code, as the path of an SVG
	Size     int    // of the QR code, in modules
	Mistakes Mistakes
}

// Recovery shows recovery codes, once.
type Recovery struct{ Codes []string }

// Accounts are all accounts.
type Accounts struct{ Accounts []AccountRow }

// AccountRow is an account among others.
type AccountRow struct {
	ID          int64
	Email, Name string
	Roles       []string
	Lists       []string // the only ones; nil: all
	State       string   // invited, active, disabled
	Factor      bool
	SignedInAt  *time.Time
	Mail        string // what came of the mail with its link; "": there was none, or it was used
	Me          bool
}

// AccountForm invites somebody, or changes what an account may do.
type AccountForm struct {
	Account  *AccountRow // nil: one is to be invited
	Keys     int         // that the account made and that work
	Fields   Fields      // email, name, language, role, list
	Roles    []string
	Lists    []Choice
	Mistakes Mistakes
}

// Choice is something to be ticked.
type Choice struct {
	Value string
	Label string
}

// Keys are the API keys.
type Keys struct{ Keys []KeyRow }

// KeyRow is an API key.
type KeyRow struct {
	ID                int64
	Name, Hint, Maker string
	Roles             []string
	Lists             []string // the only ones; nil: all
	MadeAt            time.Time
	EndsAt, UsedAt    *time.Time
	State             string // works, ended, revoked, idle: its maker is disabled
}

// keyDays are after how many days a key may end; 0: never.
var keyDays = []int{90, 365, 30, 0}

// Days returns after how many days a key may end; 0: never.
func (KeyForm) Days() []int { return keyDays }

// KeyForm makes a key.
type KeyForm struct {
	Fields   Fields // name, role, list, days
	Roles    []string
	Lists    []Choice
	Mistakes Mistakes
}

// KeyMade shows a key, once.
type KeyMade struct{ Name, Secret string }

// Log is what was done by whom.
type Log struct {
	Fields  Fields // who, thing, id, day
	Actors  []Choice
	Things  []string
	Entries []LogEntry
	Pager   Pager
}

// LogEntry is a line of the log.
type LogEntry struct {
	At      time.Time
	Actor   string // "account 12"; "": nobody who is known
	Who     string // what is known of the actor by now; ""
	Thing   string // room.table
	ID      string
	What    string
	Changes []LogChange
}

// LogChange is a column that was changed, with what it was and what it became, as JSON; "" is nothing.
type LogChange struct{ Column, Before, After string }

func (Me) template() string          { return "accounts-me" }
func (Factor) template() string      { return "accounts-factor" }
func (Recovery) template() string    { return "accounts-recovery" }
func (Accounts) template() string    { return "accounts-list" }
func (AccountForm) template() string { return "accounts-one" }
func (Keys) template() string        { return "accounts-keys" }
func (KeyForm) template() string     { return "accounts-key" }
func (KeyMade) template() string     { return "accounts-key-made" }
func (Log) template() string         { return "accounts-log" }
