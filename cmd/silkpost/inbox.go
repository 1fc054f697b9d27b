package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode"

	"silkpost/internal/app"
)

type inboxCmd struct {
	List inboxListCmd `cmd:"" help:"Mails that came back and wait for a person."`
	Show inboxShowCmd `cmd:"" help:"One of them, as it came."`
	Done inboxDoneCmd `cmd:"" help:"Note that it is dealt with."`
	Test inboxTestCmd `cmd:"" help:"Send a mail to ourselves and wait until a running serve has taken it in."`
}

type inboxListCmd struct {
	All  bool `help:"Also those that are dealt with."`
	JSON bool `help:"Print JSON." name:"json"`
}

func (c *inboxListCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		kept, err := a.Inbox(ctx, c.All)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e.stdout, kept)
		}
		rows := [][]string{{"id", "came", "from", "subject", "why it is here"}}
		for _, k := range kept {
			rows = append(rows, []string{strconv.FormatInt(k.ID, 10), minute(k.At), k.Sender, k.Subject, k.Reason + andMore(k.More)})
		}
		return table(e.stdout, rows...)
	})
}

type inboxShowCmd struct {
	ID  int64 `arg:"" help:"Its number."`
	Raw bool  `help:"By the byte, also what a terminal could take for commands."`
}

func (c *inboxShowCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		kept, err := a.InboxMail(ctx, c.ID)
		if err != nil {
			return err
		}
		if !c.Raw {
			kept.Message = bytes.Map(printable, kept.Message)
		}
		_, err = e.stdout.Write(kept.Message)
		return err
	})
}

// printable has "?" for what a terminal could take for commands.
func printable(r rune) rune {
	if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
		return '?'
	}
	return r
}

type inboxDoneCmd struct {
	ID int64 `arg:"" help:"Its number."`
}

func (c *inboxDoneCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error { return a.InboxDone(ctx, c.ID) })
}

type inboxTestCmd struct {
	Timeout time.Duration `help:"How long to wait." default:"5m"`
}

func (c *inboxTestCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		ctx, cancel := context.WithTimeout(ctx, c.Timeout)
		defer cancel()
		err := a.TryBounces(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("%w after %s: the mail went out and has not come back; is silkpost serve running, and does mail to the bounce domain reach it?",
				errTimedOut, c.Timeout)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(e.stdout, "Mail to our own addresses comes back.")
		return err
	})
}

// andMore says how many mails came besides one that were not kept.
func andMore(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s more came to that address within a day, and were not kept)", thousands(n))
}
