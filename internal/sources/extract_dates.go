package sources

import (
	"cmp"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/articles"
	"silkpost/internal/language"
)

// stamp is a date that was read, with or without the time of day.
type stamp struct {
	time.Time
	clock bool
}

// refined returns s with the time of day of another stamp of the same day, if s has none.
func (s stamp) refined(other stamp) stamp {
	if !s.clock && other.clock && s.Format(time.DateOnly) == other.In(s.Location()).Format(time.DateOnly) {
		return other
	}
	return s
}

// orDay returns the time; of a day without a time of day its beginning in UTC, which is that day for most readers.
func (s stamp) orDay() time.Time {
	if s.clock || s.IsZero() {
		return s.Time
	}
	return time.Date(s.Year(), s.Month(), s.Day(), 0, 0, 0, 0, time.UTC)
}

// The parts of written dates. What separates day, month and year differs; a time of day may follow all.
const (
	clockPart = `(?:\s?(?:г\.|року|р\.))?(?:[T,，\s|]*(?:um|à|alle|ore|às|kl\.?|в|о|u|at|om|[-–—])?\s*(上午|下午|오전|오후)?\s*(\d{1,2})\s?[:：時时시h点]\s?(\d{2})(?:\s?[:：分분]\s?(\d{2}))?(?:\.\d+)?[秒초분]?\s*([ap]\.?m\b\.?)?\s*(Z\b|UTC|GMT|[+-]\d{2}:?\d{2})?)?`
	monthPart = `([\p{L}\p{M}]+\.\s?[\p{L}\p{M}]{1,3}|[\p{L}\p{M}]{3,})\.?`
)

// dateShape is one way of writing a date. The groups say where year, month and day stand in it; the time of day is in the last five.
type dateShape struct {
	pattern          *regexp.Regexp
	year, month, day int
	era              int // years to add: a calendar that counts from elsewhere
}

func shape(pattern string, year, month, day, era int) dateShape {
	return dateShape{regexp.MustCompile(`(?i)` + pattern + clockPart), year, month, day, era}
}

const (
	reiwa  = 2018 // the Japanese year 令和1 is 2019
	minguo = 1911 // 民國1, of Taiwan's calendar, is 1912
)

// dateShapes are tried in this order.
var dateShapes = []dateShape{
	shape(`令和\s?(\d{1,2}|元)\s?年\s?(\d{1,2})\s?月\s?(\d{1,2})\s?日`, 1, 2, 3, reiwa),
	shape(`(?:民國|民国|發布日期[:：]|日期[:：])\s?(1\d{2}|\d{2})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})(?:日|[^\d]|$)`, 1, 2, 3, minguo),
	shape(`(?:^|[^\d])(\d{4})\s?[-/.年년]\s?(\d{1,2})\s?[-/.月월]\s?(\d{1,2})\s?(?:[日号號일]|[^\d]|$|T)`, 1, 2, 3, 0),
	shape(`(\d{1,2})\s+tháng\s+(\d{1,2}),?\s+(?:năm\s+)?(\d{4})`, 3, 2, 1, 0),
	shape(`(?:^|[^\d])(\d{1,2})(?:st|nd|rd|th|er|-?го|[.º°ª])?\s+(?:de\s+|of\s+)?`+monthPart+`,?\s+(?:del?\s+)?(?:พ\.ศ\.\s*)?(\d{4})`, 3, 2, 1, 0),
	shape(monthPart+`\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})`, 3, 1, 2, 0),
	shape(`(\d{4})\.?\s+(?:m\.\s+|жылғы\s+)?`+monthPart+`\s+(\d{1,2})`, 1, 2, 3, 0),
	shape(`(?:^|[^\d])(\d{1,2})[./-]\s?(\d{1,2})[./-]\s?(\d{4})`, 3, 2, 1, 0),
}

// javaDate is how Java prints a date: the year stands last.
var javaDate = regexp.MustCompile(`([A-Z][a-z]{2}) +(\d{1,2}) (\d{1,2}:\d{2}:\d{2}) [A-Z]{3,4} (\d{4})`)

// compactDate is a date without separators, as the heads and addresses of pages have it.
var compactDate = regexp.MustCompile(`(?:^|[^\d])((?:19|20)\d{2})(0[1-9]|1[0-2])([0-2]\d|3[01])(?:(\d{2})(\d{2})(\d{2})?)?(?:[^\d]|$)`)

// numerals are digits of other scripts, and the Chinese ones that years are written with.
var numerals = strings.NewReplacer("〇", "0", "○", "0", "零", "0", "一", "1", "二", "2", "三", "3", "四", "4", "五", "5", "六", "6", "七", "7", "八", "8", "九", "9")

var chineseDate = regexp.MustCompile(`[〇○零一二三四五六七八九]{4}年[一二三四五六七八九十]{1,3}月[一二三四五六七八九十]{1,3}日`)

// westernDigits writes the digits of a line as 0 to 9.
func westernDigits(line string) string {
	line = chineseDate.ReplaceAllStringFunc(line, func(date string) string {
		year, rest, _ := strings.Cut(date, "年")
		month, rest, _ := strings.Cut(rest, "月")
		return numerals.Replace(year) + "年" + chineseNumber(month) + "月" + chineseNumber(strings.TrimSuffix(rest, "日")) + "日"
	})
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII && unicode.Is(unicode.Nd, r) {
			zero := r
			for r-zero < 9 && unicode.Is(unicode.Nd, zero-1) {
				zero--
			}
			return '0' + (r - zero) // the digits of a script follow one another
		}
		return r
	}, line)
}

// chineseNumber writes a number below 100 in western digits.
func chineseNumber(s string) string {
	tens, ones, found := strings.Cut(s, "十")
	if !found {
		return numerals.Replace(s)
	}
	n := 10
	if t, err := strconv.Atoi(numerals.Replace(tens)); err == nil {
		n = 10 * t
	}
	if o, err := strconv.Atoi(numerals.Replace(ones)); err == nil {
		n += o
	}
	return strconv.Itoa(n)
}

// findDate returns the first date in a line, and what stands before and after it. Times without a zone are in zone.
func findDate(line string, zone *time.Location) (found stamp, before, after string, ok bool) {
	line = westernDigits(line)
	for _, s := range dateShapes {
		for _, at := range s.pattern.FindAllStringSubmatchIndex(line, 8) {
			if found, ok := s.read(line, at, zone); ok {
				return found, line[:at[0]], line[at[1]:], true
			}
		}
	}
	return stamp{}, "", "", false
}

// readStamp reads a date that a page gives for programs to read.
func readStamp(text string, zone *time.Location) (stamp, bool) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > 200 {
		return stamp{}, false
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return stamp{t, true}, likely(t)
	}
	for _, layout := range []string{time.RFC1123Z, time.RFC1123, time.RFC850, "02 Jan 2006 15:04:05 -0700", "20060102T150405Z0700", "20060102T150405"} {
		if t, err := time.Parse(layout, text); err == nil {
			return stamp{t, true}, likely(t)
		}
	}
	if at := javaDate.FindStringSubmatch(text); at != nil {
		t, err := time.ParseInLocation("Jan 2 15:04:05 2006", at[1]+" "+at[2]+" "+at[3]+" "+at[4], zone)
		return stamp{t, true}, err == nil && likely(t)
	}
	if found, _, _, ok := findDate(text, zone); ok {
		return found, true
	}
	return readCompact(text, zone)
}

func readCompact(text string, zone *time.Location) (stamp, bool) {
	at := compactDate.FindStringSubmatch(text)
	if at == nil {
		return stamp{}, false
	}
	n := make([]int, len(at))
	for i := range at {
		n[i], _ = strconv.Atoi(at[i])
	}
	t := time.Date(n[1], time.Month(n[2]), n[3], n[4], n[5], n[6], 0, zone)
	return stamp{t, at[4] != ""}, likely(t) && t.Day() == n[3] && n[4] < 24 && n[5] < 60
}

// read reads one match.
func (s dateShape) read(line string, at []int, zone *time.Location) (stamp, bool) {
	group := func(i int) string {
		if at[2*i] < 0 {
			return ""
		}
		return line[at[2*i]:at[2*i+1]]
	}
	last := len(at)/2 - 1
	noon, hour, minute, second, half, offset := group(last-5), group(last-4), group(last-3), group(last-2), group(last-1), group(last)
	year, month, day := number(group(s.year))+s.era, monthNumber(group(s.month)), number(group(s.day))
	if group(s.year) == "元" {
		year = s.era + 1
	}
	if year >= 2440 && year < 2643 {
		year -= 543 // the Buddhist calendar of Thailand
	}
	if month > 12 && day <= 12 && s.month == 2 && s.day == 1 {
		month, day = day, month // month first, as in the United States
	}
	h := number(hour)
	if late := strings.HasPrefix(strings.ToLower(half), "p") || noon == "下午" || noon == "오후"; late && h < 12 {
		h += 12
	}
	if to, ok := offsetZone(offset); ok {
		zone = to
	}
	t := time.Date(year, time.Month(month), day, h, number(minute), number(second), 0, zone)
	valid := likely(t) && int(t.Month()) == month && t.Day() == day && h < 24 && number(minute) < 60 && number(second) < 60
	return stamp{t, hour != ""}, valid
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func monthNumber(word string) int {
	if n, err := strconv.Atoi(word); err == nil {
		return n
	}
	return int(pageMonths[monthName(word)])
}

// offsetZone returns the zone that stands behind a time, false when none does.
func offsetZone(offset string) (*time.Location, bool) {
	switch strings.ToUpper(offset) {
	case "":
		return nil, false
	case "Z", "UTC", "GMT":
		return time.UTC, true
	}
	t, err := time.Parse("-0700", strings.ReplaceAll(offset, ":", ""))
	if err != nil {
		return nil, false
	}
	return t.Location(), true
}

// likely leaves out years in which nothing was put on the web, and those that nothing is dated to.
func likely(t time.Time) bool { return t.Year() >= 1990 && t.Year() <= 2100 }

// published returns when the page was published: of the claims in their order of trust the first that is a date, with its time of day if
// only another one gives that; zero when nothing says. title tells where on the page to look.
func (p *webPage) published(title string) stamp {
	claims := []string{p.story.published}
	for _, name := range []string{
		"article:published_time", "og:published_time", "og:article:published_time",
		"dcterms.issued", "dc.date.issued", "dcterms.created", "dc.date.created", "dcterms.date", "dc.date", "dcterms.available",
		"PubDate", "publishdate", "publish_date", "publish-date", "pubtime", "publishtime", "parsely-pub-date", "sailthru.date",
		"citation_publication_date", "cXenseParse:recs:publishtime", "date", "Maketime",
	} {
		claims = append(claims, meta(p.doc, name))
	}
	claims = append(claims, p.field("时间", "发布时间", "发布日期", "日期", "成文日期"), p.itemprop("datePublished"), p.timeElement(title))
	var found stamp
	for _, claim := range claims {
		if s, ok := readStamp(claim, p.zone); ok {
			if found.IsZero() {
				found = s
			}
			found = found.refined(s)
		}
	}
	for _, look := range []func() (stamp, bool){
		func() (stamp, bool) { return addressDate(p.address, p.zone) },
		func() (stamp, bool) { return p.writtenDate(title) },
	} {
		if s, ok := look(); ok {
			if found.IsZero() {
				found = s
			}
			found = found.refined(s)
		}
	}
	return found
}

func (p *webPage) updated() time.Time {
	for _, claim := range []string{
		p.story.modified, meta(p.doc, "article:modified_time", "og:updated_time", "dcterms.modified", "dc.date.modified"), p.itemprop("dateModified"),
	} {
		if s, ok := readStamp(claim, p.zone); ok {
			return s.Time
		}
	}
	return time.Time{}
}

func (p *webPage) itemprop(name string) string {
	e := p.doc.Find(`[itemprop~="` + name + `"]`).First()
	for _, key := range []string{"datetime", "content"} {
		if value, ok := e.Attr(key); ok {
			return value
		}
	}
	return words(e)
}

// timeElement returns what the <time> of the article says: one that is marked as its date, else one near its title. Others date
// comments and further articles.
func (p *webPage) timeElement(title string) string {
	const most = 30
	all := p.doc.Find("time")
	all = all.Slice(0, min(all.Length(), most))
	e := all.Filter("[pubdate], .published, .entry-date, .post-date, .date-published").First()
	if e.Length() == 0 {
		e = all.FilterFunction(func(_ int, t *goquery.Selection) bool { return p.near(t.Get(0), title) }).First()
	}
	if e.Length() == 0 && all.Length() == 1 {
		e = all
	}
	return cmp.Or(strings.TrimSpace(e.AttrOr("datetime", "")), words(e))
}

// addressDate returns the date that stands in an address.
func addressDate(address *url.URL, zone *time.Location) (stamp, bool) {
	at := pathDate.FindStringSubmatch(address.Path)
	if at == nil {
		return readCompact(address.Path, zone)
	}
	t := time.Date(number(at[1]), time.Month(number(at[2])), number(at[3]), 0, 0, 0, 0, zone)
	return stamp{t, false}, likely(t) && t.Day() == number(at[3])
}

var pathDate = regexp.MustCompile(`/((?:19|20)\d{2})[/-](\d{1,2})[/-](\d{1,2})(?:[/_-]|$)`)

// zones are those of the countries, by their domains, that have a single one.
var zones = map[string]string{
	"cn": "Asia/Shanghai", "hk": "Asia/Hong_Kong", "mo": "Asia/Macau", "tw": "Asia/Taipei", "sg": "Asia/Singapore", "my": "Asia/Kuala_Lumpur",
	"jp": "Asia/Tokyo", "kr": "Asia/Seoul", "th": "Asia/Bangkok", "vn": "Asia/Ho_Chi_Minh", "ph": "Asia/Manila", "in": "Asia/Kolkata",
	"pk": "Asia/Karachi", "bd": "Asia/Dhaka", "lk": "Asia/Colombo", "np": "Asia/Kathmandu", "ir": "Asia/Tehran", "sa": "Asia/Riyadh",
	"ae": "Asia/Dubai", "eg": "Africa/Cairo", "il": "Asia/Jerusalem", "tr": "Europe/Istanbul", "am": "Asia/Yerevan", "ge": "Asia/Tbilisi",
	"it": "Europe/Rome", "de": "Europe/Berlin", "fr": "Europe/Paris", "nl": "Europe/Amsterdam", "be": "Europe/Brussels", "at": "Europe/Vienna",
	"ch": "Europe/Zurich", "pl": "Europe/Warsaw", "cz": "Europe/Prague", "sk": "Europe/Bratislava", "hu": "Europe/Budapest", "rs": "Europe/Belgrade",
	"ro": "Europe/Bucharest", "bg": "Europe/Sofia", "gr": "Europe/Athens", "ua": "Europe/Kyiv", "by": "Europe/Minsk", "uk": "Europe/London",
	"ie": "Europe/Dublin", "fi": "Europe/Helsinki", "se": "Europe/Stockholm", "no": "Europe/Oslo", "dk": "Europe/Copenhagen", "mu": "Indian/Mauritius",
	"za": "Africa/Johannesburg", "ke": "Africa/Nairobi", "et": "Africa/Addis_Ababa", "ma": "Africa/Casablanca",
}

// zoneOf returns the zone of a page that does not say: that of its country, of China when a Chinese publishing system made it, else of its
// language, by what the page says of it or by how it is written.
func zoneOf(address *url.URL, doc *goquery.Document, blocks []textBlock) *time.Location {
	if zone := countryZone(address); zone != time.UTC {
		return zone
	}
	if madeByJCMS(doc) {
		return chinaTime()
	}
	if zone := languageZone(doc.Find("html").First().AttrOr("lang", "")); zone != time.UTC {
		return zone
	}
	const enough = 40
	var lines []string
	for _, b := range blocks[:min(len(blocks), enough)] {
		lines = append(lines, b.text)
	}
	return writtenZone(strings.Join(lines, "\n"))
}

// countryZone returns the zone of the country that an address is in, UTC when that is not known or has several.
func countryZone(address *url.URL) *time.Location {
	host := address.Hostname()
	return domainZone(host[strings.LastIndexByte(host, '.')+1:])
}

func domainZone(domain string) *time.Location {
	zone, err := time.LoadLocation(zones[domain])
	if err != nil {
		return time.UTC
	}
	return zone // of no name: UTC
}

// spokenIn names, for languages that are written in a single zone, the domain of a country there.
var spokenIn = map[string]string{"zh": "cn", "ja": "jp", "ko": "kr", "th": "th"}

// languageZone returns the zone in which a language is written, UTC when that is not known or there are several.
func languageZone(tag string) *time.Location {
	base, _, _ := strings.Cut(language.Key(tag), "-")
	return domainZone(spokenIn[base])
}

// writtenZone returns the zone of the language in which a text is written. Others than those with a single zone are not told apart: that takes long.
func writtenZone(text string) *time.Location {
	ofOneZone := func(r rune) bool {
		return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai)
	}
	if !strings.ContainsFunc(text, ofOneZone) {
		return time.UTC
	}
	return languageZone(articles.DetectLanguage(text))
}

// chinaTime is China Standard Time.
func chinaTime() *time.Location { return time.FixedZone("CST", 8*60*60) }
