package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/app/apptest"
	"silkpost/internal/calls"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/internal/web/api"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/subscribers"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// house is the program with its API, and keys that it knows.
type house struct {
	*app.App
	t     testing.TB
	post  *catchertest.Server
	clock *testkit.Clock
	url   string

	crash atomic.Bool // whoever answers next is gone before the first byte

	mu   sync.Mutex
	keys map[string]accounts.Actor // by the key's text
}

var begin = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

const partners = `
[[list]]
slug = "partners"
name = { en = "News for our partners" }
sender = { name = "Example Association", address = "news@example.org" }
postal_address = "1 Example Street, 00000 Exampletown"
approval = true

[[list]]
slug = "museums"
name = { en = "News for museums" }
sender = { name = "Example Association", address = "museums@example.org" }
postal_address = "1 Example Street, 00000 Exampletown"

[[source]]
slug = "cms"
kind = "api"
section = "News"

[[source]]
slug = "files"
kind = "folder"
`

// open makes a house on a new database, with the lists and sources of partners. Its key "sp_all" may do everything.
func open(t testing.TB) *house {
	t.Helper()
	return openLimited(t, calls.Limit{Times: 100_000, Within: time.Minute})
}

func openLimited(t testing.TB, limit calls.Limit) *house {
	t.Helper()
	post := catchertest.Start(t, catcher.Config{})
	cfg := apptest.Settings(t, post)
	cfg.PublicURL = "https://news.example.org"
	clock := testkit.NewClock(begin)
	a := apptest.Open(t, cfg, app.Options{Clock: clock})
	h := &house{App: a, t: t, post: post, clock: clock, keys: map[string]accounts.Actor{}}
	h.key("sp_all", accounts.Actor{Key: 1, Roles: []accounts.Role{accounts.Owner, accounts.Approver}})
	handler, err := api.New(api.Config{App: a, Who: h.who, Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.crash.CompareAndSwap(true, false) {
			w = gone{w}
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	h.url = server.URL
	h.declare(partners)
	return h
}

// gone ends a call when its answer begins, as a process does that is killed then.
type gone struct{ http.ResponseWriter }

func (gone) WriteHeader(int) { panic(http.ErrAbortHandler) }

func (gone) Write([]byte) (int, error) { panic(http.ErrAbortHandler) }

func (h *house) who(r *http.Request) (accounts.Actor, error) {
	text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	h.mu.Lock()
	defer h.mu.Unlock()
	actor, known := h.keys[text]
	if !known {
		return actor, errs.New(errs.NotFound, "no such key")
	}
	return actor, nil
}

// key makes a key known.
func (h *house) key(text string, actor accounts.Actor) {
	h.mu.Lock()
	defer h.mu.Unlock()
	actor.Name = "key " + text
	h.keys[text] = actor
}

// declare applies a TOML declaration.
func (h *house) declare(toml string) {
	h.t.Helper()
	if _, err := h.Apply(h.t.Context(), strings.NewReader(toml), "test.toml", false); err != nil {
		h.t.Fatal(err)
	}
}

// listID returns a list's id.
func (h *house) listID(slug string) int64 {
	h.t.Helper()
	list, err := subscribers.ListBySlug(h.t.Context(), h.DB, slug)
	if err != nil {
		h.t.Fatal(err)
	}
	return list.ID
}

// reply is what came back.
type reply struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// ask asks as the key "sp_all", unless a header says otherwise. body is JSON as text, or what is to be encoded; headers are names and values in turn.
func (h *house) ask(method, path string, body any, headers ...string) reply {
	h.t.Helper()
	answer, err := h.try(method, path, body, headers...)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer
}

// try is ask for goroutines that must not end the test.
func (h *house) try(method, path string, body any, headers ...string) (reply, error) {
	var content []byte
	switch b := body.(type) {
	case nil:
	case string:
		content = []byte(b)
	case []byte:
		content = b
	default:
		var err error
		if content, err = json.Marshal(b); err != nil {
			return reply{}, err
		}
	}
	req, err := http.NewRequestWithContext(context.Background(), method, h.url+path, bytes.NewReader(content))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Authorization", "Bearer sp_all")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Del(headers[i])
		if headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	got, err := io.ReadAll(resp.Body)
	return reply{h.t, resp.StatusCode, resp.Header, got}, errors.Join(err, resp.Body.Close())
}

// is wants a status.
func (r reply) is(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// into decodes the body.
func (r reply) into(v any) reply {
	r.t.Helper()
	if err := json.Unmarshal(r.body, v); err != nil {
		r.t.Fatalf("%v: %s", err, r.body)
	}
	return r
}

// problem is the body of an error, checked for its form.
func (r reply) problem(status int) api.Problem {
	r.t.Helper()
	r.is(status)
	if kind := r.header.Get("Content-Type"); kind != "application/problem+json" {
		r.t.Fatalf("content type %q of %s", kind, r.body)
	}
	var p api.Problem
	r.into(&p)
	if p.Status != status || p.Title != http.StatusText(status) || p.Detail == "" {
		r.t.Fatalf("%+v", p)
	}
	return p
}

// wrongAt wants a problem that names a field.
func (r reply) wrongAt(location, message string) {
	r.t.Helper()
	p := r.problem(http.StatusUnprocessableEntity)
	for _, m := range p.Errors {
		if m.Location == location && strings.Contains(m.Message, message) {
			return
		}
	}
	r.t.Fatalf("want %s: %s, among %+v", location, message, p.Errors)
}
