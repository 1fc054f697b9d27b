package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

type digestCmd struct {
	Plan    digestPlanCmd    `cmd:"" help:"Who would get what and when; changes nothing."`
	Preview digestPreviewCmd `cmd:"" help:"Write what would be sent to files, per language and variant."`
	Test    digestTestCmd    `cmd:"" help:"Send a test mail with the newest articles."`
	Send    digestSendCmd    `cmd:"" help:"Send what is due now, ignoring hours."`
}

// which says which digest is meant.
type which struct {
	List   string `help:"Slug of the list." required:"" placeholder:"SLUG"`
	Rhythm rhythm `help:"immediate, daily, weekly or monthly; left out: each that is in use." placeholder:"RHYTHM"`
}

type digestPlanCmd struct {
	which
	At   moment `help:"As if this were now (RFC 3339)." placeholder:"TIME"`
	JSON bool   `help:"Print JSON." name:"json"`
}

// plannedEdition is an edition of a plan in JSON.
type plannedEdition struct {
	edition.Edition
	Deliveries []plannedDelivery `json:"deliveries"`
}

type plannedDelivery struct {
	Address   string    `json:"address"`
	NotBefore time.Time `json:"not_before"`
	Language  string    `json:"language"`
	Articles  []string  `json:"articles"` // GUIDs
}

func (c *digestPlanCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		planned, err := a.PlanDigest(ctx, app.PlanOptions{List: c.List, Rhythm: string(c.Rhythm), At: c.At.Time}, nil)
		if err != nil {
			return err
		}
		shown := make([]plannedEdition, len(planned))
		for i, p := range planned {
			guids, err := a.GUIDs(ctx, p.Entries)
			if err != nil {
				return err
			}
			shown[i] = plannedEdition{Edition: p.Edition, Deliveries: make([]plannedDelivery, len(p.Entries))}
			for j, entry := range p.Entries {
				shown[i].Deliveries[j] = plannedDelivery{
					Address: entry.Email, NotBefore: entry.NotBefore.UTC(), Language: entry.Language, Articles: guids[j],
				}
			}
		}
		if c.JSON {
			return printJSON(e.stdout, map[string]any{"editions": shown})
		}
		return c.table(e, shown)
	})
}

func (c *digestPlanCmd) table(e *env, planned []plannedEdition) error {
	rows := [][]string{{"rhythm", "address", "not before", "language", "articles"}}
	for _, p := range planned {
		for _, d := range p.Deliveries {
			rows = append(rows, []string{p.Rhythm, d.Address, minute(d.NotBefore), d.Language, fmt.Sprint(len(d.Articles))})
		}
	}
	if len(rows) > 1 {
		if err := table(e.stdout, rows...); err != nil {
			return err
		}
	}
	for _, p := range planned {
		fmt.Fprintln(e.stdout, editionLine(p.Edition, ledger.Counts{}))
	}
	return nil
}

// stateWord says how an edition stands: one that is over and of which nobody is known to have anything was not sent.
func stateWord(state edition.State, c ledger.Counts) string {
	if none := state == edition.Sent && c.Sent == 0 && c.Failed+c.InDoubt > 0; none && c.InDoubt == 0 {
		return fmt.Sprintf("ended: 0 of %s arrived", thousands(c.Recipients))
	} else if none {
		return fmt.Sprintf("ended: none of %s is known to have arrived", thousands(c.Recipients))
	}
	return string(state)
}

// editionLine says in words what an edition is, and how it stands by its deliveries; zero: they are not looked at.
func editionLine(ed edition.Edition, c ledger.Counts) string {
	if ed.State == edition.Skipped {
		return fmt.Sprintf("%s, %s: skipped, %s.", ed.List, ed.Rhythm, ed.Reason)
	}
	line := fmt.Sprintf("%s, %s: %s in %s for %s; %s", ed.List, ed.Rhythm, counted(ed.Articles, "article"),
		counted(ed.Variants, "variant"), counted(ed.Recipients, "recipient"), stateWord(ed.State, c))
	if ed.Reason != "" {
		line += ", " + ed.Reason
	}
	if ed.Waiting > 0 {
		line += fmt.Sprintf("; %s with too few articles wait", counted(ed.Waiting, "reader"))
	}
	return line + "."
}

type digestPreviewCmd struct {
	which
	Out        string `help:"Folder for the files." required:"" placeholder:"DIR"`
	CheckLinks bool   `help:"Fetch every link and say which are broken."`
}

func (c *digestPreviewCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		written, err := a.PreviewDigest(ctx, app.PlanOptions{List: c.List, Rhythm: string(c.Rhythm)}, c.Out, c.CheckLinks)
		if err != nil {
			return err
		}
		return listPreviews(e, c.Out, written)
	})
}

type digestTestCmd struct {
	List     string `help:"Slug of the list." default:"partners" placeholder:"SLUG"`
	To       string `help:"Address to send to; it need not be on the list." required:"" placeholder:"ADDR"`
	Language string `help:"Language of the test; left out: the list's fallback." placeholder:"TAG"`
}

func (c *digestTestCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		answer, err := a.TestDigest(ctx, c.List, c.To, c.Language)
		if err != nil {
			return err
		}
		if answer.Outcome() != reply.Sent {
			return errs.New(errs.Unavailable, "the test mail was not accepted (%s, %d): %s", answer.Phase, answer.Code, answer.Text)
		}
		fmt.Fprintf(e.stdout, "A test mail to %s was accepted: %d %s\n", c.To, answer.Code, answer.Text)
		return nil
	})
}

type digestSendCmd struct {
	which
	Audience people `help:"To those alone whom a filter finds, such as: country = IT and language = it." placeholder:"FILTER"`
	Approve  bool   `help:"Let it go although the list wants approval."`
	Wait     bool   `help:"Until every delivery has its outcome."`
	Timeout  length `help:"Wait no longer than this, such as 30s or 5m." placeholder:"D"`
	JSON     bool   `help:"Print JSON." name:"json"`
}

func (c *digestSendCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		if c.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(c.Timeout), errTimedOut)
			defer cancel()
		}
		sent, err := a.SendDigest(ctx, app.SendOptions{List: c.List, Rhythm: string(c.Rhythm), Audience: c.Audience.Audience, Approve: c.Approve, Wait: c.Wait})
		if len(sent.Editions) > 0 {
			if printErr := c.print(e, sent); printErr != nil {
				return printErr
			}
		}
		return c.result(sent, err, err != nil && errors.Is(context.Cause(ctx), errTimedOut))
	})
}

// result is what the command ends with: time that ran out as the last outcome came has not run out.
func (c *digestSendCmd) result(sent app.Sent, err error, timedOut bool) error {
	switch {
	case timedOut && (len(sent.Editions) == 0 || sent.Open() > 0):
		return c.timedOut(sent)
	case err != nil && !timedOut:
		return err
	}
	if d := sent.Deliveries; c.Wait && d.Failed+d.InDoubt > 0 {
		return errs.New(errs.Unavailable, "%d failed, %d in doubt: silkpost deliveries --edition ID shows why", d.Failed, d.InDoubt)
	}
	return nil
}

// timedOut says what is still open and who goes on with it.
func (c *digestSendCmd) timedOut(sent app.Sent) error {
	if len(sent.Editions) == 0 {
		return fmt.Errorf("%w after %s, before anything was sent; try again with a longer --timeout", errTimedOut, c.Timeout)
	}
	return fmt.Errorf("%w after %s: %s still open; a running silkpost serve goes on with them, silkpost status shows how they stand",
		errTimedOut, c.Timeout, stillAre(sent.Open()))
}

// stillAre puts a number before its deliveries and their verb.
func stillAre(n int) string {
	if n == 1 {
		return "1 delivery is"
	}
	return thousands(n) + " deliveries are"
}

func (c *digestSendCmd) print(e *env, sent app.Sent) error {
	if c.JSON {
		return printJSON(e.stdout, map[string]any{"editions": sent.Editions, "deliveries": sent.Deliveries})
	}
	for _, ed := range sent.Editions {
		var counts ledger.Counts
		if len(sent.Editions) == 1 {
			counts = sent.Deliveries
		}
		fmt.Fprintf(e.stdout, "%s  %s\n", ed.ID, editionLine(ed, counts))
	}
	fmt.Fprintln(e.stdout, countsLine(sent.Deliveries))
	if again := sent.Deliveries.Deferred + sent.Deliveries.InDoubt; again > 0 && !sent.Working && !c.Wait {
		fmt.Fprintf(e.stdout, "%s still open: start silkpost serve, which tries again; silkpost status shows how they stand.\n", stillAre(again))
	}
	return nil
}

// countsLine says in words how deliveries stand; states without any are left out.
func countsLine(c ledger.Counts) string {
	if c.Recipients == 1 {
		return statesLine("1 delivery", c)
	}
	return statesLine(thousands(c.Recipients)+" deliveries", c)
}

// statesLine says how many of what are in each state.
func statesLine(what string, c ledger.Counts) string {
	parts := []string{what}
	for _, state := range []struct {
		name string
		n    int
	}{
		{"pending", c.Pending},
		{"in flight", c.InFlight},
		{"deferred", c.Deferred},
		{"sent", c.Sent},
		{"failed", c.Failed},
		{"suppressed", c.Suppressed},
		{"cancelled", c.Cancelled},
		{"in doubt", c.InDoubt},
	} {
		if state.n > 0 {
			parts = append(parts, thousands(state.n)+" "+state.name)
		}
	}
	return strings.Join(parts, ", ") + "."
}
