package send

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"silkpost/internal/errs"
	"silkpost/mailer/reply"
)

// Relay is the next hop that takes our mail.
type Relay struct {
	Host     string
	Port     int
	User     string
	Password string
	TLS      TLS
	Roots    *tls.Config // nil: the system's trust; for tests
	Fallback *Relay      // stands in while this one cannot be reached or takes nothing from us; nil: none does
	Patience Patience    // how long it is waited for
}

// TLS says how a connection to a relay is protected.
type TLS string

// The ways. Certificates are verified in all but None.
const (
	Implicit      TLS = "implicit"      // from the first byte (RFC 8314)
	StartTLS      TLS = "starttls"      // required
	Opportunistic TLS = "opportunistic" // STARTTLS when offered
	None          TLS = "none"
)

// ParseRelay reads a SILKPOST_SMTP_URL: smtps://user:password@host:port for implicit TLS, smtp://… for STARTTLS, which
// ?tls=opportunistic makes optional and ?tls=none leaves out. Ports left out are 465 and 587. An error never shows the password.
func ParseRelay(raw string) (Relay, error) {
	u, err := url.Parse(raw)
	if err != nil || u.User == nil && strings.Contains(raw, "@") { // the password ended the host
		return Relay{}, errs.New(errs.Invalid, "the SMTP URL cannot be read: it should look like smtp://user:password@mail.example.org:587; "+
			"in user name and password write special characters as %%XX, such as %%40 for @ and %%2F for /")
	}
	r := Relay{Host: u.Hostname(), User: u.User.Username()}
	r.Password, _ = u.User.Password()
	switch u.Scheme {
	case "smtps":
		r.TLS, r.Port = Implicit, 465
	case "smtp":
		r.TLS, r.Port = StartTLS, 587
	default:
		return Relay{}, errs.New(errs.Invalid, "the SMTP URL begins with %q: it should begin with smtp:// or smtps://", u.Scheme)
	}
	if r.Host == "" || u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return Relay{}, errs.New(errs.Invalid, "the SMTP URL needs a host and nothing behind its port, as in smtp://mail.example.org:587")
	}
	if port := u.Port(); port != "" {
		if r.Port, err = strconv.Atoi(port); err != nil || r.Port < 1 || r.Port > 65535 {
			return Relay{}, errs.New(errs.Invalid, "the SMTP URL has port %q: it should be a number from 1 to 65535", port)
		}
	}
	return r.withOptions(u)
}

// withOptions applies what stands behind the question mark.
func (r Relay) withOptions(u *url.URL) (Relay, error) {
	for key, values := range u.Query() {
		way := TLS(values[0])
		switch {
		case key != "tls":
			return Relay{}, errs.New(errs.Invalid, "the SMTP URL has an unknown option %q: only tls is known", key)
		case u.Scheme == "smtps" || way != None && way != Opportunistic:
			return Relay{}, errs.New(errs.Invalid, "the SMTP URL says tls=%s: with smtp:// it may be none or opportunistic, with smtps:// nothing", values[0])
		}
		r.TLS = way
	}
	return r, nil
}

// Address returns host:port.
func (r Relay) Address() string { return net.JoinHostPort(r.Host, strconv.Itoa(r.Port)) }

// dial connects, negotiates and authenticates with go-mail. helo is the name we introduce ourselves with, "" the machine's.
func (r Relay) dial(ctx context.Context, helo string) (*conn, error) {
	c := &conn{patience: r.Patience.withDefaults()}
	options := []gomail.Option{
		gomail.WithPort(r.Port), gomail.WithTimeout(c.patience.Dial), gomail.WithTLSConfig(r.tlsConfig()),
		gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			var err error
			c.net, err = r.connect(ctx, network, address)
			return c.net, err
		}),
	}
	switch r.TLS {
	case Implicit:
		options = append(options, gomail.WithSSL())
	case StartTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case Opportunistic:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	case None:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if helo != "" {
		options = append(options, gomail.WithHELO(helo))
	}
	if r.User != "" {
		options = append(options, gomail.WithUsername(r.User), gomail.WithPassword(r.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain,
				gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	client, err := gomail.NewClient(r.Host, options...)
	if err != nil {
		return nil, err
	}
	if c.client, err = client.DialToSMTPClientWithContext(ctx); err != nil {
		c.close() // go-mail leaves the connection open when EHLO, STARTTLS or AUTH fails
		return nil, err
	}
	c.pipelines, _ = c.client.Extension("PIPELINING")
	return c, nil
}

// connect opens the connection. go-mail does no TLS of its own when it is given a dial function.
func (r Relay) connect(ctx context.Context, network, address string) (net.Conn, error) {
	if r.TLS == Implicit {
		return (&tls.Dialer{Config: r.tlsConfig()}).DialContext(ctx, network, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func (r Relay) tlsConfig() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.Roots != nil {
		config = r.Roots.Clone()
	}
	config.ServerName = r.Host
	return config
}

// refusal turns an error of dial into the reply that it is.
func refusal(err error) reply.Reply {
	r := reply.Reply{Phase: reply.Connect, Text: reply.OneLine(err.Error())}
	if answer := (*textproto.Error)(nil); errors.As(err, &answer) {
		r.Code, r.Text = answer.Code, reply.OneLine(answer.Msg)
	}
	return r
}
