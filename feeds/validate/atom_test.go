package validate_test

import "testing"

func TestAtom(t *testing.T) {
	t.Parallel()
	for _, c := range []badCase{
		{"root in no namespace", "atom", "<feed/>", []string{
			`line 1: error: feed: the root is <feed> in namespace "": begin with <feed xmlns="http://www.w3.org/2005/Atom"> (RFC 4287, 2)`,
		}},
		{"Atom 0.3", "atom", `<feed xmlns="http://purl.org/atom/ns#" version="0.3"/>`, []string{
			`line 1: error: feed: the root is <feed> in namespace "http://purl.org/atom/ns#": begin with <feed xmlns="http://www.w3.org/2005/Atom"> (RFC 4287, 2)`,
		}},
		{"nothing in the feed", "atom", `<feed xmlns="http://www.w3.org/2005/Atom"><link rel="self" href="https://www.example.org/feed.atom"/></feed>`, []string{
			"line 1: error: feed: <feed> has no <id>: add one (RFC 4287, 4.1.1)",
			"line 1: error: feed: <feed> has no <title>: add one (RFC 4287, 4.1.1)",
			"line 1: error: feed: <feed> has no <updated>: add one (RFC 4287, 4.1.1)",
			"line 1: error: feed: <feed> has no <author>: add one, or have one in each entry (RFC 4287, 4.1.1)",
		}},
		{"attribute of the feed", "atom", atomWith(` version="1.0"`, author+selfAtom, ""), []string{
			"line 1: error: feed/@version: attribute version is not one of <feed>: leave it out (RFC 4287, 4.1.1)",
		}},
		{"text in the feed", "atom", inFeed("News!"), []string{
			`line 1: error: feed: <feed> holds the text "News!", where elements are expected: leave it out (RFC 4287, 4.1.1)`,
		}},
		{"two ids", "atom", inFeed("<id>urn:example:2</id>"), []string{
			"line 3: error: id[2]: <id> is there more than once in <feed>: leave one (RFC 4287, 4.1.1)",
		}},
		{"unknown element", "atom", inFeed("<description>A</description>"), []string{
			"line 3: error: description: <description> is not an element of <feed>: leave it out, or put it into a namespace of its own (RFC 4287, 4.1.1)",
		}},
		{"element in no namespace", "atom", inFeed(`<rating xmlns="">5</rating>`), []string{
			"line 3: warning: rating: <rating> is in no namespace: put it into Atom's, or into one of its own (W3C feed validator, MissingNamespace)",
		}},
		{"misspelt element of a module", "atom", inFeed("<fh:archived/>"), []string{
			"line 3: error: fh:archived: <fh:archived> is not an element of http://purl.org/syndication/history/1.0: leave it out (Namespaces in XML 1.0)",
		}},
		{"feed behind its entries", "atom", inFeed(entry + "<subtitle>A</subtitle>"), []string{
			"line 3: error: subtitle: <subtitle> stands behind an <entry>: put what describes the feed before its entries (RFC 4287, 4.1.1)",
		}},
		{"no author anywhere", "atom", atomWith("", selfAtom, entry), []string{
			"line 3: error: entry[1]: <entry> has no <author>, and neither has the feed: add one to either (RFC 4287, 4.1.2)",
		}},
		{"no author and no entry", "atom", atomWith("", selfAtom, ""), []string{
			"line 1: error: feed: <feed> has no <author>: add one, or have one in each entry (RFC 4287, 4.1.1)",
		}},
		{"nothing in the entry", "atom", inFeed("<entry/>"), []string{
			"line 3: error: entry[1]: <entry> has no <id>: add one (RFC 4287, 4.1.2)",
			"line 3: error: entry[1]: <entry> has no <title>: add one (RFC 4287, 4.1.2)",
			"line 3: error: entry[1]: <entry> has no <updated>: add one (RFC 4287, 4.1.2)",
			`line 3: error: entry[1]: <entry> has neither <content> nor <link rel="alternate">: add one of them (RFC 4287, 4.1.2)`,
		}},
		{"neither content nor link", "atom", inFeed("<entry><id>urn:example:1</id><title>A</title><updated>2026-03-04T18:30:15Z</updated></entry>"), []string{
			`line 3: error: entry[1]: <entry> has neither <content> nor <link rel="alternate">: add one of them (RFC 4287, 4.1.2)`,
		}},
		{"neither content nor summary", "atom", inFeed(`<entry><id>urn:example:1</id><title>A</title><updated>2026-03-04T18:30:15Z</updated><link href="https://www.example.org/"/></entry>`), []string{
			"line 3: warning: entry[1]: <entry> has neither <content> nor <summary>: add one of them (RFC 4287, 4.1.1.1)",
		}},
		{"text in the entry", "atom", inEntry("News!"), []string{
			`line 3: error: entry[1]: <entry> holds the text "News!", where elements are expected: leave it out (RFC 4287, 4.1.2)`,
		}},
		{"one id twice", "atom", inFeed(entry + "\n" + entry), []string{
			`line 4: warning: entry[2]/id: id "urn:example:1" is that of the entry of line 3, too, so readers show one of them: leave one, or give each its own (RFC 4287, 4.1.1)`,
		}},
		{"the feed's id", "atom", inFeed("<entry><id>urn:example:feed</id><title>A</title><updated>2026-03-04T18:30:15Z</updated><content>A</content></entry>"), []string{
			`line 3: error: entry[1]/id: id "urn:example:feed" is that of the feed, too: give the entry its own (RFC 4287, 4.2.6)`,
		}},
		{"relative id", "atom", inFeed("<entry><id>a</id><title>A</title><updated>2026-03-04T18:30:15Z</updated><content>A</content></entry>"), []string{
			`line 3: error: entry[1]/id: id "a" is relative: write the whole address, beginning with https:// (RFC 4287, 4.2.6)`,
		}},
		{"id with blanks", "atom", inFeed("<entry><id> urn:example:1</id><title>A</title><updated>2026-03-04T18:30:15Z</updated><content>A</content></entry>"), []string{
			`line 3: error: entry[1]/id: id " urn:example:1" has blanks around it: leave them out (RFC 4287, 4.2.6)`,
		}},
		{"empty id", "atom", inFeed("<entry><id/><title>A</title><updated>2026-03-04T18:30:15Z</updated><content>A</content></entry>"), []string{
			`line 3: error: entry[1]/id: id "" is empty: write the address (RFC 4287, 4.2.6)`,
		}},
		{"UUID that is none", "atom", inFeed("<entry><id>urn:uuid:1</id><title>A</title><updated>2026-03-04T18:30:15Z</updated><content>A</content></entry>"), []string{
			`line 3: error: entry[1]/id: id "urn:uuid:1" is not a UUID: write 32 hexadecimal digits in the groups 8-4-4-4-12 (RFC 9562) (RFC 4287, 4.2.6)`,
		}},
		{"URN that is none", "atom", inFeed("<entry><id>urn:a</id><title>A</title><updated>2026-03-04T18:30:15Z</updated><content>A</content></entry>"), []string{
			`line 3: error: entry[1]/id: id "urn:a" is not a URN: write urn:, the name of its namespace (two letters or more), a colon and the rest (RFC 8141) (RFC 4287, 4.2.6)`,
		}},
		{"tag that is none", "atom", inFeed("<entry><id>tag:a</id><title>A</title><updated>2026-03-04T18:30:15Z</updated><content>A</content></entry>"), []string{
			`line 3: error: entry[1]/id: id "tag:a" is not a tag: write tag:, a domain, a comma, a date, a colon and the rest (RFC 4151) (RFC 4287, 4.2.6)`,
		}},
		{"date of RFC 822", "atom", inEntry("<published>Wed, 04 Mar 2026 18:30:15 +0000</published>"), []string{
			`line 3: error: entry[1]/published: published "Wed, 04 Mar 2026 18:30:15 +0000" is not a date of RFC 3339: write it as 2026-03-04T18:30:15Z (RFC 4287, 3.3)`,
		}},
		{"date without a zone", "atom", inEntry("<published>2026-03-04T18:30:15</published>"), []string{
			`line 3: error: entry[1]/published: published "2026-03-04T18:30:15" is not a date of RFC 3339: write it as 2026-03-04T18:30:15Z (RFC 4287, 3.3)`,
		}},
		{"date in small letters", "atom", inEntry("<published>2026-03-04t18:30:15z</published>"), []string{
			`line 3: error: entry[1]/published: published "2026-03-04t18:30:15z" is not a date of RFC 3339: write it as 2026-03-04T18:30:15Z (RFC 4287, 3.3)`,
		}},
		{"month 13", "atom", inEntry("<published>2026-13-04T18:30:15Z</published>"), []string{
			`line 3: error: entry[1]/published: published "2026-13-04T18:30:15Z" is a time that does not exist: write one that does (RFC 4287, 3.3)`,
		}},
		{"date with blanks", "atom", inEntry("<published> 2026-03-04T18:30:15Z</published>"), []string{
			`line 3: error: entry[1]/published: published " 2026-03-04T18:30:15Z" is not a date of RFC 3339: write it as 2026-03-04T18:30:15Z (RFC 4287, 3.3)`,
		}},
		{"updated before published", "atom", inEntry("<published>2026-03-05T18:30:15Z</published>"), []string{
			"line 3: warning: entry[1]/updated: updated lies before published: write the later of the two (RFC 4287, 4.2.15)",
		}},
		{"feed updated before its entry", "atom", inFeed("<entry><id>urn:example:1</id><title>A</title><updated>2026-03-06T18:30:15Z</updated><content>A</content></entry>"), []string{
			"line 2: warning: updated: updated lies before that of the entry of line 3: write the newest (RFC 4287, 4.2.15)",
		}},
		{"the epoch", "atom", inEntry("<published>1970-01-01T00:00:00Z</published>"), []string{
			`line 3: warning: entry[1]/published: published "1970-01-01T00:00:00Z" lies before 1990: write the true date (W3C feed validator, ImplausibleDate)`,
		}},
		{"type of text", "atom", inEntry(`<summary type="text/html">A</summary>`), []string{
			`line 3: error: entry[1]/summary/@type: type "text/html" is none of text, html, xhtml: write one of them (RFC 4287, 3.1.1)`,
		}},
		{"empty title", "atom", inFeed("<subtitle/>"), []string{
			"line 3: warning: subtitle: <subtitle> is empty: fill it, or leave it out (W3C feed validator, NotBlank)",
		}},
		{"element in text", "atom", inEntry(`<summary>A <b xmlns="http://www.w3.org/1999/xhtml">b</b></summary>`), []string{
			"line 3: error: entry[1]/summary/b: <b> stands in <summary>, which holds text alone: escape it, or leave it out (RFC 4287, 3.1.1.1)",
		}},
		{"HTML in text", "atom", inEntry("<summary>&lt;b&gt;A&lt;/b&gt;</summary>"), []string{
			`line 3: warning: entry[1]/summary: summary holds "<b>", but is plain text here: leave markup out, and escape no more than once (RFC 4287, 3.1.1.1)`,
		}},
		{"element in html", "atom", inEntry(`<summary type="html"><b>A</b></summary>`), []string{
			"line 3: error: entry[1]/summary/b: <b> stands in <summary>, which holds text alone: escape it, or leave it out (RFC 4287, 3.1.1.2)",
		}},
		{"xhtml without a div", "atom", inEntry(`<summary type="xhtml">A</summary>`), []string{
			"line 3: error: entry[1]/summary: <summary> of type xhtml holds something other than one <div> of XHTML: put everything into one (RFC 4287, 3.1.1.3)",
		}},
		{"xhtml with a script", "atom", inEntry(`<summary type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p onclick="a()">A<script/></p></div></summary>`), []string{
			"line 3: error: entry[1]/summary/div: attribute onclick of <p> runs a script: leave it out (W3C feed validator, SecurityRiskAttr)",
			"line 3: error: entry[1]/summary/div: <script> does not belong into a feed: leave it out (W3C feed validator, SecurityRisk)",
		}},
		{"person without a name", "atom", inEntry("<author><email>office@example.org</email></author>"), []string{
			"line 3: error: entry[1]/author: <author> has no <name>: add one (RFC 4287, 3.2)",
		}},
		{"person", "atom", inEntry("<author>A<name>A</name><name>B</name><uri>http://[</uri><uri>https://www.example.org/</uri><email>office at example.org</email><url>a</url></author>"), []string{
			`line 3: error: entry[1]/author: <author> holds the text "A", where elements are expected: leave it out (RFC 4287, 3.2)`,
			"line 3: error: entry[1]/author/name[2]: <name> is there more than once in <author>: leave one (RFC 4287, 3.2)",
			`line 3: error: entry[1]/author/uri[1]: uri "http://[" is not an address: mend it (RFC 4287, 3.2.2)`,
			`line 3: error: entry[1]/author/email: email "office at example.org" is not an address of mail: write one such as office@example.org, or leave it out (RFC 4287, 3.2.3)`,
			"line 3: error: entry[1]/author/url: <url> is not an element of <author>: leave it out (RFC 4287, 3.2)",
			"line 3: error: entry[1]/author/uri[2]: <uri> is there more than once in <author>: leave one (RFC 4287, 3.2)",
		}},
		{"empty name", "atom", inEntry("<contributor><name/></contributor>"), []string{
			"line 3: warning: entry[1]/contributor/name: <name> is empty: fill it, or leave it out (W3C feed validator, NotBlank)",
		}},
		{"category without a term", "atom", inEntry(`<category label="A"/>`), []string{
			"line 3: error: entry[1]/category: <category> has no attribute term: add it (RFC 4287, 4.2.2.1)",
		}},
		{"category", "atom", inEntry(`<category term="a" scheme="b" label="A &amp;amp; B" domain="c"/>`), []string{
			"line 3: error: entry[1]/category/@domain: attribute domain is not one of <category>: leave it out (RFC 4287, 4.2.2)",
			`line 3: error: entry[1]/category/@scheme: scheme "b" is relative: write the whole address, beginning with https:// (RFC 4287, 4.2.2.2)`,
			`line 3: warning: entry[1]/category/@label: label holds "&amp;", but is plain text here: leave markup out, and escape no more than once (RFC 4287, 4.2.2.3)`,
		}},
		{"generator", "atom", inFeed(`<generator uri="a b"/>`), []string{
			"line 3: warning: generator: <generator> is empty: fill it, or leave it out (RFC 4287, 4.2.4)",
			`line 3: error: generator/@uri: uri "a b" holds " ", which an address cannot: write it as %20 (RFC 4287, 4.2.4)`,
		}},
		{"icon", "atom", inFeed("<icon>a b.png</icon>"), []string{
			`line 3: error: icon: icon "a b.png" holds " ", which an address cannot: write it as %20 (RFC 4287, 2)`,
		}},
		{"content type that is none", "atom", withContent(`<content type="HTML">A</content>`), []string{
			`line 3: error: entry[1]/content/@type: type "HTML" is not a media type: write one such as image/jpeg or text/html (RFC 4287, 4.1.3.1)`,
		}},
		{"content of parts", "atom", withContent(`<content type="multipart/mixed">QQ==</content>`), []string{
			`line 3: error: entry[1]/content/@type: type "multipart/mixed" is made of parts: write a simple media type (RFC 4287, 4.1.3.1)`,
			"line 3: error: entry[1]: <entry> has content in Base64 and no <summary>: add one (RFC 4287, 4.1.2)",
		}},
		{"content elsewhere", "atom", withContent(`<content src="a.html">A</content>`), []string{
			`line 3: warning: entry[1]/content/@src: src "a.html" is relative to where the document is found: write the whole address (W3C feed validator, ContainsRelRef)`,
			"line 3: error: entry[1]/content: <content> has an attribute src and holds something: leave one of them out (RFC 4287, 4.1.3.2)",
			"line 3: warning: entry[1]/content: <content> has an attribute src and no type: add the media type (RFC 4287, 4.1.3.2)",
			"line 3: error: entry[1]: <entry> has its content elsewhere and no <summary>: add one (RFC 4287, 4.1.2)",
		}},
		{"content elsewhere of type html", "atom", withContent(`<content src="https://www.example.org/a.html" type="html"/><summary>A</summary>`), []string{
			`line 3: error: entry[1]/content/@type: type "html" does not go with src: write a media type such as text/html (RFC 4287, 4.1.3.2)`,
		}},
		{"content in Base64", "atom", withContent(`<content type="image/png">Ä</content>`), []string{
			`line 3: error: entry[1]/content: <content> of type "image/png" is not in Base64: encode it (RFC 4287, 4.1.3.3)`,
			"line 3: error: entry[1]: <entry> has content in Base64 and no <summary>: add one (RFC 4287, 4.1.2)",
		}},
		{"page as content", "atom", withContent("<content type=\"text/html\">&lt;script></content>"), []string{
			"line 3: error: entry[1]/content: <script> does not belong into a feed: leave it out (W3C feed validator, SecurityRisk)",
		}},
		{"script in content", "atom", withContent(`<content type="html">&lt;script></content>`), []string{
			"line 3: error: entry[1]/content: <script> does not belong into a feed: leave it out (W3C feed validator, SecurityRisk)",
		}},
		{"script in a title", "atom", inFeed(`<subtitle type="html">&lt;script></subtitle>`), []string{
			"line 3: error: subtitle: <script> does not belong into a feed: leave it out (W3C feed validator, SecurityRisk)",
		}},
		{"content elsewhere, but nowhere", "atom", withContent(`<content src="a b" type="text/html"/><summary>A</summary>`), []string{
			`line 3: error: entry[1]/content/@src: src "a b" holds " ", which an address cannot: write it as %20 (RFC 4287, 4.1.3.2)`,
		}},
		{"element in Base64", "atom", withContent(`<content type="image/png"><b/></content><summary>A</summary>`), []string{
			"line 3: error: entry[1]/content/b: <b> stands in <content>, which holds text alone: escape it, or leave it out (RFC 4287, 4.1.3.3)",
		}},
		{"alternates of a source", "atom", inEntry("<source><id>urn:example:s</id><title>S</title><updated>2026-03-04T18:30:15Z</updated>" +
			`<link href="https://www.example.org/a"/><link href="https://www.example.org/b"/></source>`), []string{
			`line 3: error: entry[1]/source/link[2]: <link rel="alternate"> with type "" and hreflang "" is there more than once: ` +
				"leave one, or tell them apart (RFC 4287, 4.1.1)",
		}},
		{"name of a person", "atom", inEntry(`<author><name kind="full">A &lt;br> <b/></name></author>`), []string{
			"line 3: error: entry[1]/author/name/b: <b> stands in <name>, which holds text alone: escape it, or leave it out (RFC 4287, 3.2)",
			"line 3: error: entry[1]/author/name/@kind: attribute kind is not one of <name>: leave it out (RFC 4287, 3.2)",
			`line 3: warning: entry[1]/author/name: name holds "<br>", but is plain text here: leave markup out, and escape no more than once (RFC 4287, 3.2.1)`,
		}},
		{"element in text/plain", "atom", withContent(`<content type="text/plain"><b/></content>`), []string{
			"line 3: error: entry[1]/content/b: <b> stands in <content>, which holds text alone: escape it, or leave it out (RFC 4287, 4.1.3.3)",
		}},
		{"source", "atom", inEntry(`<source>A<title>A</title><link href=""/><subtitle>A</subtitle><entry/></source>`), []string{
			"line 3: error: entry[1]/source/entry[1]: <entry> is not an element of <source>: leave it out, or put it into a namespace of its own (RFC 4287, 4.2.11)",
			`line 3: error: entry[1]/source: <source> holds the text "A", where elements are expected: leave it out (RFC 4287, 4.2.11)`,
			"line 3: warning: entry[1]/source: <source> has no <id>: add that of the feed the entry comes from (RFC 4287, 4.2.11)",
			"line 3: warning: entry[1]/source: <source> has no <updated>: add that of the feed the entry comes from (RFC 4287, 4.2.11)",
			"line 3: error: entry[1]/source/link: <link> has no attribute href: add it (RFC 4287, 4.2.7.1)",
		}},
		{"marks in an entry", "atom", inEntry("<fh:archive/>"), []string{
			"line 3: error: entry[1]/fh:archive: <fh:archive> is about the feed: put it there (RFC 5005, 2 and 4)",
		}},
	} {
		c.run(t)
	}
}
