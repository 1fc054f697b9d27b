package sources

import (
	"cmp"
	"context"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
)

// listHTML reads a page that lists articles, by the selectors of its source.
func listHTML(ctx context.Context, p *Poller, source articles.Source, got *fetch.Result) (listing, error) {
	doc, base, err := parsePage(got)
	if err != nil {
		return listing{}, err
	}
	zone := cmp.Or(reading(source).Zone, zoneOf(base, doc, textBlocks(doc.Find("body"))))
	l := listing{entries: listedEntries(doc, base, source.Settings.Listing, zone), fixed: true}
	if len(l.entries) == 0 {
		return listing{}, errs.New(errs.Invalid, "%s: no links to articles were found with item = %q; the site may have changed, silkpost source check %s suggests new selectors",
			got.URL, source.Settings.Listing.Item, source.URL)
	}
	if next := nextPage(doc, base, source.Settings.Listing.Next); next != "" {
		l.next = func() (listing, error) {
			got, err := p.Fetch.Get(ctx, fetch.Request{URL: next})
			if err != nil {
				return listing{}, err
			}
			more, err := listHTML(ctx, p, source, got)
			if errs.KindOf(err) == errs.Invalid {
				return listing{}, nil // the last page may be an empty one
			}
			return more, err
		}
	}
	return l, nil
}

// parsePage parses a fetched page. base is what its links are relative to.
func parsePage(got *fetch.Result) (doc *goquery.Document, base *url.URL, err error) {
	text, err := pageText(got.Body, got.ContentType)
	if err != nil {
		return nil, nil, errs.New(errs.Invalid, "%s: %w", got.URL, err)
	}
	if doc, err = goquery.NewDocumentFromReader(strings.NewReader(text)); err != nil {
		return nil, nil, errs.New(errs.Invalid, "%s cannot be read as HTML: %w", got.URL, err)
	}
	if base, err = url.Parse(got.URL); err != nil {
		return nil, nil, errs.New(errs.Invalid, "%q is not a web address", got.URL)
	}
	if to, err := base.Parse(strings.TrimSpace(doc.Find("base[href]").First().AttrOr("href", ""))); err == nil && webAddress(to) {
		base = to
	}
	return doc, base, nil
}

func webAddress(u *url.URL) bool { return (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" }

// listedEntries returns what a listing has, in its order.
func listedEntries(doc *goquery.Document, base *url.URL, l articles.Listing, zone *time.Location) (found []entry) {
	seen := map[string]bool{}
	for _, item := range doc.Find(l.Item).EachIter() {
		if e, ok := listedEntry(item, base, l, zone); ok && !seen[e.key] {
			seen[e.key] = true
			found = append(found, e)
		}
	}
	return found
}

func listedEntry(item *goquery.Selection, base *url.URL, l articles.Listing, zone *time.Location) (entry, bool) {
	link := itemLink(item, l.Link)
	if link == nil {
		return entry{}, false
	}
	to, err := base.Parse(strings.TrimSpace(link.AttrOr("href", "")))
	if err != nil || !webAddress(to) {
		return entry{}, false
	}
	to.Fragment = ""
	e := entry{url: to.String(), title: linkTitle(item, link)}
	if l.Title != "" {
		e.title = words(item.Find(l.Title).First())
	}
	when := item
	if l.Date != "" {
		when = item.Find(l.Date).First()
	}
	if s, ok := readStamp(when.Find("time[datetime]").AddSelection(when.Filter("time")).First().AttrOr("datetime", ""), zone); ok {
		e.date = s
	} else if s, ok := listedDate(spaced(when), zone); ok {
		e.date = s
	}
	e.key = addressKey(e.url)
	return e, e.key != "" && addressKey(base.String()) != e.key
}

// itemLink returns the link of an item: the one that was named, else the one that says most; nil when there is none.
func itemLink(item *goquery.Selection, selector string) (best *goquery.Selection) {
	links := item.Find("a[href]").AddSelection(item.Filter("a[href]"))
	if selector != "" {
		links = item.Find(selector).Filter("a[href]")
	}
	most := -1
	for _, a := range links.EachIter() {
		href := strings.TrimSpace(a.AttrOr("href", ""))
		if strings.HasPrefix(href, "#") || strings.HasPrefix(strings.ToLower(href), "javascript:") || strings.HasPrefix(href, "mailto:") {
			continue
		}
		if n := columns(firstLine(a.AttrOr("title", ""), a.Text())); n > most {
			best, most = a, n
		}
	}
	return best
}

// linkTitle returns how an item calls what it links to: a heading within it, else the whole title that a shortened link has, else its words.
func linkTitle(item, link *goquery.Selection) string {
	title, full := articles.OneLine(link.Text()), articles.OneLine(link.AttrOr("title", ""))
	if cut := strings.TrimRight(title, ".… "); cut != title && strings.HasPrefix(full, cut) {
		return full
	}
	if heading := words(item.Find("h1, h2, h3, h4, h5").First()); heading != "" && (link.Find("h1, h2, h3, h4, h5").Length() > 0 || title == "") {
		return heading
	}
	return firstLine(title, full, item.Text())
}

var (
	dayFirst = regexp.MustCompile(`(?:^|\s)(\d{1,2})\s+(\d{4})\s?[-./年]\s?(\d{1,2})(?:月|\s|$)`)
	yearLast = regexp.MustCompile(`(?:^|\s)(\d{1,2})[-./月](\d{1,2})日?\s+(\d{4})(?:年|\s|$)`)
)

// listedDate returns the date in an item of a listing, where day, month and year may stand in boxes of their own.
func listedDate(line string, zone *time.Location) (stamp, bool) {
	if s, _, _, ok := findDate(line, zone); ok {
		return s, true
	}
	year, month, day := 0, 0, 0
	if at := dayFirst.FindStringSubmatch(line); at != nil {
		year, month, day = number(at[2]), number(at[3]), number(at[1])
	} else if at := yearLast.FindStringSubmatch(line); at != nil {
		year, month, day = number(at[3]), number(at[1]), number(at[2])
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, zone)
	return stamp{t, false}, likely(t) && t.Day() == day && int(t.Month()) == month
}

// nextPage returns the address of the next page of a listing, "" when there is none.
func nextPage(doc *goquery.Document, base *url.URL, selector string) string {
	if selector == "" {
		return ""
	}
	href := strings.TrimSpace(doc.Find(selector).Filter("[href]").First().AttrOr("href", ""))
	to, err := base.Parse(href)
	if err != nil || href == "" || strings.HasPrefix(href, "#") || !webAddress(to) || !sameSite(to.Hostname(), base.Hostname()) {
		return ""
	}
	return to.String()
}
