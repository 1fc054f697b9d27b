package send_test

import (
	"fmt"
	"testing"
	"time"

	"silkpost/mailer/bounce"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
	"silkpost/subscribers"
)

// scored is a sender as the product has it.
func scored(s *send.Sender) { s.Scored, s.TakeBack, s.Connections = bounce.Score, bounce.TakeBack, 3 }

// unknownTo is a server that says of everybody who fits that there is no such mailbox, so often.
func unknownTo(to string, times int) catcher.Config {
	return catcher.Config{Script: catcher.Script{{Verb: "RCPT", To: to, Times: times, Reply: "550 5.1.1 <somebody>: Recipient address rejected: User unknown"}}}
}

// spread gives each reader a domain of its own.
func (p *post) spread(n int) {
	for i := range n {
		p.move(fmt.Sprintf("d%d.example", i), fmt.Sprintf("reader%d", i))
	}
}

func (p *post) suppressed() (n int) {
	p.must(p.db.Get(&n, `SELECT count(*) FROM subscribers.suppressions WHERE lifted_at IS NULL`))
	return n
}

// paused wants one pause, and returns it.
func (p *post) paused() ledger.Destination {
	p.t.Helper()
	all, err := ledger.Paused(p.ctx, p.db, p.clock.Now())
	p.must(err)
	if len(all) != 1 || all[0].Kind != string(reply.Doubted) {
		p.t.Fatalf("paused: %+v", all)
	}
	return all[0]
}

// later lets the time of a pause, and of what waits for it, be over.
func (p *post) later() {
	p.exec(`UPDATE mailer.destinations SET paused_until = $1`, p.clock.Now())
	p.exec(`UPDATE mailer.deliveries SET due_at = $1 WHERE state = 'deferred'`, p.clock.Now())
}

// A relay that knows nobody any more rests, and costs nobody their subscription: not one address stays suppressed, and all have their mail when it is mended.
func TestARelayThatRefusesEverybodyIsDoubted(t *testing.T) {
	t.Parallel()
	p := newPost(t, 40)
	p.spread(40)
	_, err := subscribers.Suppress(p.ctx, p.db, "reader39@d39.example", subscribers.Complaint, "a test", p.clock.Now())
	p.must(err)
	broken := catchertest.Start(t, unknownTo("*", 0))
	p.run(p.sender(broken.Addr, scored), "the relay rests and what failed is put off", func() bool {
		c := p.counts()
		return c.Deferred >= 10 && c.InFlight+c.Failed == 0
	})
	same(t, "suppressed", p.suppressed(), 1) // the complaint
	if n := broken.Counts().Connections; n == 0 {
		t.Error("the server was not asked")
	}
	rest := p.paused()
	if rest.Name != broken.Addr || rest.PausedUntil.Sub(rest.PausedAt) != time.Hour {
		t.Errorf("paused: %+v", rest)
	}
	var early, bounced int
	p.must(p.db.Get(&early, `SELECT count(*) FROM mailer.deliveries WHERE state = 'deferred' AND due_at < $1`, rest.PausedUntil))
	p.must(p.db.Get(&bounced, `SELECT count(*) FROM mailer.deliveries WHERE bounced_at IS NOT NULL`))
	same(t, "due before the pause is over", early, 0)
	same(t, "bounced", bounced, 0)

	// Another process heeds the pause, too.
	heard, looked := broken.Counts().Connections, 0
	p.run(p.sender(broken.Addr, scored), "it had time to claim something", func() bool {
		alive, err := ledger.Senders(p.ctx, p.db, p.clock.Now())
		p.must(err)
		looked += alive
		return looked > 50
	})
	same(t, "connections while it rests", broken.Counts().Connections, heard)

	// It is mended, and somebody says so: what waits for it goes at once.
	p.must(ledger.Resume(p.ctx, p.db, rest.Name, p.clock.Now()))
	mended := catchertest.Start(t, catcher.Config{})
	p.run(p.sender(mended.Addr, scored), "everything has its outcome", p.settled)
	same(t, "counts", p.counts(), ledger.Counts{Recipients: 40, Sent: 39, Suppressed: 1})
	var given int
	p.must(p.db.Get(&given, `SELECT count(*) FROM mailer.released WHERE subscription_id NOT IN (SELECT subscription_id FROM mailer.deliveries WHERE state = 'suppressed')`))
	same(t, "articles given back", given, 0)
}

// One destination that knows nobody any more rests by itself: others get their mail, over the same relay.
func TestADestinationThatRefusesEverybodyIsDoubted(t *testing.T) {
	t.Parallel()
	p := newPost(t, 30)
	for i := range 18 {
		p.move("broken.example", fmt.Sprintf("reader%d", i))
	}
	server := catchertest.Start(t, unknownTo("*@broken.example", 0))
	p.run(p.sender(server.Addr, scored), "the others have their mail", func() bool { c := p.counts(); return c.Sent == 12 && c.Deferred == 18 })
	same(t, "suppressed", p.suppressed(), 0)
	same(t, "who rests", p.paused().Name, "broken.example")
}

// Dead addresses among others are believed, and so are all when pauses change nothing, or a person says so.
func TestRefusalsAreBelieved(t *testing.T) {
	t.Parallel()
	t.Run("among others", func(t *testing.T) {
		t.Parallel()
		p := newPost(t, 45)
		for i := range 15 {
			p.move("dead.example", fmt.Sprintf("reader%d", 3*i))
		}
		server := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: "RCPT", To: "reader?@*", Reply: "550 5.1.1 no"}, {Verb: "RCPT", To: "reader1*@dead.example", Reply: "550 5.1.1 no"}}})
		p.run(p.sender(server.Addr, scored), "everything has its outcome", p.settled)
		same(t, "failed are suppressed", p.suppressed(), p.counts().Failed)
		if p.counts().Failed == 0 {
			t.Error("none has failed")
		}
	})
	t.Run("a dead list", func(t *testing.T) {
		t.Parallel()
		p := newPost(t, 40)
		p.spread(40)
		server := catchertest.Start(t, unknownTo("*", 0))
		for n := range 3 {
			p.run(p.sender(server.Addr, scored), "the relay rests", func() bool {
				var times int
				p.must(p.db.Get(&times, `SELECT coalesce(max(times), 0) FROM mailer.destinations`))
				c := p.counts()
				return times == n+1 && c.InFlight+c.Failed == 0
			})
			same(t, "suppressed", p.suppressed(), 0)
			p.later()
		}
		p.run(p.sender(server.Addr, scored), "everything has its outcome", p.settled)
		same(t, "counts", p.counts(), ledger.Counts{Recipients: 40, Failed: 40})
		same(t, "suppressed", p.suppressed(), 40)
	})
	t.Run("when a person says so", func(t *testing.T) {
		t.Parallel()
		p := newPost(t, 25)
		p.spread(25)
		server := catchertest.Start(t, unknownTo("*", 0))
		p.run(p.sender(server.Addr, scored), "the relay rests", func() bool { c := p.counts(); return c.Deferred >= 10 && c.InFlight+c.Failed == 0 })
		p.must(ledger.Resume(p.ctx, p.db, server.Addr, p.clock.Now()))
		p.run(p.sender(server.Addr, scored), "everything has its outcome", p.settled)
		same(t, "counts", p.counts(), ledger.Counts{Recipients: 25, Failed: 25})
	})
}

// While the first relay rests, mail goes over the second.
func TestTheSecondRelayStandsInForOneThatIsDoubted(t *testing.T) {
	t.Parallel()
	p := newPost(t, 30)
	p.spread(30)
	broken, second := catchertest.Start(t, unknownTo("*", 0)), catchertest.Start(t, catcher.Config{})
	relay, err := send.ParseRelay("smtp://" + second.Addr + "?tls=none")
	p.must(err)
	p.run(p.sender(broken.Addr, scored, func(s *send.Sender) { s.Relay.Fallback, s.ProbeAfter = &relay, 10*time.Millisecond }), "nothing has failed", func() bool {
		p.exec(`UPDATE mailer.deliveries SET due_at = $1 WHERE state = 'deferred'`, p.clock.Now())
		return p.settled()
	})
	same(t, "counts", p.counts(), ledger.Counts{Recipients: 30, Sent: 30})
	same(t, "suppressed", p.suppressed(), 0)
}
