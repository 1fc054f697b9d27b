package doctor

import (
	"context"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"

	"silkpost/internal/dns"
)

// knockTimeout bounds talking to a mail server.
const knockTimeout = 15 * time.Second

// longUntested is when a test of the way back is too old to say much.
const longUntested = 90 * 24 * time.Hour

func returnDomain(ctx context.Context, p *Patient) []Finding {
	if p.ReturnDomain == "" {
		return []Finding{warning("bounces go to the lists' senders: no bounce_domain is set").
			means("addresses that do not exist are written to again and again, which costs reputation; nobody can unsubscribe by mail").
			do("set bounce_domain, and bounce_listen or bounce_imap_url, as docs/bounces.md says")}
	}
	hosts, err := p.DNS.MX(ctx, p.ReturnDomain)
	if err != nil {
		return []Finding{unknown(err)}
	}
	if len(hosts) == 0 {
		addresses, err := p.DNS.Addresses(ctx, p.ReturnDomain)
		switch {
		case err != nil:
			return []Finding{unknown(err)}
		case len(addresses) == 0:
			f := problem("%s has no MX record", p.ReturnDomain).means("no bounce comes back; many receivers refuse mail whose return path leads nowhere").
				do("publish one that leads to the machine where bounce_listen is, or whose mailbox bounce_imap_url names")
			f.Publish = []string{p.ReturnDomain + ". 3600 IN MX 10 mail." + organisational(p.ReturnDomain) + "."}
			return []Finding{f}
		}
		return []Finding{note("%s has no MX record: its mail goes to its own address %s", p.ReturnDomain, addresses[0])}
	}
	return hostsOf(ctx, p, hosts)
}

// hostsOf says where mail to the return path goes.
func hostsOf(ctx context.Context, p *Patient, hosts []dns.MX) []Finding {
	var names, lost []string
	for _, host := range hosts {
		if host.Host == "" {
			return []Finding{problem("%s says that it takes no mail (RFC 7505)", p.ReturnDomain).means("no bounce comes back").do("publish an MX record that leads to a server")}
		}
		addresses, err := p.DNS.Addresses(ctx, host.Host)
		if err != nil {
			return []Finding{unknown(err)}
		}
		if names = append(names, host.Host); len(addresses) == 0 {
			lost = append(lost, host.Host)
		}
	}
	if len(lost) > 0 {
		return []Finding{problem("the MX record of %s names %s, which has no address", p.ReturnDomain, strings.Join(lost, ", ")).
			means("bounces do not come back, or late").do("correct the record, or publish an address (A, AAAA) for it")}
	}
	return []Finding{ok("mail to %s goes to %s", p.ReturnDomain, strings.Join(names, ", "))}
}

func returnReach(ctx context.Context, p *Patient) []Finding {
	if p.ReturnDomain == "" {
		return nil
	}
	hosts, err := p.DNS.MX(ctx, p.ReturnDomain)
	if err != nil || len(hosts) > 0 && hosts[0].Host == "" {
		return nil // told by return.domain
	}
	if len(hosts) == 0 {
		hosts = []dns.MX{{Host: p.ReturnDomain}}
	}
	var found []Finding
	for _, host := range hosts[:min(len(hosts), 3)] {
		addresses, err := p.DNS.Addresses(ctx, host.Host)
		if err != nil || len(addresses) == 0 {
			continue // likewise
		}
		port := p.MailPort
		if port == "" {
			port = "25"
		}
		found = append(found, knockFinding(ctx, p, host.Host, net.JoinHostPort(addresses[0].String(), port)))
	}
	return found
}

func knockFinding(ctx context.Context, p *Patient, host, address string) Finding {
	secure, refused, err := knock(ctx, address, p.TestAddress)
	switch {
	case err != nil:
		return warning("%s, where mail to %s goes, cannot be reached from here: %s", host, p.ReturnDomain, err).
			means("if it cannot be reached from elsewhere either, no bounce comes back; many networks let nobody out to port 25").
			do("silkpost inbox test shows whether mail comes back")
	case refused != "":
		return problem("%s does not take mail to our addresses at %s: %s", host, p.ReturnDomain, refused).means("bounces are lost").
			do("let it take all mail to %s, and bring it to bounce_listen or the mailbox of bounce_imap_url", p.ReturnDomain)
	case !secure:
		f := note("%s takes mail to our addresses, without TLS", host).means("bounces come in the clear, with the addresses in them")
		if p.ReturnListens && !p.ReturnTLS {
			return f.do("set bounce_tls_cert and bounce_tls_key")
		}
		return f.do("let it offer STARTTLS")
	}
	return ok("%s takes mail to our addresses, with TLS", host)
}

// knock asks a mail server whether it would take a bounce for an address, and whether it offers STARTTLS. Nothing is sent. refused is its answer when
// it would not.
func knock(ctx context.Context, server, recipient string) (secure bool, refused string, err error) {
	ctx, cancel := context.WithTimeout(ctx, knockTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", server)
	if err != nil {
		return false, "", err
	}
	unwatch := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer unwatch()
	c := textproto.NewConn(conn)
	defer c.Close()
	if _, _, err := c.ReadResponse(220); err != nil {
		return false, "", err
	}
	for _, say := range []struct{ phase, line string }{
		{"EHLO", "EHLO doctor.invalid"}, {"MAIL", "MAIL FROM:<>"}, {"RCPT", "RCPT TO:<" + recipient + ">"}, {"RSET", "RSET"}, {"QUIT", "QUIT"},
	} {
		if err := c.PrintfLine("%s", say.line); err != nil {
			return secure, refused, err
		}
		code, text, err := c.ReadResponse(0)
		switch {
		case err != nil && (say.phase == "QUIT" || say.phase == "RSET"):
			return secure, refused, nil
		case err != nil:
			return secure, refused, err
		case say.phase == "EHLO":
			secure = strings.Contains(strings.ToUpper(text), "STARTTLS")
		case code/100 != 2 && say.phase != "QUIT":
			if refused == "" {
				refused = fmt.Sprint(code, " ", strings.Join(strings.Fields(text), " "))
			}
		}
	}
	return secure, refused, nil
}

func returnTested(_ context.Context, p *Patient) []Finding {
	c := p.Channel
	const untested = "until mail has come back List-Unsubscribe has no mailto: link, and nobody knows whether bounces arrive"
	switch {
	case p.ReturnDomain == "":
		return nil
	case c.Failure != "":
		return []Finding{problem("the mailbox for bounces cannot be read: %s", c.Failure).means("bounces are not heard").do("look at bounce_imap_url")}
	case c.TestedAt == nil:
		return []Finding{warning("no mail to %s has come back yet", p.ReturnDomain).means(untested).do("run silkpost inbox test, beside silkpost serve")}
	case p.Now.Sub(*c.TestedAt) > longUntested:
		return []Finding{note("mail to %s last came back at %s", p.ReturnDomain, c.TestedAt.UTC().Format(time.DateOnly)).do("run silkpost inbox test now and then")}
	}
	return []Finding{ok("mail to %s came back at %s", p.ReturnDomain, c.TestedAt.UTC().Format(time.DateOnly))}
}
