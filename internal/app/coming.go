package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"silkpost/internal/database"
	"silkpost/mailer/edition"
	"silkpost/subscribers"
)

// Coming is the next edition of a list's rhythm.
type Coming struct {
	List   subscribers.List
	Rhythm string
	CutOff time.Time         // when its articles are frozen; zero: an alert, which has no such time
	Comes  time.Time         // when it comes to a reader who lives by the list's own clock and has no hour of their own
	Before *edition.LastTime // the last one; nil: there was none, or it is an alert
	Lacks  string            // why it will not be made, in English: it has no sender, for instance
	Paused bool              // its list is, or all are
}

// Coming returns what comes of the lists of some ids, nil for all: the soonest first, alerts last.
func (a *App) Coming(ctx context.Context, h database.Handle, ids []int64) (all []Coming, err error) {
	lists, err := a.listsAmong(ctx, h, ids)
	if err != nil {
		return nil, err
	}
	before, err := edition.LastTimes(ctx, h)
	if err != nil {
		return nil, err
	}
	paused, err := edition.PausedLists(ctx, h)
	if err != nil {
		return nil, err
	}
	for _, list := range lists {
		for _, rhythm := range list.Rhythms {
			next := Coming{List: list, Rhythm: rhythm, Paused: slices.Contains(paused, 0) || slices.Contains(paused, list.ID)}
			if next.CutOff, next.Comes, err = edition.Next(list, rhythm, list.TimeZone, list.DeliveryHour, a.Clock.Now()); err != nil {
				return nil, err
			}
			if lacks := edition.MayBeSent(list); lacks != nil {
				next.Lacks = lacks.Error()
			}
			if i := slices.IndexFunc(before, func(b edition.LastTime) bool { return b.ListID == list.ID && b.Rhythm == rhythm }); i >= 0 {
				next.Before = &before[i]
			}
			all = append(all, next)
		}
	}
	slices.SortStableFunc(all, func(x, y Coming) int {
		if alert := x.CutOff.IsZero(); alert != y.CutOff.IsZero() {
			return map[bool]int{true: 1, false: -1}[alert]
		}
		return cmp.Or(x.CutOff.Compare(y.CutOff), cmp.Compare(x.List.Slug, y.List.Slug), cmp.Compare(x.Rhythm, y.Rhythm))
	})
	return all, nil
}
