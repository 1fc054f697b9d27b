package main

import (
	"context"
	"fmt"

	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

type importCmd struct {
	Articles importArticlesCmd `cmd:"" help:"Import files and folders as articles."`
	Contacts importContactsCmd `cmd:"" help:"Put the people of a CSV file on a list."`
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

type importContactsCmd struct {
	File      string `arg:"" help:"CSV file with a column email."`
	List      string `help:"Slug of the list." required:"" placeholder:"SLUG"`
	Consent   string `help:"On which basis these people may be mailed; without it they stay pending." placeholder:"TEXT"`
	DryRun    bool   `help:"Say what would be imported; change nothing."`
	KeepGoing bool   `help:"Import the good rows when there are refused ones."`
}

func (c *importContactsCmd) Run(e *env) error {
	file, err := openFile(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	return e.open(func(ctx context.Context, a *app.App) error {
		done, err := a.ImportContacts(ctx, file, subscribers.ImportOptions{
			List: c.List, Consent: c.Consent, DryRun: c.DryRun, KeepGoing: c.KeepGoing,
		})
		listed := err == nil || len(done.Refusals) > 1 // a single one is in the error
		if listed {
			for _, refusal := range done.Refusals {
				fmt.Fprintln(e.stdout, "refused:", refusal)
			}
		}
		switch {
		case err != nil && listed && !c.KeepGoing:
			return errs.New(errs.Invalid, "%s: nothing imported: %s refused, as listed above", c.File, counted(done.Refused, "row"))
		case errs.KindOf(err) == errs.Invalid:
			return errs.New(errs.Invalid, "%s: %w", c.File, err)
		case err != nil:
			return err
		}
		fmt.Fprintf(e.stdout, "%s imported, %d changed, %d unchanged, %d refused%s.%s%s\n", counted(done.Imported, "contact"), done.Changed,
			done.Unchanged, done.Refused, pending(done.Pending), left(done.Left), dryRun(c.DryRun))
		return refusedSome(done.Refused, "row", c.DryRun)
	})
}

// pending says who gets no mail yet.
func pending(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %s pending: no consent was given (--consent)", thousands(n))
}

// left says who was not brought back.
func left(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" %s stay unsubscribed, as they asked to be.", counted(n, "contact"))
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
