package sources

import (
	"regexp"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/articles"
)

// The marks that JCMS puts around the text of an article: those that its own feeds go by, else those of the template's fields.
var jcmsMarks = []struct{ begin, end *regexp.Regexp }{
	{regexp.MustCompile(`(?i)<!--\s*ZJEG_RSS\.content\.begin\s*-->`), regexp.MustCompile(`(?i)<!--\s*ZJEG_RSS\.content\.end\s*-->`)},
	{regexp.MustCompile(`(?i)<!--\s*<\$\[(?:信息内容|内容|正文)\]>\s*begin\s*-->`), regexp.MustCompile(`(?i)<!--\s*<\$\[(?:信息内容|内容|正文)\]>\s*end\s*-->`)},
}

// marked returns the text between the marks of a publishing system, nil when there are none, or nothing is between them.
func (p *webPage) marked() *goquery.Selection {
	for _, mark := range jcmsMarks {
		text, ok := betweenMarks(p.source, mark.begin, mark.end)
		if !ok {
			continue
		}
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(text))
		if err == nil && !(body{html: text}).empty() {
			return doc.Find("body")
		}
	}
	return nil
}

// betweenMarks returns what stands between the first begin and the end that follows it; false when one of them is missing.
func betweenMarks(source string, begin, end *regexp.Regexp) (string, bool) {
	from := begin.FindStringIndex(source)
	if from == nil {
		return "", false
	}
	rest := source[from[1]:]
	to := end.FindStringIndex(rest)
	if to == nil {
		return "", false
	}
	return rest[:to[0]], true
}

// fieldMarks are the marks around a field of the template, such as title, source and date, whatever they are called.
var fieldMarks = regexp.MustCompile(`(?is)<!--\s*<\$\[([^\]<>]{1,20})\]>\s*begin\s*-->(.{0,900}?)<!--\s*<\$\[[^\]<>]{1,20}\]>\s*end\s*-->`)

// field returns the words between the marks of a field that goes by one of these names, "" when there is none.
func (p *webPage) field(names ...string) string {
	for _, at := range fieldMarks.FindAllStringSubmatch(p.source, 40) {
		if slices.Contains(names, strings.TrimSpace(at[1])) {
			if words := articles.Line(at[2]); words != "" {
				return words
			}
		}
	}
	return ""
}

var jcmsWords = regexp.MustCompile(`大汉版通|大汉网络|[Hh]anweb|HANWEB|(?i)\bjcms\b`)

// madeByJCMS reports whether a page was made by Hanweb's JCMS: it says so in its footer or head, names the system's own paths, or has
// its marks.
func madeByJCMS(doc *goquery.Document) bool {
	return jcmsWords.MatchString(meta(doc, "generator")) || doc.Find(`meta[name="Maketime" i], [src*="/module/web/jpage/"], [src*="/module/jpage/"]`).Length() > 0 ||
		doc.Find(`a[href*="/art/"], a[href*="/col/col"]`).Length() > 0 && doc.Find(`a[href]`).FilterFunction(func(_ int, a *goquery.Selection) bool {
			return jcmsPath.MatchString(a.AttrOr("href", ""))
		}).Length() > 0 || strings.Contains(doc.Find("body").Text(), "大汉版通")
}

var jcmsPath = regexp.MustCompile(`/col/col\d+/|/art/\d{4}/\d{1,2}/\d{1,2}/art_\d+_\d+\.html`)
