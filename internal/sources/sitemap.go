package sources

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
)

// What is read of sitemaps at most.
const (
	sitemapBytes  = 50 << 20 // of one, unpacked: what the protocol allows
	sitemapDepth  = 16       // of elements
	sitemapLevels = 2        // of indexes in indexes
	maxSitemaps   = 10       // that a poll reads, unless the source says max_pages
)

// sitemap is what a sitemap says: pages, or further sitemaps.
type sitemap struct {
	entries []entry
	further []subSitemap
}

type subSitemap struct {
	url      string
	modified stamp
}

// listSitemap reads the sitemap at a source's address; where a site's own address is given, those that its robots.txt names, else
// /sitemap.xml. Of an index, those sitemaps are read that changed since the last poll, the newest first.
func listSitemap(ctx context.Context, p *Poller, source articles.Source, first *fetch.Result) (listing, error) {
	r := &sitemapReader{ctx: ctx, fetch: p.Fetch, zone: zoneAt(source, first.URL), left: maxSitemaps}
	if source.Settings.MaxPages > 0 {
		r.left = source.Settings.MaxPages
	}
	if source.PolledAt != nil {
		r.since = source.PolledAt.Add(-48 * time.Hour) // some say the day alone, in another zone
	}
	found, err := parseSitemap(first.Body, first.ContentType, first.URL, r.zone)
	if err != nil {
		return r.site(first.URL)
	}
	r.take(found, 0)
	if len(r.entries) == 0 && r.failed != nil {
		return listing{}, r.failed
	}
	return listing{entries: newestFirst(r.entries), fixed: len(found.further) == 0}, nil
}

type sitemapReader struct {
	ctx     context.Context //nolint:containedctx // of the one poll that the reader lives for
	fetch   *fetch.Client
	zone    *time.Location
	since   time.Time // sitemaps that did not change since then are passed over
	left    int       // sitemaps that may still be read
	entries []entry
	failed  error // of the last one that could not be read
}

// site reads the sitemaps of a site.
func (r *sitemapReader) site(address string) (listing, error) {
	for _, place := range siteSitemaps(r.ctx, r.fetch, address) {
		r.read(place, 0)
	}
	switch {
	case r.ctx.Err() != nil:
		return listing{}, r.ctx.Err()
	case len(r.entries) > 0:
		return listing{entries: newestFirst(r.entries)}, nil
	case r.failed != nil:
		return listing{}, r.failed
	}
	return listing{}, errs.New(errs.Invalid, "%s is no sitemap, and the site names none in its robots.txt", address)
}

// siteSitemaps returns where a site's sitemaps are: what its robots.txt says, else where they usually are.
func siteSitemaps(ctx context.Context, client *fetch.Client, address string) (places []string) {
	base, err := url.Parse(address)
	if err != nil {
		return nil
	}
	root := &url.URL{Scheme: base.Scheme, Host: base.Host, Path: "/robots.txt"}
	if got, err := client.Get(ctx, fetch.Request{URL: root.String()}); err == nil {
		lines := bufio.NewScanner(bytes.NewReader(got.Body))
		for lines.Scan() && len(places) < maxSitemaps {
			name, value, _ := strings.Cut(lines.Text(), ":")
			if to, err := base.Parse(strings.TrimSpace(value)); err == nil && strings.EqualFold(strings.TrimSpace(name), "sitemap") && webAddress(to) {
				places = append(places, to.String())
			}
		}
	}
	if len(places) == 0 {
		root.Path = "/sitemap.xml"
		places = []string{root.String()}
	}
	return places
}

func (r *sitemapReader) read(address string, level int) {
	if r.left <= 0 || r.ctx.Err() != nil {
		return
	}
	r.left--
	got, err := r.fetch.Get(r.ctx, fetch.Request{URL: address})
	if err == nil {
		var found sitemap
		if found, err = parseSitemap(got.Body, got.ContentType, got.URL, r.zone); err == nil {
			r.take(found, level)
		}
	}
	if err != nil {
		r.failed = err
	}
}

func (r *sitemapReader) take(found sitemap, level int) {
	r.entries = append(r.entries, found.entries[:min(len(found.entries), max(0, mostEntries-len(r.entries)))]...)
	if level >= sitemapLevels {
		return
	}
	slices.SortStableFunc(found.further, func(a, b subSitemap) int { return b.rank(a) })
	for _, s := range found.further {
		if s.modified.IsZero() || s.modified.After(r.since) {
			r.read(s.url, level+1)
		}
	}
}

// rank compares which of two sitemaps is read first: those of news, then those that changed last.
func (s subSitemap) rank(other subSitemap) int {
	news := func(s subSitemap) int {
		if strings.Contains(strings.ToLower(s.url), "news") || strings.Contains(strings.ToLower(s.url), "post") {
			return 1
		}
		return 0
	}
	if by := news(s) - news(other); by != 0 {
		return by
	}
	return s.modified.Compare(other.modified.Time)
}

// newestFirst orders entries by date; those without one come last, as they stand.
func newestFirst(entries []entry) []entry {
	slices.SortStableFunc(entries, func(a, b entry) int { return b.last().Compare(a.last()) })
	return entries
}

// last returns when a page was published or edited last.
func (e entry) last() time.Time {
	if e.modified.After(e.date.Time) {
		return e.modified.Time
	}
	return e.date.Time
}

// xmlSitemap is a <url> of a sitemap or a <sitemap> of an index, with Google's extension for news and the alternates of XHTML.
type xmlSitemap struct {
	Loc     string `xml:"loc"`
	LastMod string `xml:"lastmod"`
	News    struct {
		Published string `xml:"publication_date"`
		Title     string `xml:"title"`
		Keywords  string `xml:"keywords"`
		Language  string `xml:"publication>language"`
	} `xml:"news"`
	Links []struct {
		Rel      string `xml:"rel,attr"`
		Language string `xml:"hreflang,attr"`
		Href     string `xml:"href,attr"`
	} `xml:"link"`
	Images []struct {
		Loc string `xml:"loc"`
	} `xml:"image"`
}

// parseSitemap reads a sitemap, packed or not, of XML or of plain addresses. One that breaks off gives what was whole.
func parseSitemap(body []byte, contentType, address string, zone *time.Location) (found sitemap, err error) {
	if body, err = unpack(body); err != nil {
		return found, errs.New(errs.Invalid, "%s cannot be unpacked: %w", address, err)
	}
	text := decodeXML(body, contentType)
	dec := xml.NewDecoder(strings.NewReader(text))
	dec.Strict = false
	dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // decoded already
	root, depth := "", 0
	for len(found.entries)+len(found.further) < mostEntries {
		token, err := dec.Token()
		if err != nil {
			break
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth > sitemapDepth {
				return found, errs.New(errs.Invalid, "%s is nested too deeply for a sitemap", address)
			}
			if root == "" {
				root = t.Name.Local
			}
			if (root == "urlset" || root == "sitemapindex") && (t.Name.Local == "url" || t.Name.Local == "sitemap") && depth == 2 {
				var one xmlSitemap
				if dec.DecodeElement(&one, &t) != nil {
					continue
				}
				depth--
				found.add(one, t.Name.Local == "sitemap", address, zone)
			}
		case xml.EndElement:
			depth--
		}
	}
	switch {
	case root == "urlset" || root == "sitemapindex":
		return found, nil
	case root == "" && plainAddresses(text, address, &found):
		return found, nil
	}
	return found, errs.New(errs.Invalid, "%s is no sitemap", address)
}

// add takes in one element.
func (s *sitemap) add(one xmlSitemap, further bool, address string, zone *time.Location) {
	to := articles.WebAddress(one.Loc, address)
	modified, _ := readStamp(one.LastMod, zone)
	if further {
		if to != "" {
			s.further = append(s.further, subSitemap{to, modified})
		}
		return
	}
	e := entry{key: addressKey(to), url: to, title: articles.Line(one.News.Title), modified: modified, language: parsedLanguage(one.News.Language)}
	if published, ok := readStamp(one.News.Published, zone); ok {
		e.date = published
	}
	for _, link := range one.Links {
		if strings.Contains(strings.ToLower(link.Rel), "alternate") {
			e.alternates = append(e.alternates, alternate{link.Language, articles.WebAddress(link.Href, address)})
		}
	}
	for _, a := range e.alternates {
		if e.language == "" && sameAddress(a.url, to) {
			e.language = parsedLanguage(a.language)
		}
	}
	if len(one.Images) > 0 {
		e.image = articles.WebAddress(one.Images[0].Loc, address)
	}
	if e.key != "" {
		s.entries = append(s.entries, e)
	}
}

// plainAddresses reads a sitemap that is a text with one address in a line.
func plainAddresses(text, address string, found *sitemap) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if !strings.HasPrefix(line, "http://") && !strings.HasPrefix(line, "https://") || len(found.entries) >= mostEntries {
			return false
		}
		if e := (entry{key: addressKey(line), url: articles.WebAddress(line, address)}); e.key != "" {
			found.entries = append(found.entries, e)
		}
	}
	return len(found.entries) > 0
}

// unpack returns a body that may be packed with gzip, whatever its server calls it.
func unpack(body []byte) ([]byte, error) {
	if !bytes.HasPrefix(body, []byte("\x1f\x8b")) {
		return body, nil
	}
	packed, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(packed, sitemapBytes+1))
	if len(plain) > sitemapBytes {
		return nil, errors.New("it is larger than 50 MB")
	}
	return plain, err
}
