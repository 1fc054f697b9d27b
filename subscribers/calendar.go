package subscribers

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"
)

// Weekdays are the days of a week as a list's calendar calls them.
var Weekdays = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}

// What becomes of the articles that a digest has no room for.
const (
	RestWaits = "wait" // they are in the next one
	RestMore  = "more" // they are shown as links, and given
)

const (
	yearly = "01-02"
	once   = "2006-01-02"
)

// MadeOn reports whether a list makes its editions of a rhythm on a date. One that falls on a day that the list leaves out (see Open) is
// made on the first day after that is none; a daily one is left out, for the next day's holds what it would have held. Immediate ones have
// no day.
func (l *List) MadeOn(rhythm string, day time.Time) bool {
	if !l.Open(day) {
		return false
	}
	if rhythm == Daily {
		return slices.Contains(l.DailyOn, weekday(day))
	}
	for !l.planned(rhythm, day) {
		if day = day.AddDate(0, 0, -1); l.Open(day) {
			return false
		}
	}
	return true
}

// planned reports whether a day is a rhythm's, were none left out.
func (l *List) planned(rhythm string, day time.Time) bool {
	switch rhythm {
	case Weekly:
		return weekday(day) == l.WeeklyOn
	case Monthly:
		return onMonthly(l.MonthlyOn, day)
	}
	return false
}

// Open reports whether a date is none of those that the list leaves out: no scheduled edition is made on them, and no digest of one comes.
func (l *List) Open(day time.Time) bool {
	for _, out := range l.NotOn {
		if out == weekday(day) || out == day.Format(yearly) || out == day.Format(once) {
			return false
		}
	}
	return true
}

// CutOffHour returns the hour of a rhythm's cut-off, "15:04", on the list's own wall.
func (l *List) CutOffHour(rhythm string) string {
	return cmp.Or(map[string]string{Daily: l.DailyAt, Weekly: l.WeeklyAt, Monthly: l.MonthlyAt}[rhythm], l.EditorialHour)
}

func weekday(day time.Time) string { return strings.ToLower(day.Weekday().String()) }

// nths are the words for the weekdays of a month. There is no fifth: most months have none.
var nths = []string{"first", "second", "third", "fourth"}

const (
	lastNth = "last"
	aDay    = "day"
)

// onMonthly reports whether a date is the one of its month that rule names. In a month that is too short for its day the last one is.
func onMonthly(rule string, day time.Time) bool {
	first, second, _ := strings.Cut(rule, " ")
	lastDay := time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	switch {
	case rule == lastNth+" "+aDay:
		return day.Day() == lastDay
	case first == aDay:
		n, _ := strconv.Atoi(second)
		return day.Day() == min(n, lastDay)
	case second != weekday(day):
		return false
	case first == lastNth:
		return day.Day() > lastDay-7
	}
	return (day.Day()-1)/7 == slices.Index(nths, first)
}

// calendar checks the days and hours of a list's rhythms and gives them the form in which they are stored.
func (m *mistakes) calendar(l *List) {
	l.DailyOn = m.weekdays("daily_on", l.DailyOn)
	l.WeeklyOn = m.weekday("weekly_on", l.WeeklyOn)
	l.MonthlyOn = m.monthly(l.MonthlyOn)
	for field, hour := range map[string]*string{"daily_at": &l.DailyAt, "weekly_at": &l.WeeklyAt, "monthly_at": &l.MonthlyAt} {
		if *hour != "" {
			*hour = m.hour(field, *hour)
		}
	}
	l.NotOn = m.notOn(l.NotOn)
	out := func(day string) bool { return slices.Contains(l.NotOn, day) }
	switch {
	case !slices.ContainsFunc(Weekdays, func(day string) bool { return !out(day) }):
		m.add("not_on", "all seven weekdays: leave one on which editions may be made")
	case len(l.DailyOn) > 0 && !slices.ContainsFunc(l.DailyOn, func(day string) bool { return !out(day) }):
		m.add("not_on", "every day of daily_on (%s): leave one of them", strings.Join(l.DailyOn, ", "))
	}
}

func plain(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), " ")) }

func (m *mistakes) weekday(field, given string) string {
	day := plain(given)
	if !slices.Contains(Weekdays, day) {
		m.add(fmt.Sprintf("%s %q", field, given), "not a weekday such as monday")
	}
	return day
}

// weekdays returns those given in the order of a week, each once.
func (m *mistakes) weekdays(field string, given []string) pq.StringArray {
	if len(given) == 0 {
		m.add(field, `no day: give weekdays such as ["monday", "thursday"]`)
	}
	var days []string
	for _, day := range given {
		days = append(days, m.weekday(field, day))
	}
	return slices.DeleteFunc(slices.Clone(Weekdays), func(day string) bool { return !slices.Contains(days, day) })
}

func (m *mistakes) monthly(given string) string {
	rule := plain(given)
	first, second, _ := strings.Cut(rule, " ")
	n, err := strconv.Atoi(second)
	switch {
	case rule == lastNth+" "+aDay:
	case first == aDay && err == nil && n >= 1 && n <= 31:
		return fmt.Sprintf("%s %d", aDay, n)
	case (first == lastNth || slices.Contains(nths, first)) && slices.Contains(Weekdays, second):
	default:
		m.add(fmt.Sprintf("monthly_on %q", given), `not a day of the month such as "first monday", "last friday", "day 15" or "last day"`)
	}
	return rule
}

// notOn returns what is left out, weekdays first, each once.
func (m *mistakes) notOn(given []string) pq.StringArray {
	const limit = 100 // so that a free day is never far
	if len(given) > limit {
		m.add("not_on", "more than %d days", limit)
	}
	days := make([]string, 0, len(given))
	for _, text := range given {
		day := plain(text)
		_, notYearly := time.Parse("2006-"+yearly, "2024-"+day) // a leap year
		_, notOnce := time.Parse(once, day)
		if notYearly != nil && notOnce != nil && !slices.Contains(Weekdays, day) {
			m.add(fmt.Sprintf("not_on %q", text), "neither a weekday nor a day of each year such as 12-25 nor a date such as 2026-04-06")
		}
		days = append(days, day)
	}
	slices.SortFunc(days, func(a, b string) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), strings.Compare(a, b))
	})
	return slices.Compact(days)
}

// order puts weekdays in the order of a week, before dates.
func order(day string) int {
	if n := slices.Index(Weekdays, day); n >= 0 {
		return n
	}
	return len(Weekdays)
}
