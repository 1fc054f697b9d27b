// Package catcher is the mail catcher: a real SMTP server (RFC 5321, on emersion/go-smtp) that delivers nothing. It keeps what
// it is given as .eml files, writes down every verb, shows the messages on a page, and fails where a Script tells it to.
//
// What can be relied on:
//
//   - A message is in its file, whole, before its 250 is sent. Under kill -9 of the catcher no accepted message is lost; after a
//     crash of the machine the last ones may be, since nothing is synced to the disk.
//   - A verb is on the log before its answer is sent, so whoever has the answer finds the line.
//   - The time of a verb is the moment its last byte was read from the socket: for the final dot, that of the dot.
//   - A file is the message's bytes exactly as sent, with dot-stuffing undone, behind a prefix of header lines: one Return-Path,
//     one Delivered-To per recipient, one Received; none of them folded. Mail programs open it as it is.
//
// CHUNKING (BDAT) is not offered; a connection that uses it nevertheless is closed. The catcher is for loopback and for tests:
// it takes mail from anyone for anyone.
package catcher

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"silkpost/internal/clock"
)

// Config is what a Catcher is made of. The zero value is one that counts messages and forgets them.
type Config struct {
	Dir    string    // where messages are kept; made if missing; one catcher at a time. "": they are counted, not kept
	Script Script    // how to fail; nil: never
	Log    io.Writer // gets each Event as a JSON line, in one Write; nil: no log

	// OnEvent is called with each Event, after the log line and before the answer, in the connection's own goroutine: while it
	// runs that connection waits. Tests act at an exact moment with it. nil: nothing is called.
	OnEvent func(Event)

	Logger *slog.Logger // what goes wrong inside the catcher; nil: not told
	Clock  clock.Clock  // nil: the machine's

	TLS  *tls.Config                           // offers STARTTLS; nil: not offered
	Auth func(username, password string) error // offers AUTH PLAIN, without TLS as well; nil: not offered

	Without []string // extensions that are not offered, such as PIPELINING

	Hostname        string        // what the greeting says; "": localhost
	MaxMessageBytes int64         // larger ones are refused with 552; 0: 32 MiB
	MaxLineBytes    int           // of a message, CRLF included; longer ones are refused with 554; 0: 1,000 (RFC 5321)
	MaxRecipients   int           // per message; one more is refused with 452; 0: 100
	IdleTimeout     time.Duration // between two reads; 0: 5 minutes
}

// Catcher is the mail catcher. Its methods may be called by any number of goroutines.
type Catcher struct {
	cfg    Config
	script *director
	store  *store // nil: nothing is kept

	logging sync.Mutex
	mu      sync.Mutex
	counts  Counts
	addr    string        // last listened on
	changed chan struct{} // closed and made anew at each accepted message
}

// Counts are numbers since New.
type Counts struct {
	Connections int // that were ever made
	Open        int // at this moment
	Messages    int // accepted; those that Dir held before are not among them
	Recipients  int // of the accepted messages
	Bytes       int64
}

// New returns a catcher that holds the messages which Dir already has. A Dir that cannot be written, or a Script that makes no
// sense, is an error for people; its kind is Invalid.
func New(cfg Config) (*Catcher, error) {
	c := &Catcher{cfg: withDefaults(cfg), changed: make(chan struct{})}
	var err error
	if c.script, err = newDirector(cfg.Script); err != nil {
		return nil, err
	}
	if cfg.Dir != "" {
		if c.store, err = openStore(cfg.Dir, c.cfg.Clock, c.cfg.Logger); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func withDefaults(cfg Config) Config {
	orElse(&cfg.Hostname, "localhost")
	orElse(&cfg.MaxMessageBytes, 32<<20)
	orElse(&cfg.MaxLineBytes, 1000)
	orElse(&cfg.MaxRecipients, 100)
	orElse(&cfg.IdleTimeout, 5*time.Minute)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System{}
	}
	return cfg
}

func orElse[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// Serve takes mail from ln, which it closes, until ctx ends. Then each connection finishes the command in its hands (a message
// whose final dot has come is kept and answered), is told 421, and is closed; Serve returns nil when the last one is gone. It may
// be called for several listeners. Any other end of ln is an error.
func (c *Catcher) Serve(ctx context.Context, ln net.Listener) error {
	c.listensOn(ln.Addr())
	server := c.server()
	own := &listener{Listener: ln, catcher: c, conns: map[*conn]bool{}}
	stopped := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stopped()

	err := server.Serve(own)
	own.stopAll()
	// Serve has returned, so no connection joins any more. The error would be that of closing ln twice.
	_ = server.Shutdown(context.WithoutCancel(ctx))
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (c *Catcher) server() *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(newSession))
	server.Domain = c.cfg.Hostname
	server.MaxMessageBytes = c.cfg.MaxMessageBytes
	server.MaxLineLength = 0 // looked at by conn: commands as they are read, bodies at the final dot
	server.MaxRecipients = c.cfg.MaxRecipients
	server.EnableSMTPUTF8 = true
	server.AllowInsecureAuth = true
	server.ErrorLog = slog.NewLogLogger(c.cfg.Logger.Handler(), slog.LevelWarn)
	return server
}

// Counts returns the numbers of this moment.
func (c *Catcher) Counts() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts
}

// Wait returns nil once Counts().Messages is n or more, and ctx's error if it ends first.
func (c *Catcher) Wait(ctx context.Context, n int) error {
	for {
		c.mu.Lock()
		enough, changed := c.counts.Messages >= n, c.changed
		c.mu.Unlock()
		if enough {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// accept keeps a message, if messages are kept, and counts it. It returns the id of what was kept, else "", and the how manieth it is.
func (c *Catcher) accept(env envelope, body []byte) (id string, number int, err error) {
	if c.store != nil {
		m, err := c.store.keep(env, body)
		if err != nil {
			return "", 0, err
		}
		id = m.ID
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Messages++
	c.counts.Recipients += len(env.to)
	c.counts.Bytes += int64(len(body))
	close(c.changed)
	c.changed = make(chan struct{})
	return id, c.counts.Messages, nil
}

func (c *Catcher) listensOn(addr net.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addr = addr.String()
}

// address returns host:port of the listener that Serve was last given, "" before.
func (c *Catcher) address() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addr
}

// connected counts a connection and returns its number, from 1.
func (c *Catcher) connected() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Connections++
	c.counts.Open++
	return c.counts.Connections
}

func (c *Catcher) disconnected() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Open--
}
