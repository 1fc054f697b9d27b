package sources

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/articles"
)

// story is what the JSON-LD of a page says of its article (schema.org's Article and what is under it).
type story struct {
	title, description, body, section, language, image, site string
	published, modified                                      string
	authors, tags                                            []string
}

// readStory returns the story of a page; the zero value when there is none, or several of which none names the page.
func readStory(doc *goquery.Document, address *url.URL) story {
	var found []map[string]any
	for _, script := range doc.Find(`script[type="application/ld+json"]`).EachIter() {
		var value any
		if json.Unmarshal([]byte(mendJSON(script.Text())), &value) == nil {
			found = collectStories(value, found, 0)
		}
	}
	if len(found) > 1 {
		here := slices.IndexFunc(found, func(o map[string]any) bool { return namesPage(o, address) })
		if here < 0 {
			return story{}
		}
		found = found[here:]
	}
	if len(found) == 0 {
		return story{}
	}
	return storyOf(found[0])
}

// mendJSON takes away what templates put around JSON and into its strings.
func mendJSON(text string) string {
	text = strings.TrimSpace(text)
	for _, mark := range []string{"<!--", "//<![CDATA[", "<![CDATA["} {
		text = strings.TrimPrefix(text, mark)
	}
	for _, mark := range []string{"//]]>", "]]>", "-->"} {
		text = strings.TrimSuffix(strings.TrimSpace(text), mark)
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, strings.TrimRight(strings.TrimSpace(text), ";"))
}

// collectStories finds the objects that are articles.
func collectStories(value any, found []map[string]any, depth int) []map[string]any {
	const deepest, most = 6, 50
	if depth > deepest || len(found) >= most {
		return found
	}
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			found = collectStories(one, found, depth+1)
		}
	case map[string]any:
		if isStory(v["@type"]) {
			return append(found, v)
		}
		for _, key := range []string{"@graph", "mainEntity", "itemListElement", "item"} {
			found = collectStories(v[key], found, depth+1)
		}
	}
	return found
}

func isStory(kind any) bool {
	return slices.ContainsFunc(texts(kind), func(name string) bool {
		name = name[strings.LastIndexAny(name, "/:")+1:]
		return strings.HasSuffix(name, "Article") || strings.HasSuffix(name, "Posting") && name != "JobPosting" || name == "Report"
	})
}

func namesPage(o map[string]any, address *url.URL) bool {
	for _, key := range []string{"url", "@id", "mainEntityOfPage"} {
		for _, text := range texts(o[key]) {
			u, err := url.Parse(articles.WebAddress(text, address.String()))
			if err == nil && u.Path == address.Path && u.RawQuery == address.RawQuery && u.Path != "" {
				return true
			}
		}
	}
	return false
}

func storyOf(o map[string]any) story {
	text := func(keys ...string) string {
		for _, key := range keys {
			if all := texts(o[key]); len(all) > 0 {
				return articles.Line(all[0])
			}
		}
		return ""
	}
	s := story{
		title: text("headline", "name"), description: text("description"), section: text("articleSection"),
		language: text("inLanguage"), image: text("image", "thumbnailUrl"), site: text("publisher"),
		published: text("datePublished", "dateCreated"), modified: text("dateModified"),
	}
	if body := texts(o["articleBody"]); len(body) > 0 {
		s.body = body[0]
	}
	for _, name := range texts(o["author"]) {
		if name = articles.Line(name); name != "" && !strings.Contains(name, "://") {
			s.authors = append(s.authors, name)
		}
	}
	for _, tag := range texts(o["keywords"]) {
		for one := range strings.FieldsFuncSeq(tag, func(r rune) bool { return strings.ContainsRune(",，、;；", r) }) {
			if one = articles.Line(one); one != "" {
				s.tags = append(s.tags, one)
			}
		}
	}
	return s
}

// texts returns the words of a value: itself, those of its parts, or the name or address of an object.
func texts(value any) (found []string) {
	switch v := value.(type) {
	case string:
		if strings.TrimSpace(v) != "" {
			found = append(found, v)
		}
	case []any:
		for _, one := range v {
			if _, nested := one.([]any); !nested {
				found = append(found, texts(one)...)
			}
		}
	case map[string]any:
		for _, key := range []string{"name", "url", "@id", "@value"} {
			if s, ok := v[key].(string); ok && strings.TrimSpace(s) != "" {
				return append(found, s)
			}
		}
	}
	return found
}
