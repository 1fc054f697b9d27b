package feeds

import (
	"strings"
	"unicode/utf8"

	"silkpost/internal/articles"
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
	for i, r := range text {
		if r == '\r' || !inXML(r) {
			return false
		}
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
			return false
		}
	}
	return true
}

// inXML reports whether r is a Char of XML 1.0, section 2.2.
func inXML(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// cleanArticle cleans every field that a document shows.
func cleanArticle(a articles.Article) articles.Article {
	for _, field := range []*string{
		&a.GUID, &a.Slug, &a.URL, &a.Title, &a.Summary, &a.HTML, &a.Text, &a.Language, &a.Section, &a.ImageURL,
	} {
		*field = clean(*field)
	}
	a.Tags = cleanAll(a.Tags)
	a.Authors = cleanAll(a.Authors)
	return a
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
