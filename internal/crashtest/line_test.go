//go:build crash

package crashtest

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// line is the network between a worker and the sink. It can lose what the sink answers.
type line struct {
	ln   net.Listener
	to   string
	deaf atomic.Bool

	mu    sync.Mutex
	pairs map[*pair]bool
}

// pair is one connection: both of its ends.
type pair struct{ worker, sink net.Conn }

func startLine(t *testing.T, to string) *line {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	l := &line{ln: ln, to: to, pairs: map[*pair]bool{}}
	var ended sync.WaitGroup
	ended.Go(func() { l.accept(&ended) })
	t.Cleanup(func() {
		_ = ln.Close()
		l.cut()
		ended.Wait()
	})
	return l
}

func (l *line) addr() string { return l.ln.Addr().String() }

func (l *line) accept(ended *sync.WaitGroup) {
	for {
		worker, err := l.ln.Accept()
		if err != nil {
			return
		}
		sink, err := net.Dial("tcp", l.to)
		if err != nil {
			_ = worker.Close()
			continue
		}
		p := &pair{worker, sink}
		l.mu.Lock()
		l.pairs[p] = true
		l.mu.Unlock()
		ended.Go(func() { _, _ = io.Copy(sink, worker); _ = sink.Close() })
		ended.Go(func() { l.answers(p) })
	}
}

// answers carries what the sink says, unless the line is deaf, until the sink closes or the line is cut.
func (l *line) answers(p *pair) {
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.pairs, p)
	}()
	buffer := make([]byte, 4096)
	for {
		n, err := p.sink.Read(buffer)
		if l.deaf.Load() {
			n = 0
		}
		if n > 0 {
			_, _ = p.worker.Write(buffer[:n])
		}
		if err != nil {
			_ = p.worker.Close()
			return
		}
	}
}

// lose makes the line lose all answers from now on, and returns how many connections that concerns.
func (l *line) lose() int {
	l.deaf.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.pairs)
}

// cut resets all connections; those that come after are good ones.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range l.pairs {
		for _, c := range []net.Conn{p.worker, p.sink} {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			_ = c.Close()
		}
	}
	l.deaf.Store(false)
}
