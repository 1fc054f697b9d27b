package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"time"

	"silkpost/templates"
)

const opmlPath = "/feeds.opml"

// opmlFile is an OPML 2.0 document: the feeds as an outline, for feed readers to import.
type opmlFile struct {
	XMLName xml.Name  `xml:"opml"`
	Version string    `xml:"version,attr"`
	Title   string    `xml:"head>title"`
	Groups  []outline `xml:"body>outline"`
}

// outline is a group of feeds, or a feed. Readers know a feed by type rss, whatever its format.
type outline struct {
	Text     string    `xml:"text,attr"`
	Title    string    `xml:"title,attr,omitempty"`
	Type     string    `xml:"type,attr,omitempty"`
	XMLURL   string    `xml:"xmlUrl,attr,omitempty"`
	HTMLURL  string    `xml:"htmlUrl,attr,omitempty"`
	Language string    `xml:"language,attr,omitempty"`
	Feeds    []outline `xml:"outline"`
}

// opml answers with every public feed as a file for feed readers. Its names are in the reader's language; else the same feeds
// give the same bytes.
func (s *site) opml(w http.ResponseWriter, r *http.Request) {
	body, err := s.opmlBody(r)
	if err != nil {
		page, status := s.failure(r, err)
		s.write(w, r, status, page)
		return
	}
	sum := sha256.Sum256(body)
	h := w.Header()
	h.Set("Content-Type", "text/x-opml; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:16])+`"`)
	h.Set("Vary", "Accept-Language")
	h.Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func (s *site) opmlBody(r *http.Request) ([]byte, error) {
	groups, err := s.feedGroups(r)
	if err != nil {
		return nil, err
	}
	file := opmlFile{Version: "2.0"}
	if file.Title, err = s.Templates.FeedsOf(s.language(r), hostOf(s.PublicURL)); err != nil {
		return nil, err
	}
	for _, g := range groups {
		name, err := s.Templates.FeedGroup(s.language(r), g.Kind)
		if err != nil {
			return nil, err
		}
		group := outline{Text: name}
		for i := range g.Feeds {
			group.Feeds = append(group.Feeds, s.opmlFeed(&g.Feeds[i]))
		}
		file.Groups = append(file.Groups, group)
	}
	body, err := xml.MarshalIndent(file, "", "\t")
	return append([]byte(xml.Header), append(body, '\n')...), err
}

func (s *site) opmlFeed(f *templates.FeedEntry) outline {
	o := outline{Text: f.Title, Title: f.Title, Type: "rss", XMLURL: f.RSSURL, HTMLURL: s.PublicURL + "/feeds/"}
	if len(f.Languages) == 1 {
		o.Language = f.Languages[0]
	}
	return o
}

// hostOf returns the host of an address without its port.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Hostname()
}
