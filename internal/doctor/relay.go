package doctor

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"silkpost/mailer/send"
)

// soon is when the end of a certificate is worth a warning: most are renewed a month before.
const soon = 14 * 24 * time.Hour

// addedSize is what a message grows by for its recipient: links, names, signatures, and what the relay adds itself.
const addedSize = 16 << 10

func relayConnect(_ context.Context, p *Patient) (found []Finding) {
	if len(p.Relays) == 0 {
		return []Finding{problem("no relay is set").means("nothing can be sent").
			do("set SILKPOST_SMTP_URL, such as smtp://user:password@mail.example.org:587")}
	}
	for _, r := range p.Relays {
		switch {
		case r.Failure != "":
			found = append(found, problem("%s: %s", r.Address(), r.Failure).means("nothing can be sent over it").
				do("look at host, port, user and password in %s, and whether a firewall stands between", r.Setting))
		case r.Facts.LoggedIn:
			found = append(found, ok("%s lets us in as %s", r.Address(), r.User))
		case len(r.Facts.Auth) > 0:
			found = append(found, note("%s offers to log in (%s), and we do not", r.Address(), strings.Join(r.Facts.Auth, ", ")).
				means("it may take mail to its own domains alone").do("if it should know us by a password, write it into %s", r.Setting))
		default:
			found = append(found, ok("%s takes us without a password", r.Address()))
		}
	}
	return found
}

// reached are the relays that answered.
func (p *Patient) reached() (found []Relay) {
	return slices.DeleteFunc(slices.Clone(p.Relays), func(r Relay) bool { return r.Failure != "" })
}

func relayTLS(_ context.Context, p *Patient) (found []Finding) {
	for _, r := range p.reached() {
		left := r.Facts.Expires.Sub(p.Now)
		_, offered := r.Facts.Extensions["STARTTLS"]
		switch {
		case !r.Facts.Secure && isNear(r.Host):
			found = append(found, ok("%s is on this machine", r.Address()))
		case !r.Facts.Secure && (offered || r.TLS == send.None):
			found = append(found, warning("mail to %s goes in the clear", r.Address()).means("whoever stands between reads addresses, links and our password").
				do("leave out ?tls=%s in %s", r.TLS, r.Setting))
		case !r.Facts.Secure:
			found = append(found, warning("%s offers no TLS", r.Address()).means("whoever stands between reads addresses and links").do("ask those who run it for STARTTLS"))
		case left < soon:
			found = append(found, warning("%s: the certificate ends at %s", r.Address(), r.Facts.Expires.UTC().Format(time.DateOnly)).
				means("then nothing is sent over it").do("ask those who run it to renew it"))
		default:
			found = append(found, ok("%s: %s, certificate until %s", r.Address(), r.Facts.Version, r.Facts.Expires.UTC().Format(time.DateOnly)))
		}
	}
	return found
}

// isNear reports a host that is this machine.
func isNear(host string) bool {
	address, err := parseAddress(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

func relaySize(_ context.Context, p *Patient) (found []Finding) {
	for _, r := range p.reached() {
		need := p.Largest + addedSize
		switch {
		case r.Facts.Size == 0:
			found = append(found, ok("%s names no limit to the size of a message", r.Address()))
		case r.Facts.Size < need:
			found = append(found, problem("%s takes messages of up to %d bytes; our largest has about %d", r.Address(), r.Facts.Size, need).
				means("it is refused").do("ask those who run it to raise the limit, or give the list fewer articles at most (max_articles)"))
		default:
			found = append(found, ok("%s takes messages of up to %d bytes; our largest has about %d", r.Address(), r.Facts.Size, need))
		}
	}
	return found
}

func relayExtensions(_ context.Context, p *Patient) (found []Finding) {
	for _, r := range p.reached() {
		before := len(found)
		for _, e := range []struct{ name, means string }{
			{"PIPELINING", "each message takes more round trips"},
			{"8BITMIME", "messages are 7-bit anyway, so nothing is lost"},
			{"SMTPUTF8", "addresses beyond ASCII before the @ cannot be mailed"},
			{"ENHANCEDSTATUSCODES", "its refusals say less, so more of them have to be guessed at"},
		} {
			if _, offered := r.Facts.Extensions[e.name]; !offered {
				found = append(found, note("%s does not offer %s", r.Address(), e.name).means("%s", e.means))
			}
		}
		if limits := r.Facts.Extensions["LIMITS"]; limits != "" {
			found = append(found, note("%s declares limits (RFC 9422): %s", r.Address(), limits))
		}
		if len(found) == before {
			found = append(found, ok("%s offers PIPELINING, 8BITMIME and SMTPUTF8", r.Address()))
		}
	}
	return found
}

func relaySender(_ context.Context, p *Patient) (found []Finding) {
	for _, r := range p.reached() {
		if len(r.Facts.Refused) == 0 {
			found = append(found, ok("%s takes mail from our envelope senders", r.Address()))
		}
		for _, sender := range slices.Sorted(maps.Keys(r.Facts.Refused)) {
			found = append(found, problem("%s takes no mail from %s: %s", r.Address(), sender, r.Facts.Refused[sender]).
				means("nothing can be sent with it").do("have those who run the relay let us send from %s", domainOf(sender)))
		}
	}
	return found
}
