package app

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/compose"
	"silkpost/mailer/edition"
	"silkpost/subscribers"
)

// ListStatus is a list with how it stands.
type ListStatus struct {
	subscribers.List
	People    map[subscribers.State]int // subscriptions
	Next      []NextEdition             // the scheduled ones, the first first
	Lacks     error                     // what is missing for it to be sent for; nil: nothing
	Paused    bool                      // by itself
	AllPaused bool                      // every list is
}

// NextEdition is when a list's next edition of a rhythm is cut off, on the list's own wall.
type NextEdition struct {
	Rhythm string
	CutOff time.Time
}

// ListStatuses returns lists by slug, those of the ids that are given; nil: all.
func (a *App) ListStatuses(ctx context.Context, only []int64) (all []ListStatus, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		lists, err := subscribers.Lists(ctx, h)
		if err != nil {
			return err
		}
		counts, err := subscribers.CountStates(ctx, h, only)
		if err != nil {
			return err
		}
		paused, err := edition.PausedLists(ctx, h)
		if err != nil {
			return err
		}
		all = nil
		for _, list := range lists {
			if only != nil && !slices.Contains(only, list.ID) {
				continue
			}
			s := ListStatus{
				List: list, People: counts[list.ID], Lacks: edition.MayBeSent(list), Paused: slices.Contains(paused, list.ID), AllPaused: slices.Contains(paused, 0),
			}
			if s.Next, err = nextEditions(list, a.Clock.Now()); err != nil {
				return err
			}
			all = append(all, s)
		}
		return nil
	})
	return all, err
}

// ListStatus returns how one list stands, or errs.NotFound.
func (a *App) ListStatus(ctx context.Context, slug string) (s ListStatus, err error) {
	list, err := subscribers.ListBySlug(ctx, a.DB, slug)
	if err != nil {
		return s, err
	}
	all, err := a.ListStatuses(ctx, []int64{list.ID})
	if err == nil && len(all) == 0 {
		err = errs.New(errs.NotFound, "no list %q", slug)
	}
	if err != nil {
		return s, err
	}
	return all[0], nil
}

func nextEditions(list subscribers.List, now time.Time) (next []NextEdition, err error) {
	for _, rhythm := range list.Rhythms {
		cutOff, _, err := edition.Next(list, rhythm, list.TimeZone, list.DeliveryHour, now)
		if err != nil {
			return nil, err
		}
		if !cutOff.IsZero() {
			next = append(next, NextEdition{rhythm, cutOff})
		}
	}
	slices.SortStableFunc(next, func(a, b NextEdition) int { return a.CutOff.Compare(b.CutOff) })
	return next, nil
}

// SaveList makes a list be as l says, as a declaration would. With anew, a list of that slug that is there already is errs.Conflict; without, one that
// is not there is errs.NotFound. What is wrong with a field is a subscribers.Mistake.
func (a *App) SaveList(ctx context.Context, l subscribers.List, anew bool) error {
	return a.changeFeeds(ctx, func(tx *sqlx.Tx) error {
		switch _, err := subscribers.ListBySlug(ctx, tx, l.Slug); {
		case err == nil && anew:
			return errs.New(errs.Conflict, "%w", &subscribers.Mistake{Field: "slug", Says: "there is a list of that name already: choose another"})
		case err != nil && errs.KindOf(err) != errs.NotFound, err != nil && !anew:
			return err
		}
		if _, err := a.declareList(ctx, tx, l); err != nil {
			return err
		}
		return checkLeftOut(ctx, tx, l)
	})
}

// declareList makes a list be as l says. The lists that it leaves out are looked at by whoever knows all of them: see checkLeftOut.
func (a *App) declareList(ctx context.Context, h database.Handle, l subscribers.List) (database.Change, error) {
	if err := a.checkSources(ctx, h, "list", l.Slug, l.Selection); err != nil {
		return "", err
	}
	there, err := subscribers.ListBySlug(ctx, h, l.Slug)
	if err != nil && errs.KindOf(err) != errs.NotFound {
		return "", err
	}
	if l.Theme != "" && l.Theme != there.Theme {
		if _, err := compose.ThemeBySlug(ctx, h, l.Theme); err != nil {
			return "", errs.New(errs.KindOf(err), "list %q: %w", l.Slug, err)
		}
	}
	return subscribers.DeclareList(ctx, h, l)
}

// checkLeftOut refuses a list that leaves out what comes from a list that does not exist.
func checkLeftOut(ctx context.Context, h database.Handle, l subscribers.List) error {
	for _, other := range l.LeaveOut {
		if _, err := subscribers.ListBySlug(ctx, h, other); err != nil {
			return errs.New(errs.KindOf(err), "list %q: leave_out: %w", l.Slug, err)
		}
	}
	return nil
}
