package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// writes counts how often it is written to.
type writes struct {
	bytes.Buffer
	n int
}

func (c *writes) Write(b []byte) (int, error) {
	c.n++
	return c.Buffer.Write(b)
}

func TestLinesAreWrittenTogether(t *testing.T) {
	t.Parallel()
	const writers, each = 8, 500
	var out writes
	log := &groupedLines{out: &out}
	fmt.Fprintln(log, "first")
	if out.String() != "first\n" {
		t.Fatalf("a line after silence is not written at once: %q", out.String())
	}
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				fmt.Fprintf(log, "%d %d\n", w, i)
			}
		})
	}
	all.Wait()
	if err := log.Flush(); err != nil {
		t.Fatal(err)
	}
	next := [writers]int{}
	written := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")[1:]
	for _, line := range written {
		var w, i int
		if _, err := fmt.Sscanf(line, "%d %d", &w, &i); err != nil || i != next[w] {
			t.Fatalf("line %q comes where %d of %d should", line, next[w], w)
		}
		next[w]++
	}
	if len(written) != writers*each || out.n > writers*each/10 {
		t.Errorf("%d lines in %d writes", len(written), out.n)
	}
}
