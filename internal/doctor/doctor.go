// Package doctor looks for what keeps mail from arriving: at the database, the relay, the DNS records of our domains, the way back, the way in.
//
// What it is told about the program, and what was found out by asking servers that only other rooms know how to ask, comes in a Patient; what is published it
// asks the DNS itself. Each check gives findings: what is so, what that means, and the very record to publish or setting to change. Nothing is changed and
// nothing is sent.
package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"silkpost/internal/database"
	"silkpost/internal/dns"
	"silkpost/mailer/bounce"
	"silkpost/mailer/dkim"
	"silkpost/mailer/send"
)

// State is how grave a finding is.
type State string

// The states, from the best to the worst.
const (
	OK      State = "ok"
	Note    State = "note"    // worth knowing
	Warning State = "warning" // it will cost mail one day, or some of it
	Problem State = "problem" // it costs mail now
)

// Finding is what a check found.
type Finding struct {
	Check   string   `json:"check"`
	Domain  string   `json:"domain,omitempty"` // which it is about, as A-labels; "": none
	State   State    `json:"state"`
	Says    string   `json:"says"`              // what is so
	Means   string   `json:"means,omitempty"`   // what follows from it
	Do      string   `json:"do,omitempty"`      // what to do about it
	Publish []string `json:"publish,omitempty"` // records for the DNS, as lines of a zone file
}

// about returns what adds findings about a domain.
func about(domain string, found *[]Finding) func(...Finding) {
	return func(more ...Finding) {
		for _, f := range more {
			f.Domain = domain
			*found = append(*found, f)
		}
	}
}

func ok(format string, args ...any) Finding {
	return Finding{State: OK, Says: fmt.Sprintf(format, args...)}
}

func note(format string, args ...any) Finding {
	return Finding{State: Note, Says: fmt.Sprintf(format, args...)}
}

func warning(format string, args ...any) Finding {
	return Finding{State: Warning, Says: fmt.Sprintf(format, args...)}
}

func problem(format string, args ...any) Finding {
	return Finding{State: Problem, Says: fmt.Sprintf(format, args...)}
}

// means adds what follows from a finding.
func (f Finding) means(format string, args ...any) Finding {
	f.Means = fmt.Sprintf(format, args...)
	return f
}

// do adds what to do about a finding.
func (f Finding) do(format string, args ...any) Finding {
	f.Do = fmt.Sprintf(format, args...)
	return f
}

// publish adds a TXT record.
func (f Finding) publish(name, value string) Finding {
	f.Publish = append(f.Publish, dkim.ZoneTXT(name, value))
	return f
}

// unknown is a finding for what could not be found out.
func unknown(err error) Finding {
	return warning("it could not be found out: %s", err).do("try again; if it stays so, ask those who run the name servers of this machine")
}

// Patient is what is examined.
type Patient struct {
	Now time.Time
	DNS *dns.Resolver

	Database database.Health
	Skew     time.Duration // by how much the database's clock is ahead of ours
	Ready    bool          // there are partitions for today and tomorrow
	Free     int64         // bytes where the private database is; -1: it is elsewhere
	Held     string        // why nothing is sent from this database; "": it is not held
	Workers  int           // that are sending

	Relays  []Relay
	Largest int64 // bytes of the largest message that was rendered lately; 0: none was
	Senders []Sender
	Keys    []dkim.Lock
	Secrets int // how many secret keys are set
	Factors int // second factors that are not sealed with the first of them

	ReturnDomain  string // where mail comes back; "": to the senders
	ReturnListens bool   // a listener of ours takes it in, not a mailbox
	ReturnTLS     bool   // which offers STARTTLS
	Channel       bounce.Channel
	TestAddress   string // one of ours at ReturnDomain
	MailPort      string // where other servers bring mail; "": 25

	PublicURL string
	Web       Web
}

// Relay is a next hop, and what it told.
type Relay struct {
	Setting string // its name
	send.Relay
	Facts   send.Facts
	Failure string // why it could not be asked; "": it was
}

// Sender is an address that lists are sent from.
type Sender struct {
	Address string   // its domain as A-labels
	Lists   []string // slugs
}

// domain returns the domain of the address, in lower case.
func (s Sender) domain() string { return domainOf(s.Address) }

// Web is what was found out at the public URL.
type Web struct {
	Failure  string    // why it does not answer; "": it does
	Other    bool      // what answers there is not this installation
	OneClick string    // why a mail program's POST to unsubscribe does not get through; "": it does
	Expires  time.Time // the certificate; zero: not known
}

// check is one of them.
type check struct {
	name  string
	looks string // for people: what at
	of    func(ctx context.Context, p *Patient) []Finding
}

var checks = []check{
	{"database.version", "whether Postgres is new enough", databaseVersion},
	{"database.durable", "whether what Postgres confirms survives a crash", databaseDurable},
	{"database.space", "whether there is room on the private database's disk", databaseSpace},
	{"database.partitions", "whether there is room for the next editions in the account of messages", databasePartitions},
	{"database.transactions", "whether a forgotten transaction keeps tables from being cleaned", databaseTransactions},
	{"database.held", "whether the database is a copy that holds everything back", databaseHeld},
	{"clock", "whether the clocks agree", clocks},
	{"workers", "whether anybody is sending", workers},
	{"secret.key", "whether there is a secret key for links", secretKey},
	{"relay.connect", "whether the relay can be reached and lets us in", relayConnect},
	{"relay.tls", "whether the way to the relay is encrypted, and for how long its certificate holds", relayTLS},
	{"relay.size", "whether the relay takes our largest message", relaySize},
	{"relay.extensions", "what the relay offers: PIPELINING, 8BITMIME, SMTPUTF8, limits", relayExtensions},
	{"relay.sender", "whether the relay takes mail from our envelope senders", relaySender},
	{"sender.set", "whether there is a list with a sender", senderSet},
	{"sender.freemail", "whether mail is sent in the name of a free-mail provider", senderFreemail},
	{"sender.replies", "whether the senders' domains take mail", senderReplies},
	{"spf.record", "the SPF record of the domains that mail is sent from", spfRecord},
	{"spf.lookups", "how many questions that record costs its reader", spfLookups},
	{"spf.relay", "whether that record names the relay", spfRelay},
	{"dkim.keys", "whether mail is signed here, and the keys can be opened", dkimKeys},
	{"dkim.record", "whether the records of the keys are published as they should be", dkimRecord},
	{"dmarc.record", "the DMARC record of the senders' domains", dmarcRecord},
	{"dmarc.alignment", "whether SPF or DKIM vouch for the very domain that readers see", dmarcAlignment},
	{"return.domain", "whether mail to the return path finds its way to us", returnDomain},
	{"return.reach", "whether the server there takes mail for our addresses", returnReach},
	{"return.tested", "whether mail of our own has come back", returnTested},
	{"unsubscribe.url", "whether the link to unsubscribe is https", unsubscribeURL},
	{"unsubscribe.reach", "whether what answers there is this installation", unsubscribeReach},
	{"unsubscribe.click", "whether a mail program's click to unsubscribe gets through", unsubscribeClick},
}

// Checks returns the names of all checks in their order, those of Hear last.
func Checks() (names []string) {
	for _, c := range slices.Concat(checks, trialChecks) {
		names = append(names, c.name)
	}
	return names
}

// Looks says for people what a check looks at, "" when there is no such check.
func Looks(name string) string {
	for _, c := range slices.Concat(checks, trialChecks) {
		if c.name == name {
			return c.looks
		}
	}
	return ""
}

// atOnce is how many checks run at a time: they mostly wait for the DNS.
const atOnce = 6

// Examine runs all checks and returns what they found, in their order. It ends early when ctx does, with what there is.
func Examine(ctx context.Context, p *Patient) []Finding {
	found := make([][]Finding, len(checks))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, c := range checks {
		group.Go(func() error {
			found[i] = c.of(ctx, p)
			return nil
		})
	}
	_ = group.Wait() // no check fails
	var all []Finding
	for i, c := range checks {
		for _, f := range found[i] {
			f.Check = c.name
			if strings.HasPrefix(c.name, "return.") {
				f.Domain = p.ReturnDomain
			}
			all = append(all, f)
		}
	}
	return all
}

// Worst returns the gravest state among findings, OK when there are none.
func Worst(findings []Finding) State {
	worst := OK
	grave := map[State]int{OK: 0, Note: 1, Warning: 2, Problem: 3}
	for _, f := range findings {
		if grave[f.State] > grave[worst] {
			worst = f.State
		}
	}
	return worst
}
