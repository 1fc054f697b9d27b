package sources

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"silkpost/internal/articles"
)

// suggestion is a listing that was found on a page by its form.
type suggestion struct {
	articles.Listing
	entries []entry
	score   float64
}

// What a group of links must be to count as a listing.
const (
	fewestItems  = 3
	shortestName = 10 // columns of a title
	mostLinks    = 3000
)

// suggestListings finds what on a page may be listings of articles, the best first: parts of one form that follow one another, each about
// one page of the site, with a title and perhaps a date.
func suggestListings(doc *goquery.Document, base *url.URL, zone *time.Location) (found []suggestion) {
	for _, items := range itemGroups(doc, base) {
		l := articles.Listing{Item: groupSelector(doc, items)}
		if l.Item == "" {
			continue
		}
		s := suggestion{Listing: l, entries: listedEntries(doc, base, l, zone)}
		s.score = s.judge(items)
		if len(s.entries) >= fewestItems && s.score > 0 {
			s.Next = nextSelector(doc, base)
			found = append(found, s)
		}
	}
	slices.SortStableFunc(found, func(a, b suggestion) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	return found
}

// itemGroups returns the elements that are each about one page of the site, those that look alike together. An item is as much around a
// link as leads nowhere else.
func itemGroups(doc *goquery.Document, base *url.URL) (groups [][]*html.Node) {
	targets := map[*html.Node]string{} // of links that may be titles
	within := map[*html.Node]map[string]bool{}
	links := doc.Find("body a[href]")
	for _, a := range links.Slice(0, min(links.Length(), mostLinks)).EachIter() {
		to, err := base.Parse(strings.TrimSpace(a.AttrOr("href", "")))
		if err != nil || !webAddress(to) || !sameSite(to.Hostname(), base.Hostname()) || front(to.String()) || sameAddress(to.String(), base.String()) ||
			columns(firstLine(a.AttrOr("title", ""), a.Text())) < shortestName {
			continue
		}
		key := addressKey(to.String())
		targets[a.Get(0)] = key
		for n := a.Get(0); n != nil && n.DataAtom != atom.Body; n = n.Parent {
			if within[n] == nil {
				within[n] = map[string]bool{}
			}
			within[n][key] = true
		}
	}
	byForm := map[string][]*html.Node{}
	var forms []string
	seen := map[*html.Node]bool{}
	for _, a := range links.EachIter() {
		n := a.Get(0)
		if targets[n] == "" {
			continue
		}
		for n.Parent != nil && len(within[n.Parent]) == 1 && n.Parent.DataAtom != atom.Body {
			n = n.Parent
		}
		if seen[n] {
			continue
		}
		seen[n] = true
		form := formOf(n)
		if byForm[form] == nil {
			forms = append(forms, form)
		}
		byForm[form] = append(byForm[form], n)
	}
	for _, form := range forms {
		if len(byForm[form]) >= fewestItems {
			groups = append(groups, byForm[form])
		}
	}
	return groups
}

// formOf says where an element stands: the elements around it, with the classes of the nearest ones.
func formOf(n *html.Node) string {
	var b strings.Builder
	for depth := 0; n != nil && n.DataAtom != atom.Body; n, depth = n.Parent, depth+1 {
		b.WriteString(">" + n.Data)
		if depth > 0 && depth < 5 {
			b.WriteString("." + strings.Join(steadyClasses(n), "."))
		}
	}
	return b.String()
}

// changing are classes that tell neighbours apart instead of what they have in common.
var changing = regexp.MustCompile(`(?i)\d|^(?:first|last|odd|even|active|current|selected|hover|on|cur|clearfix|clear|fl|fr|left|right|row|alt|hidden|wow|animated|sticky)$|^(?:tag|category|status|format|type|has|is|js|col|item)-`)

var plainName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// steadyClasses returns the classes of an element that a selector can rely on.
func steadyClasses(n *html.Node) (classes []string) {
	for _, class := range strings.Fields(attribute(n, "class")) {
		if plainName.MatchString(class) && !changing.MatchString(class) {
			classes = append(classes, class)
		}
	}
	slices.Sort(classes)
	return classes
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// groupSelector returns a CSS selector of just these elements, or nearly so; "" when there is none that is short.
func groupSelector(doc *goquery.Document, items []*html.Node) string {
	const longest = 5
	own := common(items)
	step := items[0].Data
	if len(own) > 0 {
		step += "." + own[0]
	}
	selector, vague := step, ""
	for parent, depth := items[0].Parent, 0; depth <= longest; depth++ {
		if fits(doc, selector, items) {
			if strings.ContainsAny(selector, ".#") {
				return selector
			}
			vague = selector // right today, but of tags alone
		}
		if parent == nil || parent.DataAtom == atom.Html || parent.DataAtom == atom.Body {
			return vague
		}
		step := parent.Data
		if id := attribute(parent, "id"); plainName.MatchString(id) && !changing.MatchString(id) && allWithin(items, parent) {
			step = "#" + id
		} else if classes := steadyClasses(parent); len(classes) > 0 {
			step += "." + classes[0]
		}
		if parent.DataAtom == atom.Tbody {
			parent = parent.Parent
			continue
		}
		joint := " > "
		if items[0].DataAtom == atom.Tr || strings.HasPrefix(selector, "tr") {
			joint = " "
		}
		selector = step + joint + selector
		parent = parent.Parent
	}
	return vague
}

// common returns the steady classes that all elements have.
func common(items []*html.Node) []string {
	shared := steadyClasses(items[0])
	for _, n := range items[1:] {
		classes := steadyClasses(n)
		shared = slices.DeleteFunc(shared, func(class string) bool { return !slices.Contains(classes, class) })
	}
	return shared
}

func allWithin(items []*html.Node, outer *html.Node) bool {
	return !slices.ContainsFunc(items, func(n *html.Node) bool { return !within(n, outer) })
}

// fits reports whether a selector finds the elements and hardly any others.
func fits(doc *goquery.Document, selector string, items []*html.Node) bool {
	compiled, err := cascadia.ParseGroup(selector)
	if err != nil {
		return false
	}
	found := cascadia.QueryAll(doc.Get(0), compiled)
	if len(found)*10 > len(items)*11+10 {
		return false
	}
	return !slices.ContainsFunc(items, func(n *html.Node) bool { return !slices.Contains(found, n) })
}

// frames are parts of a page where links to other articles stand, not its listing.
var frames = regexp.MustCompile(`(?i)(?:^|[\s_-])(?:menu|nav|navbar|footer|foot|header|top|sidebar|aside|related|widget|breadcrumbs?|links|friend|partners?|hot|rank|popular|most-read|tags?|archive|categories)(?:$|[\s_-])`)

// judge says how much a group looks like a listing of articles. Many long titles with dates do; menus do not.
func (s suggestion) judge(items []*html.Node) float64 {
	if len(s.entries) == 0 {
		return 0
	}
	var titles, dates, numbers float64
	for _, e := range s.entries {
		titles += float64(min(columns(e.title), 50))
		if !e.date.IsZero() {
			dates++
		}
		if strings.ContainsAny(e.url[strings.Index(e.url, "//")+2:], "0123456789") || strings.Count(e.url, "-") > 2 {
			numbers++
		}
	}
	n := float64(len(s.entries))
	score := min(n, 20) * (titles / n / 50) * (0.3 + dates/n) * (0.6 + 0.4*numbers/n)
	for outer := items[0]; outer != nil && outer.DataAtom != atom.Body; outer = outer.Parent {
		framed := outer.DataAtom == atom.Nav || outer.DataAtom == atom.Footer || outer.DataAtom == atom.Aside || outer.DataAtom == atom.Header && outer != items[0]
		if framed && !within(items[0], firstOf(outer, atom.Article)) || frames.MatchString(attribute(outer, "class")+" "+attribute(outer, "id")) {
			return score * 0.15
		}
	}
	return score
}

// firstOf returns the first element of a kind within another.
func firstOf(outer *html.Node, kind atom.Atom) *html.Node {
	for d := range outer.Descendants() {
		if d.DataAtom == kind {
			return d
		}
	}
	return nil
}

// nextWords are what links to the next page of a listing say.
var nextWords = []string{
	"下一页", "下页", "下一頁", "Next", "next", "Older", "Weiter", "Nächste", "Suivant", "Siguiente", "Successiv", "Avanti", "Volgende", "Próxim", "Следующ", "Далее", "Вперед",
	"Наступн", "Další", "Sledeć", "Следећ", "次へ", "次の", "다음", "ถัดไป", "التالي", "اگلا", "»",
}

// nextSelector returns the selector of the link to the next page of a listing, "" when none is seen.
func nextSelector(doc *goquery.Document, base *url.URL) string {
	for _, selector := range []string{`a[rel~="next"]`, "a.next", ".next a", "li.next > a", "a.nextpage", ".pagination a.next", ".pager-next a", ".pager__item--next a"} {
		if nextPage(doc, base, selector) != "" {
			return selector
		}
	}
	for _, words := range nextWords {
		selector := `a:contains("` + words + `")`
		found := doc.Find(selector)
		if found.Length() == 1 && columns(articles.OneLine(found.Text())) <= 20 && nextPage(doc, base, selector) != "" {
			return selector
		}
	}
	return ""
}
