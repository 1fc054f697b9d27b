// Package client says where a request comes from and how it came, behind proxies too.
package client

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks of the proxies whose word is taken.
type Proxies []netip.Prefix

// Trust reports whether an address is one of the proxies'.
func (p Proxies) Trust(address netip.Addr) bool {
	return slices.ContainsFunc(p, func(network netip.Prefix) bool { return network.Contains(address) })
}

// Address returns the address that a request comes from: that of the connection, and behind proxies that are trusted the last address in
// X-Forwarded-For that is none of theirs. What stands before it is somebody's word. An invalid address is one that nobody knows.
func (p Proxies) Address(r *http.Request) netip.Addr {
	client := peer(r)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !p.Trust(client) {
			break
		}
		before, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		client = before.Unmap().WithZone("")
	}
	return client
}

// Secure reports whether a request came over https: to us, or to the proxy that is trusted, which says so in the last X-Forwarded-Proto.
func (p Proxies) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	said := r.Header.Values("X-Forwarded-Proto")
	if len(said) == 0 || !p.Trust(peer(r)) {
		return false
	}
	schemes := strings.Split(said[len(said)-1], ",")
	return strings.EqualFold(strings.TrimSpace(schemes[len(schemes)-1]), "https")
}

// peer is the address of the connection.
func peer(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap().WithZone("")
}
