package feeds

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean returns text as XML 1.0 can carry it and gives it back: characters outside its range are dropped, invalid UTF-8 becomes
// U+FFFD, and line ends become \n, which is what a parser would make of them. Clean text comes back as it is, not copied.
func clean(text string) string {
	if isClean(text) {
		return text
	}
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case !inXML(r):
			return -1
		}
		return r
	}, text)
}

func isClean(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' && c != '\n' {
			return false
		}
	}
	return utf8.ValidString(text) && !strings.Contains(text, "\uFFFE") && !strings.Contains(text, "\uFFFF")
}

// inXML reports whether r is a Char of XML 1.0, section 2.2.
func inXML(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// address returns an address with what may not stand in one percent-encoded: blanks, quotes, brackets but around an IPv6 address, and
// whatever else is no character of an IRI (RFC 3987, section 2.2), or not in that place. An address comes back as it is.
func address(text string) string {
	text = clean(text)
	if !strings.ContainsFunc(text, func(r rune) bool { return !inIRI(r) || r == '[' || r == ']' || r == '%' || r == '#' }) {
		return text // as nearly all are
	}
	var escaped strings.Builder
	host, fragment := hostEnd(text), false
	for i, r := range text {
		switch {
		case !inIRI(r), (r == '[' || r == ']') && i >= host, r == '%' && !isEscape(text[i:]), r == '#' && fragment:
			for _, octet := range []byte(string(r)) {
				fmt.Fprintf(&escaped, "%%%02X", octet)
			}
		default:
			escaped.WriteRune(r)
		}
		fragment = fragment || r == '#'
	}
	return escaped.String()
}

// hostEnd returns where the host of an address ends, 0 when it names none.
func hostEnd(address string) int {
	before, rest, found := strings.Cut(address, "//")
	if !found || strings.ContainsAny(before, "/?#") {
		return 0
	}
	end := len(address)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end -= len(rest) - i
	}
	return end
}

func isEscape(text string) bool { return len(text) > 2 && isHex(text[1]) && isHex(text[2]) }

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// inIRI reports whether a character of clean text may stand somewhere in an IRI. Blanks of any script may not: readers trim them.
func inIRI(r rune) bool {
	switch {
	case r < 0x80:
		return r > ' ' && r < 0x7F && !strings.ContainsRune("\"<>\\^`{|}", r)
	case r < 0xA0, r >= 0xE000 && r < 0xF900, r >= 0xFDD0 && r < 0xFDF0, r >= 0xFFF0 && r < 0x10000, unicode.IsSpace(r):
		return false
	}
	return r&0xFFFE != 0xFFFE && (r < 0xE0000 || r >= 0xE1000 && r < 0xF0000)
}

// cleanItem returns an item whose every text is clean, and whose URL is where readers are sent.
func cleanItem(item *Item, publicURL string) Item {
	it := *item
	it.URL = address(item.Link(publicURL))
	it.ImageURL = address(it.ImageURL)
	for _, field := range []*string{&it.GUID, &it.Title, &it.Summary, &it.HTML, &it.Text, &it.Language, &it.Section, &it.ImageAlt} {
		*field = clean(*field)
	}
	it.Tags = cleanAll(it.Tags)
	it.Authors = cleanAll(it.Authors)
	it.Translations = make([]Translation, len(item.Translations))
	for i, t := range item.Translations {
		it.Translations[i] = Translation{Language: clean(t.Language), URL: address(t.URL)}
	}
	return it
}

func cleanAll(texts []string) []string {
	cleaned := make([]string, 0, len(texts))
	for _, text := range texts {
		if text = clean(text); text != "" {
			cleaned = append(cleaned, text)
		}
	}
	return cleaned
}
