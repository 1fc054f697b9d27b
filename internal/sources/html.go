package sources

import (
	"cmp"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/articles"
	"silkpost/internal/language"
)

// readHTML reads an HTML file. Its text is its only <article>, else its <main>, else its body without what frames a page; see
// headline for the title. The head may give language, description, author, section, tags, picture and canonical address; the dates are found as on
// any web page, see webPage.published.
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
	p := f.page(doc, content, d.URL)
	first := words(doc.Find("body h1").First()) // also one that is no headline, if there is nothing else
	part := mainPart(doc)
	d.Title = cmp.Or(headline(doc, part), first)
	d.Published, d.Updated = p.published(d.Title).orDay(), p.updated()
	removeHeading(part, d.Title)
	d.HTML, err = part.Html()
	return d, err
}

// headDraft returns what the head of a page tells. Claims that cannot be are left aside: nobody wrote them for us.
func headDraft(doc *goquery.Document) articles.Draft {
	d := articles.Draft{
		Summary:  meta(doc, "description", "og:description"),
		Section:  meta(doc, "article:section"),
		ImageURL: meta(doc, "og:image"),
		ImageAlt: meta(doc, "og:image:alt"),
		Tags:     metaAll(doc, "article:tag"),
		Authors:  metaAll(doc, "author"),
	}
	canonical, _ := doc.Find(`link[rel="canonical"]`).First().Attr("href")
	d.URL = articles.WebAddress(canonical, "")
	lang, _ := doc.Find("html").First().Attr("lang")
	if tag, err := language.Parse(lang); err == nil {
		d.Language = tag
	}
	return d
}

// mainPart returns the part of a page that holds the article, without what frames it: menus, the name of the site, the footer.
func mainPart(doc *goquery.Document) *goquery.Selection {
	doc.Find("nav, aside, script, style, noscript, template, [role=navigation], [role=banner], [role=contentinfo]").Remove()
	doc.Find("h1").FilterFunction(func(_ int, h *goquery.Selection) bool { return leadsHome(h) }).Remove()
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
