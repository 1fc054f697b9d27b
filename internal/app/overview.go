package app

import (
	"context"
	"slices"
	"time"

	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// among reports whether an id is one of some, or those are all.
func among(id int64, some []int64) bool { return some == nil || slices.Contains(some, id) }

// GoingOut returns the editions of some lists, nil for all, that go out now or at their readers' hours.
func (a *App) GoingOut(ctx context.Context, lists []int64) (all []edition.Edition, err error) {
	going, err := edition.Going(ctx, a.DB)
	if err != nil {
		return nil, err
	}
	return a.named(ctx, going, lists)
}

// WentOut returns the latest editions of some lists, nil for all, that were sent since a time, at most limit.
func (a *App) WentOut(ctx context.Context, since time.Time, lists []int64, limit int) ([]edition.Edition, error) {
	sent, err := edition.Finished(ctx, a.DB, since, lists, limit)
	if err != nil {
		return nil, err
	}
	return a.named(ctx, sent, lists)
}

// named gives editions the slugs of their lists, and leaves out those of others.
func (a *App) named(ctx context.Context, editions []edition.Edition, lists []int64) (all []edition.Edition, err error) {
	slugs, err := listSlugs(ctx, a.DB)
	for _, e := range editions {
		if e.List = slugs[e.ListID]; among(e.ListID, lists) {
			all = append(all, e)
		}
	}
	return all, err
}

// Day is how much happened on a day.
type Day struct {
	Date                                  time.Time // its midnight, in the zone that was asked for
	Sent, Deferred, Bounced, Unsubscribed int
}

// Days returns how much happened on each of the last days, in a zone, on some lists, nil for all; today is the last.
func (a *App) Days(ctx context.Context, days int, zone *time.Location, lists []int64) (all []Day, err error) {
	today := a.Clock.Now().In(zone)
	at := map[string]*Day{}
	all = make([]Day, days)
	for i := range all {
		all[i].Date = time.Date(today.Year(), today.Month(), today.Day()-days+1+i, 0, 0, 0, 0, zone)
		at[all[i].Date.Format(time.DateOnly)] = &all[i]
	}
	hours, err := ledger.Hours(ctx, a.DB, all[0].Date, lists)
	if err != nil {
		return nil, err
	}
	for _, h := range hours {
		if d := at[h.Hour.In(zone).Format(time.DateOnly)]; d != nil {
			d.Sent, d.Deferred, d.Bounced = d.Sent+h.Sent, d.Deferred+h.Deferred, d.Bounced+h.Bounced
		}
	}
	left, err := subscribers.LeftSince(ctx, a.DB, all[0].Date, lists)
	for _, h := range left {
		if d := at[h.Hour.In(zone).Format(time.DateOnly)]; d != nil {
			d.Unsubscribed += h.Count
		}
	}
	return all, err
}
