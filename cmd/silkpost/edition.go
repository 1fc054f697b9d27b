package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"silkpost/internal/app"
	"silkpost/internal/errs"
)

type editionCmd struct {
	List editionListCmd `cmd:"" help:"The newest editions."`
	Show editionShowCmd `cmd:"" help:"One edition: its articles, languages and deliveries, and who did what to it."`

	Add   editionAddCmd   `cmd:"" help:"Put articles in: they go to every recipient who has not been given them."`
	Pin   editionPinCmd   `cmd:"" help:"Put articles of it at the top, in this order."`
	Order editionOrderCmd `cmd:"" help:"Put its articles in this order, the rest by date after them; without any, all by date."`
	Drop  editionDropCmd  `cmd:"" help:"Take articles out: for the next edition, or for ever."`
	Text  editionTextCmd  `cmd:"" help:"Set its subject, preheader or introduction in one language."`

	Preview editionPreviewCmd `cmd:"" help:"Write what is sent to files, per language and variant."`
	Test    editionTestCmd    `cmd:"" help:"Send it to one address, in each language; nothing of it counts."`

	Approve editionApproveCmd `cmd:"" help:"Let an edition go that waits for approval."`
	Hold    editionHoldCmd    `cmd:"" help:"Stop an edition until it is released."`
	Release editionReleaseCmd `cmd:"" help:"Let an edition go that is held or late."`
	Cancel  editionCancelCmd  `cmd:"" help:"End what has not gone yet; its articles are due again in the next edition."`
	Pause   editionPauseCmd   `cmd:"" help:"Stop sending it for a while."`
	Resume  editionResumeCmd  `cmd:"" help:"Go on sending it."`

	Resend editionResendCmd `cmd:"" help:"Send it once more to one contact, as a new message."`

	Make    editionMakeCmd    `cmd:"" help:"Make an edition by hand: an introduction, chosen articles, or both."`
	Correct editionCorrectCmd `cmd:"" help:"Send a correction to exactly those who got an edition."`
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
		state := stateWord(ed.State, ed.Deliveries)
		if ed.Stopped {
			state += ", paused"
		}
		rows = append(rows, []string{
			ed.ID.String(), ed.List, ed.Rhythm, ed.LocalDate.Format("2006-01-02"), state, strconv.Itoa(ed.Articles),
			thousands(ed.Recipients), thousands(ed.Deliveries.Sent), ed.Reason,
		})
	}
	return table(e.stdout, rows...)
}

type deliveriesCmd struct {
	Edition editionID `help:"Id of the edition." required:"" placeholder:"ID"`
	JSON    bool      `help:"Print JSON." name:"json"`
}

func (c *deliveriesCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		lines, err := a.Deliveries(ctx, c.Edition.UUID)
		if errs.KindOf(err) == errs.Gone && !c.JSON {
			return tallyTable(ctx, e, a, c.Edition.UUID)
		}
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

// tallyTable shows what is kept of an edition whose deliveries were dropped.
func tallyTable(ctx context.Context, e *env, a *app.App, id uuid.UUID) error {
	tallies, err := a.Tallies(ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, "These deliveries are not kept any more. What they came to:")
	rows := [][]string{{"state", "deliveries", "answer", "bounce", "destination"}}
	for _, t := range tallies {
		rows = append(rows, []string{t.State, thousands(t.Count), t.Kind, t.Bounce, cmp.Or(t.Destination, "small ones together")})
	}
	return table(e.stdout, rows...)
}

// replied is a server's answer.
func replied(code int, reply string) string {
	if code == 0 {
		return reply
	}
	return fmt.Sprintf("%d %s", code, reply)
}
