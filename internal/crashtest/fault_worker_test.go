//go:build crash

package crashtest

import (
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"silkpost/mailer/ledger"
)

// any picks a worker with which nothing else is wrong at present, and keeps it until done is called.
func (f *fleet) any(r *rand.Rand) (w *worker, done func()) {
	w = f.workers[r.IntN(len(f.workers))]
	w.fault.Lock()
	return w, w.fault.Unlock
}

// killWorker ends one with SIGKILL.
func killWorker(f *fleet, r *rand.Rand) int {
	w, done := f.any(r)
	defer done()
	w.signal(os.Kill)
	return connections
}

// stopWorker ends one with SIGTERM, which doubles nothing.
func stopWorker(f *fleet, r *rand.Rand) int {
	w, done := f.any(r)
	defer done()
	w.signal(syscall.SIGTERM)
	return 0
}

// freezeWorker stops one with SIGSTOP until its lease is over and others may have taken its work over, and wakes it.
func freezeWorker(f *fleet, r *rand.Rand) int {
	w, done := f.any(r)
	defer done()
	since := time.Now()
	w.signal(syscall.SIGSTOP)
	time.Sleep(ledger.Lease + time.Duration(r.IntN(6000))*time.Millisecond)
	w.signal(syscall.SIGCONT)
	f.stood(since)
	return connections
}

// TestCrashStoppedUnanswered tells a worker to stop while the server's answers are lost: it waits for them for half a minute, then what it sent is in
// doubt, and the rest is given back. Nothing of that is left to guess.
func TestCrashStoppedUnanswered(t *testing.T) {
	t.Parallel()
	people := 20 * connections
	f := startFleet(t, 1, people, 300*time.Millisecond)
	f.send()
	f.await(2 * connections)
	f.workers[0].line.lose()
	began := time.Now()
	state := f.workers[0].retire(syscall.SIGTERM)
	took := time.Since(began)
	c := f.counts()
	t.Logf("stopped after %.1f s: %+v", took.Seconds(), c)
	if took < 25*time.Second || took > 45*time.Second || !state.Success() {
		t.Errorf("it took %s to stop (%v), not about half a minute", took, state)
	}
	if c.InFlight != 0 || c.InDoubt == 0 || c.InDoubt > connections || c.Sent+c.InDoubt+c.Pending != people {
		t.Errorf("the ledger says %+v", c)
	}
	f.workers = nil
	f.hire(1)
	if found := f.settle(); found.doubled > connections {
		t.Errorf("%d messages came twice: more than one per connection", found.doubled)
	}
}
