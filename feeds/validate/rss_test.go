package validate_test

import (
	"strings"
	"testing"
)

func TestRSS(t *testing.T) {
	t.Parallel()
	for _, c := range []badCase{
		{"root in a namespace", "rss", `<rss xmlns="http://backend.userland.com/rss2" version="2.0"/>`, []string{
			`line 1: error: rss: the root is <rss> in namespace "http://backend.userland.com/rss2": begin with <rss> in none (RSS 2.0, what is RSS)`,
		}},
		{"RSS 1.0", "rss", `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>`, []string{
			`line 1: error: rdf:RDF: the root is <rdf:RDF> in namespace "http://www.w3.org/1999/02/22-rdf-syntax-ns#": begin with <rss> in none (RSS 2.0, what is RSS)`,
		}},
		{"Atom", "rss", `<feed xmlns="http://www.w3.org/2005/Atom"/>`, []string{
			"line 1: error: document: this is a document of Atom, not of RSS: check it as atom (this checker)",
		}},
		{"no version, no channel", "rss", "<rss/>", []string{
			"line 1: error: rss: <rss> has no <channel>: add one (RSS 2.0, what is RSS)",
			"line 1: error: rss: <rss> has no attribute version: add it (RSS 2.0, what is RSS)",
		}},
		{"old version", "rss", rssWith(`<rss version="0.91">`, "", ""), []string{
			`line 1: error: rss/@version: version is "0.91": write 2.0, whose rules are the ones looked at here (RSS 2.0, what is RSS)`,
			`line 2: warning: channel: <channel> has no <atom:link rel="self">: add one with the feed's own address (RSS profile, atom:link)`,
		}},
		{"attribute of rss", "rss", rssWith(`<rss version="2.0" lang="en">`, "", ""), []string{
			"line 1: error: rss/@lang: attribute lang is not one of <rss>: leave it out (RSS 2.0, what is RSS)",
			`line 2: warning: channel: <channel> has no <atom:link rel="self">: add one with the feed's own address (RSS profile, atom:link)`,
		}},
		{"two channels", "rss", "<rss version=\"2.0\">\n" + channel + "\n" + channel + "\n</rss>", []string{
			`line 2: warning: channel[1]: <channel> has no <atom:link rel="self">: add one with the feed's own address (RSS profile, atom:link)`,
			"line 3: error: channel[2]: <channel> is there more than once in <rss>: leave one (RSS 2.0, what is RSS)",
			`line 3: warning: channel[2]: <channel> has no <atom:link rel="self">: add one with the feed's own address (RSS profile, atom:link)`,
		}},
		{"nothing in the channel", "rss", "<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\">\n<channel><atom:link rel=\"self\" href=\"https://www.example.org/feed.rss\"/></channel></rss>", []string{
			"line 2: error: channel: <channel> has no <description>: add one (RSS 2.0, elements of <channel>)",
			"line 2: error: channel: <channel> has no <link>: add one (RSS 2.0, elements of <channel>)",
			"line 2: error: channel: <channel> has no <title>: add one (RSS 2.0, elements of <channel>)",
		}},
		{"text in the channel", "rss", inChannel("News!"), []string{
			`line 2: error: channel: <channel> holds the text "News!", where elements are expected: leave it out (RSS 2.0, elements of <channel>)`,
		}},
		{"unknown element", "rss", inChannel("<subtitle>News</subtitle>"), []string{
			"line 3: error: channel/subtitle: <subtitle> is not an element of <channel>: leave it out, or put it into a namespace of its own (RSS 2.0, elements of <channel>)",
		}},
		{"title twice", "rss", inChannel("<title>News</title>"), []string{
			"line 3: error: channel/title[2]: <title> is there more than once in <channel>: leave one (RSS 2.0, elements of <channel>)",
		}},
		{"unknown attribute", "rss", inChannel(`<category scheme="a">b</category>`), []string{
			"line 3: error: channel/category/@scheme: attribute scheme is not one of <category>: leave it out (RSS 2.0, elements of <channel>)",
		}},
		{"element in text", "rss", inChannel("<copyright>Example <b>Association</b></copyright>"), []string{
			"line 3: error: channel/copyright/b: <b> stands in <copyright>, which holds text alone: escape it, or leave it out (RSS 2.0, elements of <channel>)",
		}},
		{"HTML in text", "rss", inChannel("<copyright>&lt;b&gt;Example&lt;/b&gt;</copyright>"), []string{
			`line 3: warning: channel/copyright: copyright holds "<b>", but is plain text here: leave markup out, and escape no more than once (RSS profile, character data)`,
		}},
		{"escaped twice", "rss", inChannel("<copyright>A &amp;amp; B</copyright>"), []string{
			`line 3: warning: channel/copyright: copyright holds "&amp;", but is plain text here: leave markup out, and escape no more than once (RSS profile, character data)`,
		}},
		{"empty category", "rss", inChannel("<category/>"), []string{
			"line 3: warning: channel/category: <category> is empty: fill it, or leave it out (W3C feed validator, NotBlank)",
		}},
		{"language", "rss", inChannel("<language>en_US</language>"), []string{
			`line 3: error: channel/language: language "en_US" is not a language tag: write one such as en, zh-Hans or sr-Latn (RSS 2.0, elements of <channel>)`,
		}},
		{"language that nobody speaks", "rss", inChannel("<language>qq</language>"), []string{
			`line 3: error: channel/language: language "qq" names a language, script or region that is not registered: write one such as en, zh-Hans or sr-Latn (RSS 2.0, elements of <channel>)`,
		}},
		{"relative docs", "rss", inChannel("<docs>/docs</docs>"), []string{
			`line 3: error: channel/docs: docs "/docs" is relative: write the whole address, beginning with https:// (RSS 2.0, comments)`,
		}},
		{"date of RFC 3339", "rss", inChannel("<pubDate>2026-03-04T18:30:15Z</pubDate>"), []string{
			`line 3: error: channel/pubDate: pubDate "2026-03-04T18:30:15Z" is not a date of RFC 822: write it as Wed, 04 Mar 2026 18:30:15 +0000 (RSS profile, dates and times)`,
		}},
		{"month that is none", "rss", inChannel("<pubDate>Wed, 04 Mrz 2026 18:30:15 +0000</pubDate>"), []string{
			`line 3: error: channel/pubDate: pubDate "Wed, 04 Mrz 2026 18:30:15 +0000" is not a date of RFC 822: write it as Wed, 04 Mar 2026 18:30:15 +0000 (RSS profile, dates and times)`,
		}},
		{"day that does not exist", "rss", inChannel("<pubDate>30 Feb 2026 18:30:15 +0000</pubDate>"), []string{
			`line 3: error: channel/pubDate: pubDate "30 Feb 2026 18:30:15 +0000" is a time that does not exist: write one that does (RSS profile, dates and times)`,
		}},
		{"hour that does not exist", "rss", inChannel("<pubDate>04 Mar 2026 24:30:15 +0000</pubDate>"), []string{
			`line 3: error: channel/pubDate: pubDate "04 Mar 2026 24:30:15 +0000" is a time that does not exist: write one that does (RSS profile, dates and times)`,
		}},
		{"zone that does not exist", "rss", inChannel("<pubDate>04 Mar 2026 18:30:15 +0070</pubDate>"), []string{
			`line 3: error: channel/pubDate: pubDate "04 Mar 2026 18:30:15 +0070" is a time that does not exist: write one that does (RSS profile, dates and times)`,
		}},
		{"wrong day of the week", "rss", inChannel("<pubDate>Mon, 04 Mar 2026 18:30:15 +0000</pubDate>"), []string{
			`line 3: error: channel/pubDate: pubDate "Mon, 04 Mar 2026 18:30:15 +0000" was a Wed: write that, or leave the day of the week out (RSS profile, dates and times)`,
		}},
		{"year of two digits", "rss", inChannel("<pubDate>Wed, 04 Mar 26 18:30:15 +0000</pubDate>"), []string{
			`line 3: warning: channel/pubDate: pubDate "Wed, 04 Mar 26 18:30:15 +0000" is written in a way that not every reader knows: write it as Wed, 04 Mar 2026 18:30:15 +0000 (RSS profile, dates and times)`,
		}},
		{"time of New York", "rss", inChannel("<pubDate>4 Mar 26 18:30 est</pubDate>"), []string{
			`line 3: warning: channel/pubDate: pubDate "4 Mar 26 18:30 est" is written in a way that not every reader knows: write it as Wed, 04 Mar 2026 18:30:00 -0500 (RSS profile, dates and times)`,
		}},
		{"date in small letters", "rss", inChannel("<pubDate>wed, 04 mar 2026 18:30:15 gmt</pubDate>"), []string{
			`line 3: warning: channel/pubDate: pubDate "wed, 04 mar 2026 18:30:15 gmt" is written in a way that not every reader knows: write it as Wed, 04 Mar 2026 18:30:15 +0000 (RSS profile, dates and times)`,
		}},
		{"the year 1", "rss", inChannel("<pubDate>Mon, 01 Jan 0001 00:00:00 +0000</pubDate>"), []string{
			`line 3: warning: channel/pubDate: pubDate "Mon, 01 Jan 0001 00:00:00 +0000" lies before 1990: write the true date (W3C feed validator, ImplausibleDate)`,
		}},
		{"ttl", "rss", inChannel("<ttl>soon</ttl>"), []string{
			`line 3: error: channel/ttl: ttl "soon" is not a whole number of at least 1: write one, or leave it out (RSS 2.0, elements of <channel>)`,
		}},
		{"ttl of nothing", "rss", inChannel("<ttl>0</ttl>"), []string{
			`line 3: error: channel/ttl: ttl "0" is not a whole number of at least 1: write one, or leave it out (RSS 2.0, elements of <channel>)`,
		}},
		{"editor without an address", "rss", inChannel("<managingEditor>Press office</managingEditor>"), []string{
			`line 3: error: channel/managingEditor: managingEditor "Press office" is not an address of mail: write office@example.org (Press office), or use dc:creator for a name (RSS profile, email addresses)`,
		}},
		{"editor in another form", "rss", inChannel("<managingEditor>Press office &lt;office@example.org&gt;</managingEditor>"), []string{
			`line 3: warning: channel/managingEditor: managingEditor "Press office <office@example.org>" is not in the usual form: write office@example.org (Press office) (RSS profile, email addresses)`,
		}},
		{"editor without a name", "rss", inChannel("<managingEditor>office@example.org</managingEditor>"), []string{
			`line 3: warning: channel/managingEditor: managingEditor "office@example.org" has no name: write office@example.org (Press office) (RSS profile, email addresses)`,
		}},
		{"cloud", "rss", inChannel(`<cloud domain="rpc.example.org" port="0" path="/RPC2" registerProcedure=""/>`), []string{
			"line 3: error: channel/cloud: <cloud> has no attribute protocol: add it (RSS 2.0, <cloud>)",
			`line 3: error: channel/cloud/@port: port "0" is not a whole number from 1 to 65535: write one (RSS 2.0, <cloud>)`,
		}},
		{"image without anything", "rss", inChannel("<image/>"), []string{
			"line 3: error: channel/image: <image> has no <link>: add one (RSS 2.0, <image>)",
			"line 3: error: channel/image: <image> has no <title>: add one (RSS 2.0, <image>)",
			"line 3: error: channel/image: <image> has no <url>: add one (RSS 2.0, <image>)",
		}},
		{"image", "rss", inChannel("<image>!<url>logo.png</url><title>Logo</title><link>https://www.example.org/logo</link><width>200</width><height>tall</height></image>"), []string{
			`line 3: error: channel/image: <image> holds the text "!", where elements are expected: leave it out (RSS 2.0, <image>)`,
			`line 3: error: channel/image/url: url "logo.png" is relative: write the whole address, beginning with https:// (RSS 2.0, comments)`,
			`line 3: error: channel/image/width: width "200" is not a whole number from 1 to 144: write one (RSS 2.0, <image>)`,
			`line 3: error: channel/image/height: height "tall" is not a whole number from 1 to 400: write one (RSS 2.0, <image>)`,
			`line 3: warning: channel/image/title: title "Logo" is not that of the channel: write the same (RSS profile, <image>)`,
			`line 3: warning: channel/image/link: link "https://www.example.org/logo" is not that of the channel: write the same (RSS profile, <image>)`,
		}},
		{"textInput", "rss", inChannel("<textInput><title>Search</title><description>Search</description><name>q</name></textInput>"), []string{
			"line 3: warning: channel/textInput: <textInput> is ignored by readers: leave it out (RSS profile, <textInput>)",
			"line 3: error: channel/textInput: <textInput> has no <link>: add one (RSS 2.0, <textInput>)",
		}},
		{"skipHours", "rss", inChannel("<skipHours><hour>24</hour><hour>5</hour><hour>05</hour></skipHours>"), []string{
			`line 3: error: channel/skipHours/hour[1]: hour "24" is not a whole number from 0 to 23: write one (RSS 2.0, skipHours and skipDays)`,
			`line 3: error: channel/skipHours/hour[3]: hour "05" is there more than once: leave one (RSS 2.0, skipHours and skipDays)`,
		}},
		{"skipDays", "rss", inChannel("<skipDays><day>Sunday</day><day>Freitag</day><day>Sunday</day></skipDays>"), []string{
			`line 3: error: channel/skipDays/day[2]: day "Freitag" is none of Sunday, Monday, Tuesday, Wednesday, Thursday, Friday, Saturday: write one of them (RSS 2.0, skipHours and skipDays)`,
			`line 3: error: channel/skipDays/day[3]: day "Sunday" is there more than once: leave one (RSS 2.0, skipHours and skipDays)`,
		}},
		{"channel behind its items", "rss", inChannel(`<item><title>A</title><guid isPermaLink="false">a</guid></item><ttl>60</ttl>`), []string{
			"line 3: warning: channel/ttl: <ttl> stands behind an <item>: put what describes the channel before its items (RSS profile, <item>)",
		}},
		{"built before its item", "rss", inChannel("<lastBuildDate>Wed, 04 Mar 2026 18:30:15 +0000</lastBuildDate>\n<item><title>A</title><guid isPermaLink=\"false\">a</guid><pubDate>Thu, 05 Mar 2026 18:30:15 +0000</pubDate></item>"), []string{
			"line 3: warning: channel/lastBuildDate: lastBuildDate lies before the pubDate of line 4: write when the channel last changed (RSS 2.0, elements of <channel>)",
		}},
		{"built before its item, by the zones", "rss", inChannel("<lastBuildDate>Wed, 04 Mar 2026 18:30:15 +0000</lastBuildDate>\n" +
			"<item><title>A</title><guid isPermaLink='false'>a</guid><pubDate>Wed, 04 Mar 2026 17:30:15 -0130</pubDate></item>"), []string{
			"line 3: warning: channel/lastBuildDate: lastBuildDate lies before the pubDate of line 4: write when the channel last changed (RSS 2.0, elements of <channel>)",
		}},
		{"one guid twice", "rss", inChannel("<item><title>A</title><guid isPermaLink=\"false\">a</guid></item>\n<item><title>B</title><guid isPermaLink=\"false\">a</guid></item>"), []string{
			`line 4: error: channel/item[2]/guid: guid "a" is that of line 3, too: give each item its own (RSS 2.0, <guid>)`,
		}},
		{"neither title nor description", "rss", inChannel(`<item><guid isPermaLink="false">a</guid></item>`), []string{
			"line 3: error: channel/item[1]: <item> has neither <title> nor <description>: add one of them (RSS 2.0, elements of <item>)",
		}},
		{"no guid", "rss", inChannel("<item><title>A</title></item>"), []string{
			"line 3: warning: channel/item[1]: <item> has no <guid>, by which readers know it again: add one (RSS profile, <guid>)",
		}},
		{"empty title", "rss", inChannel(`<item><title/><guid isPermaLink="false">a</guid></item>`), []string{
			"line 3: warning: channel/item[1]/title: <title> is empty: fill it, or leave it out (W3C feed validator, NotBlank)",
		}},
		{"text in an item", "rss", inItem("News!"), []string{
			`line 3: error: channel/item[1]: <item> holds the text "News!", where elements are expected: leave it out (RSS 2.0, elements of <item>)`,
		}},
		{"guid that is no link", "rss", inChannel("<item><title>A</title><guid>a</guid></item>"), []string{
			`line 3: error: channel/item[1]/guid: guid "a" is not an address on the web, though it is said to be one: write isPermaLink="false" (RSS 2.0, <guid>)`,
		}},
		{"guid that is a URN", "rss", inChannel(`<item><title>A</title><guid isPermaLink="true">urn:uuid:0b1f6a52-4a0e-5d2b-9f0e-0d5d5bd3a001</guid></item>`), []string{
			`line 3: error: channel/item[1]/guid: guid "urn:uuid:0b1f6a52-4a0e-5d2b-9f0e-0d5d5bd3a001" is not an address on the web, though it is said to be one: write isPermaLink="false" (RSS 2.0, <guid>)`,
		}},
		{"isPermaLink", "rss", inChannel(`<item><title>A</title><guid isPermaLink="no">https://www.example.org/a</guid></item>`), []string{
			`line 3: error: channel/item[1]/guid/@isPermaLink: isPermaLink "no" is none of true, false: write one of them (RSS 2.0, <guid>)`,
		}},
		{"empty guid", "rss", inChannel("<item><title>A</title><guid/></item>"), []string{
			"line 3: error: channel/item[1]/guid: guid is empty: write what the item is known by, or leave it out (RSS 2.0, <guid>)",
		}},
		{"relative link", "rss", inItem("<link>/a</link>"), []string{
			`line 3: error: channel/item[1]/link: link "/a" is relative: write the whole address, beginning with https:// (RSS 2.0, comments)`,
		}},
		{"empty link", "rss", inItem("<link/>"), []string{
			`line 3: error: channel/item[1]/link: link "" is empty: write the address (RSS 2.0, comments)`,
		}},
		{"link with a blank", "rss", inItem("<link>https://www.example.org/a b</link>"), []string{
			`line 3: error: channel/item[1]/link: link "https://www.example.org/a b" holds " ", which an address cannot: write it as %20 (RSS 2.0, comments)`,
		}},
		{"link without a host", "rss", inItem("<link>https:///a</link>"), []string{
			`line 3: error: channel/item[1]/link: link "https:///a" names no host: write the whole address (RSS 2.0, comments)`,
		}},
		{"link in Chinese", "rss", inItem("<link>https://www.example.org/新闻</link>"), []string{
			`line 3: warning: channel/item[1]/link: link "https://www.example.org/新闻" has characters beyond ASCII: percent-encode them, the host as punycode (RSS 2.0, comments)`,
		}},
		{"link with a bare %", "rss", inItem("<link>https://www.example.org/100%</link>"), []string{
			`line 3: error: channel/item[1]/link: link "https://www.example.org/100%" holds a % without two hexadecimal digits after it: write a % itself as %25 (RSS 2.0, comments)`,
		}},
		{"link with two fragments", "rss", inItem("<link>https://www.example.org/#a#b</link>"), []string{
			`line 3: error: channel/item[1]/link: link "https://www.example.org/#a#b" holds a second #: write it as %23 (RSS 2.0, comments)`,
		}},
		{"link with brackets", "rss", inItem("<link>https://www.example.org/?a[]=1</link>"), []string{
			`line 3: error: channel/item[1]/link: link "https://www.example.org/?a[]=1" holds "[", which an address cannot: write it as %5B (RSS 2.0, comments)`,
		}},
		{"link with a port that is none", "rss", inItem("<link>https://www.example.org:web/</link>"), []string{
			`line 3: error: channel/item[1]/link: link "https://www.example.org:web/" is not an address: mend it (RSS 2.0, comments)`,
		}},
		{"link with a private character", "rss", inItem("<link>https://www.example.org/\ue000</link>"), []string{
			`line 3: error: channel/item[1]/link: link "https://www.example.org/\ue000" holds U+E000, which an address cannot: percent-encode it (RSS 2.0, comments)`,
		}},
		{"author is a name", "rss", inItem("<author>Ms Example</author>"), []string{
			`line 3: error: channel/item[1]/author: author "Ms Example" is not an address of mail: write office@example.org (Press office), or use dc:creator for a name (RSS profile, email addresses)`,
		}},
		{"comments", "rss", inItem("<comments>comments</comments>"), []string{
			`line 3: error: channel/item[1]/comments: comments "comments" is relative: write the whole address, beginning with https:// (RSS 2.0, comments)`,
		}},
		{"enclosure without anything", "rss", inItem("<enclosure/>"), []string{
			"line 3: error: channel/item[1]/enclosure: <enclosure> has no attribute url: add it (RSS 2.0, <enclosure>)",
			"line 3: error: channel/item[1]/enclosure: <enclosure> has no attribute length: add it (RSS 2.0, <enclosure>)",
			"line 3: error: channel/item[1]/enclosure: <enclosure> has no attribute type: add it (RSS 2.0, <enclosure>)",
		}},
		{"enclosure", "rss", inItem(`<enclosure url="ftp://www.example.org/a.mp3" length="-1" type="mp3"/>`), []string{
			`line 3: error: channel/item[1]/enclosure/@url: url "ftp://www.example.org/a.mp3" is not an address on the web: write one that begins with https:// (RSS 2.0, <enclosure>)`,
			`line 3: error: channel/item[1]/enclosure/@length: length "-1" is not a whole number of at least 0: write one, or leave it out (RSS 2.0, <enclosure>)`,
			`line 3: error: channel/item[1]/enclosure/@type: type "mp3" is not a media type: write one such as image/jpeg or text/html (RSS 2.0, <enclosure>)`,
		}},
		{"two enclosures", "rss", inItem(`<enclosure url="https://www.example.org/a.mp3" length="0" type="audio/mpeg"/><enclosure url="https://www.example.org/b.mp3" length="0" type="audio/mpeg"/>`), []string{
			"line 3: warning: channel/item[1]/enclosure[2]: <item> has 2 enclosures, of which many readers see one: leave one (RSS profile, <enclosure>)",
		}},
		{"source without an address", "rss", inItem("<source>Example</source>"), []string{
			"line 3: error: channel/item[1]/source: <source> has no attribute url: add it (RSS 2.0, <source>)",
		}},
		{"source with a relative one", "rss", inItem(`<source url="feed.rss">Example</source>`), []string{
			`line 3: error: channel/item[1]/source/@url: url "feed.rss" is relative: write the whole address, beginning with https:// (RSS 2.0, <source>)`,
		}},
		{"content without a description", "rss", inItem("<content:encoded>A</content:encoded>"), []string{
			"line 3: warning: channel/item[1]/content:encoded: <content:encoded> has no <description> before it: put a summary there (RSS profile, content:encoded)",
		}},
		{"content before its description", "rss", inItem("<content:encoded>A</content:encoded><description>A</description>"), []string{
			"line 3: warning: channel/item[1]/content:encoded: <content:encoded> has no <description> before it: put a summary there (RSS profile, content:encoded)",
		}},
		{"content twice", "rss", inItem("<description>A</description><content:encoded>A</content:encoded><content:encoded>A</content:encoded>"), []string{
			"line 3: error: channel/item[1]/content:encoded[2]: <content:encoded> is there more than once in <item>: leave one (RDF Site Summary 1.0, content module)",
		}},
		{"content that is not escaped", "rss", inItem("<description>A</description><content:encoded><p>A</p></content:encoded>"), []string{
			"line 3: error: channel/item[1]/content:encoded/p: <p> stands in <content:encoded>, which holds text alone: escape it, or leave it out (RDF Site Summary 1.0, content module)",
		}},
		{"misspelt element of a module", "rss", inItem("<content:encode>A</content:encode>"), []string{
			"line 3: error: channel/item[1]/content:encode: <content:encode> is not an element of http://purl.org/rss/1.0/modules/content/: leave it out (Namespaces in XML 1.0)",
		}},
		{"markup in Dublin Core", "rss", inItem("<dc:creator>A <b/></dc:creator><dc:title>A &amp;amp; B</dc:title>"), []string{
			"line 3: error: channel/item[1]/dc:creator/b: <b> stands in <dc:creator>, which holds text alone: escape it, or leave it out (Dublin Core 1.1)",
			`line 3: warning: channel/item[1]/dc:title: dc:title holds "&amp;", but is plain text here: leave markup out, and escape no more than once (Dublin Core 1.1)`,
		}},
		{"module in the channel", "rss", inChannel("<dc:date>today</dc:date>"), []string{
			`line 3: error: channel/dc:date: dc:date "today" is not a date of W3CDTF: write it as 2026-03-04 or 2026-03-04T18:30:15Z (Dublin Core 1.1)`,
		}},
		{"script in a description", "rss", inItem("<description>&lt;script></description>"), []string{
			"line 3: error: channel/item[1]/description: <script> does not belong into a feed: leave it out (W3C feed validator, SecurityRisk)",
		}},
		{"text in rss", "rss", strings.Replace(inChannel(""), "</rss>", "News!</rss>", 1), []string{
			`line 1: error: rss: <rss> holds the text "News!", where elements are expected: leave it out (RSS 2.0, what is RSS)`,
		}},
		{"text where others are", "rss", inChannel("<skipHours>1<hour>1</hour></skipHours><skipDays>2<day>Sunday</day></skipDays>\n<textInput>3" +
			"<title>A</title><description>A</description><name>q</name><link>https://www.example.org/</link></textInput>"), []string{
			`line 3: error: channel/skipHours: <skipHours> holds the text "1", where elements are expected: leave it out (RSS 2.0, skipHours and skipDays)`,
			`line 3: error: channel/skipDays: <skipDays> holds the text "2", where elements are expected: leave it out (RSS 2.0, skipHours and skipDays)`,
			"line 4: warning: channel/textInput: <textInput> is ignored by readers: leave it out (RSS profile, <textInput>)",
			`line 4: error: channel/textInput: <textInput> holds the text "3", where elements are expected: leave it out (RSS 2.0, <textInput>)`,
		}},
		{"dc:date", "rss", inItem("<dc:date>yesterday</dc:date>"), []string{
			`line 3: error: channel/item[1]/dc:date: dc:date "yesterday" is not a date of W3CDTF: write it as 2026-03-04 or 2026-03-04T18:30:15Z (Dublin Core 1.1)`,
		}},
		{"dc:date that does not exist", "rss", inItem("<dc:date>2026-13-01</dc:date>"), []string{
			`line 3: error: channel/item[1]/dc:date: dc:date "2026-13-01" is a time that does not exist: write one that does (Dublin Core 1.1)`,
		}},
		{"dc:language", "rss", inItem("<dc:language>english</dc:language>"), []string{
			`line 3: error: channel/item[1]/dc:language: dc:language "english" names a language, script or region that is not registered: write one such as en, zh-Hans or sr-Latn (Dublin Core 1.1)`,
		}},
		{"empty dc:creator", "rss", inItem("<dc:creator/>"), []string{
			"line 3: warning: channel/item[1]/dc:creator: <dc:creator> is empty: fill it, or leave it out (Dublin Core 1.1)",
		}},
		{"dc:creator and author", "rss", inItem("<author>office@example.org (Press office)</author><dc:creator>Press office</dc:creator>"), []string{
			"line 3: warning: channel/item[1]/dc:creator: <dc:creator> says what <author> says: leave one of them out (W3C feed validator, DuplicateSemantics)",
		}},
		{"dc:language and language", "rss", inChannel("<language>en</language><dc:language>en</dc:language>"), []string{
			"line 3: warning: channel/dc:language: <dc:language> says what <language> says: leave one of them out (W3C feed validator, DuplicateSemantics)",
		}},
		{"media:content without an address", "rss", inItem(`<media:content medium="image"/>`), []string{
			"line 3: error: channel/item[1]/media:content: <media:content> has neither an attribute url nor a <media:player>: add one (Media RSS 1.5.1, <media:content>)",
		}},
		{"media:content", "rss", inItem(`<media:content url="a.jpg" type="jpeg" medium="picture" width="0" height="x" fileSize="-1" isDefault="yes" expression="part" bitrate="fast" lang="x" size="1"/>`), []string{
			`line 3: error: channel/item[1]/media:content/@url: url "a.jpg" is relative: write the whole address, beginning with https:// (Media RSS 1.5.1, <media:content>)`,
			`line 3: error: channel/item[1]/media:content/@type: type "jpeg" is not a media type: write one such as image/jpeg or text/html (Media RSS 1.5.1, <media:content>)`,
			`line 3: error: channel/item[1]/media:content/@medium: medium "picture" is none of image, audio, video, document, executable: write one of them (Media RSS 1.5.1, <media:content>)`,
			`line 3: error: channel/item[1]/media:content/@width: width "0" is not a whole number of at least 1: write one, or leave it out (Media RSS 1.5.1, <media:content>)`,
			`line 3: error: channel/item[1]/media:content/@height: height "x" is not a whole number of at least 1: write one, or leave it out (Media RSS 1.5.1, <media:content>)`,
			`line 3: error: channel/item[1]/media:content/@fileSize: fileSize "-1" is not a whole number of at least 0: write one, or leave it out (Media RSS 1.5.1, <media:content>)`,
			`line 3: error: channel/item[1]/media:content/@isDefault: isDefault "yes" is none of true, false: write one of them (Media RSS 1.5.1, <media:content>)`,
			`line 3: error: channel/item[1]/media:content/@expression: expression "part" is none of sample, full, nonstop: write one of them (Media RSS 1.5.1, <media:content>)`,
			`line 3: error: channel/item[1]/media:content/@bitrate: bitrate "fast" is not a number: write one such as 44.1, or leave it out (Media RSS 1.5.1, <media:content>)`,
			`line 3: error: channel/item[1]/media:content/@lang: lang "x" is not a language tag: write one such as en, zh-Hans or sr-Latn (Media RSS 1.5.1, <media:content>)`,
			"line 3: error: channel/item[1]/media:content/@size: attribute size is not one of <media:content>: leave it out (Media RSS 1.5.1, <media:content>)",
		}},
		{"media:thumbnail", "rss", inItem(`<media:thumbnail width="10" time="later"/>`), []string{
			`line 3: error: channel/item[1]/media:thumbnail/@time: time "later" is not a time within a recording: write it as 12.5 or 00:00:12.5 (Media RSS 1.5.1, <media:thumbnail>)`,
			"line 3: error: channel/item[1]/media:thumbnail: <media:thumbnail> has no attribute url: add it (Media RSS 1.5.1, <media:thumbnail>)",
		}},
		{"media:group of one", "rss", inItem(`<media:group><media:content url="https://www.example.org/a.jpg"/><media:contents/></media:group>`), []string{
			"line 3: warning: channel/item[1]/media:group: <media:group> has fewer than two <media:content>: it is for versions of the same, leave it out (Media RSS 1.5.1, <media:group>)",
			"line 3: error: channel/item[1]/media:group/media:contents: <media:contents> is not an element of http://search.yahoo.com/mrss/: leave it out (Namespaces in XML 1.0)",
		}},
		{"media:title", "rss", inItem(`<media:content url="https://www.example.org/a.jpg"><media:title type="markdown">&lt;b&gt;A&lt;/b&gt;</media:title><media:description type="html">&lt;script&gt;</media:description></media:content>`), []string{
			`line 3: error: channel/item[1]/media:content/media:title/@type: type "markdown" is none of plain, html: write one of them (Media RSS 1.5.1, <media:title>)`,
			`line 3: warning: channel/item[1]/media:content/media:title: media:title holds "<b>", but is plain text here: leave markup out, and escape no more than once (Media RSS 1.5.1, <media:title>)`,
			"line 3: error: channel/item[1]/media:content/media:description: <script> does not belong into a feed: leave it out (W3C feed validator, SecurityRisk)",
		}},
	} {
		c.run(t)
	}
}
