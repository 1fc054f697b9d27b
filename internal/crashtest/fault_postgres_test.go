//go:build crash

package crashtest

import (
	"math/rand/v2"
	"syscall"
	"time"
)

// all is how many connections are open at most.
func (f *fleet) all() int { return connections * len(f.workers) }

func killPostgres(f *fleet, _ *rand.Rand) int {
	f.postgres.signal(syscall.SIGKILL)
	return f.all()
}

// stopPostgresAtOnce does what pg_ctl stop -m immediate does.
func stopPostgresAtOnce(f *fleet, _ *rand.Rand) int {
	f.postgres.signal(syscall.SIGQUIT)
	return f.all()
}

func restartPostgres(f *fleet, _ *rand.Rand) int {
	f.postgres.signal(syscall.SIGINT)
	return f.all()
}

// takePostgresAway stops it for a while, which may be longer than a lease.
func takePostgresAway(f *fleet, r *rand.Rand) int {
	since := time.Now()
	f.postgres.away(time.Duration(r.IntN(20_000)) * time.Millisecond)
	f.stood(since)
	return f.all()
}
