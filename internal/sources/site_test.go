package sources

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
	"silkpost/internal/language"
)

// plainSite is a site of pages that a test sets.
type plainSite struct {
	mu    sync.Mutex
	pages map[string]string // path and query → body
	kinds map[string]string // path → content type
	asked []string
	down  bool
	tags  bool // pages have an ETag
}

func startSite(t testing.TB, pages map[string]string) (*plainSite, string) {
	t.Helper()
	s := &plainSite{pages: map[string]string{}, kinds: map[string]string{}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	for path, body := range pages {
		s.put(path, strings.ReplaceAll(body, "ROOT", srv.URL))
	}
	return s, srv.URL
}

func (s *plainSite) put(path, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[path] = body
}

func (s *plainSite) goDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// took returns what was asked for since it was called last.
func (s *plainSite) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

func (s *plainSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.RequestURI())
	body, ok := s.pages[r.URL.RequestURI()]
	switch {
	case s.down:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case !ok:
		http.NotFound(w, r)
		return
	}
	if s.tags {
		tag := fmt.Sprintf(`"%d"`, len(body))
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", tag)
	}
	kind := "text/html; charset=utf-8"
	if strings.HasSuffix(r.URL.Path, ".xml") {
		kind = "application/xml"
	}
	w.Header().Set("Content-Type", kind)
	fmt.Fprint(w, body)
}

// articlePage is a page about something.
func articlePage(title, date string) string {
	return fmt.Sprintf(`<!DOCTYPE html><html lang="en"><head><title>%s - Example Museum</title></head><body><nav><a href="/">Home</a></nav>
		<article><h1>%s</h1><p class="date">%s</p><p>The hall was opened by the director in front of many guests from partner museums abroad. Visitors are
		welcome every day but Monday, and school classes get a guide of their own.</p><p>The next exhibition follows in the autumn of the year, when the new wing is finished.</p></article></body></html>`, title, title, date)
}

// frameOf is a site's page around its content, with everything that is no listing.
func frameOf(content string) string {
	return `<!DOCTYPE html><html><head><title>News</title></head><body>
		<div class="header"><ul class="menu"><li><a href="/about/history/">About the museum and its long history</a></li><li><a href="/visit/groups/">Visits for groups and school classes</a></li>
		<li><a href="/collection/sea/">The collection of the sea and its animals</a></li><li><a href="/support/donate/">Support us with a donation of your own</a></li></ul></div>
		<div class="content">` + content + `</div>
		<div class="sidebar"><h3>Most read</h3><ul class="hot"><li><a href="/popular/one-article">One of those that everybody reads</a></li><li><a href="/popular/two-article">Another one that everybody reads</a></li><li><a href="/popular/three-article">A third one that everybody reads</a></li></ul></div>
		<footer><ul><li><a href="/legal/imprint/">Imprint and legal information here</a></li><li><a href="/legal/privacy/">Privacy and data protection here</a></li><li><a href="/legal/contact/">Contact and opening hours here</a></li></ul></footer></body></html>`
}

func repeat(n int, item func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(item(i))
	}
	return b.String()
}

// listingForms are ways in which sites list articles, with the selectors that should be suggested.
var listingForms = []struct {
	name, content, item, next string
	titles                    string // of article 3
}{
	{"WordPress archive", `<main id="main">` + repeat(8, func(i int) string {
		return fmt.Sprintf(`<article id="post-%d" class="post-%d post type-post status-publish"><header><h2 class="entry-title"><a href="/news/hall-%d/" rel="bookmark">Hall number %d opens</a></h2>
			<time class="entry-date" datetime="2019-05-%02dT10:00:00+00:00">May %d, 2019</time></header><p>A few words about it. <a href="/news/hall-%d/">Read more</a></p></article>`, i, i, i, i, i+1, i+1, i)
	}) + `<nav class="navigation pagination"><a class="next page-numbers" href="/news/page/2/">Next</a></nav></main>`, "article.post", "a.next", "Hall number 3 opens"},
	{"Chinese list in tables", repeat(3, func(table int) string {
		return `<table width="100%">` + repeat(4, func(i int) string {
			n := table*4 + i
			return fmt.Sprintf(`<tr><td width="12">·</td><td><a href="/news/hall-%d/" title="第%d届国际科学节在示例市隆重开幕">第%d届国际科学节在示例市…</a></td><td>[2019-05-%02d]</td></tr>`, n, n, n, n+1)
		}) + `</table>`
	}) + `<a href="/news/?page=2">下一页</a>`, "div.content table tr", `a:contains("下一页")`, "第3届国际科学节在示例市隆重开幕"},
	{"day and month in boxes", `<ul class="news_list">` + repeat(6, func(i int) string {
		return fmt.Sprintf(`<li class="clearfix item-%d"><div class="date"><b>%02d</b><span>2019-05</span></div><a href="/news/hall-%d/"><h3>Hall number %d opens to the public</h3><p>Words about it.</p></a></li>`, i, i+1, i, i)
	}) + `</ul>`, "ul.news_list > li", "", "Hall number 3 opens to the public"},
	{"cards that are links", `<div class="grid">` + repeat(6, func(i int) string {
		return fmt.Sprintf(`<div class="col-4"><a class="card" href="/news/hall-%d/"><img src="/i/%d.jpg"><div class="when">%d мая 2019</div><div class="name">Открылся зал номер %d музея</div></a></div>`, i, i, i+1, i)
	}) + `</div>`, "div.grid > div", "", ""},
	{"Drupal rows, Thai", `<div class="view-content">` + repeat(5, func(i int) string {
		return fmt.Sprintf(`<div class="views-row views-row-%d"><span class="field-content"><a href="/news/hall-%d/">เปิดนิทรรศการวิทยาศาสตร์หมายเลข %d</a></span><span class="d">%d พฤษภาคม 2562</span></div>`, i, i, i, i+1)
	}) + `</div><ul class="pager"><li class="pager__item--next"><a href="?page=1" rel="next">ถัดไป</a></li></ul>`, "div.views-row", `a[rel~="next"]`, "เปิดนิทรรศการวิทยาศาสตร์หมายเลข 3"},
	{"definition list, Arabic", `<dl class="akhbar">` + repeat(5, func(i int) string {
		return fmt.Sprintf(`<dd><a href="/news/hall-%d/">افتتاح القاعة رقم %d في متحف العلوم</a> <small>%d مايو 2019</small></dd>`, i, i, i+1)
	}) + `</dl>`, "dl.akhbar > dd", "", "افتتاح القاعة رقم 3 في متحف العلوم"},
}

func TestSuggestListings(t *testing.T) {
	t.Parallel()
	base, _ := url.Parse("https://www.example.org/news/")
	for _, tt := range listingForms {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			doc, err := goquery.NewDocumentFromReader(strings.NewReader(frameOf(tt.content)))
			if err != nil {
				t.Fatal(err)
			}
			found := suggestListings(doc, base, time.UTC)
			if len(found) == 0 {
				t.Fatal("no listing was found")
			}
			got := found[0]
			for _, e := range got.entries {
				if !strings.HasPrefix(e.url, "https://www.example.org/news/hall-") || e.date.Format("2006-01") != "2019-05" {
					t.Errorf("entry %+v", e)
				}
			}
			if got.Item != tt.item || got.Next != tt.next || len(got.entries) < 5 {
				t.Errorf("%d entries with %+v, want %q and next %q", len(got.entries), got.Listing, tt.item, tt.next)
			}
			if tt.titles != "" && got.entries[3].title != tt.titles {
				t.Errorf("title %q, want %q", got.entries[3].title, tt.titles)
			}
		})
	}
}

func listItems(from, to int) string {
	return repeat(to-from, func(i int) string {
		n := to - 1 - i
		return fmt.Sprintf(`<li><a href="/news/hall-%d/">Hall number %d opens to the public</a> <span>2019-05-%02d</span></li>`, n, n, n)
	})
}

func htmlSite(t testing.TB, n int) (*plainSite, string) {
	t.Helper()
	s, root := startSite(t, map[string]string{"/news/": frameOf(`<ul class="list">` + listItems(1, n+1) + `</ul>`)})
	for i := range n + 2 {
		s.put(fmt.Sprintf("/news/hall-%d/", i), articlePage(fmt.Sprintf("Hall number %d opens to the public", i), fmt.Sprintf("%d May 2019", i)))
	}
	return s, root
}

func TestHTMLSite(t *testing.T) {
	t.Parallel()
	site, root := htmlSite(t, 5)
	site.tags = true
	b := siteSetup(t, articles.Source{Kind: articles.KindHTML, URL: root + "/news/", Settings: articles.Settings{Listing: articles.Listing{Item: "ul.list > li"}}})
	if out := b.poll(t, monday); out.Added != 5 || !out.Archive || len(out.Refused) > 0 {
		t.Fatalf("first poll: %+v", out)
	}
	for i, a := range b.all(t) {
		n := 5 - i
		if a.Title != fmt.Sprintf("Hall number %d opens to the public", n) || a.PublishedAt != time.Date(2019, 5, n, 0, 0, 0, 0, time.UTC) ||
			!strings.HasPrefix(a.Text, "The hall was opened") || !strings.HasSuffix(a.Text, "is finished.") || !a.Archive || a.URL != fmt.Sprintf("%s/news/hall-%d/", root, n) {
			t.Errorf("article %d: %+v", n, a)
		}
	}
	site.took()
	if out := b.poll(t, monday.Add(time.Hour)); out.Same != SameSaid || out.Result != (articles.Result{}) {
		t.Errorf("nothing changed: %+v", out)
	}
	if asked := site.took(); !slices.Equal(asked, []string{"/news/"}) {
		t.Errorf("nothing changed, and %q was asked for", asked)
	}
	// A new article, an old one with another title in the listing, and one whose page is no article.
	site.put("/news/hall-2/", articlePage("Hall number 2 opens at last", "2 May 2019"))
	site.put("/news/empty/", "<html><body><nav>Menu</nav></body></html>")
	site.put("/news/", frameOf(`<ul class="list"><li><a href="/news/empty/">Nothing to read on this page</a></li>`+
		strings.Replace(listItems(1, 7), "Hall number 2 opens to the public", "Hall number 2 opens at last", 1)+`</ul>`))
	out := b.poll(t, monday.Add(2*time.Hour))
	if out.Result != (articles.Result{Added: 1, Changed: 1}) || len(out.Refused) != 1 || !strings.Contains(out.Refused[0].Err.Error(), "there is no article on this page") {
		t.Errorf("third poll: %+v", out)
	}
	if asked := site.took(); !slices.Equal(asked, []string{"/news/", "/news/hall-2/", "/news/hall-6/", "/news/empty/"}) {
		t.Errorf("asked for %q", asked)
	}
	if newest := b.all(t)[0]; newest.Archive || newest.Title != "Hall number 6 opens to the public" {
		t.Errorf("newest: %+v", newest)
	}
	site.took()
	b.poll(t, monday.Add(3*time.Hour))
	if asked := site.took(); !slices.Equal(asked, []string{"/news/"}) {
		t.Errorf("a page without an article is asked for again: %q", asked)
	}
}

func TestHTMLSiteGoesOn(t *testing.T) {
	t.Parallel()
	site, root := htmlSite(t, 9)
	next := func(path string) string { return `<a class="next" href="` + path + `">Next</a>` }
	site.put("/news/", frameOf(`<ul class="list">`+listItems(7, 10)+`</ul>`+next("/news/?page=2")))
	site.put("/news/?page=2", frameOf(`<ul class="list">`+listItems(4, 7)+`</ul>`+next("/news/?page=3")))
	site.put("/news/?page=3", frameOf(`<ul class="list">`+listItems(1, 4)+`</ul>`))
	source := articles.Source{Kind: articles.KindHTML, URL: root + "/news/", Settings: articles.Settings{
		Listing: articles.Listing{Item: "ul.list > li", Next: "a.next"}, MaxPages: 2, Exclude: []string{"/news/hall-5/"}, FirstPoll: articles.FirstPollDue,
	}}
	b := siteSetup(t, source)
	if out := b.poll(t, monday); out.Added != 5 || out.Archive || b.all(t)[0].Archive {
		t.Errorf("two pages without one article, due: %+v", out)
	}
	site.took()
	b.poll(t, monday.Add(time.Hour))
	if asked := site.took(); !slices.Equal(asked, []string{"/news/"}) {
		t.Errorf("the first page has nothing new, and %q was asked for", asked)
	}
	// Another selector, content and more pages: what is found newly is archive.
	source.Slug, source.Settings.MaxPages, source.Settings.FirstPoll = b.slug, 5, ""
	source.Settings.Listing.Item, source.Settings.Exclude = "ul.list li", nil
	b.declare(t, source, monday.Add(2*time.Hour))
	site.put("/news/", frameOf(`<ul class="list">`+listItems(3, 11)+`</ul>`))
	if out := b.poll(t, monday.Add(2*time.Hour)); out.Added != 3 || !out.Archive {
		t.Errorf("with other settings: %+v", out)
	}
}

// A site that is away for a while loses nothing; pages that fail alone are tried again.
func TestSiteFails(t *testing.T) {
	t.Parallel()
	site, root := htmlSite(t, 3)
	b := siteSetup(t, articles.Source{Kind: articles.KindHTML, URL: root + "/news/", Settings: articles.Settings{Listing: articles.Listing{Item: "ul.list > li"}}})
	b.poll(t, monday)
	site.goDown(true)
	if _, err := b.Poll(t.Context(), b.source(t), monday.Add(time.Hour)); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("the site is away: %v", err)
	}
	site.goDown(false)
	site.put("/news/", frameOf(`<ul class="list">`+listItems(1, 6)+`</ul>`)) // hall-5 has no page yet
	site.mu.Lock()
	delete(site.pages, "/news/hall-5/")
	site.mu.Unlock()
	out := b.poll(t, monday.Add(2*time.Hour))
	if out.Added != 1 || len(out.Refused) != 1 || !strings.Contains(out.Refused[0].Err.Error(), "404") {
		t.Errorf("one page is missing: %+v", out)
	}
	site.put("/news/", frameOf(`<ul class="list">`+listItems(1, 6)+`<li><a href="http://127.0.0.1:1/">Elsewhere, where nobody answers</a></li></ul>`))
	if out := b.poll(t, monday.Add(150*time.Minute)); len(out.Refused) != 1 || !strings.Contains(out.Refused[0].Err.Error(), "connect") {
		t.Errorf("the only page to be read is away: %+v", out)
	}
	site.put("/news/", frameOf("<p>Under construction</p>"))
	_, err := b.Poll(t.Context(), b.source(t), monday.Add(3*time.Hour))
	if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), `no links to articles were found with item = "ul.list > li"`) {
		t.Errorf("the listing is gone: %v", err)
	}
}

// How many pages a poll reads is bounded; the rest waits, and stays archive.
func TestSiteWaits(t *testing.T) {
	t.Parallel()
	_, root := htmlSite(t, 100)
	b := siteSetup(t, articles.Source{Kind: articles.KindHTML, URL: root + "/news/", Settings: articles.Settings{Listing: articles.Listing{Item: "ul.list > li"}}})
	for i, want := range []int{40, 40, 20, 0} {
		out := b.poll(t, monday.Add(time.Duration(i)*time.Hour))
		if out.Added != want || out.Waiting != max(0, 60-40*i) {
			t.Errorf("poll %d: %+v, want %d", i, out, want)
		}
	}
	for _, a := range b.all(t) {
		if !a.Archive {
			t.Fatalf("%s is due", a.Title)
		}
	}
}

func packed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

const xmlHead = `<?xml version="1.0" encoding="UTF-8"?>`

func urlset(entries string) string {
	return xmlHead + `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">` + entries + `</urlset>`
}

func locs(from, to int, more string) string {
	return repeat(to-from, func(i int) string {
		return fmt.Sprintf(`<url><loc>ROOT/news/hall-%d/</loc><lastmod>2019-05-%02d</lastmod>%s</url>`, from+i, from+i, more)
	})
}

var sitemapForms = map[string]map[string]string{
	"urlset": {"/sitemap.xml": urlset(locs(1, 4, ""))},
	"index, packed": {
		"/sitemap.xml": xmlHead + `<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>ROOT/a.xml.gz</loc><lastmod>2019-05-03</lastmod></sitemap><sitemap><loc>ROOT/b.xml</loc></sitemap></sitemapindex>`,
		"/a.xml.gz":    "packed:" + urlset(locs(1, 3, "")), "/b.xml": urlset(locs(3, 4, "")),
	},
	"news": {"/sitemap.xml": urlset(locs(1, 4, `<news:news><news:publication><news:name>Museum</news:name><news:language>en</news:language></news:publication>
		<news:publication_date>2019-05-20T09:00:00+02:00</news:publication_date><news:title>Hall</news:title></news:news>`))},
	"named in robots.txt": {
		"/": "<html><body>Welcome</body></html>", "/robots.txt": "User-agent: *\nAllow: /\nSitemap: ROOT/maps/all.xml\n", "/maps/all.xml": urlset(locs(1, 4, "")),
	},
	"plain addresses": {"/sitemap.xml": "ROOT/news/hall-1/\nROOT/news/hall-2/\nROOT/news/hall-3/\n"},
	"breaks off":      {"/sitemap.xml": strings.TrimSuffix(urlset(locs(1, 4, "")+"<url><loc>ROOT/x"), "</urlset>")},
}

func sitemapSite(t testing.TB, pages map[string]string) (*plainSite, string) {
	t.Helper()
	all := maps.Clone(pages)
	for i := 1; i < 6; i++ {
		all[fmt.Sprintf("/news/hall-%d/", i)] = articlePage(fmt.Sprintf("Hall number %d opens to the public", i), "")
	}
	s, root := startSite(t, all)
	for path, body := range s.pages {
		if text, ok := strings.CutPrefix(body, "packed:"); ok {
			s.put(path, packed(text))
		}
	}
	return s, root
}

func TestSitemaps(t *testing.T) {
	t.Parallel()
	for name, pages := range sitemapForms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site, root := sitemapSite(t, pages)
			address := root + "/sitemap.xml"
			if pages["/"] != "" {
				address = root + "/"
			}
			b := siteSetup(t, articles.Source{Kind: articles.KindSitemap, URL: address, Settings: articles.Settings{Include: []string{"/news/*"}}})
			if out := b.poll(t, monday); out.Added != 3 || len(out.Refused) > 0 {
				t.Fatalf("first poll: %+v", out)
			}
			for _, a := range b.all(t) {
				if !strings.HasPrefix(a.Title, "Hall number ") || !strings.HasSuffix(a.Text, "is finished.") {
					t.Errorf("%+v", a)
				}
			}
			site.took()
			if out := b.poll(t, monday.Add(time.Hour)); out.Result != (articles.Result{}) {
				t.Errorf("second poll: %+v", out)
			}
			if asked := site.took(); slices.ContainsFunc(asked, func(path string) bool { return strings.HasPrefix(path, "/news/") }) {
				t.Errorf("nothing is new, and %q was asked for", asked)
			}
		})
	}
}

// A page that was edited is read again; a sitemap that dates all pages anew says nothing.
func TestSitemapChanges(t *testing.T) {
	t.Parallel()
	site, root := sitemapSite(t, map[string]string{"/sitemap.xml": urlset(locs(1, 4, ""))})
	b := siteSetup(t, articles.Source{Kind: articles.KindSitemap, URL: root + "/sitemap.xml"})
	b.poll(t, monday)
	site.put("/news/hall-2/", articlePage("Hall number 2 opens to everybody", ""))
	site.put("/sitemap.xml", strings.ReplaceAll(strings.Replace(urlset(locs(1, 5, "")), "2019-05-02", "2019-06-01", 1), "ROOT", root))
	site.took()
	if out := b.poll(t, monday.Add(time.Hour)); out.Result != (articles.Result{Added: 1, Changed: 1}) {
		t.Errorf("one new, one edited: %+v", out)
	}
	if asked := site.took(); !slices.Equal(asked, []string{"/sitemap.xml", "/news/hall-4/", "/news/hall-2/"}) && !slices.Equal(asked, []string{"/sitemap.xml", "/news/hall-2/", "/news/hall-4/"}) {
		t.Errorf("asked for %q", asked)
	}
}

// Pages that name one another as their translations become one group, whether they say so themselves or the sitemap does.
func TestTranslationsOfSites(t *testing.T) {
	t.Parallel()
	alternates := func(tag string) string {
		return fmt.Sprintf(`<%slink rel="alternate" hreflang="en" href="ROOT/en/hall-opens"/><%slink rel="alternate" hreflang="it" href="ROOT/it/apre-la-sala"/>`, tag, tag)
	}
	page := func(lang, title, head string) string {
		return strings.Replace(strings.Replace(articlePage(title, "3 May 2019"), `lang="en"`, `lang="`+lang+`"`, 1), "<head>", "<head>"+head, 1)
	}
	entries := func(more string) string {
		return `<url><loc>ROOT/en/hall-opens</loc>` + more + `</url><url><loc>ROOT/it/apre-la-sala</loc>` + more + `</url><url><loc>ROOT/en/other-news-here</loc></url>`
	}
	for name, in := range map[string]struct{ sitemap, head string }{
		"in the sitemap": {alternates("xhtml:"), ""},
		"in the pages":   {"", alternates("")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, root := startSite(t, map[string]string{
				"/sitemap.xml": urlset(entries(in.sitemap)), "/en/hall-opens": page("en", "The hall opens", in.head),
				"/it/apre-la-sala": page("it", "Apre la sala", in.head), "/en/other-news-here": page("en", "Other news", ""),
			})
			b := siteSetup(t, articles.Source{Kind: articles.KindSitemap, URL: root + "/sitemap.xml"})
			b.poll(t, monday)
			groups := map[int64][]string{}
			for _, a := range b.all(t) {
				groups[a.GroupID] = append(groups[a.GroupID], language.Key(a.Language))
			}
			if len(groups) != 2 {
				t.Errorf("groups %v, want the two translations together", groups)
			}
		})
	}
}

// The same article in several columns is one.
func TestJCMSColumns(t *testing.T) {
	t.Parallel()
	site, root := startJCMS(t, jcmsVariants[0], 3)
	site.publish(30, 1001, "第2届国际科学节在示例市开幕")
	site.publish(30, 1010, "关于举办培训班的通知")
	b := siteSetup(t, articles.Source{Kind: articles.KindJCMS, URL: root + "/col/col29/index.html", Settings: articles.Settings{Columns: []string{"/col/col30/index.html"}}})
	if out := b.poll(t, monday); out.Added != 4 || len(site.took("/art/")) != 4 {
		t.Errorf("%+v, asked for %q", out, site.took("/art/"))
	}
}

func TestJCMSConditional(t *testing.T) {
	t.Parallel()
	for _, inline := range []bool{true, false} {
		v := jcmsVariants[0]
		v.inline, v.params = inline, !inline
		site, root := startJCMS(t, v, 3)
		site.etag = true
		b := siteSetup(t, articles.Source{Kind: articles.KindJCMS, URL: root + "/col/col29/index.html"})
		b.poll(t, monday)
		if out := b.poll(t, monday.Add(time.Hour)); (out.Same == SameSaid) != inline {
			t.Errorf("records in the page %t: %+v", inline, out)
		}
	}
}

func TestCheckSettings(t *testing.T) {
	t.Parallel()
	html := articles.Source{Slug: "site", Kind: articles.KindHTML, URL: "https://www.example.org/", Settings: articles.Settings{Listing: articles.Listing{Item: "li"}}}
	for says, change := range map[string]func(*articles.Settings){
		`listing: item: "li["`:       func(s *articles.Settings) { s.Listing.Item = "li[" },
		`content: ">>"`:              func(s *articles.Settings) { s.Content = ">>" },
		`time_zone "Mars/Olympus"`:   func(s *articles.Settings) { s.TimeZone = "Mars/Olympus" },
		`listing: next: "a:foo" is `: func(s *articles.Settings) { s.Listing.Next = "a:foo" },
	} {
		source := html
		change(&source.Settings)
		if err := CheckSettings(source); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	if err := CheckSettings(html); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	client := fetch.New("127.0.0.1")
	t.Cleanup(client.Close)
	check := func(t *testing.T, address string) Finding {
		t.Helper()
		found, err := Check(t.Context(), client, address)
		if err != nil {
			t.Fatal(err)
		}
		if len(found.Found) == 0 {
			t.Fatalf("nothing was found: %+v", found)
		}
		return found
	}
	for _, v := range jcmsVariants {
		for _, from := range []string{"/col/col29/index.html", "/", "/art/2020/4/12/art_29_1011.html"} {
			t.Run(v.name+" "+from, func(t *testing.T) {
				t.Parallel()
				_, root := startJCMS(t, v, 12)
				best := check(t, root+from).Found[0]
				if best.Kind != articles.KindJCMS || best.URL != root+"/col/col29/index.html" || len(best.Articles) != previewed {
					t.Fatalf("%+v", best)
				}
				first := best.Articles[0]
				if first.Title != "第12届国际科学节在示例市开幕" || first.Published == nil || first.Language != "zh-Hans" || !strings.HasPrefix(first.Words, "第12届") {
					t.Errorf("%+v", first)
				}
				if want := "slug = \"127-0-0-1-29\"\nkind = \"jcms\"\n"; !strings.Contains(best.Settings, want) {
					t.Errorf("settings %s", best.Settings)
				}
			})
		}
	}
	t.Run("listing", func(t *testing.T) {
		t.Parallel()
		_, root := htmlSite(t, 6)
		best := check(t, root+"/news/").Found[0]
		if best.Kind != articles.KindHTML || !strings.Contains(best.Settings, `listing = { item = "ul.list > li" }`) ||
			best.Articles[0].Title != "Hall number 6 opens to the public" || !strings.HasPrefix(best.Articles[0].Words, "The hall was opened") {
			t.Errorf("%+v", best)
		}
	})
	for name, pages := range sitemapForms {
		t.Run("sitemap "+name, func(t *testing.T) {
			t.Parallel()
			_, root := sitemapSite(t, pages)
			address := root + "/sitemap.xml"
			if pages["/"] != "" {
				address = root + "/"
			}
			best := check(t, address).Found[0]
			if best.Kind != articles.KindSitemap || len(best.Articles) != previewed {
				t.Errorf("%+v", best)
			}
		})
	}
	t.Run("feed", func(t *testing.T) {
		t.Parallel()
		_, root := startSite(t, map[string]string{
			"/":         `<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head><body><p>Welcome</p></body></html>`,
			"/feed.xml": `<rss version="2.0"><channel><title>News</title><item><guid>1</guid><title>One</title><description>Text of it.</description></item></channel></rss>`,
		})
		best := check(t, root+"/").Found[0]
		if best.Kind != articles.KindFeed || best.URL != root+"/feed.xml" || best.Articles[0].Title != "One" {
			t.Errorf("%+v", best)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		_, root := startSite(t, map[string]string{"/": `<html><body><div id="root"></div><script src="/app.js"></script><noscript>Please enable scripts</noscript></body></html>`})
		found, err := Check(t.Context(), client, root+"/")
		if err != nil || len(found.Found) != 0 || errs.KindOf(found.NothingThere()) != errs.NotFound || !strings.Contains(strings.Join(found.Problems, ";"), "filled by scripts") {
			t.Errorf("%+v, %v", found, err)
		}
	})
}

// After a redesign a source says which of its selectors finds nothing any more, for as long as that is so.
func TestRedesignIsTold(t *testing.T) {
	t.Parallel()
	site, root := htmlSite(t, 3)
	b := siteSetup(t, articles.Source{Kind: articles.KindHTML, URL: root + "/news/", Settings: articles.Settings{
		Listing: articles.Listing{Item: "ul.list > li"}, Content: "article",
	}})
	warned := func() string {
		t.Helper()
		health, err := b.Store.Healths(t.Context(), b.DB, monday)
		if err != nil {
			t.Fatal(err)
		}
		return health[b.source(t).ID].Remark
	}
	if out := b.poll(t, monday); out.Added != 3 || warned() != "" {
		t.Fatalf("%+v, %q", out, warned())
	}
	site.put("/news/", frameOf(`<ul class="list">`+listItems(1, 5)+`</ul>`))
	site.put("/news/hall-4/", strings.ReplaceAll(articlePage("Hall number 4", "4 May 2019"), "article>", "section>"))
	b.poll(t, monday.Add(time.Hour))
	if got, want := warned(), root+`/news/hall-4/: there is no text that matches content = "article"; the site may have changed`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if b.poll(t, monday.Add(2*time.Hour)); warned() == "" {
		t.Error("it is told once and then forgotten")
	}
	site.put("/news/", frameOf(`<ul class="list">`+listItems(1, 6)+`</ul>`))
	site.put("/news/hall-5/", articlePage("Hall number 5", "5 May 2019"))
	if b.poll(t, monday.Add(3*time.Hour)); warned() != "" {
		t.Errorf("it is told for ever: %q", warned())
	}
	site.put("/news/", frameOf(`<div class="tiles">Soon</div>`))
	_, err := b.Poll(t.Context(), b.source(t), monday.Add(4*time.Hour))
	if want := `no links to articles were found with item = "ul.list > li"; the site may have changed, silkpost source check ` + root + "/news/ suggests new selectors"; err == nil ||
		!strings.Contains(err.Error(), want) || b.source(t).Failure != err.Error() {
		t.Errorf("%v, want %q", err, want)
	}
}
