package web

import (
	"net/http"
	"net/netip"

	"silkpost/internal/web/client"
)

// client returns the address that a request comes from; an invalid one is one that nobody knows.
func (s *site) client(r *http.Request) netip.Addr { return client.Proxies(s.Proxies).Address(r) }

func (s *site) trusts(address netip.Addr) bool { return client.Proxies(s.Proxies).Trust(address) }
