package subscribers_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"silkpost/subscribers"
)

// made returns the days of a year on which a list makes editions of a rhythm.
func made(l subscribers.List, rhythm string, year int) (days []string) {
	for day := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() == year; day = day.AddDate(0, 0, 1) {
		if l.MadeOn(rhythm, day) {
			days = append(days, day.Format("01-02"))
		}
	}
	return days
}

func TestMadeOn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rhythm string
		set    func(l *subscribers.List)
		first  string // days of 2026
	}{
		"daily":            {"daily", nil, "01-01 01-02 01-03"},
		"working days":     {"daily", func(l *subscribers.List) { l.DailyOn = subscribers.Weekdays[:5] }, "01-01 01-02 01-05"},
		"a daily holiday":  {"daily", func(l *subscribers.List) { l.NotOn = []string{"01-01", "2026-01-03"} }, "01-02 01-04 01-05"},
		"weekly":           {"weekly", nil, "01-05 01-12 01-19"},
		"on another day":   {"weekly", func(l *subscribers.List) { l.WeeklyOn = "sunday" }, "01-04 01-11 01-18"},
		"a weekly holiday": {"weekly", func(l *subscribers.List) { l.NotOn = []string{"01-12"} }, "01-05 01-13 01-19"},
		"moved twice": {"weekly", func(l *subscribers.List) {
			l.WeeklyOn, l.NotOn = "friday", []string{"saturday", "sunday", "01-09"}
		}, "01-02 01-12 01-16"},
		"moved into the next": {"weekly", func(l *subscribers.List) {
			l.NotOn = []string{"01-05", "01-06", "01-07", "01-08", "01-09", "01-10", "01-11"}
		}, "01-12 01-19 01-26"},
		"monthly":          {"monthly", nil, "01-05 02-02 03-02"},
		"third tuesday":    {"monthly", func(l *subscribers.List) { l.MonthlyOn = "third tuesday" }, "01-20 02-17 03-17"},
		"last friday":      {"monthly", func(l *subscribers.List) { l.MonthlyOn = "last friday" }, "01-30 02-27 03-27"},
		"last day":         {"monthly", func(l *subscribers.List) { l.MonthlyOn = "last day" }, "01-31 02-28 03-31"},
		"day 1":            {"monthly", func(l *subscribers.List) { l.MonthlyOn = "day 1" }, "01-01 02-01 03-01"},
		"day 31":           {"monthly", func(l *subscribers.List) { l.MonthlyOn = "day 31" }, "01-31 02-28 03-31"},
		"out of its month": {"monthly", func(l *subscribers.List) { l.MonthlyOn, l.NotOn = "last day", []string{"01-31", "02-01"} }, "02-02 02-28 03-31"},
		"immediate":        {"immediate", nil, ""},
	} {
		list := subscribers.NewList("partners")
		if tt.set != nil {
			tt.set(&list)
		}
		days := made(list, tt.rhythm, 2026)
		if got := strings.Join(days[:min(3, len(days))], " "); got != tt.first {
			t.Errorf("%s: %s, want %s", name, got, tt.first)
		}
	}
}

// In every year a rhythm is made as often as its rule says, when nothing is left out.
func TestMadeOnCounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := subscribers.NewList("partners")
		which := rapid.SampledFrom([]string{"first", "second", "third", "fourth", "last"}).Draw(t, "which")
		list.MonthlyOn = which + " " + rapid.SampledFrom(append([]string{"day"}, subscribers.Weekdays...)).Draw(t, "day")
		if list.Validate() != nil {
			t.Skip("no such day")
		}
		year := rapid.IntRange(1990, 2100).Draw(t, "year")
		if months := made(list, "monthly", year); len(months) != 12 {
			t.Fatalf("%s in %d: %v", list.MonthlyOn, year, months)
		}
		if weeks := len(made(list, "weekly", year)); weeks != 52 && weeks != 53 {
			t.Fatalf("%d weeks in %d", weeks, year)
		}
	})
}

// Days that are left out move editions to the very next day that is not, never before, and drop none but where one moves upon another.
func TestDaysLeftOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := subscribers.NewList("partners")
		list.WeeklyOn = rapid.SampledFrom(subscribers.Weekdays).Draw(t, "weekly_on")
		list.MonthlyOn = rapid.SampledFrom([]string{"first monday", "last friday", "day 15", "day 30", "last day", "fourth sunday"}).Draw(t, "monthly_on")
		rhythm := rapid.SampledFrom([]string{"daily", "weekly", "monthly"}).Draw(t, "rhythm")
		plain := list
		list.NotOn = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			if rapid.IntRange(0, 5).Draw(t, "kind") == 0 {
				return rapid.SampledFrom(subscribers.Weekdays[1:]).Draw(t, "weekday")
			}
			day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 365).Draw(t, "day"))
			return day.Format(rapid.SampledFrom([]string{"01-02", "2006-01-02"}).Draw(t, "form"))
		}), 0, 30).Draw(t, "not_on")
		var want []string
		begin := time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC)
		for day := begin; day.Year() == 2024; day = day.AddDate(0, 0, 1) {
			to := day
			for !list.Open(to) {
				to = to.AddDate(0, 0, 1)
			}
			if plain.MadeOn(rhythm, day) && to.Year() == 2024 {
				want = append(want, to.Format("01-02"))
			}
		}
		slices.Sort(want)
		got := made(list, rhythm, 2024)
		got = got[len(slices.DeleteFunc(slices.Clone(got), func(day string) bool { return day >= "02-01" })):]
		missing := cmp.Diff(slices.Compact(want), slices.DeleteFunc(got, func(day string) bool {
			before := begin // what was moved out of January is not counted
			at, _ := time.Parse("2006-01-02", "2024-"+day)
			for before.Before(at) && !list.Open(before) {
				before = before.AddDate(0, 0, 1)
			}
			return before.Equal(at) && !slices.Contains(want, day)
		}))
		if missing != "" {
			t.Fatalf("%s without %v (-want +got):\n%s", rhythm, list.NotOn, missing)
		}
	})
}
