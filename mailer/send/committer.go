package send

import (
	"context"
	"log/slog"
	"time"

	"silkpost/mailer/ledger"
)

// largestBatch is how many outcomes one settling statement takes at most.
const largestBatch = 1000

// committer settles outcomes in groups: all that arrive while one transaction commits make up the next.
type committer struct {
	doubts func(ctx context.Context, attempts []ledger.Attempt) error // asked before, until it does not fail
	settle func(ctx context.Context, attempts []ledger.Attempt) error
	in     chan settling
	log    *slog.Logger

	batch    []settling // of run; for reuse
	attempts []ledger.Attempt
}

// settling is an outcome on its way. committed, which has room, gets something once it is committed, or given up because the process must end.
type settling struct {
	attempt   ledger.Attempt
	committed chan<- struct{}
}

// run settles until in is closed.
func (c *committer) run(ctx context.Context) {
	for first := range c.in {
		c.gather(first)
		c.commit(ctx)
		for _, s := range c.batch {
			s.committed <- struct{}{}
		}
		clear(c.batch) // what is done with can go
	}
}

// gather takes what else is waiting.
func (c *committer) gather(first settling) {
	c.batch = append(c.batch[:0], first)
	for len(c.batch) < largestBatch {
		select {
		case next, open := <-c.in:
			if !open {
				return
			}
			c.batch = append(c.batch, next)
		default:
			return
		}
	}
}

// commit asks a database that does not answer again and again until ctx ends: an outcome that nobody can read is one that a
// successor will repeat.
func (c *committer) commit(ctx context.Context) {
	c.attempts = c.attempts[:0]
	for _, s := range c.batch {
		c.attempts = append(c.attempts, s.attempt)
	}
	doubted := c.doubts == nil
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		var err error
		if !doubted {
			err = c.doubts(ctx, c.attempts)
			doubted = err == nil
		}
		if err == nil {
			err = c.settle(ctx, c.attempts)
		}
		if err == nil {
			return
		}
		c.log.ErrorContext(ctx, "outcomes are not written down yet", slog.Int("count", len(c.attempts)), slog.Any("error", err))
		if !sleep(ctx, pause) {
			return
		}
	}
}

// sleep waits for d and reports true, or false at once when ctx ends.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
