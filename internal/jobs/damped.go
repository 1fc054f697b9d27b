package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"silkpost/internal/clock"
)

// How often a line that repeats is passed on, and after how long without it that is over: River asks the database several times a second.
const (
	repeatAfter = time.Minute
	overAfter   = 10 * time.Second
)

// damped passes on a line that repeats once a minute, with how often it came, and says when it has stopped coming: while the database is away each queue has the same to
// say at each poll, and nothing else could be found among that. Lines are the same that have the same message. It is safe for concurrent use.
type damped struct {
	slog.Handler
	clock clock.Clock

	mu    sync.Mutex
	lines map[string]*repeated
}

// repeated is a line that came.
type repeated struct {
	told time.Time   // when it was last passed on
	held int         // how often it came since
	over *time.Timer // says that it came no more
}

// Handle is slog.Handler's.
func (d *damped) Handle(ctx context.Context, r slog.Record) error {
	pass, held := d.count(context.WithoutCancel(ctx), r.Message)
	if !pass {
		return nil
	}
	if held > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("repeated", held))
	}
	return d.Handler.Handle(ctx, r)
}

// count reports whether a line is passed on now, and how often it was not before.
func (d *damped) count(ctx context.Context, message string) (pass bool, held int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, line := d.clock.Now(), d.lines[message]
	if line == nil {
		if d.lines == nil {
			d.lines = map[string]*repeated{}
		}
		d.lines[message] = &repeated{told: now, over: time.AfterFunc(overAfter, func() { d.end(ctx, message) })}
		return true, 0
	}
	line.over.Reset(overAfter)
	if line.held++; now.Sub(line.told) < repeatAfter {
		return false, 0
	}
	held, line.held, line.told = line.held, 0, now
	return true, held
}

// end forgets a line that comes no more, and says so if it was more than one.
func (d *damped) end(ctx context.Context, message string) {
	d.mu.Lock()
	line := d.lines[message]
	if line == nil {
		d.mu.Unlock()
		return
	}
	delete(d.lines, message)
	d.mu.Unlock()
	if line.held == 0 {
		return
	}
	r := slog.NewRecord(d.clock.Now(), slog.LevelWarn, "that is over: "+message, 0)
	r.AddAttrs(slog.Int("repeated", line.held))
	_ = d.Handler.Handle(ctx, r)
}
