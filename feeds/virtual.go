package feeds

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	xlang "golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/unicode/norm"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/language"
)

// Beside the declared feeds there is one for each section and one for each language of the articles. Nobody declares them, and
// their slugs follow from the names alone, so that an address stays what it is whatever else is published.
const (
	sectionPrefix = "section-"
	langPrefix    = "lang-"
)

// The limit of feeds that nobody gave another.
const defaultLimit = 50

// isVirtual reports whether a slug is one that a section or a language may have.
func isVirtual(slug string) bool {
	return strings.HasPrefix(slug, sectionPrefix) || strings.HasPrefix(slug, langPrefix)
}

// sectionFeed returns the feed of the sections that share a slug, in the order of their names. The first names it.
func sectionFeed(slug string, names []string) Feed {
	return Feed{
		Slug:      slug,
		Title:     database.StringMap{"und": names[0]},
		Selection: articles.Selection{Sections: names},
		Content:   Full,
		Limit:     defaultLimit,
	}
}

// sectionSlug makes the ASCII slug of a section's feed. Names that differ only in case, accents, spaces and common punctuation
// share one. Where anything else is lost, a hash of the name keeps slugs apart: 新闻 gives only a hash, C# gives c and a hash.
func sectionSlug(name string) string {
	folded := strings.ToLower(norm.NFKD.String(name))
	var slug strings.Builder
	gap, lost := false, false
	for _, r := range folded {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			if gap && slug.Len() > 0 {
				slug.WriteByte('-')
			}
			slug.WriteRune(r)
			gap = false
		case unicode.Is(unicode.Mn, r):
		case unicode.IsSpace(r) || strings.ContainsRune(`-_.,:;!?&/'"()’–—`, r):
			gap = true
		default:
			gap, lost = true, true
		}
	}
	if slug.Len() > 0 && !lost {
		return sectionPrefix + slug.String()
	}
	sum := sha256.Sum256([]byte(strings.Join(strings.Fields(folded), " ")))
	if slug.Len() > 0 {
		slug.WriteByte('-')
	}
	return sectionPrefix + slug.String() + hex.EncodeToString(sum[:4])
}

// languageFeed returns the feed of a language key.
func languageFeed(key string) Feed {
	tag := languageTag(key)
	return Feed{
		Slug:      langPrefix + tag,
		Title:     database.StringMap{tag: languageName(key)},
		Selection: articles.Selection{Languages: []string{tag}},
		Content:   Full,
		Limit:     defaultLimit,
	}
}

// languageTag returns the shortest tag of a language key that leaves no doubt: with the script where the language is commonly
// written in several. "en-Latn" gives "en", "zh-Hans" and "sr-Cyrl" stay.
func languageTag(key string) string {
	base, script, _ := strings.Cut(key, "-")
	usual, sure := xlang.Make(base).Script()
	if sure >= xlang.High && usual.String() == script {
		return base
	}
	return key
}

// languageName returns a language's name in that language.
func languageName(key string) string {
	if key == "sr-Latn" { // CLDR still says Serbo-Croatian
		return "srpski"
	}
	if name := display.Self.Name(xlang.Make(languageTag(key))); name != "" {
		return name
	}
	return languageTag(key)
}

// canonicalLanguageSlug returns the slug of the feed that a lang- slug, in any case and spelling, stands for; slug itself when it
// names no language.
func canonicalLanguageSlug(slug string) string {
	tag, err := language.Parse(slug[len(langPrefix):])
	if err != nil {
		return slug
	}
	return langPrefix + languageTag(language.Key(tag))
}
