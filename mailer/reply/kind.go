package reply

// Kind is what an answer is about.
type Kind string

// The kinds.
const (
	Accepted     Kind = "accepted"
	Unanswered   Kind = "unanswered"
	Unmade       Kind = "not made"
	Unreachable  Kind = "unreachable"
	Lost         Kind = "lost"
	Later        Kind = "later"
	NoAddress    Kind = "no such address"
	Closed       Kind = "address closed"
	Full         Kind = "mailbox full"
	Blocked      Kind = "blocked"
	Unproven     Kind = "not authenticated"
	Throttled    Kind = "throttled"
	RelayRefuses Kind = "relay refuses us"
	RelayBusy    Kind = "relay throttles"
	Crowded      Kind = "connection used up"
	Unsupported  Kind = "not supported"
	Refused      Kind = "refused"
	Doubted      Kind = "doubted"
)

// Whom says who or what an answer concerns.
type Whom string

// The ones.
const (
	Message     Whom = "this message"
	Address     Whom = "the address"
	Connection  Whom = "the connection"
	Destination Whom = "all mail to this destination"
	Relay       Whom = "all mail over this relay"
)

// Score is what a failed message counts against its address.
type Score int

// The scores.
const (
	None Score = iota
	Soft       // several of them, over weeks, suppress the address
	Hard       // one suppresses it
)

// String returns the score as a word.
func (s Score) String() string { return [...]string{"nothing", "soft", "hard"}[s] }

// meaning is what follows from a kind.
type meaning struct {
	outcome Outcome
	whom    Whom
	score   Score
	says    string // for operators
}

var meanings = map[Kind]meaning{
	Accepted:     {Sent, Message, None, "The next hop has taken the message."},
	Unanswered:   {InDoubt, Connection, None, "The message and its final dot went out, no answer came: the server may have it."},
	Unmade:       {Deferred, Message, None, "The message could not be made. The log says why."},
	Unreachable:  {Deferred, Relay, None, "The relay could not be reached, greeted us with a refusal, or TLS or the login failed. The route pauses."},
	Lost:         {Deferred, Connection, None, "The connection broke before the message was out."},
	Later:        {Deferred, Message, None, "The server asks us to come again: greylisting, a full disk, a restart."},
	NoAddress:    {Failed, Address, Hard, "There is no such mailbox, or no such domain. The address is suppressed."},
	Closed:       {Failed, Address, Soft, "The mailbox exists, but is closed, suspended or unused."},
	Full:         {Deferred, Address, Soft, "The mailbox is full. It counts once, when the delivery is given up."},
	Blocked:      {Deferred, Destination, None, "The destination does not want mail from our server or domain. The destination pauses; somebody has to look after our reputation."},
	Unproven:     {Deferred, Destination, None, "The destination finds no SPF, DKIM, DMARC or reverse DNS name that vouches for us. It pauses; somebody has to publish what is missing."},
	Throttled:    {Deferred, Destination, None, "The destination gets too much from us at once. It pauses for a while."},
	RelayRefuses: {Deferred, Relay, None, "Our relay does not take mail from us: it wants a login, or our sender address is not ours to use. The route pauses."},
	RelayBusy:    {Deferred, Relay, None, "Our relay gets too much from us at once. The route pauses."},
	Crowded:      {Deferred, Connection, None, "Enough messages for one connection: the message goes on over a new one."},
	Unsupported:  {Failed, Message, None, "The relay or the destination cannot carry this message: it lacks SMTPUTF8 or 8BITMIME."},
	Refused:      {Failed, Message, None, "This message was refused, for a reason that says nothing about the address."},
	Doubted:      {Deferred, Destination, None, "Ten addresses in a row do not exist, it is said: that is more likely to be about the server than about people. The destination, or the relay, pauses, and what these refusals did is taken back."},
}

// Outcome says what the kind means for its delivery.
func (k Kind) Outcome() Outcome { return meanings[k].outcome }

// Whom says who or what the kind concerns.
func (k Kind) Whom() Whom { return meanings[k].whom }

// Score says what a delivery that fails with this kind counts against its address.
func (k Kind) Score() Score { return meanings[k].score }

// Says returns a sentence about the kind, for operators.
func (k Kind) Says() string { return meanings[k].says }

// Pauses reports whether the destination should get no mail for a while.
func (k Kind) Pauses() bool { return k.Whom() == Destination }
