package testkit

import (
	"testing"
	"time"
)

// Eventually waits until condition holds and fails the test when it does not within the limit. It is for what gives no
// signal to wait for, such as another process's doing.
func Eventually(t testing.TB, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", limit, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
