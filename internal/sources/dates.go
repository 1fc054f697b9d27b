package sources

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// layouts are the ways in which front matter and page heads write a date. One without a zone is taken as UTC.
var layouts = []string{
	time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04",
	"2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
	"2006/01/02 15:04:05", "2006/01/02 15:04", "2006/1/2", "2006.1.2", time.RFC1123Z, time.RFC1123,
	"2 January 2006", "January 2, 2006", "2 Jan 2006", "Jan 2, 2006", "2006年1月2日",
}

// parseDate reads a date that stands alone.
func parseDate(s string) (time.Time, bool) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// Dates within a line, with the places of year, month, day, hour, minute and second among their groups. A month may be any word
// here; see monthNames.
var datePatterns = []struct {
	pattern *regexp.Regexp
	groups  [6]int
}{
	{regexp.MustCompile(`(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})日?(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?`), [6]int{1, 2, 3, 4, 5, 6}},
	{regexp.MustCompile(`\b(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})(?:,?\s+(\d{1,2}):(\d{2}))?`), [6]int{3, 2, 1, 4, 5, -1}},
	{regexp.MustCompile(`(?i)\b(\d{1,2})(?:st|nd|rd|th|er|[.º°])?\s+(?:de\s+)?(\p{L}{3,})\.?,?\s+(?:del?\s+)?(\d{4})\b`), [6]int{3, 2, 1, -1, -1, -1}},
	{regexp.MustCompile(`(?i)(\p{L}{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b`), [6]int{3, 1, 2, -1, -1, -1}},
}

// dateLine reads a line that is there to give the date: the date alone, or among labels such as "Date: … Source: …". A
// sentence or a headline in which a date occurs is none.
func dateLine(line string) (time.Time, bool) {
	for _, p := range datePatterns {
		at := p.pattern.FindStringSubmatchIndex(line)
		if at == nil {
			continue
		}
		t, ok := dateOf(line, at, p.groups)
		if ok && labels(line[:at[0]], line[at[1]:]) {
			return t, true
		}
	}
	return time.Time{}, false
}

// labels reports whether what stands around a date only says what it is.
func labels(before, after string) bool {
	before, after = strings.TrimSpace(before), strings.TrimSpace(after)
	const marks = ":：(（[【|·•-–—"
	led := columns(before) <= 20 && !strings.ContainsAny(before, "?!？！") || strings.HasSuffix(strings.TrimRight(before, " "), ":") ||
		strings.HasSuffix(before, "：")
	followed := columns(after) <= 24 || strings.ContainsAny(after, marks)
	return led && followed && columns(before)+columns(after) <= 120 && !prose(after)
}

func dateOf(line string, at []int, groups [6]int) (time.Time, bool) {
	var n [6]int
	for i, g := range groups {
		if g < 0 || at[2*g] < 0 {
			continue
		}
		word := line[at[2*g]:at[2*g+1]]
		number, err := strconv.Atoi(word)
		if err != nil {
			number = int(monthNames[monthName(word)]) // 0, which no date has, when it is no month
		}
		n[i] = number
	}
	t := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
	valid := n[0] >= 1900 && n[0] <= 2100 && int(t.Month()) == n[1] && t.Day() == n[2] && n[3] < 24 && n[4] < 60 && n[5] < 60
	return t, valid
}
