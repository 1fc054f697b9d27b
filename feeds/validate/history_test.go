package validate_test

import "testing"

func TestHistory(t *testing.T) {
	t.Parallel()
	for _, c := range []badCase{
		{"archive without current", "atom", inFeed(`<fh:archive/><link rel="prev-archive" href="https://www.example.org/1.atom"/>`), []string{
			`line 3: warning: fh:archive: <fh:archive> stands in a document without <atom:link rel="current">: add one with the address of the feed people subscribe to (RFC 5005, 4)`,
		}},
		{"archive that is current", "atom", inFeed(`<fh:archive/><link rel="current" href="https://www.example.org/feed.atom"/>`), []string{
			`line 3: error: link[2]: <link rel="current"> of an archive is its own address: write that of the feed people subscribe to (RFC 5005, 4)`,
		}},
		{"prev-archive of itself", "atom", inFeed(`<link rel="prev-archive" href="https://www.example.org/feed.atom"/>`), []string{
			`line 3: error: link[2]: <link rel="prev-archive"> is the document's own address, so readers go in circles: write that of the other document (RFC 5005, 4)`,
		}},
		{"next page is itself", "atom", inFeed(`<link rel="next" href="https://www.example.org/feed.atom"/>`), []string{
			`line 3: error: link[2]: <link rel="next"> is the document's own address, so readers go in circles: write that of the other document (RFC 5005, 3)`,
		}},
		{"two prev-archives", "atom", inFeed(`<link rel="prev-archive" href="https://www.example.org/1.atom"/><link rel="prev-archive" href="https://www.example.org/2.atom"/>`), []string{
			`line 3: error: link[3]: <link rel="prev-archive"> is there more than once: leave one (RFC 5005, 4)`,
		}},
		{"next-archive without a mark", "atom", inFeed(`<link rel="next-archive" href="https://www.example.org/1.atom"/>`), []string{
			`line 3: warning: link[2]: <link rel="next-archive"> stands in a document that does not say it is an archive: add <fh:archive/> (RFC 5005, 4)`,
		}},
		{"complete with more", "atom", inFeed(`<fh:complete/><link rel="prev-archive" href="https://www.example.org/1.atom"/>`), []string{
			`line 3: error: link[2]: <link rel="prev-archive"> leads to more, though the feed says <fh:complete>: leave one of them out (RFC 5005, 2)`,
		}},
		{"mark that is not empty", "atom", inFeed("<fh:complete>yes</fh:complete>"), []string{
			"line 3: error: fh:complete: <fh:complete> holds something: leave it empty (RFC 5005, 2)",
		}},
		{"two marks", "atom", inFeed("<fh:complete/><fh:complete/>"), []string{
			"line 3: error: fh:complete[2]: <fh:complete> is there more than once: leave one (RFC 5005, 2)",
		}},
		{"link in an entry", "atom", inEntry(`<link rel="prev-archive" href="https://www.example.org/1.atom"/>`), []string{
			`line 3: warning: entry[1]/link[2]: <link rel="prev-archive"> is about the feed: put it there (W3C feed validator, FeedHistoryRelInEntry)`,
		}},
		{"in RSS", "rss", inChannel(`<fh:archive/><atom:link rel="prev-archive" href="https://www.example.org/feed.rss"/>`), []string{
			`line 3: error: channel/atom:link[2]: <atom:link rel="prev-archive"> is the document's own address, so readers go in circles: write that of the other document (RFC 5005, 4)`,
			`line 3: warning: channel/fh:archive: <fh:archive> stands in a document without <atom:link rel="current">: add one with the address of the feed people subscribe to (RFC 5005, 4)`,
		}},
	} {
		c.run(t)
	}
}
