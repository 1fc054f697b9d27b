package main

import (
	"context"
	"fmt"

	"silkpost/internal/app"
	"silkpost/internal/errs"
)

type importCmd struct {
	Articles importArticlesCmd `cmd:"" help:"Import files and folders as articles."`
	Contacts importContactsCmd `cmd:"" help:"Put the people of a CSV file on a list (docs/import.md)."`
}

type importArticlesCmd struct {
	Paths     []string `arg:"" name:"path" help:"Markdown, HTML or plain text, or folders of them."`
	Source    string   `help:"Slug of the source they belong to." default:"${files_source}"`
	Archive   bool     `help:"Show them in feeds, never in a digest."`
	DryRun    bool     `help:"Say what would be imported; change nothing."`
	KeepGoing bool     `help:"Import the good files when there are refused ones."`
}

func (c *importArticlesCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		done, err := a.ImportArticles(ctx, app.ArticleImport{
			Paths: c.Paths, Source: c.Source, Archive: c.Archive, DryRun: c.DryRun, KeepGoing: c.KeepGoing,
		})
		if err != nil {
			return err
		}
		for _, refused := range done.Refused {
			fmt.Fprintln(e.stdout, "refused:", refused.Err)
		}
		fmt.Fprintf(e.stdout, "%s imported, %d changed, %d unchanged, %d refused.%s\n", counted(done.Added, "article"), done.Changed,
			done.Unchanged, len(done.Refused), dryRun(c.DryRun))
		return refusedSome(len(done.Refused), "file", c.DryRun)
	})
}

func dryRun(on bool) string {
	if on {
		return " Nothing was changed: this was a dry run."
	}
	return ""
}

// refusedSome is the failure of an import that kept going.
func refusedSome(n int, noun string, dryRun bool) error {
	switch {
	case n == 0:
		return nil
	case dryRun:
		return errs.New(errs.Invalid, "%s refused", counted(n, noun))
	}
	return errs.New(errs.Invalid, "%s refused; the rest was imported", counted(n, noun))
}
