package feeds_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/mmcdole/gofeed"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

const publicURL = "https://news.example.org"

// day is the nth day of the tests' calendar, with a zone and a fraction that no document may show.
func day(n int) time.Time {
	return time.Date(2026, time.March, n, 23, 30, 15, 123456000, time.FixedZone("somewhere", 5*3600))
}

func multilingual() []articles.Article {
	return []articles.Article{
		{
			GUID: "https://www.example.org/2026/biennale", Slug: "biennale", URL: "https://www.example.org/2026/biennale?a=1&b=2",
			Title: "Biennale of science & art opens", Summary: "Visitors > 10,000 are expected.",
			HTML: "<p>Visitors &gt; 10,000 are expected.</p>\n<p><img src=\"https://www.example.org/hall.jpg\" alt=\"The hall\"></p>",
			Text: "Visitors > 10,000 are expected.", Language: "en", Section: "News", Tags: []string{"art", "News", "science"},
			Authors: []string{"Press office", "Ms Example"}, ImageURL: "https://www.example.org/hall.jpg",
			PublishedAt: day(3), UpdatedAt: day(5), FirstSeenAt: day(6),
		},
		{
			GUID: "urn:uuid:0b1f6a52-4a0e-5d2b-9f0e-0d5d5bd3a001", Slug: "robots", Title: "机器人进校园", Summary: "百所学校参加。",
			HTML: "<p>百所学校参加。</p>", Text: "百所学校参加。", Language: "zh-Hans", Section: "新闻",
			PublishedAt: day(2), UpdatedAt: day(2), FirstSeenAt: day(6),
		},
		{
			GUID: "urn:uuid:0b1f6a52-4a0e-5d2b-9f0e-0d5d5bd3a002", Slug: "stars", Title: "ليلة النجوم", Summary: "أمسية للجميع.",
			HTML: "<p>أمسية للجميع.</p>", Text: "أمسية للجميع.", Language: "ar", Tags: []string{"فلك"}, Authors: []string{"مكتب الإعلام"},
			PublishedAt: day(1), UpdatedAt: day(1), FirstSeenAt: day(6),
		},
	}
}

func hostile() []articles.Article {
	return []articles.Article{{
		GUID: "post 7\x00", Slug: "post-7", URL: "https://www.example.org/?q=\"><script>alert(1)</script>",
		Title: "<b>Bold</b> ]]> & \x01\x0b\ufffe\xff\u2028 😀", Summary: "1 < 2 <script>alert(1)</script> ]]>\r\nnext",
		HTML: "<p>]]></p>\r\n<pre>\x02a\tb</pre>]]", Text: "]]>", Language: "en", Section: "<News>\x1f", Tags: []string{"a\"b", "\x03", "</category>"},
		Authors: []string{"O'Example <office@example.org>\x04"}, ImageURL: "https://www.example.org/a b.png",
		PublishedAt: day(4), UpdatedAt: day(4), FirstSeenAt: day(4),
	}}
}

func TestRenderGolden(t *testing.T) {
	t.Parallel()
	all := feeds.Feed{Slug: "all", Title: database.StringMap{"en": "All articles", "it": "Tutti gli articoli"}, Content: feeds.Full}
	summaries := all
	summaries.Content = feeds.Summary
	italian := feeds.Feed{Slug: "lang-it", Title: all.Title, Selection: articles.Selection{Languages: []string{"it"}}}
	cases := []struct {
		name  string
		feed  feeds.Feed
		items []articles.Article
	}{
		{"multilingual", all, multilingual()},
		{"summary", summaries, multilingual()},
		{"empty", italian, nil},
		{"hostile", feeds.Feed{Slug: "hostile", Title: database.StringMap{"und": "<Hostile>\x01 ]]>"}}, hostile()},
	}
	for _, c := range cases {
		for _, format := range feeds.Formats() {
			t.Run(c.name+"."+string(format), func(t *testing.T) {
				t.Parallel()
				testkit.Golden(t, filepath.Join("testdata", c.name+"."+string(format)), render(t, format, c.feed, c.items))
			})
		}
	}
}

func render(t testing.TB, format feeds.Format, feed feeds.Feed, items []articles.Article) []byte {
	t.Helper()
	body, err := feeds.Render(format, feed, items, publicURL)
	if err != nil {
		t.Fatalf("Render(%s): %v", format, err)
	}
	return body
}

// What a reader's parser makes of the three documents of one feed is the same.
func TestFormatsAgree(t *testing.T) {
	t.Parallel()
	for name, items := range map[string][]articles.Article{"multilingual": multilingual(), "none": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			feed := feeds.Feed{Slug: "all", Title: database.StringMap{"en": "All articles"}}
			want := parse(t, render(t, feeds.JSON, feed, items))
			if len(want) != len(items) {
				t.Fatalf("JSON has %d items, want %d", len(want), len(items))
			}
			for _, format := range []feeds.Format{feeds.RSS, feeds.Atom} {
				got := parse(t, render(t, format, feed, items))
				if format == feeds.RSS { // RSS dates an item once, and its description is HTML
					for i := range got {
						got[i].Updated = want[i].Updated
						got[i].Summary = strings.ReplaceAll(got[i].Summary, "&gt;", ">")
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s differs from JSON (-json +%s):\n%s", format, format, diff)
				}
			}
		})
	}
}

type parsed struct {
	ID, Link, Title, Summary, Content string
	Published, Updated                string
	Authors, Categories               []string
}

func parse(t *testing.T, doc []byte) (items []parsed) {
	t.Helper()
	feed, err := gofeed.NewParser().Parse(bytes.NewReader(doc))
	if err != nil {
		t.Fatalf("gofeed: %v\n%s", err, doc)
	}
	if feed.FeedLink == "" || feed.Title != "All articles" || feed.Link != publicURL+"/feeds/" {
		t.Errorf("self %q, title %q, link %q", feed.FeedLink, feed.Title, feed.Link)
	}
	for _, it := range feed.Items {
		p := parsed{ID: it.GUID, Link: it.Link, Title: it.Title, Summary: it.Description, Content: it.Content, Categories: it.Categories}
		p.Published = it.PublishedParsed.UTC().String()
		if it.UpdatedParsed != nil {
			p.Updated = it.UpdatedParsed.UTC().String()
		}
		for _, author := range it.Authors {
			p.Authors = append(p.Authors, author.Name)
		}
		if it.DublinCoreExt != nil { // gofeed's neutral form keeps one creator
			p.Authors = it.DublinCoreExt.Creator
		}
		items = append(items, p)
	}
	return items
}

// A document that is made again has the same bytes, in whatever zone its times come.
func TestSameContentSameBytes(t *testing.T) {
	t.Parallel()
	feed := feeds.Feed{Slug: "all", Title: database.StringMap{"ar": "ا", "en": "All articles", "it": "Tutti", "zh-Hans": "全部"}}
	elsewhere := multilingual()
	for i := range elsewhere {
		a := &elsewhere[i]
		a.PublishedAt, a.UpdatedAt = a.PublishedAt.Local(), a.UpdatedAt.In(time.FixedZone("far", -9*3600))
	}
	for _, format := range feeds.Formats() {
		want := render(t, format, feed, multilingual())
		for range 20 {
			if diff := cmp.Diff(string(want), string(render(t, format, feed, elsewhere))); diff != "" {
				t.Fatalf("%s differs (-first +again):\n%s", format, diff)
			}
		}
	}
}

// Processes in other time zones make the same goldens.
func TestTimeZoneOfProcess(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Asia/Kathmandu", "America/St_Johns"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^(TestRenderGolden|TestSameContentSameBytes)$")
		cmd.Env = append(os.Environ(), "TZ="+zone)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("TZ=%s: %v\n%s", zone, err, out)
		}
	}
}

func TestRenderRefusesUnknownFormat(t *testing.T) {
	t.Parallel()
	_, err := feeds.Render("opml", feeds.Feed{}, nil, publicURL)
	if errs.KindOf(err) != errs.Invalid {
		t.Errorf("got %v, want an Invalid error", err)
	}
}

// Everything that an article's text holds and XML can carry arrives, and nothing of it becomes markup.
func FuzzRender(f *testing.F) {
	for _, a := range append(multilingual(), hostile()...) {
		f.Add(a.Title, a.Summary, a.HTML, a.GUID, a.Section)
	}
	f.Add("\r", "\r\n\r", "]]>]]", "\ufeff", "\u0085")
	f.Add("a\xc3", "\ud7ff\uffff", "a\rb\r\nc]]", "tag:example.org,2026:1", "\t")
	f.Fuzz(func(t *testing.T, title, summary, html, guid, name string) {
		a := articles.Article{
			GUID: guid, Slug: "x", Title: title, Summary: summary, HTML: html, Text: summary, Language: "en", Section: name,
			Tags: []string{title, name}, Authors: []string{name, title}, PublishedAt: day(1), UpdatedAt: day(2),
		}
		want := shown{
			Feed: feeds.Clean(title), ID: feeds.Clean(guid), Title: feeds.Clean(title), Summary: feeds.Clean(summary),
			Content: feeds.Clean(html), Categories: distinct(name, title), Authors: nonEmpty(name, title),
		}
		for _, format := range feeds.Formats() {
			doc := render(t, format, feeds.Feed{Slug: "all", Title: database.StringMap{"en": title}}, []articles.Article{a})
			got := read(t, format, doc)
			if format == feeds.Atom { // an id must be an IRI there
				got.ID = want.ID
			}
			if title == "" { // then the slug stands in
				got.Feed = ""
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s read back (-want +got):\n%s\n%s", format, diff, doc)
			}
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
	Feed, ID, Title, Summary, Content string
	Categories, Authors               []string
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

func readRSS(t *testing.T, doc []byte) shown {
	t.Helper()
	var r struct {
		Channel struct {
			Title string `xml:"title"`
			Items []struct {
				ID         string   `xml:"guid"`
				Title      string   `xml:"title"`
				Summary    string   `xml:"description"`
				Content    string   `xml:"http://purl.org/rss/1.0/modules/content/ encoded"`
				Categories []string `xml:"category"`
				Authors    []string `xml:"http://purl.org/dc/elements/1.1/ creator"`
			} `xml:"item"`
		} `xml:"channel"`
	}
	decodeXML(t, doc, &r)
	item := r.Channel.Items[0]
	if strings.ContainsAny(item.Summary, "<>") {
		t.Errorf("the description is markup: %q", item.Summary)
	}
	summary := strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(item.Summary)
	return shown{r.Channel.Title, item.ID, item.Title, summary, item.Content, item.Categories, item.Authors}
}

func readAtom(t *testing.T, doc []byte) shown {
	t.Helper()
	var r struct {
		Title   string `xml:"title"`
		Entries []struct {
			ID         string   `xml:"id"`
			Title      string   `xml:"title"`
			Summary    string   `xml:"summary"`
			Content    string   `xml:"content"`
			Authors    []string `xml:"author>name"`
			Categories []struct {
				Term string `xml:"term,attr"`
			} `xml:"category"`
		} `xml:"http://www.w3.org/2005/Atom entry"`
	}
	decodeXML(t, doc, &r)
	entry := r.Entries[0]
	got := shown{r.Title, entry.ID, entry.Title, entry.Summary, entry.Content, nil, entry.Authors}
	for _, c := range entry.Categories {
		got.Categories = append(got.Categories, c.Term)
	}
	return got
}

func readJSON(t *testing.T, doc []byte) shown {
	t.Helper()
	var r struct {
		Title string `json:"title"`
		Items []struct {
			ID      string   `json:"id"`
			Title   string   `json:"title"`
			Summary string   `json:"summary"`
			Content string   `json:"content_html"`
			Tags    []string `json:"tags"`
			Authors []struct {
				Name string `json:"name"`
			} `json:"authors"`
		} `json:"items"`
	}
	if err := json.Unmarshal(doc, &r); err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	item := r.Items[0]
	got := shown{r.Title, item.ID, item.Title, item.Summary, item.Content, item.Tags, nil}
	for _, author := range item.Authors {
		got.Authors = append(got.Authors, author.Name)
	}
	return got
}

// decodeXML decodes doc, whose every byte must be well-formed.
func decodeXML(t *testing.T, doc []byte, into any) {
	t.Helper()
	if err := xml.Unmarshal(doc, into); err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	for dec := xml.NewDecoder(bytes.NewReader(doc)); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
	}
}

// A thousand articles of 5 KB.
func BenchmarkRender(b *testing.B) {
	items := make([]articles.Article, 1000)
	for i := range items {
		items[i] = multilingual()[i%3]
		items[i].HTML = strings.Repeat("<p>A paragraph of some length, with a <a href=\"https://www.example.org/\">link</a> in it.</p>\n", 52)
	}
	for _, format := range feeds.Formats() {
		b.Run(string(format), func(b *testing.B) {
			for b.Loop() {
				b.SetBytes(int64(len(render(b, format, feeds.Feed{Slug: "all"}, items))))
			}
		})
	}
}
