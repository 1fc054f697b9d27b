// Package reply says what an SMTP server's answer means for a delivery.
//
// The rules, in words: what decides is the phase in which the answer came, its basic code and its enhanced code. An answer
// that never came, and any failure before the recipient was named, is temporary and never the recipient's fault. Once the
// final dot is out, silence means in doubt: the server may have the message. An unknown 5yz answer fails this one message.
package reply

import (
	"regexp"
	"strings"
)

// Phase is how far an SMTP transaction had come.
type Phase string

// The phases in their order.
const (
	Compose Phase = "compose" // the message could not be made; no server was asked
	Connect Phase = "connect" // dialling, greeting, EHLO, STARTTLS and AUTH
	Mail    Phase = "mail"
	Rcpt    Phase = "rcpt"
	Data    Phase = "data" // the DATA command
	Dot     Phase = "dot"  // the message and its final dot
)

// Outcome is what an attempt did to its delivery; the words are those of the ledger's states.
type Outcome string

// The outcomes.
const (
	Sent     Outcome = "sent"     // accepted by the next hop
	Deferred Outcome = "deferred" // to be tried again
	Failed   Outcome = "failed"   // refused for good
	InDoubt  Outcome = "in_doubt" // nobody knows whether it was accepted
)

// Reply is a server's answer, or the lack of one.
type Reply struct {
	Phase Phase
	Code  int    // basic status code (RFC 5321); 0: no answer came
	Text  string // the answer's text with its enhanced code, or why none came; one line
}

// Outcome says what the answer means.
func (r Reply) Outcome() Outcome {
	switch {
	case r.Code == 0 && r.Phase == Dot:
		return InDoubt
	case r.Code == 0 || r.Phase == Connect || r.Phase == Compose:
		return Deferred
	case r.Phase == Dot && r.Code/100 == 2:
		return Sent
	case r.Code/100 == 5 && !r.soft():
		return Failed
	}
	return Deferred
}

// Closed reports whether the connection is of no more use after this answer.
func (r Reply) Closed() bool {
	return r.Phase != Compose && (r.Code == 0 || r.Code == 421 || r.Phase == Connect)
}

// soft reports a 5yz answer that time or an administrator mends.
func (r Reply) soft() bool {
	for _, rule := range softRules {
		if rule.code == r.Code || rule.enhanced != "" && rule.enhanced == r.Enhanced() {
			return true
		}
	}
	return false
}

// softRules lists permanent-looking answers that are not about this message: a full mailbox (RFC 3463, X.2.2), and a server
// that wants us to authenticate (RFC 4954).
var softRules = []struct {
	code     int
	enhanced string
}{
	{code: 530},
	{code: 534},
	{code: 535},
	{code: 538},
	{enhanced: "5.2.2"},
}

var enhancedCode = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

// Enhanced returns the enhanced status code (RFC 3463) that the text starts with, "" when there is none.
func (r Reply) Enhanced() string { return enhancedCode.FindString(r.Text) }

// OneLine makes a server's text fit for a log, a page and the database: one line of valid UTF-8 without control characters,
// of at most 500 bytes.
func OneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	text = strings.Join(strings.Fields(text), " ")
	for len(text) > 500 {
		text = strings.ToValidUTF8(text[:500], "")
	}
	return text
}
