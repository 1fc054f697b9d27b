package main

import (
	"context"
	"fmt"
	"strconv"

	"silkpost/internal/app"
	"silkpost/mailer/edition"
)

type editionCmd struct {
	List    editionListCmd    `cmd:"" help:"The newest editions."`
	Show    editionShowCmd    `cmd:"" help:"One edition with its deliveries by state."`
	Approve editionApproveCmd `cmd:"" help:"Let an edition go that waits for approval."`
	Release editionReleaseCmd `cmd:"" help:"Let an edition go that is held or late."`
}

type editionListCmd struct {
	JSON bool `help:"Print JSON." name:"json"`
}

func (c *editionListCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		status, err := a.Status(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e.stdout, map[string]any{"editions": status.Editions})
		}
		return editionTable(e, status.Editions)
	})
}

func editionTable(e *env, editions []app.EditionStatus) error {
	if len(editions) == 0 {
		_, err := fmt.Fprintln(e.stdout, "No editions yet. silkpost digest send --list SLUG makes one; silkpost serve makes them when they come due.")
		return err
	}
	rows := [][]string{{"edition", "list", "rhythm", "date", "state", "articles", "recipients", "sent", "reason"}}
	for _, ed := range editions {
		rows = append(rows, []string{
			ed.ID.String(), ed.List, ed.Rhythm, ed.LocalDate.Format("2006-01-02"), string(ed.State), strconv.Itoa(ed.Articles),
			thousands(ed.Recipients), thousands(ed.Deliveries.Sent), ed.Reason,
		})
	}
	return table(e.stdout, rows...)
}

type editionShowCmd struct {
	ID   editionID `arg:"" help:"Id of the edition."`
	JSON bool      `help:"Print JSON." name:"json"`
}

func (c *editionShowCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		ed, err := a.EditionStatus(ctx, c.ID.UUID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e.stdout, ed)
		}
		fmt.Fprintf(e.stdout, "%s\n%s\n", editionLine(ed.Edition), countsLine(ed.Deliveries))
		return nil
	})
}

type editionApproveCmd struct {
	ID editionID `arg:"" help:"Id of the edition."`
}

func (c *editionApproveCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		return a.Desk(edition.CommandLine).Approve(ctx, c.ID.UUID)
	})
}

type editionReleaseCmd struct {
	ID editionID `arg:"" help:"Id of the edition."`
}

func (c *editionReleaseCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		return a.Desk(edition.CommandLine).Release(ctx, c.ID.UUID)
	})
}

type deliveriesCmd struct {
	Edition editionID `help:"Id of the edition." required:"" placeholder:"ID"`
	JSON    bool      `help:"Print JSON." name:"json"`
}

func (c *deliveriesCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		lines, err := a.Deliveries(ctx, c.Edition.UUID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e.stdout, lines)
		}
		rows := [][]string{{"address", "state", "language", "articles", "attempts", "reply"}}
		for _, d := range lines {
			rows = append(rows, []string{
				d.Address, d.State, d.Language, strconv.Itoa(len(d.Articles)), strconv.Itoa(d.Attempts), replied(d.Code, d.Reply),
			})
		}
		return table(e.stdout, rows...)
	})
}

// replied is a server's answer.
func replied(code int, reply string) string {
	if code == 0 {
		return reply
	}
	return fmt.Sprintf("%d %s", code, reply)
}
