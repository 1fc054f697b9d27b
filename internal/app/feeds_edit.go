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
	return a.setFeed(ctx, f, func(err error) error {
		if err == nil {
			return errs.New(errs.Conflict, "there is a feed %q already: choose another slug", f.Slug)
		}
		if kind := errs.KindOf(err); kind == errs.NotFound || kind == errs.Gone {
			return nil
		}
		return err
	})
}

// ChangeFeed makes a feed that was declared be as f says; none of that slug is errs.NotFound.
func (a *App) ChangeFeed(ctx context.Context, f feeds.Feed) error {
	return a.setFeed(ctx, f, func(err error) error { return err })
}

// setFeed declares a feed, unless check says why not to, given the error with which the feed was looked for.
func (a *App) setFeed(ctx context.Context, f feeds.Feed, check func(err error) error) error {
	return a.changeFeeds(ctx, func(tx *sqlx.Tx) error {
		_, err := a.Feeds.Find(ctx, tx, f.Slug)
		if err = check(err); err != nil {
			return err
		}
		if err := a.checkSources(ctx, tx, "feed", f.Slug, f.Selection); err != nil {
			return err
		}
		_, err = a.Feeds.Declare(ctx, tx, f, a.Clock.Now())
		return err
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
