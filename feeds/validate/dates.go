package validate

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	// mailDate is a date of RFC 822, section 5, in any case and spacing.
	mailDate = regexp.MustCompile(`(?i)^(?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s*,\s*)?(\d{1,2})\s+(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s+` +
		`(\d{4}|\d{2})\s+(\d{2}):(\d{2})(?::(\d{2}))?\s+(UT|GMT|[ECMP][SD]T|[A-IK-Z]|[+-]\d{4})$`)
	// usualMailDate is how everybody writes it.
	usualMailDate = regexp.MustCompile(`^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ` +
		`\d{4} \d{2}:\d{2}(?::\d{2})? (?:UT|GMT|[ECMP][SD]T|[+-]\d{4})$`)
	// netDate is a date of RFC 3339, section 5.6, with the capitals that Atom asks for.
	netDate = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}):(\d{2})(\.\d+)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$`)
	// w3cDate is a date of Dublin Core, which may end after the year, the month or the day.
	w3cDate = regexp.MustCompile(`^\d{4}(?:-\d{2}(?:-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?)?)?$`)
)

const noSuchDay = "is a time that does not exist: write one that does"

// hours are the offsets of the zones that RFC 822 has names for.
var hours = map[string]int{"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}

// parseMailDate reads a date of RFC 822, with a year of four digits. When the fault is an error there is no time.
func parseMailDate(value string) (time.Time, fault) {
	m := mailDate.FindStringSubmatch(value)
	if m == nil {
		return time.Time{}, wrong("is not a date of RFC 822: write it as Wed, 04 Mar 2026 18:30:15 +0000")
	}
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	year, day, hour, minute, second := number(m[4]), number(m[2]), number(m[5]), number(m[6]), number(m[7])
	if len(m[4]) == 2 {
		year += 1900
		if year < 1950 {
			year += 100
		}
	}
	month, _ := time.Parse("Jan", m[3])
	t := time.Date(year, month.Month(), day, hour, minute, min(second, 59), 0, zone(strings.ToUpper(m[8])))
	if t.Day() != day || hour > 23 || minute > 59 || second > 60 || !isZone(m[8]) {
		return time.Time{}, wrong(noSuchDay)
	}
	if weekday := t.Format("Mon"); m[1] != "" && !strings.EqualFold(m[1], weekday) {
		return time.Time{}, wrong("was a %s: write that, or leave the day of the week out", weekday)
	}
	if !usualMailDate.MatchString(value) {
		return t, unwise("is written in a way that not every reader knows: write it as %s", t.Format(time.RFC1123Z))
	}
	return t, fault{}
}

func zone(name string) *time.Location {
	if len(name) == 5 {
		n, _ := strconv.Atoi(name[1:])
		seconds := n/100*3600 + n%100*60
		if name[0] == '-' {
			seconds = -seconds
		}
		return time.FixedZone("", seconds)
	}
	return time.FixedZone("", hours[name]*3600)
}

// isZone reports whether an offset in figures is one that a clock could have.
func isZone(name string) bool {
	return len(name) != 5 || name[1:3] <= "14" && name[3] < '6'
}

// parseNetDate reads a date of RFC 3339. When the fault is an error there is no time.
func parseNetDate(value string) (time.Time, fault) {
	m := netDate.FindStringSubmatch(value)
	if m == nil {
		return time.Time{}, wrong("is not a date of RFC 3339: write it as 2026-03-04T18:30:15Z")
	}
	second := m[2]
	if second == "60" { // leap seconds exist; package time does not know them
		second = "59"
	}
	t, err := time.Parse(time.RFC3339Nano, m[1]+":"+second+m[3]+m[4])
	if err != nil {
		return time.Time{}, wrong(noSuchDay)
	}
	return t, fault{}
}

// w3cDateFault says what is wrong with a date of Dublin Core.
func w3cDateFault(value string) fault {
	if !w3cDate.MatchString(value) {
		return wrong("is not a date of W3CDTF: write it as 2026-03-04 or 2026-03-04T18:30:15Z")
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01", "2006"} {
		if _, err := time.Parse(layout, value); err == nil {
			return fault{}
		}
	}
	return wrong(noSuchDay)
}

// mailTime checks a date of RFC 822 and returns it, or the zero time.
func (r *report) mailTime(p place, rule, value string) time.Time {
	t, f := parseMailDate(value)
	return r.dated(p, rule, value, t, f)
}

// netTime checks a date of RFC 3339 and returns it, or the zero time.
func (r *report) netTime(p place, rule, value string) time.Time {
	t, f := parseNetDate(value)
	return r.dated(p, rule, value, t, f)
}

// early is when the web began.
var early = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

func (r *report) dated(p place, rule, value string, t time.Time, f fault) time.Time {
	if r.value(p, rule, value, f) {
		return time.Time{}
	}
	if t.Before(early) {
		r.value(p, "W3C feed validator, ImplausibleDate", value, unwise("lies before 1990: write the true date"))
	}
	return t
}
