package sources

import (
	"cmp"
	"net/url"
	"regexp"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/articles"
)

// headline returns the title of a page: the <h1> of its <article> or <main>; else its og:title; else its only <h1> outside of header
// and footer; else that part of its <title> which a heading repeats, without the name of the site; else the <h2> with which its
// part begins; else its <title>. A heading that only leads to the site's first page is the site's name, not a headline.
func headline(doc *goquery.Document, part *goquery.Selection) string {
	headings := doc.Find("body h1, body h2").FilterFunction(func(_ int, h *goquery.Selection) bool {
		return part.Contains(h.Get(0)) || h.Closest("header, footer").Length() == 0
	})
	title := words(doc.Find("head title").First())
	return cmp.Or(
		words(part.Filter("article, main, [role=main]").Find("h1").First()),
		withoutSite(meta(doc, "og:title"), headings),
		only(headings.Filter("h1")),
		repeated(title, headings),
		opening(part),
		title,
	)
}

// words returns what an element says, in one line.
func words(s *goquery.Selection) string { return articles.OneLine(s.Text()) }

// only returns the words of the one heading there is, "" when there are several.
func only(headings *goquery.Selection) string {
	if headings.Length() != 1 {
		return ""
	}
	return words(headings)
}

// repeated returns the longest heading with which a page's title begins, else with which it ends, the rest being the name of the
// site; "" when there is none.
func repeated(title string, headings *goquery.Selection) string {
	begins, ends := "", ""
	for _, h := range headings.EachIter() {
		heading := words(h)
		if rest, ok := strings.CutPrefix(title, heading); ok && len(heading) > len(begins) && beforeName.MatchString(rest) {
			begins = heading
		}
		if rest, ok := strings.CutSuffix(title, heading); ok && len(heading) > len(ends) && afterName.MatchString(rest) {
			ends = heading
		}
	}
	return cmp.Or(begins, ends)
}

// What stands between the title of a page and the name of its site.
var (
	beforeName = regexp.MustCompile(`^$|^(?:\s+[-/_]\s+|\s*[–—|·•:：»«›‹>]+\s*)\S`)
	afterName  = regexp.MustCompile(`^$|\S(?:\s+[-/_]\s+|\s*[–—|·•:：»«›‹>]+\s*)$`)
)

func withoutSite(title string, headings *goquery.Selection) string {
	title = articles.OneLine(title)
	return cmp.Or(repeated(title, headings), title)
}

// opening returns the <h2> with which a part begins, "" when it begins with something else.
func opening(part *goquery.Selection) string {
	h2 := words(part.Find("h2").First())
	if !strings.HasPrefix(words(part), h2) {
		return ""
	}
	return h2
}

// removeHeading takes the heading that says the same as the title out of a part.
func removeHeading(part *goquery.Selection, title string) {
	part.Find("h1, h2").FilterFunction(func(_ int, h *goquery.Selection) bool { return words(h) == title }).First().Remove()
}

// leadsHome reports whether a heading is nothing but a link to the first page of its site.
func leadsHome(h *goquery.Selection) bool {
	link := h.Find("a[href]").First()
	if link.Length() == 0 {
		link = h.Closest("a[href]")
	} else if words(link) != words(h) {
		return false
	}
	href, linked := link.Attr("href")
	to, err := url.Parse(strings.TrimSpace(href))
	if !linked || err != nil || to.Fragment != "" || to.RawQuery != "" || href == "" {
		return false
	}
	switch strings.Trim(to.Path, "./") {
	case "", "index.html", "index.htm", "index.php":
		return to.Scheme != "mailto" && to.Scheme != "javascript"
	}
	return false
}
