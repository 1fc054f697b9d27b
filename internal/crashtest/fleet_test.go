//go:build crash

package crashtest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"testing"
	"time"

	"silkpost/internal/testkit"
	"silkpost/mailer/ledger"
)

// fleet is workers on one Postgres that send to one sink.
type fleet struct {
	*installation
	people   int
	postgres *postgres
	sink     *sink
	workers  []*worker

	mu     sync.Mutex
	stands []standstill
}

// standstill is a time in which a process stood still, or its database was away, so long that others may have taken its work over.
type standstill struct{ from, to time.Time }

// startFleet starts workers for so many people, and a sink that takes pause to answer each message.
func startFleet(t *testing.T, workers, people int, pause time.Duration) *fleet {
	t.Helper()
	at := newInstallation(t)
	return startFleetOn(t, at, at.file("database"), workers, people, pause)
}

// startFleetOn is startFleet with a directory for the database.
func startFleetOn(t *testing.T, at *installation, database string, workers, people int, pause time.Duration) *fleet {
	t.Helper()
	log := slog.New(slog.NewTextHandler(at.log("postgres"), nil))
	f := &fleet{installation: at, people: people, postgres: startPostgres(t, database, log)}
	at.env = append(at.env, "SILKPOST_DATABASE_URL="+f.postgres.url, "SILKPOST_SECRET_KEY=a-key-of-the-tests-alone")
	f.sink = startSink(t, at, pause)
	at.furnish(people)
	at.env = append(at.env, "SILKPOST_SMTP_URL=smtp://"+f.sink.addr+"?tls=none")
	f.hire(workers)
	return f
}

// hire starts further workers and waits until they are up.
func (f *fleet) hire(n int) {
	f.t.Helper()
	for range n {
		f.workers = append(f.workers, startWorker(f.t, f.installation, fmt.Sprintf("worker%d", len(f.workers)), f.sink.addr))
	}
	f.awaitWorkers(len(f.workers))
}

// send plans the edition: the workers take it from there.
func (f *fleet) send() {
	f.t.Helper()
	f.run("digest", "send", "--list", "partners")
}

// stood notes a standstill that has just ended.
func (f *fleet) stood(since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stands = append(f.stands, standstill{since, time.Now()})
}

// await waits until so many messages were accepted.
func (f *fleet) await(n int) {
	f.t.Helper()
	select {
	case <-f.sink.reached(n):
	case <-time.After(patience):
		f.t.Fatalf("waited in vain for message %d: %d have come, and %+v", n, len(f.sink.accepted()), f.counts())
	}
}

// counts reads the ledger's counts, which are those of one moment.
func (f *fleet) counts() ledger.Counts {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 5*time.Second)
	defer cancel()
	c, err := ledger.Count(ctx, f.postgres.db)
	if err != nil {
		return ledger.Counts{} // Postgres is away
	}
	if sum := c.Pending + c.InFlight + c.Deferred + c.Sent + c.Failed + c.Suppressed + c.Cancelled + c.InDoubt; sum != c.Recipients || c.Recipients != f.people {
		f.t.Errorf("the states add up to %d, recipients are %d, people %d", sum, c.Recipients, f.people)
	}
	return c
}

// watch looks at the counts again and again until the function that it returns is called: they add up in every snapshot.
func (f *fleet) watch() (stop func()) {
	over := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-over:
				return
			case <-time.After(250 * time.Millisecond):
				f.counts()
			}
		}
	})
	return func() {
		close(over)
		watching.Wait()
	}
}

// settle waits until everything is sent, stops the workers as an operator does, and holds the ledger against what the sink accepted.
func (f *fleet) settle() findings {
	f.t.Helper()
	testkit.Eventually(f.t, patience, "everything is sent", func() bool {
		time.Sleep(200 * time.Millisecond)
		return f.counts().Sent == f.people
	})
	var ending sync.WaitGroup
	for _, w := range f.workers {
		ending.Go(func() {
			if state := w.retire(syscall.SIGTERM); !state.Success() {
				f.t.Errorf("%s, told to stop when all was done: %v", w.name, state)
			}
		})
	}
	ending.Wait()
	f.sink.kill()
	return report(f.t, audit(rows(f.t, f.postgres.db), f.sink.accepted(), f.stands))
}
