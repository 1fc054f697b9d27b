package sources

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html/atom"

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
	if title := cmp.Or(p.named(), p.aboveDate()); title != "" {
		return title
	}
	part := p.doc.Find("article, main, [role=main]").First()
	if part.Length() == 0 {
		part = p.doc.Find("body")
	}
	title := p.withoutSite(headline(p.doc, part))
	if !p.shows(title) {
		return cmp.Or(p.emphasised(), title)
	}
	return title
}

// named returns that part of the page's <title>, among the names of site and sections, which the page shows above its text; the last
// one before that, for the name of the site comes first.
func (p *webPage) named() string {
	title := words(p.doc.Find("head title").First())
	if len(title) > longestTitle {
		return ""
	}
	cuts := append(between.FindAllStringIndex(title, -1), colon.FindAllStringIndex(title, -1)...)
	best, at := "", -1
	for _, cut := range cuts {
		for _, part := range []string{title[:cut[0]], title[cut[1]:]} {
			if i := p.titleBlock(part); i > at && i < p.firstProse() && columns(part) >= 8 && !p.leadsHome(p.blocks[i]) {
				best, at = part, i
			}
		}
	}
	return best
}

var colon = regexp.MustCompile(`\s*[:：]+\s*`)

// leadsHome reports whether a line is a link to the first page of the site.
func (p *webPage) leadsHome(b textBlock) bool {
	for _, n := range b.nodes {
		for outer := n.Parent; outer != nil; outer = outer.Parent {
			if outer.DataAtom == atom.A {
				return front(articles.WebAddress(attribute(outer, "href"), p.address.String()))
			}
		}
	}
	return false
}

// aboveDate returns the heading right above the line that dates the page, if other things come before it: the name of the site, menus.
func (p *webPage) aboveDate() string {
	for i := 2; i < p.firstProse()-1; i++ {
		b := p.blocks[i]
		if b.heading && !p.blocks[i-1].heading && dated(p.blocks[i+1].text) && columns(b.text) >= 8 && !dated(b.text) {
			return b.text
		}
	}
	return ""
}

// emphasised returns the line above the text that is written largest, where a page has no headings: in a large font, bold, centred, as
// the head of a table, or in a class that is called title. It is "" when there is none.
func (p *webPage) emphasised() (title string) {
	most := 0
	for _, b := range p.blocks[:p.firstProse()] {
		if n := emphasis(b); n > 0 && (n > most || n == most && columns(b.text) > columns(title)) && columns(b.text) >= 8 && !dated(b.text) && !p.leadsHome(b) {
			title, most = b.text, n
		}
	}
	return title
}

var titleClass = regexp.MustCompile(`(?i)(?:^|[\s_-])(?:title|headline|biaoti|bt|tit|subject)(?:$|[\s_-])`)

func emphasis(b textBlock) (most int) {
	for _, n := range b.nodes {
		sum := 0
		for outer, depth := n.Parent, 0; outer != nil && depth < 4; outer, depth = outer.Parent, depth+1 {
			switch outer.DataAtom {
			case atom.A:
				return 0
			case atom.B, atom.Strong, atom.Center, atom.Th, atom.Caption, atom.H4, atom.H5:
				sum++
			case atom.Font:
				sum += max(0, number(strings.TrimPrefix(attribute(outer, "size"), "+"))-2)
			}
			if titleClass.MatchString(attribute(outer, "class") + " " + attribute(outer, "id")) {
				sum += 2
			}
		}
		most = max(most, sum)
	}
	return most
}

// longestTitle is how many bytes of a title are looked at for the name of the site.
const longestTitle = 1000

// between is what stands between a headline and the name of its site.
var between = regexp.MustCompile(`\s+[-/_:]+\s+|\s*[–—|｜·•»«›‹>_]+\s*|-{2,}|\s*[-]\s*`)

// withoutSite takes the names of site and sections off a title: what the page itself shows without them is the title.
func (p *webPage) withoutSite(title string) string {
	cuts := between.FindAllStringIndex(title, -1)
	if len(cuts) == 0 || len(title) > longestTitle || p.shows(title) {
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
