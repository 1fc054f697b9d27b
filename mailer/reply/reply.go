// Package reply says what a mail server's answer means for a delivery.
//
// The rules, in words. What decides is the phase in which the answer came, its basic code, its enhanced code (RFC 3463) and, last, its
// words: the table in rules.go, of which the first rule that fits wins. An answer that never came, and any failure to connect, is temporary
// and never the recipient's fault; so are refusals that are about ourselves: those of our relay let the route pause, those of the recipient's
// server the destination. Once the final dot is out, silence means in doubt: the server may have the message. An unknown 5yz answer fails this
// one message and says nothing about the address; only what is listed as being about the address counts against it. Addresses that an answer
// quotes decide nothing.
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
	Data    Phase = "data"   // the DATA command
	Dot     Phase = "dot"    // the message and its final dot
	Bounce  Phase = "bounce" // afterwards: a report says what another server answered
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

// Outcome says what the answer means for its delivery.
func (r Reply) Outcome() Outcome { return r.Kind().Outcome() }

// Kind says what the answer is about.
func (r Reply) Kind() Kind {
	kind, _ := r.Judge()
	return kind
}

// Judge says what the answer is about, and by which rule; nil: by none of the table, but by its phase and basic code alone.
func (r Reply) Judge() (Kind, *Rule) {
	switch {
	case r.Phase == Dot && r.Code/100 == 2:
		return Accepted, nil
	case r.Phase == Dot && r.Code == 0:
		return Unanswered, nil
	case r.Phase == Compose && r.Text == NoSMTPUTF8, r.Phase == Compose && r.Text == No8BITMIME:
		return Unsupported, nil
	case r.Phase == Compose:
		return Unmade, nil
	case r.Phase == Connect:
		return Unreachable, nil
	case r.Code == 0 && r.Phase != Bounce:
		return Lost, nil
	}
	if rule := r.rule(); rule != nil {
		if r.Phase == Mail && rule.Kind.Whom() == Address { // ours: nobody has heard of the recipient's yet
			return r.ofOurAddress(), rule
		}
		return rule.Kind, rule
	}
	if r.class() == 5 {
		return Refused, nil
	}
	return Later, nil
}

// ofOurAddress says what an answer means that is about the address we send from.
func (r Reply) ofOurAddress() Kind {
	if r.class() == 5 {
		return RelayRefuses
	}
	return Later
}

// What a reply of phase Compose says when the relay lacks what a message needs.
const (
	NoSMTPUTF8 = "the relay does not offer SMTPUTF8, which this address needs"
	No8BITMIME = "the relay does not offer 8BITMIME, which this message needs"
)

// class returns the first digit of the codes: a report may have an enhanced one alone.
func (r Reply) class() int {
	if r.Code == 0 {
		if enhanced := r.Enhanced(); enhanced != "" {
			return int(enhanced[0] - '0')
		}
	}
	return r.Code / 100
}

// Closed reports whether the connection is of no more use after this answer.
func (r Reply) Closed() bool {
	return r.Phase != Compose && (r.Code == 0 || r.Code == 421 || r.Phase == Connect || r.Kind() == Crowded)
}

// AboutUs reports an answer that concerns everything we send, whoever it goes to: the server could not be reached, refused before it knew the
// recipient, or takes us for somebody who may not use it.
func (r Reply) AboutUs() bool {
	return r.Phase == Connect || r.Phase == Mail && r.Code/100 == 5 || r.Code != 0 && r.Kind().Whom() == Relay
}

// enhancedCode matches the code that an answer's text begins with; some put it in parentheses or behind a #.
var enhancedCode = regexp.MustCompile(`^[#(]{0,2}([245]\.\d{1,3}\.\d{1,3})\b`)

// Enhanced returns the enhanced status code (RFC 3463) that the text starts with, "" when there is none.
func (r Reply) Enhanced() string {
	if found := enhancedCode.FindStringSubmatch(r.Text); found != nil {
		return found[1]
	}
	return ""
}

// quoted matches what an answer quotes of addresses.
var quoted = regexp.MustCompile(`<[^<>]*>|[^\s<>]*@[^\s<>]*`)

// words returns the text in lower case, without the addresses that it quotes: their names could look like reasons.
func (r Reply) words() string {
	return strings.Join(strings.Fields(quoted.ReplaceAllString(strings.ToLower(r.Text), " ")), " ")
}

// OneLine makes a server's text fit for a log, a page and the database: one line of valid UTF-8 without control characters,
// of at most 500 bytes.
func OneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || 0x7f <= r && r < 0xa0 { // also those by which a terminal is told what to do with one code
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

// Unaddressed returns the text without the addresses that it quotes, for whatever outlives their owners.
func (r Reply) Unaddressed() string { return quoted.ReplaceAllString(r.Text, "<…>") }
