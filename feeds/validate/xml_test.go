package validate_test

import (
	"strings"
	"testing"
)

func TestXML(t *testing.T) {
	t.Parallel()
	for _, c := range []badCase{
		{"empty", "rss", "", []string{
			"line 1: error: document: the document has no element: a feed begins with <rss> or <feed> (XML 1.0, 2.1)",
		}},
		{"not closed", "rss", "<rss version=\"2.0\">\n<channel>", []string{
			"line 2: error: document: the document ends within <channel> of line 2: close it (XML 1.0, 2.1)",
		}},
		{"closed in the wrong order", "rss", "<rss><channel>\n</rss></channel>", []string{
			"line 2: error: document: </rss> stands where </channel> is expected, which line 1 opens: mend this first, nothing was read beyond it (XML 1.0, 3.1)",
		}},
		{"closed what is not open", "rss", "</rss>", []string{
			"line 1: error: document: </rss> closes nothing: leave it out, nothing was read beyond it (XML 1.0, 3.1)",
		}},
		{"two roots", "rss", "<rss version=\"2.0\"/>\n<rss/>", []string{
			"line 2: error: document: the document goes on after its root with <rss>: leave that out (XML 1.0, 2.1)",
		}},
		{"text behind the root", "rss", "<rss/>\nbye", []string{
			`line 1: error: document: text "bye" stands outside of the root: leave it out (XML 1.0, 2.1)`,
		}},
		{"entity of HTML", "rss", inChannel("<copyright>&copy; 2026</copyright>"), []string{
			"line 3: error: document: the document is not well-formed, invalid character entity &copy; (XML knows &amp;, &lt;, &gt;, &quot; and &apos; alone; write other characters as they are, and & as &amp;): mend this first, nothing was read beyond it (XML 1.0, 2.1)",
		}},
		{"bare ampersand", "rss", inChannel("<copyright>A & B</copyright>"), []string{
			"line 3: error: document: the document is not well-formed, invalid character entity & (no semicolon) (XML knows &amp;, &lt;, &gt;, &quot; and &apos; alone; write other characters as they are, and & as &amp;): mend this first, nothing was read beyond it (XML 1.0, 2.1)",
		}},
		{"value without quotes", "rss", inChannel("<category domain=a>b</category>"), []string{
			"line 3: error: document: the document is not well-formed, unquoted or missing attribute value in element: mend this first, nothing was read beyond it (XML 1.0, 2.1)",
		}},
		{"< in a value", "rss", inChannel(`<category domain="<">b</category>`), []string{
			"line 3: error: document: the document is not well-formed, unescaped < inside quoted string: mend this first, nothing was read beyond it (XML 1.0, 2.1)",
		}},
		{"]]> in text", "rss", inChannel("<copyright>a ]]> b</copyright>"), []string{
			"line 3: error: document: the document is not well-formed, unescaped ]]> not in CDATA section: mend this first, nothing was read beyond it (XML 1.0, 2.1)",
		}},
		{"reference to a control character", "rss", inChannel("<copyright>&#1;</copyright>"), []string{
			"line 3: error: document: the document is not well-formed, illegal character code U+0001: mend this first, nothing was read beyond it (XML 1.0, 2.1)",
		}},
		{"attribute twice", "rss", inChannel(`<category domain="a" domain="b">c</category>`), []string{
			"line 3: error: channel/category: attribute domain of <category> is there twice: leave one out (XML 1.0, 3.1)",
		}},
		{"attribute twice by its namespace", "rss", inChannel(`<category xmlns:a="urn:example:a" xmlns:b="urn:example:a" a:x="1" b:x="2">c</category>`), []string{
			"line 3: error: channel/category: attribute b:x of <category> is there twice: leave one out (XML 1.0, 3.1)",
		}},
		{"no blank between attributes", "rss", inChannel(`<atom:link href="https://www.example.org/hub"rel="hub"/>`), []string{
			"line 3: error: channel/atom:link[2]: attributes of <atom:link> stand without a blank between them: put one (XML 1.0, 3.1)",
		}},
		{"undeclared prefix of an element", "rss", inChannel("<foo:bar/>"), []string{
			`line 3: error: channel/foo:bar: prefix "foo" is not declared: add xmlns:foo to <rss> (Namespaces in XML 1.0, 5)`,
		}},
		{"undeclared prefix of an attribute", "rss", inChannel(`<category foo:bar="1">a</category>`), []string{
			`line 3: error: channel/category: prefix "foo" is not declared: add xmlns:foo to <rss> (Namespaces in XML 1.0, 5)`,
		}},
		{"prefix out of scope", "rss", inChannel(`<category xmlns:foo="urn:example:a" foo:bar="1">a</category><category foo:bar="1">b</category>`), []string{
			`line 3: error: channel/category[2]: prefix "foo" is not declared: add xmlns:foo to <rss> (Namespaces in XML 1.0, 5)`,
		}},
		{"prefix declared as nothing", "rss", inChannel(`<category xmlns:foo="">a</category>`), []string{
			`line 3: error: channel/category: prefix "foo" is declared as nothing: name its namespace (Namespaces in XML 1.0, 5)`,
		}},
		{"xmlns declared", "rss", inChannel(`<category xmlns:xmlns="urn:example:a">a</category>`), []string{
			"line 3: error: channel/category: prefix xmlns has its meaning already: leave its declaration out (Namespaces in XML 1.0, 3)",
		}},
		{"name with a lonely colon", "rss", inChannel(`<category :x="1">a</category>`), []string{
			`line 3: error: channel/category: name ":x" has a colon without a name on both sides: mend it (Namespaces in XML 1.0, 4)`,
			"line 3: error: channel/category/@:x: attribute :x is not one of <category>: leave it out (RSS 2.0, elements of <channel>)",
		}},
		{"element with a lonely colon", "rss", inItem("<:a/>"), []string{
			`line 3: error: channel/item[1]/:a: name ":a" has a colon without a name on both sides: mend it (Namespaces in XML 1.0, 4)`,
			"line 3: error: channel/item[1]/:a: <:a> is not an element of <item>: leave it out, or put it into a namespace of its own (RSS 2.0, elements of <item>)",
		}},
		{"nearly the namespace", "rss", inChannel(`<category xmlns:media="http://search.yahoo.com/mrss">a</category>`), []string{
			`line 3: error: channel/category: prefix media is declared as "http://search.yahoo.com/mrss", which is not the namespace: write "http://search.yahoo.com/mrss/" (Namespaces in XML 1.0, 2.2)`,
		}},
		{"prefix of somebody else", "rss", inChannel(`<category xmlns:media="urn:example:media">a</category>`), []string{
			`line 3: warning: channel/category: prefix media is declared as "urn:example:media", readers know it as "http://search.yahoo.com/mrss/": take another prefix (W3C feed validator, ReservedPrefix)`,
		}},
		{"something before the declaration", "rss", "\n<?xml version=\"1.0\"?><rss/>", []string{
			"line 2: error: document: something stands before <?xml: let the document begin with it (XML 1.0, 2.8)",
		}},
		{"declaration without a version", "atom", `<?xml encoding="utf-8"?>` + inFeed(entry), []string{
			`line 1: error: document: the XML declaration names no version: write version="1.0" (XML 1.0, 2.8)`,
		}},
		{"version 1.1 of XML", "rss", `<?xml version="1.1"?><rss/>`, []string{
			`line 1: error: document: the document cannot be read, unsupported version "1.1"; only version 1.0 is supported: mend this first (XML 1.0, 2.1)`,
		}},
		{"unknown encoding", "atom", `<?xml version="1.0" encoding="klingon-8"?>` + inFeed(entry), []string{
			`line 1: error: document: the document is said to be in "klingon-8", which it is not, or nobody knows: write the document in UTF-8, which every reader knows (XML 1.0, 4.3.3)`,
		}},
		{"UTF-16 that is none", "atom", `<?xml version="1.0" encoding="UTF-16"?>` + inFeed(entry), []string{
			`line 1: error: document: the document is said to be in "UTF-16", which it is not, or nobody knows: write the document in UTF-8, which every reader knows (XML 1.0, 4.3.3)`,
		}},
		{"UTF-16", "atom", string(inUTF16(inFeed(entry))), []string{
			"line 1: warning: document: the document is in UTF-16: write the document in UTF-8, which every reader knows (XML 1.0, 4.3.3)",
		}},
		{"Latin 1", "atom", `<?xml version="1.0" encoding="ISO-8859-1"?>` + inFeed(entry), []string{
			`line 1: warning: document: the document is in "ISO-8859-1": write the document in UTF-8, which every reader knows (XML 1.0, 4.3.3)`,
		}},
		{"invalid UTF-8", "rss", inChannel("<copyright>caf\xe9</copyright>"), []string{
			"line 3: error: document: byte 0xE9 is not UTF-8: write it as UTF-8 or leave it out (XML 1.0, 4.3.3)",
		}},
		{"character that XML cannot carry", "rss", inChannel("<!-- \x0b -->"), []string{
			"line 3: error: document: character U+000B cannot be in XML: leave it out (XML 1.0, 2.2)",
		}},
		{"noncharacter", "rss", inChannel("<copyright>\uffff</copyright>"), []string{
			"line 3: error: document: character U+FFFF cannot be in XML: leave it out (XML 1.0, 2.2)",
		}},
		{"text that was broken", "rss", inChannel("<copyright>Caf\ufffd</copyright>"), []string{
			"line 3: warning: channel/copyright: copyright holds U+FFFD, a sign of text that was read in a wrong encoding: look at where it comes from (W3C feed validator, BadCharacters)",
		}},
		{"Windows quotes read as Latin 1", "rss", inChannel("<category domain=\"\u0093a\u0094\">b</category>"), []string{
			"line 3: warning: channel/category/@domain: domain holds U+0093, a sign of text that was read in a wrong encoding: look at where it comes from (W3C feed validator, BadCharacters)",
		}},
		{"DOCTYPE", "atom", "<!DOCTYPE feed>" + inFeed(entry), []string{
			"line 1: warning: document: the document has a DOCTYPE: leave it out, feeds have none and readers may refuse it (XML 1.0, 2.8)",
		}},
		{"xml:lang", "rss", inChannel(`<category xml:lang="deutsch">a</category>`), []string{
			`line 3: error: channel/category/@xml:lang: xml:lang "deutsch" names a language, script or region that is not registered: write one such as en, zh-Hans or sr-Latn (XML 1.0, 2.12)`,
		}},
		{"xml:base", "rss", inChannel(`<category xml:base="a b">a</category>`), []string{
			`line 3: error: channel/category/@xml:base: xml:base "a b" holds " ", which an address cannot: write it as %20 (XML Base, 3.1)`,
		}},
		{"xml:base that is relative itself", "atom", strings.Replace(inFeed(`<link rel="related" href="b"/>`), "<feed ", `<feed xml:base="/a/" `, 1), []string{
			`line 3: warning: link[2]/@href: href "b" is relative to where the document is found: write the whole address (W3C feed validator, ContainsRelRef)`,
		}},
		{"deep", "rss", strings.Repeat("<a>", 101), []string{
			"line 1: error: document: elements stand more than 100 deep in one another: nothing was read beyond (this checker)",
		}},
	} {
		c.run(t)
	}
}
