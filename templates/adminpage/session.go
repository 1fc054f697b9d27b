package adminpage

import "time"

// SignIn asks for address and password.
type SignIn struct {
	To    string // the page of ours to go on to
	Email string
	Denial
}

// Denial is why somebody was not let in.
type Denial struct {
	Wrong bool
	Wait  time.Duration // they tried too often; 0: they did not
	Said  string        // another reason, in English; "": none
}

// Seconds returns for how long to wait.
func (d Denial) Seconds() int { return int((d.Wait + time.Second - 1) / time.Second) }

// Denied reports whether there is a reason.
func (d Denial) Denied() bool { return d != Denial{} }

// Code asks for the code of the second factor.
type Code struct {
	To string
	Denial
}

// Prove asks somebody who is signed in for their password again.
type Prove struct {
	To     string
	Form   string // where a form was sent, which is sent again with the password; "": it was none
	Fields Fields // of that form
	Unset  bool   // there is no password yet to ask for
	Denial
}

// LinkPage is where a link leads that works once.
type LinkPage struct {
	Email     string
	SignsIn   bool // it signs in; else a password is to be chosen
	First     bool // there was no password before
	Shortest  int  // characters of a password
	Mistakes  Mistakes
	GoneAlone bool // the link does not work any more
}

func (SignIn) template() string   { return "session-sign-in" }
func (Code) template() string     { return "session-code" }
func (Prove) template() string    { return "session-prove" }
func (LinkPage) template() string { return "session-link" }
