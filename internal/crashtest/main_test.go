//go:build crash

// Package crashtest breaks things while the program sends, and counts at the receiving server what came: nothing may be lost, and no more
// than one message per connection may come twice, with the same Message-ID and Date (P3).
//
// What is at work, each in a process of its own: an installation, with a Postgres that gives up nothing (postgres_test.go); workers, each with a
// data directory and a line to the server (worker_test.go, line_test.go); the server, which is `silkpost catch` (sink_test.go). What goes wrong has a
// file for each kind: fault_*_test.go. In the end audit_test.go holds the ledger against what the server saw.
//
//	make crash                            everything, some 15 minutes
//	make crash SHORT=-short               the quick form
//	CRASH_SEED=7 make crash               the same moments again, as far as processes let themselves be repeated
package crashtest

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// connections is how many SMTP connections a worker keeps: the bound on what one fault of it may double.
const connections = 10

func TestMain(m *testing.M) {
	if os.Getenv(workerRole) != "" {
		os.Exit(workerMain())
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // they wait for most of their time, for leases to run out
		panic(err)
	}
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

var built struct {
	once sync.Once
	dir  string
	err  error
}

// silkpost returns the path of the program, which is built once.
func silkpost(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "silkpost-crash-"); built.err != nil {
			return
		}
		if out, err := exec.Command("go", "build", "-o", filepath.Join(built.dir, "silkpost"), "silkpost/cmd/silkpost").CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	must(t, built.err)
	return filepath.Join(built.dir, "silkpost")
}

// chance returns the test's random numbers and says how to have them again.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64N(1_000_000)
	if given := os.Getenv("CRASH_SEED"); given != "" {
		var err error
		seed, err = strconv.ParseUint(given, 10, 64)
		must(t, err)
	}
	t.Logf("CRASH_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// size returns a number, or a smaller one in the quick form.
func size(long, short int) int {
	if testing.Short() {
		return short
	}
	return long
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
