package main

import (
	"context"
	"fmt"

	"silkpost/internal/app"
	"silkpost/internal/database"
	"silkpost/mailer/edition"
)

type articleCmd struct {
	Withdraw articleWithdrawCmd `cmd:"" help:"Take an article out of every feed and every digest that is not sent yet."`
	Restore  articleRestoreCmd  `cmd:"" help:"Publish a withdrawn article again, as it was."`
}

// reference says which article is meant.
type reference struct {
	Ref string `arg:"" help:"Slug, GUID or address of the article."`
}

type articleWithdrawCmd struct{ reference }

func (c *articleWithdrawCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		article, change, err := a.WithdrawArticle(ctx, edition.CommandLine, c.Ref)
		if err != nil {
			return err
		}
		if change == database.Unchanged {
			fmt.Fprintf(e.stdout, "%q was withdrawn before, at %s. Nothing was changed.\n", article.Title, minute(*article.WithdrawnAt))
			return nil
		}
		fmt.Fprintf(e.stdout, "%q is withdrawn.\n", article.Title)
		fmt.Fprintln(e.stdout, "It leaves every feed at once; readers of Atom are told to delete it. Its page says that it is gone.")
		fmt.Fprintln(e.stdout, "No digest that is not sent yet has it any more, and what was mailed stays mailed.")
		fmt.Fprintf(e.stdout, "silkpost article restore %s publishes it again.\n", article.Slug)
		return nil
	})
}

type articleRestoreCmd struct{ reference }

func (c *articleRestoreCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		article, change, err := a.RestoreArticle(ctx, c.Ref)
		if err != nil {
			return err
		}
		if change == database.Unchanged {
			fmt.Fprintf(e.stdout, "%q was not withdrawn. Nothing was changed.\n", article.Title)
			return nil
		}
		fmt.Fprintf(e.stdout, "%q is published again, at the address and with the dates that it had.\n", article.Title)
		fmt.Fprintln(e.stdout, "It is back in its feeds at once. No digest brings it to anybody a second time.")
		return nil
	})
}
