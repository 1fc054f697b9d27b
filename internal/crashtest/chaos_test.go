//go:build crash

package crashtest

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// fault is one thing that goes wrong. strike does it, comes back when it is over, and says how many messages it may have doubled.
type fault struct {
	name   string
	strike func(f *fleet, r *rand.Rand) (mayDouble int)
}

// faults are all of them; each kind has a file of its own.
var faults = []fault{
	{"a worker is killed", killWorker},
	{"a worker is told to stop", stopWorker},
	{"a worker stands still past its lease", freezeWorker},
	{"Postgres is killed", killPostgres},
	{"Postgres is stopped at once", stopPostgresAtOnce},
	{"Postgres is restarted", restartPostgres},
	{"Postgres is away", takePostgresAway},
	{"the server is gone", takeSinkAway},
	{"answers are lost", loseAnswers},
}

// TestCrashChaos lets everything go wrong at random while workers send, more than one thing at a time, and audits the outcome.
func TestCrashChaos(t *testing.T) {
	t.Parallel()
	r := chance(t)
	people, rounds := size(100_000, 4_000), size(3, 1)
	f := startFleet(t, 2+r.IntN(3), people, 30*time.Millisecond)
	f.send()
	defer f.watch()()
	began := time.Now()
	var (
		going sync.WaitGroup
		mu    sync.Mutex
		bound int
	)
	plan := drawn(r, rounds)
	for i, next := range plan {
		// Each has its part of the run, and comes at a random moment of it. None comes near the end, where nothing would be left to break.
		part := people * 9 / 10 / len(plan)
		f.await(i*part + r.IntN(part))
		own := rand.New(rand.NewPCG(r.Uint64(), 0))
		t.Logf("%6d messages, %5.1f s: %s", len(f.sink.accepted()), time.Since(began).Seconds(), next.name)
		going.Go(func() {
			may := next.strike(f, own)
			mu.Lock()
			defer mu.Unlock()
			bound += may
		})
	}
	going.Wait()
	found := f.settle()
	t.Logf("%d people, %d workers, %d faults in %.0f s: %d lost, %d doubled (at most %d may be)",
		people, len(f.workers), len(plan), time.Since(began).Seconds(), found.lost, found.doubled, bound)
	if found.doubled > bound {
		t.Errorf("%d messages came twice, more than one per connection and fault, which is %d", found.doubled, bound)
	}
}

// drawn returns every kind of fault so many times, in random order.
func drawn(r *rand.Rand, rounds int) (plan []fault) {
	for range rounds {
		for _, i := range r.Perm(len(faults)) {
			plan = append(plan, faults[i])
		}
	}
	return plan
}
