package templates

import (
	"html/template"
	"time"
)

// Page is what one public page or page of the mail catcher shows: FeedsPage, FeedPage, ArticlePage, one of the pages of those who read
// (see people.go), ErrorPage, CatcherList or CatcherMessage.
type Page interface {
	template() string // the page's file below html/, without its ending
}

// FeedsPage lists the feeds for people.
type FeedsPage struct {
	Groups  []FeedGroup
	OPMLURL string     // of the same feeds as a file for readers; "" leaves it out
	Links   []FeedLink // for autodiscovery
}

// FeedGroup is the feeds of one kind, one or more.
type FeedGroup struct {
	Kind  string // declared, section, language, tag or source; tags are shown in few words
	Feeds []FeedEntry
}

// FeedEntry is one feed with what it holds. Sections, Tags, Languages and Sources are its selection; with all of them empty it
// holds every article.
type FeedEntry struct {
	Title     string // in the page's language, or Language says in which
	Language  string // of Title, "und" when that is not known; "" is the page's
	Sections  []string
	Tags      []string
	Languages []string
	Sources   []string
	Articles  int
	Summaries bool // it carries the summaries alone
	RSSURL    string
	AtomURL   string
	JSONURL   string
}

// FeedPage is what a browser shows at the addresses of one feed.
type FeedPage struct {
	Feed     FeedEntry
	Items    []FeedItem // newest first
	OlderURL string     // of the same page with what is older; "": there is nothing
	Archive  bool       // there is something newer
	Private  bool       // the feed is one organisation's
	RawURL   string     // where a browser, too, gets the feed itself; "" leaves it out
	FeedsURL string     // of the FeedsPage
	Links    []FeedLink // for autodiscovery: this feed
}

// FeedItem is an article of a feed, in few words.
type FeedItem struct {
	Title     string
	Language  string // of title and summary
	Section   string
	Summary   string
	URL       string
	Published time.Time
}

// ArticlePage shows one article.
type ArticlePage struct {
	Title        string
	Language     string // of the article; the page's own words may be in another
	Section      string
	Published    time.Time
	Authors      []string
	Body         template.HTML // cleaned by articles; printed as it is
	Tags         []string
	SourceURL    string // the source's own page, which is the canonical one; "" when it has none
	URL          string // of this page, absolute; canonical when there is no SourceURL
	Translations []Translation
	Feeds        []FeedLink // for autodiscovery, the most fitting first
	FeedsURL     string     // of the FeedsPage
}

// Translation is the same article in another language.
type Translation struct {
	Language string
	Title    string
	URL      string
}

// FeedLink is one feed that a reader's browser may offer.
type FeedLink struct {
	Type  string // application/rss+xml, application/atom+xml or application/feed+json
	Title string
	URL   string
}

// ErrorPage says what went wrong.
type ErrorPage struct {
	Status int // HTTP
}

func (FeedsPage) template() string       { return "feeds" }
func (FeedPage) template() string        { return "feed" }
func (ArticlePage) template() string     { return "article" }
func (UnsubscribePage) template() string { return "unsubscribe" }
func (ErrorPage) template() string       { return "error" }

// Scripted reports whether a page has a script, a file below StaticPrefix, for which its Content-Security-Policy needs
// script-src 'self'. It works without, too.
func Scripted(page Page) bool {
	switch page.(type) {
	case FeedsPage, FeedPage:
		return true
	}
	return false
}

// FeedGroup returns what the feeds of a kind are called together (see FeedGroup.Kind).
func (s *Set) FeedGroup(lang, kind string) (string, error) {
	return s.voice(lang).words.feedGroup(kind)
}

// FeedsOf returns what all feeds of a site are called together.
func (s *Set) FeedsOf(lang, site string) (string, error) {
	return s.voice(lang).words.message("groups.all", "Site", site)
}
