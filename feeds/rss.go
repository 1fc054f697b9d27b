package feeds

import (
	"strings"
	"time"

	gorilla "github.com/gorilla/feeds"
)

// rssDepth is how deep items stand in RSS: rss, channel, item.
const rssDepth = 2

// The RSS types are gorilla's with the elements it lacks. Where a field has the name of an embedded one, encoding/xml writes the
// outer one.
type rss struct {
	gorilla.RssFeedXml
	DublinCore string     `xml:"xmlns:dc,attr"`
	Atom       string     `xml:"xmlns:atom,attr"`
	Media      string     `xml:"xmlns:media,attr"`
	History    string     `xml:"xmlns:fh,attr,omitempty"`
	Channel    rssChannel `xml:"channel"`
}

type rssChannel struct {
	gorilla.RssFeed
	Links   []rssLink `xml:"atom:link"`
	Archive *struct{} `xml:"fh:archive"`
}

type rssLink struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
	Type string `xml:"type,attr,omitempty"`
}

type rssItem struct {
	gorilla.RssItem
	Updated    string        `xml:"atom:updated,omitempty"`
	Categories []string      `xml:"category"`
	Creators   []string      `xml:"dc:creator"`
	Language   string        `xml:"dc:language,omitempty"`
	Media      *rssMedia     `xml:"media:content"`
	Thumbnail  *rssThumbnail `xml:"media:thumbnail"`
}

type rssMedia struct {
	URL         string `xml:"url,attr"`
	Medium      string `xml:"medium,attr"`
	Type        string `xml:"type,attr,omitempty"`
	Description string `xml:"media:description,omitempty"`
}

type rssThumbnail struct {
	URL string `xml:"url,attr"`
}

// FeedXml makes rss one of gorilla's feeds.
func (r rss) FeedXml() any { return r }

func (o *outline) rss() rss {
	doc := rss{
		RssFeedXml: gorilla.RssFeedXml{Version: "2.0", ContentNamespace: "http://purl.org/rss/1.0/modules/content/"},
		DublinCore: "http://purl.org/dc/elements/1.1/",
		Atom:       atomNamespace,
		Media:      "http://search.yahoo.com/mrss/",
		Channel: rssChannel{
			RssFeed: gorilla.RssFeed{
				Title:         o.title,
				Link:          o.home,
				Description:   o.title,
				Language:      o.language,
				LastBuildDate: stamp(time.RFC1123Z, o.updated),
				Generator:     generator,
				Docs:          "https://www.rssboard.org/rss-specification",
				Ttl:           int(maxAge.Minutes()),
			},
			Links: o.rssLinks(),
		},
	}
	if o.archive { // which does not change: there is no need to come back for it
		doc.History, doc.Channel.Archive, doc.Channel.Ttl = historyNamespace, &struct{}{}, 0
	}
	return doc
}

// rssLinks returns the links that RSS borrows from Atom (RFC 5005, appendix B, and WebSub).
func (o *outline) rssLinks() []rssLink {
	links := []rssLink{{Rel: "self", Href: o.self, Type: RSS.MediaType()}}
	if o.current != "" {
		links = append(links, rssLink{Rel: "current", Href: o.current, Type: RSS.MediaType()})
	}
	if o.older != "" {
		links = append(links, rssLink{Rel: "prev-archive", Href: o.older, Type: RSS.MediaType()})
	}
	for _, hub := range o.hubs {
		links = append(links, rssLink{Rel: "hub", Href: hub})
	}
	return links
}

func newRSSItem(content Content, it Item) rssItem {
	item := rssItem{
		RssItem: gorilla.RssItem{
			Title:       it.Title,
			Link:        it.URL,
			Description: asHTML(it.Summary),
			Guid:        &gorilla.RssGuid{Id: it.GUID, IsPermaLink: "false"},
			PubDate:     stamp(time.RFC1123Z, it.PublishedAt),
		},
		Updated:    stamp(time.RFC3339, it.UpdatedAt),
		Categories: categories(&it.Article),
		Creators:   it.Authors,
		Language:   it.Language,
	}
	if isPage(it.GUID) {
		item.Guid.IsPermaLink = "true"
	}
	if content != Summary && it.HTML != "" {
		item.Content = &gorilla.RssContent{Content: it.HTML}
	}
	if it.ImageURL != "" {
		item.showImage(it.ImageURL, it.ImageAlt)
	}
	return item
}

// showImage adds an image in the three ways that readers look for one. An enclosure must have a type, and a length, which is 0
// when nobody knows it.
func (i *rssItem) showImage(address, alt string) {
	kind := imageType(address)
	if kind != "" {
		i.Enclosure = &gorilla.RssEnclosure{Url: address, Length: "0", Type: kind}
	}
	i.Media = &rssMedia{URL: address, Medium: "image", Type: kind, Description: alt}
	i.Thumbnail = &rssThumbnail{URL: address}
}

// asHTML writes plain text as HTML. A description in RSS is HTML, so a summary that speaks of <b> must not become bold.
func asHTML(text string) string { return htmlEscaper.Replace(text) }

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
