package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"silkpost/feeds"
	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/mailer/limit"
)

type statusCmd struct {
	JSON  bool `help:"Print JSON." name:"json" xor:"how"`
	Watch bool `help:"Show how sending goes on, until it is told to stop." xor:"how"`
}

func (c *statusCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		if c.Watch {
			return watch(ctx, e, a)
		}
		status, err := a.Status(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e.stdout, status)
		}
		if status.Held != "" {
			fmt.Fprintf(e.stdout, "HELD: %s.\nNothing is sent from this database until silkpost adopt.\n\n", status.Held)
		}
		for _, l := range status.Locked {
			fmt.Fprintf(e.stdout, "NOTHING IS SENT from %s: its DKIM key %s cannot be opened: %s.\n\n", l.Domain, l.Selector, l.Failure)
		}
		for _, s := range status.Stopped {
			what, how := "list "+s.List, "--list "+s.List
			if s.List == "" {
				what, how = "any list", "--all"
			}
			fmt.Fprintf(e.stdout, "PAUSED since %s: nothing is sent of %s until silkpost resume %s.\n", minute(s.Since), what, how)
		}
		if err := editionTable(e, status.Editions); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%s\n%s sending.\n", countsLine(status.Deliveries), counted(status.Workers, "worker"))
		if f := status.Floor; f.Month != nil {
			fmt.Fprintf(e.stdout, "Deliveries are kept from %s on; of older ones there are counts, and articles that came before %s are not planned again.\n", *f.Month, minute(*f.Until))
		}
		if n := len(status.Unreached); n > 0 {
			fmt.Fprintf(e.stdout, "%s with %s: silkpost organisation list shows which.\n", counted(n, "organisation"), nobody)
		}
		if status.Database != "" {
			fmt.Fprintf(e.stdout, "The database is at %s\n", status.Database)
		}
		if err := noticeTable(e, status.Notices); err != nil {
			return err
		}
		if err := bounceLines(e, status); err != nil {
			return err
		}
		if err := limitTable(e, status.Limits); err != nil {
			return err
		}
		for _, slug := range status.Outrun {
			fmt.Fprintf(e.stdout, "article %s: its source changed what an editor wrote over; silkpost article history %s\n", slug, slug)
		}
		if err := sourceTable(e, status.Sources); err != nil {
			return err
		}
		return hubTable(e, status.Hubs)
	})
}

// bounceLines counts what came back and shows which destinations pause.
func bounceLines(e *env, s app.Status) error {
	b := s.Bounces
	if n := b.Hard + b.Soft + b.Complaint + b.Other; n > 0 {
		fmt.Fprintf(e.stdout, "%s within 30 days: %d hard, %d soft, %d complaints, %d refusals of us or the message.\n", counted(n, "bounce"), b.Hard, b.Soft, b.Complaint, b.Other)
	}
	if b.Inbox > 0 {
		fmt.Fprintf(e.stdout, "%s that came back and were not understood: silkpost inbox list shows them.\n", counted(b.Inbox, "mail"))
	}
	switch c := b.Channel; {
	case c == nil:
	case c.Failure != "":
		fmt.Fprintf(e.stdout, "The mailbox for bounces cannot be read: %s\n", c.Failure)
	case c.TestedAt == nil:
		fmt.Fprintf(e.stdout, "Whether mail to %s comes back is not known yet: silkpost inbox test finds out.\n", c.Name)
	}
	if len(s.Paused) == 0 {
		return nil
	}
	rows := [][]string{{"destination", "pauses until", "because", "answer"}}
	for _, p := range s.Paused {
		until, because := minute(p.Until), p.Kind
		if p.ByHand {
			until, because = "it is resumed", "paused by hand"
		}
		rows = append(rows, []string{p.Destination, until, because, replied(p.Code, p.Reply)})
	}
	return table(e.stdout, rows...)
}

// limitTable shows the limits, how far they are used, and what waits for its turn under them.
func limitTable(e *env, limits []app.LimitStatus) error {
	if len(limits) == 0 {
		return nil
	}
	rows := [][]string{{"limit", "of", "used", "waiting", "next", "last"}}
	for _, l := range limits {
		var used []string
		for _, period := range []string{"second", "minute", "hour", "day", "warm-up"} {
			if most, is := l.Most[period]; is {
				name := "per " + period
				if period == "warm-up" {
					name = "today"
				}
				used = append(used, fmt.Sprintf("%s of %s %s", thousands(l.Taken[period]), thousands(most), name))
			}
		}
		row := []string{l.Name, limited(l), strings.Join(used, ", "), "0", "", ""}
		waiting := 0
		for i, line := range l.Waiting {
			waiting += line.Waiting
			row[3] = thousands(waiting)
			if i == 0 {
				row[4], row[5] = minute(line.Next), minute(line.Last)
			}
		}
		rows = append(rows, row)
	}
	return table(e.stdout, rows...)
}

// limited says what a limit is about.
func limited(l app.LimitStatus) string {
	for _, about := range []struct{ kind, name string }{{"relay", l.Relay}, {"destination", l.Destination}, {"sender", l.Sender}} {
		switch {
		case about.name == limit.Each && l.About == "":
			return "each " + about.kind
		case about.name != "":
			return about.kind + " " + cmp.Or(l.About, about.name)
		}
	}
	return "all"
}

// noticeTable counts the notices and shows those in trouble.
func noticeTable(e *env, n app.NoticeStatus) error {
	if n.Recipients == 0 {
		return nil
	}
	fmt.Fprintln(e.stdout, statesLine(counted(n.Recipients, "notice"), n.Counts))
	if n.Bounced > 0 {
		fmt.Fprintf(e.stdout, "%s bounced within 30 days.\n", counted(n.Bounced, "notice"))
	}
	if len(n.Troubled) == 0 {
		return nil
	}
	rows := [][]string{{"notice", "subscription", "state", "attempts", "last", "reply"}}
	for _, t := range n.Troubled {
		reply := t.Reply
		if t.Code > 0 {
			reply = strings.TrimSpace(fmt.Sprint(t.Code, " ", reply))
		}
		rows = append(rows, []string{
			string(t.Kind), strconv.FormatInt(t.Subscription, 10), string(t.State), strconv.Itoa(t.Attempts), when(t.At), reply,
		})
	}
	return table(e.stdout, rows...)
}

// sourceTable shows the sources that are polled, and what a person should look at. Folders that nobody watches are imported by hand.
func sourceTable(e *env, sources []app.SourceStatus) error {
	sources = slices.DeleteFunc(sources, func(s app.SourceStatus) bool { return s.Kind == articles.KindFolder && s.NextPollAt == nil })
	if len(sources) == 0 {
		return nil
	}
	rows := [][]string{{"source", "kind", "last good poll", "next poll", "failure"}}
	for _, s := range sources {
		rows = append(rows, []string{s.Slug, s.Kind, when(s.PolledAt), when(s.NextPollAt), sourceTrouble(s)})
	}
	if err := table(e.stdout, rows...); err != nil {
		return err
	}
	for _, s := range sources {
		for _, warning := range s.Warnings {
			fmt.Fprintf(e.stdout, "source %s: %s\n", s.Slug, warning)
		}
	}
	return nil
}

// sourceTrouble says what is wrong with a source, "" when nothing is.
func sourceTrouble(s app.SourceStatus) string {
	if s.Failure == "" && s.MovedURL != "" {
		return "moved for good: declare url = " + strconv.Quote(s.MovedURL)
	}
	return failure(s.Failure, s.Failures)
}

// hubTable shows the WebSub hubs, and of how many feeds they still have to be told.
func hubTable(e *env, hubs []feeds.Hub) error {
	if len(hubs) == 0 {
		return nil
	}
	rows := [][]string{{"hub", "told", "feeds waiting", "failure"}}
	for _, h := range hubs {
		rows = append(rows, []string{h.URL, when(h.ToldAt), strconv.Itoa(h.Waiting), failure(h.Failure, h.Failures)})
	}
	return table(e.stdout, rows...)
}

func failure(why string, times int) string {
	if times > 1 {
		why += fmt.Sprintf(" (%d times in a row)", times)
	}
	return why
}

func when(at *time.Time) string {
	if at == nil {
		return "never"
	}
	return minute(*at)
}

type settingsCmd struct{}

func (c *settingsCmd) Run(e *env) error {
	cfg, err := e.settings("")
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(e.stdout, cfg)
	return err
}

type migrateCmd struct{}

func (c *migrateCmd) Run(e *env) error {
	return e.open(func(context.Context, *app.App) error { // opening brings the schema up to date
		_, err := fmt.Fprintln(e.stdout, "The schema is up to date.")
		return err
	})
}

type versionCmd struct{}

func (c *versionCmd) Run(e *env) error {
	version, built := "devel", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" && info.Main.Version != "(devel)" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				built = " " + s.Value
			}
		}
		built += " " + info.GoVersion
	}
	_, err := fmt.Fprintf(e.stdout, "silkpost %s%s\n", version, built)
	return err
}
