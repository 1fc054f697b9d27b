package sources

import (
	"net/url"
	"slices"
	"strings"

	"silkpost/internal/articles"
	"silkpost/internal/language"
)

// alternate is a page that says the same in a language. "x-default" is the page for everybody else.
type alternate struct{ language, url string }

// alternates returns the pages that this one calls its translations (hreflang).
func (p *webPage) alternates() (found []alternate) {
	for _, link := range p.doc.Find(`link[rel~="alternate"][hreflang][href]`).EachIter() {
		found = append(found, alternate{link.AttrOr("hreflang", ""), articles.WebAddress(link.AttrOr("href", ""), p.address.String())})
	}
	return found
}

// translationKey returns what pages that are translations of one another have in common: the first of their addresses. It is "" when
// they do not count: a page must be among its own alternates, as it is asked of those who write them, and none may be the first page of
// a site or of a language, for templates name those on every page.
func translationKey(all []alternate, own ...string) string {
	var addresses []string
	languages := map[string]bool{}
	for _, a := range all {
		tag, err := language.Parse(a.language)
		switch {
		case a.url == "" || err != nil: // x-default too: it is in no language, and often the first page
			continue
		case front(a.url):
			return ""
		}
		languages[language.Key(tag)] = true
		addresses = append(addresses, a.url)
	}
	itself := slices.ContainsFunc(own, func(o string) bool {
		return slices.ContainsFunc(addresses, func(a string) bool { return sameAddress(a, o) })
	})
	if len(languages) < 2 || !itself {
		return ""
	}
	return slices.Min(addresses)
}

// front reports whether an address is the first page of a site or of one of its languages.
func front(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return true
	}
	path := strings.Trim(u.Path, "/")
	path = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(path, "index.html"), "index.htm"), "index.php")
	_, err = language.Parse(strings.ReplaceAll(strings.Trim(path, "/"), "_", "-"))
	return u.RawQuery == "" && (path == "" || err == nil)
}

// sameAddress compares addresses without their scheme and closing slash.
func sameAddress(a, b string) bool { return bareAddress(a) == bareAddress(b) }

func bareAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return s
	}
	bare := strings.TrimPrefix(strings.ToLower(u.Host), "www.") + strings.TrimSuffix(u.EscapedPath(), "/")
	if u.RawQuery != "" {
		bare += "?" + u.RawQuery
	}
	return bare
}

// parsedLanguage returns the canonical tag of a claim, "" when it is none.
func parsedLanguage(claim string) string {
	tag, err := language.Parse(claim)
	if err != nil {
		return ""
	}
	return tag
}
