package web

import (
	"net/http"
	"net/url"
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
		group.Feeds = append(group.Feeds, s.feedEntry(r, f))
	}
	return groups, nil
}

// feedEntry returns what people are told of a feed.
func (s *site) feedEntry(r *http.Request, f *feeds.Feed) templates.FeedEntry {
	title, tag := f.Name(accepted(r)...)
	return templates.FeedEntry{
		Title: title, Language: tag,
		Sections: f.Sections, Tags: f.Tags, Languages: f.Languages, Sources: f.Sources,
		Articles: f.Articles, Summaries: f.Content == feeds.Summary,
		RSSURL:  feeds.URL(s.PublicURL, f.Slug, feeds.RSS),
		AtomURL: feeds.URL(s.PublicURL, f.Slug, feeds.Atom),
		JSONURL: feeds.URL(s.PublicURL, f.Slug, feeds.JSON),
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

// mostItems is how many articles the page of a feed shows.
const mostItems = 20

// feed shows one feed to a person: how to subscribe to it and what it holds.
func (s *site) feed(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
	ending := path.Ext(r.PathValue("file"))
	slug := strings.TrimSuffix(r.PathValue("file"), ending)
	format, err := feeds.ParseFormat(strings.TrimPrefix(ending, "."))
	if err != nil {
		return nil, errs.New(errs.NotFound, "there is no feed document %q", r.PathValue("file"))
	}
	f, err := s.Feeds.Find(r.Context(), s.DB, slug)
	if err != nil {
		return nil, err
	}
	if f.Slug != slug { // it has another name now, and the feed's handler leads there
		s.FeedHandler.ServeHTTP(w, r)
		return nil, nil
	}
	newest, err := s.Articles.Select(r.Context(), s.DB, f.Selection, min(f.Limit, mostItems))
	if err != nil {
		return nil, err
	}
	page := templates.FeedPage{
		Feed: s.feedEntry(r, &f), FeedsURL: s.PublicURL + "/feeds/",
		RawURL: feeds.URL(s.PublicURL, f.Slug, format) + "?" + rawQuery, Links: s.links(r, f),
	}
	for i := range newest {
		page.Items = append(page.Items, s.feedItem(&newest[i]))
	}
	return page, nil
}

// archive leads a person from an archive document to the page of its feed.
func (s *site) archive(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/feeds/"+url.PathEscape(r.PathValue("slug")+path.Ext(r.PathValue("file"))), http.StatusFound)
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
