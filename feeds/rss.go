package feeds

import (
	"strings"
	"time"

	gorilla "github.com/gorilla/feeds"

	"silkpost/internal/articles"
)

// The RSS types are gorilla's with the elements it lacks. Where a field has the name of an embedded one, encoding/xml writes the
// outer one.
type rss struct {
	gorilla.RssFeedXml
	DublinCore string     `xml:"xmlns:dc,attr"`
	Atom       string     `xml:"xmlns:atom,attr"`
	Channel    rssChannel `xml:"channel"`
}

type rssChannel struct {
	gorilla.RssFeed
	Self  rssLink   `xml:"atom:link"`
	Items []rssItem `xml:"item"`
}

type rssLink struct {
	Href string `xml:"href,attr"`
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
}

type rssItem struct {
	gorilla.RssItem
	Categories []string `xml:"category"`
	Creators   []string `xml:"dc:creator"`
	Language   string   `xml:"dc:language,omitempty"`
}

// FeedXml makes rss one of gorilla's feeds.
func (r rss) FeedXml() any { return r }

func (d *outline) rss() rss {
	channel := rssChannel{
		RssFeed: gorilla.RssFeed{
			Title:         d.title,
			Link:          d.home,
			Description:   d.title,
			Language:      d.language,
			LastBuildDate: stamp(time.RFC1123Z, d.updated),
		},
		Self: rssLink{Href: d.self, Rel: "self", Type: RSS.MediaType()},
	}
	for i := range d.articles {
		channel.Items = append(channel.Items, d.rssItem(&d.articles[i]))
	}
	return rss{
		RssFeedXml: gorilla.RssFeedXml{Version: "2.0", ContentNamespace: "http://purl.org/rss/1.0/modules/content/"},
		DublinCore: "http://purl.org/dc/elements/1.1/",
		Atom:       "http://www.w3.org/2005/Atom",
		Channel:    channel,
	}
}

func (d *outline) rssItem(a *articles.Article) rssItem {
	item := rssItem{
		RssItem: gorilla.RssItem{
			Title:       a.Title,
			Link:        a.Link(d.publicURL),
			Description: asHTML(a.Summary),
			Guid:        &gorilla.RssGuid{Id: a.GUID, IsPermaLink: "false"},
			PubDate:     stamp(time.RFC1123Z, a.PublishedAt),
		},
		Categories: categories(a),
		Creators:   a.Authors,
		Language:   a.Language,
	}
	if isPage(a.GUID) {
		item.Guid.IsPermaLink = "true"
	}
	if d.content != Summary && a.HTML != "" {
		item.Content = &gorilla.RssContent{Content: a.HTML}
	}
	return item
}

// asHTML writes plain text as HTML. A description in RSS is HTML, so a summary that speaks of <b> must not become bold.
func asHTML(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
