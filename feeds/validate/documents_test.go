package validate_test

import "strings"

// The documents that tests are made of: each of these is valid, and without what it is given, holds nothing that is found.

const (
	selfRSS  = `<atom:link rel="self" href="https://www.example.org/feed.rss" type="application/rss+xml"/>`
	selfAtom = `<link rel="self" href="https://www.example.org/feed.atom" type="application/atom+xml"/>`
	author   = `<author><name>Press office</name></author>`
	entry    = `<entry><id>urn:example:1</id><title>A</title><updated>2026-03-04T18:30:15Z</updated><link href="https://www.example.org/1"/>` +
		`<content type="html">&lt;p&gt;A&lt;/p&gt;</content></entry>`
	channel = `<channel><title>News</title><link>https://www.example.org/</link><description>All news</description></channel>`
)

// rssWith returns a feed whose channel has the given elements, in line 3.
func rssWith(root, self, elements string) string {
	return root + "\n<channel><title>News</title><link>https://www.example.org/</link><description>All news</description>" + self + "\n" +
		elements + "\n</channel>\n</rss>"
}

const rssRoot = `<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/"` +
	` xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:fh="http://purl.org/syndication/history/1.0" xmlns:media="http://search.yahoo.com/mrss/">`

func inChannel(elements string) string { return rssWith(rssRoot, selfRSS, elements) }

func inItem(elements string) string {
	return inChannel(`<item><title>A</title><guid isPermaLink="false">a</guid>` + elements + `</item>`)
}

func inHTML(text string) string {
	return inItem(`<description>A</description><content:encoded><![CDATA[` + text + `]]></content:encoded>`)
}

// atomWith returns a feed that has the given elements, in line 3.
func atomWith(attrs, head, elements string) string {
	return `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:fh="http://purl.org/syndication/history/1.0"` +
		` xmlns:at="http://purl.org/atompub/tombstones/1.0"` + attrs + `>` +
		"\n<id>urn:example:feed</id><title>News</title><updated>2026-03-05T18:30:15Z</updated>" + head + "\n" + elements + "\n</feed>"
}

func inFeed(elements string) string { return atomWith("", author+selfAtom, elements) }

func inEntry(elements string) string {
	return inFeed(strings.Replace(entry, "</entry>", elements+"</entry>", 1))
}

// withContent returns a feed with an entry that has the given content.
func withContent(content string) string {
	head, _, _ := strings.Cut(entry, "<content")
	return inFeed(head + content + "</entry>")
}

// inJSON returns a feed with the given fields, in line 2, and items, in line 3.
func inJSON(fields, items string) string {
	if fields != "" {
		fields += ","
	}
	return `{"version": "https://jsonfeed.org/version/1.1", "title": "News", "home_page_url": "https://www.example.org/",` +
		` "feed_url": "https://www.example.org/feed.json",` + "\n" + fields + "\n" + `"items": [` + items + `]}`
}

func inJSONItem(fields string) string {
	return inJSON("", `{"id": "a", "content_text": "A", `+fields+`}`)
}
