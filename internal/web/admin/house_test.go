package admin_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/app/apptest"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/internal/web/admin"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// house is the program with its pages for administrators, and somebody who is signed in.
type house struct {
	*app.App
	t    *testing.T
	post *catchertest.Server
	url  string
	who  atomic.Pointer[accounts.Actor] // nil: nobody is signed in
}

// everything is an actor who may do everything.
func everything() accounts.Actor {
	return accounts.Actor{Account: 1, Name: "account 1", Email: "owner@example.org", Roles: []accounts.Role{accounts.Owner, accounts.Approver}, Language: "en", Zone: "Europe/Rome", Proved: time.Now()}
}

// open makes a house on a new database. Whoever asks is everything() until as says otherwise. inside are hosts that may be fetched from although
// they are internal.
func open(t *testing.T, inside ...string) *house {
	t.Helper()
	return openWith(t, catcher.Config{}, inside...)
}

// openWith makes a house whose mail goes to a server that does as it is told.
func openWith(t *testing.T, mail catcher.Config, inside ...string) *house {
	t.Helper()
	post := catchertest.Start(t, mail)
	cfg := apptest.Settings(t, post)
	cfg.InternalHosts = inside
	a := apptest.Open(t, cfg, app.Options{})
	h := &house{App: a, t: t, post: post}
	h.as(everything())
	pages, err := admin.New(admin.Config{App: a, Who: func(*http.Request) (accounts.Actor, error) {
		if who := h.who.Load(); who != nil {
			return *who, nil
		}
		return accounts.Actor{}, errs.New(errs.NotFound, "nobody")
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

// as makes everything that is asked from now on come from somebody.
func (h *house) as(a accounts.Actor) { h.who.Store(&a) }

// declare applies a TOML declaration.
func (h *house) declare(toml string) {
	h.t.Helper()
	if _, err := h.Apply(h.t.Context(), strings.NewReader(toml), "test.toml", false); err != nil {
		h.t.Fatal(err)
	}
}

// answer is what came back, with redirects not followed.
type answer struct {
	*goquery.Document
	status   int
	location string
	header   http.Header
}

// get asks for a page.
func (h *house) get(path string) answer {
	h.t.Helper()
	return h.ask(http.MethodGet, path, nil)
}

// send sends a form as a page of ours does; fields are names and values in turn.
func (h *house) send(path string, fields ...string) answer {
	h.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return h.ask(http.MethodPost, path, form)
}

// fill sends the form of a page to where it stands, as it is but for some fields, which are names and values in turn.
func (h *house) fill(page string, changes ...string) answer {
	h.t.Helper()
	return h.send(page, wholeForm(h.get(page), changes...)...)
}

func (h *house) ask(method, path string, form url.Values) answer {
	h.t.Helper()
	if form == nil {
		return h.askWith(method, path, "", nil)
	}
	return h.askWith(method, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// askWith asks with a body of some kind; "": without.
func (h *house) askWith(method, path, kind string, body io.Reader) answer {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return h.do(req)
}

// do asks, and follows nothing.
func (h *house) do(req *http.Request) answer {
	h.t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	body := io.Reader(resp.Body)
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		body = strings.NewReader("") // it may have no end
	}
	doc, err := goquery.NewDocumentFromReader(body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{doc, resp.StatusCode, resp.Header.Get("Location"), resp.Header}
}

// text returns what an element says.
func (a answer) text(selector string) string {
	return strings.Join(strings.Fields(a.Find(selector).Text()), " ")
}
