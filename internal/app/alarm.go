package app

import (
	"context"
	"log/slog"
	"time"

	"silkpost/internal/clock"
)

// alarm rings when something comes due, for the queue looks at what it has for later only every few seconds. Nothing hangs on it: what a process
// was to be woken for that is gone, the next periodic job finds.
type alarm struct {
	clock clock.Clock
	log   *slog.Logger
	ring  func(ctx context.Context) error
	times chan time.Time
}

func newAlarm(c clock.Clock, log *slog.Logger, ring func(ctx context.Context) error) *alarm {
	return &alarm{clock: c, log: log, ring: ring, times: make(chan time.Time, 1)}
}

// set makes the alarm ring at a time, unless it is to ring before. Zero says nothing. It never blocks.
func (a *alarm) set(at time.Time) {
	for !at.IsZero() {
		select {
		case a.times <- at:
			return
		case waiting := <-a.times: // nobody has read it yet
			if waiting.Before(at) {
				at = waiting
			}
		}
	}
}

// run waits and rings until ctx ends.
func (a *alarm) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	var next time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case at := <-a.times:
			if next.IsZero() || at.Before(next) {
				next = at
				timer.Reset(at.Sub(a.clock.Now()))
			}
		case <-timer.C:
			next = time.Time{}
			if err := a.ring(ctx); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "planning was not woken", slog.Any("error", err))
			}
		}
	}
}
