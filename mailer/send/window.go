package send

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"silkpost/mailer/ledger"
)

// A window is what is claimed at once. While one is sent the next is claimed, so that two of them are on their way.
const (
	windowTime    = 250 * time.Millisecond // of sending that a window should hold at most: P5 allows a second
	firstWindow   = 10                     // deliveries for each connection
	largestWindow = 5000
)

// window is what was claimed at once.
type window struct {
	deliveries []*ledger.Delivery
	lease      *lease
	claimed    time.Time
}

// feed claims what is due and hands it to the connections until ctx ends.
func (s *Sender) feed(ctx context.Context, work chan<- item) {
	windows, size := make(chan window), new(atomic.Int64)
	size.Store(int64(firstWindow * s.Connections))
	go func() {
		defer close(windows)
		s.claimAhead(ctx, windows, size)
	}()
	for w := range windows {
		begin := s.Clock.Now()
		s.handOut(ctx, w, work)
		size.Store(int64(s.nextSize(len(w.deliveries), s.Clock.Now().Sub(begin))))
	}
}

// nextSize returns how many to claim after a window that took so long to hand out.
func (s *Sender) nextSize(size int, took time.Duration) int {
	switch {
	case took > windowTime:
		size /= 2
	case took < windowTime/2:
		size *= 2
	}
	return max(min(size, largestWindow), s.Connections)
}

// claimAhead claims windows, each as soon as the one before is being handed out.
func (s *Sender) claimAhead(ctx context.Context, windows chan<- window, size *atomic.Int64) {
	for s.routes.wait(ctx, s.Clock.Now()) {
		if s.heed(ctx); s.routes.pauses(s.Clock.Now()) {
			continue
		}
		w := window{lease: s.lease.Load(), claimed: s.Clock.Now()}
		if w.lease.alive(w.claimed) {
			w.deliveries = s.claim(ctx, w.lease, w.claimed, int(size.Load()))
		}
		if len(w.deliveries) == 0 {
			s.idle(ctx)
			continue
		}
		select {
		case windows <- w:
		case <-ctx.Done():
			return
		}
	}
}

// claim takes a window of what is due. When nobody knows whether it was taken, the lease ends.
func (s *Sender) claim(ctx context.Context, l *lease, now time.Time, limit int) []*ledger.Delivery {
	claimed, err := s.clerk.Claim(ctx, l.id, now, limit)
	if s.Watch != nil && err == nil {
		s.Watch.Claimed(len(claimed), s.Clock.Now().Sub(now))
	}
	if err != nil && ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "nothing could be claimed", slog.Any("error", err))
		l.renounce()
	}
	return claimed
}

// handOut gives a window to the connections, as they take it. What is left when the route pauses goes back; what is left when the lease or ctx
// ends comes back with all that the lease holds.
func (s *Sender) handOut(ctx context.Context, w window, work chan<- item) {
	w.deliveries = s.holdBack(ctx, w)
	for i, d := range w.deliveries {
		now := s.Clock.Now()
		if !w.lease.alive(now) {
			return
		}
		if s.routes.pauses(now) {
			if err := ledger.PutBack(ctx, s.DB, w.lease.id, w.deliveries[i:]); err != nil {
				w.lease.renounce()
			}
			return
		}
		select {
		case work <- item{Delivery: d, lease: w.lease, checked: w.claimed}:
		case <-ctx.Done():
			return
		}
	}
}
