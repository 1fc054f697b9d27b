package fetch

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"silkpost/internal/errs"
)

var form = url.Values{"hub.mode": {"publish"}, "hub.url": {"https://news.example.org/feeds/all.rss?a=b&c=新"}}

// wants fails the test unless a request is the whole form.
func wants(t *testing.T, r *http.Request) {
	t.Helper()
	if err := r.ParseForm(); err != nil {
		t.Error(err)
	}
	if got := r.PostForm.Encode(); r.Method != http.MethodPost || got != form.Encode() {
		t.Errorf("%s %s with %q, want a POST with %q", r.Method, r.URL.Path, got, form.Encode())
	}
	if kind := r.Header.Get("Content-Type"); kind != "application/x-www-form-urlencoded" || r.UserAgent() != "Silkpost" {
		t.Errorf("%s from %s", kind, r.UserAgent())
	}
}

func TestPost(t *testing.T) {
	t.Parallel()
	var posts atomic.Int32
	c, address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		wants(t, r)
		posts.Add(1)
		w.WriteHeader(http.StatusNoContent)
	})
	for range 2 {
		if err := c.Post(t.Context(), address, form); err != nil {
			t.Fatal(err)
		}
	}
	if got := posts.Load(); got != 2 {
		t.Errorf("%d posts came, want 2", got)
	}
}

// What repeats the POST is followed; what would make a GET of it is told as what it is.
func TestPostRedirected(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int32
	c, address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if code, err := strconv.Atoi(strings.Trim(r.URL.Path, "/")); err == nil {
			http.Redirect(w, r, "/new", code)
			return
		}
		wants(t, r)
		arrived.Add(1)
	})
	for code, follows := range map[int]bool{301: false, 302: false, 303: false, 307: true, 308: true} {
		arrived.Store(0)
		err := c.Post(t.Context(), fmt.Sprintf("%s/%d", address, code), form)
		if follows && (err != nil || arrived.Load() != 1) {
			t.Errorf("%d: %d arrived, %v", code, arrived.Load(), err)
		}
		if !follows && (errs.KindOf(err) != errs.Unavailable || !strings.Contains(err.Error(), fmt.Sprintf("/%d: it redirects forms with %d ", code, code)) || arrived.Load() != 0) {
			t.Errorf("%d: %d arrived, %v", code, arrived.Load(), err)
		}
	}
}

func TestPostRefusesInternalAddresses(t *testing.T) {
	t.Parallel()
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the inner server was reached") }))
	t.Cleanup(inner.Close)
	inside := strings.Replace(inner.URL, "127.0.0.1", "localhost", 1)
	c, address := serve(t, http.RedirectHandler(inside, http.StatusTemporaryRedirect).ServeHTTP)
	for target, says := range map[string]string{
		inside:                    " lies on an internal address",
		address:                   ": it redirects: ",
		"ftp://files.example.org": "needs http:// or https://",
	} {
		if err := c.Post(t.Context(), target, form); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", target, err)
		}
	}
	strict := New()
	t.Cleanup(strict.Close)
	if err := strict.Post(t.Context(), inner.URL, form); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a server inside: %v", err)
	}
}

func TestPostFailures(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	c, address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if code, err := strconv.Atoi(strings.Trim(r.URL.Path, "/")); err == nil {
			w.WriteHeader(code)
			return
		}
		<-release
	})
	t.Cleanup(func() { close(release) })
	c.timeout = 2 * time.Second
	for path, want := range map[string]struct {
		says string
		kind errs.Kind
	}{
		"/400":    {"refuses this with 400 Bad Request", errs.Invalid},
		"/403":    {"refuses this with 403 Forbidden", errs.Invalid},
		"/404":    {"nothing at this address (404 Not Found)", errs.NotFound},
		"/408":    {"answered 408 Request Timeout", errs.Unavailable},
		"/410":    {"nothing at this address (410 Gone)", errs.NotFound},
		"/422":    {"refuses this with 422", errs.Invalid},
		"/425":    {"answered 425", errs.Unavailable},
		"/429":    {"answered 429 Too Many Requests", errs.Unavailable},
		"/500":    {"answered 500", errs.Unavailable},
		"/503":    {"answered 503", errs.Unavailable},
		"/silent": {"no complete answer within 2s", errs.Unavailable},
	} {
		err := c.Post(t.Context(), address+path, form)
		if errs.KindOf(err) != want.kind || err == nil || !strings.Contains(err.Error(), want.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", path, err, want.says)
		}
	}
}

// Nobody makes us read for ever what we do not want to know.
func TestPostReadsNoMoreThanItMust(t *testing.T) {
	t.Parallel()
	ended := make(chan int, 1)
	c, address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		written := 0
		for written < 1<<30 {
			n, err := w.Write(make([]byte, 64<<10))
			if written += n; err != nil {
				break
			}
		}
		ended <- written
	})
	if err := c.Post(t.Context(), address, form); err != nil {
		t.Error(err)
	}
	if written := <-ended; written >= 1<<30 {
		t.Errorf("%d bytes were taken", written)
	}
}

// A request with a form brings back what is answered to it. Redirects do to it what RFC 9110, section 15.4, says.
func TestGetWithAForm(t *testing.T) {
	t.Parallel()
	c, address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch code, err := strconv.Atoi(strings.Trim(r.URL.Path, "/")); {
		case err == nil:
			http.Redirect(w, r, "/new", code)
		case r.URL.Path == "/closed":
			w.WriteHeader(http.StatusForbidden)
		default:
			if r.Method == http.MethodPost {
				wants(t, r)
			}
			fmt.Fprint(w, r.Method, r.ContentLength > 0)
		}
	})
	for path, want := range map[string]string{"/": "POSTtrue", "/307": "POSTtrue", "/308": "POSTtrue", "/301": "GETfalse", "/302": "GETfalse", "/303": "GETfalse"} {
		if got, err := c.Get(t.Context(), Request{URL: address + path, Form: form}); err != nil || string(got.Body) != want {
			t.Errorf("%s: %+v, want %s (%v)", path, got, want, err)
		}
	}
	if _, err := c.Get(t.Context(), Request{URL: address + "/closed", Form: form}); errs.KindOf(err) != errs.Invalid {
		t.Error(err)
	}
	strict := New()
	t.Cleanup(strict.Close)
	if _, err := strict.Get(t.Context(), Request{URL: address, Form: form}); errs.KindOf(err) != errs.Invalid {
		t.Errorf("an internal address: %v", err)
	}
}
