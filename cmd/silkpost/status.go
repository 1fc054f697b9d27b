package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/articles"
)

type statusCmd struct {
	JSON bool `help:"Print JSON." name:"json"`
}

func (c *statusCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		status, err := a.Status(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e.stdout, status)
		}
		if err := editionTable(e, status.Editions); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%s\n%s sending.\n", countsLine(status.Deliveries), counted(status.Workers, "worker"))
		if status.Database != "" {
			fmt.Fprintf(e.stdout, "The database is at %s\n", status.Database)
		}
		return sourceTable(e, status.Sources)
	})
}

// sourceTable shows the sources that are polled: folders are imported by hand.
func sourceTable(e *env, sources []app.SourceStatus) error {
	sources = slices.DeleteFunc(sources, func(s app.SourceStatus) bool { return s.Kind == articles.KindFolder })
	if len(sources) == 0 {
		return nil
	}
	rows := [][]string{{"source", "kind", "last good poll", "next poll", "failure"}}
	for _, s := range sources {
		failure := s.Failure
		if s.Failures > 1 {
			failure += fmt.Sprintf(" (%d times in a row)", s.Failures)
		}
		rows = append(rows, []string{s.Slug, s.Kind, polled(s.PolledAt), polled(s.NextPollAt), failure})
	}
	return table(e.stdout, rows...)
}

func polled(at *time.Time) string {
	if at == nil {
		return "never"
	}
	return minute(*at)
}

type settingsCmd struct{}

func (c *settingsCmd) Run(e *env) error {
	cfg, err := e.settings("")
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(e.stdout, cfg)
	return err
}

type migrateCmd struct{}

func (c *migrateCmd) Run(e *env) error {
	return e.open(func(context.Context, *app.App) error { // opening brings the schema up to date
		_, err := fmt.Fprintln(e.stdout, "The schema is up to date.")
		return err
	})
}

type versionCmd struct{}

func (c *versionCmd) Run(e *env) error {
	version, built := "devel", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" && info.Main.Version != "(devel)" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				built = " " + s.Value
			}
		}
		built += " " + info.GoVersion
	}
	_, err := fmt.Fprintf(e.stdout, "silkpost %s%s\n", version, built)
	return err
}
