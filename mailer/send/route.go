package send

import (
	"context"
	"sync"
	"time"
)

// The pause after a failed connection: doubling with each, up to the longest.
const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// route knows whether the relay can be reached. While it cannot, nothing is claimed: its trouble is not the recipients'.
type route struct {
	mu    sync.Mutex
	pause time.Duration
	until time.Time
}

// failed notes that the relay took nothing, and reports whether that is news: connections that fail together count once.
func (r *route) failed(now time.Time) (news bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.until) {
		return false
	}
	r.pause = min(max(2*r.pause, firstPause), longestPause)
	r.until = now.Add(r.pause)
	return true
}

// works notes that the relay listened.
func (r *route) works() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pause, r.until = 0, time.Time{}
}

// pauses reports whether nothing should be sent now.
func (r *route) pauses(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Before(r.until)
}

// wait returns true when the pause, if there is one, is over; false when ctx ends first.
func (r *route) wait(ctx context.Context, now time.Time) bool {
	r.mu.Lock()
	pause := r.until.Sub(now)
	r.mu.Unlock()
	if pause <= 0 {
		return ctx.Err() == nil
	}
	return sleep(ctx, pause)
}
