package edition

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"silkpost/internal/errs"
	"silkpost/subscribers"
)

func always(time.Time) bool { return true }

func TestNextHour(t *testing.T) {
	t.Parallel()
	tests := []struct{ from, zone, hour, want string }{
		{"2026-11-20T09:00:00Z", "Asia/Shanghai", "08:00", "2026-11-21T00:00:00Z"},
		{"2026-11-20T09:00:00Z", "Europe/Rome", "10:00", "2026-11-20T09:00:00Z"}, // now is not too late
		{"2026-11-20T09:00:01Z", "Europe/Rome", "10:00", "2026-11-21T09:00:00Z"},
		{"2026-11-20T09:00:00Z", "Asia/Kathmandu", "08:00", "2026-11-21T02:15:00Z"},
		// 02:30 is left out on the last Sunday of March: it comes as much later as the clock jumps.
		{"2026-03-28T20:00:00Z", "Europe/Rome", "02:30", "2026-03-29T01:30:00Z"},
		{"2026-03-28T20:00:00Z", "Europe/London", "01:30", "2026-03-29T01:30:00Z"},
		// It comes twice on the last Sunday of October: the first counts.
		{"2026-10-24T20:00:00Z", "Europe/Rome", "02:30", "2026-10-25T00:30:00Z"},
		// Between the two, the hour has been today.
		{"2026-10-25T01:00:00Z", "Europe/Rome", "02:30", "2026-10-26T01:30:00Z"},
		{"2026-04-04T12:00:00Z", "Pacific/Auckland", "02:30", "2026-04-04T13:30:00Z"},
		{"2026-09-26T00:00:00Z", "Pacific/Auckland", "02:30", "2026-09-26T14:30:00Z"},
		// Santiago's clocks jump at midnight: the day has no 00:30.
		{"2026-09-05T12:00:00Z", "America/Santiago", "00:30", "2026-09-06T04:30:00Z"},
		{"2026-04-23T12:00:00Z", "Africa/Cairo", "00:15", "2026-04-23T22:15:00Z"},
		{"2026-04-04T10:00:00Z", "Australia/Lord_Howe", "01:45", "2026-04-04T14:45:00Z"}, // half an hour comes twice
		{"2011-12-29T20:00:00Z", "Pacific/Apia", "12:00", "2011-12-29T22:00:00Z"},
		{"2011-12-29T23:00:00Z", "Pacific/Apia", "12:00", "2011-12-30T22:00:00Z"}, // the island left a day out
	}
	for _, tt := range tests {
		from, err := time.Parse(time.RFC3339, tt.from)
		if err != nil {
			t.Fatal(err)
		}
		got, err := nextHour(from, tt.zone, tt.hour, always)
		if err != nil || got.Format(time.RFC3339) != tt.want {
			t.Errorf("%s after %s in %s: got %s, %v, want %s", tt.hour, tt.from, tt.zone, got.Format(time.RFC3339), err, tt.want)
		}
	}
	for _, bad := range []struct{ zone, hour string }{{"Europe/Atlantis", "08:00"}, {"Europe/Rome", "8 o'clock"}} {
		if _, err := nextHour(monday, bad.zone, bad.hour, always); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// Everywhere and always, the next hour is no earlier than asked for, within a day and a few hours, and shown by the wall unless it
// was left out.
func TestNextHourAnywhere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{
			"Europe/Rome", "Asia/Shanghai", "Asia/Kathmandu", "Pacific/Auckland", "America/Santiago", "Africa/Cairo", "America/St_Johns",
			"Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tehran", "Pacific/Chatham", "UTC",
		}).Draw(t, "zone")
		from := time.Unix(rapid.Int64Range(1.6e9, 2.0e9).Draw(t, "from"), 0).UTC()
		hour := time.Date(0, 1, 1, 0, rapid.IntRange(0, 24*60-1).Draw(t, "minute"), 0, 0, time.UTC).Format("15:04")
		got, err := nextHour(from, zone, hour, always)
		if err != nil || got.Before(from) || got.Sub(from) > 26*time.Hour {
			t.Fatalf("%s after %v in %s: %v, %v", hour, from, zone, got, err)
		}
		where, _ := time.LoadLocation(zone)
		_, before := got.Add(-3 * time.Hour).In(where).Zone()
		_, at := got.In(where).Zone()
		if shown := got.In(where).Format("15:04"); shown != hour && before == at {
			t.Fatalf("%s after %v in %s: %v, when the wall shows %s", hour, from, zone, got, shown)
		}
	})
}

func TestLastCutOff(t *testing.T) {
	t.Parallel()
	list := subscribers.NewList("partners")
	list.TimeZone, list.EditorialHour = "Asia/Shanghai", "17:00"
	tests := []struct{ rhythm, now, want string }{
		{subscribers.Daily, "2026-11-22T08:59:59Z", "2026-11-21T09:00:00Z"},
		{subscribers.Daily, "2026-11-22T09:00:00Z", "2026-11-22T09:00:00Z"},
		{subscribers.Weekly, "2026-11-22T12:00:00Z", "2026-11-16T09:00:00Z"},
		{subscribers.Weekly, "2026-11-23T09:00:00Z", "2026-11-23T09:00:00Z"},
		{subscribers.Monthly, "2026-11-22T12:00:00Z", "2026-11-02T09:00:00Z"},
		{subscribers.Monthly, "2026-11-02T08:00:00Z", "2026-10-05T09:00:00Z"},
	}
	for _, tt := range tests {
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := lastCutOff(&list, tt.rhythm, now); err != nil || got.Format(time.RFC3339) != tt.want {
			t.Errorf("%s at %s: got %v, %v, want %s", tt.rhythm, tt.now, got, err, tt.want)
		}
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	list := subscribers.NewList("partners")
	list.TimeZone, list.EditorialHour = "Asia/Shanghai", "17:00"
	for _, tt := range []struct{ rhythm, now, zone, cutOff, comes string }{
		{subscribers.Daily, "2026-11-22T08:59:59Z", "Europe/Rome", "2026-11-22T17:00:00+08:00", "2026-11-23T08:00:00+01:00"},
		{subscribers.Daily, "2026-11-22T09:00:00Z", "Asia/Shanghai", "2026-11-23T17:00:00+08:00", "2026-11-24T08:00:00+08:00"},
		{subscribers.Weekly, "2026-11-23T09:00:00Z", "America/Santiago", "2026-11-30T17:00:00+08:00", "2026-11-30T08:00:00-03:00"},
		{subscribers.Monthly, "2026-11-22T12:00:00Z", "Europe/Rome", "2026-12-07T17:00:00+08:00", "2026-12-08T08:00:00+01:00"},
		{subscribers.Immediate, "2026-11-22T12:00:00Z", "Europe/Rome", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		cutOff, comes, err := Next(list, tt.rhythm, tt.zone, "08:00", now)
		if got := []string{cutOff.Format(time.RFC3339), comes.Format(time.RFC3339)}; err != nil || got[0] != tt.cutOff || got[1] != tt.comes {
			t.Errorf("%s at %s in %s: %v, %v", tt.rhythm, tt.now, tt.zone, got, err)
		}
	}
	if _, _, err := Next(list, subscribers.Daily, "Europe/Atlantis", "08:00", monday); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a zone that there is not: %v", err)
	}
}

// calendars draws a list with days and hours of any kind, in a zone of any kind.
func calendars(t *rapid.T) subscribers.List {
	list := subscribers.NewList("partners")
	list.TimeZone = rapid.SampledFrom(walls).Draw(t, "zone")
	hours := rapid.SampledFrom([]string{"00:00", "00:30", "01:45", "02:30", "17:00", "23:45"})
	list.EditorialHour = hours.Draw(t, "editorial_hour")
	list.DailyAt = rapid.SampledFrom([]string{"", "02:15"}).Draw(t, "daily_at")
	list.DailyOn = rapid.SampledFrom([][]string{subscribers.Weekdays, subscribers.Weekdays[:5], {"sunday"}}).Draw(t, "daily_on")
	list.WeeklyOn = rapid.SampledFrom(subscribers.Weekdays).Draw(t, "weekly_on")
	list.MonthlyOn = rapid.SampledFrom([]string{"first monday", "last sunday", "day 31", "last day"}).Draw(t, "monthly_on")
	list.NotOn = rapid.SampledFrom([][]string{{}, {"saturday", "12-25"}, {"01-01", "monday", "tuesday"}}).Draw(t, "not_on")
	return list
}

var walls = []string{
	"Asia/Shanghai", "Europe/Rome", "Europe/London", "Asia/Kathmandu", "Pacific/Auckland", "America/Santiago", "Africa/Cairo",
	"Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca",
}

// The last cut-off until now and the next one after it enclose any moment, and nothing lies between them.
func TestCutOffsEnclose(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := calendars(t)
		rhythm := rapid.SampledFrom([]string{subscribers.Daily, subscribers.Weekly, subscribers.Monthly}).Draw(t, "rhythm")
		now := monday.Add(time.Duration(rapid.IntRange(0, 1500*24*60).Draw(t, "minutes")) * time.Minute)
		last, err := lastCutOff(&list, rhythm, now)
		if err != nil {
			t.Fatal(err)
		}
		next, err := nextCutOff(&list, rhythm, now)
		if err != nil || last.After(now) || !next.After(now) {
			t.Fatalf("%s lies between %s and %s (%v)", now, last, next, err)
		}
		if before, err := lastCutOff(&list, rhythm, next.Add(-time.Second)); err != nil || !before.Equal(last) {
			t.Fatalf("%s lies between %s and %s (%v)", before, last, next, err)
		}
	})
}

// watch looks at a wall every quarter of an hour and returns, for each date from a time on, when an hour comes: when the wall first shows
// it, or, where the clocks jump over it, as much later as they jump.
func watch(from time.Time, days int, where *time.Location, hour string) map[string]time.Time {
	const step = 15 * time.Minute
	wanted, _ := time.Parse("15:04", hour)
	minutes := func(at time.Time) int { return at.Hour()*60 + at.Minute() }
	seen := map[string]time.Time{}
	for at := from.Truncate(step); at.Before(from.AddDate(0, 0, days)); at = at.Add(step) {
		wall, before := at.In(where), at.Add(-step).In(where)
		date := wall.Format("2006-01-02")
		if _, there := seen[date]; there || minutes(wall) < minutes(wanted) {
			continue
		}
		shown := minutes(before) + int(step.Minutes()) // had the clocks not jumped
		if before.Format("2006-01-02") != date {
			shown -= 24 * 60
		}
		seen[date] = at.Add(time.Duration(minutes(wanted)-min(shown, minutes(wanted))) * time.Minute)
	}
	return seen
}

// Cut-offs are what somebody would note down who looks at the list's wall and calendar for weeks.
func TestCutOffsAreWhatTheWallShows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := calendars(t)
		where, _ := time.LoadLocation(list.TimeZone)
		rhythm := rapid.SampledFrom([]string{subscribers.Daily, subscribers.Weekly}).Draw(t, "rhythm")
		begin := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 1500).Draw(t, "day"))
		noted := watch(begin.AddDate(0, 0, -2), 44, where, list.CutOffHour(rhythm))
		for at := begin.AddDate(0, 0, 14); at.Before(begin.AddDate(0, 0, 28)); at = at.Add(7 * time.Hour) {
			var want time.Time
			for date, cutOff := range noted {
				day, _ := time.Parse("2006-01-02", date)
				if list.MadeOn(rhythm, day) && cutOff.After(at) && (want.IsZero() || cutOff.Before(want)) {
					want = cutOff
				}
			}
			if got, err := nextCutOff(&list, rhythm, at); err != nil || !got.Equal(want) {
				t.Fatalf("after %s comes %s (%v), but the wall in %s says %s", at, got, err, where, want)
			}
		}
	})
}

// A reader's digest comes at their hour on a day that the list does not leave out.
func TestNextHourOnOpenDays(t *testing.T) {
	t.Parallel()
	list := subscribers.NewList("partners")
	list.NotOn = []string{"saturday", "sunday", "12-25"}
	for _, tt := range []struct{ from, zone, want string }{
		{"2026-12-24T16:00:00Z", "Europe/Rome", "2026-12-28T07:00:00Z"},      // Thursday evening; Friday is Christmas, then the weekend
		{"2026-12-27T16:00:00Z", "Asia/Shanghai", "2026-12-28T00:00:00Z"},    // Monday there
		{"2026-12-27T16:00:00Z", "America/Santiago", "2026-12-28T11:00:00Z"}, // Sunday there
	} {
		from, _ := time.Parse(time.RFC3339, tt.from)
		got, err := nextHour(from, tt.zone, "08:00", list.Open)
		if err != nil || got.Format(time.RFC3339) != tt.want {
			t.Errorf("after %s in %s: %v, %v, want %s", tt.from, tt.zone, got, err, tt.want)
		}
	}
}
