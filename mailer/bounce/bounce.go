// Package bounce reads the mail that comes back: bounces, complaints, wishes to unsubscribe, answers of machines and of people.
//
// Its rules, in words. Digests are sent from an address of their own, b+TOKEN at the bounce domain; the token names the delivery and is signed,
// so what comes to it can touch that delivery and its contact, and nobody else. What came without one is recognised by the signed words in the
// header of our message, when the mail carries it; a Message-ID alone, which others could work out, is a hint for a person and no more.
//
// A message is data: it is taken apart within bounds (depth, parts, bytes), its text is looked at and kept, and never becomes markup, a header or a
// connection. Warnings that something is late, and answers of machines that are no bounce (RFC 3834), change nothing. What is not understood is kept
// for a person. Whatever comes twice counts once, so any channel may deliver again after a crash.
//
// What counts: "no such address" and complaints suppress at once; a soft bounce when there were several over weeks and no clean delivery between;
// a refusal of us or of the one message never. Nothing that comes by mail ever lifts a suppression or begins a subscription.
package bounce

import (
	"silkpost/mailer/reply"
)

// Class is what a message is.
type Class string

// The classes.
const (
	Failure   Class = "bounce"    // our message was not delivered
	Complaint Class = "complaint" // its reader says that it is spam (RFC 5965)
	Delayed   Class = "delayed"   // it will be tried again
	Delivered Class = "delivered" // a report that all went well
	Automatic Class = "automatic" // an answer of a machine: out of office and the like
	Challenge Class = "challenge" // a machine wants somebody to prove that they are a person
	Unknown   Class = "unknown"
)

// Report is what a message says.
type Report struct {
	Class    Class
	Reply    reply.Reply // of a Failure: what the server said, in the phase bounce
	Original Header      // of our message, as far as it came back; nil: it did not
	From     string      // the From line, as it stands
	Subject  string      // decoded, one line

	to    []string // whom the message says that it came to
	bytes []byte   // all of it, for looking for tokens
}

// Kind says what a failure is about.
func (r *Report) Kind() reply.Kind { return r.Reply.Kind() }

// score is what a failure counts against the address. A server that could not be reached for days counts like a full mailbox.
func (r *Report) score() reply.Score {
	kind := r.Kind()
	if kind == reply.Later && r.Class == Failure {
		return reply.Soft
	}
	return kind.Score()
}
