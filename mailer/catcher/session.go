package catcher

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"syscall"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// envelope is what SMTP says about the message in hand.
type envelope struct {
	from string
	to   []string // accepted recipients
	with string   // the protocol, as in a Received line (RFC 3848, RFC 6531)
	helo string
	by   string // our own name
	peer string // the client's network address, without port
}

// newSession makes the connection that go-smtp runs on its session as well.
func newSession(above *smtp.Conn) (smtp.Session, error) {
	c := above.Conn().(*conn) // listener makes no other
	c.above = above
	return c, nil
}

// Mail begins a message.
func (c *conn) Mail(from string, opts *smtp.MailOptions) error {
	peer, _, _ := net.SplitHostPort(c.RemoteAddr().String())
	c.envelope = envelope{from: from, with: c.protocol(opts.UTF8), helo: c.above.Hostname(), by: c.catcher.cfg.Hostname, peer: peer}
	return nil
}

func (c *conn) protocol(utf8 bool) string {
	with := "ESMTP"
	if utf8 {
		with = "UTF8SMTP"
	}
	if c.secure {
		with += "S"
	}
	return with
}

// Rcpt adds a recipient.
func (c *conn) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.envelope.to = append(c.envelope.to, to)
	return nil
}

// Reset forgets the message.
func (c *conn) Reset() { c.envelope = envelope{} }

// Logout does nothing: Close comes right after.
func (c *conn) Logout() error { return nil }

// Data reads a message up to its final dot and keeps it, unless the script is against it. What it returns is the answer to the
// dot; answer puts the script's in its place.
func (c *conn) Data(r io.Reader) error {
	message, err := io.ReadAll(r)
	if errors.Is(err, smtp.ErrDataTooLarge) {
		return err // go-smtp reads on to the dot and answers then
	}
	if err != nil { // the client went, or idled, in the middle of the body
		_ = c.Close()
		return err
	}
	c.dotArrived()
	fields := header(message)
	c.event.MessageID, c.event.Date = find(fields, "Message-ID"), find(fields, "Date")
	if c.rule.refuses() || c.rule.Cut == CutBefore {
		return nil
	}
	return c.keep(message)
}

// dotArrived makes the final dot the verb in hand, if it is not yet.
func (c *conn) dotArrived() {
	if c.event.Verb != Dot {
		c.take(Event{Verb: Dot})
	}
}

// keep answers as go-smtp has answers to the dot: as an error, whatever the code.
func (c *conn) keep(message []byte) error {
	if n := lineOver(message, c.catcher.cfg.MaxLineBytes); n > 0 {
		return reply(554, smtp.EnhancedCode{5, 6, 0}, "line %d has more than %d bytes", n, c.catcher.cfg.MaxLineBytes)
	}
	id, number, err := c.catcher.accept(c.envelope, message)
	if err != nil {
		c.catcher.cfg.Logger.Error("mail catcher: a message was refused, it cannot be kept", slog.Any("error", err))
		return cannotKeep(err)
	}
	if c.event.Kept = id; id == "" {
		return reply(250, smtp.EnhancedCode{2, 0, 0}, "counted as %d", number)
	}
	return reply(250, smtp.EnhancedCode{2, 0, 0}, "kept as %s", id)
}

// cannotKeep tells a full disk, which passes (RFC 5321, 4.2.3), from what else is wrong here.
func cannotKeep(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return reply(452, smtp.EnhancedCode{4, 3, 1}, "the disk is full")
	}
	return reply(451, smtp.EnhancedCode{4, 3, 0}, "the message cannot be kept; the catcher's log says why")
}

func reply(code int, enhanced smtp.EnhancedCode, format string, args ...any) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: fmt.Sprintf(format, args...)}
}

// lineOver returns the number, from 1, of the first line with more than limit bytes, line end included; 0 if there is none.
func lineOver(message []byte, limit int) int {
	n := 0
	for line := range bytes.Lines(message) {
		if n++; len(line) > limit {
			return n
		}
	}
	return 0
}

// AuthMechanisms is smtp.AuthSession's.
func (c *conn) AuthMechanisms() []string {
	if c.catcher.cfg.Auth == nil {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth is smtp.AuthSession's.
func (c *conn) Auth(mechanism string) (sasl.Server, error) {
	if c.catcher.cfg.Auth == nil || mechanism != sasl.Plain {
		return nil, smtp.ErrAuthUnknownMechanism
	}
	return sasl.NewPlainServer(func(_, username, password string) error {
		if c.catcher.cfg.Auth(username, password) != nil {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}
