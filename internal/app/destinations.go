package app

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"

	"silkpost/internal/database"
	"silkpost/mailer/destination"
	"silkpost/mailer/ledger"
	"silkpost/mailer/send"
)

// DestinationDays is how far back a destination's days are summed up, and keptDays for how long they are kept.
const (
	DestinationDays = 7
	keptDays        = 90
)

// DestinationStatus is a destination with how it took mail.
type DestinationStatus struct {
	Name    string
	Days    []destination.Day // the last first
	Paused  *PausedStatus     // nil: it is not
	Habit   *destination.Habit
	Domains []destination.Domain // that belong to it, as far as they are known
}

// Destinations returns what the destinations took in the last days, those first that most was tried at, and those that pause. find leaves those whose
// name begins with it; after is the last one that was shown.
func (a *App) Destinations(ctx context.Context, find string, after destination.Day, most int) (days []destination.Day, paused []PausedStatus, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		if days, err = destination.Busiest(ctx, h, a.daysAgo(DestinationDays-1), find, after, most); err != nil {
			return err
		}
		paused, err = a.pausedStatus(ctx, h)
		return err
	})
	return days, paused, err
}

func (a *App) daysAgo(n int) time.Time {
	return a.Clock.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -n)
}

// shownDomains is how many domains of a destination are shown.
const shownDomains = 50

// Destination returns what is known of a destination. There is always something to say: it may be one that nothing was sent to yet.
func (a *App) Destination(ctx context.Context, name string) (s DestinationStatus, err error) {
	s.Name = ledger.DomainOf(name)
	s.Habit = destination.HabitOf(s.Name)
	err = a.snapshot(ctx, func(h database.Handle) error {
		if s.Days, err = destination.DaysOf(ctx, h, s.Name, a.daysAgo(keptDays)); err != nil {
			return err
		}
		if s.Domains, err = destination.DomainsOf(ctx, h, s.Name, shownDomains); err != nil {
			return err
		}
		paused, err := a.pausedStatus(ctx, h)
		for i := range paused {
			if paused[i].Destination == s.Name {
				s.Paused = &paused[i]
			}
		}
		return err
	})
	return s, err
}

// PauseDestination keeps mail from a destination, or from one domain, until it is resumed. It returns the destination that the domain belongs to, which
// goes on if it is another, and whether the pause is news.
func (a *App) PauseDestination(ctx context.Context, name string) (of string, news bool, err error) {
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		if of, err = ledger.DestinationOf(ctx, tx, name); err != nil {
			return err
		}
		news, err = ledger.PauseByHand(ctx, tx, name, a.Clock.Now())
		return err
	})
	return of, news, err
}

// ResumeDestination ends a destination's pause; errs.NotFound when it does not pause.
func (a *App) ResumeDestination(ctx context.Context, name string) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error { return ledger.Resume(ctx, tx, name, a.Clock.Now()) })
}

// send has a sender send until ctx ends, and what destinations took written down meanwhile.
func (a *App) send(ctx context.Context, sender *send.Sender) error {
	counting, stop := context.WithCancel(ctx)
	var group errgroup.Group
	group.Go(func() error {
		a.tally.Run(counting)
		return nil
	})
	err := sender.Run(ctx)
	stop()
	_ = group.Wait() // it logs what fails
	return err
}
