package main

import (
	"io"
	"sync"
	"time"
)

// groupedLines writes what is logged at nearly the same time together: while thousands of messages go out in a second each has a line, and a system call for each
// costs more than the line. A line after silence is written at once; those that follow within a moment wait for its end. Who ends the process calls Flush
// before; what a kill takes with it is a moment's lines at most. It is safe for concurrent use.
type groupedLines struct {
	out io.Writer

	mu      sync.Mutex
	waiting []byte
	busy    bool // a moment runs
}

// together is for how long lines wait for others, and fullLines how many bytes of them wait at most.
const (
	together  = 20 * time.Millisecond
	fullLines = 64 << 10
)

// Write takes a line. An error is that of an earlier one, too.
func (l *groupedLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, line...)
	var err error
	if !l.busy || len(l.waiting) >= fullLines {
		err = l.flush()
	}
	if !l.busy {
		l.busy = true
		time.AfterFunc(together, l.passed)
	}
	return len(line), err
}

// passed ends a moment. Another one follows if there was something to write.
func (l *groupedLines) passed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy = len(l.waiting) > 0; l.busy {
		_ = l.flush() // nobody could be told
		time.AfterFunc(together, l.passed)
	}
}

// Flush writes what waits.
func (l *groupedLines) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flush()
}

func (l *groupedLines) flush() error {
	if len(l.waiting) == 0 {
		return nil
	}
	_, err := l.out.Write(l.waiting)
	l.waiting = l.waiting[:0]
	return err
}
