package catcher

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	maxCommandBytes = 16 << 10 // of a command line; RFC 5321 asks for 512 and what the extensions add
	writeTimeout    = time.Minute
)

// conn is one client's connection. Below go-smtp it is the net.Conn: it hands over one command at a time, so that what go-smtp
// writes next is the answer to it, and each verb can be timed, logged and scripted, those included that go-smtp tells nobody
// about. Above go-smtp it is the session (session.go). TLS, after STARTTLS, is inside, so all this goes on in it.
//
// Everything but stop is called by the connection's own goroutine.
type conn struct {
	net.Conn // the socket, for closing, deadlines and addresses
	catcher  *Catcher
	number   int
	secure   bool
	forget   func(*conn)
	quit     chan struct{} // closed by stop
	quitOnce sync.Once
	closed   bool

	in      *bufio.Reader
	out     io.Writer
	arrived time.Time // when the newest bytes came in
	rest    []byte    // handed out by next, not yet taken by go-smtp
	reply   []byte    // what go-smtp has written of an answer

	event Event // the verb in hand; none between an answer and the next verb
	rule  Rule  // what the script says to it
	phase phase

	messages int // MAIL commands so far
	envelope envelope
	above    *smtp.Conn // go-smtp's side of this connection, from EHLO on
}

// phase is what the next bytes from the client are.
type phase int

const (
	commands   phase = iota
	body             // of a message, up to the final dot
	cutBody          // the same, but its first bytes end the connection
	credential       // a line that answers 334
	hidden           // nothing: go-smtp is about to answer a RSET of our own
)

func newConn(raw net.Conn, secure bool, catcher *Catcher, forget func(*conn)) *conn {
	c := &conn{Conn: raw, catcher: catcher, number: catcher.connected(), secure: secure, forget: forget, quit: make(chan struct{})}
	c.use(raw)
	c.arrived = catcher.cfg.Clock.Now()
	c.take(Event{Verb: Connect})
	return c
}

// use makes rw what is read and written: the socket, or the TLS over it.
func (c *conn) use(rw io.ReadWriter) {
	c.in = bufio.NewReaderSize(readerFunc(func(p []byte) (int, error) { return c.receive(rw, p) }), maxCommandBytes)
	c.out = rw
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// receive reads from the client within IdleTimeout and notes the time.
func (c *conn) receive(from io.Reader, p []byte) (int, error) {
	if err := c.Conn.SetReadDeadline(time.Now().Add(c.catcher.cfg.IdleTimeout)); err != nil {
		return 0, io.EOF
	}
	// Looked at after the deadline was set, else it could undo the one with which stop wakes the Read.
	if c.stopping() {
		return 0, c.sayStopping()
	}
	n, err := from.Read(p)
	c.arrived = c.catcher.cfg.Clock.Now()
	switch {
	case err == nil:
	case c.stopping():
		err = c.sayStopping()
	case !errors.Is(err, os.ErrDeadlineExceeded):
		err = io.EOF // however the client went, it is gone; go-smtp answers any other error
	}
	return n, err
}

// stop makes the connection end after the command in its hands. Any goroutine may call it.
func (c *conn) stop() {
	c.quitOnce.Do(func() { close(c.quit) })
	_ = c.Conn.SetReadDeadline(time.Unix(1, 0))
}

func (c *conn) stopping() bool {
	select {
	case <-c.quit:
		return true
	default:
		return false
	}
}

func (c *conn) sayStopping() error {
	c.phase, c.event, c.rule = commands, Event{}, Rule{}
	c.answer("421 4.3.2 The catcher stops\r\n")
	return io.EOF
}

// Read gives go-smtp a command, or a part of a body that does not reach beyond its final dot.
func (c *conn) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		if c.closed {
			return 0, io.EOF
		}
		var err error
		if c.rest, err = c.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// next returns what go-smtp may see next; nothing, if that was a command which was answered here.
func (c *conn) next() ([]byte, error) {
	if c.phase == body || c.phase == cutBody {
		return c.nextOfBody()
	}
	line, err := c.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, c.refuseLine()
	case err != nil:
		return nil, err
	case c.phase == credential:
		c.phase = commands
		return line, nil
	default:
		return c.command(line)
	}
}

// nextOfBody returns as much as there is, but a line that starts with a dot comes alone: it may be the last one, and what follows
// that is commands. Whether it is the last one only go-smtp decides.
func (c *conn) nextOfBody() ([]byte, error) {
	first, err := c.in.Peek(1)
	if err != nil {
		return nil, err
	}
	if c.phase == cutBody {
		_ = c.Close()
		return nil, io.EOF
	}
	if first[0] == '.' {
		line, err := c.in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			err = nil
		}
		return line, err
	}
	part, _ := c.in.Peek(c.in.Buffered())
	if dot := bytes.Index(part, []byte("\n.")); dot >= 0 {
		part = part[:dot+1]
	}
	_, _ = c.in.Discard(len(part)) // no more than is buffered
	return part, nil
}

// command takes a command line; it returns it unless go-smtp is to see nothing of it.
func (c *conn) command(line []byte) ([]byte, error) {
	c.take(parseCommand(string(line)))
	switch {
	case c.rule.refuses(), c.rule.Cut == CutBefore:
		c.answer("")
		return nil, nil
	case c.event.Verb == "STARTTLS" && c.offersTLS():
		return c.startTLS()
	case c.event.Verb == "BDAT":
		c.answer("502 5.5.1 BDAT is not offered\r\n")
		_ = c.Close() // the chunk that follows cannot be told from commands
		return nil, nil
	}
	return line, nil
}

// take makes e the verb in hand and asks the script about it.
func (c *conn) take(e Event) {
	e.Time, e.Conn = c.arrived.UnixMicro(), c.number
	switch e.Verb {
	case "MAIL":
		c.messages++
	case "RCPT":
		e.From = c.envelope.from
	case "DATA", Dot:
		e.From, e.To = c.envelope.from, strings.Join(c.envelope.to, ", ")
	}
	c.event = e
	c.rule = c.catcher.script.choose(situation{
		verb: e.Verb, from: e.From, to: e.To, recipients: c.envelope.to, connection: c.number, message: c.messages,
	})
}

func (c *conn) refuseLine() error {
	for {
		_, err := c.in.ReadSlice('\n')
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
	c.take(Event{Verb: unknown})
	c.answer(fmt.Sprintf("500 5.5.2 A command line has at most %d bytes\r\n", maxCommandBytes))
	return nil
}

func (c *conn) offersTLS() bool { return c.catcher.cfg.TLS != nil && !c.secure }

// startTLS answers, shakes hands, and has go-smtp forget what came before (RFC 3207, section 4.2) by a RSET of our own.
// What the client sent in the clear behind STARTTLS is dropped.
func (c *conn) startTLS() ([]byte, error) {
	if c.answer("220 2.0.0 Ready to start TLS\r\n"); c.closed {
		return nil, nil
	}
	secured := tls.Server(c.Conn, c.catcher.cfg.TLS)
	if err := secured.HandshakeContext(context.Background()); err != nil {
		c.catcher.cfg.Logger.Info("mail catcher: no TLS with a client", slog.Any("conn", c.number), slog.Any("error", err))
		_ = c.Close()
		return nil, nil
	}
	c.secure = true
	c.use(secured)
	c.phase = hidden
	return []byte("RSET\r\n"), nil
}

// Close closes the connection; the first call is logged.
func (c *conn) Close() error {
	if c.closed {
		return nil
	}
	c.closed = true
	c.catcher.record(Event{Time: c.catcher.cfg.Clock.Now().UnixMicro(), Conn: c.number, Verb: Close})
	c.forget(c)
	c.catcher.disconnected()
	return c.Conn.Close()
}
