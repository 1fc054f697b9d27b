package send_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"silkpost/internal/testkit"
	"silkpost/internal/testkit/smtptest"
	"silkpost/mailer/send"
)

// behaviour is something that a server does once, at one step of its second message, or of its first connection where there is no message yet.
type behaviour struct {
	name  string
	act   smtptest.Act
	waits bool // for a client that waits for more
}

var (
	closed, reset, silent = smtptest.Close, smtptest.Reset, smtptest.Silence

	longLine = strings.Repeat("x", 70_000)

	// behaviours are what is tried at every step.
	behaviours = []behaviour{
		{"421, closed", smtptest.Act{Reply: "421 4.3.2 closing", Then: closed}, false},
		{"421, stays", smtptest.Act{Reply: "421 4.3.2 closing"}, true},
		{"4yz", smtptest.Act{Reply: "450 4.2.0 later"}, false},
		{"4yz, no enhanced code", smtptest.Act{Reply: "451 later"}, false},
		{"4yz, disk full", smtptest.Act{Reply: "452 4.3.1 no room"}, false},
		{"454", smtptest.Act{Reply: "454 4.7.0 throttled"}, false},
		{"throttled there", smtptest.Act{Reply: "451 4.7.650 rate limited"}, false},
		{"too many here", smtptest.Act{Reply: "452 4.7.0 Too many messages for this session"}, false},
		{"5yz", smtptest.Act{Reply: "554 5.3.0 no"}, false},
		{"5yz, no words", smtptest.Act{Reply: "550"}, false},
		{"5yz, of the address", smtptest.Act{Reply: "550 5.1.1 no such user"}, false},
		{"5yz, blocked there", smtptest.Act{Reply: "550 5.7.606 Access denied, banned sending IP"}, false},
		{"5yz, lines", smtptest.Act{Reply: "554-5.3.0 no\n554-5.3.0 really\n554 5.3.0 not"}, false},
		{"codes differ by line", smtptest.Act{Reply: "250-2.0.0 yes\n550 5.0.0 no"}, true},
		{"1yz", smtptest.Act{Reply: "150 wait"}, false},
		{"3yz, another one", smtptest.Act{Reply: "334 and now?"}, false},
		{"no code", smtptest.Act{Reply: "<html>hello</html>"}, false},
		{"no such code", smtptest.Act{Reply: "999 9.9.9 what?"}, false},
		{"empty line", smtptest.Act{Reply: "\n250 2.0.0 yes"}, false},
		{"5yz, long line", smtptest.Act{Reply: "554 5.3.0 " + longLine}, false},
		{"half, closed", smtptest.Act{Part: 2, Then: closed}, false},
		{"half, reset", smtptest.Act{Part: 2, Then: reset}, false},
		{"half, silence", smtptest.Act{Part: 2, Then: silent}, false},
		{"lines without end", smtptest.Act{Reply: "250-2.0.0 yes\n250-2.0.0 and", Then: closed}, false},
		{"closed", smtptest.Act{Mute: true, Then: closed}, false},
		{"reset", smtptest.Act{Mute: true, Then: reset}, false},
		{"silence", smtptest.Act{Mute: true, Then: silent}, false},
	}

	// goodOnes are answers of which all is well.
	goodOnes = []behaviour{
		{"2yz, another one", smtptest.Act{Reply: "252 2.1.5 perhaps"}, false},
		{"2yz, no words", smtptest.Act{Reply: "250"}, false},
		{"2yz, lines", smtptest.Act{Reply: "250-2.0.0 one\n250-2.0.0 two\n250 2.0.0 three"}, false},
		{"2yz, long line", smtptest.Act{Reply: "250 2.0.0 " + longLine}, false},
		{"2yz, then closed", smtptest.Act{Then: closed}, false},
	}

	// taken are what a server does that has the message.
	taken = []behaviour{
		{"taken, closed", smtptest.Act{Keep: true, Mute: true, Then: closed}, false},
		{"taken, reset", smtptest.Act{Keep: true, Mute: true, Then: reset}, false},
		{"taken, silence", smtptest.Act{Keep: true, Mute: true, Then: silent}, false},
		{"taken, half, closed", smtptest.Act{Keep: true, Part: 2, Then: closed}, false},
		{"taken, garbage", smtptest.Act{Keep: true, Reply: "<html>hello</html>"}, false},
		{"taken, 421", smtptest.Act{Keep: true, Reply: "421 4.3.2 closing", Then: closed}, false},
	}
)

// of returns what is tried at a step.
func of(step smtptest.Step) []behaviour {
	switch step {
	case smtptest.Connect:
		return append(slices.Clone(behaviours), behaviour{"220, no words", smtptest.Act{Reply: "220"}, false}, // go-mail wants some
			behaviour{"220, lines", smtptest.Act{Reply: "220-mx.example.org\n220 ready"}, false}, behaviour{"220, then closed", smtptest.Act{Then: closed}, false})
	case smtptest.EHLO:
		return append(slices.Clone(behaviours), behaviour{"250, offers nothing", smtptest.Act{Reply: "250 mx.example.org"}, false})
	case smtptest.StartTLS:
		return append(slices.Clone(behaviours), behaviour{"220, then closed", smtptest.Act{Then: closed}, false}, behaviour{"220, then silence", smtptest.Act{Then: silent}, false},
			behaviour{"220, then no TLS", smtptest.Act{Reply: "220 2.0.0 go ahead\n<html>hello</html>", Then: closed}, false})
	case smtptest.Auth:
		return append(slices.Clone(behaviours), behaviour{"235, lines", smtptest.Act{Reply: "235-2.7.0 hello\n235 2.7.0 welcome"}, false})
	case smtptest.Data:
		return append(slices.Clone(behaviours), behaviour{"2yz", smtptest.Act{Reply: "250 2.0.0 taken"}, false}, behaviour{"354, lines", smtptest.Act{Reply: "354-go\n354 ahead"}, false},
			behaviour{"354, then closed", smtptest.Act{Then: closed}, false}, behaviour{"354, then silence", smtptest.Act{Then: silent}, false})
	case smtptest.Body:
		return []behaviour{{"closed", smtptest.Act{Then: closed}, false}, {"reset", smtptest.Act{Then: reset}, false}, {"silence", smtptest.Act{Then: silent}, false}}
	case smtptest.Dot:
		return slices.Concat(behaviours, goodOnes, taken)
	}
	return append(slices.Clone(behaviours), goodOnes...)
}

// TestWire sends three messages over one connection to a server that does one wrong thing, and shows what comes of it: the attempts other than
// the good ones, how many connections that took, what pauses, and what became of the three at last, when a server has been found that is well. The
// tables are goldens to be read; what must hold in every row is checked.
func TestWire(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		steps []smtptest.Step
		set   func(*smtptest.Config, *send.Relay)
	}{
		{"begin", []smtptest.Step{smtptest.Connect, smtptest.EHLO, smtptest.StartTLS, smtptest.Auth}, secured(t)},
		{"stepwise", []smtptest.Step{smtptest.Mail, smtptest.Rcpt, smtptest.Data, smtptest.Body, smtptest.Dot, smtptest.Rset, smtptest.Quit}, nil},
		{"pipelining", []smtptest.Step{smtptest.Mail, smtptest.Rcpt, smtptest.Data, smtptest.Body, smtptest.Dot, smtptest.Rset, smtptest.Quit}, func(c *smtptest.Config, _ *send.Relay) { c.Pipelining = true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tables := make([]bytes.Buffer, len(tt.steps))
			var steps sync.WaitGroup // side by side, however few tests may be: they wait for silent servers
			for i, step := range tt.steps {
				steps.Go(func() {
					t.Run(string(step), func(t *testing.T) {
						all := of(step)
						p := newPost(t, 3*len(all))
						p.scatter()
						for n, b := range all {
							fmt.Fprintf(&tables[i], "%-9s %-22s %s\n", step, b.name, p.try(3*n, step, b, tt.set))
						}
					})
				})
			}
			steps.Wait()
			var whole bytes.Buffer
			for i := range tables {
				_, _ = tables[i].WriteTo(&whole)
			}
			testkit.Golden(t, "testdata/wire-"+tt.name+".txt", whole.Bytes())
		})
	}
}

// secured has the server want TLS and a login.
func secured(t *testing.T) func(*smtptest.Config, *send.Relay) {
	t.Helper()
	web := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(web.Close)
	transport, _ := web.Client().Transport.(*http.Transport)
	return func(c *smtptest.Config, r *send.Relay) {
		c.TLS, c.Auth, c.Pipelining = web.TLS, true, true
		r.TLS, r.User, r.Password = send.StartTLS, "news", "secret"
		r.Roots = &tls.Config{RootCAs: transport.TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12}
	}
}

// scatter gives each reader a domain, so that the destination of one does not concern the others, and lets all wait.
func (p *post) scatter() {
	p.t.Helper()
	p.exec(`UPDATE subscribers.contacts SET email = replace(email, '@', '@' || split_part(email, '@', 1) || '.'), email_key = replace(email_key, '@', '@' || split_part(email_key, '@', 1) || '.')`)
	p.exec(`UPDATE mailer.deliveries SET due_at = '2100-01-01'`)
}

// call is what the three readers of a try are chosen by.
const call = `FROM subscribers.contacts c WHERE c.id = d.contact_id AND split_part(c.email, '@', 1) = ANY (ARRAY['reader' || $1::int, 'reader' || $1::int + 1, 'reader' || $1::int + 2])`

// try lets three readers' messages meet a behaviour and returns the row of the table.
func (p *post) try(first int, step smtptest.Step, b behaviour, set func(*smtptest.Config, *send.Relay)) string {
	p.t.Helper()
	p.exec(`UPDATE mailer.deliveries d SET due_at = not_before `+call, first)
	var once sync.Once
	server, other := p.meets(step, b, set, &once), p.meets("", behaviour{}, set, nil)

	pauses := &pausing{}
	s := p.wireSender(server, b, set)
	s.Log = slog.New(pauses)
	p.run(s, fmt.Sprintf("%s %s: all three were tried, or the route pauses", step, b.name), func() bool {
		return pauses.route() || p.number(`SELECT count(*) FROM mailer.deliveries d WHERE attempts > 0 AND EXISTS (SELECT `+call+`)`, first) == 3
	})
	if n := p.number(`SELECT count(*) FROM mailer.deliveries WHERE state = 'in_flight'`); n > 0 {
		p.t.Errorf("%s %s: %d are in flight after the end", step, b.name, n)
	}
	connections := server.Connections()
	if pauses.route() {
		connections = 1 // whether another one began meanwhile, chance decides
	}
	p.exec(`DELETE FROM mailer.destinations`)
	p.exec(`UPDATE mailer.deliveries d SET due_at = not_before `+call+` AND d.due_at IS NOT NULL`, first)
	over := func() bool {
		return p.number(`SELECT count(*) FROM mailer.deliveries d WHERE due_at IS NULL AND EXISTS (SELECT `+call+`)`, first) == 3
	}
	if !over() {
		p.run(p.wireSender(other, behaviour{}, set), "the rest is sent elsewhere", over)
	}
	p.agree(first, step, b, server, other)
	return fmt.Sprintf("%-22s connections %d  %-19s %s", p.tried(first), connections, pauses, p.story(first, server, other))
}

// meets starts a server that does something once; with once nil it is a good one.
func (p *post) meets(step smtptest.Step, b behaviour, set func(*smtptest.Config, *send.Relay), once *sync.Once) *smtptest.Server {
	p.t.Helper()
	cfg := smtptest.Config{Do: func(m smtptest.Moment) (act smtptest.Act) {
		if once == nil {
			return act
		}
		if step == smtptest.Rset && m.Step == smtptest.Rcpt && m.Message == 2 && m.Conn == 1 { // there is no RSET without it
			return smtptest.Act{Reply: "450 4.2.0 later"}
		}
		if m.Step == step && (m.Message == 0 || m.Message == 2 || m.Message > 2 && (step == smtptest.Rset || step == smtptest.Quit)) {
			once.Do(func() { act = b.act })
		}
		return act
	}}
	relay := send.Relay{}
	if set != nil {
		set(&cfg, &relay)
	}
	return smtptest.Start(p.t, cfg)
}

// wireSender is a sender of one connection that waits two seconds for silent servers.
func (p *post) wireSender(server *smtptest.Server, b behaviour, set func(*smtptest.Config, *send.Relay)) *send.Sender {
	p.t.Helper()
	return p.sender(server.Addr, func(s *send.Sender) {
		s.Connections = 1
		s.Retry = send.Retry{First: time.Hour, Longest: time.Hour, GiveUp: 24 * time.Hour, InDoubt: time.Hour} // until a try says otherwise
		if set != nil {
			set(&smtptest.Config{}, &s.Relay)
		}
		if b.act.Then == smtptest.Silence || b.waits {
			s.Relay.Patience = send.Patience{Dial: 2 * time.Second, Command: 2 * time.Second, Dot: 2 * time.Second}
		}
	})
}

func (p *post) number(query string, args ...any) (n int) {
	p.t.Helper()
	p.must(p.db.GetContext(p.ctx, &n, query, args...))
	return n
}

// tried returns the attempts that did not send.
func (p *post) tried(first int) string {
	p.t.Helper()
	var tries []string
	p.get(&tries, `SELECT format('%s %s %s', a.outcome, a.phase, a.code) FROM mailer.attempts a JOIN mailer.deliveries d USING (edition_id, contact_id)
		WHERE a.outcome <> 'sent' AND EXISTS (SELECT `+call+`) ORDER BY 1`, first)
	return cmp.Or(strings.Join(tries, ", "), "-")
}

// story returns what became of the three: states, and messages that servers kept.
func (p *post) story(first int, servers ...*smtptest.Server) string {
	p.t.Helper()
	var states []string
	p.get(&states, `SELECT count(*) || ' ' || d.state FROM mailer.deliveries d WHERE EXISTS (SELECT `+call+`) GROUP BY d.state ORDER BY 1 DESC`, first)
	kept := 0
	for _, s := range servers {
		kept += len(s.Messages())
	}
	return fmt.Sprintf("%s, %d messages", strings.Join(states, ", "), kept)
}

// agree checks what holds whatever a server does: clients keep to the protocol, each row says what the servers saw, its attempts are counted, and
// only what was in doubt comes twice.
func (p *post) agree(first int, step smtptest.Step, b behaviour, servers ...*smtptest.Server) {
	p.t.Helper()
	copies := map[string]int{}
	for _, s := range servers {
		for _, fault := range s.Faults() {
			p.t.Errorf("%s %s: %s", step, b.name, fault)
		}
		for _, m := range s.Messages() {
			copies[m.To]++
		}
	}
	var rows []struct {
		Email    string `db:"email"`
		State    string `db:"state"`
		Attempts int    `db:"attempts"`
		Tried    int    `db:"tried"`
		Doubted  int    `db:"doubted"`
	}
	p.get(&rows, `SELECT c.email, d.state, d.attempts, t.tried, t.doubted FROM mailer.deliveries d JOIN subscribers.contacts c ON c.id = d.contact_id,
		LATERAL (SELECT count(*) AS tried, count(*) FILTER (WHERE outcome = 'in_doubt') AS doubted FROM mailer.attempts a
			WHERE a.edition_id = d.edition_id AND a.contact_id = d.contact_id) t
		WHERE EXISTS (SELECT `+call+`)`, first)
	for _, r := range rows {
		switch {
		case r.State == "sent" && copies[r.Email] == 0:
			p.t.Errorf("%s %s: %s is sent, and no server has it", step, b.name, r.Email)
		case r.State != "sent" && copies[r.Email] > 0 && !b.act.Keep:
			p.t.Errorf("%s %s: %s is %s, and servers have %d of it", step, b.name, r.Email, r.State, copies[r.Email])
		case copies[r.Email] > 1+r.Doubted && !b.act.Keep:
			p.t.Errorf("%s %s: %s came %d times, and was in doubt %d times", step, b.name, r.Email, copies[r.Email], r.Doubted)
		case r.Attempts != r.Tried:
			p.t.Errorf("%s %s: %s has %d attempts, its row says %d", step, b.name, r.Email, r.Tried, r.Attempts)
		}
	}
}

// pausing listens to a sender's log for what pauses.
type pausing struct {
	mu   sync.Mutex
	what []string
}

func (l *pausing) Enabled(context.Context, slog.Level) bool { return true }

func (l *pausing) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for words, what := range map[string]string{"the relay takes nothing": "route", "a destination pauses": "destination"} {
		if strings.HasPrefix(r.Message, words) && !slices.Contains(l.what, what) {
			l.what = append(l.what, what)
		}
	}
	return nil
}

func (l *pausing) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *pausing) WithGroup(string) slog.Handler      { return l }

func (l *pausing) route() bool { return strings.Contains(l.String(), "route") }

func (l *pausing) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.what) == 0 {
		return "-"
	}
	return strings.Join(l.what, "+") + " pauses"
}

// A server that takes DATA although it refused the recipient gets nothing but the dot (RFC 2920, 3.1), and none gets a message for whom it does not
// know from whom it is.
func TestWireDataAfterARefusal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		refused smtptest.Step
		dots    int
	}{{smtptest.Rcpt, 1}, {smtptest.Mail, 0}} {
		t.Run(string(tt.refused), func(t *testing.T) {
			t.Parallel()
			p := newPost(t, 3)
			var once sync.Once
			server := smtptest.Start(t, smtptest.Config{Pipelining: true, Do: func(m smtptest.Moment) (act smtptest.Act) {
				switch {
				case m.Message != 2 || m.Conn != 1:
				case m.Step == tt.refused:
					once.Do(func() { act.Reply = "450 4.2.0 later" })
				case m.Step == smtptest.Rcpt:
					act.Reply = "250 2.1.5 whatever"
				case m.Step == smtptest.Data:
					act.Reply = "354 go ahead"
				case m.Step == smtptest.Dot:
					act.Reply = "554 5.5.1 no valid recipients"
				}
				return act
			}})
			p.run(p.sender(server.Addr, func(s *send.Sender) { s.Connections = 1 }), "everything is sent", p.settled)
			copies := map[string]int{}
			for _, m := range server.Messages() {
				copies[m.To]++
			}
			same(t, "received", copies, eachOnce(3))
			dots := 0
			for _, m := range server.Moments() {
				if m.Step == smtptest.Dot {
					dots++
				}
			}
			same(t, "final dots without a message", dots-3, tt.dots)
			if faults := server.Faults(); len(faults) > 0 {
				t.Error(faults)
			}
		})
	}
}
