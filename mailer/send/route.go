package send

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

// The pause of a route that takes nothing: doubling with each failure in a row, up to the longest.
const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// tooOften is how many refusals of everything in a row let mail go over the second relay. One that cannot be connected to at all is left at once: as
// many connections have failed by then as there may be.
const tooOften = 3

// The time between two looks whether the first relay works again: doubling when it does not, or does not for long.
const (
	firstProbe   = 15 * time.Second
	longestProbe = 10 * time.Minute
)

// route is a way that mail can take: over one relay.
type route struct {
	relay Relay
	pool  pool

	pause    time.Duration
	until    time.Time // nothing goes over it before
	rests    time.Time // likewise, because it was paused as a destination is
	refusals int       // of everything, in a row
}

// routes are the ways that mail can take: over the relay and, if there is one, over the second that stands in for it. They are safe for concurrent use.
type routes struct {
	mu      sync.Mutex
	all     []*route
	current int
	open    int           // connections that are open or about to be
	changed chan struct{} // closed when a connection may be opened that might not before

	probe    time.Duration // until the first relay is looked at again
	returned time.Time     // when mail went over it again
}

func newRoutes(relay Relay, connections int) *routes {
	r := &routes{changed: make(chan struct{}), probe: firstProbe}
	for relay := &relay; relay != nil; relay = relay.Fallback {
		r.all = append(r.all, &route{relay: *relay, pool: newPool(connections)})
	}
	return r
}

// way returns the route that mail takes now.
func (r *routes) way() *route {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[r.current]
}

// enter waits until one more connection may be opened, and reports false when stop is closed before. After one could not be made those that are open go
// on by themselves for a while.
func (r *routes) enter(stop <-chan struct{}, now func() time.Time) bool {
	for {
		r.mu.Lock()
		way, changed := r.all[r.current], r.changed
		grow := way.pool.growAfter.Sub(now())
		if r.open < way.pool.size && (grow <= 0 || r.open == 0) {
			r.open++
			r.mu.Unlock()
			return true
		}
		r.mu.Unlock()
		if grow <= 0 {
			grow = time.Minute // somebody tells
		}
		timer := time.NewTimer(min(grow, time.Minute))
		select {
		case <-changed:
		case <-timer.C:
		case <-stop:
			timer.Stop()
			return false
		}
		timer.Stop()
	}
}

// leave notes that a connection is closed.
func (r *routes) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	r.tell()
}

// tell wakes those who wait to open a connection. The mutex is to be held.
func (r *routes) tell() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// stays reports whether a connection of a route may stay: there are not too many, and mail goes that way, unless it is not open.
func (r *routes) stays(of *route, open bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	way := r.all[r.current]
	return r.open <= way.pool.size && (of == way || !open)
}

// worked notes that a route took a connection or a message.
func (r *routes) worked(of *route, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	of.pause, of.until, of.refusals = 0, time.Time{}, 0
	size := of.pool.size
	if r.open >= size {
		of.pool.filled()
	}
	if of.pool.worked(now); of.pool.size > size {
		r.tell()
	}
}

// unreachable notes that a connection could not be made. It reports true when the route is dead by that.
func (r *routes) unreachable(of *route, now time.Time) (dead bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	dead = of.pool.failed(now)
	if dead {
		of.refusals = tooOften
	}
	return dead
}

// failed notes that a route takes nothing, and lets it pause. It reports whether that is news, for what fails together counts once, and the route
// that mail takes from now on, if that is another one.
func (r *routes) failed(of *route, now time.Time) (news bool, other *route) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(of.until) {
		return false, nil
	}
	of.pause = min(max(2*of.pause, firstPause), longestPause)
	of.until = now.Add(of.pause)
	of.refusals++
	if of.refusals < tooOften || of != r.all[r.current] || r.current+1 == len(r.all) {
		return true, nil
	}
	if now.Sub(r.returned) < longestProbe {
		r.probe = min(2*r.probe, longestProbe)
	} else {
		r.probe = firstProbe
	}
	r.goOver()
	return true, r.all[r.current]
}

// pauses reports whether nothing should be sent now.
func (r *routes) pauses(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Before(r.all[r.current].latest())
}

// latest returns when something may go over the route again.
func (r *route) latest() time.Time {
	if r.rests.After(r.until) {
		return r.rests
	}
	return r.until
}

// rest lets a relay rest that was paused, and reports whether mail goes over another one.
func (r *routes) rest(address string, until time.Time) (other bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, way := range r.all {
		if way.relay.Address() != address {
			continue
		}
		way.rests = until
		if i == r.current && i+1 < len(r.all) {
			r.goOver()
		}
		return r.current != i
	}
	return false
}

// goOver lets mail take the next route. The mutex is to be held.
func (r *routes) goOver() {
	r.current++
	r.all[r.current].until = time.Time{}
	r.tell()
}

// wait returns true when the pause, if there is one, is over; false when ctx ends first.
func (r *routes) wait(ctx context.Context, now time.Time) bool {
	r.mu.Lock()
	pause := r.all[r.current].latest().Sub(now)
	r.mu.Unlock()
	if pause <= 0 {
		return ctx.Err() == nil
	}
	return sleep(ctx, pause)
}

// comeBack lets mail go over the first relay again.
func (r *routes) comeBack(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.all[0]
	first.pool = pool{most: first.pool.most, size: 1}
	first.pause, first.until, first.refusals = 0, time.Time{}, 0
	r.current, r.returned = 0, now
	r.tell()
}

// next returns how long to wait before the first relay is looked at; away is false when mail goes over it.
func (r *routes) next() (wait time.Duration, away bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.probe, r.current > 0
}

// later lets more time pass before the first relay is looked at again.
func (r *routes) later() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.probe = min(2*r.probe, longestProbe)
}

// lookBack looks from time to time, while mail goes over the second relay, whether the first one takes a connection again.
func (s *Sender) lookBack(ctx context.Context) {
	for len(s.routes.all) > 1 {
		wait, away := s.routes.next()
		if !away {
			wait = time.Second
		}
		if s.ProbeAfter > 0 {
			wait = min(wait, s.ProbeAfter)
		}
		if !sleep(ctx, wait) {
			return
		}
		if !away {
			continue
		}
		first := s.routes.all[0].relay
		if rests, err := ledger.Rests(ctx, s.DB, first.Address(), s.Clock.Now()); err != nil || rests {
			continue
		}
		wire, err := first.dial(ctx, s.Helo)
		if err != nil {
			s.routes.later()
			continue
		}
		wire.quit()
		s.routes.comeBack(s.Clock.Now())
		s.Log.InfoContext(ctx, "the relay takes connections again: mail goes over it", slog.String("relay", first.Address()))
	}
}

// refused lets a route pause that takes nothing from us.
func (s *Sender) refused(ctx context.Context, of *route, r reply.Reply) {
	news, other := s.routes.failed(of, s.Clock.Now())
	if news {
		s.Log.WarnContext(ctx, "the relay takes nothing from us", slog.String("relay", of.relay.Address()), slog.Any("kind", r.Kind()),
			slog.String("phase", string(r.Phase)), slog.Int("code", r.Code), slog.String("answer", r.Text))
	}
	if other != nil {
		s.Log.WarnContext(ctx, "mail goes over the second relay", slog.String("relay", other.relay.Address()))
	}
}
