package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/jobs"
	"silkpost/subscribers"
)

// beginFeeds makes the marks of feeds in a database that is older than they are.
func (a *App) beginFeeds(ctx context.Context) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error { return a.Feeds.Begin(ctx, tx, a.Clock.Now()) })
}

// articlesChanged does, in the transaction that changed articles, what follows from it.
func (a *App) articlesChanged(ctx context.Context, h database.Handle, touched []articles.Touched, now time.Time) error {
	if err := a.Feeds.Touch(ctx, h, touched, now); err != nil {
		return err
	}
	generation, err := a.Feeds.Generation(ctx, h)
	if err == nil {
		err = a.queueHubs(ctx, h, generation)
	}
	if err != nil {
		return err
	}
	return a.queue.Insert(ctx, h, jobs.Plan{})
}

// changeFeeds runs fn in a transaction. Whatever declares, renames or removes feeds or hubs goes through here: when it changed any, the
// hubs are told once it is committed.
func (a *App) changeFeeds(ctx context.Context, fn func(tx *sqlx.Tx) error) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		before, err := a.Feeds.Generation(ctx, tx)
		if err != nil {
			return err
		}
		if err := fn(tx); err != nil {
			return err
		}
		after, err := a.Feeds.Generation(ctx, tx)
		if err != nil || after == before {
			return err
		}
		return a.queueHubs(ctx, tx, after)
	})
}

// queueHubs has each hub told of what changed up to a generation.
func (a *App) queueHubs(ctx context.Context, h database.Handle, generation int64) error {
	hubs, err := a.Feeds.Hubs(ctx, h)
	if err != nil {
		return err
	}
	for _, hub := range hubs {
		if err := a.queue.Insert(ctx, h, jobs.TellHub{Hub: hub, Generation: generation}); err != nil {
			return err
		}
	}
	return nil
}

// hubBusy is for how long a job leaves a hub alone that another one is telling.
const hubBusy = 2 * time.Second

// hubTeller returns what the queue's jobs tell hubs by.
func (a *App) hubTeller() func(ctx context.Context, hub string, generation int64) error {
	teller := &feeds.Teller{
		Store: a.Feeds, DB: a.DB, Clock: a.Clock, PublicURL: a.PublicURL(), Settle: feeds.Settled, Post: a.poller.Fetch.Post,
	}
	return func(ctx context.Context, hub string, generation int64) error {
		err := teller.Tell(ctx, hub, generation)
		if errors.Is(err, feeds.ErrBusy) {
			return jobs.Later(hubBusy)
		}
		if err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "hub could not be told", slog.String("hub", hub), slog.Any("error", err))
		}
		return err
	}
}

// organisationDigest says what an organisation gets of a list, for its private feed.
func organisationDigest(ctx context.Context, h database.Handle, organisation, list int64) (feeds.Digest, error) {
	d, err := subscribers.OrganisationDigest(ctx, h, organisation, list)
	return feeds.Digest(d), err
}

// followFeeds keeps the feeds that are read fresh, until ctx ends.
func (a *App) followFeeds(ctx context.Context, handler *feeds.Handler) error {
	wake := make(chan struct{}, 1)
	go handler.Follow(ctx, wake)
	return database.Listen(ctx, a.url, feeds.Channel, a.Log, func() {
		select {
		case wake <- struct{}{}:
		default: // it is to look anyway
		}
	})
}

// FeedChange is what is to become of a feed.
type FeedChange struct {
	Declare feeds.Feed
	Remove  bool
}

// ChangeFeed asks what is to become of the feed of a slug as it stands, nil for one that is not there or was removed, while nobody else can change it,
// and does that. A selection of a source that does not exist is errs.Invalid, as is what else makes no sense.
func (a *App) ChangeFeed(
	ctx context.Context, slug string, ask func(ctx context.Context, h database.Handle, there *feeds.Feed) (FeedChange, error),
) error {
	return a.changeFeeds(ctx, func(tx *sqlx.Tx) error {
		if err := a.Feeds.Lock(ctx, tx); err != nil {
			return err
		}
		found, err := a.Feeds.Find(ctx, tx, slug)
		there := &found
		if kind := errs.KindOf(err); err != nil && (kind == errs.NotFound || kind == errs.Gone) || err == nil && found.Slug != slug {
			there, err = nil, nil
		}
		if err != nil {
			return err
		}
		want, err := ask(ctx, tx, there)
		if err != nil {
			return err
		}
		if want.Remove {
			_, err = a.Feeds.Remove(ctx, tx, slug, a.Clock.Now())
			return err
		}
		if err := a.checkSources(ctx, tx, "feed", slug, want.Declare.Selection); err != nil {
			return errs.New(errs.Invalid, "%w", err)
		}
		_, err = a.Feeds.Declare(ctx, tx, want.Declare, a.Clock.Now())
		return err
	})
}
