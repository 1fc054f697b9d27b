package sources

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
	nethtml "golang.org/x/net/html"

	"silkpost/internal/articles"
)

// records is what a datastore holds: the answer of a data proxy, or what stands in a script of a column page.
type records struct {
	entries []entry
	total   int // how many the column has; 0 when it does not say
}

// mostRecords bounds one answer.
const mostRecords = 2000

var (
	recordTags  = regexp.MustCompile(`(?i)</?record(?:\s[^<>]*)?>`)
	cdataMark   = regexp.MustCompile(`(?i)<!\s*\[\s*CDATA\s*\[|\]\s*\]\s*>`)
	jcmsArticle = regexp.MustCompile(`/art/\d{4}/(?:\d{1,2}/\d{1,2}/)?art_(?:(\d+)_)?([0-9a-f]{1,40})\.html?`)
)

// parseRecords reads the records of a listing, wherever they stand in a text: as XML whose CDATA is HTML, also when the CDATA is broken,
// missing or escaped. Records that are empty or lead to another site give no entry. It never fails; what it cannot read it passes over.
func parseRecords(text, address string, zone *time.Location) (found records) {
	base, err := url.Parse(address)
	if err != nil {
		return records{}
	}
	if at := jcmsTotal.FindStringSubmatch(text); at != nil {
		found.total = number(at[1] + at[2])
	}
	seen := map[string]bool{}
	for _, record := range splitRecords(text) {
		e, ok := parseRecord(record, base, zone)
		if ok && !seen[e.key] {
			seen[e.key] = true
			found.entries = append(found.entries, e)
		}
	}
	return found
}

// splitRecords returns what stands in each <record>. One that is not closed ends where the next begins.
func splitRecords(text string) (found []string) {
	tags := recordTags.FindAllStringIndex(text, 2*mostRecords)
	for i, tag := range tags {
		if text[tag[0]+1] == '/' {
			continue
		}
		end := len(text)
		if i+1 < len(tags) {
			end = tags[i+1][0]
		}
		found = append(found, text[tag[1]:end])
	}
	return found
}

// parseRecord reads one list item.
func parseRecord(record string, base *url.URL, zone *time.Location) (entry, bool) {
	record = cdataMark.ReplaceAllString(record, "")
	if !strings.Contains(record, "<a") && !strings.Contains(record, "<A") {
		record = html.UnescapeString(record)
	}
	if tableRow.MatchString(record) {
		record = "<table>" + record + "</table>"
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(record))
	if err != nil {
		return entry{}, false
	}
	return jcmsEntry(doc.Find("body"), base, zone)
}

var tableRow = regexp.MustCompile(`(?i)^\s*<t[rd][\s>]`)

// jcmsEntry reads a part of a page that is about one article.
func jcmsEntry(part *goquery.Selection, base *url.URL, zone *time.Location) (entry, bool) {
	var e entry
	for _, a := range part.Find("a[href]").EachIter() {
		address, ok := jcmsAddress(a.AttrOr("href", ""), base)
		title := firstLine(a.AttrOr("title", ""), a.Text())
		if !ok || len(title) < len(e.title) {
			continue
		}
		e.url, e.title = address, title
	}
	e.key = jcmsKey(e.url)
	if e.url == "" || e.key == "" {
		return entry{}, false
	}
	if s, ok := listedDate(spaced(part), zone); ok {
		e.date = s
	} else if u, err := url.Parse(e.url); err == nil {
		e.date, _ = addressDate(u, zone)
	}
	return e, true
}

// spaced returns the words of a part with blanks between all elements.
func spaced(part *goquery.Selection) string {
	var words []string
	for _, n := range part.Nodes {
		for d := range n.Descendants() {
			if d.Type == nethtml.TextNode && !silent[d.Parent.DataAtom] {
				words = append(words, d.Data)
			}
		}
	}
	return articles.OneLine(strings.Join(words, " "))
}

// staticRecords reads the articles of a column page that has them as plain links: those of its own column, else all.
func staticRecords(page, address string, zone *time.Location) (found []entry) {
	base, err := url.Parse(address)
	if err != nil {
		return nil
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(page))
	if err != nil {
		return nil
	}
	column := ""
	if at := jcmsColumn.FindStringSubmatch(base.Path); at != nil {
		column = at[1]
	}
	var own, all []entry
	seen := map[string]bool{}
	for _, a := range doc.Find("a[href]").EachIter() {
		e, ok := jcmsEntry(wrapperOf(a), base, zone)
		if !ok || seen[e.key] {
			continue
		}
		seen[e.key] = true
		all = append(all, e)
		if at := jcmsArticle.FindStringSubmatch(e.url); column != "" && at[1] == column {
			own = append(own, e)
		}
	}
	if len(own) > 0 {
		return own
	}
	return all
}

// wrapperOf returns the list item or table row that a link is in, when it is the only one there, else its parent.
func wrapperOf(a *goquery.Selection) *goquery.Selection {
	if item := a.Closest("li, tr, dl, dd"); item.Length() == 1 && item.Find("a[href]").Length() <= 3 {
		return item
	}
	return a.Parent()
}

// firstLine returns the first of the texts that says something.
func firstLine(texts ...string) string {
	for _, text := range texts {
		if text = articles.Line(text); hasLetters(text) {
			return strings.TrimLeft(text, "·•▪■◆●>- ")
		}
	}
	return ""
}

// jcmsAddress returns the absolute address of an article on the same site.
func jcmsAddress(href string, base *url.URL) (string, bool) {
	to, err := base.Parse(strings.TrimSpace(href))
	if err != nil || !sameSite(to.Hostname(), base.Hostname()) || !jcmsArticle.MatchString(to.Path) {
		return "", false
	}
	to.Fragment, to.RawQuery = "", ""
	return to.String(), true
}

// jcmsKey returns what a JCMS article is known by: its number, which is the same under each of the columns that it is in.
func jcmsKey(address string) string {
	at := jcmsArticle.FindStringSubmatch(address)
	if at == nil {
		return ""
	}
	return "art:" + at[2]
}
