package sources

import (
	"regexp"
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
		if err == nil && !(body{html: text, words: wordsOf(doc.Find("body"))}).empty() {
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

// fieldMark is a mark before or behind a field of the template, such as title, source and date, whatever it is called.
var fieldMark = regexp.MustCompile(`(?i)<!--\s*<\$\[([^\]<>]{1,20})\]>\s*(begin|end)\s*-->`)

// templateFields returns the words between the marks of the template's fields, by their names.
func templateFields(source string) map[string]string {
	const most, longest = 100, 2000
	fields := map[string]string{}
	marks := fieldMark.FindAllStringSubmatchIndex(source, most)
	for i, mark := range marks {
		if !strings.EqualFold(source[mark[4]:mark[5]], "begin") || i+1 == len(marks) || marks[i+1][0]-mark[1] > longest {
			continue
		}
		name := strings.TrimSpace(source[mark[2]:mark[3]])
		if words := articles.Line(source[mark[1]:marks[i+1][0]]); words != "" && fields[name] == "" {
			fields[name] = words
		}
	}
	return fields
}

// field returns the words of a field that goes by one of these names, "" when there is none.
func (p *webPage) field(names ...string) string {
	for _, name := range names {
		if words := p.fields[name]; words != "" {
			return words
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
