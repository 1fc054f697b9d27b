// Package smtptest is an SMTP server for tests that does what no decent server does: at every step of a session it can answer anything, in part or
// not at all, fall silent, or break the connection. It notes what it saw, and what a client did that no client may do.
//
// It is written from RFC 5321 by itself and shares no code with what it tests. The mail catcher is the server to use where all goes well, or where
// a script is enough.
package smtptest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Step is a moment of a session at which a server has its say.
type Step string

// The steps. Dot is the final dot of a message, Body the moment at which its first bytes have come.
const (
	Connect  Step = "CONNECT"
	EHLO     Step = "EHLO"
	StartTLS Step = "STARTTLS"
	Auth     Step = "AUTH"
	Mail     Step = "MAIL"
	Rcpt     Step = "RCPT"
	Data     Step = "DATA"
	Body     Step = "BODY"
	Dot      Step = "DOT"
	Rset     Step = "RSET"
	Noop     Step = "NOOP"
	Quit     Step = "QUIT"
)

// Moment is a step as it comes.
type Moment struct {
	Step    Step
	Conn    int       // the connection's number, from 1
	Message int       // the connection's nth MAIL, from 1; 0 before the first
	Line    string    // the command
	To      string    // the accepted recipient, from RCPT on
	At      time.Time // when its last byte came
}

// Act is what the server does at a step. The zero Act is to do well.
type Act struct {
	Reply string // lines parted by \n, each of which gets its CRLF; "": the good answer
	Part  int    // only the first Part bytes of the answer are sent
	Mute  bool   // no answer is sent
	Keep  bool   // at Dot: the message is kept whatever is answered. With a good answer it is in any case
	Then  End    // what becomes of the connection after that
}

// End is what becomes of a connection.
type End string

// The ends.
const (
	GoOn    End = ""        // it goes on
	Close   End = "close"   // it is closed in good order: FIN
	Reset   End = "reset"   // it is broken: RST
	Silence End = "silence" // nothing more is said on it, until the client goes
)

// Config is what a Server is made of.
type Config struct {
	Do         func(Moment) Act // nil: all goes well. It is called by many goroutines
	Offers     []string         // further lines of the answer to EHLO, such as 8BITMIME
	Pipelining bool             // offered; without it a client that does not wait for answers is noted as a fault
	TLS        *tls.Config      // offers STARTTLS until it is used; nil: not
	Auth       bool             // offers AUTH PLAIN, and believes everybody
}

// Message is a message that the server kept.
type Message struct {
	Conn     int
	From, To string
	Data     string    // with CRLF line ends, without what dot-stuffing added
	At       time.Time // when its final dot came
}

// Server is a running server.
type Server struct {
	Addr string // host:port on 127.0.0.1

	cfg   Config
	ln    net.Listener
	ended sync.WaitGroup

	mu       sync.Mutex
	changed  chan struct{} // closed and made anew with each moment
	open     map[net.Conn]bool
	conns    int
	moments  []Moment
	messages []Message
	faults   []string
}

// Start runs a server until the test ends.
func Start(t testing.TB, cfg Config) *Server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: ln.Addr().String(), cfg: cfg, ln: ln, changed: make(chan struct{}), open: map[net.Conn]bool{}}
	s.ended.Go(s.accept)
	t.Cleanup(s.stop)
	return s
}

func (s *Server) accept() {
	for {
		c, err := s.ln.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns++
		s.open[c] = true
		session := &session{server: s, number: s.conns, socket: c, tap: newTap(c)}
		s.mu.Unlock()
		session.use(session.tap)
		s.ended.Go(session.tap.pump)
		s.ended.Go(func() {
			session.run()
			_ = session.conn.Close()
			close(session.tap.done)
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.open, c)
		})
	}
}

// stop ends all sessions.
func (s *Server) stop() {
	_ = s.ln.Close()
	s.mu.Lock()
	for c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.ended.Wait()
}

// Messages returns what was kept so far.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Moments returns all steps so far.
func (s *Server) Moments() []Moment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.moments)
}

// Connections returns how many connections were ever made.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// Faults returns what clients did that no client may do.
func (s *Server) Faults() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// Await waits until a moment has come that is wanted, also among those that were before, and fails the test when it does not within a minute.
func (s *Server) Await(t testing.TB, what string, wanted func(Moment) bool) Moment {
	t.Helper()
	deadline := time.After(time.Minute)
	for seen := 0; ; {
		s.mu.Lock()
		moments, changed := s.moments, s.changed
		s.mu.Unlock()
		if i := slices.IndexFunc(moments[seen:], wanted); i >= 0 {
			return moments[seen+i]
		}
		seen = len(moments)
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("%s: not within a minute; there were %v", what, moments)
		}
	}
}

func (s *Server) note(m Moment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moments = append(s.moments, m)
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) keep(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
}

func (s *Server) fault(number int, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, fmt.Sprintf("connection %d: ", number)+fmt.Sprintf(format, args...))
}

// session is one connection. It belongs to one goroutine.
type session struct {
	server *Server
	number int
	socket net.Conn // for RST
	tap    *tap     // what is read of the socket
	conn   net.Conn // the tap, or the TLS over it
	in     *bufio.Reader
	secure bool

	messages int
	greeted  bool
	from, to string
	begun    bool // MAIL was accepted
	taken    bool // RCPT was accepted
}

const longestLine = 1 << 16

func (c *session) use(conn net.Conn) { c.conn, c.in = conn, bufio.NewReaderSize(conn, longestLine) }

// run talks until the connection ends.
func (c *session) run() {
	if _, on := c.answer(Connect, "", "220 mx.example.org ESMTP"); !on {
		return
	}
	for {
		line, err := c.readLine()
		if err != nil {
			return
		}
		if !c.command(line) {
			return
		}
	}
}

// readLine reads a line and notes one that is not as RFC 5321, 2.3.8 and 4.5.3.1 want it.
func (c *session) readLine() (string, error) {
	line, err := c.in.ReadString('\n')
	if err != nil {
		return "", err
	}
	if !strings.HasSuffix(line, "\r\n") || strings.Contains(strings.TrimSuffix(line, "\r\n"), "\r") {
		c.server.fault(c.number, "a line does not end in CRLF: %q", line)
	}
	if len(line) > 1000 {
		c.server.fault(c.number, "a line of %d bytes", len(line))
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// answer has the server say something at a step: what the test wants, else what is good. It returns what it did, and whether the session goes on.
func (c *session) answer(step Step, line, good string) (act Act, goesOn bool) {
	act = c.decide(step, line, good)
	return act, c.perform(step, act)
}

// decide asks the test what to do.
func (c *session) decide(step Step, line, good string) (act Act) {
	m := Moment{Step: step, Conn: c.number, Message: c.messages, Line: line, To: c.to, At: c.tap.at}
	if c.server.cfg.Do != nil {
		act = c.server.cfg.Do(m)
	}
	if act.Reply == "" {
		act.Reply = good
	}
	c.server.note(m)
	return act
}

// perform answers, and reports whether the session goes on.
func (c *session) perform(step Step, act Act) bool {
	if !act.Mute && step != Body {
		wire := strings.ReplaceAll(act.Reply, "\n", "\r\n") + "\r\n"
		if act.Part > 0 {
			wire = wire[:min(act.Part, len(wire))]
		}
		if _, err := c.conn.Write([]byte(wire)); err != nil {
			return false
		}
	}
	return c.end(act.Then)
}

// says reports whether an act's answer is whole and of a class: what its last line says.
func (a Act) says(class byte) bool {
	last := a.Reply[strings.LastIndexByte(a.Reply, '\n')+1:]
	return !a.Mute && a.Part == 0 && len(last) >= 3 && last[0] == class && (len(last) == 3 || last[3] == ' ')
}

// end does what becomes of the connection and reports whether it goes on.
func (c *session) end(then End) bool {
	switch then {
	case GoOn:
		return true
	case Reset:
		if tcp, ok := c.socket.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	case Silence:
		_, _ = c.in.WriteTo(discard{})
	case Close:
	}
	_ = c.socket.Close()
	return false
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
