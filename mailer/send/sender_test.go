package send_test

import (
	"bytes"
	"context"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/clock"
	"silkpost/internal/database"
	"silkpost/internal/testkit"
	"silkpost/internal/token"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/compose"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/mailer/limit"
	"silkpost/mailer/send"
	"silkpost/subscribers"
	"silkpost/templates"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// post is a planned edition, ready to be sent.
type post struct {
	t        testing.TB
	ctx      context.Context
	db       *sqlx.DB
	clock    clock.Clock
	composer *compose.Composer
	edition  uuid.UUID
}

// newPost plans an edition for n readers, reader0@example.org and so on, half of them Italian.
func newPost(t testing.TB, n int) *post {
	t.Helper()
	p := &post{t: t, ctx: t.Context(), db: testkit.DB(t), clock: clock.System{}}
	list := subscribers.NewList("partners")
	list.Sender, list.PostalAddress = subscribers.Sender{Name: "Example Association", Address: "news@example.org"}, "1 Example Street"
	_, err := subscribers.DeclareList(p.ctx, p.db, list)
	p.must(err)
	var csv strings.Builder
	csv.WriteString("email,languages\n")
	for i := range n {
		fmt.Fprintf(&csv, "reader%d@example.org,%s\n", i, []string{"en", "it"}[i%2])
	}
	_, err = subscribers.ImportContacts(p.ctx, p.db, strings.NewReader(csv.String()),
		subscribers.ImportOptions{List: "partners", Consent: "agreement", Now: p.clock.Now()})
	p.must(err)
	store := &articles.Store{}
	source, err := store.EnsureSource(p.ctx, p.db, "files", p.clock.Now())
	p.must(err)
	p.must(database.Transact(p.ctx, p.db, func(tx *sqlx.Tx) error {
		_, err := store.Save(p.ctx, tx, source, []articles.Draft{
			{ExternalKey: "one", Title: "One", Text: "The first.", Language: "en"},
			{ExternalKey: "two", Title: "Two", Text: ".\n\n.leading dots\n\n..", Language: "en"},
		}, articles.SaveOptions{Now: p.clock.Now()})
		return err
	}))
	set, err := templates.New()
	p.must(err)
	keys, err := token.NewKeys("sixteen characters")
	p.must(err)
	p.composer = &compose.Composer{DB: p.db, Templates: set, Articles: store, Keys: keys, PublicURL: "http://127.0.0.1:8080"}
	p.plan(set)
	return p
}

func (p *post) plan(set *templates.Set) {
	p.t.Helper()
	planner := &edition.Planner{Clock: p.clock, Languages: set}
	p.must(ledger.Prepare(p.ctx, p.db, p.clock.Now()))
	list, err := subscribers.ListBySlug(p.ctx, p.db, "partners")
	p.must(err)
	p.must(database.Transact(p.ctx, p.db, func(tx *sqlx.Tx) error {
		e, err := planner.Plan(p.ctx, tx, edition.Request{List: list, Rhythm: "weekly", CutOff: p.clock.Now(), AtOnce: true, ByHand: true})
		if err == nil {
			p.edition = e.ID
		}
		return err
	}))
}

func (p *post) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// quickly retries at once, so that a test sees the second attempt.
var quickly = send.Retry{First: 10 * time.Millisecond, Longest: 10 * time.Millisecond, GiveUp: time.Hour, InDoubt: 10 * time.Millisecond}

func (p *post) sender(address string, change ...func(*send.Sender)) *send.Sender {
	p.t.Helper()
	relay, err := send.ParseRelay("smtp://" + address + "?tls=none")
	p.must(err)
	s := &send.Sender{
		DB: p.db, Clock: p.clock, Log: testkit.Log(p.t), Relay: relay, Connections: 4, Retry: quickly, Poll: 10 * time.Millisecond,
		Grace: 10 * time.Second, Compose: p.composer.Compose, Limits: &limit.Limiter{DB: p.db, Clock: p.clock},
	}
	for _, c := range change {
		c(s)
	}
	return s
}

// run lets a sender work until done reports true, and waits for it to stop.
func (p *post) run(s *send.Sender, what string, done func() bool) {
	p.t.Helper()
	ctx, stop := context.WithCancel(p.ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	testkit.Eventually(p.t, 30*time.Second, what, done)
	stop()
	p.must(<-ended)
}

func (p *post) counts() ledger.Counts {
	p.t.Helper()
	c, err := ledger.CountOf(p.ctx, p.db, p.edition)
	p.must(err)
	if sum := c.Pending + c.InFlight + c.Deferred + c.Sent + c.Failed + c.Suppressed + c.Cancelled + c.InDoubt; sum != c.Recipients {
		p.t.Errorf("the states add up to %d of %d", sum, c.Recipients)
	}
	return c
}

func (p *post) settled() bool {
	c := p.counts()
	return c.Pending+c.InFlight+c.Deferred+c.InDoubt == 0
}

func (p *post) get(dest any, query string, args ...any) {
	p.t.Helper()
	p.must(p.db.SelectContext(p.ctx, dest, query, args...))
}

func (p *post) exec(query string, args ...any) {
	p.t.Helper()
	_, err := p.db.ExecContext(p.ctx, query, args...)
	p.must(err)
}

// received counts messages by recipient and checks that one recipient always got one Message-ID.
func received(t testing.TB, server *catchertest.Server) map[string]int {
	t.Helper()
	got, ids := map[string]int{}, map[string]string{}
	for _, m := range server.Messages() {
		to := m.To[0]
		if id := ids[to]; id != "" && id != m.MessageID {
			t.Errorf("%s got two Message-IDs: %s, %s", to, id, m.MessageID)
		}
		got[to]++
		ids[to] = m.MessageID
	}
	return got
}

func eachOnce(n int) map[string]int {
	want := map[string]int{}
	for i := range n {
		want[fmt.Sprintf("reader%d@example.org", i)] = 1
	}
	return want
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestEveryMessageArrivesOnceAndIsAccountedFor(t *testing.T) {
	t.Parallel()
	p, server := newPost(t, 60), catchertest.Start(t, catcher.Config{})
	p.run(p.sender(server.Addr), "the edition is closed", func() bool {
		e, err := edition.ByID(p.ctx, p.db, p.edition)
		p.must(err)
		return e.State == edition.Sent
	})
	same(t, "received", received(t, server), eachOnce(60))
	same(t, "counts", p.counts(), ledger.Counts{Recipients: 60, Sent: 60})
	entries, err := ledger.Entries(p.ctx, p.db, p.edition)
	p.must(err)
	known := map[string]string{}
	for _, m := range server.Messages() {
		known[m.To[0]] = m.MessageID
	}
	for _, e := range entries {
		if id := strings.Trim(compose.MessageID(p.edition, e.ContactID, e.Resent, e.Sender), "<>"); id != strings.Trim(known[e.Email], "<>") {
			t.Errorf("%s: the ledger says %s, the server got %s", e.Email, id, known[e.Email])
		}
		if e.Code != 250 || e.Attempts != 1 {
			t.Errorf("%s: %d %s after %d attempts", e.Email, e.Code, e.Reply, e.Attempts)
		}
	}
	if n := server.Counts().Connections; n > 4 {
		t.Errorf("%d connections for 60 messages: they are not kept", n)
	}
}

func TestRefusalsAndRetries(t *testing.T) {
	t.Parallel()
	p := newPost(t, 6)
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{
		{Verb: "RCPT", To: "reader0@*", Reply: "550 5.1.1 no such user"},
		{Verb: "RCPT", To: "reader1@*", Reply: "452 4.2.2 mailbox full", Times: 2},
		{Verb: "MAIL", Reply: "451 4.3.0 later", Times: 1},
		{Verb: "DATA", To: "reader2@*", Reply: "451 4.3.0 later", Times: 1},
		{Verb: "DOT", To: "reader3@*", Reply: "554 5.6.0 not wanted"},
		{Verb: "DOT", To: "reader4@*", Cut: catcher.CutAfter, Times: 1}, // kept, but nobody says so
		{Verb: "DATA", To: "reader5@*", Cut: catcher.CutBody, Times: 1},
	}})
	p.run(p.sender(server.Addr), "everything has its outcome", p.settled)
	same(t, "counts", p.counts(), ledger.Counts{Recipients: 6, Sent: 4, Failed: 2})
	same(t, "received", received(t, server), map[string]int{
		"reader1@example.org": 1, "reader2@example.org": 1, "reader4@example.org": 2, "reader5@example.org": 1,
	})
	var tries []string
	p.get(&tries, `SELECT format('%s %s %s %s', left(c.email, 7), a.number, a.outcome, a.code) FROM mailer.attempts a
		JOIN subscribers.contacts c ON c.id = a.contact_id WHERE c.email ~ '^reader[0134]' AND a.phase <> 'mail' ORDER BY 1`)
	for _, want := range []string{"reader0 1 failed 550", "reader3 1 failed 554", "reader4 1 in_doubt 0"} {
		// The one 451 at MAIL may have come first and moved the number on.
		if second := strings.Replace(want, " 1 ", " 2 ", 1); !slices.Contains(tries, want) && !slices.Contains(tries, second) {
			t.Errorf("no attempt %q among %q", want, tries)
		}
	}
	var released []string
	p.get(&released, `SELECT left(c.email, 7) FROM mailer.released r JOIN subscribers.subscriptions s ON s.id = r.subscription_id
		JOIN subscribers.contacts c ON c.id = s.contact_id GROUP BY 1 ORDER BY 1`)
	same(t, "who gave articles back", released, []string{"reader0", "reader3"})
	sameDates(t, server)
}

// A list may want what is in doubt to be left: it comes once at most then, and the edition is over without it.
func TestInDoubtIsLeft(t *testing.T) {
	t.Parallel()
	p := newPost(t, 3)
	p.exec(`UPDATE mailer.editions SET in_doubt = 'leave'`)
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{
		{Verb: "DOT", To: "reader0@*", Cut: catcher.CutAfter},
		{Verb: "RCPT", To: "reader1@*", Reply: "452 4.2.2 mailbox full", Times: 1}, // what is deferred goes again
	}})
	p.run(p.sender(server.Addr), "the edition is over", func() bool {
		var over []bool
		p.get(&over, `SELECT finished_at IS NOT NULL FROM mailer.editions`)
		return over[0]
	})
	same(t, "counts", p.counts(), ledger.Counts{Recipients: 3, Sent: 2, InDoubt: 1})
	same(t, "received", received(t, server), eachOnce(3))
	var released int
	p.must(p.db.GetContext(p.ctx, &released, `SELECT count(*) FROM mailer.released`))
	same(t, "given back", released, 0)
}

// sameDates checks that a repeated message has the Date of the first.
func sameDates(t testing.TB, server *catchertest.Server) {
	t.Helper()
	dates := map[string]string{}
	for _, m := range server.Messages() {
		_, raw, err := server.Open(m.ID)
		if err != nil {
			t.Fatal(err)
		}
		msg, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if earlier := dates[m.MessageID]; earlier != "" && earlier != msg.Header.Get("Date") {
			t.Errorf("%s: dates %s and %s", m.MessageID, earlier, msg.Header.Get("Date"))
		}
		dates[m.MessageID] = msg.Header.Get("Date")
	}
}

func TestStoppingLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	p := newPost(t, 100)
	stopNow := make(chan struct{})
	var once sync.Once
	server := catchertest.Start(t, catcher.Config{OnEvent: func(e catcher.Event) {
		if e.Verb == "DOT" {
			once.Do(func() { close(stopNow) })
		}
	}})
	ctx, stop := context.WithCancel(p.ctx)
	ended := make(chan error, 1)
	first := p.sender(server.Addr)
	go func() { ended <- first.Run(ctx) }()
	<-stopNow
	stop()
	p.must(<-ended)
	c := p.counts()
	if c.InFlight+c.InDoubt+c.Deferred+c.Failed != 0 || c.Sent == 0 || c.Sent != len(server.Messages()) {
		t.Errorf("after stopping: %+v, %d received", c, len(server.Messages()))
	}
	p.run(p.sender(server.Addr), "the second sender has done the rest", p.settled)
	same(t, "received", received(t, server), eachOnce(100))
}

func TestTwoSendersShareTheWork(t *testing.T) {
	t.Parallel()
	p, server := newPost(t, 200), catchertest.Start(t, catcher.Config{})
	ctx, stop := context.WithCancel(p.ctx)
	ended := make(chan error, 2)
	for range 2 {
		s := p.sender(server.Addr)
		go func() { ended <- s.Run(ctx) }()
	}
	testkit.Eventually(t, 30*time.Second, "everything has its outcome", p.settled)
	stop()
	p.must(<-ended)
	p.must(<-ended)
	same(t, "received", received(t, server), eachOnce(200))
}

func TestWhoUnsubscribesMeanwhileIsLeftOut(t *testing.T) {
	t.Parallel()
	p := newPost(t, 10)
	p.exec(`UPDATE subscribers.subscriptions SET state = 'unsubscribed' WHERE id = (SELECT min(id) FROM subscribers.subscriptions)`)
	var once sync.Once
	// The second one leaves when it has been claimed already: its turn comes more than a second later.
	server := catchertest.Start(t, catcher.Config{OnEvent: func(e catcher.Event) {
		if e.Verb != "DOT" {
			return
		}
		once.Do(func() {
			p.exec(`UPDATE subscribers.subscriptions SET state = 'unsubscribed' WHERE id = (SELECT d.subscription_id
				FROM mailer.deliveries d WHERE d.state = 'in_flight' ORDER BY d.variant_id DESC, d.contact_id DESC LIMIT 1)`)
		})
	}, Script: catcher.Script{{Verb: "DOT", Stall: 1100 * time.Millisecond, Times: 1}}})
	p.run(p.sender(server.Addr, func(s *send.Sender) { s.Connections = 1 }), "everything has its outcome", p.settled)
	same(t, "counts", p.counts(), ledger.Counts{Recipients: 10, Sent: 8, Suppressed: 2})
	if n := len(server.Messages()); n != 8 {
		t.Errorf("%d messages received, not 8", n)
	}
}

// Dialling takes its time; no means no all the same.
func TestWhoUnsubscribesWhileTheRelayIsDialledIsLeftOut(t *testing.T) {
	t.Parallel()
	p := newPost(t, 1)
	var once sync.Once
	server := catchertest.Start(t, catcher.Config{OnEvent: func(e catcher.Event) {
		if e.Verb == "CONNECT" {
			once.Do(func() { p.exec(`UPDATE subscribers.subscriptions SET state = 'unsubscribed'`) })
		}
	}, Script: catcher.Script{{Verb: "CONNECT", Stall: 1100 * time.Millisecond}}})
	p.run(p.sender(server.Addr), "everything has its outcome", p.settled)
	same(t, "counts", p.counts(), ledger.Counts{Recipients: 1, Suppressed: 1})
	for _, e := range server.Events() {
		if e.Verb == "MAIL" {
			t.Error("a MAIL command was sent for somebody who had left")
		}
	}
}

func TestARelayThatIsAwayIsNobodysFault(t *testing.T) {
	t.Parallel()
	p := newPost(t, 5)
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: "CONNECT", Reply: "421 4.3.2 closed for now", Times: 1}}})
	p.run(p.sender(server.Addr, func(s *send.Sender) { s.Connections = 1 }), "everything has its outcome", p.settled)
	same(t, "received", received(t, server), eachOnce(5))
	var attempts int
	p.must(p.db.Get(&attempts, `SELECT count(*) FROM mailer.attempts WHERE phase = 'connect' AND code = 421 AND outcome = 'deferred'`))
	if attempts != 1 {
		t.Errorf("%d attempts were charged for the closed relay, not the one that tried", attempts)
	}
}

// A relay that refuses us refuses everybody: one delivery finds out, the others wait.
func TestARelayThatRefusesUsIsNobodysFault(t *testing.T) {
	t.Parallel()
	p := newPost(t, 5)
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: "MAIL", Reply: "550 5.7.1 this sender is not yours", Times: 1}}})
	p.run(p.sender(server.Addr, func(s *send.Sender) { s.Connections = 1 }), "everything has its outcome", p.settled)
	same(t, "received", received(t, server), eachOnce(5))
	var paused bool
	p.must(p.db.Get(&paused, `SELECT min(settled_at) FILTER (WHERE attempts = 1) - (SELECT at FROM mailer.attempts WHERE phase = 'mail') >= interval '0.9 s'
		FROM mailer.deliveries`))
	if !paused {
		t.Error("the others went on at once")
	}
}

func TestAConnectionThatWasClosedWhileIdleIsNoFailure(t *testing.T) {
	t.Parallel()
	p := newPost(t, 4)
	server := catchertest.Start(t, catcher.Config{Script: catcher.Script{{Verb: "DOT", Reply: "250 2.0.0 kept, and goodbye", Cut: catcher.CutAfter, Times: 2}}})
	p.run(p.sender(server.Addr, func(s *send.Sender) { s.Connections = 1 }), "everything has its outcome", p.settled)
	same(t, "received", received(t, server), eachOnce(4))
	var most int
	p.must(p.db.Get(&most, `SELECT max(attempts) FROM mailer.deliveries`))
	same(t, "attempts", most, 1)
}

func TestALostLeaseHoldsTheDotBack(t *testing.T) {
	t.Parallel()
	p := newPost(t, 3)
	hands := testkit.NewClock(clock.System{}.Now())
	p.clock = hands
	var once sync.Once
	server := catchertest.Start(t, catcher.Config{OnEvent: func(e catcher.Event) {
		if e.Verb == "DATA" {
			once.Do(func() { hands.Advance(ledger.Lease) }) // as if the process had stood still
		}
	}})
	s := p.sender(server.Addr, func(s *send.Sender) { s.Connections = 1 })
	ctx, stop := context.WithCancel(p.ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	server.WaitEvent(t, func(e catcher.Event) bool { return e.Verb == "DATA" })
	server.WaitEvent(t, func(e catcher.Event) bool { return e.Verb == "CLOSE" })
	if n := server.Counts().Messages; n != 0 {
		t.Errorf("%d messages went out under a lost lease", n)
	}
	stop()
	p.must(<-ended)
	_, err := ledger.TakeOver(p.ctx, p.db, hands.Now())
	p.must(err)
	hands.Advance(time.Minute)
	p.run(p.sender(server.Addr), "a successor has done it", p.settled)
	same(t, "received", received(t, server), eachOnce(3))
}
