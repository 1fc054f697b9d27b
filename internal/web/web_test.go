package web_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/testkit"
	"silkpost/internal/token"
	"silkpost/internal/web"
	"silkpost/subscribers"
	"silkpost/templates"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const publicURL = "https://news.example.org"

var now = time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)

// site is all of the web over a database, without a network.
type site struct {
	http.Handler
	db   *sqlx.DB
	keys token.Keys
	log  *bytes.Buffer
}

func open(t testing.TB, change ...func(*web.Config)) *site {
	t.Helper()
	s := &site{db: testkit.DB(t), log: &bytes.Buffer{}}
	var err error
	if s.keys, err = token.NewKeys("a key of the tests alone"); err != nil {
		t.Fatal(err)
	}
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	store := &articles.Store{}
	published := &feeds.Store{Articles: store}
	cfg := web.Config{
		DB: s.db, Clock: testkit.NewClock(now), Log: log, Templates: set, Articles: store, Feeds: published,
		FeedHandler: feeds.NewHandler(published, s.db, publicURL, feeds.Options{Clock: testkit.NewClock(now), Log: log, CacheBytes: 1 << 20}), Keys: s.keys, PublicURL: publicURL,
	}
	for _, c := range change {
		c(&cfg)
	}
	s.Handler = web.New(cfg)
	return s
}

// publish stores drafts of a source.
func (s *site) publish(t *testing.T, drafts ...articles.Draft) {
	t.Helper()
	store := &articles.Store{}
	store.Changed = (&feeds.Store{Articles: store}).Touch
	source, err := store.EnsureSource(t.Context(), s.db, "files", now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Save(t.Context(), s.db, source, drafts, articles.SaveOptions{Now: now}); err != nil {
		t.Fatal(err)
	}
}

func (s *site) ask(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func (s *site) get(path string, header ...string) *httptest.ResponseRecorder {
	return s.ask(http.MethodGet, path, "", header...)
}

func TestArticlePage(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.publish(t,
		articles.Draft{ExternalKey: "en", TranslationKey: "relay", Title: "Robots <b>pass</b> the water on", Language: "en", HTML: "<p>Forty-one teams.</p><script>alert(1)</script>"},
		articles.Draft{ExternalKey: "ar", TranslationKey: "relay", Title: "الروبوتات تمرر الماء", Language: "ar", Text: "اجتمع واحد وأربعون فريقًا."})
	var stored []struct{ Language, Slug string }
	if err := s.db.Select(&stored, `SELECT language, slug FROM articles.articles`); err != nil {
		t.Fatal(err)
	}
	slugs := map[string]string{}
	for _, a := range stored {
		slugs[a.Language] = a.Slug
	}
	page := s.get("/articles/" + slugs["en"])
	body := page.Body.String()
	if page.Code != http.StatusOK {
		t.Fatalf("%d %s", page.Code, body)
	}
	for _, want := range []string{
		"Robots &lt;b&gt;pass&lt;/b&gt; the water on", "<p>Forty-one teams.</p>", publicURL + "/articles/" + slugs["ar"], publicURL + "/feeds/all.atom",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q:\n%s", want, body)
		}
	}
	if strings.Contains(body, "alert(1)") {
		t.Error("a script came through")
	}
	for field, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Vary": "Accept-Language",
	} {
		if got := page.Header().Get(field); got != want {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
	policy := page.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "script-src") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy %q lets something run", policy)
	}
}

// Every address answers with its status, sets no cookie, and an error page tells nothing of the inside.
func TestStatuses(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *web.Config) {
		c.Extra = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	})
	s.publish(t, articles.Draft{ExternalKey: "a", Title: "One", Language: "en", Text: "Some words."})
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/", http.StatusFound},
		{"GET", "/feeds/", http.StatusOK},
		{"HEAD", "/feeds/", http.StatusOK},
		{"GET", "/feeds/all.rss", http.StatusOK},
		{"GET", "/feeds/nowhere.rss", http.StatusNotFound},
		{"POST", "/feeds/all.rss", http.StatusMethodNotAllowed},
		{"GET", "/articles/one", http.StatusOK},
		{"GET", "/articles/nowhere", http.StatusNotFound},
		{"GET", "/articles/", http.StatusNotFound},
		{"GET", "/articles/%00", http.StatusNotFound},
		{"GET", "/articles/%ff", http.StatusNotFound},
		{"GET", "/feeds/%00.rss", http.StatusNotFound},
		{"GET", "/feeds/lang-%ff.rss", http.StatusNotFound},
		{"GET", "/unsubscribe/%00", http.StatusNotFound},
		{"GET", "/s/partners", http.StatusOK},
		{"HEAD", "/s/partners", http.StatusOK},
		{"POST", "/s/partners", http.StatusBadRequest},
		{"PUT", "/s/partners", http.StatusMethodNotAllowed},
		{"GET", "/s/%ff", http.StatusNotFound},
		{"GET", "/confirm/x", http.StatusNotFound},
		{"POST", "/confirm/x", http.StatusNotFound},
		{"DELETE", "/confirm/x", http.StatusMethodNotAllowed},
		{"GET", "/preferences/x", http.StatusNotFound},
		{"POST", "/preferences/%00", http.StatusNotFound},
		{"OPTIONS", "/preferences/x", http.StatusMethodNotAllowed},
		{"GET", "/mail/", http.StatusTeapot},
		{"GET", "/nowhere", http.StatusNotFound},
		{"POST", "/nowhere", http.StatusNotFound},
		{"GET", "/admin/", http.StatusNotFound},
		{"POST", "/", http.StatusMethodNotAllowed},
		{"DELETE", "/feeds/", http.StatusMethodNotAllowed},
		{"PUT", "/articles/one", http.StatusMethodNotAllowed},
		{"PUT", "/unsubscribe/x", http.StatusMethodNotAllowed},
		{"OPTIONS", "/unsubscribe/x", http.StatusMethodNotAllowed},
		{"POST", "/static/style.css", http.StatusMethodNotAllowed},
		{"POST", "/healthz", http.StatusMethodNotAllowed},
		{"POST", "/articles/", http.StatusNotFound},
		{"PUT", "/unsubscribe/", http.StatusNotFound},
		{"GET", "/healthz", http.StatusOK},
		{"GET", "/readyz", http.StatusOK},
	} {
		got := s.ask(tt.method, tt.path, "")
		if (got.Code == http.StatusMethodNotAllowed) != (got.Header().Get("Allow") != "") {
			t.Errorf("%s %s: %d, allowed: %q", tt.method, tt.path, got.Code, got.Header().Get("Allow"))
		}
		if got.Code != tt.want || len(got.Result().Cookies()) > 0 {
			t.Errorf("%s %s: %d, want %d; cookies %v", tt.method, tt.path, got.Code, tt.want, got.Result().Cookies())
		}
	}
	if strings.Contains(s.log.String(), "level=ERROR") {
		t.Errorf("a visitor's mistake is logged as an error of ours:\n%s", s.log)
	}
	if allowed := s.ask("PUT", "/unsubscribe/x", "").Header().Get("Allow"); allowed != "GET, HEAD, POST" {
		t.Errorf("a link to unsubscribe allows %q", allowed)
	}
	for tag, want := range map[string]string{"it": `lang="it"`, "ar": `dir="rtl"`, "": `lang="en"`, ";;;": `lang="en"`} {
		if page := s.get("/nowhere", "Accept-Language", tag); !strings.Contains(page.Body.String(), want) {
			t.Errorf("Accept-Language %q: the page is not %s", tag, want)
		}
	}
}

// Without its database the process lives, but is not ready, and a visitor reads nothing about SQL.
func TestWithoutDatabase(t *testing.T) {
	t.Parallel()
	s := open(t)
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := s.get("/healthz"); got.Code != http.StatusOK {
		t.Errorf("healthz: %d", got.Code)
	}
	if got := s.get("/readyz"); got.Code != http.StatusServiceUnavailable {
		t.Errorf("readyz: %d %s", got.Code, got.Body)
	}
	got := s.get("/feeds/")
	if got.Code < 500 || strings.Contains(got.Body.String(), "sql") {
		t.Errorf("the feeds page: %d %s", got.Code, got.Body)
	}
	if !strings.Contains(s.log.String(), "sql: database is closed") {
		t.Errorf("the log does not tell why:\n%s", s.log)
	}
}

// A database that does not answer is told from a fault of ours: trying again helps.
func TestWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *web.Config) {
		away, err := sqlx.Open("postgres", "host=127.0.0.1 port=1 sslmode=disable")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = away.Close() })
		c.DB = away
	})
	for _, got := range []*httptest.ResponseRecorder{
		s.get("/s/partners"), s.ask(http.MethodPost, "/s/partners", "email=anna@museum.example"),
		s.ask(http.MethodPost, "/unsubscribe/"+s.keys.Sign("unsubscribe", 1), "List-Unsubscribe=One-Click"),
	} {
		if got.Code != http.StatusServiceUnavailable || !strings.Contains(got.Body.String(), "Try again in a few minutes") {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	}
}

// Tokens are keys: neither the log nor another site's log gets them.
func TestTokensStayOutOfTheLog(t *testing.T) {
	t.Parallel()
	s := open(t)
	file := strings.NewReader("email,name\nanna@museum.example,Anna\n")
	if _, err := subscribers.ImportContacts(t.Context(), s.db, file, subscribers.ImportOptions{List: "partners", Consent: "They asked", Now: now}); err != nil {
		t.Fatal(err)
	}
	var id int64
	if err := s.db.Get(&id, `SELECT id FROM subscribers.subscriptions`); err != nil {
		t.Fatal(err)
	}
	path := "/unsubscribe/" + s.keys.Sign("unsubscribe", id)
	if got := s.get(path); got.Code != http.StatusOK || got.Header().Get("Referrer-Policy") != "no-referrer" || got.Header().Get("X-Robots-Tag") != "noindex" {
		t.Errorf("the page: %d %v", got.Code, got.Header())
	}
	if got := s.ask(http.MethodPost, path, "List-Unsubscribe=One-Click"); got.Code != http.StatusOK {
		t.Errorf("the button: %d", got.Code)
	}
	if got := s.ask(http.MethodPost, path, "x="+strings.Repeat("x", 1<<20)); got.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a flood: %d", got.Code)
	}
	for _, page := range []string{"confirm", "preferences"} {
		made := s.keys.Sign(page, id)
		s.get("/" + page + "/" + made)
		s.ask(http.MethodPost, "/"+page+"/"+made, "do=save&do=confirm")
		if strings.Contains(s.log.String(), made) {
			t.Errorf("the log knows the link to %s:\n%s", page, s.log)
		}
	}
	log := s.log.String()
	if strings.Contains(log, path[len("/unsubscribe/"):]) || strings.Contains(log, "anna@") {
		t.Errorf("the log knows too much:\n%s", log)
	}
	if !strings.Contains(log, "msg=unsubscribed") || strings.Count(log, "msg=request ") != 7 {
		t.Errorf("the log knows too little:\n%s", log)
	}
	var at time.Time
	if err := s.db.Get(&at, `SELECT at FROM subscribers.consents ORDER BY id DESC LIMIT 1`); err != nil || !at.Equal(now) {
		t.Errorf("noted at %v, %v", at, err)
	}
}

func TestWithoutKeysLinksAreUnknown(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *web.Config) { c.Keys = nil })
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, page := range []string{"unsubscribe", "confirm", "preferences"} {
			if got := s.ask(method, "/"+page+"/"+s.keys.Sign(page, 1), "List-Unsubscribe=One-Click"); got.Code != http.StatusNotFound {
				t.Errorf("%s %s: %d", method, page, got.Code)
			}
		}
	}
}
