package sources

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/articles"
)

// FuzzJCMSListing reads whatever a data proxy or column page may say: no panic, no more than was sent, and all of the site itself.
func FuzzJCMSListing(f *testing.F) {
	for _, v := range jcmsVariants {
		site := &jcmsSite{jcmsVariant: v}
		for i := range 4 {
			site.publish(column29, 1000+i, "新闻")
		}
		f.Add(site.column(column29))
		f.Add(site.records(site.articles))
	}
	f.Add("<record><![CDATA[<record></record>]]><totalrecord>99999999999999999999</totalrecord>")
	f.Add(`{columnid:'29',unitid:"1"} dataproxy.jsp?page=%zz`)
	const address = "https://www.example.org/col/col29/index.html"
	base, _ := url.Parse(address)
	f.Fuzz(func(t *testing.T, text string) {
		found := parseRecords(text, address, chinaTime())
		for _, e := range append(found.entries, staticRecords(text, address, time.UTC)...) {
			to, err := url.Parse(e.url)
			if err != nil || !sameSite(to.Hostname(), base.Hostname()) || !strings.HasPrefix(e.key, "art:") || !webAddress(to) {
				t.Errorf("entry %+v", e)
			}
		}
		if len(found.entries) > strings.Count(strings.ToLower(text), "<record") || found.total < 0 {
			t.Errorf("%d entries, %d in all", len(found.entries), found.total)
		}
		if unit, ok := findUnit(text, address); ok {
			for _, way := range (&jcmsReader{Poller: &Poller{}}).ways(unit) {
				request := unit.request(way, jcmsPlace{record: 1, page: 2})
				to, err := url.Parse(request.URL)
				if err != nil || to.Hostname() != base.Hostname() {
					t.Errorf("request %q", request.URL)
				}
			}
		}
	})
}

// FuzzExtract reads whatever a page may be: no panic, and what comes out can be kept.
func FuzzExtract(f *testing.F) {
	pages, _ := filepath.Glob("testdata/pages/*.html")
	for _, path := range pages {
		page, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(page, "text/html; charset=utf-8")
	}
	f.Add([]byte(`<table><tr><td><table><tr><td><hr><h1>x</h1>`), "")
	f.Add([]byte(`<script type="application/ld+json">[[[{"@type":"Article","articleBody":{"name":[]}}]]]</script>`), "text/html")
	f.Fuzz(func(t *testing.T, page []byte, contentType string) {
		d, err := Extract("https://www.example.org/news/1", page, contentType)
		if err != nil {
			return
		}
		if err := d.Check(); err != nil {
			t.Errorf("what was found cannot be kept: %v", err)
		}
		if !d.Published.IsZero() && !likely(d.Published) {
			t.Errorf("published %s", d.Published)
		}
	})
}

// FuzzListing suggests and reads listings of whatever pages: what is suggested can be used.
func FuzzListing(f *testing.F) {
	for _, form := range listingForms {
		f.Add(frameOf(form.content))
	}
	f.Add(`<div id="1:2" class="a b!c"><a href="/x-1">a long enough title</a></div>`)
	base, _ := url.Parse("https://www.example.org/news/")
	f.Fuzz(func(t *testing.T, page string) {
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(page))
		if err != nil {
			return
		}
		for _, s := range suggestListings(doc, base, time.UTC) {
			source := articles.Source{Kind: articles.KindHTML, Settings: articles.Settings{Listing: s.Listing}}
			if err := CheckSettings(source); err != nil {
				t.Error(err)
			}
			if !strings.HasPrefix(settingsTable(source), "[[source]]\n") {
				t.Error("no table")
			}
		}
	})
}

// FuzzSitemap reads whatever a sitemap may be.
func FuzzSitemap(f *testing.F) {
	for _, pages := range sitemapForms {
		for _, body := range pages {
			f.Add([]byte(strings.ReplaceAll(body, "ROOT", "https://www.example.org")))
		}
	}
	f.Add([]byte(packed(urlset("<url><loc>https://www.example.org/x</loc></url>"))))
	f.Fuzz(func(t *testing.T, body []byte) {
		found, err := parseSitemap(body, "application/xml", "https://www.example.org/sitemap.xml", time.UTC)
		for _, e := range found.entries {
			if err == nil && (e.key == "" || articles.WebAddress(e.url, "") == "") {
				t.Errorf("entry %+v", e)
			}
		}
	})
}
