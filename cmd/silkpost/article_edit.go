package main

import (
	"context"
	"fmt"
	"strings"

	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/sources"
	"silkpost/mailer/edition"
)

type articleEditCmd struct {
	reference
	Title    *string   `help:"Its title." placeholder:"TEXT"`
	Summary  *string   `help:"Its summary." placeholder:"TEXT"`
	File     string    `help:"Its title and text, from a file as import reads it." placeholder:"FILE" type:"path"`
	Section  *string   `help:"Its section." placeholder:"TEXT"`
	Tags     *[]string `help:"Its tags." placeholder:"TAG,TAG"`
	Image    *string   `help:"Address of its picture; empty for none." placeholder:"URL"`
	ImageAlt *string   `help:"What the picture shows." placeholder:"TEXT"`
	Language *string   `help:"Its language." placeholder:"TAG"`
}

func (c *articleEditCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		edit := articles.Edit{
			Title: c.Title, Summary: c.Summary, Section: c.Section, Tags: c.Tags, ImageURL: c.Image, ImageAlt: c.ImageAlt, Language: c.Language,
		}
		if c.File != "" {
			if err := c.read(ctx, &edit); err != nil {
				return err
			}
		}
		article, change, err := a.EditArticle(ctx, edition.CommandLine, c.Ref, edit)
		if err != nil {
			return err
		}
		if change == database.Unchanged {
			fmt.Fprintf(e.stdout, "%q is so already. Nothing was changed.\n", article.Title)
			return nil
		}
		fmt.Fprintf(e.stdout, "%q is changed, in its feeds, on its page and in every digest that is not sent yet.\n", article.Title)
		fmt.Fprintln(e.stdout, "It stays so whatever its source gives later; silkpost status tells when the source changes the same.")
		fmt.Fprintf(e.stdout, "silkpost article revert %s takes that back.\n", article.Slug)
		return nil
	})
}

// read takes title and text from a file.
func (c *articleEditCmd) read(ctx context.Context, edit *articles.Edit) error {
	files, err := sources.ReadPaths(ctx, c.File)
	if err == nil {
		err = files.Err()
	}
	if err != nil {
		return err
	}
	if len(files.Drafts) != 1 {
		return errs.New(errs.Invalid, "%s: name one file", c.File)
	}
	d := files.Drafts[0]
	if edit.Title == nil {
		edit.Title = &d.Title
	}
	if d.HTML != "" {
		edit.HTML = &d.HTML
	} else {
		edit.Text = &d.Text
	}
	return nil
}

type articleRevertCmd struct{ reference }

func (c *articleRevertCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		article, change, err := a.TakeBackArticle(ctx, edition.CommandLine, c.Ref)
		if err != nil {
			return err
		}
		if change == database.Unchanged {
			fmt.Fprintf(e.stdout, "Nobody wrote over %q. Nothing was changed.\n", article.Title)
			return nil
		}
		fmt.Fprintf(e.stdout, "%q is as its source gives it.\n", article.Title)
		return nil
	})
}

type articleHistoryCmd struct {
	reference
	JSON bool `help:"Print JSON." name:"json"`
}

func (c *articleHistoryCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		versions, edited, err := a.ArticleHistory(ctx, c.Ref)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e.stdout, map[string]any{"versions": versions, "edited": edited})
		}
		rows := [][]string{{"version", "since", "by", "changed"}}
		for _, v := range versions {
			rows = append(rows, []string{fmt.Sprint(v.Number), minute(v.At), v.By, strings.Join(v.Changed, ", ")})
		}
		if err := table(e.stdout, rows...); err != nil {
			return err
		}
		if edited == nil {
			return nil
		}
		fmt.Fprintf(e.stdout, "Edited here, and not taken over from its source: %s.\n", strings.Join(edited.Parts, ", "))
		if edited.SourceChangedAt != nil {
			fmt.Fprintf(e.stdout, "The source changed that at %s. Look whether the edit still holds: edit it again, or silkpost article revert %s.\n",
				minute(*edited.SourceChangedAt), c.Ref)
		}
		return nil
	})
}

type articleDiffCmd struct {
	reference
	From int  `help:"Version to begin with; left out, the one before the last." placeholder:"N"`
	To   int  `help:"Version to end with; left out, the last." placeholder:"N"`
	JSON bool `help:"Print JSON." name:"json"`
}

func (c *articleDiffCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		versions, _, err := a.ArticleHistory(ctx, c.Ref)
		if err != nil {
			return err
		}
		last := versions[len(versions)-1].Number
		if c.To == 0 {
			c.To = last
		}
		if c.From == 0 {
			c.From = max(1, c.To-1)
		}
		from, to := versionOf(versions, c.From), versionOf(versions, c.To)
		if from == nil || to == nil {
			return errs.New(errs.NotFound, "article %q has no such version: silkpost article history lists them", c.Ref)
		}
		differences := articles.Compare(*from, *to)
		if c.JSON {
			return printJSON(e.stdout, differences)
		}
		if len(differences) == 0 {
			fmt.Fprintln(e.stdout, "They are the same.")
		}
		for _, d := range differences {
			fmt.Fprintf(e.stdout, "%s:\n", d.Part)
			for _, line := range d.Lines {
				fmt.Fprintf(e.stdout, "%s %s\n", line[:1], line[1:])
			}
		}
		return nil
	})
}

func versionOf(all []articles.Version, number int) *articles.Version {
	for i := range all {
		if all[i].Number == number {
			return &all[i]
		}
	}
	return nil
}

type articleMarkCmd struct {
	reference
	Urgent *bool `help:"First in digests, and in alerts at once." negatable:""`
	Pinned *bool `help:"Before the others in digests." negatable:""`
}

func (c *articleMarkCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		if c.Urgent == nil && c.Pinned == nil {
			return errs.New(errs.Invalid, "say --urgent, --no-urgent, --pinned or --no-pinned")
		}
		article, _, err := a.MarkArticle(ctx, c.Ref, c.Urgent, c.Pinned)
		if err != nil {
			return err
		}
		marks := []string{}
		for _, m := range []struct {
			name string
			set  bool
		}{{"urgent", article.Urgent}, {"pinned", article.Pinned}} {
			if !m.set {
				m.name = "not " + m.name
			}
			marks = append(marks, m.name)
		}
		fmt.Fprintf(e.stdout, "%q is %s.\n", article.Title, strings.Join(marks, " and "))
		return nil
	})
}

type articleLinkCmd struct {
	Ref   string `arg:"" help:"Slug, GUID or address of an article."`
	Other string `arg:"" help:"The same of its translation."`
}

func (c *articleLinkCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		one, other, change, err := a.LinkArticles(ctx, edition.CommandLine, c.Ref, c.Other)
		if err != nil {
			return err
		}
		if change == database.Unchanged {
			fmt.Fprintf(e.stdout, "%q and %q are translations of one another already.\n", one.Title, other.Title)
			return nil
		}
		fmt.Fprintf(e.stdout, "%q and %q are translations of one another: each reader gets one of them.\n", one.Title, other.Title)
		return nil
	})
}

type articleWaitingCmd struct {
	Source string `help:"Of this source alone." placeholder:"SLUG"`
	JSON   bool   `help:"Print JSON." name:"json"`
}

func (c *articleWaitingCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		all, err := a.Articles.Waiting(ctx, a.DB, c.Source)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e.stdout, append([]articles.Waiting{}, all...))
		}
		return waitingTable(e, all)
	})
}

func waitingTable(e *env, all []articles.Waiting) error {
	if len(all) == 0 {
		fmt.Fprintln(e.stdout, "Nothing waits.")
		return nil
	}
	rows := [][]string{{"number", "source", "state", "came", "publish at", "title"}}
	for _, w := range all {
		at := ""
		if w.PublishAt != nil {
			at = minute(*w.PublishAt)
		}
		rows = append(rows, []string{fmt.Sprint(w.ID), w.Source, string(w.State), minute(w.ArrivedAt), at, w.Title})
	}
	return table(e.stdout, rows...)
}

type articlePublishCmd struct {
	ID int64 `arg:"" help:"Number that article waiting shows."`
}

func (c *articlePublishCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		if _, err := a.PublishWaiting(ctx, c.ID); err != nil {
			return err
		}
		fmt.Fprintln(e.stdout, "It is published, as if it had come now.")
		return nil
	})
}

type articleDiscardCmd struct {
	ID int64 `arg:"" help:"Number that article waiting shows."`
}

func (c *articleDiscardCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		if err := a.Articles.Discard(ctx, a.DB, c.ID); err != nil {
			return err
		}
		fmt.Fprintln(e.stdout, "It is dropped, also when its source gives it again.")
		return nil
	})
}
