// Package reply says what an SMTP server's answer means for a delivery.
//
// The rules, in words: what decides is the phase in which the answer came, its basic code and its enhanced code. An answer
// that never came, and any failure to connect, is temporary and never the recipient's fault; so are the listed refusals that
// are about ourselves. Once the final dot is out, silence means in doubt: the server may have the message. An unknown 5yz answer
// fails this one message.
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

// AboutUs reports an answer that concerns everything we send, whoever it goes to: the server refused before it knew the recipient.
func (r Reply) AboutUs() bool { return r.Phase == Connect || r.Phase == Mail && r.Code/100 == 5 }

// soft reports a 5yz answer that time or an administrator mends.
func (r Reply) soft() bool {
	for _, rule := range softRules {
		if (rule.phase == "" || rule.phase == r.Phase) && (rule.code == 0 || rule.code == r.Code) &&
			(rule.enhanced == "" || rule.enhanced == r.Enhanced()) {
			return true
		}
	}
	return false
}

// softRules lists permanent-looking answers that are not about this message. What a rule leaves out is any.
var softRules = []struct {
	phase    Phase
	code     int
	enhanced string // RFC 3463
}{
	{code: 530}, // RFC 4954, 6: authenticate first, and the like
	{code: 534},
	{code: 535},
	{code: 538},
	{phase: Mail, enhanced: "5.1.7"}, // our own address is malformed,
	{phase: Mail, enhanced: "5.1.8"}, // does not exist,
	{phase: Mail, enhanced: "5.7.1"}, // or is not ours to use
	{enhanced: "5.2.2"},              // mailbox full
	{phase: Rcpt, code: 552},         // the same, said as RFC 5321, 4.5.3.1.10 has it
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
