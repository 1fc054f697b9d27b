package send_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"silkpost/internal/testkit/smtptest"
	"silkpost/mailer/ledger"
	"silkpost/mailer/send"
)

// start runs a sender and returns how to stop it: cancel tells it to, ended waits until it has.
func (p *post) start(s *send.Sender) (cancel func(), ended func()) {
	p.t.Helper()
	ctx, stop := context.WithCancel(p.ctx)
	over := make(chan error, 1)
	go func() { over <- s.Run(ctx) }()
	p.t.Cleanup(stop)
	return stop, func() {
		p.t.Helper()
		p.must(<-over)
	}
}

// atDot is a server that keeps what it is sent, says that a dot has come, and waits before it answers.
func atDot(t testing.TB, pipelining bool) (server *smtptest.Server, came <-chan struct{}, answer func()) {
	t.Helper()
	arrived, may := make(chan struct{}, 100), make(chan struct{})
	server = smtptest.Start(t, smtptest.Config{Pipelining: pipelining, Do: func(m smtptest.Moment) (act smtptest.Act) {
		if m.Step == smtptest.Dot {
			arrived <- struct{}{}
			<-may
		}
		return act
	}})
	answer = sync.OnceFunc(func() { close(may) })
	t.Cleanup(answer)
	return server, arrived, answer
}

// Who is told to stop waits for the answers to what went out, begins nothing further, and gives the rest back.
func TestStoppingWaitsForAnswers(t *testing.T) {
	t.Parallel()
	for _, pipelining := range []bool{false, true} {
		p := newPost(t, 30)
		server, came, answer := atDot(t, pipelining)
		cancel, ended := p.start(p.sender(server.Addr))
		for range 4 { // one for each connection
			<-came
		}
		cancel()
		answer()
		ended()
		c := p.counts()
		if n := len(server.Messages()); c.Sent != n || c.Sent+c.Pending != 30 || n > 8 {
			t.Errorf("pipelining %v: %+v, %d messages came", pipelining, c, n)
		}
		p.run(p.sender(server.Addr), "the rest is sent", p.settled)
		same(t, "messages", len(server.Messages()), 30)
	}
}

// An answer that does not come within the grace leaves the delivery in doubt, and that is written down.
func TestStoppingDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	for _, pipelining := range []bool{false, true} {
		p := newPost(t, 30)
		server, came, answer := atDot(t, pipelining)
		s := p.sender(server.Addr, func(s *send.Sender) {
			s.Grace, s.Retry.InDoubt, s.Retry.GiveUp = 50*time.Millisecond, time.Hour, 24*time.Hour
		})
		cancel, ended := p.start(s)
		for range 4 {
			<-came
		}
		cancel()
		ended()
		same(t, "counts", p.counts(), ledger.Counts{Recipients: 30, Pending: 26, InDoubt: 4})
		var attempts []string
		p.get(&attempts, `SELECT DISTINCT format('%s %s %s', outcome, phase, code) FROM mailer.attempts`)
		same(t, "attempts", attempts, []string{"in_doubt dot 0"})
		answer()
		p.exec(`UPDATE mailer.deliveries SET due_at = not_before WHERE due_at IS NOT NULL`)
		p.run(p.sender(server.Addr), "the rest is sent", p.settled)
		same(t, "messages, of which four came twice", len(server.Messages()), 34)
	}
}
