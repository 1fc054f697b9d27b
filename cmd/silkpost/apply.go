package main

import (
	"context"
	"fmt"

	"silkpost/internal/app"
)

type applyCmd struct {
	File   string `arg:"" help:"TOML file."`
	DryRun bool   `help:"Say what would change; change nothing."`
}

func (c *applyCmd) Run(e *env) error {
	file, err := openFile(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	return e.open(func(ctx context.Context, a *app.App) error {
		applied, err := a.Apply(ctx, file, c.File, c.DryRun)
		if err != nil {
			return err
		}
		rows := make([][]string, len(applied))
		for i, line := range applied {
			rows[i] = []string{line.Kind, line.Slug, line.Change}
		}
		if err := table(e.stdout, rows...); err != nil {
			return err
		}
		if c.DryRun {
			fmt.Fprintln(e.stdout, "Nothing was changed: this was a dry run.")
		}
		return nil
	})
}
