package send_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/clock"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
)

// move gives readers addresses at another domain.
func (p *post) move(domain string, readers ...string) {
	p.t.Helper()
	for _, reader := range readers {
		p.exec(`UPDATE subscribers.contacts SET email = $1, email_key = $1 WHERE email = $2`, reader+"@"+domain, reader+"@example.org")
	}
}

// A destination that blocks us pauses for everybody; its readers are untouched, and others get their mail.
func TestADestinationThatBlocksUsPauses(t *testing.T) {
	t.Parallel()
	p := newPost(t, 12)
	p.move("blocked.example", "reader0", "reader1", "reader2", "reader3", "reader4", "reader5")
	p.move("BLOCKED.Example", "reader6")
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{
		{Verb: "DOT", To: "*@blocked.example", Reply: "550 5.7.515 Access denied, sending domain example.org does not meet the required authentication level"},
	}})
	waiting := func() (n int) { // each is looked at once: it is due when the pause ends
		p.must(p.db.Get(&n, `SELECT count(*) FROM mailer.deliveries d, mailer.destinations p WHERE d.state = 'deferred' AND d.due_at >= p.paused_until`))
		return n
	}
	p.run(p.sender(server.Addr, func(s *send.Sender) { s.Connections = 1 }), "the others have their mail, and the blocked ones wait", func() bool {
		return p.counts().Sent == 5 && waiting() == 7
	})
	c := p.counts()
	if c.Sent != 5 || c.Failed+c.Suppressed != 0 || c.Pending+c.Deferred != 7 {
		t.Errorf("counts %+v", c)
	}
	var tried int
	p.must(p.db.Get(&tried, `SELECT count(*) FROM mailer.attempts WHERE outcome = 'deferred'`))
	same(t, "attempts at the destination", tried, 1)
	paused, err := ledger.Paused(p.ctx, p.db, p.clock.Now())
	p.must(err)
	if len(paused) != 1 || paused[0].Name != "blocked.example" || paused[0].Kind != string(reply.Unproven) || paused[0].Code != 550 {
		t.Errorf("paused: %+v", paused)
	}

	// Somebody mends it and says so.
	other := catchertest.Start(t, catcher.Config{})
	p.must(ledger.Resume(p.ctx, p.db, "Blocked.example", p.clock.Now()))
	p.run(p.sender(other.Addr), "the rest has come", p.settled)
	same(t, "counts at the end", p.counts(), ledger.Counts{Recipients: 12, Sent: 12})
	if err := ledger.Resume(p.ctx, p.db, "blocked.example", p.clock.Now()); err == nil {
		t.Error("what does not pause was resumed")
	}
}

// What is in a window already, of this process or another, is held back as well.
func TestAPauseHoldsBackWhatWasClaimed(t *testing.T) {
	t.Parallel()
	p := newPost(t, 4)
	server := catchertest.Start(t, catcher.Config{OnEvent: func(e catcher.Event) {
		if e.Verb == "DOT" { // another process finds out
			_, _, err := ledger.Pause(p.ctx, p.db, ledger.Destination{Name: "example.org", Kind: "blocked"}, time.Hour, time.Hour, clock.System{}.Now())
			p.must(err)
		}
	}, Script: catcher.Script{{Verb: "DOT", Stall: 1100 * time.Millisecond, Times: 1}}})
	p.run(p.sender(server.Addr, func(s *send.Sender) { s.Connections = 1 }), "one is sent, the others are back", func() bool {
		c := p.counts()
		return c.Sent == 1 && c.Deferred == 3
	})
	if n := server.Counts().Messages; n != 1 {
		t.Errorf("%d messages went out", n)
	}
}

func TestPausesGrowAndEnd(t *testing.T) {
	t.Parallel()
	p := newPost(t, 0)
	now := p.clock.Now().Truncate(time.Second)
	pause := func(wantNews bool, want time.Duration) {
		t.Helper()
		until, news, err := ledger.Pause(p.ctx, p.db, ledger.Destination{Name: "x.example", Kind: "throttled"}, time.Minute, 3*time.Minute, now)
		p.must(err)
		if news != wantNews || news && until.Sub(now) != want {
			t.Errorf("news %v, for %s; want %v, %s", news, until.Sub(now), wantNews, want)
		}
	}
	pause(true, time.Minute)
	pause(false, 0)
	for _, want := range []time.Duration{2 * time.Minute, 3 * time.Minute, 3 * time.Minute} {
		now = now.Add(3 * time.Minute)
		pause(true, want)
	}
	now = now.Add(7 * time.Hour)
	pause(true, time.Minute)
}

// A server that has had enough messages over one connection gets the next over another, and it costs no attempt.
func TestTooManyMessagesForOneConnection(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"MAIL", "RCPT", "DATA"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			p := newPost(t, 9)
			server := catchertest.Start(t, catcher.Config{Script: catcher.Script{
				{Verb: verb, Message: 3, Reply: "452 4.7.0 Too many messages for this session"},
			}})
			p.run(p.sender(server.Addr, func(s *send.Sender) { s.Connections = 1 }), "everything has its outcome", p.settled)
			same(t, "received", received(t, server), eachOnce(9))
			var most int
			p.must(p.db.Get(&most, `SELECT max(attempts) FROM mailer.deliveries`))
			same(t, "attempts", most, 1)
			if n := server.Counts().Connections; n != 5 {
				t.Errorf("%d connections for 9 messages, two each", n)
			}
		})
	}
}

// A kept connection that says goodbye when the next message comes is dialled anew, at no cost.
func TestGoodbyeOnAnIdleConnection(t *testing.T) {
	t.Parallel()
	p := newPost(t, 4)
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{
		{Verb: "MAIL", Message: 2, Reply: "421 4.4.2 idle for too long", Cut: catcher.CutAfter},
	}})
	p.run(p.sender(server.Addr, func(s *send.Sender) { s.Connections = 1 }), "everything has its outcome", p.settled)
	same(t, "received", received(t, server), eachOnce(4))
	var most int
	p.must(p.db.Get(&most, `SELECT max(attempts) FROM mailer.deliveries`))
	same(t, "attempts", most, 1)
}

// A relay that throttles us pauses: nobody's attempts are burnt.
func TestAThrottlingRelayPausesTheRoute(t *testing.T) {
	t.Parallel()
	p := newPost(t, 5)
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: "DOT", Reply: "454 Throttling failure: Maximum sending rate exceeded", Times: 1}}})
	p.run(p.sender(server.Addr, func(s *send.Sender) { s.Connections = 1 }), "everything has its outcome", p.settled)
	same(t, "received", received(t, server), eachOnce(5))
	var paused bool
	p.must(p.db.Get(&paused, `SELECT min(settled_at) FILTER (WHERE attempts = 1) - (SELECT at FROM mailer.attempts WHERE code = 454) >= interval '0.9 s'
		FROM mailer.deliveries`))
	if !paused {
		t.Error("the others went on at once")
	}
}

// What the relay cannot carry fails with a reason; a domain beyond ASCII needs nothing of it.
func TestAddressesBeyondASCII(t *testing.T) {
	t.Parallel()
	p := newPost(t, 3)
	p.exec(`UPDATE subscribers.contacts SET email = 'reader0@bücher.example', email_key = 'reader0@xn--bcher-kva.example' WHERE email = 'reader0@example.org'`)
	p.exec(`UPDATE subscribers.contacts SET email = '读者@example.org', email_key = '读者@example.org' WHERE email = 'reader1@example.org'`)
	plain := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: "EHLO", Reply: "250 localhost\nPIPELINING"}}})
	p.run(p.sender(plain.Addr), "everything has its outcome", p.settled)
	same(t, "received", received(t, plain), map[string]int{"reader0@xn--bcher-kva.example": 1, "reader2@example.org": 1})
	var story []string
	p.get(&story, `SELECT state || ': ' || reply FROM mailer.deliveries WHERE state <> 'sent'`)
	same(t, "the story", story, []string{"failed: " + reply.NoSMTPUTF8})
}

// An address that does not exist is told of in the transaction that settles its delivery; what says nothing about the address is not.
func TestOnlyAddressFailuresAreScored(t *testing.T) {
	t.Parallel()
	p := newPost(t, 4)
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{
		{Verb: "RCPT", To: "reader0@*", Reply: "550 5.1.1 no such user"},
		{Verb: "RCPT", To: "reader1@*", Reply: "550 5.7.1 not you"},
		{Verb: "RCPT", To: "reader2@*", Reply: "552 5.2.2 mailbox full"},
	}})
	p.exec(`CREATE TABLE scored (words text)`)
	p.run(p.sender(server.Addr, func(s *send.Sender) {
		s.Retry.First, s.Retry.Longest, s.Retry.GiveUp = 200*time.Millisecond, 200*time.Millisecond, 3*time.Second
		s.Scored = func(ctx context.Context, tx *sqlx.Tx, failed []ledger.Attempt) error {
			for _, a := range failed {
				if _, err := tx.ExecContext(ctx, `INSERT INTO scored VALUES ($1)`, strings.Split(a.Delivery.Email, "@")[0]+" "+a.Reply.Kind().Score().String()); err != nil {
					return err
				}
			}
			return nil
		}
	}), "everything has its outcome", p.settled)
	var scored []string
	p.get(&scored, `SELECT words FROM scored ORDER BY 1`)
	same(t, "scored", scored, []string{"reader0 hard", "reader2 soft"})
	same(t, "counts", p.counts(), ledger.Counts{Recipients: 4, Sent: 1, Failed: 3})
	var story []string
	p.get(&story, `SELECT count(*) || ' of ' || max(d.attempts) || ', ' || min(d.reply) || ', gave back ' || (SELECT count(*) FROM mailer.released r
		WHERE r.subscription_id = min(d.subscription_id)) FROM mailer.attempts a JOIN mailer.deliveries d USING (edition_id, contact_id)
		JOIN subscribers.contacts c ON c.id = d.contact_id WHERE c.email ~ 'reader2' GROUP BY d.contact_id`)
	if len(story) != 1 || !strings.HasSuffix(story[0], ", 5.2.2 mailbox full, gave back 2") || strings.HasPrefix(story[0], "1 of") {
		t.Errorf("the whole story: %q", story)
	}
}
