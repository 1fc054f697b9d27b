package edition

import (
	"context"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/errs"
)

// setHours makes the temporary table local_hour: when the next of each reader's hours comes. The zones are Go's, which the program
// carries with it; what Postgres knows of zones depends on the machine.
func (p *plan) setHours(ctx context.Context) error {
	var hours []struct {
		Zone string `db:"time_zone"`
		Hour string `db:"hour"`
	}
	if err := p.SelectContext(ctx, &hours, `
		SELECT DISTINCT time_zone, to_char(hour, 'HH24:MI') AS hour FROM reader JOIN digest USING (profile)`); err != nil {
		return err
	}
	zones, local, ats := make(pq.StringArray, len(hours)), make(pq.StringArray, len(hours)), make([]time.Time, len(hours))
	for i, h := range hours {
		zones[i], local[i], ats[i] = h.Zone, h.Hour, p.CutOff
		if p.AtOnce || p.Rhythm == immediate {
			continue
		}
		var err error
		if ats[i], err = nextHour(p.CutOff, h.Zone, h.Hour, p.List.Open); err != nil {
			return err
		}
	}
	return p.run(ctx, `
		CREATE TEMP TABLE local_hour ON COMMIT DROP AS
		SELECT * FROM unnest($1::text[], $2::time[], $3::timestamptz[]) AS h (time_zone, hour, at)`,
		zones, local, pq.Array(ats))
}

// nextHour returns when a clock on the wall in a zone next shows the hour ("15:04") on an open day, at or after a time. An hour that is
// left out when the clocks go forward comes as much later as they jump; one that comes twice is taken the first time.
func nextHour(from time.Time, zone, hour string, open func(day time.Time) bool) (time.Time, error) {
	where, err := zoneOf(zone)
	if err != nil {
		return time.Time{}, err
	}
	clock, err := time.Parse("15:04", hour)
	if err != nil {
		return time.Time{}, errs.New(errs.Invalid, "%q is not an hour such as 08:00", hour)
	}
	today := from.In(where)
	for days := 0; ; days++ {
		at := onWall(today.Year(), today.Month(), today.Day()+days, clock.Hour(), clock.Minute(), where)
		if !at.Before(from) && open(at) {
			return at.UTC(), nil
		}
	}
}

// onWall is time.Date, but of an hour that comes twice it gives the first, and of one that is left out the later reading: what
// time.Date does there is not specified.
func onWall(year int, month time.Month, day, hour, minute int, where *time.Location) time.Time {
	at := time.Date(year, month, day, hour, minute, 0, 0, where)
	shown := func(t time.Time) string { return t.Format("2006-01-02 15:04") }
	wanted := shown(time.Date(year, month, day, hour, minute, 0, 0, time.UTC))
	for _, shift := range []time.Duration{2 * time.Hour, time.Hour, 30 * time.Minute} {
		if earlier := at.Add(-shift); shown(earlier) == wanted {
			return earlier
		}
	}
	if shown(at) != wanted { // left out: time.Date may have gone either way
		_, before := at.Add(-12 * time.Hour).Zone()
		return time.Date(year, month, day, hour, minute, 0, 0, time.UTC).Add(-time.Duration(before) * time.Second).In(where)
	}
	return at
}

// localDate returns the date in a zone, as midnight UTC, which is how Postgres's date is read and written.
func localDate(at time.Time, zone string) (time.Time, error) {
	where, err := zoneOf(zone)
	if err != nil {
		return time.Time{}, err
	}
	y, m, d := at.In(where).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), nil
}

// zoneOf loads a zone. It was checked when its list was declared or its contact imported; another program's zones may be others.
func zoneOf(name string) (*time.Location, error) {
	where, err := time.LoadLocation(name)
	if err != nil {
		return nil, errs.New(errs.Invalid, "there is no time zone %q", name)
	}
	return where, nil
}
