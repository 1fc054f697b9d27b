package send_test

import (
	"context"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/ledger"
	"silkpost/mailer/limit"
	"silkpost/mailer/send"
)

func (p *post) limit(limits ...limit.Limit) {
	p.t.Helper()
	for _, l := range limits {
		_, err := limit.Declare(p.ctx, p.db, l)
		p.must(err)
	}
}

// together lets several senders work until done reports true.
func (p *post) together(what string, done func() bool, senders ...*send.Sender) {
	p.t.Helper()
	ctx, stop := context.WithCancel(p.ctx)
	var working sync.WaitGroup
	for _, s := range senders {
		working.Go(func() {
			if err := s.Run(ctx); err != nil {
				p.t.Error(err)
			}
		})
	}
	testkit.Eventually(p.t, 60*time.Second, what, done)
	stop()
	working.Wait()
}

// mails returns when the server heard MAIL, and of whom if it knew by then.
func mails(server *catchertest.Server) (times []time.Time) {
	for _, e := range server.Events() {
		if e.Verb == "MAIL" {
			times = append(times, time.UnixMicro(e.Time))
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// most returns how many of the times lie within a stretch at most.
func most(times []time.Time, stretch time.Duration) (n int) {
	from := 0
	for i, at := range times {
		for at.Sub(times[from]) >= stretch {
			from++
		}
		n = max(n, i-from+1)
	}
	return n
}

// Three senders on one database, with ten connections in all: the server never hears more within a second than the limit and one per connection.
func TestALimitHoldsAtTheServer(t *testing.T) {
	t.Parallel()
	p, server := newPost(t, 120), catchertest.Start(t, catcher.Config{})
	p.limit(limit.Limit{Name: "all", PerSecond: 30})
	connections := []int{2, 4, 4}
	var senders []*send.Sender
	for _, n := range connections {
		senders = append(senders, p.sender(server.Addr, func(s *send.Sender) { s.Connections = n }))
	}
	p.together("everything has its outcome", p.settled, senders...)
	same(t, "received", received(t, server), eachOnce(120))
	heard := mails(server)
	if n := most(heard, time.Second); n > 30+10 {
		t.Errorf("%d within a second", n)
	}
	if took := heard[len(heard)-1].Sub(heard[0]); took < 3*time.Second {
		t.Errorf("120 messages at 30 a second took %s", took)
	}
	p.untouched()
}

// untouched wants that waiting has cost no attempt.
func (p *post) untouched() {
	p.t.Helper()
	var attempts int
	p.must(p.db.Get(&attempts, `SELECT coalesce(max(attempts), 0) FROM mailer.deliveries`))
	if attempts > 1 {
		p.t.Errorf("a delivery took %d attempts", attempts)
	}
}

// A destination with a limit keeps no other from its mail: what waits for it stands in a line, and each delivery was put back once.
func TestALimitedDestinationKeepsNoOtherWaiting(t *testing.T) {
	t.Parallel()
	p, server := newPost(t, 60), catchertest.Start(t, catcher.Config{})
	p.slow(40)
	p.limit(limit.Limit{Name: "slow", Destination: "slow.example", PerHour: 10})
	held := p.countHeld()
	p.together("the others have their mail, and the limit's number", func() bool { c := p.counts(); return c.Sent == 30 && c.Deferred == 30 },
		p.sender(server.Addr, func(s *send.Sender) { s.Connections = 3 }), p.sender(server.Addr, func(s *send.Sender) { s.Connections = 2 }))
	same(t, "put back", held(), 30)
	p.untouched()
	var wrong int // turns lie six minutes apart, and a little more
	p.must(p.db.Get(&wrong, `SELECT count(*) FROM (SELECT due_at - lag(due_at) OVER (ORDER BY due_at) AS gap FROM mailer.deliveries WHERE state = 'deferred') turns
		WHERE gap < interval '6 minutes' OR gap > interval '7 minutes'`))
	same(t, "turns that are not in line", wrong, 0)
}

// What waits comes at the limit's rate, and no burst follows.
func TestALineMovesAtTheLimitsRate(t *testing.T) {
	t.Parallel()
	p, server := newPost(t, 40), catchertest.Start(t, catcher.Config{})
	p.slow(40)
	p.limit(limit.Limit{Name: "slow", Destination: "slow.example", PerSecond: 10})
	p.together("everything has its outcome", p.settled,
		p.sender(server.Addr, func(s *send.Sender) { s.Connections = 3 }), p.sender(server.Addr, func(s *send.Sender) { s.Connections = 2 }))
	same(t, "received", len(received(t, server)), 40)
	if n := most(mails(server), time.Second); n > 10+5 {
		t.Errorf("%d within a second", n)
	}
	p.untouched()
}

// slow moves so many readers to slow.example.
func (p *post) slow(n int) {
	p.t.Helper()
	for i := range n {
		p.move("slow.example", "reader"+strconv.Itoa(i))
	}
}

// countHeld returns what says how often deliveries were put back to wait for their turns, from now on.
func (p *post) countHeld() (held func() int) {
	p.exec(`CREATE TABLE held (n bigint)`)
	p.exec(`CREATE FUNCTION count_held() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO held VALUES (1); RETURN NULL; END $$`)
	p.exec(`CREATE TRIGGER held AFTER UPDATE OF held_by ON mailer.deliveries FOR EACH ROW WHEN (NEW.held_by IS NOT NULL AND OLD.held_by IS NULL) EXECUTE FUNCTION count_held()`)
	return func() (n int) {
		p.must(p.db.Get(&n, `SELECT count(*) FROM held`))
		return n
	}
}

// What is over today's number of a plan waits for tomorrow, the status says so, and a limit that is taken away lets it go at once.
func TestWarmUpWaitsForTomorrow(t *testing.T) {
	t.Parallel()
	p, server := newPost(t, 20), catchertest.Start(t, catcher.Config{})
	p.limit(limit.Limit{Name: "new", Sender: "news@example.org", WarmUp: limit.WarmUp{From: p.clock.Now().Format(time.DateOnly), Start: 7, Factor: 2, Until: 1000}})
	p.run(p.sender(server.Addr), "today's are sent", func() bool { c := p.counts(); return c.Deferred == 13 && c.Sent == 7 })
	lines, err := ledger.Lines(p.ctx, p.db, p.clock.Now())
	p.must(err)
	tomorrow := p.clock.Now().Truncate(24*time.Hour).AddDate(0, 0, 1)
	if len(lines) != 1 || lines[0].Limit != "new" || lines[0].Period != "warm-up" || lines[0].About != "news@example.org" || lines[0].Waiting != 13 ||
		!lines[0].Next.Equal(tomorrow) || lines[0].Last.After(tomorrow.AddDate(0, 0, 1)) {
		t.Errorf("the lines: %+v", lines)
	}
	_, err = limit.Remove(p.ctx, p.db, "new")
	p.must(err)
	let, err := ledger.LetGo(p.ctx, p.db, "new", p.clock.Now())
	p.must(err)
	same(t, "let go", let, 13)
	p.run(p.sender(server.Addr), "everything has its outcome", p.settled)
	same(t, "counts", p.counts(), ledger.Counts{Recipients: 20, Sent: 20})
	p.untouched()
}

// A server that takes three connections has three, the others' messages go over them, and nobody's attempt is spent.
func TestConnectionsAdapt(t *testing.T) {
	t.Parallel()
	p := newPost(t, 60)
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: "DOT", Stall: 20 * time.Millisecond}}})
	door := newDoor(t, server.Addr, 3)
	p.run(p.sender(door.addr, func(s *send.Sender) { s.Connections = 20 }), "everything has its outcome", p.settled)
	same(t, "received", received(t, server), eachOnce(60))
	p.untouched()
	if let, refused := door.counts(); refused == 0 || refused > 17 || let > 6 {
		t.Errorf("%d connections were let in, %d refused", let, refused)
	}
}

// door lets so many connections through to a server and tells others to go away.
type door struct {
	addr string

	mu           sync.Mutex
	inside       int
	let, refused int
}

func newDoor(t testing.TB, server string, room int) *door {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{addr: ln.Addr().String()}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			if !d.enter(room) {
				_, _ = c.Write([]byte("421 4.7.0 Too many connections\r\n"))
				_ = c.Close()
				continue
			}
			open.Go(func() { d.through(t, c, server) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		open.Wait()
	})
	return d
}

func (d *door) enter(room int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inside >= room {
		d.refused++
		return false
	}
	d.inside++
	d.let++
	return true
}

func (d *door) through(t testing.TB, c net.Conn, server string) {
	inner, err := (&net.Dialer{}).DialContext(context.WithoutCancel(t.Context()), "tcp", server)
	if err != nil {
		t.Error(err)
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{c, inner}, {inner, c}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_, _ = c.Close(), inner.Close()
		})
	}
	both.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inside--
}

func (d *door) counts() (let, refused int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.let, d.refused
}

// When the first relay cannot be reached, mail goes over the second at once, the message at which that was found out as well; nothing is lost or doubled, each attempt says
// over which; and back when the first takes connections again.
func TestMailGoesOverTheSecondRelay(t *testing.T) {
	t.Parallel()
	p := newPost(t, 40)
	var mu sync.Mutex
	first := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: "CONNECT", Reply: "421 4.3.2 not now", Times: 5}}})
	second := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: "DOT", Stall: 100 * time.Millisecond}}})
	over := map[string]int{}
	s := p.sender(first.Addr, func(s *send.Sender) {
		fallback, err := send.ParseRelay("smtp://" + second.Addr + "?tls=none")
		p.must(err)
		s.Relay.Fallback, s.ProbeAfter, s.Connections = &fallback, 100*time.Millisecond, 2
		s.Observe = func(a ledger.Attempt, _ time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			over[a.Relay+" "+string(a.Outcome)]++
		}
	})
	p.run(s, "everything has its outcome", p.settled)
	mu.Lock()
	defer mu.Unlock()
	if over[second.Addr+" sent"] == 0 || over[first.Addr+" sent"] == 0 || over[first.Addr+" deferred"] != 0 {
		t.Errorf("attempts: %v", over)
	}
	got := received(t, first)
	for to, n := range received(t, second) {
		got[to] += n
	}
	same(t, "received", got, eachOnce(40))
}

// What the first relay refuses is not tried at the second.
func TestARefusedMessageDoesNotGoRound(t *testing.T) {
	t.Parallel()
	p := newPost(t, 6)
	first := catchertest.Start(t, catcher.Config{Script: catcher.Script{
		{Verb: "RCPT", To: "reader1@*", Reply: "550 5.1.1 no such user"},
		{Verb: "DOT", To: "reader2@*", Reply: "554 5.7.1 not wanted"},
		{Verb: "RCPT", To: "reader3@*", Reply: "450 4.2.0 greylisted", Times: 1},
		{Verb: "DATA", To: "reader4@*", Cut: catcher.CutAfter, Times: 1},
	}})
	second := catchertest.Start(t, catcher.Config{})
	p.run(p.sender(first.Addr, func(s *send.Sender) {
		fallback, err := send.ParseRelay("smtp://" + second.Addr + "?tls=none")
		p.must(err)
		s.Relay.Fallback = &fallback
	}), "everything has its outcome", p.settled)
	same(t, "counts", p.counts(), ledger.Counts{Recipients: 6, Sent: 4, Failed: 2})
	if n := second.Counts().Connections; n > 0 {
		t.Errorf("%d connections to the second relay", n)
	}
}

// Domains whose mail the same servers take are one destination: it pauses for all of them; one of them can be paused by itself.
func TestDomainsAreRolledUp(t *testing.T) {
	t.Parallel()
	p := newPost(t, 9)
	p.move("a.example", "reader0", "reader1", "reader2")
	p.move("B.example", "reader3", "reader4", "reader5")
	p.exec(`INSERT INTO mailer.domains (name, destination, hosts, asked_at, ask_again)
		SELECT name, 'big.example', '{mx.big.example}', $1, $1 FROM unnest(ARRAY['a.example', 'b.example']) name`, p.clock.Now())
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{
		{Verb: "DOT", To: "*@a.example", Reply: "421 4.7.0 [TSS04] temporarily deferred due to unexpected volume"},
		{Verb: "DOT", To: "*@b.example", Reply: "421 4.7.0 [TSS04] temporarily deferred due to unexpected volume"},
	}})
	p.run(p.sender(server.Addr, func(s *send.Sender) { s.Connections = 1 }), "the others have their mail", func() bool {
		c := p.counts()
		return c.Sent == 3 && c.Deferred == 6
	})
	if n := server.Counts().Messages; n != 3 {
		t.Errorf("%d messages were taken", n)
	}
	var tried int
	p.must(p.db.Get(&tried, `SELECT count(*) FROM mailer.attempts WHERE outcome = 'deferred'`))
	same(t, "attempts at the destination", tried, 1)
	paused, err := ledger.Paused(p.ctx, p.db, p.clock.Now())
	p.must(err)
	if len(paused) != 1 || paused[0].Name != "big.example" {
		t.Fatalf("paused: %+v", paused)
	}
	// One of the domains is paused by hand as well, and stays so when the destination goes on.
	other := catchertest.Start(t, catcher.Config{})
	_, err = ledger.PauseByHand(p.ctx, p.db, "b.example", p.clock.Now())
	p.must(err)
	p.must(ledger.Resume(p.ctx, p.db, "big.example", p.clock.Now()))
	p.exec(`UPDATE mailer.deliveries SET due_at = $1 WHERE state = 'deferred'`, p.clock.Now()) // the one that was tried as well
	p.run(p.sender(other.Addr), "one domain has its mail", func() bool { c := p.counts(); return c.Sent == 6 && c.Deferred == 3 })
	p.must(ledger.Resume(p.ctx, p.db, "B.example", p.clock.Now()))
	p.run(p.sender(other.Addr), "everything has its outcome", p.settled)
	same(t, "counts", p.counts(), ledger.Counts{Recipients: 9, Sent: 9})
}

// A pause by hand holds within two seconds, also for what is claimed already, and lasts until it is ended.
func TestAPauseByHandHoldsWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	p := newPost(t, 300)
	var paused time.Time
	var once sync.Once
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: "DOT", Stall: 40 * time.Millisecond}}, OnEvent: func(e catcher.Event) {
		if e.Verb == "DOT" {
			once.Do(func() {
				news, err := ledger.PauseByHand(p.ctx, p.db, "Example.org", p.clock.Now())
				if err != nil || !news {
					t.Errorf("news %v, %v", news, err)
				}
				paused = time.Now()
			})
		}
	}})
	p.run(p.sender(server.Addr, func(s *send.Sender) { s.Connections = 2 }), "the rest waits", func() bool { return p.counts().Deferred > 100 && p.counts().InFlight+p.counts().Pending == 0 })
	heard := mails(server)
	if late := heard[len(heard)-1].Sub(paused); late > 2*time.Second {
		t.Errorf("a MAIL came %s after the pause", late)
	}
	news, err := ledger.PauseByHand(p.ctx, p.db, "example.org", p.clock.Now())
	if err != nil || news {
		t.Errorf("again: news %v, %v", news, err)
	}
	all, err := ledger.Paused(p.ctx, p.db, p.clock.Now().AddDate(1, 0, 0))
	if err != nil || len(all) != 1 || !all[0].ByHand {
		t.Errorf("a year later: %+v, %v", all, err)
	}
}
