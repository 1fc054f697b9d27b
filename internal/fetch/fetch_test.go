package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"silkpost/internal/errs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a server on loopback and a client that may reach it.
func serve(t *testing.T, h http.HandlerFunc) (*Client, string) {
	t.Helper()
	srv := httptest.NewServer(h)
	c := New("127.0.0.1")
	t.Cleanup(func() { c.Close(); srv.Close() })
	return c, srv.URL
}

func TestPublic(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"93.184.215.14":          true,
		"8.8.8.8":                true,
		"172.15.255.255":         true,
		"172.32.0.1":             true,
		"100.63.255.255":         true,
		"168.63.129.17":          true,
		"2606:4700::1111":        true,
		"2a00:1450:4001:80b::1":  true,
		"0.0.0.0":                false,
		"0.1.2.3":                false,
		"10.0.0.1":               false,
		"100.64.0.1":             false,
		"100.100.100.200":        false,
		"127.0.0.1":              false,
		"127.255.255.254":        false,
		"168.63.129.16":          false,
		"169.254.169.254":        false,
		"172.16.0.1":             false,
		"172.31.255.255":         false,
		"192.0.0.192":            false,
		"192.0.2.1":              false,
		"192.88.99.1":            false,
		"192.168.1.1":            false,
		"198.18.0.1":             false,
		"198.51.100.1":           false,
		"203.0.113.1":            false,
		"224.0.0.1":              false,
		"239.255.255.255":        false,
		"240.0.0.1":              false,
		"255.255.255.255":        false,
		"::":                     false,
		"::1":                    false,
		"::7f00:1":               false, // IPv4-compatible
		"::ffff:127.0.0.1":       false, // IPv4-mapped
		"::ffff:8.8.8.8":         false,
		"64:ff9b::7f00:1":        false, // NAT64
		"64:ff9b:1::a00:1":       false,
		"100::1":                 false,
		"2001::1":                false, // Teredo
		"2001:db8::1":            false,
		"2002:7f00:1::1":         false, // 6to4
		"3fff::1":                false,
		"5f00::1":                false,
		"fc00::1":                false,
		"fd00:ec2::254":          false, // a cloud's metadata
		"fe80::1":                false,
		"fe80::1%eth0":           false,
		"fec0::1":                false,
		"ff02::1":                false,
		"2606:4700::1111%loopbk": false,
	}
	for addr, want := range tests {
		if got := public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("public(%s) = %t, want %t", addr, got, want)
		}
	}
}

func TestGetRefusesInternalAddresses(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the server was reached") }))
	t.Cleanup(srv.Close)
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	c := New("www.example.org")
	t.Cleanup(c.Close)
	for _, host := range []string{
		"127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[::]", "127.1", "2130706433", "169.254.169.254",
		"[fd00:ec2::254]", "0x7f000001", "017700000001",
	} {
		_, err := c.Get(t.Context(), Request{URL: "http://" + host + ":" + port + "/"})
		if err == nil {
			t.Errorf("%s was fetched", host)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the error has several lines: %q", host, err)
		}
	}
	_, err := c.Get(t.Context(), Request{URL: srv.URL})
	if want := srv.URL + " lies on an internal address; only what is on the public Internet is fetched, and hosts that the setting allow_internal_hosts names"; errs.KindOf(err) != errs.Invalid || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	c := New("intranet.example.org", "127.0.0.1")
	t.Cleanup(c.Close)
	for address, want := range map[string]bool{
		"https://www.example.org/feed.xml":    true,
		"https://intranet.example.org/feed":   true, // looked up when it is dialled
		"http://8.8.8.8/":                     true,
		"http://localhost.example.org/":       true,
		"http://127.0.0.1:8080/feed.xml":      true, // allowed
		"http://127.0.0.2:8080/feed.xml":      false,
		"http://LOCALHOST/":                   false,
		"http://localhost.:80/":               false,
		"http://feeds.localhost/":             false,
		"http://[::1]/":                       false,
		"http://[fe80::1%25eth0]/":            false,
		"http://user:secret@192.168.1.1/feed": false,
		"ftp://www.example.org/":              false,
		"http://%zz/":                         false,
		"":                                    false,
	} {
		err := c.Check(address)
		if got := err == nil; got != want || !want && errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", address, err)
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: error %q", address, err)
		}
	}
}

// What lies behind a name is known when it is dialled.
func TestDialRefusesInternalAddresses(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the server was reached") }))
	t.Cleanup(srv.Close)
	c := New("127.0.0.1")
	t.Cleanup(c.Close)
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	target := &url.URL{Scheme: "http", Host: "localhost:" + port, Path: "/feed.xml"} // a name that resolves; unchecked here
	_, err := c.get(t.Context(), target, Request{})
	if err == nil {
		t.Fatal("it was fetched")
	}
	err = c.explain(t.Context(), target, err)
	want := target.String() + ": the host localhost lies on the internal address "
	if errs.KindOf(err) != errs.Invalid || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "dial") {
		t.Errorf("error = %v, want %s…", err, want)
	}
}

func TestGetRefusesRedirectInside(t *testing.T) {
	t.Parallel()
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the inner server was reached") }))
	t.Cleanup(inner.Close)
	_, port, _ := net.SplitHostPort(inner.Listener.Addr().String())
	for _, target := range []string{"http://localhost:" + port, "http://[::1]:" + port, "file:///etc/passwd", "gopher://127.0.0.1"} {
		c, url := serve(t, http.RedirectHandler(target, http.StatusFound).ServeHTTP)
		_, err := c.Get(t.Context(), Request{URL: url})
		if errs.KindOf(err) != errs.Invalid || !strings.HasPrefix(err.Error(), url+": it redirects: ") {
			t.Errorf("redirect to %s: error = %v", target, err)
		}
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	c, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "/new", http.StatusMovedPermanently)
			return
		}
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Last-Modified", "Mon, 11 May 2020 08:00:00 GMT")
		if r.Header.Get("If-None-Match") == `"v1"` && r.Header.Get("If-Modified-Since") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprintf(w, "hello %s", r.UserAgent())
	})
	first, err := c.Get(t.Context(), Request{URL: url + "/old"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(first.Body), "hello Silkpost"; got != want {
		t.Errorf("body = %q, want %q", got, want)
	}
	if first.URL != url+"/new" || first.Status != 200 || first.ETag != `"v1"` || first.NotModified() {
		t.Errorf("result = %+v", first)
	}
	again, err := c.Get(t.Context(), Request{URL: url + "/new", ETag: first.ETag, LastModified: first.LastModified})
	if err != nil {
		t.Fatal(err)
	}
	if !again.NotModified() || again.Body != nil {
		t.Errorf("second result = %+v", again)
	}
}

func TestGetFailures(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	c, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/exact":
			_, _ = w.Write(make([]byte, 1000))
		case "/large":
			_, _ = w.Write(make([]byte, 1001))
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			var packed bytes.Buffer
			gz := gzip.NewWriter(&packed)
			_, _ = gz.Write(make([]byte, 1<<20))
			_ = gz.Close()
			_, _ = w.Write(packed.Bytes())
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/slow":
			w.(http.Flusher).Flush()
			<-release
		case "/cut":
			w.Header().Set("Content-Length", "500")
			_, _ = w.Write([]byte("half"))
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			http.NotFound(w, r)
		}
	})
	t.Cleanup(func() { close(release) })
	c.maxBytes, c.timeout = 1000, 2*time.Second
	tests := []struct {
		url, says string
		kind      errs.Kind
	}{
		{url + "/large", "larger than 1000 bytes", errs.Unavailable},
		{url + "/bomb", "larger than 1000 bytes", errs.Unavailable},
		{url + "/loop", url + "/loop: more than 5 redirects", errs.Unavailable},
		{url + "/slow", "no complete answer within 2s", errs.Unavailable},
		{url + "/cut", "broke off before its answer was complete", errs.Unavailable},
		{url + "/broken", "answered 500 Internal Server Error", errs.Unavailable},
		{url + "/nothing", "404 Not Found", errs.NotFound},
		{"ftp://files.example.org/", "needs http:// or https://", errs.Invalid},
		{"news.example.org/feed.xml", "needs http:// or https://", errs.Invalid},
		{"http://", "needs http:// or https://", errs.Invalid},
		{"http://%zz/", "not a web address", errs.Invalid},
		{"http://127.0.0.1:1/", "127.0.0.1:1/: connection refused: no server listens there; look at host and port", errs.Unavailable},
		{strings.Replace(url, "http://", "https://", 1) + "/exact", "does not speak TLS there; it may be at http://", errs.Unavailable},
		{"http://10.0.0.1/", "and hosts that the setting allow_internal_hosts names", errs.Invalid},
	}
	for _, tt := range tests {
		t.Run(tt.url[strings.LastIndex(tt.url, "/"):], func(t *testing.T) {
			t.Parallel()
			_, err := c.Get(t.Context(), Request{URL: tt.url})
			if err == nil || errs.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error = %v (kind %d), want %q", err, errs.KindOf(err), tt.says)
			}
		})
	}
	if _, err := c.Get(t.Context(), Request{URL: url + "/exact"}); err != nil {
		t.Errorf("a body of exactly the limit: %v", err)
	}
}

func TestGetVerifiesTLS(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = nil
	srv.StartTLS()
	c := New("127.0.0.1")
	t.Cleanup(func() { c.Close(); srv.Close() })
	_, err := c.Get(t.Context(), Request{URL: srv.URL})
	if err == nil || !strings.Contains(err.Error(), "certificate is not valid") {
		t.Errorf("error = %v", err)
	}
}

func TestGetHidesPassword(t *testing.T) {
	t.Parallel()
	c, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "secret" || r.URL.Path != "/" {
			http.NotFound(w, r)
		}
	})
	locked := strings.Replace(url, "http://", "http://reader:secret@", 1)
	if _, err := c.Get(t.Context(), Request{URL: locked + "/no"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error = %v", err)
	}
	if res, err := c.Get(t.Context(), Request{URL: locked}); err != nil || res.URL != url {
		t.Errorf("result %+v, error %v", res, err)
	}
}

func TestGetCancelled(t *testing.T) {
	t.Parallel()
	c, url := serve(t, http.NotFound)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Get(ctx, Request{URL: url}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
}
