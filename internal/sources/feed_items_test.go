package sources

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/articles"
)

const namespaces = ` xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"` +
	` xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:atom="http://www.w3.org/2005/Atom"` +
	` xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0" xmlns:georss="http://www.georss.org/georss"`

func rssItem(inner string) string {
	return `<rss version="2.0"` + namespaces + `><channel><title>x</title><link>https://www.example.org/</link><language>en</language><item>` + inner + `</item></channel></rss>`
}

func atomEntry(attributes, inner string) string {
	return `<feed xmlns="http://www.w3.org/2005/Atom"` + namespaces + ` ` + attributes + `><title>x</title><entry>` + inner + `</entry></feed>`
}

// What an item gives, field by field.
func TestItems(t *testing.T) {
	t.Parallel()
	at := time.Date(2020, 5, 11, 6, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		feed string
		want articles.Draft
	}{
		"id as link": {
			rssItem(`<guid>https://www.example.org/1</guid><title>A</title><description>x</description>`),
			articles.Draft{ExternalKey: "https://www.example.org/1", GUID: "https://www.example.org/1", URL: "https://www.example.org/1", Title: "A", Text: "x", Language: "en"},
		},
		"relative link": {
			rssItem(`<title>A</title><link>../news/1?a=1&amp;b=2</link><description>x</description>`),
			articles.Draft{ExternalKey: "https://www.example.org/news/1?a=1&b=2", URL: "https://www.example.org/news/1?a=1&b=2", Title: "A", Text: "x", Language: "en"},
		},
		"link that was rewritten": {
			rssItem(`<guid>1</guid><title>A</title><link>https://counter.example/~r/1</link><feedburner:origLink>https://www.example.org/1</feedburner:origLink><description>x</description>`),
			articles.Draft{ExternalKey: "1", GUID: "1", URL: "https://www.example.org/1", Title: "A", Text: "x", Language: "en"},
		},
		"content, summary and Dublin Core": {
			rssItem(`<guid>1</guid><title>A &amp;amp; B</title><description>In short.</description><content:encoded><![CDATA[<p>At length.</p>]]></content:encoded>
				<dc:creator>Press office</dc:creator><dc:date>2020-05-11T08:00:00+02:00</dc:date><dc:subject>Robots</dc:subject><dc:language>de</dc:language>`),
			articles.Draft{
				ExternalKey: "1", GUID: "1", Title: "A & B", Summary: "In short.", HTML: "<p>At length.</p>", Authors: []string{"Press office"},
				Tags: []string{"Robots"}, Language: "de", Updated: at,
			},
		},
		"author with address": {
			rssItem(`<guid>1</guid><title>A</title><author>press@example.org (Press office)</author><description>x</description><pubDate>Mon, 11 May 2020 06:00:00 GMT</pubDate>`),
			articles.Draft{ExternalKey: "1", GUID: "1", Title: "A", Text: "x", Authors: []string{"Press office"}, Language: "en", Published: at},
		},
		"picture as enclosure": {
			rssItem(`<guid>1</guid><title>A</title><description>x</description><enclosure url="/a.jpg" type="image/jpeg" length="9"/>`),
			articles.Draft{ExternalKey: "1", GUID: "1", Title: "A", Text: "x", Language: "en", ImageURL: "https://www.example.org/a.jpg"},
		},
		"picture of Media RSS": {
			rssItem(`<guid>1</guid><title>A</title><description>x</description><media:content url="/film.mp4" type="video/mp4"/><media:content url="/a.png"><media:title>The hall</media:title></media:content>`),
			articles.Draft{ExternalKey: "1", GUID: "1", Title: "A", Text: "x", Language: "en", ImageURL: "https://www.example.org/a.png", ImageAlt: "The hall"},
		},
		"picture in a group": {
			rssItem(`<guid>1</guid><title>A</title><description>x</description><media:group><media:content url="/film" type="video/mp4"/><media:thumbnail url="/a"/></media:group>`),
			articles.Draft{ExternalKey: "1", GUID: "1", Title: "A", Text: "x", Language: "en", ImageURL: "https://www.example.org/a"},
		},
		"podcast": {
			rssItem(`<guid isPermaLink="false">ep-1</guid><title>Episode 1</title><itunes:title>Episode</itunes:title><itunes:summary>What it is about.</itunes:summary><itunes:image href="/cover.jpg"/>
				<itunes:duration>31:00</itunes:duration><itunes:explicit>no</itunes:explicit><enclosure url="https://www.example.org/1.mp3" type="audio/mpeg" length="900"/>`),
			articles.Draft{ExternalKey: "ep-1", GUID: "ep-1", Title: "Episode 1", Text: "What it is about.", Language: "en", ImageURL: "https://www.example.org/cover.jpg"},
		},
		"Atom with xml:base": {
			atomEntry(`xml:lang="fr" xml:base="https://www.example.org/a/"`, `<id>urn:x:1</id><title type="html">A &amp;amp; &lt;b&gt;B&lt;/b&gt;</title><link rel="self" href="x.atom"/><link rel="enclosure" type="image/png" href="a.png"/>
				<link rel="alternate" xml:base="b/" href="1.html"/><published>2020-05-11T08:00:00+02:00</published><updated>2020-05-11T07:00:00Z</updated>
				<author><name>One</name></author><author><name>Two</name><email>two@example.org</email></author><category term="robots" label="Robots"/>
				<summary>In short.</summary><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>At <b>length</b>.</p></div></content>`),
			articles.Draft{
				ExternalKey: "urn:x:1", GUID: "urn:x:1", URL: "https://www.example.org/a/b/1.html", Title: "A & B", Summary: "In short.", HTML: `<p>At <b>length</b>.</p>`,
				Language: "fr", Authors: []string{"One", "Two"}, Tags: []string{"Robots"}, Published: at, Updated: at.Add(time.Hour), ImageURL: "https://www.example.org/a/a.png",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drafts, err := ParseFeed([]byte(tt.feed), "application/xml", "https://www.example.org/feeds/all")
			if err != nil || len(drafts) != 1 {
				t.Fatalf("%d items, %v", len(drafts), err)
			}
			if diff := cmp.Diff(tt.want, drafts[0], cmp.Comparer(time.Time.Equal)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFeedDates(t *testing.T) {
	t.Parallel()
	const germany, china, nowhere = "https://www.example.de/feed", "https://www.example.cn/feed", "https://www.example.org/feed"
	tests := []struct{ date, address, want string }{
		{"Mon, 11 May 2020 08:00:00 +0200", nowhere, "2020-05-11T06:00:00Z"},
		{"Mon, 11 May 2020 08:00:00 GMT", china, "2020-05-11T08:00:00Z"},
		{"Mon, 11 May 2020 08:00:00 EST", nowhere, "2020-05-11T13:00:00Z"},
		{"Mon, 11 May 2020 08:00:00 CST", china, "2020-05-11T00:00:00Z"},
		{"Mon, 11 May 2020 08:00:00 CST", nowhere, "2020-05-11T14:00:00Z"},
		{"Mon, 11 May 2020 08:00:00 +0800 (CST)", nowhere, "2020-05-11T00:00:00Z"},
		{"Sun, 11 May 2020 08:00:00 +0000", nowhere, "2020-05-11T08:00:00Z"}, // it was a Monday
		{"11 May 20 08:00 +0000", nowhere, "2020-05-11T08:00:00Z"},
		{"2020-05-11T08:00:00Z", china, "2020-05-11T08:00:00Z"},
		{"2020-05-11T08:00:00.123+08:00", nowhere, "2020-05-11T00:00:00Z"},
		{"2020-05-11T08:00:00", china, "2020-05-11T00:00:00Z"},
		{"2020-05-11 08:00:00", china, "2020-05-11T00:00:00Z"},
		{"2020-05-11 08:00:00", germany, "2020-05-11T06:00:00Z"},
		{"2020-05-11 08:00:00", nowhere, "2020-05-11T08:00:00Z"},
		{"2020-05-11", nowhere, "2020-05-11T00:00:00Z"},
		{"2020/5/11 8:00", china, "2020-05-11T00:00:00Z"},
		{"2020年5月11日 16:30", china, "2020-05-11T08:30:00Z"},
		{"2020年05月11日", china, "2020-05-10T16:00:00Z"},
		{"二〇二〇年五月十一日", china, "2020-05-10T16:00:00Z"},
		{"11.05.2020 08:00", germany, "2020-05-11T06:00:00Z"},
		{"11. Mai 2020", germany, "2020-05-10T22:00:00Z"},
		{"11 мая 2020 г.", nowhere, "2020-05-11T00:00:00Z"},
		{"May 11, 2020", nowhere, "2020-05-11T00:00:00Z"},
		{"Mon May 11 08:00:00 CST 2020", china, "2020-05-11T00:00:00Z"},
		{"Thu, 01 Jan 1970 00:00:00 GMT", nowhere, ""},
		{"0001-01-01T00:00:00Z", nowhere, ""},
		{"0000-00-00 00:00:00", nowhere, ""},
		{"yesterday", nowhere, ""},
		{"", nowhere, ""},
	}
	for _, tt := range tests {
		drafts, err := ParseFeed([]byte(rssItem(`<guid>1</guid><title>A</title><description>x</description><pubDate>`+tt.date+`</pubDate>`)), "", tt.address)
		if err != nil || len(drafts) != 1 {
			t.Fatalf("%q: %d items, %v", tt.date, len(drafts), err)
		}
		got := ""
		if at := drafts[0].Published; !at.IsZero() {
			got = at.UTC().Truncate(time.Second).Format(time.RFC3339)
		}
		if got != tt.want {
			t.Errorf("%q at %s: %s, want %s", tt.date, tt.address, got, tt.want)
		}
	}
}

func TestBrief(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Words about a hall that opens in May. ", 40)
	for inner, want := range map[string]bool{
		"<description>In short.</description>": true, "": true, "<description>" + long + "</description>": false, "<description>" + long + " [&#8230;]</description>": true,
		"<description>" + long + "<![CDATA[<a href='/1'>Read more</a>]]></description>": true, "<description>x</description><content:encoded>Short, and all there is.</content:encoded>": false,
		"<content:encoded>" + long + "...</content:encoded>": true, `<description>x</description><enclosure type="audio/mpeg" url="/a.mp3"/>`: false,
		"<description>一段很短的摘要。</description>": true,
	} {
		feed, err := readFeed([]byte(rssItem(`<guid>1</guid><link>https://www.example.org/1</link><title>A</title>`+inner)), "", "https://www.example.org/feed", articles.Source{})
		if err != nil || feed.brief["1"] != want {
			t.Errorf("%.60q: %t, want %t; %v", inner, feed.brief["1"], want, err)
		}
	}
}
