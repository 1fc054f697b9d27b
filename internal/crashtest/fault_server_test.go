//go:build crash

package crashtest

import (
	"math/rand/v2"
	"time"
)

// takeSinkAway kills the server and starts it again a while later.
func takeSinkAway(f *fleet, r *rand.Rand) int {
	f.sink.fault.Lock()
	defer f.sink.fault.Unlock()
	f.sink.kill()
	time.Sleep(time.Duration(r.IntN(4000)) * time.Millisecond)
	f.sink.start()
	return f.all()
}

// loseAnswers keeps from one worker what the server answers: what had its final dot is accepted, and the worker does not know. A while later
// its connections break.
func loseAnswers(f *fleet, r *rand.Rand) int {
	w, done := f.any(r)
	defer done()
	lost := w.line.lose()
	time.Sleep(time.Duration(r.IntN(4000)) * time.Millisecond)
	w.line.cut()
	return lost
}
