package app

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"silkpost/internal/errs"
	"silkpost/internal/fetch"
	"silkpost/internal/installation"
	"silkpost/internal/jobs"
	"silkpost/mailer/ledger"
)

// How often a worker looks whether its database is held, and asks at the public URL; and how long it waits there for an answer.
const (
	standingEvery  = 2 * time.Second
	publicURLEvery = time.Hour
	publicURLWait  = 10 * time.Second
)

// Held returns why the database holds everything until it is adopted, "" when it does not.
func (a *App) Held(ctx context.Context) (string, error) {
	s, err := installation.Of(ctx, a.DB)
	return s.Held, err
}

// refuseIfHeld is errs.Conflict while the database is held.
func (a *App) refuseIfHeld(ctx context.Context) error {
	why, err := a.Held(ctx)
	if err != nil || why == "" {
		return err
	}
	return errs.New(errs.Conflict, "nothing is sent from this database: %s; if it is to take over, run silkpost adopt", why)
}

// workUnlessHeld plans, polls and sends until ctx ends, but not while the database is held: then it waits until somebody adopts it.
func (a *App) workUnlessHeld(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := a.awaitAdoption(ctx); err != nil {
			return err
		}
		if err := a.workUntilHeld(ctx); err != nil {
			return err
		}
	}
	return nil
}

// awaitAdoption returns when nothing speaks against working, or when ctx ends. What answers at the public URL is asked first.
func (a *App) awaitAdoption(ctx context.Context) error {
	told, asked := "", false
	for {
		s, err := installation.Of(ctx, a.DB)
		switch {
		case err != nil:
			return err
		case s.Held == "" && asked:
			return nil
		case s.Held == "":
			if s.Blind {
				a.Log.WarnContext(ctx, "the database server may not be asked what it calls itself: a copy shows at the public URL alone")
			}
			if err := a.comparePublicURL(ctx); err != nil {
				return err
			}
			asked = true
			continue
		case s.Held != told:
			a.Log.WarnContext(ctx, "NOTHING IS SENT: this database was restored, copied or promoted; if it is to take over, run silkpost adopt",
				slog.String("reason", s.Held))
			told = s.Held
		}
		asked = false // adopted, it is asked about again
		if !pause(ctx, standingEvery) {
			return nil
		}
	}
}

// pause reports whether the time passed before ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// workUntilHeld works until ctx ends or the database is held.
func (a *App) workUntilHeld(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil
	}
	queue, sender, err := a.worker()
	if err != nil {
		return err
	}
	group, working := errgroup.WithContext(ctx)
	working, stop := context.WithCancel(working)
	defer stop()
	group.Go(func() error { return queue.Run(working) })
	group.Go(func() error { return a.send(working, sender) })
	group.Go(func() error { a.followDue(working, sender); return nil })
	group.Go(func() error { return a.alarm.run(working) })
	group.Go(func() error { a.keepCounts(working); return nil })
	group.Go(func() error { return a.watchMailbox(working) })
	group.Go(func() error {
		defer stop()
		a.watchStanding(working)
		return nil
	})
	return group.Wait()
}

// watchStanding returns when the database is held, or ctx ends. A database that does not answer is none that was adopted by others.
func (a *App) watchStanding(ctx context.Context) {
	for next := publicURLEvery; pause(ctx, standingEvery); next -= standingEvery {
		if next <= 0 {
			next = publicURLEvery
			if err := a.comparePublicURL(ctx); err != nil && ctx.Err() == nil {
				a.Log.WarnContext(ctx, "the public URL could not be compared with the database", slog.Any("error", err))
			}
		}
		if why, err := a.Held(ctx); err == nil && why != "" {
			return
		}
	}
}

// comparePublicURL makes the database held when another one answers at the public URL.
func (a *App) comparePublicURL(ctx context.Context) error {
	if !a.askPublicURL {
		return nil
	}
	other, err := a.otherAtPublicURL(ctx)
	if err != nil || other == "" {
		return err
	}
	return installation.Hold(ctx, a.DB, other)
}

// otherAtPublicURL says in words that another database answers at the public URL, "" when it is this one or nobody answers: from behind a firewall
// the address often cannot be reached, and a name may not lead anywhere yet. Then what the server calls itself decides alone.
func (a *App) otherAtPublicURL(ctx context.Context) (string, error) {
	address, err := url.Parse(a.Config.PublicURL)
	if err != nil || address.Host == "" || a.keys == nil {
		return "", nil
	}
	nonce, err := installation.Challenge(ctx, a.DB, a.Clock.Now())
	if err != nil {
		return "", err
	}
	client := fetch.New(address.Hostname()) // our own address may lie inside
	defer client.Close()
	waiting, cancel := context.WithTimeout(ctx, publicURLWait)
	defer cancel()
	query := url.Values{installation.Query: {nonce}}
	got, err := client.Get(waiting, fetch.Request{URL: a.Config.PublicURL + installation.Path + "?" + query.Encode()})
	var answer installation.Answer
	if err == nil {
		answer, err = installation.ParseAnswer(got.Body)
	}
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		a.Log.WarnContext(ctx, "nobody tells at the public URL which database is behind it: a copy shows by its server alone",
			slog.String("public_url", a.Config.PublicURL), slog.String("error", err.Error()))
		return "", nil
	case answer.Proves(a.keys, nonce):
		return "", nil
	}
	return "another database answers at " + a.Config.PublicURL, nil
}

// Adoption is what adopting a database would do.
type Adoption struct {
	Why  string // it is held; "": it is not, and there is nothing to do
	Open int    // deliveries that its editions have not brought to an outcome
}

// Adoption says what adopting the database would do.
func (a *App) Adoption(ctx context.Context) (d Adoption, err error) {
	if d.Why, err = a.Held(ctx); err != nil {
		return d, err
	}
	counts, err := ledger.Count(ctx, a.DB)
	d.Open = counts.Pending + counts.InFlight + counts.Deferred + counts.InDoubt
	return d, err
}

// Adopt lets a database act that was restored, copied or promoted: it is the installation from now on. What is late by then waits for a person
// as ever. While another database answers at the public URL this is errs.Conflict: readers who unsubscribe would be heard there.
func (a *App) Adopt(ctx context.Context) error {
	other, err := a.otherAtPublicURL(ctx)
	if err != nil {
		return err
	}
	if other != "" {
		return errs.New(errs.Conflict, "%s: let that address lead to this one, or stop the other; who unsubscribes would be heard there", other)
	}
	return installation.Adopt(ctx, a.DB, a.place, a.Clock.Now())
}

// heldAgain is when a job is looked at again that came while the database was held.
const heldAgain = time.Minute

// unlessHeld keeps jobs that reach outside from doing so while the database is held: it may have been promoted a moment ago.
func (a *App) unlessHeld(w jobs.Work) jobs.Work {
	hold := func(ctx context.Context) error {
		if why, err := a.Held(ctx); err != nil || why == "" {
			return err
		}
		return jobs.Later(heldAgain)
	}
	poll, tell, notify, link, staff, mail := w.PollSource, w.TellHub, w.SendNotice, w.SendLink, w.TellStaff, w.SendStaff
	w.PollSource = func(ctx context.Context, slug string) error {
		if err := hold(ctx); err != nil {
			return err
		}
		return poll(ctx, slug)
	}
	w.TellHub = func(ctx context.Context, hub string, generation int64) error {
		if err := hold(ctx); err != nil {
			return err
		}
		return tell(ctx, hub, generation)
	}
	w.SendNotice = func(ctx context.Context, id uuid.UUID) error {
		if err := hold(ctx); err != nil {
			return err
		}
		return notify(ctx, id)
	}
	w.SendLink = func(ctx context.Context, id uuid.UUID) error {
		if err := hold(ctx); err != nil {
			return err
		}
		return link(ctx, id)
	}
	w.TellStaff = func(ctx context.Context) error {
		if err := hold(ctx); err != nil {
			return nil //nolint:nilerr // it comes again by itself
		}
		return staff(ctx)
	}
	w.SendStaff = func(ctx context.Context, id uuid.UUID) error {
		if err := hold(ctx); err != nil {
			return err
		}
		return mail(ctx, id)
	}
	return w
}
