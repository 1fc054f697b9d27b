package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

var monday = time.Date(2020, 5, 11, 8, 0, 0, 0, time.UTC)

// visitor is a polite client whose clock a test moves; while it waits, its clock moves by itself.
type visitor struct {
	*Client
	*testkit.Clock

	mu    sync.Mutex
	slept []time.Duration
}

func polite(t *testing.T, delay time.Duration) *visitor {
	t.Helper()
	v := &visitor{Clock: testkit.NewClock(monday)}
	v.Client = NewPolite(Manners{Contact: "https://news.example.org", Delay: delay, Clock: v.Clock}, "127.0.0.1", "127.0.0.2")
	v.manners.sleep = func(ctx context.Context, d time.Duration) error {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.slept = append(v.slept, d)
		v.Advance(d)
		return ctx.Err()
	}
	t.Cleanup(v.Close)
	return v
}

func (v *visitor) waits() []time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	defer func() { v.slept = nil }()
	return v.slept
}

// host is a server that notes what it is asked.
type testHost struct {
	url    string
	mu     sync.Mutex
	asked  []string
	answer func(w http.ResponseWriter, r *http.Request)
}

func newHost(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *testHost {
	t.Helper()
	h := &testHost{answer: answer}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.asked = append(h.asked, r.URL.RequestURI())
		h.mu.Unlock()
		h.answer(w, r)
	}))
	t.Cleanup(srv.Close)
	h.url = srv.URL
	return h
}

func (h *testHost) requests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer func() { h.asked = nil }()
	return h.asked
}

// withRobots answers with a robots.txt, and with 200 to everything else.
func withRobots(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			fmt.Fprint(w, text)
		}
	}
}

func TestRobotsAreAskedOnceADay(t *testing.T) {
	t.Parallel()
	v := polite(t, time.Second)
	h := newHost(t, withRobots("User-agent: *\nDisallow: /private\n"))
	get := func(path string) error {
		_, err := v.Get(t.Context(), Request{URL: h.url + path})
		return err
	}
	if err := errors.Join(get("/news?page=1"), get("/"), get("/robots.txt")); err != nil {
		t.Error(err)
	}
	err := get("/private/x")
	if want := h.url + "/private/x: the site's robots.txt closes this address to programs; ask whoever runs it to let Silkpost in"; errs.KindOf(err) != errs.Invalid || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if diff := cmp.Diff([]string{"/robots.txt", "/news?page=1", "/", "/robots.txt"}, h.requests()); diff != "" {
		t.Error(diff)
	}
	h.answer = withRobots("")
	v.Advance(23 * time.Hour)
	if get("/private/x") == nil {
		t.Error("forgotten too early")
	}
	v.Advance(2 * time.Hour)
	if err := get("/private/x"); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"/robots.txt", "/private/x"}, h.requests()); diff != "" {
		t.Error(diff)
	}
	if _, err := v.Get(t.Context(), Request{URL: h.url + "/x", ByHand: true}); err != nil {
		t.Error(err)
	}
}

func TestPersonsAskWithoutRobots(t *testing.T) {
	t.Parallel()
	v := polite(t, time.Second)
	h := newHost(t, withRobots("User-agent: *\nDisallow: /\n"))
	if _, err := v.Get(t.Context(), Request{URL: h.url + "/x", ByHand: true}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"/x"}, h.requests()); diff != "" {
		t.Error(diff)
	}
}

// RFC 9309, section 2.3.1: what is not there allows everything, what cannot be read nothing.
func TestRobotsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{
		400: "", 401: "", 403: "", 404: "", 410: "", 451: "",
		429: "robots.txt cannot be read", 500: "robots.txt cannot be read", 503: "robots.txt cannot be read",
	} {
		v := polite(t, time.Second)
		h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/robots.txt" {
				w.WriteHeader(code)
			}
		})
		_, err := v.Get(t.Context(), Request{URL: h.url + "/"})
		if want == "" && err != nil || want != "" && (errs.KindOf(err) != errs.Unavailable || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%d: %v", code, err)
		}
		_, _ = v.Get(t.Context(), Request{URL: h.url + "/"})
		if n := len(h.requests()); want != "" && n != 1 || want == "" && n != 3 {
			t.Errorf("%d: %d requests", code, n)
		}
	}
}

// A copy goes on being used; a month later a site without one that can be read counts as one without one.
func TestRobotsThatCannotBeReadAnyMore(t *testing.T) {
	t.Parallel()
	v := polite(t, time.Second)
	h := newHost(t, withRobots("User-agent: *\nDisallow: /private\n"))
	get := func(path string) error {
		_, err := v.Get(t.Context(), Request{URL: h.url + path})
		return err
	}
	if err := get("/"); err != nil {
		t.Fatal(err)
	}
	h.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			w.WriteHeader(http.StatusBadGateway)
		}
	}
	v.Advance(25 * time.Hour)
	if err := get("/"); err != nil {
		t.Errorf("with a copy: %v", err)
	}
	if get("/private") == nil {
		t.Error("the copy is not used")
	}
	v.Advance(31 * 24 * time.Hour)
	if err := get("/private"); err != nil {
		t.Errorf("after a month: %v", err)
	}
}

func TestRobotsRedirect(t *testing.T) {
	t.Parallel()
	v := polite(t, time.Second)
	other := newHost(t, withRobots("User-agent: *\nDisallow: /x\n"))
	for target, closed := range map[string]bool{other.url + "/robots.txt": true, "http://localhost:1/robots.txt": false, "/robots.txt": false} {
		h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/robots.txt" {
				http.Redirect(w, r, target, http.StatusFound)
			}
		})
		if _, err := v.Get(t.Context(), Request{URL: h.url + "/x"}); (err != nil) != closed {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestLongRobotsIsCut(t *testing.T) {
	t.Parallel()
	v := polite(t, time.Second)
	h := newHost(t, withRobots("User-agent: *\nDisallow: /x\n"+strings.Repeat("# more\n", 100_000)+"Disallow: /y\n"))
	_, x := v.Get(t.Context(), Request{URL: h.url + "/x"})
	_, y := v.Get(t.Context(), Request{URL: h.url + "/y"})
	if x == nil || y != nil {
		t.Errorf("/x: %v; /y: %v", x, y)
	}
}

func TestDelay(t *testing.T) {
	t.Parallel()
	v := polite(t, time.Second)
	h := newHost(t, withRobots(""))
	for range 3 {
		if _, err := v.Get(t.Context(), Request{URL: h.url}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]time.Duration{time.Second, time.Second}, v.waits()); diff != "" {
		t.Error(diff)
	}
	v.Advance(300 * time.Millisecond)
	if got := v.Wait(h.url + "/other"); got != 700*time.Millisecond {
		t.Errorf("the host is free in %s", got)
	}
	if got := v.Wait("http://192.0.2.1/"); got != 0 {
		t.Errorf("another host is free in %s", got)
	}
	v.Advance(time.Minute)
	if _, err := v.Get(t.Context(), Request{URL: h.url}); err != nil || len(v.waits()) > 0 {
		t.Errorf("it waited after a minute; %v", err)
	}
}

func TestCrawlDelayIsKept(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"User-agent: *\nCrawl-delay: 5": 5 * time.Second, "User-agent: *\nCrawl-delay: 0.1": time.Second, "User-agent: *\nCrawl-delay: 3600": maxCrawlDelay,
	} {
		v := polite(t, time.Second)
		h := newHost(t, withRobots(text))
		for range 2 {
			if _, err := v.Get(t.Context(), Request{URL: h.url}); err != nil {
				t.Fatal(err)
			}
		}
		if got := v.waits(); !slices.Equal(got, []time.Duration{want}) {
			t.Errorf("%q: waited %v", text, got)
		}
	}
}

// However many ask, a host sees one request at a time; others meanwhile see theirs.
func TestOneRequestPerHost(t *testing.T) {
	t.Parallel()
	v := polite(t, time.Second)
	var open, most atomic.Int32
	release := make(chan struct{})
	h := newHost(t, func(_ http.ResponseWriter, r *http.Request) {
		now := open.Add(1)
		defer open.Add(-1)
		for {
			if was := most.Load(); now <= was || most.CompareAndSwap(was, now) {
				break
			}
		}
		if r.URL.Path == "/held" {
			<-release
		}
	})
	other := newHost(t, withRobots(""))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := v.Get(t.Context(), Request{URL: h.url + "/held"}); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := v.Get(t.Context(), Request{URL: other.url}); err != nil {
		t.Error(err)
	}
	testkit.Eventually(t, 10*time.Second, "the others wait", func() bool { return v.Wait(h.url) >= 8*time.Second })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Get(ctx, Request{URL: h.url}); !errors.Is(err, context.Canceled) {
		t.Errorf("who does not want to wait any more: %v", err)
	}
	close(release)
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d requests at once", most.Load())
	}
	if n := len(h.requests()); n != 9 { // robots.txt too
		t.Errorf("%d requests", n)
	}
}

// Redirects between two hosts, both ways at once, wait for nobody who waits for them.
func TestRedirectsDoNotLock(t *testing.T) {
	t.Parallel()
	v := polite(t, time.Second)
	var hosts [2]*testHost
	for i := range hosts {
		hosts[i] = newHost(t, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/robots.txt", "/there":
				http.Redirect(w, r, hosts[1-i].url+"/here", http.StatusFound)
			}
		})
	}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if _, err := v.Get(t.Context(), Request{URL: hosts[i%2].url + "/there"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	v := polite(t, time.Second)
	h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	_, err := v.Get(t.Context(), Request{URL: h.url + "/busy"})
	if RetryAfter(err) != 10*time.Minute || errs.KindOf(err) != errs.Unavailable || err.Error() != h.url+"/busy: the server answered 503 Service Unavailable and asks to be left alone for 10m" {
		t.Errorf("error %v, to be asked again after %s", err, RetryAfter(err))
	}
	h.requests()
	v.Advance(time.Minute)
	_, err = v.Get(t.Context(), Request{URL: h.url + "/"}) // another page of the host
	if want := h.url + "/: the server asked to be left alone until 2020-05-11 08:10 UTC"; err == nil || err.Error() != want || RetryAfter(err) != 9*time.Minute {
		t.Errorf("error %v, to be asked again after %s", err, RetryAfter(err))
	}
	if n := len(h.requests()); n > 0 {
		t.Errorf("it was asked %d times", n)
	}
	v.Advance(9*time.Minute - 2*time.Second) // so short that it is waited for
	if _, err := v.Get(t.Context(), Request{URL: h.url + "/"}); err != nil {
		t.Error(err)
	}
	if got := v.waits(); !slices.Equal(got, []time.Duration{2 * time.Second}) {
		t.Errorf("waited %v", got)
	}
}

func TestUserAgent(t *testing.T) {
	t.Parallel()
	v := polite(t, 0)
	h := newHost(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.UserAgent()) })
	got, err := v.Get(t.Context(), Request{URL: h.url})
	if err != nil || string(got.Body) != "Silkpost (+https://news.example.org)" {
		t.Errorf("%q, %v", got.Body, err)
	}
}

// Hosts that need not be known any more are forgotten; those that asked to be left alone are not.
func TestHostsAreForgotten(t *testing.T) {
	t.Parallel()
	v := polite(t, time.Second)
	h := newHost(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7200")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	if _, err := v.Get(t.Context(), Request{URL: h.url, ByHand: true}); RetryAfter(err) != 2*time.Hour {
		t.Errorf("error = %v", err)
	}
	for i := range 3 * maxHosts {
		target, _ := v.parse(fmt.Sprintf("http://host-%d.example.org/", i))
		turn, err := v.manners.take(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		turn.end(t.Context())
		v.Advance(100 * time.Millisecond)
	}
	if n := len(v.manners.hosts); n > maxHosts {
		t.Errorf("%d hosts are remembered", n)
	}
	if _, err := v.Get(t.Context(), Request{URL: h.url, ByHand: true}); err == nil || !strings.Contains(err.Error(), "left alone") {
		t.Errorf("error = %v", err)
	}
}
