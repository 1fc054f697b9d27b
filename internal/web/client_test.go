package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"silkpost/internal/web"
	"silkpost/subscribers"
)

// The log of consents has the network that a person came from: behind proxies of ours what they say of it, and what nobody else can make up.
func TestNetworkOfTheClient(t *testing.T) {
	t.Parallel()
	b := openReading(t, func(c *web.Config) {
		for _, network := range []string{"127.0.0.1/32", "10.0.0.0/8", "2001:db8:1::/48"} {
			c.Proxies = append(c.Proxies, netip.MustParsePrefix(network))
		}
	})
	id := b.subscribed(t, "anna@museum.example", "partners")[0]
	for _, tt := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"203.0.113.5:1234", nil, "203.0.113.0/24"},
		{"203.0.113.5:1234", []string{"198.51.100.7"}, "203.0.113.0/24"}, // no proxy of ours says so
		{"127.0.0.1:1234", nil, "127.0.0.0/24"},
		{"127.0.0.1:1234", []string{"198.51.100.7"}, "198.51.100.0/24"},
		{"127.0.0.1:1234", []string{"192.0.2.66, 198.51.100.7"}, "198.51.100.0/24"}, // what stands before it was made up
		{"127.0.0.1:1234", []string{"192.0.2.66", "198.51.100.7, 10.1.2.3"}, "198.51.100.0/24"},
		{"127.0.0.1:1234", []string{"192.0.2.66", "198.51.100.7", "10.1.2.3"}, "198.51.100.0/24"},
		{"[::ffff:127.0.0.1]:1234", []string{"::ffff:198.51.100.7"}, "198.51.100.0/24"},
		{"[2001:db8:1::2]:1234", []string{"2001:db8:7:8::9"}, "2001:db8:7::/48"},
		{"10.0.0.1:1234", []string{"10.0.0.2, 10.0.0.3"}, "10.0.0.0/24"},
		{"10.0.9.1:1234", []string{"unknown"}, "10.0.9.0/24"},
		{"10.0.9.1:1234", []string{"198.51.100.7, 10.0.8.1:443"}, "10.0.9.0/24"},
		{"10.0.9.1:1234", []string{""}, "10.0.9.0/24"},
		{"@", []string{"198.51.100.7"}, ""},
	} {
		if err := subscribers.Confirm(t.Context(), b.db, id, subscribers.Evidence{At: now, Method: subscribers.ByPage}); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, b.link("unsubscribe", id), strings.NewReader("List-Unsubscribe=One-Click"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.RemoteAddr, r.Header["X-Forwarded-For"] = tt.peer, tt.forwarded
		b.ServeHTTP(httptest.NewRecorder(), r)
		if got := value[string](t, b.db, `SELECT network FROM subscribers.consents ORDER BY id DESC LIMIT 1`); got != tt.want {
			t.Errorf("%s %q: %q, want %q", tt.peer, tt.forwarded, got, tt.want)
		}
	}
}
