package bounce

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/net/netutil"
)

// Bounds of the listener.
const (
	maxConnections = 100
	maxPerHost     = 20 // as many as Postfix opens to one destination
	maxRecipients  = 10
	maxLine        = 64 << 10
	maxTransfer    = 40 << 20 // a bounce may carry our message with all that was in it; what is beyond maxMessage is let go as it comes
	readTimeout    = time.Minute
	takeTimeout    = 30 * time.Second
	stopTimeout    = 5 * time.Second
)

// Listener is an SMTP server (RFC 5321) that takes mail for our own addresses alone: any other recipient is refused with 550. It answers the
// final dot when the message is dealt with or kept; while the database is away it asks to be tried again.
type Listener struct {
	Desk     *Desk
	Hostname string      // what the greeting says; "" is the desk's domain
	TLS      *tls.Config // for STARTTLS (RFC 3207); nil: it is not offered
}

// Serve takes mail from ln, which it closes, until ctx ends. Then connections that are in the midst of something have a few seconds.
func (l *Listener) Serve(ctx context.Context, ln net.Listener) error {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{ctx: ctx, desk: l.Desk}, nil }))
	if server.Domain = l.Hostname; server.Domain == "" {
		server.Domain = l.Desk.Addresses.Domain
	}
	server.MaxRecipients, server.MaxLineLength, server.MaxMessageBytes = maxRecipients, maxLine, maxTransfer
	server.ReadTimeout, server.WriteTimeout = readTimeout, readTimeout
	server.EnableSMTPUTF8, server.TLSConfig = true, l.TLS
	server.ErrorLog = slog.NewLogLogger(l.Desk.Log.Handler(), slog.LevelDebug)
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if server.Shutdown(ending) != nil {
			_ = server.Close()
		}
	})
	err := server.Serve(netutil.LimitListener(newCrowd(ln, maxPerHost), maxConnections))
	if stop() {
		return err // it ended by itself
	}
	<-stopped
	return nil
}

// session is one client's connection.
type session struct {
	ctx  context.Context //nolint:containedctx // go-smtp hands none to its sessions
	desk *Desk
	to   []string
}

// Mail is smtp.Session's: anybody may send a bounce.
func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt is smtp.Session's.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if _, err := s.desk.Addresses.Open(to); err != nil {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such address here"}
	}
	s.to = append(s.to, to)
	return nil
}

// Data is smtp.Session's. Each recipient stands for something of its own.
func (s *session) Data(r io.Reader) error {
	message, err := io.ReadAll(io.LimitReader(r, maxMessage))
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	if err != nil {
		return err
	}
	// What was received is dealt with also when the program is told to stop meanwhile.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), takeTimeout)
	defer cancel()
	var failed error
	for _, to := range s.to {
		failed = errors.Join(failed, s.desk.Take(ctx, Mail{To: []string{to}, Message: message}))
	}
	if failed != nil {
		s.desk.Log.ErrorContext(ctx, "a mail that came back could not be taken in; its server was asked to try again", slog.Any("error", failed))
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Not now, please try again"}
	}
	return nil
}

// Reset is smtp.Session's.
func (s *session) Reset() { s.to = nil }

// Logout is smtp.Session's.
func (s *session) Logout() error { return nil }
