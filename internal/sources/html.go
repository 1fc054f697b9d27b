package sources

import (
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/articles"
	"silkpost/internal/language"
)

// readHTML reads an HTML file. The headline is its only <h1>, else its <title>; the text its only <article>, else its <main>,
// else its body without what frames a page. The head may give language, description, author, dates, section, tags, picture
// and canonical address.
func readHTML(f file) (articles.Draft, error) {
	content, err := decodeHTML(f.body)
	if err != nil {
		return articles.Draft{}, err
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(content))
	if err != nil {
		return articles.Draft{}, err
	}
	d := headDraft(doc)
	d.Title = headline(doc)
	d.HTML, err = mainPart(doc).Html()
	return d, err
}

// headDraft returns what the head of a page tells. Claims that cannot be are left aside: nobody wrote them for us.
func headDraft(doc *goquery.Document) articles.Draft {
	d := articles.Draft{
		Summary:   meta(doc, "description", "og:description"),
		Section:   meta(doc, "article:section"),
		ImageURL:  meta(doc, "og:image"),
		ImageAlt:  meta(doc, "og:image:alt"),
		Published: metaTime(doc, "article:published_time"),
		Updated:   metaTime(doc, "article:modified_time"),
		Tags:      metaAll(doc, "article:tag"),
		Authors:   metaAll(doc, "author"),
	}
	canonical, _ := doc.Find(`link[rel="canonical"]`).First().Attr("href")
	d.URL = articles.WebAddress(canonical, "")
	lang, _ := doc.Find("html").First().Attr("lang")
	if tag, err := language.Parse(lang); err == nil {
		d.Language = tag
	}
	return d
}

// headline returns the title of a page and takes it out of the text.
func headline(doc *goquery.Document) string {
	h1 := doc.Find("body h1")
	words := articles.Line(h1.First().Text())
	title := articles.Line(doc.Find("head title").First().Text())
	if words != "" && (h1.Length() == 1 || title == "") {
		h1.First().Remove()
		return words
	}
	return title
}

func mainPart(doc *goquery.Document) *goquery.Selection {
	doc.Find("nav, aside, script, style, noscript, template, [role=navigation], [role=banner], [role=contentinfo]").Remove()
	if article := doc.Find("article"); article.Length() == 1 {
		return article
	}
	if main := doc.Find("main, [role=main]"); main.Length() > 0 {
		return main.First()
	}
	body := doc.Find("body")
	body.ChildrenFiltered("header, footer").Remove()
	return body
}

func meta(doc *goquery.Document, names ...string) string {
	for _, name := range names {
		if all := metaAll(doc, name); len(all) > 0 {
			return all[0]
		}
	}
	return ""
}

// metaAll returns the contents of all <meta> elements of a name or property.
func metaAll(doc *goquery.Document, name string) []string {
	var found []string
	doc.Find("meta").Each(func(_ int, m *goquery.Selection) {
		if !strings.EqualFold(m.AttrOr("name", m.AttrOr("property", "")), name) {
			return
		}
		if content := strings.TrimSpace(m.AttrOr("content", "")); content != "" {
			found = append(found, content)
		}
	})
	return found
}

func metaTime(doc *goquery.Document, name string) time.Time {
	t, _ := parseDate(meta(doc, name))
	return t
}
