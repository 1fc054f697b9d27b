//go:build crash

package crashtest

import (
	"fmt"
	"testing"
	"time"
)

// TestCrashSeveralWorkers lets one, two, four and eight workers share an edition: nothing goes wrong, so everybody gets one message, and what the
// server counts is what the ledger says. The rates are told, not judged: all of it shares this machine.
func TestCrashSeveralWorkers(t *testing.T) {
	t.Parallel()
	people := size(20_000, 2_000)
	for _, workers := range []int{1, 2, 4, 8} {
		if testing.Short() && workers < 8 {
			continue
		}
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			f := startFleet(t, workers, people, 0)
			f.send()
			found := f.settle()
			if n := len(f.sink.accepted()); found.doubled != 0 || n != people {
				t.Errorf("%d people, %d messages, %d doubled", people, n, found.doubled)
			}
			copies := f.sink.accepted()
			took := copies[len(copies)-1].at.Sub(copies[0].at)
			t.Logf("%d workers, %d people: %.0f messages/s at the server", workers, people, float64(people)/max(took, time.Millisecond).Seconds())
		})
	}
}
