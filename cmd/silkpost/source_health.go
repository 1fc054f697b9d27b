package main

import (
	"context"
	"fmt"
	"strconv"

	"silkpost/internal/app"
	"silkpost/internal/articles"
)

type sourceListCmd struct {
	JSON bool `help:"Print JSON." name:"json"`
}

func (c *sourceListCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		all, err := a.SourceList(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e.stdout, all)
		}
		rows := [][]string{{"source", "kind", "articles", "last good poll", "next poll", "brought news", "failures", "held", "warnings"}}
		for _, s := range all {
			rows = append(rows, []string{
				s.Slug, s.Kind, thousands(s.Articles), when(s.PolledAt), when(s.NextPollAt), when(s.ChangedAt), thousands(s.Failures), thousands(s.Held), strconv.Itoa(len(s.Warnings)),
			})
		}
		return table(e.stdout, rows...)
	})
}

type sourceShowCmd struct {
	Slug string `arg:"" help:"Slug of the source."`
	JSON bool   `help:"Print JSON." name:"json"`
}

func (c *sourceShowCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		s, waiting, err := a.SourceShow(ctx, c.Slug)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e.stdout, struct {
				app.SourceStatus
				Waiting []articles.Waiting `json:"waiting_articles"`
			}{s, append([]articles.Waiting{}, waiting...)})
		}
		rows := [][]string{
			{"source", s.Slug},
			{"kind", s.Kind},
			{"at", s.URL},
			{"articles", thousands(s.Articles)},
			{"newest", when(s.LastArticle)},
			{"last good poll", when(s.PolledAt)},
			{"next poll", when(s.NextPollAt)},
			{"last brought", fmt.Sprintf("%d new, %d changed, %s", s.Added, s.Changed, when(s.ChangedAt))},
		}
		if s.MovedURL != "" {
			rows = append(rows, []string{"moved to", s.MovedURL + " (it says for good: write that address into its table)"})
		}
		if s.Failures > 0 {
			rows = append(rows, []string{"failing since", when(s.FailingSince)}, []string{"failure", failure(s.Failure, s.Failures)})
		}
		if err := table(e.stdout, rows...); err != nil {
			return err
		}
		for _, warning := range s.Warnings {
			fmt.Fprintln(e.stdout, "warning:", warning)
		}
		if len(waiting) == 0 {
			return nil
		}
		return waitingTable(e, waiting)
	})
}

type sourceReleaseCmd struct {
	Slug string `arg:"" help:"Slug of the source."`
}

func (c *sourceReleaseCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		done, err := a.ReleaseSource(ctx, c.Slug)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%s published, as if they had come now.\n", counted(done.Added+done.Changed, "article"))
		return nil
	})
}

type sourceDiscardCmd struct {
	Slug string `arg:"" help:"Slug of the source."`
}

func (c *sourceDiscardCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		n, err := a.DiscardSource(ctx, c.Slug)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%s dropped, also when the source gives them again.\n", counted(n, "article"))
		return nil
	})
}
