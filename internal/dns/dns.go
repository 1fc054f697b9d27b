// Package dns asks the DNS what is published: about our own domains, so that a person can be told what is missing there.
package dns

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"silkpost/internal/errs"
)

// Resolver asks for records. There being none, or no such name, is no error but an empty answer; what could not be found out is errs.Unavailable. It is safe
// for concurrent use.
type Resolver struct {
	resolver *net.Resolver
	server   string // that is asked; "": those of the machine
}

// timeout bounds a question, with all that it is asked again.
const timeout = 10 * time.Second

// New returns a resolver that asks a server (host or host:port), "" for those that the machine is set up with.
func New(server string) *Resolver {
	if server == "" {
		return &Resolver{resolver: &net.Resolver{PreferGo: true}}
	}
	if _, _, err := net.SplitHostPort(server); err != nil {
		server = net.JoinHostPort(strings.Trim(server, "[]"), "53")
	}
	return &Resolver{server: server, resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server)
	}}}
}

// TXT returns the texts at a name, each put together of its parts.
func (r *Resolver) TXT(ctx context.Context, name string) ([]string, error) {
	return ask(ctx, r.server, name, r.resolver.LookupTXT)
}

// MX is a host that takes a domain's mail. Host is "" when the domain says that it takes none (RFC 7505).
type MX struct {
	Host       string
	Preference uint16
}

// MX returns the hosts that take a domain's mail, the first one first, as the domain says: without MX records mail goes to the domain itself.
func (r *Resolver) MX(ctx context.Context, name string) ([]MX, error) {
	found, err := ask(ctx, r.server, name, r.resolver.LookupMX)
	all := make([]MX, len(found))
	for i, one := range found {
		all[i] = MX{strings.ToLower(strings.TrimSuffix(one.Host, ".")), one.Pref}
	}
	return all, err
}

// Addresses returns the IPv4 and IPv6 addresses of a name, in order.
func (r *Resolver) Addresses(ctx context.Context, name string) ([]netip.Addr, error) {
	if address, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{address.Unmap()}, nil
	}
	found, err := ask(ctx, r.server, name, func(ctx context.Context, name string) ([]netip.Addr, error) {
		return r.resolver.LookupNetIP(ctx, "ip", name)
	})
	for i := range found {
		found[i] = found[i].Unmap()
	}
	slices.SortFunc(found, netip.Addr.Compare)
	return found, err
}

// ask asks for a name as it stands, whatever domains the machine searches in.
func ask[T any](ctx context.Context, server, name string, lookUp func(context.Context, string) ([]T, error)) ([]T, error) {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := lookUp(limited, strings.TrimSuffix(name, ".")+".")
	failed := (*net.DNSError)(nil)
	if errors.As(err, &failed) && server != "" {
		told := *failed      // others who asked the same have this very error
		told.Server = server // the library names the machine's own, whoever was dialled
		failed, err = &told, &told
	}
	switch {
	case err == nil || len(found) > 0: // some records of a set may be malformed
		return found, nil
	case failed != nil && failed.IsNotFound:
		return nil, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case failed != nil && failed.IsTimeout:
		return nil, errs.New(errs.Unavailable, "the DNS does not answer about %s", name)
	}
	return nil, errs.New(errs.Unavailable, "the DNS fails about %s: %w", name, err)
}
