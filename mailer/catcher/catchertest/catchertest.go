// Package catchertest starts mail catchers for tests, as SMTP servers that do what a test says.
package catchertest

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"silkpost/mailer/catcher"
)

// Patience is how long Wait waits at most.
const Patience = 20 * time.Second

// Server is a running catcher that knows its events.
type Server struct {
	*catcher.Catcher
	Addr string // host:port on loopback

	mu      sync.Mutex
	events  []catcher.Event
	changed chan struct{}
}

// Start runs a catcher on a free port of 127.0.0.1 until the test ends. Without cfg.Dir it keeps messages in a directory of the
// test's. cfg.OnEvent is called as ever.
func Start(t testing.TB, cfg catcher.Config) *Server {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	return StartCounting(t, cfg)
}

// StartCounting is Start for a catcher that keeps messages only if cfg.Dir says where.
func StartCounting(t testing.TB, cfg catcher.Config) *Server {
	t.Helper()
	s := &Server{changed: make(chan struct{})}
	told := cfg.OnEvent
	cfg.OnEvent = func(e catcher.Event) {
		s.note(e)
		if told != nil {
			told(e)
		}
	}
	var err error
	if s.Catcher, err = catcher.New(cfg); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = ln.Addr().String()
	s.serve(t, ln)
	return s
}

func (s *Server) serve(t testing.TB, ln net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the mail catcher ended with: %v", err)
		}
	})
}

func (s *Server) note(e catcher.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	close(s.changed)
	s.changed = make(chan struct{})
}

// Events returns the events so far.
func (s *Server) Events() []catcher.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]catcher.Event(nil), s.events...)
}

// WaitMessages waits until n messages have been accepted and fails the test if they do not come.
func (s *Server) WaitMessages(t testing.TB, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := s.Wait(ctx, n); err != nil {
		t.Fatalf("%d of %d messages came within %v", s.Counts().Messages, n, Patience)
	}
}

// WaitEvent waits for the first event that is wanted, also among those that were before, and fails the test if it does not come.
func (s *Server) WaitEvent(t testing.TB, wanted func(catcher.Event) bool) catcher.Event {
	t.Helper()
	deadline := time.After(Patience)
	for seen := 0; ; {
		s.mu.Lock()
		events, changed := s.events, s.changed
		s.mu.Unlock()
		for ; seen < len(events); seen++ {
			if wanted(events[seen]) {
				return events[seen]
			}
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("the event did not come within %v; there were %+v", Patience, events)
		}
	}
}
