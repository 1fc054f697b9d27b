package feeds

import (
	"strings"
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

// address returns the address of something clean and without what may not stand in one (RFC 3987, section 2.2): blanks, quotes and
// the like are percent-encoded.
func address(text string) string { return addressEscaper.Replace(clean(text)) }

var addressEscaper = strings.NewReplacer("\t", "%09", "\n", "%0A", " ", "%20", `"`, "%22", "<", "%3C", ">", "%3E", `\`, "%5C",
	"^", "%5E", "`", "%60", "{", "%7B", "|", "%7C", "}", "%7D", "\x7F", "%7F")

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
