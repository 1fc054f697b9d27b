package app

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
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
			err = a.Desk(by).Withdrawn(ctx, h, article.GroupID)
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

// TranslateArticle takes in a translation that an editor typed, and lays out again what is at the desk with it. ref is the article's slug, its
// GUID or its address; by is who does it (see edition.Desk).
func (a *App) TranslateArticle(ctx context.Context, by, ref string, t articles.Translation) (made articles.Article, change database.Change, err error) {
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) (err error) {
		if made, change, err = a.Articles.Translate(ctx, tx, ref, t, a.Clock.Now()); err != nil {
			return err
		}
		return a.Desk(by).Translated(ctx, tx, made.GroupID)
	})
	return made, change, err
}

// EditArticle writes over parts of an article, whatever its source gives later, and lays out again what is at the desk with it. by is who does it.
func (a *App) EditArticle(ctx context.Context, by, ref string, e articles.Edit) (article articles.Article, change database.Change, err error) {
	return a.rewrite(ctx, by, ref, func(ctx context.Context, h database.Handle, ref string, now time.Time) (articles.Article, database.Change, error) {
		return a.Articles.Edit(ctx, h, ref, by, e, now)
	})
}

// TakeBackArticle gives an article back to its source: what an editor wrote over it goes.
func (a *App) TakeBackArticle(ctx context.Context, by, ref string) (articles.Article, database.Change, error) {
	return a.rewrite(ctx, by, ref, func(ctx context.Context, h database.Handle, ref string, now time.Time) (articles.Article, database.Change, error) {
		return a.Articles.TakeBack(ctx, h, ref, by, now)
	})
}

// rewrite changes an article and lays out again what is at the desk with it.
func (a *App) rewrite(ctx context.Context, by, ref string, change publishing) (articles.Article, database.Change, error) {
	return a.setPublished(ctx, ref, func(ctx context.Context, h database.Handle, ref string, now time.Time) (articles.Article, database.Change, error) {
		article, done, err := change(ctx, h, ref, now)
		if err == nil && done != database.Unchanged {
			err = a.Desk(by).Translated(ctx, h, article.GroupID)
		}
		return article, done, err
	})
}

// MarkArticle says whether an article is urgent or pinned; nil leaves that as it is.
func (a *App) MarkArticle(ctx context.Context, ref string, urgent, pinned *bool) (articles.Article, database.Change, error) {
	return a.setPublished(ctx, ref, func(ctx context.Context, h database.Handle, ref string, now time.Time) (articles.Article, database.Change, error) {
		return a.Articles.Mark(ctx, h, ref, urgent, pinned, now)
	})
}

// LinkArticles makes two articles translations of one another, with those that they are linked to already. What was given in a digest never leaves
// its group: when that is so for both, it is errs.Conflict.
func (a *App) LinkArticles(ctx context.Context, by, first, second string) (one, other articles.Article, change database.Change, err error) {
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) (err error) {
		desk := a.Desk(by)
		if one, err = a.Articles.ByReference(ctx, tx, first); err != nil {
			return err
		}
		if other, err = a.Articles.ByReference(ctx, tx, second); err != nil {
			return err
		}
		keep, move := one, other
		given, err := desk.Given(ctx, tx, other.GroupID)
		if err == nil && given {
			keep, move = other, one
			given, err = desk.Given(ctx, tx, one.GroupID)
		}
		if err != nil {
			return err
		}
		if given && one.GroupID != other.GroupID {
			return errs.New(errs.Conflict, "both %q and %q have been in digests: readers have them as two articles, and they stay so", one.Slug, other.Slug)
		}
		change, err = a.Articles.Link(ctx, tx, keep, move, a.Clock.Now())
		if err != nil || change == database.Unchanged {
			return err
		}
		return desk.Translated(ctx, tx, keep.GroupID)
	})
	return one, other, change, err
}

// UnlinkArticle takes an article out of its translation group, unless a digest was ever planned with it: then readers have it as one article, and it
// is errs.Conflict.
func (a *App) UnlinkArticle(ctx context.Context, by, ref string) (article articles.Article, change database.Change, err error) {
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		desk := a.Desk(by)
		if article, err = a.Articles.ByReference(ctx, tx, ref); err != nil {
			return err
		}
		given, err := desk.Given(ctx, tx, article.GroupID)
		if err != nil {
			return err
		}
		if given {
			return errs.New(errs.Conflict, "%q has been in a digest with its translations: readers have them as one article, and they stay so", article.Slug)
		}
		article, change, err = a.Articles.Unlink(ctx, tx, article, a.Clock.Now())
		return err
	})
	return article, change, err
}

// OwnSource is the slug of the source that articles belong to which are written here.
const OwnSource = "written-here"

// WriteArticle takes in an article that a person writes here. An empty key makes a new one; with that of one that waits it takes the place of what was
// written before. It returns the slug of the article, or the number under which it waits, see articles.Draft.
func (a *App) WriteArticle(ctx context.Context, d articles.Draft) (slug string, waiting int64, err error) {
	if d.ExternalKey == "" {
		d.ExternalKey = "urn:uuid:" + uuid.NewString()
	}
	now := a.Clock.Now()
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		source, err := a.Articles.EnsureSource(ctx, tx, OwnSource, now)
		if err != nil {
			return err
		}
		if _, err := a.Articles.Save(ctx, tx, source, []articles.Draft{d}, articles.SaveOptions{Now: now}); err != nil {
			return err
		}
		slug, waiting, err = a.Articles.Whereabouts(ctx, tx, source.ID, d.ExternalKey)
		return err
	})
	return slug, waiting, err
}

// DiscardWaiting drops what waits under a number, for good.
func (a *App) DiscardWaiting(ctx context.Context, id int64) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error { return a.Articles.Discard(ctx, tx, id) })
}

// PublishWaiting publishes what waits under a number now, whatever it waits for.
func (a *App) PublishWaiting(ctx context.Context, id int64) (done articles.Result, err error) {
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) (err error) {
		done, err = a.Articles.Publish(ctx, tx, id, a.Clock.Now())
		return err
	})
	return done, err
}

// ArticleHistory returns what an article has been, the first version first, and the edit that stands over it, nil for none.
func (a *App) ArticleHistory(ctx context.Context, ref string) (versions []articles.Version, edited *articles.Edited, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		if versions, err = a.Articles.History(ctx, h, ref); err != nil {
			return err
		}
		edited, err = a.Articles.Edited(ctx, h, versions[len(versions)-1].Article.ID)
		return err
	})
	return versions, edited, err
}
