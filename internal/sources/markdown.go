package sources

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/pelletier/go-toml/v2"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"go.yaml.in/yaml/v3"

	"silkpost/internal/articles"
	"silkpost/internal/language"
)

// readMarkdown reads a Markdown file with front matter in YAML (between lines of ---) or TOML (between lines of +++). Keys:
// title, date, updated, language or lang, section, tags, authors or author, url, image, image_alt, summary, translation_key, id,
// publish_at (before that the article is not published), urgent, pinned.
// Others are left aside. Without a title the first heading of the first level is it, without a date the one that stands below it.
func readMarkdown(f file) (articles.Draft, error) {
	content, err := decodeText(f.body)
	if err != nil {
		return articles.Draft{}, err
	}
	m, content, err := splitMatter(content)
	if err != nil {
		return articles.Draft{}, err
	}
	d, err := m.draft()
	if err != nil {
		return articles.Draft{}, err
	}
	heading, body, err := renderMarkdown(content, d.Title)
	if err != nil {
		return articles.Draft{}, err
	}
	if d.Title == "" {
		d.Title = heading
	}
	if d.Title == "" {
		return articles.Draft{}, errors.New("it has no title; write one into the front matter or as a first heading (# Title)")
	}
	if d.HTML = body; d.Published.IsZero() {
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
		if err != nil {
			return articles.Draft{}, err
		}
		d.Published = f.page(doc, body, d.URL).published(d.Title).orDay()
	}
	return d, nil
}

// matter is decoded front matter. Its methods keep the first error.
type matter struct {
	values map[string]any
	err    error
}

// matterKey is how front matter begins. A text below a line drawn across the page does not.
var matterKey = regexp.MustCompile(`^[a-z_]+:(?:\s|$)`)

// splitMatter parts front matter from what follows.
func splitMatter(content string) (*matter, string, error) {
	m := &matter{values: map[string]any{}}
	lines := strings.SplitAfter(strings.ReplaceAll(content, "\r\n", "\n"), "\n")
	fence := strings.TrimSpace(lines[0])
	if fence != "---" && fence != "+++" {
		return m, content, nil
	}
	for i, line := range lines[1:] {
		if strings.TrimRight(line, " \t\n") != fence {
			continue
		}
		unmarshal := yaml.Unmarshal
		if fence == "+++" {
			unmarshal = toml.Unmarshal
		}
		if err := unmarshal([]byte(strings.Join(lines[1:i+1], "")), &m.values); err != nil {
			return nil, "", fmt.Errorf("its front matter cannot be read: %s", articles.OneLine(err.Error()))
		}
		return m, strings.Join(lines[i+2:], ""), nil
	}
	if fence == "---" && !matterKey.MatchString(strings.TrimSpace(lines[min(1, len(lines)-1)])) { // a line drawn across the page
		return m, content, nil
	}
	return nil, "", fmt.Errorf("its front matter has no end; close it with a line of %s", fence)
}

// draft returns what the front matter says.
func (m *matter) draft() (articles.Draft, error) {
	d := articles.Draft{
		ExternalKey:    m.text("id"),
		TranslationKey: m.text("translation_key"),
		URL:            m.text("url"),
		Title:          m.text("title"),
		Summary:        m.text("summary"),
		Language:       m.text("language", "lang"),
		Section:        m.text("section"),
		Tags:           m.list("tags"),
		Authors:        m.list("authors", "author"),
		ImageURL:       m.text("image"),
		ImageAlt:       m.text("image_alt"),
		Published:      m.time("date"),
		Updated:        m.time("updated"),
		NotBefore:      m.time("publish_at"),
		Urgent:         m.flag("urgent"),
		Pinned:         m.flag("pinned"),
	}
	if draft, _ := m.values["draft"].(bool); draft {
		m.fail("it says draft = true; take that out when it is to be published")
	}
	if d.URL != "" && articles.WebAddress(d.URL, "") == "" {
		m.fail("url %q is not a web address with http:// or https://", d.URL)
	}
	if d.Language != "" {
		if _, err := language.Parse(d.Language); err != nil {
			m.fail("language %w", err)
		}
	}
	return d, m.err
}

func (m *matter) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf("front matter: "+format, args...)
	}
}

// value returns the first of the keys that is there, with its name.
func (m *matter) value(keys []string) (string, any) {
	for _, key := range keys {
		if v := m.values[key]; v != nil {
			return key, v
		}
	}
	return keys[0], nil
}

func (m *matter) text(keys ...string) string {
	key, v := m.value(keys)
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return strings.TrimSpace(v)
	case time.Time:
		return v.Format(time.DateOnly)
	case map[string]any, []any:
		m.fail("%s must be a text", key)
		return ""
	default:
		return fmt.Sprint(v)
	}
}

// list returns a list, or the parts of a text between commas.
func (m *matter) list(keys ...string) []string {
	key, v := m.value(keys)
	var found []string
	switch v := v.(type) {
	case nil:
	case string:
		for part := range strings.SplitSeq(v, ",") {
			found = append(found, strings.TrimSpace(part))
		}
	case []any:
		for _, part := range v {
			if _, nested := part.(map[string]any); nested {
				m.fail("%s must be a list of texts", key)
			}
			found = append(found, fmt.Sprint(part))
		}
	default:
		m.fail("%s must be a list of texts", key)
	}
	return found
}

func (m *matter) flag(key string) bool {
	v, there := m.values[key]
	set, ok := v.(bool)
	if there && !ok {
		m.fail("%s must be true or false", key)
	}
	return set
}

func (m *matter) time(key string) time.Time {
	switch v := m.values[key].(type) {
	case nil:
		return time.Time{}
	case time.Time:
		return v
	case toml.LocalDate:
		return v.AsTime(time.UTC)
	case toml.LocalDateTime:
		return v.AsTime(time.UTC)
	case string:
		if t, ok := parseDate(v); ok {
			return t
		}
	}
	m.fail("%s %q is not a date such as 2020-05-11 or 2020-05-11T08:00:00+02:00", key, fmt.Sprint(m.values[key]))
	return time.Time{}
}

// renderMarkdown returns the first heading of the first level and the HTML of the rest. With a title given the heading only
// goes when it says the same and stands first.
func renderMarkdown(content, title string) (heading, body string, err error) {
	source := []byte(content)
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	doc := md.Parser().Parse(text.NewReader(source))
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); !ok || h.Level != 1 {
			continue
		}
		words := inlineText(n, source)
		if title == "" || words == title && n.PreviousSibling() == nil {
			heading = words
			doc.RemoveChild(doc, n)
		}
		break
	}
	var b bytes.Buffer
	err = md.Renderer().Render(&b, source, doc)
	return heading, b.String(), err
}

// inlineText returns the words of a heading.
func inlineText(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				b.Write(n.Segment.Value(source))
				if n.SoftLineBreak() {
					b.WriteByte(' ')
				}
			}
		case *ast.String:
			if entering {
				b.Write(n.Value)
			}
		}
		return ast.WalkContinue, nil
	})
	return articles.Line(b.String())
}
