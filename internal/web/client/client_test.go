package client_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"silkpost/internal/web/client"
)

func TestSecure(t *testing.T) {
	t.Parallel()
	proxies := client.Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	for _, tt := range []struct {
		peer string
		said []string
		tls  bool
		want bool
	}{
		{"203.0.113.5:1", nil, false, false},
		{"203.0.113.5:1", nil, true, true},
		{"203.0.113.5:1", []string{"https"}, false, false}, // anybody can say so
		{"10.0.0.1:1", nil, false, false},
		{"10.0.0.1:1", []string{"HTTPS"}, false, true},
		{"10.0.0.1:1", []string{"http"}, false, false},
		{"10.0.0.1:1", []string{"https, http"}, false, false}, // what stands before it was made up
		{"10.0.0.1:1", []string{"https", "http"}, false, false},
		{"[::ffff:10.0.0.1]:1", []string{"http,https"}, false, true},
		{"@", []string{"https"}, false, false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr, r.Header["X-Forwarded-Proto"] = tt.peer, tt.said
		if tt.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if got := proxies.Secure(r); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}
