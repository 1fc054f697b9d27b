package main

import (
	"context"
	"fmt"
	"strings"

	"silkpost/internal/app"
	"silkpost/subscribers"
)

type organisationCmd struct {
	List organisationListCmd `cmd:"" help:"The partner organisations, and whether anything reaches them."`
	Show organisationShowCmd `cmd:"" help:"One organisation: who belongs to it, what they receive, when they were last reached."`
}

// nobody is said of an organisation that nothing reaches.
const nobody = "nobody reachable left"

type organisationListCmd struct {
	JSON bool `help:"Print JSON." name:"json"`
}

func (c *organisationListCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		all, err := subscribers.OrganisationsReached(ctx, a.DB)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(e.stdout, map[string]any{"organisations": all})
		case len(all) == 0:
			_, err := fmt.Fprintln(e.stdout, "No organisations yet. silkpost apply declares them; imported contacts bring theirs along.")
			return err
		}
		rows := [][]string{{"organisation", "country", "kind", "contacts", "reached", "last sent", "note"}}
		for _, o := range all {
			rows = append(rows, []string{o.Name, o.Country, o.Kind, thousands(o.Contacts), thousands(o.Reached), when(o.LastSent), alarm(o)})
		}
		return table(e.stdout, rows...)
	})
}

func alarm(o subscribers.Reach) string {
	if o.Reached > 0 {
		return ""
	}
	return nobody
}

type organisationShowCmd struct {
	Name string `arg:"" help:"Name of the organisation."`
	JSON bool   `help:"Print JSON." name:"json"`
}

func (c *organisationShowCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		reach, people, err := subscribers.OrganisationReach(ctx, a.DB, c.Name)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e.stdout, struct {
				subscribers.Reach
				People []subscribers.ReachedContact `json:"people"`
			}{reach, people})
		}
		return organisationText(e, reach, people)
	})
}

func organisationText(e *env, o subscribers.Reach, people []subscribers.ReachedContact) error {
	fmt.Fprintln(e.stdout, o.Name)
	var rows [][]string
	for _, fact := range [][2]string{
		{"country", o.Country},
		{"kind", o.Kind},
		{"web site", o.WebSite},
		{"languages", strings.Join(o.Languages, ", ")},
		{"agreement", agreement(o.AgreedOn, o.AgreedUntil)},
		{"tags", strings.Join(o.Tags, ", ")},
		{"notes", strings.ReplaceAll(o.Notes, "\n", " / ")},
		{"last sent", when(o.LastSent)},
	} {
		if fact[1] != "" {
			rows = append(rows, fact[:])
		}
	}
	if err := table(e.stdout, rows...); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s, %s of them reached.\n", counted(o.Contacts, "contact"), thousands(o.Reached))
	if o.Reached == 0 {
		fmt.Fprintln(e.stdout, "There is "+nobody+".")
	}
	return section(e, "Contacts", []string{"address", "name", "receives", "last sent"}, receiving(people))
}

func agreement(from, until subscribers.Date) string {
	switch {
	case from == "" && until == "":
		return ""
	case until == "":
		return "since " + string(from)
	}
	return strings.TrimSpace(string(from) + " until " + string(until))
}

// receiving has a row for each contact and list.
func receiving(people []subscribers.ReachedContact) (rows [][]string) {
	for _, p := range people {
		if len(p.Subscriptions) == 0 {
			rows = append(rows, []string{p.Email, p.Name, "nothing", when(nil)})
		}
		for _, s := range p.Subscriptions {
			what := fmt.Sprintf("%s, %s: %s", s.List, s.Rhythm, s.State)
			if s.PausedUntil != nil {
				what += " until " + minute(*s.PausedUntil)
			}
			if reasons := p.Suppressed; len(reasons) > 0 {
				what += ", suppressed (" + strings.Trim(fmt.Sprint(reasons), "[]") + ")"
			}
			rows = append(rows, []string{p.Email, p.Name, what, when(s.LastSent)})
		}
	}
	return rows
}
