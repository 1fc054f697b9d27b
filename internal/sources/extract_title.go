package sources

import (
	"regexp"
	"slices"
	"strings"

	"silkpost/internal/articles"
)

// title returns the page's headline without the name of its site.
func (p *webPage) title() string {
	for _, claim := range []string{
		p.story.title, p.meta("og:title", "twitter:title"), p.meta("dcterms.title", "dc.title"), p.meta("ArticleTitle"), p.itemprop("headline"), p.field("标题", "标题名称", "信息标题"),
	} {
		if title := p.whole(p.withoutSite(articles.Line(claim))); title != "" {
			return title
		}
	}
	part := p.doc.Find("article, main, [role=main]").First()
	if part.Length() == 0 {
		part = p.doc.Find("body")
	}
	return p.withoutSite(headline(p.doc, part))
}

// between is what stands between a headline and the name of its site.
var between = regexp.MustCompile(`\s+[-/_:]+\s+|\s*[–—|｜·•»«›‹>_]+\s*|-{2,}|\s*[-]\s*`)

// withoutSite takes the names of site and sections off a title: what the page itself shows without them is the title.
func (p *webPage) withoutSite(title string) string {
	cuts := between.FindAllStringIndex(title, -1)
	if len(cuts) == 0 || p.shows(title) {
		return title
	}
	best := ""
	for _, cut := range cuts {
		for _, rest := range []string{title[:cut[0]], title[cut[1]:]} {
			if len(rest) > len(best) && p.shows(rest) {
				best = rest
			}
		}
	}
	if best != "" {
		return best
	}
	for _, site := range []string{p.story.site, p.meta("og:site_name"), p.meta("SiteName"), p.meta("application-name"), p.meta("dc.publisher")} {
		if rest, cut := strings.CutSuffix(title, site); cut && site != "" {
			if ends := between.FindAllStringIndex(rest, -1); len(ends) > 0 && ends[len(ends)-1][1] == len(rest) {
				return rest[:ends[len(ends)-1][0]]
			}
		}
	}
	return title
}

// shows reports whether a line of the page says just this.
func (p *webPage) shows(text string) bool {
	return text != "" && slices.ContainsFunc(p.blocks, func(b textBlock) bool { return b.text == text })
}

// whole returns the heading that goes on where a title was cut short.
func (p *webPage) whole(title string) string {
	start := strings.TrimRight(title, ".… ")
	if title == "" || p.shows(title) || columns(start) < 20 {
		return title
	}
	for _, b := range p.blocks {
		if b.heading && strings.HasPrefix(b.text, start) && (start != title || columns(title) >= 60) {
			return b.text
		}
	}
	return title
}
