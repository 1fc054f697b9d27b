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

// Beside the declared feeds there is one for each section, language, tag and source of the articles. Nobody declares them; they
// come with their first article and stay. Their slugs follow from the names alone, so that an address stays what it is whatever
// else is published.
var prefixes = map[Kind]string{OfSection: "section-", OfLanguage: "lang-", OfTag: "tag-", OfSource: "source-"}

// The limit of feeds that nobody gave another.
const defaultLimit = 50

// isVirtual reports whether a slug is one that a feed which nobody declares may have.
func isVirtual(slug string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(slug, prefix) {
			return true
		}
	}
	return false
}

// virtual is a feed that nobody declares, as it is made: of the one value that it selects.
type virtual struct {
	Slug  string             `json:"slug"`
	Kind  Kind               `json:"kind"`
	Title database.StringMap `json:"title"`
	Value string             `json:"value"`
	Key   string             `json:"key"` // of a language, for comparing
}

// virtualsOf returns the feeds that articles of a kind are in without anybody's declaring it.
func virtualsOf(t *articles.Touched) []virtual {
	tag := languageTag(t.LanguageKey)
	all := []virtual{
		{Slug: prefixes[OfLanguage] + tag, Kind: OfLanguage, Title: database.StringMap{tag: languageName(t.LanguageKey)}, Value: tag, Key: t.LanguageKey},
		named(OfSource, t.Source),
	}
	if t.Section != "" {
		all = append(all, named(OfSection, t.Section))
	}
	for _, tag := range t.Tags {
		all = append(all, named(OfTag, tag))
	}
	return all
}

func named(kind Kind, name string) virtual {
	return virtual{Slug: prefixes[kind] + nameSlug(name), Kind: kind, Title: database.StringMap{"und": name}, Value: name}
}

// SectionSlug returns the slug of a section's feed.
func SectionSlug(name string) string { return prefixes[OfSection] + nameSlug(name) }

// LanguageSlug returns the slug of the feed of a language, which a tag names.
func LanguageSlug(tag string) string { return prefixes[OfLanguage] + languageTag(language.Key(tag)) }

// nameSlug makes ASCII of a name. Names that differ only in case, accents, spaces and common punctuation
// share one. Where anything else is lost, a hash of the name keeps slugs apart: 新闻 gives only a hash, C# gives c and a hash.
func nameSlug(name string) string {
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
		return slug.String()
	}
	sum := sha256.Sum256([]byte(strings.Join(strings.Fields(folded), " ")))
	if slug.Len() > 0 {
		slug.WriteByte('-')
	}
	return slug.String() + hex.EncodeToString(sum[:4])
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

// canonicalSlug returns the slug that another spelling of a language's stands for, and any other slug as it is.
func canonicalSlug(slug string) string {
	prefix := prefixes[OfLanguage]
	if len(slug) < len(prefix) || !strings.EqualFold(slug[:len(prefix)], prefix) {
		return slug
	}
	tag, err := language.Parse(slug[len(prefix):])
	if err != nil {
		return slug
	}
	return LanguageSlug(tag)
}
