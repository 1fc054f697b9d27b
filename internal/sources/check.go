package sources

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
)

// Finding is what was found at an address.
type Finding struct {
	URL      string      `json:"url"`      // after redirects
	Found    []Candidate `json:"found"`    // what may be a source there, the best first
	Problems []string    `json:"problems"` // in plain words
}

// Candidate is what may be a source.
type Candidate struct {
	Kind     string          `json:"kind"`
	URL      string          `json:"url"`
	About    string          `json:"about"`    // how it was recognised, and how much is there
	Settings string          `json:"settings"` // a [[source]] table for silkpost apply
	Articles []Preview       `json:"articles"` // the newest ones
	Source   articles.Source `json:"-"`

	entries []entry
}

// Preview is an article that was found.
type Preview struct {
	Title     string     `json:"title"`
	URL       string     `json:"url"`
	Published *time.Time `json:"published"` // null: no date was found
	Language  string     `json:"language"`
	Words     string     `json:"words"` // with which its text begins
	Section   string     `json:"section"`
	Image     string     `json:"image"` // its address
	HTML      string     `json:"-"`     // clean
}

// How much Check looks at.
const (
	previewed    = 3  // articles that are read of the best candidate
	listedOnly   = 5  // articles that are named of the others
	columnsTried = 6  // columns of a JCMS site
	previewWords = 90 // columns of text

	checkTime = 30 * time.Second // for all of it
)

// Check looks what articles could be had from at an address: a feed, the columns of a JCMS site, a page that lists them, a sitemap. Of the
// best it reads the newest articles. That nothing is found is no error: the finding says what stood in the way. When ctx ends, or half a
// minute has passed, it returns what was found by then. Errors are those of fetching the address itself, ctx's when nothing was found yet, and of
// kind errs.Unavailable when nothing was found in time.
func Check(ctx context.Context, client *fetch.Client, address string) (Finding, error) {
	return checkWithin(ctx, checkTime, client, address)
}

func checkWithin(ctx context.Context, limit time.Duration, client *fetch.Client, address string) (Finding, error) {
	limited, stop := context.WithTimeout(ctx, limit)
	defer stop()
	found, err := look(limited, client, address)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return found, errs.New(errs.Unavailable, "%s: nothing that could be read came within %s; try again later, or another address of the site", address, limit)
	}
	return found, err
}

func look(ctx context.Context, client *fetch.Client, address string) (Finding, error) {
	seen, err := Discover(ctx, client, address)
	if err != nil {
		return Finding{}, advised(err, address)
	}
	c := &checker{ctx: ctx, poller: &Poller{Fetch: client}, page: seen.Page}
	c.found = Finding{URL: seen.Page.URL, Found: []Candidate{}, Problems: []string{}}
	if len(seen.Feeds) > 0 && seen.Feeds[0].Via == ViaItself {
		c.feeds(seen.Feeds)
	} else if !c.itself() {
		c.site(seen)
	}
	if ctx.Err() != nil && len(c.found.Found) == 0 {
		return Finding{}, ctx.Err()
	}
	c.preview()
	if ctx.Err() != nil {
		c.found.Problems = []string{"the site is slow: there was no time to look at all of it"}
	}
	for i := range c.found.Found {
		c.found.Found[i].Settings = settingsTable(c.found.Found[i].Source)
	}
	if len(c.found.Found) == 0 {
		c.problem("no feed, no JCMS column, no listing of articles and no sitemap was found; try the address of the page on which the site lists its news")
	}
	return c.found, nil
}

type checker struct {
	ctx    context.Context //nolint:containedctx // of the one call of Check that the checker lives for
	poller *Poller
	page   *fetch.Result
	found  Finding
}

func (c *checker) problem(format string, args ...any) {
	c.found.Problems = append(c.found.Problems, articles.OneLine(fmt.Sprintf(format, args...)))
}

func (c *checker) add(candidate Candidate) {
	candidate.Kind, candidate.URL = candidate.Source.Kind, candidate.Source.URL
	candidate.Source.Slug = suggestedSlug(candidate.URL)
	candidate.Articles = []Preview{}
	c.found.Found = append(c.found.Found, candidate)
}

// itself takes an address that is a sitemap itself.
func (c *checker) itself() bool {
	sitemap, err := parseSitemap(c.page.Body, c.page.ContentType, c.page.URL, zoneAt(articles.Source{}, c.page.URL))
	if err != nil {
		return false
	}
	c.sitemap(c.page, fmt.Sprintf("a sitemap of %s and %s", count(len(sitemap.entries), "page"), count(len(sitemap.further), "further sitemap")))
	return true
}

// site looks at a web page for everything that it may be.
func (c *checker) site(seen Discovery) {
	doc, base, err := parsePage(c.page)
	if err != nil {
		c.problem("%v", err)
		return
	}
	columns, jcms := isJCMS(doc, c.page.URL)
	if jcms {
		c.jcms(doc, columns)
	}
	c.feeds(seen.Feeds)
	if len(seen.Feeds) == 0 {
		for _, broken := range seen.Broken {
			c.problem("a feed was looked for, but %v", broken)
		}
	}
	if !jcms || len(c.found.Found) == 0 {
		c.listings(doc, base)
		c.siteMap()
	}
	if len(c.found.Found) == 0 && scripted(doc) && columnsOf(doc) < 400 {
		c.problem("the page is filled by scripts, which are not run: what a browser shows there is not in it")
	}
}

func columnsOf(doc *goquery.Document) (n int) {
	for _, b := range textBlocks(doc.Find("body")) {
		n += columns(b.text)
	}
	return n
}

func (c *checker) feeds(feeds []FoundFeed) {
	for i, f := range feeds[:min(len(feeds), 3)] {
		about := "a feed without articles so far"
		if f.Articles > 0 {
			about = fmt.Sprintf("a feed with %s", count(f.Articles, "article"))
		}
		if f.Title != "" {
			about += fmt.Sprintf(", called %q", articles.OneLine(f.Title))
		}
		if f.Articles > 0 && !f.Full {
			about += "; it has summaries only"
		}
		candidate := Candidate{About: about, Source: articles.Source{Kind: articles.KindFeed, URL: f.URL}}
		c.add(candidate)
		if f.Articles == 0 && i == 0 {
			c.problem("the feed %s is empty", f.URL)
		}
	}
}

// jcms looks at the columns that a page leads to, or is. Those are tried first that are called after news.
func (c *checker) jcms(doc *goquery.Document, columns []string) {
	if at := jcmsArticle.FindStringSubmatch(c.page.URL); at != nil && at[1] != "" { // an article: its own column
		own := articles.WebAddress("/col/col"+at[1]+"/index.html", c.page.URL)
		columns = append([]string{own}, slices.DeleteFunc(columns, func(to string) bool { return to == own })...)
	}
	if !jcmsColumn.MatchString(c.page.URL) && !jcmsArticle.MatchString(c.page.URL) {
		names := columnNames(doc, c.page.URL)
		slices.SortStableFunc(columns, func(a, b string) int { return newsworthy(names[b]) - newsworthy(names[a]) })
	}
	var good []Candidate
	for i, column := range columns[:min(len(columns), columnsTried)] {
		candidate, err := c.column(column)
		switch {
		case err == nil:
			good = append(good, candidate)
		case i == 0:
			c.problem("%v", err)
		}
		if enough := i == 0 && jcmsColumn.MatchString(c.page.URL) || len(good) == 3; err == nil && enough {
			break
		}
	}
	for _, candidate := range good {
		c.add(candidate)
	}
	if len(columns) > len(good) && len(good) > 0 && !jcmsColumn.MatchString(c.page.URL) {
		c.problem("the site has %d columns in all, of which %d were looked at; columns = [\"/col/col1/index.html\"] adds further ones to a source",
			len(columns), min(len(columns), columnsTried))
	}
	if len(columns) == 0 {
		c.problem("the page is from a JCMS site, but leads to none of its columns (/col/col…/index.html)")
	}
}

// column reads a column as a poll would.
func (c *checker) column(address string) (Candidate, error) {
	got := c.page
	if address != c.page.URL {
		var err error
		if got, err = c.poller.Fetch.Get(c.ctx, fetch.Request{URL: address}); err != nil {
			return Candidate{}, err
		}
	}
	source := articles.Source{Kind: articles.KindJCMS, URL: got.URL, Every: time.Hour}
	l, err := listJCMS(c.ctx, c.poller, source, got)
	if err != nil {
		return Candidate{}, err
	}
	if doc, _, err := parsePage(got); err == nil {
		source.Section = columnTitle(doc)
	}
	about := "a column of a JCMS site (大汉版通发布系统), %s"
	if l.total == 0 && l.next != nil {
		about = "a column of a JCMS site (大汉版通发布系统), %s on its first page"
	}
	return Candidate{About: fmt.Sprintf(about, count(max(l.total, len(l.entries)), "article")), Source: source, entries: l.entries}, nil
}

// columnTitle returns how a column page calls itself, "" when it does not.
func columnTitle(doc *goquery.Document) string {
	name := cmp.Or(meta(doc, "ColumnName"), words(doc.Find("head title").First()))
	if columns(name) > 30 || name == meta(doc, "SiteName") {
		return ""
	}
	return articles.OneLine(name)
}

// columnNames returns how the links to columns are called.
func columnNames(doc *goquery.Document, address string) map[string]string {
	names := map[string]string{}
	for _, a := range doc.Find("a[href]").EachIter() {
		if to := articles.WebAddress(a.AttrOr("href", ""), address); names[to] == "" {
			names[to] = words(a)
		}
	}
	return names
}

// newsworthy ranks the name of a column.
func newsworthy(name string) int {
	for rank, words := range [][]string{{"首页", "关于", "机构", "About", "Home"}, {"通知", "公告", "公示", "Notice"}, {"新闻", "动态", "要闻", "资讯", "News", "news", "NEWS"}} {
		if slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) }) {
			return []int{-1, 1, 2}[rank]
		}
	}
	return 0
}

// listings takes the parts of the page that look like listings.
func (c *checker) listings(doc *goquery.Document, base *url.URL) {
	const most, least = 2, 0.8
	suggestions := suggestListings(doc, base, zoneOf(base, doc, textBlocks(doc.Find("body"))))
	for i, s := range suggestions[:min(len(suggestions), most)] {
		if s.score < least || i > 0 && s.score*2 < suggestions[0].score {
			break
		}
		undated := 0
		for _, e := range s.entries {
			if e.date.IsZero() {
				undated++
			}
		}
		about := fmt.Sprintf("a page that lists %s", count(len(s.entries), "article"))
		if undated == len(s.entries) {
			about += ", without dates"
		} else if undated > 0 {
			about += fmt.Sprintf(", %d of them without a date", undated)
		}
		source := articles.Source{Kind: articles.KindHTML, URL: c.page.URL, Every: time.Hour, Settings: articles.Settings{Listing: s.Listing}}
		c.add(Candidate{About: about, Source: source, entries: s.entries})
	}
}

// siteMap looks for sitemaps of the site.
func (c *checker) siteMap() {
	for _, place := range siteSitemaps(c.ctx, c.poller.Fetch, c.page.URL) {
		got, err := c.poller.Fetch.Get(c.ctx, fetch.Request{URL: place})
		if errors.Is(err, fetch.ErrTooLarge) {
			c.problem("%v", err)
			return
		}
		if err != nil {
			continue
		}
		found, err := parseSitemap(got.Body, got.ContentType, got.URL, time.UTC)
		if err != nil || len(found.entries)+len(found.further) == 0 {
			continue
		}
		c.sitemap(got, fmt.Sprintf("a sitemap of %s and %s; include = [\"/news/*\"] keeps to the pages that are news", count(len(found.entries), "page"), count(len(found.further), "further sitemap")))
		return
	}
}

func (c *checker) sitemap(got *fetch.Result, about string) {
	source := articles.Source{Kind: articles.KindSitemap, URL: got.URL, Every: time.Hour}
	l, err := listSitemap(c.ctx, c.poller, source, got)
	if err != nil {
		c.problem("%v", err)
		return
	}
	if len(l.entries) == 0 {
		c.problem("the sitemap %s has no pages", got.URL)
		return
	}
	c.add(Candidate{About: about, Source: source, entries: l.entries})
}

// preview reads the newest articles of the best candidate, and names those of the others.
func (c *checker) preview() {
	for i := range c.found.Found {
		candidate := &c.found.Found[i]
		switch {
		case i == 0 && candidate.Kind == articles.KindFeed:
			c.previewFeed(candidate)
		case i == 0:
			c.previewPages(candidate)
		default:
			for _, e := range candidate.entries[:min(len(candidate.entries), listedOnly)] {
				candidate.Articles = append(candidate.Articles, previewOf(e.draft(articles.Draft{URL: e.url})))
			}
		}
	}
}

func (c *checker) previewFeed(candidate *Candidate) {
	got := c.page
	if candidate.URL != got.URL {
		var err error
		if got, err = c.poller.Fetch.Get(c.ctx, fetch.Request{URL: candidate.URL}); err != nil {
			c.problem("%v", err)
			return
		}
	}
	drafts, err := ParseFeed(got.Body, got.ContentType, got.URL)
	if err != nil {
		c.problem("%v", err)
		return
	}
	slices.Reverse(drafts) // the newest first again
	for _, d := range drafts[:min(len(drafts), previewed)] {
		candidate.Articles = append(candidate.Articles, previewOf(d))
	}
}

func (c *checker) previewPages(candidate *Candidate) {
	undated := 0
	for _, e := range candidate.entries[:min(len(candidate.entries), previewed)] {
		got, err := c.poller.Fetch.Get(c.ctx, fetch.Request{URL: e.url})
		var d articles.Draft
		if err == nil {
			d, err = reading(candidate.Source).Extract(got.URL, got.Body, got.ContentType)
		}
		if d = e.draft(d); err != nil && d.HTML+d.Text == "" {
			c.problem("%v", err)
			d.URL = e.url
		}
		if dateOfDraft(d).IsZero() {
			undated++
		}
		candidate.Articles = append(candidate.Articles, previewOf(d))
		if errors.Is(err, fetch.ErrTooLarge) {
			break // the others may be without end as well
		}
	}
	if undated > 0 {
		c.problem("%d of %d articles that were read are without a date: what has none counts as published when it is first seen", undated, len(candidate.Articles))
	}
}

func previewOf(d articles.Draft) Preview {
	text, clean := d.Text, ""
	if d.HTML != "" {
		clean = articles.Clean(d.HTML, d.URL)
		text = articles.Text(clean)
	}
	text = articles.OneLine(text)
	p := Preview{
		Title: articles.OneLine(d.Title), URL: d.URL, Language: d.Language, Words: cutColumns(text, previewWords),
		Section: articles.OneLine(d.Section), Image: articles.WebAddress(d.ImageURL, d.URL), HTML: clean,
	}
	if p.Language == "" && p.Title+text != "" {
		p.Language = articles.DetectLanguage(p.Title + "\n\n" + text)
	}
	if at := dateOfDraft(d); !at.IsZero() {
		p.Published = &at
	}
	return p
}

// dateOfDraft returns what an article that is new is dated: when it was published, else when it was edited last; zero when neither is known.
func dateOfDraft(d articles.Draft) time.Time {
	if d.Published.IsZero() {
		return d.Updated.UTC()
	}
	return d.Published.UTC()
}

// cutColumns returns the beginning of a text.
func cutColumns(text string, most int) string {
	if columns(text) <= most {
		return text
	}
	n := 0
	for i, r := range text {
		if n += columns(string(r)); n >= most {
			return strings.TrimSpace(text[:i]) + "…"
		}
	}
	return text
}

func count(n int, noun string) string {
	if n != 1 {
		return fmt.Sprintf("%d %ss", n, noun)
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// NothingThere is the error for an address at which no source was found, with all problems; nil when one was.
func (f Finding) NothingThere() error {
	if len(f.Found) > 0 {
		return nil
	}
	return errs.New(errs.NotFound, "%s: %s", f.URL, strings.Join(f.Problems, "; "))
}
