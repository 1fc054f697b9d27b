//go:build crash

package crashtest

import (
	"os"
	"strings"
	"testing"

	"silkpost/internal/testkit"
)

// TestCrashDiskFull fills the disk of the database in the midst of sending: sending pauses, for an outcome that cannot be written down holds its
// connection, and goes on when there is room again.
func TestCrashDiskFull(t *testing.T) {
	t.Parallel()
	disk := testkit.SmallDisk(t, 300<<20)
	people := size(20_000, 2_000)
	f := startFleetOn(t, newInstallation(t), disk.Dir, 2, people, 0)
	f.send()
	f.await(people / 4)
	disk.Fill()
	for _, w := range f.workers {
		testkit.Eventually(t, patience, w.name+" cannot write outcomes down", func() bool { return f.says(w, "not written down yet") })
	}
	stuck := len(f.sink.accepted())
	disk.Free()
	found := f.settle()
	t.Logf("the disk was full after %d of %d messages: %d lost, %d doubled", stuck, people, found.lost, found.doubled)
	if stuck == people {
		t.Error("everything was sent before the disk was full")
	}
	if found.doubled > f.all() {
		t.Errorf("%d messages came twice: more than one per connection", found.doubled)
	}
}

// says reports whether a worker's log has words.
func (f *fleet) says(w *worker, words string) bool {
	text, err := os.ReadFile(w.log.Name())
	must(f.t, err)
	return strings.Contains(string(text), words)
}
