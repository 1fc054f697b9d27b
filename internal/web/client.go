package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// client returns the address that a request comes from: that of the connection, and behind proxies that are trusted the last address in
// X-Forwarded-For that is none of theirs. What stands before it is somebody's word. An invalid address is one that nobody knows.
func (s *site) client(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	client := peer.Addr().Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !s.trusts(client) {
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

func (s *site) trusts(client netip.Addr) bool {
	return slices.ContainsFunc(s.Proxies, func(network netip.Prefix) bool { return network.Contains(client) })
}
