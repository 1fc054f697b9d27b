package sources

import (
	"fmt"
	"strings"
	"testing"

	"silkpost/internal/articles"
	"silkpost/internal/errs"
)

// bentFeeds are feeds as they are met: each has an item "One" and an item "Two", and something that no parser of XML would take.
var bentFeeds = map[string]string{
	"well-formed":                  rssOf(item("One"), item("Two")),
	"bare ampersand":               rssOf(item("One"), `<item><guid>Two</guid><title>Two</title><link>https://www.example.org/Two?a=1&b=2</link><description>R&D & more</description></item>`),
	"HTML entities":                rssOf(item("One"), `<item><guid>Two</guid><title>Two</title><description>caf&eacute;&nbsp;&hellip; &bogus; &#0; &#xD800; &#99999999;</description></item>`),
	"no end":                       strings.TrimSuffix(rssOf(item("One"), item("Two")), "</channel></rss>"),
	"cut in the third item":        `<rss version="2.0"><channel><title>x</title>` + item("One") + item("Two") + `<item><guid>3</guid><title>Thr`,
	"cut within a tag":             `<rss version="2.0"><channel><title>x</title>` + item("One") + item("Two") + `<item><gu`,
	"cut within CDATA":             `<rss version="2.0"><channel><title>x</title>` + item("One") + item("Two") + `<item><guid>3</guid><description><![CDATA[<p>Words`,
	"cut within a comment":         `<rss version="2.0"><channel><title>x</title>` + item("One") + item("Two") + `<!-- <item>`,
	"control characters":           rssOf(item("One"), "<item><guid>Two</guid><title>T\x01w\x0bo\x1f</title><description>\x00Words\uffff</description></item>"),
	"marks of byte order within":   "\ufeff" + rssOf(item("One"), "\ufeff"+item("Two")+"\ufeff"),
	"several marks at the start":   "\ufeff\ufeff" + rssOf(item("One"), item("Two")),
	"blanks before declaration":    "\n\n  <?xml version=\"1.0\" encoding=\"utf-8\"?>" + rssOf(item("One"), item("Two")),
	"words before declaration":     "Warning: mysql_connect() in <b>/var/www/x.php</b> on line 5<br />\n<?xml version=\"1.0\"?>" + rssOf(item("One"), item("Two")),
	"words after the end":          rssOf(item("One"), item("Two")) + "<!-- cached --><script>var x = 1 < 2 && 3;</script> done & dusted",
	"several roots":                rssOf(item("One"), item("Two")) + rssOf(item("Three")),
	"declaration twice":            `<?xml version="1.0"?><?xml version="1.0" encoding="gbk"?>` + rssOf(item("One"), item("Two")),
	"version of XML 1.1":           `<?xml version="1.1" encoding="utf-8"?>` + rssOf(item("One"), item("Two")),
	"declaration without quotes":   `<?xml version=1.0 encoding=utf-8?>` + rssOf(item("One"), item("Two")),
	"doctype with entities":        `<!DOCTYPE rss [<!ENTITY nbsp "&#160;"><!ENTITY lol "lol">]>` + rssOf(item("One"), strings.Replace(item("Two"), "Words", "&nbsp;&lol;", 1)),
	"doctype of Netscape":          `<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/rss-0.91.dtd">` + strings.Replace(rssOf(item("One"), item("Two")), "2.0", "0.91", 1),
	"stylesheet":                   `<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="/x.xsl"?>` + rssOf(item("One"), item("Two")),
	"markup that is not escaped":   rssOf(item("One"), `<item><guid>Two</guid><title>Two</title><description><p>Words<br>more <b>words</p><img src="/x.jpg"></description></item>`),
	"title with markup":            rssOf(item("One"), `<item><guid>Two</guid><title><b>Two</b></title><description>x</description></item>`),
	"an end that is missing":       rssOf(item("One"), `<item><guid>Two</guid><title>Two</title><category>News<description>Words</description></item>`),
	"an end too many":              rssOf(item("One"), `<item><guid>Two</guid><title>Two</title></author><description>Words</description></item>`),
	"ends in the wrong order":      rssOf(item("One"), `<item><guid>Two</guid><title>Two</title><author><name>A</author></name><description>Words</description></item>`),
	"attributes without quotes":    rssOf(item("One"), `<item><guid isPermaLink=false>Two</guid><title>Two</title><enclosure url=/x.mp3 length=5 type=audio/mpeg /><description>Words</description></item>`),
	"attributes without value":     rssOf(item("One"), `<item><guid hidden>Two</guid><title>Two</title><description>Words</description></item>`),
	"attribute twice":              rssOf(item("One"), `<item><guid a="1" a="2">Two</guid><title>Two</title><description>Words</description></item>`),
	"ampersand in an attribute":    rssOf(item("One"), `<item><guid>Two</guid><title>Two</title><enclosure url="https://x.example/?a=1&b=2" type="image/png" length="1"/><description>Words</description></item>`),
	"less-than in an attribute":    rssOf(item("One"), `<item><guid>Two</guid><title>Two</title><enclosure url="a<b" type="x/y" length="1"/><description>Words</description></item>`),
	"less-than in a title":         rssOf(item("One"), `<item><guid>Two</guid><title>Two</title><description>5 < 6 and x<y, a <= b</description></item>`),
	"prefix without namespace":     rssOf(item("One"), `<item><guid>Two</guid><title>Two</title><dc:date>2020-05-11</dc:date><media:thumbnail url="/x.jpg"/><description>Words</description></item>`),
	"capitals":                     strings.NewReplacer("<rss", "<RSS", "</rss", "</RSS", "<item", "<ITEM", "</item", "</ITEM").Replace(rssOf(item("One"), item("Two"))),
	"items beside the channel":     `<rss version="0.91"><channel><title>x</title></channel>` + item("One") + item("Two") + `</rss>`,
	"no channel":                   `<rss version="2.0">` + item("One") + item("Two") + `</rss>`,
	"CDATA with its own end":       rssOf(item("One"), `<item><guid>Two</guid><title>Two</title><description><![CDATA[a ]]> b ]]></description></item>`),
	"CDATA in CDATA":               rssOf(item("One"), `<item><guid>Two</guid><title>Two</title><description><![CDATA[a <![CDATA[b]]> c]]></description></item>`),
	"comment with dashes":          rssOf(item("One"), `<!-- a -- b ---><item><guid>Two</guid><title>Two</title><description>Words</description></item>`),
	"processing within":            rssOf(item("One"), `<?php echo 1 ?><item><guid>Two</guid><title>Two</title><description>Words</description></item>`),
	"processing instruction open":  rssOf(item("One"), `<?php echo 1 > 0; <item><guid>Two</guid><title>Two</title><description>Words</description></item>`),
	"not UTF-8 in places":          rssOf(item("One"), "<item><guid>Two</guid><title>Two</title><description>W\xf6rter "+strings.Repeat("ä", 60)+"</description></item>"),
	"names that begin with digits": rssOf(item("One"), `<item><guid>Two</guid><title>Two</title><2col>x</2col><description>Words</description></item>`),
	"Atom":                         `<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>` + entry1("One") + entry1("Two") + `</feed>`,
	"Atom cut":                     `<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>` + entry1("One") + entry1("Two") + `<entry><id>3</id><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>W`,
	"Atom with prefix":             `<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>x</a:title>` + strings.NewReplacer("</", "</a:", "<", "<a:").Replace(entry1("One")+entry1("Two")) + `</a:feed>`,
	"Atom without namespace":       `<feed><title>x</title>` + entry1("One") + entry1("Two") + `</feed>`,
	"Atom with HTML entities":      `<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>` + entry1("One") + strings.Replace(entry1("Two"), "Words", "&nbsp;R&D&eacute;", 1) + `</feed>`,
	"Atom 0.3":                     `<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>x</title>` + entry1("One") + entry1("Two") + `</feed>`,
	"RDF": `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel rdf:about="x"><title>x</title></channel>` +
		item("One") + item("Two") + `</rdf:RDF>`,
	"RDF cut": `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel rdf:about="x"><title>x</title></channel>` +
		item("One") + item("Two") + `<item rdf:about="3"><ti`,
	"RSS 0.90": `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/"><channel><title>x</title></channel>` +
		item("One") + item("Two") + `</rdf:RDF>`,
	"JSON with a mark":           "\ufeff" + `{"version":"https://jsonfeed.org/version/1.1","title":"x","items":[{"id":"One","title":"One","content_text":"x"},{"id":"Two","title":"Two","content_text":"x"}]}`,
	"JSON after blanks":          "\n\n" + `{"version":"https://jsonfeed.org/version/1","title":"x","items":[{"id":"One","title":"One","content_text":"x"},{"id":"Two","title":"Two","content_text":"x"}]}`,
	"JSON with numbers for ids":  `{"version":"https://jsonfeed.org/version/1.1","title":"x","items":[{"id":1,"title":"One","content_text":"x"},{"id":2.5,"title":"Two","content_text":"x"}]}`,
	"JSON with control letters":  `{"version":"https://jsonfeed.org/version/1.1","title":"x","items":[{"id":"One","title":"One","content_text":"a` + "\n\tb" + `"},{"id":"Two","title":"Two","content_text":"x"}]}`,
	"JSON with a comma too many": `{"version":"https://jsonfeed.org/version/1.1","title":"x","items":[{"id":"One","title":"One","content_text":"x"},{"id":"Two","title":"Two","content_text":"x",},],}`,
	"JSON with an author of old": `{"version":"https://jsonfeed.org/version/1","title":"x","author":{"name":"A"},"items":[{"id":"One","title":"One","content_text":"x","author":{"name":"B"}},{"id":"Two","title":"Two","content_text":"x"}]}`,
	"JSON with a bad item":       `{"version":"https://jsonfeed.org/version/1.1","title":"x","items":[{"id":"One","title":"One","content_text":"x"},"nothing",{"id":"3","title":["no"]},{"id":"Two","title":"Two","content_text":"x"}]}`,
}

func rssOf(items ...string) string {
	return `<rss version="2.0"><channel><title>x</title><link>https://www.example.org/</link>` + strings.Join(items, "\n") + `</channel></rss>`
}

func item(title string) string {
	return fmt.Sprintf(`<item><guid>%s</guid><title>%[1]s</title><link>https://www.example.org/%[1]s</link><description>Words</description></item>`, title)
}

func entry1(title string) string {
	return fmt.Sprintf(`<entry><id>%s</id><title>%[1]s</title><link href="https://www.example.org/%[1]s"/><summary>Words</summary></entry>`, title)
}

func TestBentFeeds(t *testing.T) {
	t.Parallel()
	for name, text := range bentFeeds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drafts, err := ParseFeed([]byte(text), "application/rss+xml", "https://www.example.org/feed")
			if err != nil {
				t.Fatal(err)
			}
			titles := map[string]bool{}
			for _, d := range drafts {
				titles[d.Title] = true
				if err := d.Check(); err != nil {
					t.Error(err)
				}
			}
			if !titles["One"] || !titles["Two"] || titles["Three"] {
				t.Errorf("found %v", titles)
			}
		})
	}
}

func TestNoFeeds(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("<a>", 10_000)
	for text, says := range map[string]string{
		"":    "empty",
		"   ": "empty",
		"<!doctype html><title>Not found</title>":                                            "is a web page",
		"\n<html><body>Maintenance</body></html>":                                            "is a web page",
		"<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"><head/></html>": "is a web page",
		"<svg xmlns='http://www.w3.org/2000/svg'/>":                                          "cannot be read",
		"{\"error\": \"no\"}":                                                                "cannot be read",
		"[]":                                                                                 "cannot be read",
		"%PDF-1.4":                                                                           "cannot be read",
		"GIF89a":                                                                             "cannot be read",
		"<rss><channel>" + deep:                                                              "nested too deeply",
		"<feed>" + strings.Repeat("<entry>", 1000):                                           "nested too deeply",
		"{\"version\":\"https://jsonfeed.org/version/1\",\"items\":" + strings.Repeat("[", 20_000): "cannot be read",
		"<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]><lolz>&lol2;</lolz>":  "cannot be read",
	} {
		_, err := ParseFeed([]byte(text), "", "https://www.example.org/feed")
		if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 400 {
			t.Errorf("%.60q: %v, want %q", text, err, says)
		}
	}
}

// What is well-formed says the same when it is mended, and what was mended is well-formed.
func FuzzMend(f *testing.F) {
	for _, text := range bentFeeds {
		f.Add(text)
	}
	f.Add("<rss version=\"2.0\"><channel\xbd\xbd\xbd><title>x</title><link>https:") // a name that is none
	for _, name := range []string{"feed.rss", "feed.atom"} {
		f.Add(string(readTestdata(f, name)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = decodeXML([]byte(text), "text/xml; charset=utf-8")
		root := feedRoot.FindStringIndex(text)
		if root == nil {
			return
		}
		m := &mender{in: text[root[0]:], item: -1}
		mended, err := m.mend()
		if err != nil {
			return
		}
		if err := wellFormed(mended); err != nil {
			t.Fatalf("%q became %q: %v", text, mended, err)
		}
		if wellFormed(text) != nil {
			return
		}
		was, err := readFeed([]byte(text), "", "https://www.example.org/feed", articles.Source{})
		if err != nil {
			return
		}
		is, err := readFeed([]byte(mended), "", "https://www.example.org/feed", articles.Source{})
		if err != nil || len(is.drafts) != len(was.drafts) {
			t.Fatalf("%q became %q: %d items, %d then; %v", text, mended, len(was.drafts), len(is.drafts), err)
		}
	})
}

// Mending goes once through a document, whatever is in it: a second time for each tag would take hours.
func TestMendingEnds(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"<a b='", `<a b="<`, "<!--", "<?x ", "</", "<a ", "&", "<b>x</b>", "<item>", "]]>", "<a b=c", "<a b=/", "<a/", "<x:y:z "} {
		text := `<rss version="2.0"><channel>` + strings.Repeat(part, 1<<20/len(part))
		m := &mender{in: text, item: -1}
		if _, err := m.mend(); err != nil && m.at == 0 {
			t.Errorf("%q: %v", part, err)
		}
	}
}
