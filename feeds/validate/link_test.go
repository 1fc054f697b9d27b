package validate_test

import "testing"

func TestLinks(t *testing.T) {
	t.Parallel()
	for _, c := range []badCase{
		{"no self in RSS", "rss", "<rss version=\"2.0\">\n" + channel + "\n</rss>", []string{
			`line 2: warning: channel: <channel> has no <atom:link rel="self">: add one with the feed's own address (RSS profile, atom:link)`,
		}},
		{"two selves", "rss", inChannel(`<atom:link rel="self" href="https://www.example.org/other.rss"/>`), []string{
			`line 3: warning: channel/atom:link[2]: <atom:link rel="self"> is there more than once: leave one (RSS profile, atom:link)`,
		}},
		{"self of another type", "rss", rssWith(rssRoot, `<atom:link rel="self" href="https://www.example.org/feed.rss" type="application/atom+xml"/>`, ""), []string{
			`line 2: warning: channel/atom:link/@type: type "application/atom+xml" is not the type of this document: write application/rss+xml (W3C feed validator, SelfNotAtom)`,
		}},
		{"relative self", "rss", rssWith(rssRoot, `<atom:link rel="self" href="feed.rss" type="application/rss+xml"/>`, ""), []string{
			`line 2: warning: channel/atom:link/@href: href "feed.rss" is relative to where the document is found: write the whole address (W3C feed validator, ContainsRelRef)`,
		}},
		{"no self in Atom", "atom", atomWith("", author, ""), []string{
			`line 1: warning: feed: <feed> has no <atom:link rel="self">: add one with the feed's own address (RFC 4287, 4.1.1)`,
		}},
		{"no href", "atom", inFeed(`<link rel="hub"/>`), []string{
			"line 3: error: link[2]: <link> has no attribute href: add it (RFC 4287, 4.2.7.1)",
		}},
		{"empty rel", "atom", inFeed(`<link rel="" href="https://www.example.org/"/>`), []string{
			"line 3: error: link[2]/@rel: rel is empty: name a relation, or leave the attribute out (RFC 4287, 4.2.7.2)",
		}},
		{"rel that is none", "atom", inFeed(`<link rel="a/b" href="https://www.example.org/"/>`), []string{
			`line 3: error: link[2]/@rel: rel "a/b" is neither a name nor a whole address: write one of them (RFC 4287, 4.2.7.2)`,
		}},
		{"rel that is an address that is none", "atom", inFeed(`<link rel="https:" href="https://www.example.org/"/>`), []string{
			`line 3: error: link[2]/@rel: rel "https:" names no host: write the whole address (RFC 4287, 4.2.7.2)`,
		}},
		{"rel that nobody knows", "atom", inFeed(`<link rel="friend" href="https://www.example.org/"/>`), []string{
			`line 3: warning: link[2]/@rel: rel "friend" is not registered: use a registered relation, or a whole address of your own (W3C feed validator, UnregisteredAtomLinkRel)`,
		}},
		{"attributes of a link", "atom", inFeed(`<link rel="related" href="https://www.example.org/ü&lt;" type="html" hreflang="deutsch" length="long" target="_blank"/>`), []string{
			"line 3: error: link[2]/@target: attribute target is not one of <link>: leave it out (RFC 4287, 4.2.7)",
			`line 3: error: link[2]/@href: href "https://www.example.org/ü<" holds "<", which an address cannot: write it as %3C (RFC 4287, 4.2.7.1)`,
			`line 3: error: link[2]/@type: type "html" is not a media type: write one such as image/jpeg or text/html (RFC 4287, 4.2.7.3)`,
			`line 3: error: link[2]/@hreflang: hreflang "deutsch" names a language, script or region that is not registered: write one such as en, zh-Hans or sr-Latn (RFC 4287, 4.2.7.4)`,
			`line 3: error: link[2]/@length: length "long" is not a whole number of at least 0: write one, or leave it out (RFC 4287, 4.2.7.6)`,
		}},
		{"text in a link", "atom", inEntry(`<link rel="related" href="https://www.example.org/">here</link>`), []string{
			"line 3: warning: entry[1]/link[2]: <link> holds text or elements, which readers ignore: say everything in its attributes (W3C feed validator, AtomLinkNotEmpty)",
		}},
		{"enclosure without a length", "atom", inEntry(`<link rel="enclosure" href="https://www.example.org/a.mp3"/>`), []string{
			`line 3: warning: entry[1]/link[2]: <link rel="enclosure"> has no attribute length: add the size in bytes (RFC 4287, 4.2.7.2)`,
		}},
		{"two alternates", "atom", inEntry(`<link href="https://www.example.org/b" rel="alternate"/>`), []string{
			`line 3: error: entry[1]/link[2]: <link rel="alternate"> with type "" and hreflang "" is there more than once: leave one, or tell them apart (RFC 4287, 4.1.2)`,
		}},
		{"two alternates of a feed", "atom", inFeed(`<link href="https://www.example.org/a" type="text/html" hreflang="it"/><link rel="alternate" href="https://www.example.org/b" type="text/html" hreflang="it"/>`), []string{
			`line 3: error: link[3]: <link rel="alternate"> with type "text/html" and hreflang "it" is there more than once: leave one, or tell them apart (RFC 4287, 4.1.1)`,
		}},
		{"two alternates in RSS", "rss", inItem(`<atom:link href="https://www.example.org/a"/><atom:link rel="alternate" href="https://www.example.org/b"/>`), []string{
			`line 3: error: channel/item[1]/atom:link[2]: <atom:link rel="alternate"> with type "" and hreflang "" is there more than once: leave one, or tell them apart (RFC 4287, 4.1.1)`,
		}},
	} {
		c.run(t)
	}
}
