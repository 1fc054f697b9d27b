//go:build crash

package crashtest

import (
	"math/rand/v2"
	"os"
	"syscall"
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
