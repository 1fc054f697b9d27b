package send

import (
	"context"
	"crypto/tls"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"silkpost/mailer/reply"
)

// Facts are what a relay tells of itself to whoever connects as we do.
type Facts struct {
	Secure     bool      // with TLS
	Version    string    // of TLS
	Expires    time.Time // its certificate
	Issuer     string    // who made that out
	Size       int64     // of the largest message it takes, in bytes (RFC 1870); 0: it says nothing, or that there is no limit
	Auth       []string  // ways to log in that it offers, on the connection as it is at the end
	LoggedIn   bool
	Extensions map[string]string // of those that we look at, with their parameters
	Refused    map[string]string // envelope senders that it does not take, with its answer
}

// looked are the extensions that Probe looks at.
var looked = []string{"PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE", "STARTTLS", "AUTH", "LIMITS", "CHUNKING", "ENHANCEDSTATUSCODES", "DSN"}

// Probe connects to a relay as for sending, asks it for each envelope sender whether it would take mail from it, and sends nothing. An error is what a
// delivery would fail with.
func Probe(ctx context.Context, relay Relay, helo string, senders ...string) (f Facts, err error) {
	c, err := relay.dial(ctx, helo)
	if err != nil {
		return f, err
	}
	defer c.quit()
	unwatch := context.AfterFunc(ctx, c.close)
	defer unwatch()
	f = Facts{LoggedIn: relay.User != "", Extensions: map[string]string{}, Refused: map[string]string{}}
	if state, ok := c.client.TLSConnectionState(); ok {
		f.secured(state)
	} else if conn, ok := c.net.(*tls.Conn); ok {
		f.secured(conn.ConnectionState())
	}
	for _, name := range looked {
		if offered, parameters := c.client.Extension(name); offered {
			f.Extensions[name] = parameters
		}
	}
	f.Size, _ = strconv.ParseInt(f.Extensions["SIZE"], 10, 64)
	f.Auth = strings.Fields(f.Extensions["AUTH"])
	for _, sender := range senders {
		refused, err := wouldTake(c.client, sender)
		if err != nil {
			return f, err
		}
		if refused != "" {
			f.Refused[sender] = refused
		}
	}
	return f, ctx.Err()
}

// wouldTake asks a server whether it would take mail from a sender, and takes that back. It returns the answer of a server that would not.
func wouldTake(c *smtp.Client, sender string) (refused string, err error) {
	for _, line := range []string{"MAIL FROM:<" + sender + ">", "RSET"} {
		if err := c.Text.PrintfLine("%s", line); err != nil {
			return refused, err
		}
		code, text, err := c.Text.ReadResponse(0)
		if err != nil {
			return refused, err
		}
		if code/100 != 2 && refused == "" {
			refused = reply.OneLine(strconv.Itoa(code) + " " + text)
		}
	}
	return refused, nil
}

func (f *Facts) secured(state tls.ConnectionState) {
	f.Secure, f.Version = true, tls.VersionName(state.Version)
	if len(state.PeerCertificates) > 0 {
		leaf := state.PeerCertificates[0]
		f.Expires, f.Issuer = leaf.NotAfter, leaf.Issuer.String()
	}
}
