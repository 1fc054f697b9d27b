//go:build crash

package crashtest

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"silkpost/mailer/catcher"
)

// sink is the server that all mail goes to: `silkpost catch` in a process of its own. It can be killed, and comes back at the same address; what
// it has accepted is known from its log, a line of which is written before the answer.
type sink struct {
	t    *testing.T
	at   *installation
	args []string
	addr string

	fault   sync.Mutex // held while it is away
	mu      sync.Mutex
	life    int
	running *exec.Cmd
	read    chan struct{} // closed when all of this life's log is read
	copies  []received
	waiters map[int]chan struct{} // number of copies → closed when reached
}

// received is a message that the sink accepted.
type received struct {
	line      connection
	at        time.Time // when its final dot came
	to        string
	messageID string
	date      string
	reply     string
}

// connection names one of the sink's: numbers begin anew with each of its lives.
type connection struct{ life, number int }

// startSink starts one that takes pause to answer each final dot, which makes a run longer and its moments more interesting.
func startSink(t *testing.T, at *installation, pause time.Duration) *sink {
	t.Helper()
	s := &sink{t: t, at: at, args: []string{"catch"}, addr: "127.0.0.1:0", waiters: map[int]chan struct{}{}}
	if pause > 0 {
		script := at.file("script.toml")
		must(t, os.WriteFile(script, []byte("[[rule]]\nverb = \"DOT\"\nstall = \""+pause.String()+"\"\n"), 0o644))
		s.args = append(s.args, "--script", script)
	}
	s.start()
	t.Cleanup(s.kill)
	return s
}

// start begins a life and returns when mail is taken.
func (s *sink) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := s.at.command(context.Background(), append(s.args, "--listen", s.addr)...)
	log, err := cmd.StdoutPipe()
	must(s.t, err)
	words, err := cmd.StderrPipe()
	must(s.t, err)
	must(s.t, cmd.Start())
	greeting, _ := bufio.NewReader(words).ReadString('\n')
	addr, found := strings.CutPrefix(greeting, "Catching mail at ")
	if !found {
		s.t.Errorf("the sink does not start: %q", greeting)
		return
	}
	s.addr = strings.TrimSuffix(addr, ".\n")
	s.life++
	s.running, s.read = cmd, make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, words) }()
	go s.follow(log, s.life, s.read)
}

// kill ends a life at once; all that it logged is known then.
func (s *sink) kill() {
	s.mu.Lock()
	cmd, read := s.running, s.read
	s.running = nil
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill()
	<-read
	_ = cmd.Wait()
}

func (s *sink) follow(log io.Reader, life int, read chan<- struct{}) {
	defer close(read)
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if !strings.Contains(lines.Text(), `"verb":"DOT"`) {
			continue
		}
		var e catcher.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			s.t.Errorf("the sink's log has %q: %v", lines.Text(), err)
		}
		if e.Code == 250 {
			s.note(received{connection{life, e.Conn}, time.UnixMicro(e.Time), e.To, e.MessageID, e.Date, e.Reply})
		}
	}
}

func (s *sink) note(r received) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.copies = append(s.copies, r)
	if reached := s.waiters[len(s.copies)]; reached != nil {
		close(reached)
	}
}

// reached returns a channel that is closed when so many messages have been accepted.
func (s *sink) reached(n int) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiters[n] == nil {
		s.waiters[n] = make(chan struct{})
		if len(s.copies) >= n {
			close(s.waiters[n])
		}
	}
	return s.waiters[n]
}

// accepted returns all that was accepted so far.
func (s *sink) accepted() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.copies[:len(s.copies):len(s.copies)]
}
