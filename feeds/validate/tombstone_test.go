package validate_test

import "testing"

func TestTombstones(t *testing.T) {
	t.Parallel()
	for _, c := range []badCase{
		{"without anything", "atom", inFeed("<at:deleted-entry/>"), []string{
			"line 3: error: at:deleted-entry: <at:deleted-entry> has no attribute ref: add it (RFC 6721, 3)",
			"line 3: error: at:deleted-entry: <at:deleted-entry> has no attribute when: add it (RFC 6721, 3)",
		}},
		{"attributes", "atom", inFeed(`<at:deleted-entry ref="a" when="today" why="b">!</at:deleted-entry>`), []string{
			"line 3: error: at:deleted-entry/@why: attribute why is not one of <at:deleted-entry>: leave it out (RFC 6721, 3)",
			`line 3: error: at:deleted-entry/@ref: ref "a" is relative: write the whole address, beginning with https:// (RFC 6721, 3)`,
			`line 3: error: at:deleted-entry/@when: when "today" is not a date of RFC 3339: write it as 2026-03-04T18:30:15Z (RFC 6721, 3)`,
			`line 3: error: at:deleted-entry: <at:deleted-entry> holds the text "!", where elements are expected: leave it out (RFC 6721, 3)`,
		}},
		{"link", "atom", inFeed(`<at:deleted-entry ref="urn:example:2" when="2026-03-04T18:30:15Z"><link href=""/></at:deleted-entry>`), []string{
			"line 3: error: at:deleted-entry/link: <link> has no attribute href: add it (RFC 4287, 4.2.7.1)",
		}},
		{"twice", "atom", inFeed(`<at:deleted-entry ref="urn:example:2" when="2026-03-04T18:30:15Z"/><at:deleted-entry ref="urn:example:2" when="2026-03-04T18:30:15Z"/>`), []string{
			`line 3: error: at:deleted-entry[2]: <at:deleted-entry> of "urn:example:2" is there more than once with the same time: leave one (RFC 6721, 3)`,
		}},
		{"parts", "atom", inFeed(`<at:deleted-entry ref="urn:example:2" when="2026-03-04T18:30:15Z"><at:by/><at:comment type="a"/><at:comment>A</at:comment></at:deleted-entry>`), []string{
			"line 3: error: at:deleted-entry/at:by: <at:by> has no <name>: add one (RFC 4287, 3.2)",
			`line 3: error: at:deleted-entry/at:comment[1]/@type: type "a" is none of text, html, xhtml: write one of them (RFC 4287, 3.1.1)`,
			"line 3: error: at:deleted-entry/at:comment[2]: <at:comment> is there more than once in <at:deleted-entry>: leave one (RFC 6721, 3)",
		}},
		{"older than its entry", "atom", inFeed("<at:deleted-entry ref=\"urn:example:1\" when=\"2026-03-03T18:30:15Z\"/>\n" + entry), []string{
			`line 3: warning: at:deleted-entry: <at:deleted-entry> of "urn:example:1" is older than the entry of line 4, so it says nothing: leave it out (RFC 6721, 3)`,
		}},
		{"newer than its entry", "atom", inFeed("<at:deleted-entry ref=\"urn:example:1\" when=\"2026-03-05T18:30:15Z\"/>\n" + entry), []string{
			`line 3: warning: at:deleted-entry: <at:deleted-entry> of "urn:example:1" is newer than the entry of line 4, so readers drop that: leave one of the two out (RFC 6721, 3)`,
		}},
	} {
		c.run(t)
	}
}
