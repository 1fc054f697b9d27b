package main

import (
	"context"
	"fmt"

	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/mailer/edition"
)

type articleCmd struct {
	Withdraw articleWithdrawCmd `cmd:"" help:"Take an article out of every feed and every digest that is not sent yet."`
	Restore  articleRestoreCmd  `cmd:"" help:"Publish a withdrawn article again, as it was."`

	Translate articleTranslateCmd `cmd:"" help:"Type its title and summary in another language."`
	Link      articleLinkCmd      `cmd:"" help:"Make two articles translations of one another."`

	Edit    articleEditCmd    `cmd:"" help:"Write over parts of an article, whatever its source gives later."`
	Revert  articleRevertCmd  `cmd:"" help:"Give an edited article back to its source."`
	History articleHistoryCmd `cmd:"" help:"List what an article has been."`
	Diff    articleDiffCmd    `cmd:"" help:"Show how an article changed."`
	Mark    articleMarkCmd    `cmd:"" help:"Say that an article is urgent or pinned, or no longer."`

	Waiting articleWaitingCmd `cmd:"" help:"List what came and is not published yet: embargoed, unfinished, held."`
	Publish articlePublishCmd `cmd:"" help:"Publish what waits, now."`
	Discard articleDiscardCmd `cmd:"" help:"Drop what waits, for good."`
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

type articleTranslateCmd struct {
	reference
	Language string `help:"Language of the translation." required:"" placeholder:"TAG"`
	Title    string `help:"Its title." required:"" placeholder:"TEXT"`
	Summary  string `help:"Its summary." required:"" placeholder:"TEXT"`
}

func (c *articleTranslateCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		made, _, err := a.TranslateArticle(ctx, edition.CommandLine, c.Ref, articles.Translation{Language: c.Language, Title: c.Title, Summary: c.Summary})
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%q is its translation in %s, until its source has one.\n", made.Title, made.Language)
		fmt.Fprintln(e.stdout, "Editions that wait for approval or are held have it now; so does every digest that is planned from now on.")
		return nil
	})
}
