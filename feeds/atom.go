package feeds

import (
	"net/url"
	"time"

	gorilla "github.com/gorilla/feeds"

	"silkpost/internal/articles"
)

// The Atom types are gorilla's with the elements and attributes it lacks; see rss.
type atom struct {
	gorilla.AtomFeed
	Language string             `xml:"xml:lang,attr,omitempty"`
	Links    []gorilla.AtomLink `xml:"link"`
	Entries  []atomEntry        `xml:"entry"`
}

type atomEntry struct {
	gorilla.AtomEntry
	Language   string               `xml:"xml:lang,attr,omitempty"`
	Authors    []gorilla.AtomAuthor `xml:"author"`
	Categories []atomCategory       `xml:"category"`
}

type atomCategory struct {
	Term string `xml:"term,attr"`
}

// FeedXml makes atom one of gorilla's feeds.
func (a atom) FeedXml() any { return a }

func (d *outline) atom() atom {
	feed := atom{
		AtomFeed: gorilla.AtomFeed{
			Xmlns:   "http://www.w3.org/2005/Atom",
			Title:   d.title,
			Id:      d.id,
			Updated: atomTime(d.updated),
			Author:  &gorilla.AtomAuthor{AtomPerson: gorilla.AtomPerson{Name: d.publisher, Uri: d.home}},
		},
		Language: d.language,
		Links: []gorilla.AtomLink{
			{Href: d.self, Rel: "self", Type: Atom.MediaType()},
			{Href: d.home, Rel: "alternate", Type: "text/html"},
		},
	}
	for i := range d.articles {
		feed.Entries = append(feed.Entries, d.atomEntry(&d.articles[i]))
	}
	return feed
}

func (d *outline) atomEntry(a *articles.Article) atomEntry {
	entry := atomEntry{
		AtomEntry: gorilla.AtomEntry{
			Title:     a.Title,
			Id:        atomID(a.GUID),
			Published: stamp(time.RFC3339, a.PublishedAt),
			Updated:   atomTime(a.UpdatedAt),
			Links:     []gorilla.AtomLink{{Href: a.Link(d.publicURL), Rel: "alternate"}},
		},
		Language: a.Language,
	}
	for _, name := range a.Authors {
		entry.Authors = append(entry.Authors, gorilla.AtomAuthor{AtomPerson: gorilla.AtomPerson{Name: name}})
	}
	for _, term := range categories(a) {
		entry.Categories = append(entry.Categories, atomCategory{term})
	}
	if a.Summary != "" {
		entry.Summary = &gorilla.AtomSummary{Type: "text", Content: a.Summary}
	}
	if d.content != Summary && a.HTML != "" {
		entry.Content = &gorilla.AtomContent{Type: "html", Content: a.HTML}
	}
	return entry
}

// atomID returns an id as Atom wants it, an absolute IRI (RFC 4287, section 4.2.6): guid itself when it is one, else a URN made
// of it.
func atomID(guid string) string {
	if u, err := url.Parse(guid); err == nil && u.IsAbs() && (u.Host != "" || u.Opaque != "") {
		return guid
	}
	return derivedID(guid)
}

// atomTime formats a time that Atom requires; an empty feed was last changed at the epoch.
func atomTime(at time.Time) string {
	if at.IsZero() {
		at = time.Unix(0, 0)
	}
	return stamp(time.RFC3339, at)
}
