package testkit

import (
	"flag"
	"syscall"
	"testing"
	"time"
)

// Quick reports whether benchmarks run to see that they do, not to measure: with -short or -benchtime 1x. They may then set up less.
func Quick() bool {
	return testing.Short() || flag.Lookup("test.benchtime").Value.String() == "1x"
}

// ProcessorTime returns how much processor time this process has used, on all processors together.
func ProcessorTime(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
