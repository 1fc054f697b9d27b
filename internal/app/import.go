package app

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/sources"
	"silkpost/subscribers"
)

// FilesSource is the slug of the source that imported files belong to when no other is named.
const FilesSource = "files"

// ArticleImport says which articles to import and how.
type ArticleImport struct {
	Paths     []string // files and folders
	Source    string   // slug; "" is FilesSource
	Archive   bool     // in feeds, never due for a digest
	DryRun    bool
	KeepGoing bool // import the good files when there are refused ones
}

// Imported counts what an import of articles did, or with DryRun would have done.
type Imported struct {
	articles.Result
	Refused []sources.Refused
}

// ImportArticles reads files as articles and stores them in one transaction. When a file is refused none is imported, unless it is
// to keep going; the result lists all that were refused.
func (a *App) ImportArticles(ctx context.Context, o ArticleImport) (done Imported, err error) {
	files, err := sources.ReadPaths(ctx, o.Paths...)
	if err != nil {
		return done, err
	}
	done.Refused = files.Refused
	if len(files.Refused) > 0 && !o.KeepGoing {
		return done, nothingImported(files.Err())
	}
	slug := o.Source
	if slug == "" {
		slug = FilesSource
	}
	now := a.Clock.Now()
	save := articles.SaveOptions{Now: now, Archive: o.Archive}
	if o.KeepGoing {
		save.Refuse = func(path string, err error) {
			done.Refused = append(done.Refused, sources.Refused{Path: path, Err: err})
		}
	}
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		done.Refused = slices.Clone(files.Refused)
		source, err := a.Articles.EnsureSource(ctx, tx, slug, now)
		if err != nil {
			return err
		}
		done.Result, err = a.Articles.Save(ctx, tx, source, files.Drafts, save)
		if err == nil && o.DryRun {
			return errDryRun
		}
		return err
	})
	if errors.Is(err, errDryRun) {
		return done, nil
	}
	return done, nothingImported(err)
}

// nothingImported says of what is wrong with a file that it kept out the others too.
func nothingImported(err error) error {
	if kind := errs.KindOf(err); kind == errs.Invalid || kind == errs.Conflict {
		return errs.New(kind, "nothing imported: %w", err)
	}
	return err
}

// ImportContacts puts the people of a CSV file on a list. See subscribers.ImportContacts.
func (a *App) ImportContacts(ctx context.Context, file io.ReadSeeker, o subscribers.ImportOptions) (subscribers.ImportResult, error) {
	o.Now = a.Clock.Now()
	return subscribers.ImportContacts(ctx, a.DB, file, o)
}
