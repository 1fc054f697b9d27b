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
	settle func(ctx context.Context, attempts []ledger.Attempt) error
	in     chan settling
	log    *slog.Logger
}

// settling is an outcome on its way. committed, which has room, gets something once it is committed, or given up because the process must end.
type settling struct {
	attempt   ledger.Attempt
	committed chan<- struct{}
}

// run settles until in is closed.
func (c *committer) run(ctx context.Context) {
	for first := range c.in {
		batch := c.gather(first)
		c.commit(ctx, batch)
		for _, s := range batch {
			s.committed <- struct{}{}
		}
	}
}

// gather takes what else is waiting.
func (c *committer) gather(first settling) []settling {
	batch := []settling{first}
	for len(batch) < largestBatch {
		select {
		case next, open := <-c.in:
			if !open {
				return batch
			}
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// commit asks a database that does not answer again and again until ctx ends: an outcome that nobody can read is one that a
// successor will repeat.
func (c *committer) commit(ctx context.Context, batch []settling) {
	attempts := make([]ledger.Attempt, len(batch))
	for i, s := range batch {
		attempts[i] = s.attempt
	}
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := c.settle(ctx, attempts)
		if err == nil {
			return
		}
		c.log.ErrorContext(ctx, "outcomes are not written down yet", slog.Int("count", len(attempts)), slog.Any("error", err))
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
