package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"silkpost/internal/web"
)

func TestMetricsAreForThisMachineAlone(t *testing.T) {
	t.Parallel()
	var answered []string
	numbers := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "numbers") })
	s := open(t, func(c *web.Config) {
		c.Metrics = numbers
		c.Answered = func(pattern string, _ int, took time.Duration) { answered = append(answered, pattern) }
		c.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.9/32")}
	})
	for _, tt := range []struct {
		from, header string
		want         int
	}{
		{"127.0.0.1:1000", "", http.StatusOK},
		{"[::1]:1000", "", http.StatusOK},
		{"[::ffff:127.0.0.1]:1000", "", http.StatusOK},
		{"192.0.2.1:1000", "", http.StatusNotFound},
		{"127.0.0.9:1000", "", http.StatusNotFound}, // a trusted proxy
		{"127.0.0.1:1000", "X-Forwarded-For", http.StatusNotFound},
		{"127.0.0.1:1000", "Forwarded", http.StatusNotFound},
		{"127.0.0.1:1000", "Via", http.StatusNotFound},
		{"127.0.0.1:1000", "X-Real-IP", http.StatusNotFound},
		{"", "", http.StatusNotFound},
	} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.RemoteAddr = tt.from
		if tt.header != "" {
			r.Header.Set(tt.header, "127.0.0.1")
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != tt.want || (w.Body.String() == "numbers") != (tt.want == http.StatusOK) {
			t.Errorf("from %q with %q: %d, not %d", tt.from, tt.header, w.Code, tt.want)
		}
	}
	if len(answered) != 10 || answered[0] != "GET /metrics" {
		t.Errorf("answered: %q", answered)
	}
}
