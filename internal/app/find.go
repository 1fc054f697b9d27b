package app

import (
	"context"
	"log/slog"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/mailer/edition"
)

// FoundMost is up to where what was found is counted.
const FoundMost = 10_000

// Found is a page of what a search found.
type Found struct {
	Articles []articles.Article // newest first, without HTML and text
	Count    int                // in all, up to FoundMost; more is FoundMost + 1
	More     bool               // there are some after these
}

// FindArticles looks for articles; see articles.Store.Find.
func (a *App) FindArticles(ctx context.Context, q articles.Search, before articles.Place, limit int) (found Found, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		if found.Articles, err = a.Articles.Find(ctx, h, q, before, limit+1); err != nil {
			return err
		}
		if found.More = len(found.Articles) > limit; found.More {
			found.Articles = found.Articles[:limit]
		}
		found.Count, err = a.Articles.CountFound(ctx, h, q, FoundMost+1)
		return err
	})
	return found, err
}

// indexArticles has articles found that were there before there was a search, once, in the background.
func (a *App) indexArticles(ctx context.Context) error {
	for last, round := int64(0), 0; round == 0 || last > 0; round++ {
		var err error
		if last, err = a.Articles.IndexMissing(ctx, a.DB, last); err != nil {
			if ctx.Err() == nil {
				a.Log.WarnContext(ctx, "not all articles can be searched: that goes on when the program begins anew", slog.Any("error", err))
			}
			return nil
		}
	}
	return nil
}

// Appearance is an edition that an article is or was in.
type Appearance struct {
	edition.Appearance
	List string // slug
}

// ArticleAppearances returns the latest editions that a translation group is or was in, of some lists alone, unless lists is nil.
func (a *App) ArticleAppearances(ctx context.Context, group int64, lists []int64, limit int) (all []Appearance, err error) {
	found, err := edition.Appearances(ctx, a.DB, group, lists, limit)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	slugs, err := listSlugs(ctx, a.DB)
	for _, one := range found {
		all = append(all, Appearance{one, slugs[one.ListID]})
	}
	return all, err
}
