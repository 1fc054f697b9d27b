package bounce

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/emersion/go-imap"
	"github.com/emersion/go-imap/client"

	"silkpost/internal/errs"
	"silkpost/mailer/reply"
)

// Mailbox is an IMAP mailbox (RFC 3501) to which the mail for our addresses goes. It is only read: nothing in it is changed, marked or deleted, and
// how far it was read stands in the database.
type Mailbox struct {
	Host     string // host:port
	User     string
	Password string
	Folder   string
	TLS      bool // from the first byte (RFC 8314); otherwise STARTTLS is required, unless Plain
	Plain    bool
	Roots    *tls.Config   // nil: the system's trust; for tests
	Every    time.Duration // how often it is looked at; 0: every 30 seconds
}

// ParseMailbox reads imaps://user:password@host:port/FOLDER, or imap:// for STARTTLS, with ?tls=none for none. Mistakes are errs.Invalid and do not
// quote the password.
func ParseMailbox(raw string) (m Mailbox, err error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User.Username() == "" {
		return m, errs.New(errs.Invalid, "it should look like imaps://user:password@mail.example.org/INBOX, with special characters as %%XX")
	}
	m = Mailbox{User: u.User.Username(), Folder: strings.Trim(u.Path, "/"), TLS: u.Scheme == "imaps", Plain: u.Query().Get("tls") == "none"}
	m.Password, _ = u.User.Password()
	port := u.Port()
	switch {
	case u.Scheme != "imaps" && u.Scheme != "imap":
		return m, errs.New(errs.Invalid, "it begins with %q: it should begin with imaps:// or imap://", u.Scheme)
	case m.TLS && m.Plain:
		return m, errs.New(errs.Invalid, "imaps:// and tls=none exclude one another")
	case port == "" && m.TLS:
		port = "993"
	case port == "":
		port = "143"
	}
	if m.Folder == "" {
		m.Folder = "INBOX"
	}
	m.Host = net.JoinHostPort(u.Hostname(), port)
	return m, nil
}

// dialTimeout bounds dialling, and each command.
const dialTimeout = 30 * time.Second

// Watch reads what comes into a mailbox until ctx ends. What goes wrong is told, and tried again. Several processes may watch the same mailbox.
func (d *Desk) Watch(ctx context.Context, m Mailbox) error {
	every := m.Every
	if every == 0 {
		every = 30 * time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	told := ""
	for {
		failure := ""
		if err := d.Read(ctx, m); err != nil {
			failure = reply.OneLine(err.Error())
		}
		if ctx.Err() != nil {
			return nil
		}
		if failure != "" && failure != told {
			d.Log.ErrorContext(ctx, "the mailbox for bounces cannot be read", slog.String("host", m.Host), slog.String("error", failure))
		}
		told = failure
		if _, err := d.DB.ExecContext(ctx, `
			INSERT INTO mailer.channels (name, read_at, failure) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET read_at = coalesce(excluded.read_at, channels.read_at), failure = excluded.failure`,
			d.Addresses.Domain, timeIf(failure == "", d.Clock.Now()), failure); err != nil && ctx.Err() == nil {
			d.Log.ErrorContext(ctx, "how the mailbox for bounces was read could not be written down", slog.Any("error", err))
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func timeIf(is bool, at time.Time) *time.Time {
	if !is {
		return nil
	}
	return &at
}

// Read takes in what came into a mailbox since it was last read. On an error the rest is read the next time.
func (d *Desk) Read(ctx context.Context, m Mailbox) (err error) {
	c, err := m.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Terminate() }()
	unwatch := context.AfterFunc(ctx, func() { _ = c.Terminate() })
	defer unwatch()
	if err := c.Login(m.User, m.Password); err != nil {
		return errs.New(errs.Unavailable, "logging in as %s: %w", m.User, err)
	}
	box, err := c.Select(m.Folder, true)
	if err != nil {
		return errs.New(errs.Unavailable, "folder %s: %w", m.Folder, err)
	}
	last, err := d.position(ctx, box.UidValidity)
	if err != nil || box.UidNext != 0 && last+1 >= box.UidNext {
		return err
	}
	if err := d.fetch(ctx, c, box.UidValidity, last); err != nil {
		return err
	}
	return c.Logout()
}

// dial connects, with TLS unless it is not wanted.
func (m Mailbox) dial(ctx context.Context) (c *client.Client, err error) {
	host, _, _ := net.SplitHostPort(m.Host)
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if m.Roots != nil {
		config = m.Roots.Clone()
	}
	config.ServerName = host
	dialer := &net.Dialer{Timeout: dialTimeout}
	var conn net.Conn
	if m.TLS {
		conn, err = (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, "tcp", m.Host)
	} else {
		conn, err = dialer.DialContext(ctx, "tcp", m.Host)
	}
	if err != nil {
		return nil, err
	}
	if c, err = client.New(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	c.Timeout = dialTimeout
	c.ErrorLog = quiet{}
	if !m.TLS && !m.Plain {
		if err := c.StartTLS(config); err != nil {
			return nil, errors.Join(errs.New(errs.Unavailable, "STARTTLS: %w", err), c.Terminate())
		}
	}
	return c, nil
}

// quiet keeps the library from writing to the process's log what we are told as an error anyway.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// position returns how far the mailbox was read; a mailbox that was made anew (RFC 3501, 2.3.1.1) is read from its beginning.
func (d *Desk) position(ctx context.Context, validity uint32) (last uint32, err error) {
	err = d.DB.GetContext(ctx, &last, `
		INSERT INTO mailer.channels AS c (name, uidvalidity) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET uidvalidity = $2, uid = CASE WHEN c.uidvalidity = $2 THEN c.uid ELSE 0 END
		RETURNING uid`, d.Addresses.Domain, validity)
	return last, err
}

// fetch takes in the messages behind last, one by one.
func (d *Desk) fetch(ctx context.Context, c *client.Client, validity, last uint32) error {
	beginning := &imap.BodySectionName{Peek: true, Partial: []int{0, maxMessage}}
	var behind imap.SeqSet
	behind.AddRange(last+1, 0) // "*": the last one comes also when it is not behind
	messages, fetched := make(chan *imap.Message), make(chan error, 1)
	go func() {
		fetched <- c.UidFetch(&behind, []imap.FetchItem{imap.FetchUid, beginning.FetchItem()}, messages)
	}()
	var failed error
	for message := range messages {
		if failed != nil || message.Uid <= last {
			continue
		}
		if failed = d.takeFetched(ctx, message, validity); failed == nil {
			last = message.Uid
		}
	}
	return errors.Join(failed, <-fetched)
}

func (d *Desk) takeFetched(ctx context.Context, message *imap.Message, validity uint32) error {
	for _, body := range message.Body {
		content, err := io.ReadAll(io.LimitReader(body, maxMessage))
		if err != nil {
			return err
		}
		if err := d.Take(ctx, Mail{Message: content}); err != nil {
			return err
		}
	}
	_, err := d.DB.ExecContext(ctx, `UPDATE mailer.channels SET uid = greatest(uid, $3) WHERE name = $1 AND uidvalidity = $2`,
		d.Addresses.Domain, validity, message.Uid)
	return err
}
