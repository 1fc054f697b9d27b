package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"silkpost/internal/app"
	"silkpost/internal/sources"
)

type sourceCmd struct {
	Check sourceCheckCmd `cmd:"" help:"Say what articles could be had from at an address, and how to declare it."`
	Run   sourceRunCmd   `cmd:"" help:"Poll a source now and say what came."`

	List    sourceListCmd    `cmd:"" help:"List the sources and how they are."`
	Show    sourceShowCmd    `cmd:"" help:"Show how a source is, what of it is held and why."`
	Release sourceReleaseCmd `cmd:"" help:"Publish what is held of a source."`
	Discard sourceDiscardCmd `cmd:"" help:"Drop what is held of a source, for good."`
}

type sourceCheckCmd struct {
	URL  string `arg:"" help:"Address of a site, of its page of news, of a feed or of a sitemap."`
	JSON bool   `help:"Print JSON." name:"json"`
}

func (c *sourceCheckCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		found, err := a.CheckSource(ctx, c.URL)
		if err != nil {
			return err
		}
		if c.JSON {
			err = printJSON(e.stdout, found)
		} else {
			c.print(e, found)
		}
		if err != nil {
			return err
		}
		return found.NothingThere()
	})
}

func (c *sourceCheckCmd) print(e *env, found sources.Finding) {
	for i, candidate := range found.Found {
		if i > 0 {
			fmt.Fprintln(e.stdout, "or")
		}
		fmt.Fprintf(e.stdout, "%s: %s\n%s\n\n%s\n", candidate.Kind, candidate.About, candidate.URL, candidate.Settings)
		for _, article := range candidate.Articles {
			printPreview(e, article)
		}
	}
	if len(found.Found) == 0 {
		return // the error says it all
	}
	for _, problem := range found.Problems {
		fmt.Fprintf(e.stdout, "Note: %s.\n", strings.TrimSuffix(problem, "."))
	}
	fmt.Fprintln(e.stdout, "Write the table into a file, look whether slug and section suit you, and run silkpost apply FILE.toml.")
}

// printPreview prints an article; of one that was not read, all there is: its address, perhaps its date and title.
func printPreview(e *env, article sources.Preview) {
	facts := "no date"
	if article.Published != nil {
		facts = minute(*article.Published)
	}
	if article.Language != "" {
		facts += ", " + article.Language
	}
	fmt.Fprintf(e.stdout, "  %s (%s)\n", cmp.Or(article.Title, article.URL), facts)
	for _, line := range []string{article.URL, article.Words} {
		if line != "" && (article.Title != "" || line != article.URL) {
			fmt.Fprintf(e.stdout, "  %s\n", line)
		}
	}
	fmt.Fprintln(e.stdout)
}

type sourceRunCmd struct {
	Slug string `arg:"" help:"Slug of the source."`
	JSON bool   `help:"Print JSON." name:"json"`
}

func (c *sourceRunCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		out, err := a.RunSource(ctx, c.Slug)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(e.stdout, outcomeJSON(out))
		}
		for _, refused := range out.Refused {
			fmt.Fprintln(e.stdout, "refused:", refused.Err)
		}
		fmt.Fprintf(e.stdout, "%s new, %d changed, %d unchanged, %d refused.%s\n", counted(out.Added, "article"), out.Changed, out.Unchanged,
			len(out.Refused), remarks(out))
		return nil
	})
}

// remarks says what else there is to know of a poll.
func remarks(out sources.Outcome) string {
	var b strings.Builder
	b.WriteString(map[sources.Same]string{
		sources.SameSaid:  " The server says that nothing changed.",
		sources.SameBytes: " The server sent the same as last time.",
		sources.SameFiles: " No file came, went or was written since the last poll.",
	}[out.Same])
	if out.Archive && out.Added > 0 {
		b.WriteString(" As this was the first poll, what is new is in feeds and not in digests; a source that is declared with first_poll = \"due\" has it in both.")
	}
	if out.Held > 0 {
		fmt.Fprintf(&b, " %s are held, for that is unusually many: silkpost source show has more.", counted(out.Held, "article"))
	}
	if out.Waiting > 0 {
		fmt.Fprintf(&b, " %s wait for the next polls.", counted(out.Waiting, "page"))
	}
	return b.String()
}

type refusedJSON struct {
	URL    string `json:"url"`
	Reason string `json:"reason"`
}

func outcomeJSON(out sources.Outcome) any {
	refused := []refusedJSON{}
	for _, r := range out.Refused {
		refused = append(refused, refusedJSON{URL: r.Path, Reason: r.Err.Error()})
	}
	return map[string]any{
		"new": out.Added, "changed": out.Changed, "unchanged": out.Unchanged, "refused": refused, "waiting": out.Waiting,
		"not_modified": out.Same == sources.SameSaid, "same": out.Same, "archive": out.Archive, "held": out.Held,
	}
}
