package app

import (
	"context"

	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// AddFeed declares a feed that is not there yet; a slug that one has, or had, is errs.Conflict. One that was removed is back under its slug.
func (a *App) AddFeed(ctx context.Context, f feeds.Feed) error {
	return a.ChangeFeed(ctx, f.Slug, func(_ context.Context, _ database.Handle, there *feeds.Feed) (FeedChange, error) {
		if there != nil {
			return FeedChange{}, errs.New(errs.Conflict, "there is a feed %q already: choose another slug", f.Slug)
		}
		return FeedChange{Declare: f}, nil
	})
}

// UpdateFeed makes a feed that was declared be as f says; none of that slug is errs.NotFound.
func (a *App) UpdateFeed(ctx context.Context, f feeds.Feed) error {
	return a.ChangeFeed(ctx, f.Slug, func(_ context.Context, _ database.Handle, there *feeds.Feed) (FeedChange, error) {
		if there == nil {
			return FeedChange{}, errs.New(errs.NotFound, "there is no feed %q", f.Slug)
		}
		return FeedChange{Declare: f}, nil
	})
}

// PreviewFeed returns the newest articles of a selection, at most limit, without HTML and text, and how many there are in all, up to FoundMost; more is
// FoundMost + 1.
func (a *App) PreviewFeed(ctx context.Context, sel articles.Selection, limit int) (newest []articles.Article, count int, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		if newest, err = a.Articles.Newest(ctx, h, sel, limit); err != nil {
			return err
		}
		count, err = a.Articles.Count(ctx, h, sel, FoundMost+1)
		return err
	})
	return newest, count, err
}

// SetHub makes the documents of all feeds link to a WebSub hub, or no longer.
func (a *App) SetHub(ctx context.Context, address string, there bool) error {
	set := a.Feeds.RemoveHub
	if there {
		set = a.Feeds.AddHub
	}
	return a.changeFeeds(ctx, func(tx *sqlx.Tx) error {
		_, err := set(ctx, tx, address, a.Clock.Now())
		return err
	})
}
