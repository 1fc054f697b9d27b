package validate_test

import (
	"fmt"
	"strings"
	"testing"

	"silkpost/feeds/validate"
)

// BenchmarkCheck checks documents of 1,000 items with 5 KB of HTML each.
func BenchmarkCheck(b *testing.B) {
	var page strings.Builder
	for page.Len() < 5000 {
		page.WriteString(`<p>Visitors from <a href="https://www.example.org/partners?a=1&amp;b=2">many countries</a> are expected.</p>` +
			`<p><img src="https://www.example.org/hall.jpg" alt="The hall"> 百所学校参加。</p>` + "\n")
	}
	html := page.String()
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(html)
	var rss, atom, items strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&rss, `<item><title>Title %d</title><link>https://www.example.org/%[1]d</link><description>Summary</description>`+
			`<content:encoded><![CDATA[%s]]></content:encoded><guid>https://www.example.org/%[1]d</guid>`+
			`<pubDate>Wed, 04 Mar 2026 18:30:15 +0000</pubDate><category>News</category><dc:creator>Press office</dc:creator></item>`+"\n", i, html)
		fmt.Fprintf(&atom, `<entry><id>urn:example:%d</id><title>Title</title><updated>2026-03-04T18:30:15Z</updated>`+
			`<link href="https://www.example.org/%[1]d"/><summary>Summary</summary><content type="html">%s</content>`+
			`<category term="News"/></entry>`+"\n", i, escaped)
		fmt.Fprintf(&items, `{"id": "%d", "url": "https://www.example.org/%[1]d", "title": "Title", "content_html": %q, "summary": "Summary",`+
			` "date_published": "2026-03-04T18:30:15Z", "tags": ["News"]},`+"\n", i, html)
	}
	for _, c := range []struct{ format, doc string }{
		{"rss", inChannel(rss.String())}, {"atom", inFeed(atom.String())}, {"json", inJSON("", strings.TrimSuffix(items.String(), ",\n"))},
	} {
		b.Run(c.format, func(b *testing.B) {
			if found := check(b, c.format, c.doc); len(found) > 0 {
				b.Fatal(found[0])
			}
			b.SetBytes(int64(len(c.doc)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := validate.Check(c.format, []byte(c.doc)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
