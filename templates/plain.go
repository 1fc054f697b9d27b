package templates

import (
	"html/template"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/bidi"
)

// line lays foreign text on one line: white space and control characters become single spaces, but for those that forbid a break; the
// controls that embed, override or isolate a direction are dropped, because an unclosed one would turn round what follows.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case overrides(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.TrimSpace(strings.Join(strings.FieldsFunc(s, breaks), " "))
}

// overrides reports whether r embeds, overrides or isolates a direction.
func overrides(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 }

// breaks reports whether a line may end at r, a white space.
func breaks(r rune) bool { return unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f' }

// lines lays each line of plain text on one line of its own, without the empty ones.
func lines(s string) []string {
	var all []string
	for l := range strings.Lines(s) {
		if l = line(l); l != "" {
			all = append(all, l)
		}
	}
	return all
}

// paragraphs parts plain text at its empty lines and lays each paragraph on one line.
func paragraphs(s string) []string {
	var all []string
	for p := range strings.SplitSeq(strings.ReplaceAll(s, "\r\n", "\n"), "\n\n") {
		if p = line(p); p != "" {
			all = append(all, p)
		}
	}
	return all
}

// webAddress returns an absolute http or https address as it is, and "" for anything else.
func webAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.ContainsFunc(s, unicode.IsSpace) {
		return ""
	}
	return s
}

// subscribeAddress returns the address by which a browser hands a feed over to a reader that is installed, "" for what is no web
// address. html/template knows no feed: scheme and would refuse it; behind it stands nothing but a checked http or https address.
func subscribeAddress(s string) template.URL {
	if webAddress(s) == "" {
		return ""
	}
	return template.URL("feed:" + s) //nolint:gosec // checked in the line above
}

// runsAgainst reports whether s has a letter of the direction opposite to that of the text around it.
func runsAgainst(s string, rightToLeft bool) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		switch p, _ := bidi.LookupRune(r); p.Class() {
		case bidi.L:
			return rightToLeft
		case bidi.R, bidi.AL:
			return !rightToLeft
		}
		return false
	})
}
