package web

import (
	"net/http"
	"net/netip"
)

// forwarded are the headers that proxies add.
var forwarded = []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}

// local lets only those through who ask from this machine themselves: what came through a proxy here is somebody else's. To all others there is
// no such page.
func (s *site) local(next http.Handler) http.Handler {
	unknown := s.page(s.notFound)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.isLocal(r) {
			unknown.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLocal reports whether a request was made on this machine. An address from which a trusted proxy forwards says nothing.
func (s *site) isLocal(r *http.Request) bool {
	for _, header := range forwarded {
		if r.Header.Get(header) != "" {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	address := peer.Addr().Unmap().WithZone("")
	return err == nil && address.IsLoopback() && !s.trusts(address)
}
