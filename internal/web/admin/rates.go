package admin

import (
	"sync"
	"time"

	"github.com/google/uuid"
)

// rates remembers how far editions had come, to say how fast they go. It is safe for concurrent use.
type rates struct {
	mu   sync.Mutex
	seen map[uuid.UUID][]step
}

// step is how far an edition had come at a time.
type step struct {
	at   time.Time
	done int
}

const (
	// rateOver is the time over which a rate is taken, and rateFrom the least.
	rateOver = time.Minute
	rateFrom = 2 * time.Second
	// mostRates is how many editions are remembered: few go out at once.
	mostRates = 256
)

// note remembers how far an edition has come and returns its rate, a minute; 0 when that is not known yet.
func (r *rates) note(edition uuid.UUID, at time.Time, done int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) >= mostRates || r.seen == nil {
		r.seen = map[uuid.UUID][]step{}
	}
	steps := r.seen[edition]
	for len(steps) > 1 && at.Sub(steps[1].at) >= rateOver {
		steps = steps[1:]
	}
	if len(steps) == 0 || at.After(steps[len(steps)-1].at) {
		steps = append(steps, step{at, done})
	}
	r.seen[edition] = steps
	if took := at.Sub(steps[0].at); took >= rateFrom {
		return max(0, int(float64(done-steps[0].done)/took.Minutes()))
	}
	return 0
}
