package send

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

// How long a destination pauses for its first answer of a kind, and at most when it goes on: longer where somebody has to do something.
const (
	firstBlock, longestBlock       = time.Hour, 6 * time.Hour
	firstThrottle, longestThrottle = 2 * time.Minute, time.Hour
)

// destinations knows those that this process let pause, so that what it has claimed already does not go there. All that pause are in the database.
type destinations struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (d *destinations) pauses(name string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	until, known := d.until[name]
	if known && !now.Before(until) {
		delete(d.until, name)
	}
	return now.Before(until)
}

func (d *destinations) pause(name string, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until == nil {
		d.until = map[string]time.Time{}
	}
	d.until[name] = until
}

// longestHeard is for how long what this process knows of a pause holds: somebody may end it in the database.
const longestHeard = time.Second

// pause lets a destination rest after an answer that is about all that goes there.
func (s *Sender) pause(ctx context.Context, name string, r reply.Reply) {
	kind, now := r.Kind(), s.Clock.Now()
	first, longest := firstBlock, longestBlock
	if kind == reply.Throttled {
		first, longest = firstThrottle, longestThrottle
	}
	until, news, err := ledger.Pause(ctx, s.DB, ledger.Destination{Name: name, Kind: string(kind), Code: r.Code, Reply: r.Unaddressed()}, first, longest, now)
	if err != nil {
		s.Log.ErrorContext(ctx, "a destination should pause, and that could not be written down", slog.String("destination", name), slog.Any("error", err))
		return
	}
	s.destinations.pause(name, now.Add(longestHeard))
	if news {
		s.Log.WarnContext(ctx, "a destination pauses: see silkpost status", slog.String("destination", name), slog.Any("kind", kind), slog.Time("until", until),
			slog.Int("code", r.Code), slog.String("answer", r.Unaddressed()))
	}
}
