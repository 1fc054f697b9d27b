package main

import (
	"bufio"
	"context"
	"errors"

	"silkpost/internal/app"
	"silkpost/subscribers"
)

type exportCmd struct {
	What   string `arg:"" enum:"contacts,consent,suppressions" help:"contacts, consent (the log of what was agreed to) or suppressions."`
	Format string `help:"csv (for spreadsheets, and to import again) or jsonl (everything)." enum:"csv,jsonl" default:"csv"`
	List   string `help:"Slug of the list; left out: all." placeholder:"SLUG"`
}

// Validate refuses what makes no sense, before anything is opened.
func (c *exportCmd) Validate() error {
	if c.What == string(app.ExportSuppressions) && c.List != "" {
		return errors.New("--list: a suppression is no list's")
	}
	return nil
}

func (c *exportCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		out := bufio.NewWriterSize(e.stdout, 1<<16)
		if _, err := a.Export(ctx, out, app.Exports(c.What), subscribers.ExportFormat(c.Format), c.List); err != nil {
			return err
		}
		return out.Flush()
	})
}
