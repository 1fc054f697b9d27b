// Package send brings claimed deliveries to the next hop over kept SMTP connections.
//
// Its rules, in words. A sender claims due deliveries in small windows and hands them to its connections. Right before a
// message goes out it must be known, from no longer than a second ago, that its contact may still be mailed. Right before the
// final dot the sender's lease must live. A connection begins its next message only when the outcome of its previous one is
// committed, so a crash repeats at most one message per connection. Stopping finishes the messages in hand, waits for their
// answers up to a limit, and gives the rest of the window back.
package send

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/clock"
	"silkpost/mailer/destination"
	"silkpost/mailer/ledger"
	"silkpost/mailer/limit"
	"silkpost/mailer/reply"
)

// Sender sends what is due. Its exported fields are set before Run and not changed afterwards.
type Sender struct {
	DB          *sqlx.DB
	Clock       clock.Clock
	Log         *slog.Logger
	Relay       Relay
	Connections int                   // kept SMTP connections at most
	Retry       Retry                 // when to try again
	Poll        time.Duration         // how often to look for due deliveries when idle
	Grace       time.Duration         // how long stopping waits for answers
	Helo        string                // the name to introduce ourselves with; "" is the machine's
	MX          *destination.Resolver // finds out which domains are one destination; nil: each is its own
	ProbeAfter  time.Duration         // how long to wait at most before a relay that was left is looked at again; 0: as long as it takes
	// Compose makes the message of a delivery, in the buffer if it is large enough. It is called from many goroutines.
	Compose func(ctx context.Context, d *ledger.Delivery, buffer []byte) (Parcel, error)
	// Scored is called in the transaction that settles deliveries which failed for a reason that counts against their addresses; nil: nothing
	// follows. It may be called again with the same ones.
	Scored func(ctx context.Context, tx *sqlx.Tx, failed []ledger.Attempt) error
	// TakeBack undoes what Scored did for deliveries, and defers them until due, because a server refused one address after the other: see brake.go. It is called
	// in a transaction, maybe again with the same ones. Nil: such refusals are believed.
	TakeBack func(ctx context.Context, tx *sqlx.Tx, failed []ledger.Attempt, due, now time.Time) error
	// Observe is told of each attempt, and how long it took from when its delivery came to a connection until its outcome was known. It is called from
	// many goroutines, while sending waits: it must be quick. Nil: nobody looks.
	Observe func(a ledger.Attempt, took time.Duration)
	// Watch is told how sending goes; nil: nobody is.
	Watch Watcher
	// Limits are reserved from by this process, also for what it sends besides.
	Limits *limit.Limiter

	lease     atomic.Pointer[lease]
	clerk     *ledger.Clerk
	committer committer
	routes    *routes
	brake     brake
	heeded    time.Time // when it was last asked whether the relay is paused
	senders   sync.Map  // by edition: the address that it is from

	destinations destinations
	wake         chan struct{}
	ready        sync.Once
}

// Watcher is told how sending goes, from many goroutines: it must be quick.
type Watcher interface {
	Claimed(n int, took time.Duration) // a window of n deliveries; 0: nothing was due
	Settled(n int, took time.Duration) // a group of n outcomes was committed
	Connected(by int)                  // one more connection is open, or one less: 1 or -1
}

// item is a delivery on its way from the claim to a connection.
type item struct {
	*ledger.Delivery
	lease   *lease
	checked time.Time // when it was last known that it may be sent
	begun   time.Time // when a connection took it up
}

// freshFor is for how long a check that a contact may be mailed holds (P5 allows two seconds).
const freshFor = time.Second

// fresh reports whether the check still holds.
func (it *item) fresh(now time.Time) bool { return now.Sub(it.checked) < freshFor }

// Wake makes the sender look for due deliveries at once. It never blocks and may be called before Run.
func (s *Sender) Wake() {
	s.init()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Sender) init() { s.ready.Do(func() { s.wake = make(chan struct{}, 1) }) }

// Run sends until ctx ends; then it finishes what is in hand and returns. It returns an error only when it cannot begin.
func (s *Sender) Run(ctx context.Context) error {
	s.init()
	s.routes = newRoutes(s.Relay, s.Connections)
	if err := s.enlist(ctx); err != nil {
		return err
	}
	// Work in hand outlives ctx by the grace; writing its outcomes down, by a little more.
	inHand, stop := outlive(ctx, s.Grace)
	defer stop()
	writing, stopWriting := outlive(inHand, 5*time.Second)
	defer stopWriting()

	s.clerk = ledger.NewClerk(s.DB)
	s.committer = committer{in: make(chan settling, largestBatch), log: s.Log, doubts: s.doubts, settle: func(ctx context.Context, attempts []ledger.Attempt) error {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		begin := s.Clock.Now()
		err := s.clerk.Settle(ctx, attempts, append(s.score(ctx, attempts), s.undo(ctx, begin)...)...)
		if err == nil {
			s.brake.taken = nil
		}
		if s.Watch != nil && err == nil {
			s.Watch.Settled(len(attempts), s.Clock.Now().Sub(begin))
		}
		return err
	}}
	work := make(chan item)
	var connections, background sync.WaitGroup
	background.Go(func() { s.committer.run(writing) })
	beating, stopBeating := context.WithCancel(inHand) // also while stopping, or others would take over what is in hand
	background.Go(func() { s.keepAlive(beating) })
	background.Go(func() { s.lookBack(beating) })
	if s.MX != nil {
		background.Go(func() { s.MX.Run(beating) })
	}
	over := make(chan struct{})
	for range s.Connections {
		connections.Go(func() { s.connection(inHand, work, over) })
	}
	s.feed(ctx, work)
	close(work)
	close(over)
	connections.Wait()
	close(s.committer.in)
	stopBeating()
	background.Wait()
	s.retire(writing)
	return nil
}

// outlive returns a context that ends a while after its parent does, or when stop is called.
func outlive(parent context.Context, by time.Duration) (ctx context.Context, stop context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	unwatch := context.AfterFunc(parent, func() { time.AfterFunc(by, cancel) })
	return ctx, func() { unwatch(); cancel() }
}

// retire gives the rest of the window back.
func (s *Sender) retire(ctx context.Context) {
	if err := s.Limits.GiveBack(ctx); err != nil {
		s.Log.WarnContext(ctx, "what was reserved under limits could not be given back", slog.Any("error", err))
	}
	if err := ledger.Retire(ctx, s.DB, s.lease.Load().id); err != nil {
		s.Log.ErrorContext(ctx, "the sender could not sign off; its deliveries are taken over when its lease runs out", slog.Any("error", err))
	}
}

// idle closes editions of which nothing is open, then waits for something to do.
func (s *Sender) idle(ctx context.Context) {
	n, err := ledger.Finish(ctx, s.DB, s.Clock.Now())
	if n > 0 {
		s.Log.InfoContext(ctx, "editions are sent", slog.Int("count", n))
	}
	if err != nil && ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "finished editions could not be closed", slog.Any("error", err))
	}
	timer := time.NewTimer(s.Poll)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.wake:
	case <-ctx.Done():
	}
}

// mayGo reports whether an item may still be sent, asking the ledger when what is known of it is no longer fresh. An answer that took
// too long to come is not fresh either.
func (s *Sender) mayGo(ctx context.Context, it *item) (bool, error) {
	for ctx.Err() == nil {
		now := s.Clock.Now()
		if !it.lease.alive(now) {
			return false, nil
		}
		if it.fresh(now) {
			return true, nil
		}
		if may, err := ledger.Recheck(ctx, s.DB, it.lease.id, it.Delivery, now); err != nil || !may {
			return false, err
		}
		it.checked = now
	}
	return false, nil
}

// judge lets the route pause when an answer is about all we send, so that a mistake in the settings does not cost every recipient, and the
// destination when it is about all that goes there.
func (s *Sender) judge(ctx context.Context, it item, of *route, r reply.Reply) {
	switch kind := r.Kind(); {
	case r.AboutUs():
		s.refused(ctx, of, r)
		return
	case kind == reply.Unsupported:
		s.Log.WarnContext(ctx, "a message cannot be carried", slog.Any("edition", it.EditionID), slog.Any("contact", it.ContactID), slog.String("answer", r.Text))
	case kind.Pauses():
		s.pause(ctx, it.Destination, r)
	}
	if r.Phase != reply.Compose && of != nil {
		s.routes.worked(of, s.Clock.Now())
	}
}

// settle hands in what an answer means. committed gets something when that is written down.
func (s *Sender) settle(it item, of *route, r reply.Reply, committed chan<- struct{}) {
	a := s.Retry.attempt(it.lease.id, it.Delivery, r, s.Clock.Now())
	if of != nil {
		a.Relay = of.relay.Address()
	}
	if s.Observe != nil {
		s.Observe(a, a.At.Sub(it.begun))
	}
	s.committer.in <- settling{attempt: a, committed: committed}
}

// putBack returns an item that was not tried. If that fails, it comes back with all that its lease holds.
func (s *Sender) putBack(ctx context.Context, it item) {
	if err := ledger.PutBack(ctx, s.DB, it.lease.id, []*ledger.Delivery{it.Delivery}); err != nil {
		it.lease.renounce()
	}
}

// score returns what follows from attempts that count against their addresses.
func (s *Sender) score(ctx context.Context, attempts []ledger.Attempt) []func(tx *sqlx.Tx) error {
	var failed []ledger.Attempt
	for _, a := range attempts {
		if a.Outcome == reply.Failed && a.Reply.Kind().Score() != reply.None {
			failed = append(failed, a)
		}
	}
	if len(failed) == 0 || s.Scored == nil {
		return nil
	}
	return []func(tx *sqlx.Tx) error{func(tx *sqlx.Tx) error { return s.Scored(ctx, tx, failed) }}
}
