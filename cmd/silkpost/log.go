package main

import (
	"io"
	"sync"
	"time"
)

// groupedLines writes what is logged at nearly the same time together: while thousands of messages go out in a second each has a line, and a system call for each
// costs more than the line. A line after silence is written at once; those that follow within a moment wait for its end, and whoever logs goes on meanwhile. Who
// ends the process calls Flush before; what a kill takes with it is a moment's lines at most. It is safe for concurrent use.
type groupedLines struct {
	out     io.Writer
	writing sync.Mutex // held while out is written to: the first to wait, or lines would change places

	mu      sync.Mutex
	waiting []byte
	spare   []byte // that was written; for reuse
	busy    bool   // a moment runs
}

// together is for how long lines wait for others, and fullLines how many bytes of them wait: with more, whoever logs waits for whoever reads.
const (
	together  = 20 * time.Millisecond
	fullLines = 1 << 20
)

// Write takes a line. An error is that of an earlier one, too.
func (l *groupedLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	l.waiting = append(l.waiting, line...)
	now := !l.busy || len(l.waiting) >= fullLines
	if !l.busy {
		l.busy = true
		time.AfterFunc(together, l.passed)
	}
	l.mu.Unlock()
	if now {
		return len(line), l.Flush()
	}
	return len(line), nil
}

// passed ends a moment. Another one follows if there was something to write.
func (l *groupedLines) passed() {
	l.mu.Lock()
	l.busy = len(l.waiting) > 0
	again := l.busy
	l.mu.Unlock()
	if again {
		_ = l.Flush() // nobody could be told
		time.AfterFunc(together, l.passed)
	}
}

// Flush writes what waits, and returns when it is written.
func (l *groupedLines) Flush() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	lines := l.waiting
	l.waiting, l.spare = l.spare, nil
	l.mu.Unlock()
	var err error
	if len(lines) > 0 {
		_, err = l.out.Write(lines)
	}
	l.mu.Lock()
	l.spare = lines[:0]
	l.mu.Unlock()
	return err
}
