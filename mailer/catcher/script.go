package catcher

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"silkpost/internal/errs"
)

// Script says how a catcher fails. At each verb the first rule that applies is followed; without one all goes well.
//
//	catcher.Script{
//		{Verb: "RCPT", To: "*@full.example", Reply: "452 4.2.2 Mailbox full", Times: 1},
//		{Verb: "DOT", Cut: catcher.CutAfter, Skip: 10, Times: 1},
//	}
type Script []Rule

// Rule is one way to fail: when, and what then.
type Rule struct {
	// Verb is CONNECT, EHLO (HELO is meant as well), STARTTLS, AUTH, MAIL, RCPT, DATA, DOT, RSET, NOOP, VRFY or QUIT.
	Verb string

	// When: all that are given have to hold.
	From        string  // the sender is like this: * is any text, case does not matter; at MAIL, RCPT, DATA, DOT
	To          string  // the recipient (at DATA and DOT: an accepted one) is like this; at RCPT, DATA, DOT
	Connection  int     // the catcher's nth connection, from 1
	Message     int     // its connection's nth message (MAIL command), from 1
	Probability float64 // how often the above is followed by what comes below, by chance; 0 and 1: always
	Seed        uint64  // of that chance: the same seed gives the same course
	Skip        int     // not the first Skip times that the above holds, over all connections
	Times       int     // and then at most so often; 0: without end

	// What then: at least one.
	Reply string        // this answer, "452 4.2.2 Mailbox full"; lines parted by \n. A 4yz or 5yz keeps the verb from having an effect, a 2yz only changes the words of a good answer
	Cut   Cut           // the connection is closed; with a Reply, right after it
	Stall time.Duration // so long before the answer, or the cut; the verb has had its effect (at DOT: the message is kept) by then
	Slow  time.Duration // so long between each two bytes of the answer
}

// Cut is when a connection is closed.
type Cut string

// The cuts. Without a Reply, nothing is answered.
const (
	CutBefore Cut = "before" // the verb has no effect; at DOT: the message is not kept
	CutAfter  Cut = "after"  // the verb has its effect; at DOT: the message is kept
	CutBody   Cut = "body"   // at DATA: 354 is sent, and the first bytes of the body end the connection
)

func (r Rule) refuses() bool {
	return strings.HasPrefix(r.Reply, "4") || strings.HasPrefix(r.Reply, "5")
}

func (r Rule) cuts() bool { return r.Cut == CutBefore || r.Cut == CutAfter }

// onWire returns Reply as it is sent.
func (r Rule) onWire() string {
	code, text := r.Reply[:3], strings.TrimPrefix(r.Reply[3:], " ")
	lines := strings.Split(text, "\n")
	last := len(lines) - 1
	for i, line := range lines[:last] {
		lines[i] = code + "-" + line
	}
	lines[last] = code + " " + lines[last]
	return strings.Join(lines, "\r\n") + "\r\n"
}

// action returns what the rule does, for the log.
func (r Rule) action() string {
	var does []string
	for _, part := range []struct {
		name string
		is   bool
	}{{"reply", r.Reply != ""}, {"cut", r.Cut != ""}, {"stall", r.Stall > 0}, {"slow", r.Slow > 0}} {
		if part.is {
			does = append(does, part.name)
		}
	}
	return strings.Join(does, "+")
}

// situation is what the When of a rule is held against.
type situation struct {
	verb       string
	from       string
	to         string   // of RCPT
	recipients []string // accepted so far
	connection int
	message    int
}

func (r Rule) holds(s situation) bool {
	if s.verb == "HELO" {
		s.verb = "EHLO"
	}
	recipients := s.recipients
	if s.verb == "RCPT" {
		recipients = []string{s.to}
	}
	return r.Verb == s.verb &&
		(r.Connection == 0 || r.Connection == s.connection) &&
		(r.Message == 0 || r.Message == s.message) &&
		(r.From == "" || like(r.From, s.from)) &&
		(r.To == "" || slices.ContainsFunc(recipients, func(to string) bool { return like(r.To, to) }))
}

// like says whether text fits a pattern in which * is any text; case does not matter.
func like(pattern, text string) bool {
	parts := strings.Split(strings.ToLower(pattern), "*")
	text, ok := strings.CutPrefix(strings.ToLower(text), parts[0])
	if len(parts) == 1 {
		return ok && text == ""
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		var found bool
		_, text, found = strings.Cut(text, part)
		ok = ok && found
	}
	return ok && strings.HasSuffix(text, parts[last])
}

// director follows a script. It may be used by any number of goroutines.
type director struct {
	mu    sync.Mutex
	rules []*directed
}

// directed is a rule with its past.
type directed struct {
	Rule
	chance *rand.Rand
	held   int // how often When held, chance included
}

func newDirector(s Script) (*director, error) {
	d := &director{}
	for i, rule := range s {
		if err := rule.check(); err != nil {
			return nil, errs.New(errs.Invalid, "script: rule %d: %w", i+1, err)
		}
		d.rules = append(d.rules, &directed{Rule: rule, chance: rand.New(rand.NewPCG(rule.Seed, uint64(i)))})
	}
	return d, nil
}

// choose returns the rule to follow, and counts it as followed; the zero Rule when there is none.
func (d *director) choose(s situation) Rule {
	if len(d.rules) == 0 {
		return Rule{}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, rule := range d.rules {
		if rule.holds(s) && rule.isDue() {
			return rule.Rule
		}
	}
	return Rule{}
}

func (r *directed) isDue() bool {
	if r.Probability > 0 && r.chance.Float64() >= r.Probability {
		return false
	}
	r.held++
	return r.held > r.Skip && (r.Times == 0 || r.held <= r.Skip+r.Times)
}

// replyForm is what Reply may be: a code, and text without control characters in lines.
var replyForm = regexp.MustCompile(`^[245][0-9]{2}( [^\x00-\x09\x0b-\x1f\x7f]*)?$`)

// scriptable are the verbs of rules; an address can be asked for where its value is true.
var scriptable = map[string]struct{ from, to bool }{
	Connect: {}, "EHLO": {}, "STARTTLS": {}, "AUTH": {}, "RSET": {}, "NOOP": {}, "VRFY": {}, "QUIT": {},
	"MAIL": {from: true}, "RCPT": {from: true, to: true}, "DATA": {from: true, to: true}, Dot: {from: true, to: true},
}

// check finds what makes no sense. Its error names the key as a script file has it.
func (r Rule) check() error {
	can, known := scriptable[r.Verb]
	for _, wrong := range []struct {
		is   bool
		text string
	}{
		{r.Verb == "", "verb is missing"},
		{!known, fmt.Sprintf("verb %q is not known; the verbs are CONNECT, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, DOT, RSET, NOOP, VRFY and QUIT", r.Verb)},
		{r.From != "" && !can.from, "from: nothing is known of a sender at " + r.Verb + "; use MAIL, RCPT, DATA or DOT"},
		{r.To != "" && !can.to, "to: nothing is known of a recipient at " + r.Verb + "; use RCPT, DATA or DOT"},
		{r.Connection < 0, "connection is below 0"},
		{r.Message < 0, "message is below 0"},
		{r.Skip < 0, "skip is below 0"},
		{r.Times < 0, "times is below 0"},
		{!(r.Probability >= 0 && r.Probability <= 1), "probability is not between 0 and 1"},
		{r.Stall < 0, "stall is below 0"},
		{r.Slow < 0, "slow is below 0"},
		{r.Reply != "" && !replyForm.MatchString(r.Reply), fmt.Sprintf("reply %q does not begin with a code 2yz, 4yz or 5yz and a space, or holds control characters", r.Reply)},
		{r.Verb == "DATA" && strings.HasPrefix(r.Reply, "2"), "reply: a good answer to DATA is 354, it cannot be changed"},
		{!slices.Contains([]Cut{"", CutBefore, CutAfter, CutBody}, r.Cut), fmt.Sprintf("cut %q is not known; it is before, after or body", r.Cut)},
		{r.Cut == CutBody && (r.Verb != "DATA" || r.Reply != ""), "cut: body is for DATA alone, without a reply"},
		{r.action() == "", "does nothing; give it a reply, cut, stall or slow"},
	} {
		if wrong.is {
			return errs.New(errs.Invalid, "%s", wrong.text)
		}
	}
	return nil
}
