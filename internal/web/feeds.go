package web

import (
	"net/http"
	"path"
	"strings"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/templates"
)

// feeds lists every public feed for people.
func (s *site) feeds(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
	groups, err := s.feedGroups(r)
	if err != nil {
		return nil, err
	}
	links, err := s.feedLinks(r, allFeed)
	return templates.FeedsPage{Groups: groups, OPMLURL: s.PublicURL + opmlPath, Links: links}, err
}

// feedGroups returns every public feed, those of a kind together.
func (s *site) feedGroups(r *http.Request) (groups []templates.FeedGroup, err error) {
	listed, err := s.Feeds.List(r.Context(), s.DB)
	if err != nil {
		return nil, err
	}
	for i := range listed {
		f := &listed[i]
		if n := len(groups); n == 0 || groups[n-1].Kind != string(f.Kind) {
			groups = append(groups, templates.FeedGroup{Kind: string(f.Kind)})
		}
		group := &groups[len(groups)-1]
		group.Feeds = append(group.Feeds, s.feedEntry(r, f, f.Slug))
	}
	return groups, nil
}

// feedEntry returns what people are told of a feed that is at a path below /feeds/.
func (s *site) feedEntry(r *http.Request, f *feeds.Feed, path string) templates.FeedEntry {
	title, tag := f.Name(accepted(r)...)
	return templates.FeedEntry{
		Title: title, Language: tag,
		Sections: f.Sections, Tags: f.Tags, Languages: f.Languages, Sources: f.Sources,
		Articles: f.Articles, Summaries: f.Content == feeds.Summary,
		RSSURL:  feeds.URL(s.PublicURL, path, feeds.RSS),
		AtomURL: feeds.URL(s.PublicURL, path, feeds.Atom),
		JSONURL: feeds.URL(s.PublicURL, path, feeds.JSON),
	}
}

// rawQuery at the end of a feed's address makes a browser, too, get the feed itself.
const rawQuery = "raw"

// inBrowser answers a person who opens the address of a feed in a browser with a page, and passes on all others (adr/0012).
func (s *site) inBrowser(page, others http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !navigates(r) || r.URL.RawQuery == rawQuery {
			others.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "private, no-store") // or a cache that ignores Vary would give the page to a feed reader
		w.Header().Set("Vary", "Sec-Fetch-Dest, Sec-Fetch-Mode")
		w.Header().Set("X-Robots-Tag", "noindex")
		page.ServeHTTP(w, r)
	})
}

// navigates reports whether a tab of a browser is led to an address. Only browsers say so, of themselves (Fetch Metadata), and not for
// what a page's script, another page's frame or "save as" asks for.
func navigates(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// feed shows a document of a feed to a person: how to subscribe, and what it holds.
func (s *site) feed(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
	name, format, err := splitFeedFile(r)
	if err != nil {
		return nil, err
	}
	slug, archive := name, ""
	if r.PathValue("slug") != "" {
		slug, archive = r.PathValue("slug"), name
	}
	c, err := s.Feeds.Contents(r.Context(), s.DB, slug, archive)
	if err != nil {
		return nil, err
	}
	if c.Feed.Slug != slug { // it has another name now, and the feed's handler leads there
		s.FeedHandler.ServeHTTP(w, r)
		return nil, nil
	}
	page := s.feedPage(&c, format, s.feedEntry(r, &c.Feed, c.Feed.Slug))
	page.Archive, page.Links = archive != "", s.links(r, c.Feed)
	if !page.Archive {
		page.RawURL = feeds.URL(s.PublicURL, c.Feed.Slug, format) + "?" + rawQuery
	}
	return page, nil
}

// privateFeed shows the private feed of a token.
func (s *site) privateFeed(_ http.ResponseWriter, r *http.Request) (templates.Page, error) {
	token, format, err := splitFeedFile(r)
	if err != nil {
		return nil, err
	}
	c, err := s.Feeds.PrivateContents(r.Context(), s.DB, token)
	if err != nil {
		return nil, err
	}
	c.Feed.Articles = len(c.Articles)
	page := s.feedPage(&c, format, s.feedEntry(r, &c.Feed, feeds.PrivatePath(token)))
	page.Private = true
	return page, nil
}

// splitFeedFile returns what stands before the ending of a feed's address, and the format that the ending names.
func splitFeedFile(r *http.Request) (name string, format feeds.Format, err error) {
	file := r.PathValue("file")
	ending := path.Ext(file)
	if format, err = feeds.ParseFormat(strings.TrimPrefix(ending, ".")); err != nil {
		return "", "", errs.New(errs.NotFound, "there is no feed document %q", file)
	}
	return strings.TrimSuffix(file, ending), format, nil
}

func (s *site) feedPage(c *feeds.Contents, format feeds.Format, entry templates.FeedEntry) templates.FeedPage {
	page := templates.FeedPage{Feed: entry, FeedsURL: s.PublicURL + "/feeds/"}
	if c.Older != "" {
		page.OlderURL = feeds.URL(s.PublicURL, c.Older, format)
	}
	for i := range c.Articles {
		page.Items = append(page.Items, s.feedItem(&c.Articles[i]))
	}
	return page
}

func (s *site) feedItem(a *articles.Article) templates.FeedItem {
	return templates.FeedItem{
		Title: a.Title, Language: a.Language, Section: a.Section, Summary: a.Summary,
		URL: s.PublicURL + "/articles/" + a.Slug, Published: a.PublishedAt,
	}
}

// allFeed is the slug of the feed that holds everything.
const allFeed = "all"

// feedLinks returns what a browser may offer of those feeds that there are.
func (s *site) feedLinks(r *http.Request, slugs ...string) (links []templates.FeedLink, err error) {
	for _, slug := range slugs {
		feed, err := s.Feeds.Find(r.Context(), s.DB, slug)
		if kind := errs.KindOf(err); kind == errs.NotFound || kind == errs.Gone {
			continue
		}
		if err != nil {
			return nil, err
		}
		links = append(links, s.links(r, feed)...)
	}
	return links, nil
}

// links returns a feed in each of its formats.
func (s *site) links(r *http.Request, f feeds.Feed) (links []templates.FeedLink) {
	title, _ := f.Name(accepted(r)...)
	for _, format := range feeds.Formats() {
		links = append(links, templates.FeedLink{Type: format.MediaType(), Title: title, URL: feeds.URL(s.PublicURL, f.Slug, format)})
	}
	return links
}
