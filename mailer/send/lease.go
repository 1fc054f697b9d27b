package send

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"silkpost/mailer/ledger"
)

// heartbeat is how often a lease is renewed: twice may fail before it runs out.
const heartbeat = ledger.Lease / 3

// lease is one life of a sender. Once it has run out it never comes back: the process goes on with a new one, and what was
// claimed under the old one is not sent.
type lease struct {
	id    uuid.UUID
	until atomic.Int64 // Unix microseconds
}

// alive reports whether the lease lives for another second at least.
func (l *lease) alive(now time.Time) bool { return now.Add(time.Second).UnixMicro() < l.until.Load() }

// renounce ends the lease at once: after a claim or a return of which nobody knows whether it was done, only a new life is sure of
// what it holds. What the old one held is put back when the next heartbeat signs it off.
func (l *lease) renounce() { l.until.Store(0) }

// enlist begins a new life.
func (s *Sender) enlist(ctx context.Context) error {
	now := s.Clock.Now()
	id, err := ledger.Enlist(ctx, s.DB, now)
	if err != nil {
		return err
	}
	l := &lease{id: id}
	l.until.Store(now.Add(ledger.Lease).UnixMicro())
	s.lease.Store(l)
	return nil
}

// renew extends the present life, or signs it off and begins a new one when it is over.
func (s *Sender) renew(ctx context.Context) error {
	l, now := s.lease.Load(), s.Clock.Now()
	until := l.until.Load()
	if l.alive(now) {
		alive, err := ledger.Renew(ctx, s.DB, l.id, now)
		if alive { // one that was renounced meanwhile stays so
			l.until.CompareAndSwap(until, now.Add(ledger.Lease).UnixMicro())
		}
		if alive || err != nil {
			return err
		}
	}
	s.Log.WarnContext(ctx, "the lease is over; what was claimed under it is put back", slog.Any("sender", l.id))
	l.renounce()
	if err := ledger.Retire(ctx, s.DB, l.id); err != nil {
		return err
	}
	return s.enlist(ctx)
}

// keepAlive renews the lease and looks after what nobody else does, until ctx ends.
func (s *Sender) keepAlive(ctx context.Context) {
	for sleep(ctx, heartbeat) {
		if err := s.tend(ctx); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "the sender's heartbeat failed", slog.Any("error", err))
		}
	}
}

func (s *Sender) tend(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	for _, duty := range []func(context.Context) error{s.renew, s.takeOver, s.noteLate} {
		if err := duty(ctx); err != nil {
			return err
		}
	}
	return nil
}

// takeOver puts back what dead senders held.
func (s *Sender) takeOver(ctx context.Context) error {
	n, err := ledger.TakeOver(ctx, s.DB, s.Clock.Now())
	if n > 0 {
		s.Log.InfoContext(ctx, "took over the deliveries of a dead sender", slog.Int("count", n))
		s.Wake()
	}
	return err
}

// noteLate makes it seen that deliveries wait for a person.
func (s *Sender) noteLate(ctx context.Context) error {
	n, err := ledger.NoteLate(ctx, s.DB, s.Clock.Now())
	if n > 0 {
		s.Log.WarnContext(ctx, "deliveries are late and wait for a person: see silkpost status", slog.Int("editions", n))
	}
	return err
}
