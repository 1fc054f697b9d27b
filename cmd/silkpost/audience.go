package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"silkpost/internal/app"
	"silkpost/subscribers"
)

type audienceCmd struct {
	Count audienceCountCmd `cmd:"" help:"How many people a filter finds."`
	List  audienceListCmd  `cmd:"" help:"Whom a filter finds."`
}

// filter is what people write behind the command; in quotation marks or not.
type filter struct {
	Filter []string `arg:"" optional:"" help:"Such as: country = IT, CH and language = it. Left out: everybody."`
}

// audience reads the filter.
func (f filter) audience() (subscribers.Audience, error) {
	return subscribers.ParseAudience(strings.Join(f.Filter, " "))
}

const filterHelp = `A filter has clauses, joined by and; each may have a not before it. Several values mean any of them.

  country = IT, CH                      of an organisation, or the contact's own
  language = it                         one that the contact reads
  organisation = "Science Centre"       or: organisation contains science
  list = partners                       rhythm = weekly      state = active, paused
  joined before 2026-01-01              or after; days are in UTC
  sent after 2026-05-01                 or before, or: sent never
  attribute role = director             or: contains, or: attribute role exists
  mailable                              active and not suppressed

Clauses about lists, rhythms, states, joining and sending are about one and the same subscription.`

type audienceCountCmd struct{ filter }

// Help is what --help says further.
func (c *audienceCountCmd) Help() string { return filterHelp }

func (c *audienceCountCmd) Run(e *env) error {
	audience, err := c.audience()
	if err != nil {
		return err
	}
	return e.open(func(ctx context.Context, a *app.App) error {
		n, err := subscribers.CountAudience(ctx, a.DB, audience)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(e.stdout, counted(n, "contact"))
		return err
	})
}

type audienceListCmd struct {
	filter
	JSON bool `help:"Print JSON Lines." name:"json"`
}

// Help is what --help says further.
func (c *audienceListCmd) Help() string { return filterHelp }

func (c *audienceListCmd) Run(e *env) error {
	audience, err := c.audience()
	if err != nil {
		return err
	}
	return e.open(func(ctx context.Context, a *app.App) error {
		out := bufio.NewWriter(e.stdout)
		show := func(m subscribers.Member) error {
			_, err := fmt.Fprintf(out, "%s  %s, %s: %s\n", person(m.Name, m.Email), m.List, m.Rhythm, m.State)
			return err
		}
		if c.JSON {
			lines := json.NewEncoder(out)
			lines.SetEscapeHTML(false)
			show = func(m subscribers.Member) error { return lines.Encode(m) }
		}
		if err := subscribers.EachMember(ctx, a.DB, audience, show); err != nil {
			return err
		}
		return out.Flush()
	})
}
