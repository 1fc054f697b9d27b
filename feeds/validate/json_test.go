package validate_test

import (
	"strings"
	"testing"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []badCase{
		{"empty", "json", "", []string{
			"line 1: error: document: the document is not JSON, unexpected end of JSON input: mend this first (RFC 8259, 2)",
		}},
		{"not JSON", "json", "{\"version\": \"https://jsonfeed.org/version/1.1\",\n}", []string{
			"line 2: error: document: the document is not JSON, invalid character '}' looking for beginning of object key string: mend this first (RFC 8259, 2)",
		}},
		{"more behind it", "json", "{}\n{}", []string{
			"line 2: error: document: the document is not JSON, invalid character '{' after top-level value: mend this first (RFC 8259, 2)",
		}},
		{"byte order mark", "json", "\ufeff" + inJSON("", ""), []string{
			"line 1: error: document: the document begins with a byte order mark, which JSON must not: leave it out (RFC 8259, 8.1)",
		}},
		{"invalid UTF-8", "json", inJSON("\"description\": \"\xe9\"", ""), []string{
			"line 2: error: document: byte 0xE9 is not UTF-8: write it as UTF-8 or leave it out (RFC 8259, 8.1)",
			"line 2: warning: description: description holds U+FFFD, a sign of text that was read in a wrong encoding: look at where it comes from (W3C feed validator, BadCharacters)",
		}},
		{"half a character", "json", inJSON("\"description\": \"\\ud83d\", \"_a\": \"\\ud83d\\ude00 \\\\ud83d\"", ""), []string{
			`line 2: error: document: \ud83d is half a character: write both halves, or the character itself (RFC 8259, 8.2)`,
			"line 2: warning: description: description holds U+FFFD, a sign of text that was read in a wrong encoding: look at where it comes from (W3C feed validator, BadCharacters)",
		}},
		{"not an object", "json", "[]", []string{
			"line 1: error: document: the document is an array: a feed is an object (JSON Feed 1.1, top-level)",
		}},
		{"nothing in it", "json", "{}", []string{
			"line 1: error: document: the feed has no items: add it (JSON Feed 1.1, top-level)",
			"line 1: error: document: the feed has no title: add it (JSON Feed 1.1, top-level)",
			"line 1: error: document: the feed has no version: add it (JSON Feed 1.1, top-level)",
			"line 1: warning: document: the feed has no home_page_url: add it, a feed on the web needs it (JSON Feed 1.1, top-level)",
			"line 1: warning: document: the feed has no feed_url: add it, a feed on the web needs it (JSON Feed 1.1, top-level)",
		}},
		{"RSS", "json", "<rss/>", []string{
			"line 1: error: document: this is a document of RSS, not of JSON Feed: check it as rss (this checker)",
		}},
		{"deep", "json", strings.Repeat(`{"a":`, 101) + "1" + strings.Repeat("}", 101), []string{
			"line 1: error: a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a: values stand more than 100 deep in one another: nothing was read beyond (this checker)",
		}},
		{"old version", "json", `{"version": "https://jsonfeed.org/version/1", "title": "A", "home_page_url": "https://www.example.org/", "feed_url": "https://www.example.org/feed.json", "items": []}`, []string{
			`line 1: warning: version: version "https://jsonfeed.org/version/1" is the old version: write https://jsonfeed.org/version/1.1 (JSON Feed 1.1, top-level)`,
		}},
		{"unknown version", "json", `{"version": "1.1", "title": "", "home_page_url": "https://www.example.org/", "feed_url": "https://www.example.org/feed.json", "items": []}`, []string{
			`line 1: error: version: version "1.1" is not a version of JSON Feed: write https://jsonfeed.org/version/1.1 (JSON Feed 1.1, top-level)`,
			"line 1: warning: title: title is empty: fill it, or leave it out (JSON Feed 1.1, top-level)",
		}},
		{"version behind the title", "json", `{"title": "A", "version": "https://jsonfeed.org/version/1.1", "home_page_url": "https://www.example.org/", "feed_url": "https://www.example.org/feed.json", "items": []}`, []string{
			"line 1: warning: version: version stands behind other fields: put it first (JSON Feed 1.1, top-level)",
		}},
		{"name twice", "json", inJSON("\"icon\": \"https://www.example.org/a.png\",\n\"icon\": \"https://www.example.org/b.png\"", ""), []string{
			`line 3: error: icon: "icon" is there more than once, and readers differ in which they take: leave one (RFC 8259, 4)`,
		}},
		{"name twice in an extension", "json", inJSON("\"_a\": {\"b\": 1,\n\"b\": 2}", ""), []string{
			`line 3: error: _a/b: "b" is there more than once, and readers differ in which they take: leave one (RFC 8259, 4)`,
		}},
		{"field without a name", "json", inJSON(`"": 1`, ""), []string{
			`line 2: warning: "": "" is not a field of JSON Feed: leave it out, or let its name begin with _ (JSON Feed 1.1, extensions)`,
		}},
		{"control character", "json", inJSON(`"description": "a\u0007"`, ""), []string{
			"line 2: warning: description: description holds U+0007, a sign of text that was read in a wrong encoding: look at where it comes from (W3C feed validator, BadCharacters)",
		}},
		{"kinds", "json", inJSON(`"description": null, "expired": "no", "hubs": {}, "authors": "A", "language": [], "icon": 1`, ""), []string{
			"line 2: error: description: description is null: make it a string, or leave it out (JSON Feed 1.1, top-level)",
			"line 2: error: expired: expired is a string: make it true or false, or leave it out (JSON Feed 1.1, top-level)",
			"line 2: error: hubs: hubs is an object: make it an array, or leave it out (JSON Feed 1.1, top-level)",
			"line 2: error: authors: authors is a string: make it an array, or leave it out (JSON Feed 1.1, top-level)",
			"line 2: error: language: language is an array: make it a string, or leave it out (JSON Feed 1.1, top-level)",
			"line 2: error: icon: icon is a number: make it a string, or leave it out (JSON Feed 1.1, top-level)",
		}},
		{"unknown fields", "json", inJSON(`"generator": "A", "_": 1, "_a.b": 1, "_ok": 1`, ""), []string{
			`line 2: warning: generator: "generator" is not a field of JSON Feed: leave it out, or let its name begin with _ (JSON Feed 1.1, extensions)`,
			`line 2: warning: _: "_" is not a name for a field of one's own: write _, a letter, and no dots (JSON Feed 1.1, extensions)`,
			`line 2: warning: _a.b: "_a.b" is not a name for a field of one's own: write _, a letter, and no dots (JSON Feed 1.1, extensions)`,
		}},
		{"addresses", "json", inJSON(`"icon": "a.png", "favicon": "", "next_url": "https://www.example.org/feed.json"`, ""), []string{
			`line 2: error: icon: icon "a.png" is relative: write the whole address, beginning with https:// (JSON Feed 1.1, top-level)`,
			`line 2: error: favicon: favicon "" is empty: write the address (JSON Feed 1.1, top-level)`,
			"line 2: error: next_url: next_url is the feed_url, so readers go in circles: write the address of the next page (JSON Feed 1.1, top-level)",
		}},
		{"language", "json", inJSON(`"language": "en_GB"`, ""), []string{
			`line 2: error: language: language "en_GB" is not a language tag: write one such as en, zh-Hans or sr-Latn (RFC 5646, 2.1)`,
		}},
		{"old author", "json", inJSON(`"author": {"name": "A"}`, ""), []string{
			"line 2: warning: author: author is of JSON Feed 1: write authors, an array (JSON Feed 1.1, deprecations)",
		}},
		{"authors", "json", inJSON(`"authors": [{}, "A", {"name": "", "url": "a", "avatar": 1, "email": "office@example.org"}]`, ""), []string{
			"line 2: error: authors[1]: one of authors has none of name, url and avatar: add one (JSON Feed 1.1, top-level)",
			"line 2: error: authors[2]: one of authors is a string: make it an object (JSON Feed 1.1, top-level)",
			"line 2: warning: authors[3]/name: name is empty: fill it, or leave it out (JSON Feed 1.1, top-level)",
			`line 2: error: authors[3]/url: url "a" is relative: write the whole address, beginning with https:// (JSON Feed 1.1, top-level)`,
			"line 2: error: authors[3]/avatar: avatar is a number: make it a string, or leave it out (JSON Feed 1.1, top-level)",
			`line 2: warning: authors[3]/email: "email" is not a field of JSON Feed: leave it out, or let its name begin with _ (JSON Feed 1.1, extensions)`,
		}},
		{"hubs", "json", inJSON(`"hubs": [{"type": "WebSub"}, {"url": "hub"}]`, ""), []string{
			"line 2: error: hubs[1]: one of hubs has no url: add it (JSON Feed 1.1, subscribing to real-time notifications)",
			`line 2: error: hubs[2]/url: url "hub" is relative: write the whole address, beginning with https:// (JSON Feed 1.1, subscribing to real-time notifications)`,
			"line 2: error: hubs[2]: one of hubs has no type: add it (JSON Feed 1.1, subscribing to real-time notifications)",
		}},
		{"HTML in a description", "json", inJSON(`"description": "A &amp; B"`, ""), []string{
			`line 2: warning: description: description holds "&amp;", but is plain text here: leave markup out, and escape no more than once (JSON Feed 1.1, items)`,
		}},
		{"items that are none", "json", `{"version": "https://jsonfeed.org/version/1.1", "title": "A", "home_page_url": "https://www.example.org/", "feed_url": "https://www.example.org/feed.json", "items": [1]}`, []string{
			"line 1: error: items[1]: one of items is a number: make it an object (JSON Feed 1.1, items)",
		}},
		{"nothing in the item", "json", inJSON("", "{}"), []string{
			"line 3: error: items[1]: one of items has no id: add it (JSON Feed 1.1, items)",
			"line 3: error: items[1]: one of items has neither content_html nor content_text: add one of them (JSON Feed 1.1, items)",
		}},
		{"id that is a number", "json", inJSON("", `{"id": 1, "content_text": "A"}`), []string{
			"line 3: error: items[1]/id: id is a number: make it a string (JSON Feed 1.1, items)",
		}},
		{"empty id", "json", inJSON("", `{"id": "", "content_text": "A"}`), []string{
			"line 3: error: items[1]/id: id is empty: write what the item is known by (JSON Feed 1.1, items)",
		}},
		{"one id twice", "json", inJSON("", "{\"id\": \"a\", \"content_text\": \"A\"},\n{\"id\": \"a\", \"content_text\": \"A\"}"), []string{
			`line 4: error: items[2]/id: id "a" is that of line 3, too: give each item its own (JSON Feed 1.1, items)`,
		}},
		{"addresses of an item", "json", inJSONItem(`"url": "/a", "external_url": "www.example.org", "image": "https://www.example.org/a b.png", "banner_image": "https://www.example.org/ü.png"`), []string{
			`line 3: error: items[1]/url: url "/a" is relative: write the whole address, beginning with https:// (JSON Feed 1.1, items)`,
			`line 3: error: items[1]/external_url: external_url "www.example.org" is relative: write the whole address, beginning with https:// (JSON Feed 1.1, items)`,
			`line 3: error: items[1]/image: image "https://www.example.org/a b.png" holds " ", which an address cannot: write it as %20 (JSON Feed 1.1, items)`,
			`line 3: warning: items[1]/banner_image: banner_image "https://www.example.org/ü.png" has characters beyond ASCII: percent-encode them, the host as punycode (JSON Feed 1.1, items)`,
		}},
		{"texts of an item", "json", inJSONItem("\"title\": \"<b>A</b>\", \"summary\": \"A&nbsp;B\", \"content_html\": \"<a href='/a'>A</a>\", \"tags\": [\"\", 1, \"A \ufffd\"]"), []string{
			`line 3: warning: items[1]/title: title holds "<b>", but is plain text here: leave markup out, and escape no more than once (JSON Feed 1.1, items)`,
			`line 3: warning: items[1]/summary: summary holds "&nbsp;", but is plain text here: leave markup out, and escape no more than once (JSON Feed 1.1, items)`,
			`line 3: warning: items[1]/content_html: address "/a" in href of <a> is relative: write the whole address (W3C feed validator, ContainsRelRef)`,
			"line 3: warning: items[1]/tags[1]: tags is empty: fill it, or leave it out (JSON Feed 1.1, items)",
			"line 3: error: items[1]/tags[2]: one of tags is a number: make it a string (JSON Feed 1.1, items)",
			"line 3: warning: items[1]/tags[3]: tags holds U+FFFD, a sign of text that was read in a wrong encoding: look at where it comes from (W3C feed validator, BadCharacters)",
		}},
		{"dates", "json", inJSONItem(`"date_published": "2026-03-04", "date_modified": "2026-02-30T18:30:15Z"`), []string{
			`line 3: error: items[1]/date_published: date_published "2026-03-04" is not a date of RFC 3339: write it as 2026-03-04T18:30:15Z (JSON Feed 1.1, items)`,
			`line 3: error: items[1]/date_modified: date_modified "2026-02-30T18:30:15Z" is a time that does not exist: write one that does (JSON Feed 1.1, items)`,
		}},
		{"modified before published", "json", inJSONItem(`"date_published": "2026-03-04T18:30:15Z", "date_modified": "2026-03-03T18:30:15Z"`), []string{
			"line 3: warning: items[1]/date_modified: date_modified lies before date_published: write the later of the two (JSON Feed 1.1, items)",
		}},
		{"attachments", "json", inJSONItem(`"attachments": [{}, {"url": "a.mp3", "mime_type": "mp3", "title": "", "size_in_bytes": -1, "duration_in_seconds": "1"}]`), []string{
			"line 3: error: items[1]/attachments[1]: one of attachments has no mime_type: add it (JSON Feed 1.1, attachments)",
			"line 3: error: items[1]/attachments[1]: one of attachments has no url: add it (JSON Feed 1.1, attachments)",
			`line 3: error: items[1]/attachments[2]/url: url "a.mp3" is relative: write the whole address, beginning with https:// (JSON Feed 1.1, attachments)`,
			`line 3: error: items[1]/attachments[2]/mime_type: mime_type "mp3" is not a media type: write one such as image/jpeg or text/html (JSON Feed 1.1, attachments)`,
			"line 3: warning: items[1]/attachments[2]/title: title is empty: fill it, or leave it out (JSON Feed 1.1, attachments)",
			`line 3: error: items[1]/attachments[2]/size_in_bytes: size_in_bytes "-1" is less than nothing: write how much it is, or leave it out (JSON Feed 1.1, attachments)`,
			"line 3: error: items[1]/attachments[2]/duration_in_seconds: duration_in_seconds is a string: make it a number, or leave it out (JSON Feed 1.1, attachments)",
		}},
	} {
		c.run(t)
	}
}
