package main

import (
	"context"
	"fmt"
	"strconv"

	"silkpost/feeds"
	"silkpost/internal/app"
)

type feedCmd struct {
	List     feedListCmd     `cmd:"" help:"The feeds that anybody may read, or the private ones."`
	Render   feedRenderCmd   `cmd:"" help:"Print a feed as the server would serve it."`
	Validate feedValidateCmd `cmd:"" help:"Check feeds against the specifications of their formats."`
	Rename   feedRenameCmd   `cmd:"" help:"Give a feed another slug; the old one leads there for ever."`
	Remove   feedRemoveCmd   `cmd:"" help:"Take a feed out of service."`
	Private  feedPrivateCmd  `cmd:"" help:"Make a feed of what a list sends an organisation, for that organisation alone."`
	Revoke   feedRevokeCmd   `cmd:"" help:"End a private feed for ever."`
}

type feedListCmd struct {
	Private bool `help:"The private feeds instead."`
	JSON    bool `help:"Print JSON." name:"json"`
}

func (c *feedListCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		if c.Private {
			return c.private(ctx, e, a)
		}
		listed, err := a.ListFeeds(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e.stdout, map[string]any{"feeds": listed})
		}
		rows := [][]string{{"feed", "kind", "articles", "items", "title"}}
		for _, f := range listed {
			rows = append(rows, []string{f.Slug, string(f.Kind), thousands(f.Articles), thousands(f.Items), f.Title})
		}
		return table(e.stdout, rows...)
	})
}

func (c *feedListCmd) private(ctx context.Context, e *env, a *app.App) error {
	all, err := a.PrivateFeeds(ctx)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return printJSON(e.stdout, map[string]any{"private": all})
	case len(all) == 0:
		_, err := fmt.Fprintln(e.stdout, "No private feeds yet. silkpost feed private ORGANISATION --list SLUG makes one.")
		return err
	}
	rows := [][]string{{"id", "organisation", "list", "created", "revoked"}}
	for _, f := range all {
		revoked := ""
		if f.RevokedAt != nil {
			revoked = minute(*f.RevokedAt)
		}
		rows = append(rows, []string{strconv.FormatInt(f.ID, 10), f.Organisation, f.List, minute(f.CreatedAt), revoked})
	}
	return table(e.stdout, rows...)
}

type feedRenderCmd struct {
	Slug   string     `arg:"" help:"Slug of the feed, such as all, section-news or lang-en; an old one will do."`
	Format feedFormat `help:"rss, atom or json." default:"rss"`
}

func (c *feedRenderCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		doc, err := a.Feeds.Load(ctx, a.DB, c.Slug, feeds.Format(c.Format), a.PublicURL())
		if err != nil {
			return err
		}
		_, err = e.stdout.Write(doc.Body)
		return err
	})
}

type feedRenameCmd struct {
	Old string `arg:"" help:"Slug of the feed."`
	New string `arg:"" help:"What it is to be."`
}

func (c *feedRenameCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		f, err := a.RenameFeed(ctx, c.Old, c.New)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "The feed is called %s; its old addresses lead there for ever.\n", f.Slug)
		fmt.Fprintf(e.stdout, "Where a file for silkpost apply declares it, write slug = %q and old_slugs = [%q] there.\n", f.Slug, c.Old)
		return nil
	})
}

type feedRemoveCmd struct {
	Slug string `arg:"" help:"Slug of the feed."`
}

func (c *feedRemoveCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		f, err := a.RemoveFeed(ctx, c.Slug)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "The feed %s is removed: its addresses say that it is gone. Declaring it with silkpost apply brings it back.\n", f.Slug)
		return nil
	})
}

type feedPrivateCmd struct {
	Organisation string `arg:"" help:"Name of the organisation, as it was imported."`
	List         string `help:"Slug of the list." required:"" placeholder:"SLUG"`
}

func (c *feedPrivateCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		f, urls, err := a.MakePrivateFeed(ctx, c.Organisation, c.List)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%s\n%s\n%s\n", urls.RSS, urls.Atom, urls.JSON)
		fmt.Fprintf(e.stdout, "Private feed %d holds what the list %s sends %s. Who has one of these addresses can read it.\n", f.ID, f.List, f.Organisation)
		fmt.Fprintf(e.stdout, "They cannot be shown again. silkpost feed revoke %d ends the feed for ever.\n", f.ID)
		return nil
	})
}

type feedRevokeCmd struct {
	ID privateID `arg:"" help:"Id of the private feed."`
}

func (c *feedRevokeCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		f, err := a.RevokePrivateFeed(ctx, int64(c.ID))
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "Private feed %d, of %s and the list %s, is revoked: its addresses say that it is gone.\n", f.ID, f.Organisation, f.List)
		return nil
	})
}
