package admin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/accounts"
)

// upstream is a site with a feed at /feed.xml that holds items, and a page that leads there. Requests of anything else go to other.
func upstream(t *testing.T, items string, other http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/feed.xml":
			w.Header().Set("Content-Type", "application/rss+xml")
			fmt.Fprintf(w, `<rss version="2.0"><channel><title>City news</title>%s</channel></rss>`, items)
		case r.URL.Path == "/robots.txt" || other == nil:
			http.NotFound(w, r)
		default:
			other(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

const relay = `<item><guid>relay</guid><title>Robots run a relay</title><link>https://www.example.org/relay</link><pubDate>Mon, 02 Nov 2026 08:00:00 GMT</pubDate>
	<description><![CDATA[<p>Forty-one teams met in the <b>sports hall</b>.</p>]]></description></item>`

func TestASourceIsAddedByItsAddress(t *testing.T) {
	t.Parallel()
	h := open(t, "127.0.0.1")
	at := upstream(t, relay, nil)
	if got := h.get("/admin/sources").text(".empty h2"); got != "No source yet" {
		t.Errorf("the empty page says %q", got)
	}
	found := h.send("/admin/sources/new", "address", strings.TrimPrefix(at, "http://")+"/feed.xml")
	if found.status != http.StatusUnprocessableEntity { // https is tried when nothing else is said
		t.Errorf("%d", found.status)
	}
	found = h.send("/admin/sources/new", "address", at+"/feed.xml")
	if found.status != http.StatusOK || !strings.Contains(found.text(".candidate"), "Robots run a relay") {
		t.Fatalf("%d: %s", found.status, found.text("main"))
	}
	frame, _ := found.Find("iframe[sandbox]").Attr("srcdoc")
	if !strings.Contains(frame, "<b>sports hall</b>") && !strings.Contains(frame, "<strong>sports hall</strong>") {
		t.Errorf("the frame holds %q", frame)
	}
	form := []string{"found", "1", "found-1", found.Find("[name=found-1]").AttrOr("value", ""), "slug", "city", "section", "City", "language", "en", "every", "30m", "first", "due"}
	if made := h.send("/admin/sources", form...); made.status != http.StatusSeeOther || made.location != "/admin/sources/city?done=source_added" {
		t.Fatalf("%d to %s: %s", made.status, made.location, made.text("main"))
	}
	var queued int
	if err := h.DB.Get(&queued, `SELECT count(*) FROM river.river_job WHERE kind = 'poll_source' AND args->>'slug' = 'city'`); err != nil || queued != 1 {
		t.Errorf("it is polled %d times at once, %v", queued, err)
	}
	source, err := h.Articles.SourceBySlug(t.Context(), h.DB, "city")
	if err != nil || source.URL != at+"/feed.xml" || source.Section != "City" || source.Language != "en" || source.Every != 30*time.Minute || source.Settings.FirstPoll != "due" {
		t.Errorf("%+v, %v", source, err)
	}
	if _, err := h.RunSource(t.Context(), "city"); err != nil {
		t.Fatal(err)
	}
	page := h.get("/admin/sources/city")
	if !strings.Contains(page.text(".facts"), "1 article") || page.text(".badge") != "✓ Goes well" {
		t.Errorf("%q %q", page.text(".facts"), page.text(".badge"))
	}
	again := h.send("/admin/sources", form...)
	if again.status != http.StatusUnprocessableEntity || !strings.Contains(again.text(".mistakes"), "choose another slug") || again.Find("[name=found]").Length() != 1 {
		t.Errorf("%d: %s", again.status, again.text("main"))
	}
	if got := h.send("/admin/sources", "found", "1", "found-1", `{"kind":"folder","url":""}`, "slug", "etc", "every", "1h"); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a folder of the server was taken: %d", got.status)
	}
}

func TestALookSaysWhatWentWrong(t *testing.T) {
	t.Parallel()
	h := open(t, "127.0.0.1")
	for address, says := range map[string]string{
		"":                      "Write the address",
		"http://10.0.0.1/":      "internal address",
		"ftp://example.org":     "http",
		"javascript:alert(1)//": "",
	} {
		got := h.send("/admin/sources/new", "address", address)
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text(".mistakes"), says) {
			t.Errorf("%q: %d %s", address, got.status, got.text(".mistakes"))
		}
	}
}

func TestALookDoesNotWaitForEver(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for 20 seconds")
	}
	t.Parallel()
	h := open(t, "127.0.0.1")
	at := upstream(t, "", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	got := h.send("/admin/sources/new", "address", at+"/slow")
	if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text(".mistakes"), "did not answer within 20 seconds") {
		t.Errorf("%d: %s", got.status, got.text("main"))
	}
}

func TestASourceIsSteered(t *testing.T) {
	t.Parallel()
	h := open(t, "127.0.0.1")
	at := upstream(t, relay, nil)
	h.declare(fmt.Sprintf("[[source]]\nslug = \"city\"\nkind = \"feed\"\nurl = \"%s/feed.xml\"\n", at))
	leads := func(got answer, to string) {
		t.Helper()
		if got.status != http.StatusSeeOther || got.location != to {
			t.Errorf("%d to %q: %s", got.status, got.location, got.text("main"))
		}
	}
	leads(h.send("/admin/sources/city/pause"), "/admin/sources/city?done=source_paused")
	if got := h.get("/admin/sources/city").text(".badge"); got != "– Paused" {
		t.Errorf("paused: %q", got)
	}
	leads(h.send("/admin/sources/city/resume"), "/admin/sources/city?done=source_resumed")
	leads(h.send("/admin/sources/city/poll"), "/admin/sources/city?done=source_polled")
	leads(h.send("/admin/sources/city/edit", "url", at+"/feed.xml", "section", "City", "language", "", "every", "1h", "full_text", "never", "images", "store"), "/admin/sources/city?done=saved")
	source, err := h.Articles.SourceBySlug(t.Context(), h.DB, "city")
	if err != nil || source.Section != "City" || source.Every != time.Hour || source.Settings.FullText != "never" || source.Settings.Images != "store" {
		t.Errorf("%+v, %v", source, err)
	}
	wrong := h.send("/admin/sources/city/edit", "url", "http://169.254.169.254/", "section", "City", "language", "", "images", "store", "every", "1h")
	if wrong.status != http.StatusUnprocessableEntity || !strings.Contains(wrong.text(".mistakes"), "internal") {
		t.Errorf("%d %s", wrong.status, wrong.text("main"))
	}
	leads(h.send("/admin/sources/city/remove"), "/admin/sources?done=source_removed")
	if got := h.get("/admin/sources/city").status; got != http.StatusNotFound {
		t.Errorf("after it was removed: %d", got)
	}
}

func TestWhatIsHeldIsReleasedOrDropped(t *testing.T) {
	t.Parallel()
	h := open(t, "127.0.0.1")
	var many strings.Builder
	for i := range 25 {
		fmt.Fprintf(&many, `<item><guid>n-%d</guid><title>Notice %d</title><description>What is new in number %d.</description></item>`, i, i, i)
	}
	at := upstream(t, many.String(), nil)
	for _, slug := range []string{"one", "two"} {
		h.declare(fmt.Sprintf("[[source]]\nslug = %q\nkind = \"feed\"\nurl = \"%s/feed.xml?%s\"\nfirst_poll = \"due\"\n", slug, at, slug))
		if _, err := h.RunSource(t.Context(), slug); err != nil {
			t.Fatal(err)
		}
	}
	page := h.get("/admin/sources/one")
	if page.text(".needs h2") != "25 articles are held" || page.Find(".listing tbody tr").Length() != 25 {
		t.Fatalf("%s", page.text("main"))
	}
	for path, left := range map[string]string{"/admin/sources/one/release": "25 articles", "/admin/sources/two/discard": "0 articles"} {
		if got := h.send(path); got.status != http.StatusSeeOther {
			t.Errorf("%s: %d", path, got.status)
		}
		slug := strings.Split(path, "/")[3]
		if got := h.get("/admin/sources/" + slug); got.Find(".needs").Length() != 0 || !strings.Contains(got.text(".facts"), left) {
			t.Errorf("%s: %s", path, got.text("main"))
		}
	}
}

func TestReadersLookAtSourcesAndChangeNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare("[[source]]\nslug = \"city\"\nkind = \"feed\"\nurl = \"https://www.example.org/feed.xml\"\n")
	for _, role := range []accounts.Role{accounts.Reader, accounts.Manager, accounts.Approver} {
		h.as(accounts.Actor{Name: "account 2", Email: "someone@example.org", Roles: []accounts.Role{role}, Lists: []int64{1}})
		for _, path := range []string{"/admin/sources", "/admin/sources/city"} {
			if got := h.get(path); got.status != http.StatusOK || got.Find("main form[method=post]").Length() != 0 || strings.Contains(got.text("main"), "Add a source") {
				t.Errorf("%s sees at %s: %d %s", role, path, got.status, got.text("main"))
			}
		}
		for _, path := range []string{"/admin/sources", "/admin/sources/new", "/admin/sources/city/edit", "/admin/sources/city/poll", "/admin/sources/city/pause", "/admin/sources/city/remove"} {
			if got := h.send(path).status; got != http.StatusForbidden {
				t.Errorf("%s posts to %s: %d", role, path, got)
			}
		}
	}
}

// hostile is what must stay text wherever it is shown.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>'&lt;b&gt;`

func TestWhatSourcesSayStaysText(t *testing.T) {
	t.Parallel()
	h := open(t, "127.0.0.1")
	item := `<item><guid>x</guid><title><![CDATA[` + hostile + `]]></title><link>javascript:alert(3)</link><category><![CDATA[` + hostile + `]]></category>
		<description><![CDATA[<p onclick="alert(4)">Words</p><script>alert(5)</script><iframe src="https://evil.example/"></iframe><a href="javascript:alert(6)">x</a>]]></description></item>`
	at := upstream(t, item, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, hostile)
	})
	pages := map[string]answer{
		"found": h.send("/admin/sources/new", "address", at+"/feed.xml"),
		"error": h.send("/admin/sources/new", "address", at+"/"+hostile),
		"form":  h.send("/admin/sources", "address", hostile, "found", hostile, "found-1", `{"kind":"feed","url":"javascript:alert(1)"}`, "about-1", hostile, "slug", hostile, "section", hostile, "language", hostile, "every", hostile),
	}
	h.declare(fmt.Sprintf("[[source]]\nslug = \"city\"\nkind = \"feed\"\nurl = \"%s/x<script>alert(1)</script>\"\nsection = '%s'\n", at, strings.ReplaceAll(hostile, "'", "")))
	if _, err := h.RunSource(t.Context(), "city"); err == nil {
		t.Error("a teapot is a feed")
	}
	pages["one"], pages["list"], pages["edit"] = h.get("/admin/sources/city"), h.get("/admin/sources"), h.get("/admin/sources/city/edit")
	for name, page := range pages {
		staysText(t, name, page)
	}
	frame := pages["found"].Find("iframe").AttrOr("srcdoc", "")
	for _, bad := range []string{"<script", "onclick", "<iframe", "javascript:"} {
		if strings.Contains(frame, bad) {
			t.Errorf("the frame holds %s: %s", bad, frame)
		}
	}
	if sandbox, there := pages["found"].Find("iframe").Attr("sandbox"); !there || sandbox != "" {
		t.Errorf("the frame may %q", sandbox)
	}
}

// staysText fails when a page has anything that runs, or leads where a script would.
func staysText(t *testing.T, name string, page answer) {
	t.Helper()
	if n := page.Find("script:not([src])").Length(); n > 0 {
		t.Errorf("%s has %d scripts", name, n)
	}
	page.Find("*").Each(func(_ int, e *goquery.Selection) {
		for _, a := range e.Nodes[0].Attr {
			value := strings.ToLower(strings.TrimSpace(a.Val))
			if strings.HasPrefix(a.Key, "on") || a.Key != "value" && a.Key != "srcdoc" && a.Key != "title" && strings.HasPrefix(value, "javascript:") {
				t.Errorf("%s: %s=%q", name, a.Key, a.Val)
			}
		}
		if e.Is("img") && e.AttrOr("src", "") == "x" {
			t.Errorf("%s has a picture of somebody else's", name)
		}
	})
}
