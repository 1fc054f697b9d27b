package send_test

import (
	"sync"
	"testing"
	"time"

	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/ledger"
	"silkpost/mailer/send"
)

// oneConnection makes what comes be in one order.
func oneConnection(s *send.Sender) { s.Connections = 1 }

// overlapped counts the MAIL commands that were there before the message before them was answered, by a server that takes so long for that.
func overlapped(events []catcher.Event, stall time.Duration) (n int) {
	var answered int64
	for _, e := range events {
		switch {
		case e.Verb == catcher.Dot:
			answered = e.Time + stall.Microseconds()
		case e.Verb == "MAIL" && e.Time < answered:
			n++
		}
	}
	return n
}

// The commands that open a transaction go out with the message before them, but only where answers come soon and the server takes commands in groups:
// behind a slow answer MAIL would be read when nobody knows any more whether it may be (P5).
func TestTheNextMessageIsAnnouncedWithTheOneBefore(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		without []string
		stall   time.Duration
		some    bool
	}{
		"soon":              {nil, 20 * time.Millisecond, true},
		"late":              {nil, 600 * time.Millisecond, false},
		"one after another": {[]string{"PIPELINING"}, 20 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPost(t, 4)
			server := catchertest.Start(t, catcher.Config{Without: tt.without, Script: catcher.Script{{Verb: catcher.Dot, Stall: tt.stall}}})
			p.run(p.sender(server.Addr, oneConnection), "everything has its outcome", p.settled)
			same(t, "received", received(t, server), eachOnce(4))
			if n := overlapped(server.Events(), tt.stall); n > 0 != tt.some {
				t.Errorf("%d MAIL commands came before the answer to the message before", n)
			}
		})
	}
}

// P3: when a server reads a final dot, what became of the message before on this connection is committed. Here that takes a while each time, and the
// next message has its 354 meanwhile.
func TestTheDotWaitsUntilTheOutcomeBeforeIsCommitted(t *testing.T) {
	t.Parallel()
	p := newPost(t, 6)
	var last string // whose message the connection took last
	hold := &hold{p: p, most: 6}
	server := catchertest.Start(t, catcher.Config{OnEvent: func(e catcher.Event) {
		switch e.Verb {
		case catcher.Dot:
			if last != "" && p.stateOf(last) != "sent" {
				t.Errorf("the message for %s came while the one for %s was %s", e.To, last, p.stateOf(last))
			}
			last = e.To
			hold.take(e.To)
		case "DATA":
			go hold.release()
		}
	}})
	p.run(p.sender(server.Addr, oneConnection), "everything has its outcome", p.settled)
	same(t, "received", received(t, server), eachOnce(6))
	if hold.times != 6 {
		t.Errorf("%d outcomes were held back", hold.times)
	}
}

// hold keeps the outcome of a delivery from being written down.
type hold struct {
	p     *post
	mu    sync.Mutex
	undo  func()
	times int
	most  int
}

// take locks a delivery's row, but not the last one: nothing would let go of it.
func (h *hold) take(email string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	tx, err := h.p.db.BeginTxx(h.p.ctx, nil)
	h.p.must(err)
	_, err = tx.ExecContext(h.p.ctx, `SELECT FROM mailer.deliveries d JOIN subscribers.contacts c ON c.id = d.contact_id WHERE c.email = $1 FOR UPDATE OF d`, email)
	h.p.must(err)
	if h.times++; h.times == h.most {
		h.p.must(tx.Rollback())
		return
	}
	h.undo = func() { _ = tx.Rollback() }
}

// release lets go once somebody waits for the lock.
func (h *hold) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.undo == nil {
		return
	}
	for waiting, tries := false, 0; !waiting && tries < 10_000; tries++ {
		h.p.must(h.p.db.Get(&waiting, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`))
	}
	h.undo()
	h.undo = nil
}

func (p *post) stateOf(email string) (state string) {
	p.t.Helper()
	p.must(p.db.Get(&state, `SELECT d.state FROM mailer.deliveries d JOIN subscribers.contacts c ON c.id = d.contact_id WHERE c.email = $1`, email))
	return state
}

// P5: who leaves after MAIL went out with the message before, and before their own message did, does not get it when that took its time.
func TestWhoUnsubscribesBehindASlowMessageIsLeftOut(t *testing.T) {
	t.Parallel()
	p := newPost(t, 5)
	dots := 0
	server := catchertest.Start(t, catcher.Config{OnEvent: func(e catcher.Event) {
		if e.Verb != catcher.Dot {
			return
		}
		if dots++; dots == 3 { // the next one is announced already: so were the ones before
			p.exec(`UPDATE subscribers.subscriptions SET state = 'unsubscribed' WHERE id IN (SELECT d.subscription_id FROM mailer.deliveries d
				WHERE d.state = 'in_flight' AND d.contact_id <> (SELECT id FROM subscribers.contacts WHERE email = $1))`, e.To)
		}
	}, Script: catcher.Script{{Verb: catcher.Dot, Skip: 2, Stall: 1100 * time.Millisecond, Times: 1}}})
	p.run(p.sender(server.Addr, oneConnection), "everything has its outcome", p.settled)
	same(t, "counts", p.counts(), ledger.Counts{Recipients: 5, Sent: 3, Suppressed: 2})
	if n := len(server.Messages()); n != 3 {
		t.Errorf("%d messages received, not 3", n)
	}
}
