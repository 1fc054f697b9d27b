package admin_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/web/admin"
	"silkpost/mailer/edition"
)

// poison is what must stay text wherever it is shown: a formula, an attribute's end, markup, an action of a template.
const poison = `=HYPERLINK("https://evil.example")'"><script>alert(1)</script><img src=x onerror=alert(2)>{{"in"}}{{"jected"}}`

// words are the columns that hold words of the program itself, which nobody else writes, or what is meant to be a template. They are not
// poisoned; where the database itself knows what a column may hold, it says so.
var words = regexp.MustCompile(`^(accounts\.accounts\.(zone|language|password)|accounts\.sessions|mailer\.(themes|limits\.name|plans)|subscribers\.organisations\.name$|articles\.waiting|.*_key$|calls\.|staff\.|` +
	`subscribers\.(lists|contacts)\.(time_zone|fallback_language|theme|(daily|weekly|monthly|not)_on)|mailer\.editions\.in_doubt|articles\.[a-z]*\.(language|html))`)

// Whatever is stored, and whatever a browser says of itself, stays text on every page and in every file that the program serves: all columns that take it
// hold what is hostile, and every address that a page leads to is looked at, also with every parameter hostile.
func TestWhateverIsStoredStaysText(t *testing.T) {
	t.Parallel()
	h := open(t)
	site := h.whole()
	begin := h.furnish()
	if n := h.poison(); n < 80 {
		t.Errorf("only %d columns took it", n)
	}
	c := crawler{house: h, site: site, seen: map[string]int{}, waiting: begin, parameters: map[string]bool{}}
	for _, pattern := range admin.Patterns() {
		if path, ok := strings.CutPrefix(pattern, "GET "); ok && !strings.Contains(strings.TrimSuffix(path, "{$}"), "{") {
			c.waiting = append(c.waiting, strings.TrimSuffix(path, "{$}"))
		}
	}
	c.waiting = append(c.waiting, "/feeds/", "/feeds/all.rss", "/archive/partners", "/s/partners", "/mail/", "/admin/"+url.PathEscape(poison), "/"+url.PathEscape(poison))
	c.walk()
	for _, pattern := range admin.Patterns() {
		if path, ok := strings.CutPrefix(pattern, "GET "); ok && c.seen[pattern] == 0 && !slices.Contains(unled, path) {
			t.Errorf("nothing leads to %s", path)
		}
	}
	t.Logf("%d answers, %d show it", c.asked, c.shown)
	if c.shown < 60 {
		t.Errorf("only %d of %d answers show what is hostile", c.shown, c.asked)
	}
}

// unled are the addresses that no page of a house like this one leads to.
var unled = []string{
	"/admin/link/{secret}", "/admin/import/{id}/progress", "/admin/import/{id}/refused.csv", "/admin/articles/{slug}/versions", "/admin/destinations/{name}",
	"/admin/editions/{id}/resume", "/admin/editions/{id}/hold",
}

// whole runs the whole program, with the demo's people, articles and editions, and returns its address. Whoever asks is everything().
func (h *house) whole() (site string) {
	h.t.Helper()
	h.Config.DataDir = h.t.TempDir()
	listener, err := h.Listen()
	if err != nil {
		h.t.Fatal(err)
	}
	h.Config.PublicURL = h.PublicURL()
	if summary, err := h.Demo(h.t.Context(), 0); err != nil || !summary.OK {
		h.t.Fatalf("%v, %+v", err, summary)
	}
	pages, err := admin.New(admin.Config{App: h.App, Who: func(*http.Request) (accounts.Actor, error) { return everything(), nil }})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- h.Run(ctx, app.Parts{Web: listener, Admin: pages, Extra: h.post.Catcher.Handler(h.Templates, "/mail")})
	}()
	h.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	})
	return h.PublicURL()
}

// furnish makes what the demo has none of, and returns addresses of it.
func (h *house) furnish() (paths []string) {
	h.t.Helper()
	h.stage("people.csv", "email,name\na@b.example,A\n")
	h.declare("[[theme]]\nslug = \"festival\"\n[[limit]]\nname = \"slow\"\ndestination = \"slow.example\"\nper_minute = 30\n[[hub]]\nurl = \"https://hub.example/\"\n")
	h.send("/admin/waiting", "title", poison, "text", poison, "section", poison, "tags", poison, "authors", poison, "when", "draft").went(h.t, "/admin/waiting/")
	held, at := h.reviewed(), h.reviewed()
	h.send(held+"/hold", "reason", "").went(h.t, held)
	if _, err := h.Accounts.Create(h.t.Context(), accounts.Account{Email: "a@example.org", Roles: []accounts.Role{accounts.Owner}}); err != nil {
		h.t.Fatal(err)
	}
	if _, _, err := h.Accounts.MakeKey(h.t.Context(), accounts.Key{Name: "A machine", Roles: []accounts.Role{accounts.Reader}}); err != nil {
		h.t.Fatal(err)
	}
	organisation := h.send("/admin/organisations/new", "name", poison)
	organisation.went(h.t, "/admin/organisations/")
	return []string{organisation.location, at, at + "/stream", at + "/words/en"}
}

// reviewed makes an edition that waits for a person, and returns its address.
func (h *house) reviewed() string {
	h.t.Helper()
	subject, introduction := "A word between two digests", "The river was measured."
	made, err := h.MakeEdition(h.t.Context(), "test", app.MakeOptions{List: "partners", Texts: edition.Texts{Subject: &subject, Introduction: &introduction}})
	if err != nil {
		h.t.Fatal(err)
	}
	return "/admin/editions/" + made.ID.String()
}

// poison puts what is hostile into every column of every row that takes it, and returns how many columns did.
func (h *house) poison() (taken int) {
	h.t.Helper()
	var columns []struct{ Table, Column, Kind string }
	if err := h.DB.Select(&columns, `
		SELECT format('%I.%I', n.nspname, c.relname) AS table, quote_ident(a.attname) AS column, format_type(a.atttypid, NULL) AS kind
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
			AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'public', 'river') AND format_type(a.atttypid, NULL) IN ('text', 'text[]', 'jsonb')
		ORDER BY 1, a.attnum`); err != nil {
		h.t.Fatal(err)
	}
	for _, c := range columns {
		value := map[string]string{
			"text": `$1 || CASE WHEN ` + c.Column + ` = '' THEN '' ELSE ' ' || ctid END`, "text[]": `ARRAY[$1]`,
			"jsonb": `(SELECT coalesce(jsonb_object_agg(key, CASE jsonb_typeof(value) WHEN 'string' THEN to_jsonb($1::text) ELSE value END), '{}') FROM jsonb_each(` + c.Column + `))`,
		}[c.Kind]
		if words.MatchString(c.Table + "." + c.Column) {
			continue
		}
		done, err := h.DB.Exec(`UPDATE `+c.Table+` SET `+c.Column+` = `+value+` WHERE `+c.Column+` IS NOT NULL`, poison)
		if err != nil {
			continue // it does not take it
		}
		if n, err := done.RowsAffected(); err == nil && n > 0 {
			taken++
		}
	}
	if _, err := h.DB.Exec(`INSERT INTO accounts.log (at, actor, thing, id, what, before, after) SELECT $2, p, p, p, p, jsonb_build_object(p, p), jsonb_build_object(p, p) FROM (SELECT $1::text) v (p)`,
		poison, h.Clock.Now()); err != nil {
		h.t.Fatal(err)
	}
	return taken
}

// crawler follows the links of pages.
type crawler struct {
	*house

	site         string
	waiting      []string
	seen         map[string]int  // by kind of address
	parameters   map[string]bool // names that addresses and forms have
	asked, shown int
}

// often is how many addresses of a kind are looked at.
const often = 3

func (c *crawler) walk() {
	mux := http.NewServeMux()
	for _, pattern := range admin.Patterns() {
		mux.Handle(pattern, http.NotFoundHandler())
	}
	been := map[string]bool{}
	for len(c.waiting) > 0 {
		at, err := url.Parse(c.waiting[0])
		c.waiting = c.waiting[1:]
		if err != nil || been[at.Path] || at.Path == "" {
			continue
		}
		been[at.Path] = true
		_, kind := mux.Handler(&http.Request{Method: http.MethodGet, URL: at, Host: "x"})
		if kind == "" {
			kind = strings.Join(strings.SplitN(at.Path, "/", 4)[:2], "/")
		}
		if c.seen[kind]++; c.seen[kind] > often {
			continue
		}
		c.look(at.RequestURI())
		query := url.Values{}
		for name := range c.parameters {
			query.Set(name, poison)
		}
		c.look(at.Path + "?" + query.Encode())
	}
}

// look looks at an answer, and takes note of where it leads.
func (c *crawler) look(path string) {
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.site+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, name := range []string{"Referer", "User-Agent", "Accept-Language", "X-Forwarded-For", "X-Forwarded-Host", "Cookie", "Accept"} {
		req.Header.Set(name, poison)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind == "text/event-stream" {
		return
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusInternalServerError {
		c.t.Errorf("%.80s: %d, %v", path, resp.StatusCode, err)
	}
	c.asked++
	if bytes.Contains(body, []byte("HYPERLINK")) {
		c.shown++
	}
	if location := resp.Header.Get("Location"); location != "" {
		c.follow(path, location)
	}
	c.harmless(path, kind, resp, body)
}

// harmless fails the test when something of an answer could be more than text.
func (c *crawler) harmless(path, kind string, resp *http.Response, body []byte) {
	policy := resp.Header.Get("Content-Security-Policy")
	if resp.Header.Get("X-Content-Type-Options") != "nosniff" && resp.StatusCode/100 == 2 {
		c.t.Errorf("%.80s (%s) may be taken for something else", path, kind)
	}
	switch kind {
	case "text/html":
		page, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
		if err != nil {
			c.t.Fatal(err)
		}
		if resp.StatusCode/100 != 3 && !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src 'unsafe") {
			c.t.Errorf("%.80s: policy %q", path, policy)
		}
		staysText(c.t, path, answer{Document: page})
		if bytes.Contains(body, []byte("injected")) {
			c.t.Errorf("%.80s: a template took it for its own", path)
		}
		if !strings.Contains(policy, "sandbox") {
			c.links(path, page)
		}
	case "text/csv":
		cells(c.t, path, body)
	case "application/json", "application/feed+json":
		if !json.Valid(body) {
			c.t.Errorf("%.80s is not JSON", path)
		}
	case "application/xml", "text/xml", "application/rss+xml", "application/atom+xml", "text/x-opml":
		wellFormed(c.t, path, body)
	}
}

// links takes note of the addresses that a page leads to, and of the names of their parameters.
func (c *crawler) links(path string, page *goquery.Document) {
	page.Find("a[href], iframe[src], form[method=get][action], link[rel=alternate][href], [data-from]").Each(func(_ int, e *goquery.Selection) {
		for _, name := range []string{"href", "src", "action", "data-from"} {
			if address, ok := e.Attr(name); ok {
				c.follow(path, address)
			}
		}
	})
	page.Find("[name]").Each(func(_ int, e *goquery.Selection) { c.parameters[e.AttrOr("name", "")] = true })
}

func (c *crawler) follow(from, to string) {
	base, err := url.Parse(c.site + from)
	if err != nil {
		c.t.Fatal(err)
	}
	at, err := base.Parse(to)
	if err != nil || !strings.HasPrefix(at.String(), c.site+"/") {
		return
	}
	for name := range at.Query() {
		c.parameters[name] = true
	}
	c.waiting = append(c.waiting, at.RequestURI())
}

// cells fails the test when a program for tables would take a cell for a formula.
func cells(t *testing.T, path string, body []byte) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff")))).ReadAll()
	if err != nil {
		t.Errorf("%.80s: %v", path, err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if strings.IndexAny(cell, "=+-@\t\r") == 0 {
				t.Errorf("%.80s: a cell that begins with %.20q", path, cell)
			}
		}
	}
}

func wellFormed(t *testing.T, path string, body []byte) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(body))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%.80s: %v", path, err)
			return
		}
	}
}
