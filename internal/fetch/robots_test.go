package fetch

import (
	"strings"
	"testing"
	"time"
)

func TestRobots(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text    string
		allowed string // paths
		refused string
	}{
		{"", "/ /x", ""},
		{"<html><p>Disallow: /</p></html>", "/x", ""},
		{"Disallow: /\n", "/x", ""}, // of nobody's group
		{"User-agent: *\nDisallow: /private\n", "/ /news /Private", "/private /private/x /privateer"},
		{"user-AGENT : *\r\nDISALLOW:/private # for us\r\n", "/", "/private"},
		{"\ufeffUser-agent: *\nDisallow: /", "", "/ /x"},
		{"User-agent: *\rDisallow: /", "/x", ""}, // a line that is none
		{"User-agent: *\nDisallow:\n", "/ /x", ""},
		{"User-agent: *\nDisallow: /\n\nUser-agent: Silkpost\nDisallow: /admin\n", "/ /x", "/admin"},
		{"User-agent: Silkpost\nDisallow: /\n\nUser-agent: *\nAllow: /\n", "", "/ /x"},
		{"User-agent: silkpost/2.0\nDisallow: /x\n", "/", "/x"},
		{"User-agent: Silkpostbot\nUser-agent: Silk\nDisallow: /\n", "/x", ""},
		{"User-agent: Silkpost\n\nUser-agent: other\nDisallow: /a\n", "/", "/a"}, // blank lines end no group
		{"User-agent: other\nUser-agent: Silkpost\nSitemap: https://x/\nDisallow: /a\n", "/", "/a"},
		{"User-agent: Silkpost\nDisallow: /a\nUser-agent: b\nDisallow: /b\nUser-agent: Silkpost\nDisallow: /c\n", "/b", "/a /c"},
		{"User-agent: Silkpost\nUser-agent: b\nDisallow:\n\nUser-agent: *\nDisallow: /", "/x", ""},
		// the longest rule decides; of equals the one that allows
		{"User-agent: *\nDisallow: /\nAllow: /news\n", "/news /news/1", "/ /x"},
		{"User-agent: *\nAllow: /page\nDisallow: /*.html\n", "/page", "/page.html"},
		{"User-agent: *\nDisallow: /folder\nAllow: /folder\n", "/folder/x", ""},
		// wildcards
		{"User-agent: *\nDisallow: /*.pdf$\n", "/a.pdfx /a.pdf?x", "/a.pdf /b/c.pdf"},
		{"User-agent: *\nDisallow: /search*q=\n", "/news/search?q=1", "/search?q=1 /search/x?q="},
		{"User-agent: *\nDisallow: /*/secret/*/x\n", "/secret/a/x", "/a/secret/b/x /a/b/secret/c/x"},
		{"User-agent: *\nDisallow: *\n", "", "/ /x"},
		{"User-agent: *\nDisallow: /a$b\n", "/a", "/a$b"},
		{"User-agent: *\nDisallow: /$\n", "/x", "/"},
		{"User-agent: *\nDisallow: /a*a$\n", "/a", "/aa /aba"},
		// octets (section 2.2.2)
		{"User-agent: *\nDisallow: /foo/bar/ツ\n", "/foo", "/foo/bar/%E3%83%84 /foo/bar/%e3%83%84"},
		{"User-agent: *\nDisallow: /foo/bar/%62%61%7A\n", "/foo", "/foo/bar/baz"},
		{"User-agent: *\nDisallow: /a%3fb\n", "/a?b", "/a%3Fb"},
		{"User-agent: *\nDisallow: /%zz\n", "/", "/%zz"},
	}
	for _, tt := range tests {
		rules := parseRobots([]byte(tt.text), "Silkpost")
		for _, path := range strings.Fields(tt.allowed) {
			if !rules.allows(path) {
				t.Errorf("%q refuses %s", tt.text, path)
			}
		}
		for _, path := range strings.Fields(tt.refused) {
			if rules.allows(path) {
				t.Errorf("%q allows %s", tt.text, path)
			}
		}
	}
}

func TestCrawlDelay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"User-agent: *\nCrawl-delay: 2.5\nDisallow:":              2500 * time.Millisecond,
		"User-agent: *\nCrawl-delay: soon\nDisallow: /":           0,
		"User-agent: *\nCrawl-delay: -1":                          0,
		"User-agent: *\nCrawl-delay: NaN":                         0,
		"User-agent: *\nCrawl-delay: 1e300":                       1e6 * time.Second,
		"User-agent: Silkpost\nUser-agent: *\nCrawl-delay: 7":     7 * time.Second,
		"User-agent: *\nCrawl-delay: 9\n\nUser-agent: Silkpost\n": 0,
	} {
		if got := parseRobots([]byte(text), "Silkpost").delay; got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func FuzzRobots(f *testing.F) {
	f.Add("User-agent: *\nDisallow: /*a*b$\nAllow: /%41\nCrawl-delay: 3", "/a?b=%41")
	f.Fuzz(func(t *testing.T, text, path string) {
		parseRobots([]byte(text), "Silkpost").allows(path)
		if again := normalPath(normalPath(path)); again != normalPath(path) && !strings.Contains(path, "%") {
			t.Errorf("%q becomes %q, then %q", path, normalPath(path), again)
		}
	})
}
