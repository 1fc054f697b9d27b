//go:build crash

package crashtest

import (
	"os"
	"testing"
	"time"

	"silkpost/internal/testkit"
)

// takenOverWithin is the promise: what a dead sender held goes on within this time.
const takenOverWithin = 30 * time.Second

// TestCrashTakenOver kills a worker that has claimed all there is and cannot send it, and measures how long that waits for another worker.
func TestCrashTakenOver(t *testing.T) {
	t.Parallel()
	people := 4 * connections
	f := startFleet(t, 1, people, 0)
	doomed := f.workers[0]
	doomed.line.lose()
	f.send()
	testkit.Eventually(t, patience, "all is claimed", func() bool { return f.counts().InFlight == people })
	f.hire(1)
	doomed.retire(os.Kill)
	began := time.Now()
	testkit.Eventually(t, takenOverWithin, "what the dead worker held is sent", func() bool { return f.counts().Sent == people })
	t.Logf("%d deliveries of the dead worker were sent after %.1f s", people, time.Since(began).Seconds())
	f.workers = f.workers[1:]
	if found := f.settle(); found.doubled != 0 {
		t.Errorf("%d messages came twice that had not gone out", found.doubled)
	}
}
