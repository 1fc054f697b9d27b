package app

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
)

// ListedFeed is a feed that anybody may read.
type ListedFeed struct {
	Slug     string     `json:"slug"`
	Kind     feeds.Kind `json:"kind"`
	Title    string     `json:"title"`    // in English where there is an English one
	Articles int        `json:"articles"` // how many match
	Items    int        `json:"items"`    // how many of them the subscription document holds; the archive holds the rest
	URLs     FeedURLs   `json:"urls"`
}

// FeedURLs are a feed's addresses.
type FeedURLs struct {
	RSS  string `json:"rss"`
	Atom string `json:"atom"`
	JSON string `json:"json"`
}

// feedURLs returns the addresses of the public feed of a slug.
func (a *App) feedURLs(slug string) FeedURLs {
	return FeedURLs{
		RSS:  feeds.URL(a.PublicURL(), slug, feeds.RSS),
		Atom: feeds.URL(a.PublicURL(), slug, feeds.Atom),
		JSON: feeds.URL(a.PublicURL(), slug, feeds.JSON),
	}
}

// ListFeeds returns the feeds that anybody may read.
func (a *App) ListFeeds(ctx context.Context) ([]ListedFeed, error) {
	all, err := a.Feeds.List(ctx, a.DB)
	listed := make([]ListedFeed, len(all))
	for i := range all {
		f := &all[i]
		title, _ := f.Name()
		listed[i] = ListedFeed{Slug: f.Slug, Kind: f.Kind, Title: title, Articles: f.Articles, Items: f.Items(), URLs: a.feedURLs(f.Slug)}
	}
	return listed, err
}

// RenameFeed gives a feed that was declared another slug, to which the old one leads for ever. It returns the feed as it is called now.
func (a *App) RenameFeed(ctx context.Context, from, to string) (f feeds.Feed, err error) {
	err = a.changeFeeds(ctx, func(tx *sqlx.Tx) (err error) {
		f, err = a.Feeds.Rename(ctx, tx, from, to, a.Clock.Now())
		return err
	})
	return f, err
}

// RemoveFeed takes a feed that was declared out of service, and returns it as it was.
func (a *App) RemoveFeed(ctx context.Context, slug string) (f feeds.Feed, err error) {
	err = a.changeFeeds(ctx, func(tx *sqlx.Tx) (err error) {
		f, err = a.Feeds.Remove(ctx, tx, slug, a.Clock.Now())
		return err
	})
	return f, err
}

// WithdrawArticle takes an article out of every feed, off its page and out of every digest that is not sent yet. ref is its slug, its GUID
// or its address; by is who does it (see edition.Desk). It returns the article, and Unchanged when it was withdrawn before.
func (a *App) WithdrawArticle(ctx context.Context, by, ref string) (articles.Article, database.Change, error) {
	return a.setPublished(ctx, ref, func(ctx context.Context, h database.Handle, ref string, now time.Time) (articles.Article, database.Change, error) {
		article, change, err := a.Articles.Withdraw(ctx, h, ref, now)
		if err == nil && change != database.Unchanged {
			err = a.Desk(by).Withdrawn(ctx, h, article.ID)
		}
		return article, change, err
	})
}

// RestoreArticle publishes a withdrawn article as it was; Unchanged when it is published.
func (a *App) RestoreArticle(ctx context.Context, ref string) (articles.Article, database.Change, error) {
	return a.setPublished(ctx, ref, a.Articles.Restore)
}

// publishing is what either of the two does.
type publishing func(ctx context.Context, h database.Handle, ref string, now time.Time) (articles.Article, database.Change, error)

func (a *App) setPublished(ctx context.Context, ref string, set publishing) (article articles.Article, change database.Change, err error) {
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) (err error) {
		article, change, err = set(ctx, tx, ref, a.Clock.Now())
		return err
	})
	return article, change, err
}
