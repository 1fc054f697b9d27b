package app

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/jobs"
	"silkpost/internal/sources"
)

// CheckSource looks what articles could be had from at an address; see sources.Check. Nothing is stored.
func (a *App) CheckSource(ctx context.Context, address string) (sources.Finding, error) {
	return sources.Check(ctx, a.poller.Fetch, address)
}

// RunSource polls a source now, whenever its next poll is, and says what that brought; see sources.Poller. While the database is held,
// nothing is polled.
func (a *App) RunSource(ctx context.Context, slug string) (sources.Outcome, error) {
	source, err := a.Articles.PresentSource(ctx, a.DB, slug)
	if err != nil {
		return sources.Outcome{}, err
	}
	if err := a.refuseIfHeld(ctx); err != nil {
		return sources.Outcome{}, err
	}
	out, err := a.poller.Poll(ctx, source, a.Clock.Now())
	if err != nil {
		return out, err
	}
	_, err = a.poller.StoreImages(ctx, source, a.Clock.Now())
	return out, err
}

// ReleaseSource publishes what is held of a source, as if it had come now.
func (a *App) ReleaseSource(ctx context.Context, slug string) (done articles.Result, err error) {
	err = a.decide(ctx, slug, func(tx *sqlx.Tx, source articles.Source) (err error) {
		done, err = a.Articles.ReleaseHeld(ctx, tx, source, a.Clock.Now())
		return err
	})
	return done, err
}

// DiscardSource drops what is held of a source, for good, and returns how many articles that were.
func (a *App) DiscardSource(ctx context.Context, slug string) (n int, err error) {
	err = a.decide(ctx, slug, func(tx *sqlx.Tx, source articles.Source) (err error) {
		n, err = a.Articles.DiscardHeld(ctx, tx, source)
		return err
	})
	return n, err
}

func (a *App) decide(ctx context.Context, slug string, do func(tx *sqlx.Tx, source articles.Source) error) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		source, err := a.Articles.SourceBySlug(ctx, tx, slug)
		if err != nil {
			return err
		}
		return do(tx, source)
	})
}

// AddSource makes a source that is not there yet, and has it polled at once; a slug that one has is errs.Conflict. One that was removed is there again.
func (a *App) AddSource(ctx context.Context, want articles.Source) error {
	err := a.setSource(ctx, want, func(there *articles.Source) error {
		if there != nil && there.RemovedAt == nil {
			return errs.New(errs.Conflict, "there is a source %q already, for %s: choose another slug", there.Slug, there.URL)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := a.PollSoon(ctx, want.Slug); errs.KindOf(err) != errs.Conflict { // held: its turn comes when the database is adopted
		return err
	}
	return nil
}

// ChangeSource makes a source be as want says; none of that slug is errs.NotFound. Its kind and, of a folder, its path stay.
func (a *App) ChangeSource(ctx context.Context, want articles.Source) error {
	return a.setSource(ctx, want, func(there *articles.Source) error {
		if there == nil || there.RemovedAt != nil {
			return errs.New(errs.NotFound, "there is no source %q", want.Slug)
		}
		return nil
	})
}

// setSource declares a source, unless check says why not to; there is nil when none of the slug ever was.
func (a *App) setSource(ctx context.Context, want articles.Source, check func(there *articles.Source) error) error {
	if err := sources.CheckSettings(want); err != nil {
		return err
	}
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		found, err := a.Articles.SourceBySlug(ctx, tx, want.Slug)
		there := &found
		if err != nil && errs.KindOf(err) == errs.NotFound {
			there, err = nil, nil
		}
		if err != nil {
			return err
		}
		if err := check(there); err != nil {
			return err
		}
		_, _, err = a.Articles.UpsertSource(ctx, tx, want, a.Clock.Now())
		return err
	})
}

// PollSoon has a worker poll a source at once. While the database is held, nothing is polled.
func (a *App) PollSoon(ctx context.Context, slug string) error {
	if err := a.refuseIfHeld(ctx); err != nil {
		return err
	}
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		if err := a.Articles.PollSourceSoon(ctx, tx, slug, a.Clock.Now()); err != nil {
			return err
		}
		return a.queue.Insert(ctx, tx, jobs.PollSource{Slug: slug})
	})
}

// PauseSource keeps a source from being polled by itself, or has it polled again.
func (a *App) PauseSource(ctx context.Context, slug string, pause bool) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		_, err := a.Articles.PauseSource(ctx, tx, slug, pause, a.Clock.Now())
		return err
	})
}

// RemoveSource takes a source away and leaves its articles where they are; see articles.Store.
func (a *App) RemoveSource(ctx context.Context, slug string) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error { return a.Articles.RemoveSource(ctx, tx, slug, a.Clock.Now()) })
}

// SourceList returns all sources, with how they are.
func (a *App) SourceList(ctx context.Context) (all []SourceStatus, err error) {
	err = a.snapshot(ctx, func(h database.Handle) (err error) {
		all, err = a.sourceStatus(ctx, h)
		return err
	})
	return all, err
}

// SourceShow returns a source, how it is, and what waits of it; none is errs.NotFound.
func (a *App) SourceShow(ctx context.Context, slug string) (source SourceStatus, waiting []articles.Waiting, err error) {
	all, err := a.SourceList(ctx)
	if err != nil {
		return source, nil, err
	}
	i := slices.IndexFunc(all, func(s SourceStatus) bool { return s.Slug == slug })
	if i < 0 {
		return source, nil, errs.New(errs.NotFound, "there is no source %q", slug)
	}
	waiting, err = a.Articles.Waiting(ctx, a.DB, slug)
	return all[i], waiting, err
}
