package feeds_test

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/mmcdole/gofeed"
	gofeedjson "github.com/mmcdole/gofeed/json"

	"silkpost/feeds"
	"silkpost/internal/database"
)

// What a reader's parser makes of the three documents of one feed is the same.
func TestFormatsAgree(t *testing.T) {
	t.Parallel()
	for name, d := range cases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := parse(t, feeds.JSON, d)
			if len(want.Items) != len(d.items) {
				t.Fatalf("JSON has %d items, want %d", len(want.Items), len(d.items))
			}
			for _, format := range []feeds.Format{feeds.RSS, feeds.Atom} {
				if diff := gocmp.Diff(want, parse(t, format, d), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s differs from JSON (-json +%s):\n%s", format, format, diff)
				}
			}
		})
	}
}

// parsed is a document as a reader sees it.
type parsed struct {
	Title, Link, Language string
	Items                 []parsedItem
}

type parsedItem struct {
	ID, Link, Title, Summary, Content, Language string
	Published, Updated                          string
	Authors, Categories                         []string
	Enclosures                                  []gofeed.Enclosure
}

// parse reads a document of d. What a format cannot say, or says by its own rules, is made to look like JSON's.
func parse(t *testing.T, format feeds.Format, d document) (p parsed) {
	t.Helper()
	doc := render(t, format, d)
	feed, err := gofeed.NewParser().Parse(bytes.NewReader(doc))
	if err != nil {
		t.Fatalf("gofeed: %v\n%s", err, doc)
	}
	if want := feeds.Address(feeds.URL(publicURL, d.frame.Path, format)); feed.FeedLink != want {
		t.Errorf("%s: self is %q, want %q", format, feed.FeedLink, want)
	}
	p.Title, p.Link, p.Language = feed.Title, feed.Link, feed.Language
	for i, it := range feed.Items {
		item := parsedItem{
			ID: it.GUID, Link: it.Link, Title: it.Title, Summary: it.Description, Content: it.Content, Language: languages(t, format, feed, doc)[i],
			Published: utc(it.PublishedParsed), Updated: utc(it.UpdatedParsed), Authors: authors(it), Categories: it.Categories,
		}
		for _, e := range it.Enclosures {
			item.Enclosures = append(item.Enclosures, gofeed.Enclosure{URL: e.URL, Type: e.Type})
		}
		switch format {
		case feeds.RSS: // a description is HTML
			item.Summary = strings.NewReplacer("&gt;", ">", "&lt;", "<", "&amp;", "&").Replace(item.Summary)
		case feeds.Atom: // an id is an IRI
			if given := feeds.Clean(d.items[i].GUID); item.ID == feeds.AtomID(given) {
				item.ID = given
			}
		case feeds.JSON: // an item has content also when it is its summary; gofeed trims XML alone
			if d.frame.Feed.Content == feeds.Summary {
				item.Content = ""
			}
		}
		p.Items = append(p.Items, item)
	}
	return p
}

func utc(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().String()
}

// authors returns the names of all; of RSS, gofeed's neutral form keeps one creator alone.
func authors(it *gofeed.Item) (names []string) {
	if it.DublinCoreExt != nil {
		return it.DublinCoreExt.Creator
	}
	for _, author := range it.Authors {
		names = append(names, author.Name)
	}
	return names
}

// languages returns those of the items, which gofeed's neutral form does not have.
func languages(t *testing.T, format feeds.Format, feed *gofeed.Feed, doc []byte) (all []string) {
	t.Helper()
	switch format {
	case feeds.RSS:
		for _, it := range feed.Items {
			all = append(all, it.DublinCoreExt.Language...)
		}
	case feeds.Atom: // nor has its own
		var r struct {
			Entries []struct {
				Language string `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
			} `xml:"entry"`
		}
		decodeXML(t, doc, &r)
		for _, e := range r.Entries {
			all = append(all, e.Language)
		}
	default:
		parsed, err := (&gofeedjson.Parser{}).Parse(bytes.NewReader(doc))
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range parsed.Items {
			all = append(all, it.Language)
		}
	}
	return all
}

// Everything that a text holds and XML can carry arrives, and nothing of it becomes markup.
func FuzzRender(f *testing.F) {
	for _, d := range []document{framed(all(), multilingual()...), hostile(), arabic()} {
		for _, a := range d.items {
			f.Add(a.Title, a.Summary, a.HTML, a.GUID, a.Section, a.ImageURL)
		}
	}
	f.Add("\r", "\r\n\r", "]]>]]", "\ufeff", "\u0085", "x.png")
	f.Add("a\xc3", "\ud7ff\uffff", "a\rb\r\nc]]", "tag:example.org,2026:1", "\t", "\"'<>&\n.jpg")
	f.Add("\xed\xa0\x80\xed\xb0\x80", "\\ud800", "<![CDATA[", "urn:x", "]]]]><![CDATA[>", "//[::1]/%zz.gif")
	f.Fuzz(func(t *testing.T, title, summary, html, guid, name, place string) {
		d := framed(feeds.Feed{Slug: "all", Title: database.StringMap{"en": title}}, feeds.Item{Translations: []feeds.Translation{{Language: "it", URL: place}}})
		a := &d.items[0].Article
		a.GUID, a.Slug, a.Title, a.Summary, a.HTML, a.Text, a.Language, a.Section = guid, "x", title, summary, html, summary, "en", name
		a.Tags, a.Authors, a.ImageURL, a.ImageAlt = []string{title, name}, []string{name, title}, place, name
		a.PublishedAt, a.UpdatedAt = day(1), day(2)
		d.frame.Language, d.frame.Hubs, d.frame.Gone = "en", []string{place}, []feeds.Gone{{GUID: guid, At: day(3)}}
		want := shown{
			Feed: cmp.Or(feeds.Clean(title), "all"), Hub: feeds.Address(place), ID: feeds.Clean(guid), Title: feeds.Clean(title),
			Summary: feeds.Clean(summary), Content: feeds.Clean(html), Categories: distinct(name, title), Authors: nonEmpty(name, title),
			Image: feeds.Address(place), ImageAlt: feeds.Clean(name), Translation: feeds.Address(place), Gone: feeds.AtomID(feeds.Clean(guid)),
		}
		if want.Image == "" { // then there is nothing to describe
			want.ImageAlt = ""
		}
		for _, format := range feeds.Formats() {
			got := read(t, format, render(t, format, d))
			if diff := gocmp.Diff(want.in(format, got), got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s read back (-want +got):\n%s\n%s", format, diff, render(t, format, d))
			}
			checkWhole(t, "fuzzed", format, d)
		}
	})
}

func nonEmpty(names ...string) (all []string) {
	for _, name := range names {
		if name = feeds.Clean(name); name != "" {
			all = append(all, name)
		}
	}
	return all
}

func distinct(names ...string) []string { return slices.Compact(nonEmpty(names...)) }

// shown is what a document with one item says.
type shown struct {
	Feed, Hub, ID, Title, Summary, Content string
	Categories, Authors                    []string
	Image, ImageAlt, Translation, Gone     string
}

// in returns what a format can say of s. Atom has an image, and JSON its description, only with a type, as got shows.
func (s shown) in(format feeds.Format, got shown) shown {
	if format == feeds.Atom {
		s.ID, s.ImageAlt = feeds.AtomID(s.ID), ""
	} else {
		s.Translation, s.Gone = "", ""
	}
	if feeds.ImageType(s.Image) == "" {
		switch format {
		case feeds.Atom:
			s.Image = ""
		case feeds.JSON:
			s.ImageAlt = ""
		}
	}
	return s
}

func read(t *testing.T, format feeds.Format, doc []byte) shown {
	t.Helper()
	switch format {
	case feeds.RSS:
		return readRSS(t, doc)
	case feeds.Atom:
		return readAtom(t, doc)
	}
	return readJSON(t, doc)
}

type link struct {
	Rel      string `xml:"rel,attr"`
	Href     string `xml:"href,attr"`
	Language string `xml:"hreflang,attr"`
}

// href returns where the last link goes that has a relation, and a language other than one.
func href(links []link, rel, besides string) (to string) {
	for _, l := range links {
		if l.Rel == rel && (l.Language == "" || l.Language != besides) {
			to = l.Href
		}
	}
	return to
}

func readRSS(t *testing.T, doc []byte) shown {
	t.Helper()
	var r struct {
		Channel struct {
			Title string `xml:"title"`
			Links []link `xml:"http://www.w3.org/2005/Atom link"`
			Items []struct {
				ID         string   `xml:"guid"`
				Title      string   `xml:"title"`
				Summary    string   `xml:"description"`
				Content    string   `xml:"http://purl.org/rss/1.0/modules/content/ encoded"`
				Categories []string `xml:"category"`
				Authors    []string `xml:"http://purl.org/dc/elements/1.1/ creator"`
				Image      struct {
					URL string `xml:"url,attr"`
					Alt string `xml:"http://search.yahoo.com/mrss/ description"`
				} `xml:"http://search.yahoo.com/mrss/ content"`
			} `xml:"item"`
		} `xml:"channel"`
	}
	decodeXML(t, doc, &r)
	item := r.Channel.Items[0]
	if strings.ContainsAny(item.Summary, "<>") {
		t.Errorf("the description is markup: %q", item.Summary)
	}
	summary := strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(item.Summary)
	return shown{
		Feed: r.Channel.Title, Hub: href(r.Channel.Links, "hub", ""), ID: item.ID, Title: item.Title, Summary: summary, Content: item.Content,
		Categories: item.Categories, Authors: item.Authors, Image: item.Image.URL, ImageAlt: item.Image.Alt,
	}
}

func readAtom(t *testing.T, doc []byte) shown {
	t.Helper()
	var r struct {
		Title string `xml:"title"`
		Links []link `xml:"http://www.w3.org/2005/Atom link"`
		Gone  []struct {
			Ref string `xml:"ref,attr"`
		} `xml:"http://purl.org/atompub/tombstones/1.0 deleted-entry"`
		Entries []struct {
			ID         string   `xml:"id"`
			Title      string   `xml:"title"`
			Summary    string   `xml:"summary"`
			Content    string   `xml:"content"`
			Links      []link   `xml:"link"`
			Authors    []string `xml:"author>name"`
			Categories []struct {
				Term string `xml:"term,attr"`
			} `xml:"category"`
		} `xml:"http://www.w3.org/2005/Atom entry"`
	}
	decodeXML(t, doc, &r)
	entry := r.Entries[0]
	got := shown{
		Feed: r.Title, Hub: href(r.Links, "hub", ""), ID: entry.ID, Title: entry.Title, Summary: entry.Summary, Content: entry.Content,
		Authors: entry.Authors, Image: href(entry.Links, "enclosure", ""), Translation: href(entry.Links, "alternate", "en"),
	}
	for _, c := range entry.Categories {
		got.Categories = append(got.Categories, c.Term)
	}
	if len(r.Gone) > 0 {
		got.Gone = r.Gone[0].Ref
	}
	return got
}

func readJSON(t *testing.T, doc []byte) shown {
	t.Helper()
	var r struct {
		Title string `json:"title"`
		Hubs  []struct {
			URL string `json:"url"`
		} `json:"hubs"`
		Items []struct {
			ID          string   `json:"id"`
			Title       string   `json:"title"`
			Summary     string   `json:"summary"`
			Content     string   `json:"content_html"`
			Tags        []string `json:"tags"`
			Image       string   `json:"image"`
			Attachments []struct {
				Title string `json:"title"`
			} `json:"attachments"`
			Authors []struct {
				Name string `json:"name"`
			} `json:"authors"`
		} `json:"items"`
	}
	decodeJSON(t, doc, &r)
	item := r.Items[0]
	got := shown{Feed: r.Title, ID: item.ID, Title: item.Title, Summary: item.Summary, Content: item.Content, Categories: item.Tags, Image: item.Image}
	for _, author := range item.Authors {
		got.Authors = append(got.Authors, author.Name)
	}
	if len(r.Hubs) > 0 {
		got.Hub = r.Hubs[0].URL
	}
	if len(item.Attachments) > 0 {
		got.ImageAlt = item.Attachments[0].Title
	}
	return got
}
