package app

import (
	"bytes"
	"context"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Pushed is what became of an article that a program brought.
type Pushed struct {
	articles.Standing
	Change database.Change
}

// PushSource returns the source whose articles a program brings. One of another kind is errs.Conflict.
func (a *App) PushSource(ctx context.Context, h database.Handle, slug string) (articles.Source, error) {
	source, err := a.Articles.SourceBySlug(ctx, h, slug)
	if err == nil && source.Kind != articles.KindAPI {
		err = errs.New(errs.Conflict, "source %q is of kind %s: only the articles of a source of kind api can be brought; declare one with silkpost apply", slug, source.Kind)
	}
	return source, err
}

// PushArticles takes in articles that a program brought, all of them or, on an error, none, as if a source had been polled, but for what looks after
// sites that change overnight: whoever brings articles says what they are. told is told what became of each, in the order given, in the transaction that
// does it. Each key must be there once.
func (a *App) PushArticles(ctx context.Context, slug string, drafts []articles.Draft, told func([]Pushed)) error {
	keys := make([]string, len(drafts))
	for i, d := range drafts {
		keys[i] = d.ExternalKey
	}
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		source, err := a.PushSource(ctx, tx, slug)
		if err != nil {
			return err
		}
		if err := a.Articles.Alone(ctx, tx); err != nil {
			return err
		}
		before, err := a.Articles.Standings(ctx, tx, source, keys...)
		if err != nil {
			return err
		}
		if _, err := a.Articles.Save(ctx, tx, source, drafts, articles.SaveOptions{Now: a.Clock.Now()}); err != nil {
			return err
		}
		after, err := a.Articles.Standings(ctx, tx, source, keys...)
		done := make([]Pushed, len(keys))
		for i, key := range keys {
			done[i] = Pushed{Standing: after[key], Change: changeBetween(before[key], after[key])}
		}
		told(done)
		return err
	})
}

func changeBetween(before, after articles.Standing) database.Change {
	switch {
	case before.ArticleID == 0 && before.Waits == "":
		return database.Added
	case before.ArticleID != after.ArticleID, before.Revision != after.Revision, before.Waits != after.Waits, !bytes.Equal(before.WaitingHash, after.WaitingHash),
		before.PublishAt != nil && after.PublishAt != nil && !before.PublishAt.Equal(*after.PublishAt):
		return database.Changed
	}
	return database.Unchanged
}

// WithdrawPushed takes back what a program brought under a key: a published article is withdrawn everywhere, and what waits under the key is dropped.
func (a *App) WithdrawPushed(ctx context.Context, by, slug, key string) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		source, err := a.PushSource(ctx, tx, slug)
		if err != nil {
			return err
		}
		entry, err := a.Articles.EntryByKey(ctx, tx, source, key)
		there := err == nil
		if err != nil && errs.KindOf(err) != errs.NotFound {
			return err
		}
		if there {
			_, change, err := a.Articles.Withdraw(ctx, tx, entry.Slug, a.Clock.Now())
			if err == nil && change != database.Unchanged {
				err = a.Desk(by).Withdrawn(ctx, tx, entry.GroupID)
			}
			if err != nil {
				return err
			}
		}
		waited, err := a.Articles.TakeWaitingBack(ctx, tx, source, key)
		if err == nil && !there && !waited {
			err = errs.New(errs.NotFound, "source %q never gave anything under this key", slug)
		}
		return err
	})
}
