package sources

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
	"silkpost/internal/language"
)

// Where a feed was found.
const (
	ViaItself = "itself" // the address that was given is a feed
	ViaLink   = "link"   // the page's head names it
	ViaAnchor = "anchor" // a link within the page looks like one
	ViaGuess  = "guess"  // it is where feeds usually are
)

// FoundFeed is a feed that was fetched and can be read.
type FoundFeed struct {
	URL      string // where it is, after redirects
	Title    string // its own, else what the page calls it
	Via      string // ViaItself, ViaLink, ViaAnchor or ViaGuess
	Articles int
	Full     bool      // most articles have more than a summary
	Newest   time.Time // of its articles' dates; zero when they have none
	Language string    // canonical; "" when it names none

	comments bool // it looks like one of comments
	order    int  // in which the page names it
}

// Discovery is what stands at an address.
type Discovery struct {
	Page   *fetch.Result // what the address itself answered
	Feeds  []FoundFeed   // the best first
	Broken []error       // why what should be a feed is none: the address itself when it looks like that of one, else what the page's head names
}

// maxTried is how many addresses Discover fetches at most besides the first one.
const maxTried = 8

// Discover looks for feeds at the address of a page: the page may be one itself, name them in its head, link to them, or have them where
// feeds usually are; that is tried when nothing else was found. Feeds of comments come last, those with whole articles before those with
// summaries. That none is found is no error; errors are those of fetching the page itself.
func Discover(ctx context.Context, client *fetch.Client, address string) (Discovery, error) {
	page, err := client.Get(ctx, fetch.Request{URL: address})
	if err != nil {
		return Discovery{}, err
	}
	found := Discovery{Page: page}
	feed, err := examine(page, candidate{url: page.URL, via: ViaItself})
	if err == nil {
		found.Feeds = []FoundFeed{feed}
		return found, nil
	}
	if u, parseErr := url.Parse(page.URL); parseErr == nil && feedPath.MatchString(u.RequestURI()) {
		found.Broken = append(found.Broken, err)
	}
	named, lang := namedFeeds(page)
	for _, candidates := range [][]candidate{named, usualFeeds(page.URL)} {
		if err = found.try(ctx, client, candidates); err != nil || len(found.Feeds) > 0 {
			break
		}
	}
	if errors.Is(err, fetch.ErrTooLarge) {
		found.Broken, err = append(found.Broken, err), nil
	}
	slices.SortStableFunc(found.Feeds, func(a, b FoundFeed) int { return cmp.Or(b.worth(lang)-a.worth(lang), a.order-b.order) })
	return found, err
}

// worth ranks a feed of a page in a language.
func (f FoundFeed) worth(lang string) (worth int) {
	for weight, good := range map[int]bool{
		16: !f.comments, 8: f.Articles > 0, 4: lang == "" || f.Language == "" || language.Key(f.Language) == language.Key(lang),
		2: f.Via == ViaLink, 1: f.Full,
	} {
		if good {
			worth += weight
		}
	}
	return worth
}

// candidate is an address where a feed may be.
type candidate struct {
	url, title, via string
}

// try fetches what may be feeds, until ctx ends or an answer does not. An address that does not answer, or not with a feed, is passed over.
func (d *Discovery) try(ctx context.Context, client *fetch.Client, candidates []candidate) error {
	seen := map[string]bool{}
	for i, c := range candidates[:min(len(candidates), maxTried)] {
		got, err := client.Get(ctx, fetch.Request{URL: c.url})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fetch.ErrTooLarge):
			return err
		case err == nil && seen[got.URL]:
			continue
		}
		var feed FoundFeed
		if err == nil {
			seen[got.URL] = true
			feed, err = examine(got, c)
		}
		switch {
		case err == nil:
			feed.order = i
			d.Feeds = append(d.Feeds, feed)
		case c.via == ViaLink:
			d.Broken = append(d.Broken, err)
		}
	}
	return nil
}

// examine reads what was fetched as a feed.
func examine(got *fetch.Result, c candidate) (FoundFeed, error) {
	feed, err := readFeed(got.Body, got.ContentType, got.URL, articles.Source{})
	if err != nil {
		return FoundFeed{}, err
	}
	found := FoundFeed{
		URL: got.URL, Title: cmp.Or(feed.title, c.title), Via: c.via, Articles: len(feed.drafts), Language: feed.language,
		comments: ofComments.MatchString(got.URL + " " + c.title),
	}
	full := 0
	for _, d := range feed.drafts {
		if !d.Published.IsZero() && d.Published.After(found.Newest) {
			found.Newest = d.Published
		}
		if !feed.brief[d.ExternalKey] {
			full++
		}
	}
	found.Full = full*2 > len(feed.drafts)
	return found, nil
}

var ofComments = regexp.MustCompile(`(?i)comment|kommentar|commentaire|comentario|评论|評論|コメント`)

// namedFeeds returns what a page names as its feeds, in its head before in its text, and the page's language.
func namedFeeds(page *fetch.Result) (found []candidate, lang string) {
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(decodePage(page.Body, page.ContentType)))
	if err != nil {
		return nil, ""
	}
	lang, _ = language.Parse(doc.Find("html").First().AttrOr("lang", ""))
	base := absolute(doc.Find("base[href]").First().AttrOr("href", ""), page.URL)
	seen := map[string]bool{page.URL: true, "": true}
	add := func(via string, s *goquery.Selection) {
		address := absolute(strings.Replace(s.AttrOr("href", ""), "feed://", "https://", 1), base, page.URL)
		if !seen[address] {
			found = append(found, candidate{url: address, title: articles.OneLine(cmp.Or(s.AttrOr("title", ""), s.Text())), via: via})
		}
		seen[address] = true
	}
	doc.Find("link[href]").Each(func(_ int, s *goquery.Selection) {
		if isFeedLink(s.AttrOr("rel", ""), s.AttrOr("type", "")) {
			add(ViaLink, s)
		}
	})
	doc.Find("a[href]").Each(func(_ int, s *goquery.Selection) {
		if looksLikeFeed(s) {
			add(ViaAnchor, s)
		}
	})
	return found, lang
}

// isFeedLink reports a link that RSS and Atom autodiscovery means: alternate and of a feed's type, or rel="feed".
func isFeedLink(rel, mediaType string) bool {
	words := strings.Fields(strings.ToLower(rel))
	mediaType, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(mediaType)), ";")
	switch mediaType {
	case "application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml", "application/json", "text/xml", "application/xml":
		return slices.Contains(words, "alternate") && !slices.Contains(words, "stylesheet") || slices.Contains(words, "feed")
	}
	return slices.Contains(words, "feed")
}

var (
	feedPath  = regexp.MustCompile(`(?i)(?:^|[/._-])(?:rss|atom|feeds?)(?:[/._-]|\d|$)|\.(?:rss|atom|rdf)$|[?&](?:feed|format|type|output)=(?:rss|atom|feed)`)
	feedWords = regexp.MustCompile(`(?i)^\s*(?:rss|atom|xml)\b|\brss\b.*\b(?:feed|订阅)|rss\s*订阅|订阅\s*rss`)
)

// looksLikeFeed reports an anchor that may lead to a feed: by its type, its address, or its words.
func looksLikeFeed(a *goquery.Selection) bool {
	if isFeedLink(a.AttrOr("rel", "")+" alternate", a.AttrOr("type", "")) {
		return true
	}
	u, err := url.Parse(strings.TrimSpace(a.AttrOr("href", "")))
	if err != nil || u.Scheme == "mailto" || u.Scheme == "javascript" {
		return false
	}
	query := ""
	if u.RawQuery != "" {
		query = "?" + u.RawQuery
	}
	return feedPath.MatchString(u.Path+query) || feedWords.MatchString(a.Text()+" "+a.AttrOr("title", ""))
}

// usualFeeds returns where programs that make web sites put their feeds.
func usualFeeds(page string) (found []candidate) {
	for _, path := range []string{"/feed", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/rss", "/feed.json", "/feeds/posts/default"} {
		found = append(found, candidate{url: absolute(path, page), via: ViaGuess})
	}
	return found
}

// NoFeed is the error for a page at which no feed was found.
func NoFeed(address string) error {
	return errs.New(errs.NotFound, "%s: no feed was found there; look for one on the site and give its address", address)
}
