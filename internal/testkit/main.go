// Package testkit is what the tests of the other packages share: a real Postgres with a fresh database per test, a clock that
// is set by hand, a log that a failing test shows, golden files, and waiting with a deadline. Nothing else imports it.
package testkit

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Main is the body of every TestMain: it runs the package's tests, stops this process's Postgres if one was started, and
// fails when goroutines are left over.
//
//	func TestMain(m *testing.M) { testkit.Main(m) }
func Main(m *testing.M) {
	code := m.Run()
	if err := postgres.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "testkit:", err)
		code = max(code, 1)
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, "testkit: goroutines are left over:", err)
			code = 1
		}
	}
	os.Exit(code)
}
