package web_test

import (
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/web"
)

// declare makes a feed.
func (s *site) declare(t *testing.T, f feeds.Feed) {
	t.Helper()
	store := &feeds.Store{Articles: &articles.Store{}}
	if _, err := store.Declare(t.Context(), s.db, f, now); err != nil {
		t.Fatal(err)
	}
}

// What a browser says of itself when somebody follows a link.
var tab = []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "none", "Sec-Fetch-User", "?1"}

const browserAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

// A tab of a browser gets a page. Everybody else gets the feed, however much they look like a browser otherwise.
func TestOnlyATabGetsThePageOfAFeed(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.publish(t, articles.Draft{ExternalKey: "a", Title: "One", Language: "en", Text: "Some words."})
	for name, tt := range map[string]struct {
		path   string
		header []string
		page   bool
	}{
		"a tab":                   {"/feeds/all.rss", tab, true},
		"a tab that has the feed": {"/feeds/all.atom", append(tab, "If-None-Match", "*", "If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"), true},
		"a tab, JSON":             {"/feeds/all.json", tab, true},
		"a tab that wants it raw": {"/feeds/all.rss?raw", tab, false},
		"another query":           {"/feeds/all.rss?utm_source=x&raw", tab, true},
		"a reader":                {"/feeds/all.rss", nil, false},
		"a reader that imitates":  {"/feeds/all.rss", []string{"Accept", browserAccept, "User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}, false},
		"a page's script":         {"/feeds/all.rss", []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Site", "cross-site"}, false},
		"save as":                 {"/feeds/all.rss", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "empty"}, false},
		"a frame":                 {"/feeds/all.rss", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, false},
		"half a browser":          {"/feeds/all.rss", []string{"Sec-Fetch-Dest", "document"}, false},
	} {
		got := s.get(tt.path, tt.header...)
		if mediaType := got.Header().Get("Content-Type"); strings.HasPrefix(mediaType, "text/html") != tt.page || got.Code != http.StatusOK {
			t.Errorf("%s: %d %s", name, got.Code, mediaType)
		}
		if vary := strings.Join(got.Header().Values("Vary"), ", "); !strings.Contains(vary, "Sec-Fetch-Dest, Sec-Fetch-Mode") {
			t.Errorf("%s: Vary: %s", name, vary)
		}
		if tt.page {
			continue
		}
		plain, _, _ := strings.Cut(tt.path, "?")
		if reader := s.get(plain); got.Body.String() != reader.Body.String() || got.Header().Get("ETag") != reader.Header().Get("ETag") {
			t.Errorf("%s: not the feed that readers get", name)
		}
	}
}

func TestThePageOfAFeed(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.declare(t, feeds.Feed{Slug: "robotics", Title: database.StringMap{"en": "Robotics & more"}, Selection: articles.Selection{Tags: []string{"robots"}}, Content: feeds.Summary})
	for i := range 25 {
		s.publish(t, articles.Draft{
			ExternalKey: fmt.Sprint(i), Title: fmt.Sprintf("Robot %02d", i), Language: "en", Summary: "It <walks>.", Text: "Text.", Tags: []string{"robots"},
			Published: now.AddDate(0, 0, -i),
		})
	}
	s.publish(t, articles.Draft{ExternalKey: "ar", Title: "الروبوتات تمرر الماء", Language: "ar", Text: "اجتمع واحد.", Tags: []string{"robots"}, Published: now.AddDate(0, 0, -1), Section: "News"})
	got := s.get("/feeds/robotics.atom", tab...)
	for field, want := range map[string]string{
		"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex", "Content-Type": "text/html; charset=utf-8", "ETag": "", "Last-Modified": "",
		"X-Content-Type-Options": "nosniff", "Set-Cookie": "",
	} {
		if h := got.Header().Get(field); h != want {
			t.Errorf("%s: %q, want %q", field, h, want)
		}
	}
	if vary := got.Header().Values("Vary"); !slices.Equal(vary, []string{"Sec-Fetch-Dest, Sec-Fetch-Mode", "Accept-Language"}) {
		t.Errorf("Vary: %q", vary)
	}
	body := got.Body.String()
	root := parse(t, body)
	at := publicURL + "/feeds/robotics"
	links := map[string][]string{}
	for _, n := range find(root, "link") {
		links[attribute(n, "rel")] = append(links[attribute(n, "rel")], attribute(n, "href"))
	}
	if diff := cmp.Diff([]string{at + ".rss", at + ".atom", at + ".json"}, links["alternate"]); diff != "" {
		t.Errorf("autodiscovery: %s", diff)
	}
	if diff := cmp.Diff([]string{at + ".rss"}, links["canonical"]); diff != "" {
		t.Errorf("canonical: %s", diff)
	}
	for _, want := range []string{
		"Robotics &amp; more", "Tag: robots", "26 articles", "Summaries only", `href="feed:` + at + `.rss"`, `href="` + at + `.atom?raw"`, ">Robot 00</a>", "It &lt;walks&gt;.",
		`<div lang="ar" dir="rtl">`, "In Arabic", `href="` + publicURL + `/feeds/"`, "<bdi>News</bdi>", `<time datetime="2026-06-01T09:00:00Z">1 June 2026</time>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if n := strings.Count(body, "<h3>"); n != 20 {
		t.Errorf("%d articles are shown, want 20", n)
	}
	if head := s.ask(http.MethodHead, "/feeds/robotics.atom", "", tab...); head.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("HEAD: %v", head.Header())
	}
	for _, path := range []string{"/feeds/nowhere.rss", "/feeds/all", "/feeds/all.xml", "/feeds/.rss", "/feeds/section-%20.rss"} {
		got := s.get(path, append(tab, "Accept-Language", "it")...)
		if got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), `lang="it"`) || got.Header().Get("Cache-Control") != "private, no-store" {
			t.Errorf("%s: %d %v", path, got.Code, got.Header())
		}
	}
	if got := s.ask(http.MethodPost, "/feeds/all.rss", "", tab...); got.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", got.Code)
	}
}

// A tab finds a feed under its old name, learns that one is gone, and comes from an archive document to the feed. Private feeds have no page.
func TestATabIsLedToTheFeed(t *testing.T) {
	t.Parallel()
	s := open(t)
	store := &feeds.Store{Articles: &articles.Store{}}
	s.declare(t, feeds.Feed{Slug: "new-name"})
	s.declare(t, feeds.Feed{Slug: "over"})
	if err := errors.Join(store.Rename(t.Context(), s.db, "new-name", "newer-name", now), store.Remove(t.Context(), s.db, "over", now)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path, location string
		status         int
	}{
		{"/feeds/new-name.json", publicURL + "/feeds/newer-name.json", http.StatusMovedPermanently},
		{"/feeds/LANG-EN.rss", "", http.StatusNotFound},
		{"/feeds/over.rss", "", http.StatusGone},
		{"/feeds/newer-name/20260601T090000Z-7.atom", "/feeds/newer-name.atom", http.StatusFound},
		{"/feeds/p/token.rss", "", http.StatusNotFound},
	} {
		got := s.get(tt.path, tab...)
		if got.Code != tt.status || got.Header().Get("Location") != tt.location {
			t.Errorf("%s: %d, to %q", tt.path, got.Code, got.Header().Get("Location"))
		}
		if page := strings.HasPrefix(got.Header().Get("Content-Type"), "text/html"); page == strings.Contains(tt.path, "/p/") {
			t.Errorf("%s: %s", tt.path, got.Header().Get("Content-Type"))
		}
	}
}

// Pages that have a script of ours say so; no other page lets anything run.
func TestScriptsRunOnlyWhereThereAreSome(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.publish(t, articles.Draft{ExternalKey: "a", Title: "One", Language: "en", Text: "Some words."})
	for path, scripted := range map[string]bool{"/feeds/": true, "/feeds/all.rss": true, "/articles/one": false, "/nowhere": false} {
		got := s.get(path, tab...)
		policy := got.Header().Get("Content-Security-Policy")
		if strings.HasSuffix(policy, "; script-src 'self'") != scripted || strings.Contains(policy, "script-src") != scripted || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
		for _, n := range find(parse(t, got.Body.String()), "script") {
			src := attribute(n, "src")
			if file := s.get(src); !scripted || n.FirstChild != nil || file.Code != http.StatusOK || file.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
				t.Errorf("%s: the script %q: %d %v", path, src, file.Code, file.Header())
			}
		}
	}
}

// An article leads to the feeds that it is in, and to no others.
func TestArticlesLeadToTheirFeeds(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.publish(t,
		articles.Draft{ExternalKey: "a", Title: "One", Language: "zh-Hans", Text: "四十一支校队。", Section: "News"},
		articles.Draft{ExternalKey: "b", Title: "Two", Language: "en-GB", Text: "Some words.", URL: "https://www.example.org/two"},
		articles.Draft{ExternalKey: "c", Title: "Three", Language: "ar", Text: "اجتمع واحد.", Section: "新闻"})
	for path, want := range map[string][]string{
		"/articles/one": {"all", "section-news", "lang-zh-Hans"}, "/articles/two": {"all", "lang-en"}, "/articles/three": {"all", feeds.SectionSlug("新闻"), "lang-ar"},
		"/feeds/": {"all"},
	} {
		var wanted, got []string
		for _, slug := range want {
			for _, format := range feeds.Formats() {
				wanted = append(wanted, format.MediaType()+" "+feeds.URL(publicURL, slug, format))
			}
		}
		for _, n := range find(parse(t, s.get(path).Body.String()), "link") {
			switch attribute(n, "rel") {
			case "alternate":
				got = append(got, attribute(n, "type")+" "+attribute(n, "href"))
			case "canonical":
				if path == "/articles/two" && attribute(n, "href") != "https://www.example.org/two" {
					t.Errorf("the canonical link is %s", attribute(n, "href"))
				}
			}
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

// Thousands of feeds are listed without a megabyte on the way.
func TestTheListOfFeedsIsCompressed(t *testing.T) {
	t.Parallel()
	s := open(t)
	for i := range 30 {
		s.declare(t, feeds.Feed{Slug: fmt.Sprintf("feed-%d", i)})
	}
	plain, packed := s.get("/feeds/"), s.get("/feeds/", "Accept-Encoding", "gzip")
	zip, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatalf("%v: %v", err, packed.Header())
	}
	unpacked, err := io.ReadAll(zip)
	if err != nil || string(unpacked) != plain.Body.String() {
		t.Errorf("%v: the pages differ", err)
	}
	for _, got := range []http.Header{plain.Header(), packed.Header()} {
		if vary := strings.Join(got.Values("Vary"), ", "); !strings.Contains(vary, "Accept-Encoding") || !strings.Contains(vary, "Accept-Language") {
			t.Errorf("Vary: %s", vary)
		}
	}
	if packed.Header().Get("Content-Encoding") != "gzip" {
		t.Errorf("%v", packed.Header())
	}
}

// outline is a line of an OPML file, as a feed reader reads it.
type outline struct {
	Text     string    `xml:"text,attr"`
	Title    string    `xml:"title,attr"`
	Type     string    `xml:"type,attr"`
	XMLURL   string    `xml:"xmlUrl,attr"`
	HTMLURL  string    `xml:"htmlUrl,attr"`
	Language string    `xml:"language,attr"`
	Outlines []outline `xml:"outline"`
}

func TestOPML(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.declare(t, feeds.Feed{Slug: "mixed", Title: database.StringMap{"en": `R&D "<news>" 機器人`, "it": "Ricerca"}, Selection: articles.Selection{Languages: []string{"en", "it"}}})
	s.publish(t, articles.Draft{ExternalKey: "a", Title: "One", Language: "it", Text: "Parole.", Section: "News", Tags: []string{"robots"}})
	got := s.get("/feeds.opml")
	var file struct {
		XMLName xml.Name  `xml:"opml"`
		Version string    `xml:"version,attr"`
		Title   string    `xml:"head>title"`
		Body    []outline `xml:"body>outline"`
	}
	if err := xml.Unmarshal(got.Body.Bytes(), &file); err != nil {
		t.Fatal(err)
	}
	feed := func(text, slug, language string) outline {
		return outline{Text: text, Title: text, Type: "rss", XMLURL: publicURL + "/feeds/" + slug + ".rss", HTMLURL: publicURL + "/feeds/", Language: language}
	}
	want := []outline{
		{Text: "From the editors", Outlines: []outline{feed("All articles", "all", ""), feed(`R&D "<news>" 機器人`, "mixed", "")}},
		{Text: "By section", Outlines: []outline{feed("News", "section-news", "")}},
		{Text: "By language", Outlines: []outline{feed("italiano", "lang-it", "it")}},
		{Text: "By tag", Outlines: []outline{feed("robots", "tag-robots", "")}},
		{Text: "By source", Outlines: []outline{feed("files", "source-files", "")}},
	}
	if diff := cmp.Diff(want, file.Body); diff != "" || file.Version != "2.0" || file.Title != "Feeds of news.example.org" {
		t.Errorf("OPML %s, %q: %s", file.Version, file.Title, diff)
	}
	for field, want := range map[string]string{
		"Content-Type": "text/x-opml; charset=utf-8", "Cache-Control": "public, max-age=300", "Vary": "Accept-Language", "X-Content-Type-Options": "nosniff", "Last-Modified": "",
	} {
		if h := got.Header().Get(field); h != want {
			t.Errorf("%s: %q, want %q", field, h, want)
		}
	}
	etag := got.Header().Get("ETag")
	if again := open(t); etag == "" || strings.HasPrefix(etag, "W/") || again.get("/feeds.opml").Header().Get("ETag") == etag {
		t.Errorf("ETag %q, and other feeds have the same", etag)
	}
	for _, list := range []string{etag, `"x", W/` + etag, "*"} {
		same := s.get("/feeds.opml", "If-None-Match", list)
		if same.Code != http.StatusNotModified || same.Body.Len() > 0 || same.Header().Get("ETag") != etag || same.Header().Get("Vary") == "" || same.Header().Get("Cache-Control") == "" {
			t.Errorf("If-None-Match %s: %d %v", list, same.Code, same.Header())
		}
	}
	if head := s.ask(http.MethodHead, "/feeds.opml", ""); head.Code != http.StatusOK || head.Body.Len() > 0 || head.Header().Get("ETag") != etag {
		t.Errorf("HEAD: %d %v", head.Code, head.Header())
	}
	if post := s.ask(http.MethodPost, "/feeds.opml", ""); post.Code != http.StatusMethodNotAllowed || post.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d %v", post.Code, post.Header())
	}
	s.publish(t, articles.Draft{ExternalKey: "b", Title: "Two", Language: "it", Text: "Altre parole.", Section: "News", Tags: []string{"robots"}})
	if after := s.get("/feeds.opml", "Host", "elsewhere.example", "X-Forwarded-Host", "elsewhere.example"); after.Header().Get("ETag") != etag {
		t.Error("an article more in the same feeds changes the file")
	}
	italian := s.get("/feeds.opml", "Accept-Language", "it")
	if body := italian.Body.String(); !strings.Contains(body, `text="Ricerca"`) || !strings.Contains(body, "Per lingua") || italian.Header().Get("ETag") == etag {
		t.Errorf("in Italian:\n%s", body)
	}
}

func TestOPMLWithoutDatabase(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *web.Config) { c.PublicURL = "https://other.example.org" })
	s.db.Close()
	if got := s.get("/feeds.opml"); got.Code < 500 || got.Header().Get("ETag") != "" || strings.Contains(got.Body.String(), "sql") {
		t.Errorf("%d %v %s", got.Code, got.Header(), got.Body)
	}
}

func parse(t *testing.T, document string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func find(root *html.Node, name string) (all []*html.Node) {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			all = append(all, n)
		}
	}
	return all
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
