package app

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
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
	return a.queue.Insert(ctx, h, jobs.Plan{})
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
