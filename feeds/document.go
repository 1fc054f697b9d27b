package feeds

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"
	gorilla "github.com/gorilla/feeds"

	"silkpost/internal/articles"
)

// Render writes items, in the order given, as a document of feed. publicURL is where this installation is reached, with no slash
// at its end. The bytes depend on the arguments alone. An unknown format is Invalid.
func Render(format Format, feed Feed, items []articles.Article, publicURL string) ([]byte, error) {
	if _, err := ParseFormat(string(format)); err != nil {
		return nil, err
	}
	d := newOutline(format, feed, items, publicURL)
	switch format {
	case RSS:
		return writeXML(d.rss())
	case Atom:
		return writeXML(d.atom())
	default:
		return writeJSON(d.json())
	}
}

// outline is what the formats are written from: all text in it is clean.
type outline struct {
	id        string // the same in every format, for as long as public URL and slug are
	title     string
	language  string // of the whole; "" when the articles are in several
	publisher string // host of the public URL
	home      string // the page that lists the feeds
	self      string
	publicURL string
	content   Content
	updated   time.Time // of the newest change in the articles; zero without articles
	articles  []articles.Article
}

func newOutline(format Format, feed Feed, items []articles.Article, publicURL string) outline {
	lang := feedLanguage(feed, items)
	name, _ := feed.Name(lang)
	home := publicURL + "/feeds/"
	d := outline{
		id:        derivedID(home + feed.Slug),
		title:     clean(name),
		language:  lang,
		publisher: host(publicURL),
		home:      home,
		self:      URL(publicURL, feed.Slug, format),
		publicURL: publicURL,
		content:   feed.Content,
		articles:  make([]articles.Article, len(items)),
	}
	for i := range items {
		d.articles[i] = cleanArticle(items[i])
		if at := items[i].UpdatedAt; at.After(d.updated) {
			d.updated = at
		}
	}
	return d
}

// feedLanguage returns the one language of a feed: the one it selects, else the one that all its articles share, else "".
func feedLanguage(feed Feed, items []articles.Article) string {
	if len(feed.Languages) == 1 {
		return clean(feed.Languages[0])
	}
	for _, a := range items {
		if a.Language != items[0].Language {
			return ""
		}
	}
	if len(items) == 0 {
		return ""
	}
	return clean(items[0].Language)
}

// derivedID makes a permanent URN of a name.
func derivedID(name string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).URN()
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return clean(address)
	}
	return clean(u.Host)
}

// isPage reports whether an id is the address of a web page.
func isPage(id string) bool {
	u, err := url.Parse(id)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// categories returns an article's section and tags, each once.
func categories(a *articles.Article) []string {
	var all []string
	for _, name := range append([]string{a.Section}, a.Tags...) {
		if name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// stamp formats a time in UTC; a zero one gives "".
func stamp(layout string, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(layout)
}

func writeXML(feed gorilla.XmlFeed) ([]byte, error) {
	var out bytes.Buffer
	if err := gorilla.WriteXML(feed, &out); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func writeJSON(feed any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(feed)
	return out.Bytes(), err
}
