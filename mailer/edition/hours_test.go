package edition

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"silkpost/internal/errs"
	"silkpost/subscribers"
)

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
		got, err := nextHour(from, tt.zone, tt.hour)
		if err != nil || got.Format(time.RFC3339) != tt.want {
			t.Errorf("%s after %s in %s: got %s, %v, want %s", tt.hour, tt.from, tt.zone, got.Format(time.RFC3339), err, tt.want)
		}
	}
	for _, bad := range []struct{ zone, hour string }{{"Europe/Atlantis", "08:00"}, {"Europe/Rome", "8 o'clock"}} {
		if _, err := nextHour(monday, bad.zone, bad.hour); errs.KindOf(err) != errs.Invalid {
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
		got, err := nextHour(from, zone, hour)
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

// The last cut-off until now and the next one after it enclose any moment, and nothing lies between them.
func TestCutOffsEnclose(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := subscribers.NewList("partners")
		list.TimeZone = rapid.SampledFrom([]string{"Asia/Shanghai", "Europe/Rome", "America/Santiago", "Pacific/Auckland"}).Draw(t, "zone")
		list.EditorialHour = rapid.SampledFrom([]string{"00:30", "02:30", "17:00"}).Draw(t, "hour")
		rhythm := rapid.SampledFrom([]string{subscribers.Daily, subscribers.Weekly, subscribers.Monthly}).Draw(t, "rhythm")
		now := monday.Add(time.Duration(rapid.IntRange(0, 400*24*60).Draw(t, "minutes")) * time.Minute)
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
