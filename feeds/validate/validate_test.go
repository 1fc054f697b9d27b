package validate_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"silkpost/feeds/validate"
	"silkpost/internal/errs"
)

// badCase is a document with all that is to be found in it.
type badCase struct {
	name, format, doc string
	want              []string
}

func (c badCase) run(t *testing.T) {
	t.Run(c.name, func(t *testing.T) {
		t.Parallel()
		if diff := cmp.Diff(c.want, check(t, c.format, c.doc)); diff != "" {
			t.Errorf("%s\n(-want +got):\n%s", c.doc, diff)
		}
	})
}

// check returns the findings in a document as lines.
func check(t testing.TB, format, doc string) (found []string) {
	t.Helper()
	findings, err := validate.Check(format, []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		found = append(found, f.String())
	}
	return found
}

func TestGoodDocuments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ format, doc string }{
		"RSS, empty": {"rss", inChannel("")},
		"RSS with everything": {"rss", inChannel(`<language>zh-Hans</language><copyright>© 2026 A &amp; B</copyright>
			<managingEditor>office@example.org (Press office)</managingEditor><webMaster>web@example.org (Web master)</webMaster>
			<pubDate>Wed, 04 Mar 2026 18:30:15 +0000</pubDate><lastBuildDate>Fri, 06 Mar 2026 18:30 GMT</lastBuildDate>
			<category domain="https://www.example.org/tags">News</category><generator>Silkpost</generator>
			<docs>https://www.rssboard.org/rss-specification</docs><ttl>60</ttl><rating>none</rating>
			<cloud domain="rpc.example.org" port="80" path="/RPC2" registerProcedure="" protocol="http-post"/>
			<image><url>https://www.example.org/logo.png</url><title>News</title><link>https://www.example.org/</link>
			<width>144</width><height>400</height><description>Logo</description></image>
			<skipHours><hour>0</hour><hour>23</hour></skipHours><skipDays><day>Sunday</day></skipDays>
			<atom:link rel="hub" href="https://hub.example.org/"/>
			<atom:link rel="prev-archive" href="https://www.example.org/1.rss"/>
			<item><title>新闻 1 &lt; 2</title><link>https://www.example.org/%E6%96%B0?a=1&amp;b=2#c</link>
			<description>&lt;p&gt;A&lt;/p&gt;</description><author>office@example.org (Press office)</author>
			<category>A</category><category>B</category><comments>https://www.example.org/comments</comments>
			<enclosure url="https://www.example.org/a.mp3" length="0" type="audio/mpeg"/>
			<guid>https://www.example.org/1</guid><pubDate>5 Mar 2026 18:30:15 EST</pubDate>
			<source url="https://www.example.org/feed">Example</source>
			<content:encoded><![CDATA[<p>A <a href="mailto:office@example.org">mail</a> <img src="https://www.example.org/a.jpg" width="1" height="20"
			srcset="https://www.example.org/b.jpg 2x, https://www.example.org/c,d.jpg"></p>]]></content:encoded>
			<dc:language>sr-Latn</dc:language>
			<media:content url="https://www.example.org/a.jpg" medium="image" type="image/jpeg" width="640"><media:title>A</media:title></media:content>
			<media:thumbnail url="https://www.example.org/s.jpg" time="00:00:12.5"/></item>`)},
		"RSS with times of Dublin Core": {"rss", inItem("<dc:date>2026</dc:date><dc:date>2026-03</dc:date><dc:date>2026-03-04</dc:date>" +
			"<dc:date>2026-03-04T18:30Z</dc:date><dc:date>2026-03-04T18:30:15.5+01:00</dc:date>")},
		"RSS with numbers":              {"rss", inItem(`<content:items/><media:content url="https://www.example.org/a.mp3" bitrate="44.1" isDefault="true" lang="it"/>`)},
		"RSS archive":                   {"rss", inChannel(`<fh:archive/><atom:link rel="current" href="https://www.example.org/current.rss"/>`)},
		"RSS with blanks around values": {"rss", inItem("<link>\n\thttps://www.example.org/a\n</link><pubDate>\nWed, 04 Mar 2026 18:30:15 +0000\n</pubDate>")},
		"RSS with things of others": {"rss", `<?xml version="1.0"?><?xml-stylesheet type="text/css" href="/feed.css"?><!-- a -->` +
			inItem(`<x:y xmlns:x="urn:example:x" z="1"><x:z/>text</x:y>`) + "\n<!-- b -->\n"},
		"Atom, empty": {"atom", inFeed("")},
		"Atom with everything": {"atom", "\ufeff<?xml version='1.0' encoding='UTF-8'?>" + inFeed(`<link href="https://www.example.org/"/>
			<link href="https://www.example.org/新闻" hreflang="zh-Hans" type="text/html"/><link href="https://www.example.org/it" hreflang="it" type="text/html"/>
			<link rel="hub" href="https://hub.example.org/"/><link rel="https://www.example.org/rel" href="urn:example:a"/>
			<link rel="prev-archive" href="https://www.example.org/1.atom"/>
			<subtitle type="html">&lt;b&gt;All&lt;/b&gt; news</subtitle><rights type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">© <b>A</b></div></rights>
			<category term="News" scheme="https://www.example.org/tags" label="新闻"/><generator uri="https://www.example.org/" version="1">Silkpost</generator>
			<icon>/favicon.ico</icon><logo>https://www.example.org/logo.png</logo><contributor><name>B</name><x:y xmlns:x="urn:example:x"/><email>b@example.org</email><uri>/b</uri></contributor>
			<at:deleted-entry ref="urn:example:9" when="2026-03-04T18:30:15+01:00" xml:lang="en"><at:by><name>Office</name></at:by><at:comment>gone</at:comment></at:deleted-entry>
			<entry xml:lang="ar"><id>tag:example.org,2026-03:1</id><title>A</title><published>2026-03-04T18:30:15.123Z</published><updated>2026-03-04T18:30:60Z</updated>
			<content type="image/png">iVBO Rw0K</content><summary>A &lt; B</summary><author><name>O'Example &lt;office@example.org&gt;</name></author></entry>
			<entry xml:base="https://www.example.org/"><id>urn:uuid:0B1F6A52-4a0e-5d2b-9f0e-0d5d5bd3a001</id><title type="text">A</title><updated>2026-03-04T18:30:15Z</updated>
			<link rel="enclosure" href="a.mp3" length="17" type="audio/mpeg; codecs=mp3"/><content type="html">&lt;a href="b"&gt;B&lt;/a&gt;</content></entry>
			<entry><id>http://[::1]/a</id><title>A</title><updated>2026-03-04T18:30:15Z</updated><content src="https://www.example.org/a.html" type="text/html"/><summary>A</summary></entry>
			<entry><id>urn:example:4</id><title>A</title><updated>2026-03-04T18:30:15Z</updated><content type="image/svg+xml"><svg xmlns="http://www.w3.org/2000/svg"/></content></entry>`)},
		"Atom, complete":            {"atom", inFeed(`<fh:complete/><link rel="current" href="https://www.example.org/feed.atom"/>`)},
		"Atom, archive":             {"atom", inFeed(`<fh:archive/><link rel="current" href="https://www.example.org/"/><link rel="next-archive" href="https://www.example.org/2.atom"/>`)},
		"Atom, author in the entry": {"atom", atomWith("", selfAtom, strings.Replace(entry, "<title>", author+"<title>", 1))},
		"Atom, author in a source": {"atom", atomWith("", selfAtom, strings.Replace(entry, "<title>",
			"<source><id>urn:example:s</id><title>S</title><updated>2026-03-04T18:30:15Z</updated>"+author+"</source><title>", 1))},
		"JSON, empty": {"json", inJSON("", "")},
		"JSON with everything": {"json", " " + inJSON(`"description": "A & B", "user_comment": "<b>", "next_url": "https://www.example.org/2.json",
			"icon": "https://www.example.org/i.png", "favicon": "https://www.example.org/f.png", "language": "en-GB", "expired": false,
			"authors": [{"name": "A"}, {"url": "mailto:office@example.org"}, {"avatar": "https://www.example.org/a.png"}], "_own": {"about": null, "x": [1, true]},
			"author": {"name": "A"}, "hubs": [{"type": "WebSub", "url": "https://hub.example.org/"}]`,
			`{"id": "1", "url": "https://www.example.org/1", "external_url": "https://www.example.org/", "title": "A", "content_html": "<p>A</p>",
			"content_text": "<b>", "summary": "1 < 2", "image": "https://www.example.org/a.png", "banner_image": "https://www.example.org/b.png",
			"date_published": "2026-03-04T18:30:15Z", "date_modified": "2026-03-04t19:30:15+01:00", "tags": ["a", "新闻 \ud83d\ude00"], "language": "zh-Hans",
			"attachments": [{"url": "https://www.example.org/a.mp3", "mime_type": "audio/mpeg", "title": "A", "size_in_bytes": 17, "duration_in_seconds": 1.5}]},
			{"id": "2", "content_text": ""}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if found := check(t, c.format, c.doc); len(found) > 0 {
				t.Errorf("%s\n%s", c.doc, strings.Join(found, "\n"))
			}
		})
	}
}

func inUTF16(text string) []byte {
	body := []byte{0xFE, 0xFF}
	for _, unit := range utf16.Encode([]rune(text)) {
		body = append(body, byte(unit>>8), byte(unit))
	}
	return body
}

// The documents that package feeds writes have no errors, hostile articles or not.
func TestOurFeedsAreValid(t *testing.T) {
	t.Parallel()
	for _, path := range ourFeeds(t) {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		findings, err := validate.Check(strings.TrimPrefix(filepath.Ext(path), "."), body)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			if f.Severity == validate.Error {
				t.Errorf("%s: %s", path, f)
			}
		}
	}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		"{": "json", "\ufeff \n{}": "json", "<rss": "", "<rss>": "rss", "<?xml version='1.0'?><!-- {} --><rss version='0.91'>": "rss",
		"<feed>": "atom", "<a:feed xmlns:a='http://www.w3.org/2005/Atom'/>": "atom", string(inUTF16("<feed/>")): "atom",
		"": "", "[]": "", "<html>": "", "<entry/>": "", "<rdf:RDF/>": "", "no": "", "\xff": "",
	} {
		if got, ok := validate.Detect([]byte(doc)); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %t, want %q", doc, got, ok, want)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	t.Parallel()
	_, err := validate.Check("opml", nil)
	if errs.KindOf(err) != errs.Invalid || err.Error() != `feed format "opml" is unknown: use rss, atom or json` {
		t.Errorf("error %v of kind %d", err, errs.KindOf(err))
	}
}

func TestFindingsAreInOrderAndCounted(t *testing.T) {
	t.Parallel()
	items := strings.Repeat("<item><title>A</title><link>/</link></item>\n", 1000)
	findings, err := validate.Check("rss", []byte(inChannel(items)))
	if err != nil || len(findings) != 201 {
		t.Fatalf("%d findings, %v", len(findings), err)
	}
	if !slices.IsSortedFunc(findings, func(a, b validate.Finding) int { return a.Line - b.Line }) {
		t.Error("not in the order of the lines")
	}
	want := "line 102: error: document: 1800 more findings are not listed, 900 of them errors: mend these first (this checker)"
	if got := findings[200].String(); got != want {
		t.Errorf("the last says %q, want %q", got, want)
	}
	mended := strings.ReplaceAll(items, "<link>/</link>", "")
	if last := check(t, "rss", inChannel(mended)); !strings.Contains(last[200], "warning: document: 800 more findings are not listed, 0 of them errors") {
		t.Errorf("the last says %q", last[200])
	}
}

// What a document holds does not make findings long, nor more than one line.
func TestFindingsStayShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a\n\x00éü", 10000)
	name := strings.Repeat("ü", 10000)
	for format, docs := range map[string][]string{
		"rss":  {inItem("<link>" + long + "</link>"), inChannel("<" + name + "/>"), inChannel("<" + name + ":a/>"), "<rss " + name + "='1'/>", "<rss>&" + name + ";</rss>"},
		"json": {inJSON(inJSONString(long)+": 1", ""), inJSON(inJSONString(name)+": "+inJSONString(long), ""), `{"version": "` + name + `"}`},
		"atom": {inFeed("<author>" + strings.Repeat("<"+name[:200]+">", 90) + strings.Repeat("</"+name[:200]+">", 90) + "</author>")},
	} {
		for _, doc := range docs {
			found := check(t, format, doc)
			if len(found) == 0 {
				t.Errorf("nothing found in %.100s", doc)
			}
			for _, line := range found {
				if len(line) > 1000 || strings.ContainsAny(line, "\n\x00") {
					t.Errorf("%d bytes: %q", len(line), line)
				}
			}
		}
	}
}

func inJSONString(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ format, doc, want string }{
		{"rss", "<rss>" + strings.Repeat(" ", 64<<20), "line 1: error: document: the document is larger than 64 MiB: divide it into pages or archives (this checker)"},
		{"atom", "<feed>" + strings.Repeat("<a/>", 1<<20), "line 1: error: document: the document has more than 1048576 elements: divide it into pages or archives (this checker)"},
		{"json", `{"a":[` + strings.Repeat("0,", 1<<20) + "0]}", "line 1: error: document: the document has more than 1048576 values: divide it into pages (this checker)"},
	} {
		if got := check(t, c.format, c.doc); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
