package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"

	"silkpost/internal/app"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

type suppressCmd struct {
	Add    suppressAddCmd    `cmd:"" help:"Keep an address or a domain from being mailed, by any list."`
	Remove suppressRemoveCmd `cmd:"" help:"Let an address or a domain be mailed again that was suppressed by hand."`
	List   suppressListCmd   `cmd:"" help:"Who must not be mailed."`
	Import suppressImportCmd `cmd:"" help:"Suppress the addresses and domains of a CSV file."`
}

type suppressAddCmd struct {
	Whom   string `arg:"" name:"address" help:"Address, or domain such as example.org."`
	Reason reason `help:"manual, hard-bounce or complaint." default:"manual" placeholder:"REASON"`
	Origin string `help:"Where this comes from." default:"command line" placeholder:"TEXT"`
}

func (c *suppressAddCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		change, err := subscribers.Suppress(ctx, a.DB, c.Whom, subscribers.Reason(c.Reason), c.Origin, a.Clock.Now())
		if err != nil {
			return err
		}
		words := "%s is suppressed: no mail to it is begun from now on (%s).\n"
		if change == database.Unchanged {
			words = "%s is suppressed already (%s).\n"
		}
		_, err = fmt.Fprintf(e.stdout, words, c.Whom, c.Reason)
		return err
	})
}

type suppressRemoveCmd struct {
	Whom string `arg:"" name:"address" help:"Address or domain."`
}

func (c *suppressRemoveCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		if err := subscribers.Lift(ctx, a.DB, c.Whom, byHand, a.Clock.Now()); err != nil {
			return err
		}
		_, err := fmt.Fprintf(e.stdout, "%s is no longer suppressed.\n", c.Whom)
		return err
	})
}

type suppressListCmd struct {
	JSON bool `help:"Print JSON." name:"json"`
}

// suppressionPage is how many are read at once.
const suppressionPage = 1000

func (c *suppressListCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		shown := []subscribers.SuppressionRecord{}
		for before := int64(0); ; {
			page, err := subscribers.Suppressions(ctx, a.DB, before, suppressionPage)
			if err != nil {
				return err
			}
			for _, s := range page {
				shown = append(shown, subscribers.SuppressionRecord{
					Address: cmp.Or(s.Address, s.Domain), Reason: s.Reason, Origin: s.Origin, At: s.At.UTC(),
				})
				before = s.ID
			}
			if len(page) < suppressionPage {
				break
			}
		}
		if c.JSON {
			return printJSON(e.stdout, map[string]any{"suppressions": shown})
		}
		return suppressionTable(e, shown)
	})
}

func suppressionTable(e *env, shown []subscribers.SuppressionRecord) error {
	if len(shown) == 0 {
		_, err := fmt.Fprintln(e.stdout, "Nobody is suppressed. silkpost suppress add ADDRESS keeps one from being mailed.")
		return err
	}
	rows := [][]string{{"address", "reason", "since", "origin"}}
	for _, s := range shown {
		rows = append(rows, []string{cmp.Or(s.Address, "(erased)"), string(s.Reason), minute(s.At), s.Origin})
	}
	return table(e.stdout, rows...)
}

type suppressImportCmd struct {
	File   string `arg:"" help:"CSV file with a column address, and as you like reason, origin and date."`
	Origin string `help:"Where rows come from that do not say; left out: the file's name." placeholder:"TEXT"`
	DryRun bool   `help:"Say what would be imported; change nothing."`
}

func (c *suppressImportCmd) Run(e *env) error {
	file, err := openFile(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	return e.open(func(ctx context.Context, a *app.App) error {
		done, err := subscribers.ImportSuppressions(ctx, a.DB, file, subscribers.SuppressionImport{
			Origin: cmp.Or(c.Origin, filepath.Base(c.File)), DryRun: c.DryRun, Now: a.Clock.Now(),
		})
		switch {
		case err != nil && len(done.Refusals) > 1:
			for _, refusal := range done.Refusals {
				fmt.Fprintln(e.stdout, "refused:", refusal)
			}
			return errs.New(errs.Invalid, "%s: nothing imported: rows are refused, as listed above", c.File)
		case errs.KindOf(err) == errs.Invalid:
			return errs.New(errs.Invalid, "%s: %w", c.File, err)
		case err != nil:
			return err
		}
		lifted := ""
		if done.Lifted > 0 {
			lifted = fmt.Sprintf(", of which %s lifted since", thousands(done.Lifted))
		}
		_, err = fmt.Fprintf(e.stdout, "%s added, %s unchanged%s.%s\n", counted(done.Added, "suppression"), thousands(done.Unchanged), lifted, dryRun(c.DryRun))
		return err
	})
}
