package admin_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"silkpost/internal/accounts"
	"silkpost/internal/web/admin"
)

// fill fills the places of a pattern with what is nowhere.
var fill = regexp.MustCompile(`\{[^}]*\}`)

// paths are the addresses that take a method, with nothing in particular at their places.
func paths(method string) (all []string) {
	for _, pattern := range admin.Patterns() {
		if of, path, _ := strings.Cut(pattern, " "); of == method {
			all = append(all, fill.ReplaceAllString(strings.TrimSuffix(path, "{$}"), "1"))
		}
	}
	slices.Sort(all)
	return all
}

// Every answer has these headers: pages, redirects, files, streams, refusals, and what is foreign under a policy of its own.
func TestEveryAnswerHasItsHeaders(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.crowd()
	for _, path := range paths(http.MethodGet) {
		h.get(path).guarded(t, "GET "+path)
	}
	stale := everything()
	stale.Proved = stale.Proved.AddDate(0, 0, -1)
	for what, ask := range map[string]struct {
		who    *accounts.Actor
		status int
		answer func() answer
	}{
		"a page that is not there": {status: http.StatusNotFound, answer: func() answer { return h.get("/admin/nowhere") }},
		"a wrong method":           {status: http.StatusMethodNotAllowed, answer: func() answer { return h.ask(http.MethodDelete, "/admin/lists", nil) }},
		"nobody":                   {who: &accounts.Actor{}, status: http.StatusSeeOther, answer: func() answer { return h.get("/admin/lists") }},
		"not allowed":              {who: &accounts.Actor{Name: "account 2", Roles: []accounts.Role{accounts.Reader}}, status: http.StatusForbidden, answer: func() answer { return h.get("/admin/contacts") }},
		"to be proved":             {who: &stale, status: http.StatusSeeOther, answer: func() answer { return h.get("/admin/keys/new") }},
		"saved":                    {status: http.StatusSeeOther, answer: func() answer { return h.send("/admin/lists/partners/pause") }},
		"a mistake": {status: http.StatusUnprocessableEntity, answer: func() answer {
			return h.send("/admin/contacts/new", "email", "x@a.example", "list", "partners", "languages", "?")
		}},
		"too large":      {status: http.StatusRequestEntityTooLarge, answer: func() answer { return h.send("/admin/lists/new", "slug", strings.Repeat("x", 5<<20)) }},
		"a file":         {status: http.StatusOK, answer: func() answer { return h.get("/admin/contacts/export.csv") }},
		"from elsewhere": {status: http.StatusForbidden, answer: func() answer { return h.fromElsewhere("/admin/lists/partners/pause") }},
	} {
		who := everything()
		if ask.who != nil {
			who = *ask.who
		}
		h.as(who)
		if who.Name == "" {
			h.who.Store(nil)
		}
		got := ask.answer()
		if got.status != ask.status {
			t.Errorf("%s: %d, want %d", what, got.status, ask.status)
		}
		got.guarded(t, what)
	}
}

// headers are those of every answer.
var headers = map[string]string{
	"X-Content-Type-Options": "nosniff", "X-Frame-Options": "SAMEORIGIN", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "Vary": "Cookie, Accept-Language",
	"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' https: data:; frame-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
}

// foreignPolicies is how what is foreign may differ: it has no origin, nothing of it runs or is sent anywhere, and only we may frame it.
var foreignPolicies = regexp.MustCompile(`^default-src 'none'; style-src 'unsafe-inline'; img-src [a-z':; ]*form-action 'none'; base-uri 'none'; frame-ancestors 'self'; ` +
	`sandbox allow-popups allow-popups-to-escape-sandbox$`)

// guarded fails the test when an answer lacks a header.
func (a answer) guarded(t *testing.T, what string) {
	t.Helper()
	for name, want := range headers {
		got := a.header.Get(name)
		foreign := name == "Content-Security-Policy" && foreignPolicies.MatchString(got) || name == "Referrer-Policy" && got == "no-referrer"
		if got != want && (!foreign || a.Find("main").Length() > 0) {
			t.Errorf("%s (%d): %s: %q, want %q", what, a.status, name, got, want)
		}
	}
}

// fromElsewhere sends a form as a page of another site has a browser send it.
func (h *house) fromElsewhere(path string) answer {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.url+path, strings.NewReader("name=x&password=given"))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}
	return h.do(req)
}

// No form from elsewhere is taken, whatever it is for, and nothing comes of it.
func TestNoFormFromElsewhereIsTaken(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.crowd()
	before := h.contents()
	posts := paths(http.MethodPost)
	for _, path := range posts {
		if got := h.fromElsewhere(path); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if after := h.contents(); after != before || len(posts) < 80 {
		t.Errorf("%d forms from elsewhere changed what is stored", len(posts))
	}
}

// Whoever only looks changes nothing: a link on another site is followed with the session's cookie.
func TestLookingChangesNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.crowd()
	before := h.contents()
	for _, path := range paths(http.MethodGet) {
		if got := h.get(path + "?do=remove&name=x&confirm=yes"); got.status >= http.StatusInternalServerError {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if h.contents() != before {
		t.Error("looking changed what is stored")
	}
}

// contents returns a sum of everything that is stored, but for the queue.
func (h *house) contents() string {
	h.t.Helper()
	var tables []string
	if err := h.DB.Select(&tables, `
		SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'public', 'river') ORDER BY 1`); err != nil {
		h.t.Fatal(err)
	}
	sums := make([]string, len(tables))
	for i, table := range tables {
		if err := h.DB.Get(&sums[i], `SELECT coalesce(md5(string_agg(x::text, ',' ORDER BY x::text)), '') FROM `+table+` x`); err != nil {
			h.t.Fatal(err)
		}
	}
	return strings.Join(sums, " ")
}

// A redirect leads to a page of ours, whatever is asked for and wherever who asks says that they come from.
func TestEveryStepLeadsToAPageOfOurs(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.Config.PublicURL = "https://news.example.org" // over plain http nobody is asked for a password
	stale := everything()
	stale.Proved = stale.Proved.AddDate(0, 0, -1)
	for _, to := range []string{"//evil.example/", "https://evil.example/admin/", `/\evil.example/admin/`, "javascript:alert(1)", "/admin/..//evil.example", "/feeds/"} {
		query := "?" + url.Values{"to": {to}}.Encode()
		h.as(everything())
		if got := h.get("/admin/prove" + query); got.location != "/admin/" {
			t.Errorf("%s: who proved it is led to %s", to, got.location)
		}
		h.as(stale)
		for _, path := range []string{"/admin/prove", "/admin/sign-in/code"} {
			if shown := h.get(path+query).Find("input[name=to]").AttrOr("value", ""); shown != "/admin/" {
				t.Errorf("%s at %s is shown as %s", to, path, shown)
			}
		}
	}
	h.as(stale)
	for from, want := range map[string]string{
		"": "/admin/", "https://evil.example/admin/lists": "/admin/", "//evil.example/admin/lists": "/admin/", "%zz": "/admin/", "javascript:alert(1)": "/admin/",
		"https://evil.example@" + strings.TrimPrefix(h.url, "http://") + "/admin/lists": "/admin/lists", h.url + "/admin/keys?x=1": "/admin/keys?x=1",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/admin/keys", strings.NewReader("name=x&password=given"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}, "Referer": {from}}
		if got := h.do(req); got.location != "/admin/prove?to="+url.QueryEscape(want) {
			t.Errorf("from %q it leads to %d %s", from, got.status, got.location)
		}
	}
}

// Guesses at whatever asks for a password or a code are slowed, and whoever is slowed is told for how long.
func TestGuessesAreSlowedEverywhere(t *testing.T) {
	t.Parallel()
	for path, fields := range map[string][]string{
		"/admin/prove": {"password", "a wrong password"}, "/admin/account/password": {"old", "a wrong password", "password", "other quiet words", "again", "other quiet words"},
		"/admin/account/factor/finish": {"code", "000000"},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			g := openGate(t)
			g.account("owner@example.org", accounts.Owner)
			b := g.browser()
			b.signIn("owner@example.org")
			b.send("/admin/account/factor")
			var said []int
			for range 6 {
				got := b.send(path, fields...)
				said = append(said, got.status)
				if got.status == http.StatusTooManyRequests && got.header.Get("Retry-After") == "" {
					t.Error("it does not say for how long")
				}
			}
			if fmt.Sprint(said) != "[422 422 422 422 422 429]" {
				t.Errorf("guesses are answered %d", said)
			}
		})
	}
}

// Who makes up where they come from is counted by where they do: else there would be no end of networks.
func TestMadeUpNetworksAreNoWayRoundTheLimit(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	tried := 0
	for i := range 30 {
		b := g.browser()
		b.header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.7", i))
		b.header.Set("X-Real-Ip", fmt.Sprintf("198.51.%d.7", i))
		b.header.Set("Forwarded", fmt.Sprintf("for=198.51.%d.7", i))
		if got := b.send("/admin/sign-in", "email", fmt.Sprintf("somebody%d@example.org", i), "password", "a wrong password"); got.status == http.StatusUnprocessableEntity {
			tried++
		}
	}
	if tried != 20 {
		t.Errorf("%d passwords were tried from one place, 20 are free", tried)
	}
}

// What a table that is uploaded is called, and what it calls its columns, stays text.
func TestNamesOfUploadsStayText(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare(peopleLists)
	got := h.postFile("/admin/import", `..\..\"><img src=x onerror=alert(1)>.csv`, "email,\"<script>alert(1)</script>\"\na@b.example,\"<img src=x onerror=alert(2)>\"\n")
	got.went(t, "/admin/import/")
	for _, path := range []string{got.location, "/admin/import"} {
		page := h.get(path)
		staysText(t, path, page)
		if !strings.Contains(page.text("main"), "onerror=alert(1)") || strings.Contains(page.text("main"), `..\`) {
			t.Errorf("%s: %s", path, page.text("main"))
		}
	}
}
