package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/destination"
	"silkpost/mailer/ledger"
	"silkpost/mailer/send"
	"silkpost/subscribers"
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

// Destinations returns what the destinations took in the last days, as it was summed up last, those first that most was tried at, and those that pause. find leaves those whose
// name begins with it; after is the last one that was shown.
func (a *App) Destinations(ctx context.Context, find string, after destination.Day, most int) (days []destination.Day, paused []PausedStatus, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		if days, err = destination.Busiest(ctx, h, find, after, most); err != nil {
			return err
		}
		paused, err = a.pausedStatus(ctx, h)
		return err
	})
	return days, paused, err
}

// SumDestinations sums up what destinations took in the last days, when there is something new.
func (a *App) SumDestinations(ctx context.Context) error {
	return destination.SumUp(ctx, a.DB, a.Clock, a.daysAgo(DestinationDays-1))
}

func (a *App) daysAgo(n int) time.Time {
	return a.Clock.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -n)
}

// shownDomains is how many domains of a destination are shown.
const shownDomains = 50

// Destination returns what is known of a destination, or of a domain, which may be one that nothing was sent to yet; or an error of kind errs.NotFound.
func (a *App) Destination(ctx context.Context, name string) (s DestinationStatus, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		var used bool
		if s.Name, used, err = destinationName(ctx, h, name); err != nil {
			return err
		}
		if !used { // somebody may have had an address there
			s.Name = ledger.DomainOf(name)
		}
		s.Habit = destination.HabitOf(s.Name)
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

// destinationName returns the name of a destination, or of a domain, as the addresses of contacts write it, and whether there are any; or that of a relay that was
// ever paused. What can be none of them is errs.NotFound.
func destinationName(ctx context.Context, h database.Handle, name string) (written string, used bool, err error) {
	if relay, err := ledger.IsRelay(ctx, h, name); err != nil || relay {
		return ledger.DomainOf(name), relay, err
	}
	domain, err := subscribers.ParseDomain(ledger.DomainOf(name))
	if err != nil {
		return "", false, errs.New(errs.NotFound, "%w", err)
	}
	address, err := subscribers.AddressAt(ctx, h, domain)
	if err != nil || address != "" {
		return ledger.DomainOf(address), true, err
	}
	domains, err := destination.DomainsOf(ctx, h, domain, 1)
	return domain, len(domains) > 0, err
}

// PausedDestination is what a pause by hand came to.
type PausedDestination struct {
	Name string
	Of   string // the destination that it belongs to, which goes on if it is another
	News bool   // it did not pause before
	Used bool   // somebody has an address there
}

// PauseDestination keeps mail from a destination, or from one domain, until it is resumed. A name that can be neither is errs.NotFound.
func (a *App) PauseDestination(ctx context.Context, name string) (p PausedDestination, err error) {
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		if p.Name, p.Used, err = destinationName(ctx, tx, name); err != nil {
			return err
		}
		if p.Of, err = ledger.DestinationOf(ctx, tx, p.Name); err != nil {
			return err
		}
		p.News, err = ledger.PauseByHand(ctx, tx, p.Name, a.Clock.Now())
		return err
	})
	return p, err
}

// ResumeDestination ends the pause of a destination; errs.NotFound when it does not pause.
func (a *App) ResumeDestination(ctx context.Context, name string) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		if written, _, err := destinationName(ctx, tx, name); err == nil { // what can be none may have been paused before that was asked
			name = written
		} else if errs.KindOf(err) != errs.NotFound {
			return err
		}
		return ledger.Resume(ctx, tx, name, a.Clock.Now())
	})
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
	a.sumAtLast(context.WithoutCancel(ctx))
	return err
}

// sumAtLast sums up what a sender that has ended leaves: there may be no worker that would.
func (a *App) sumAtLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := a.SumDestinations(ctx); err != nil {
		a.Log.WarnContext(ctx, "what destinations took could not be summed up", slog.Any("error", err))
	}
}
