package main

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

// byHand is who does what is asked for here.
const byHand = "command line"

type contactCmd struct {
	Show  contactShowCmd  `cmd:"" help:"Everything that is held of a contact: what a person may ask to see."`
	Erase contactEraseCmd `cmd:"" help:"Forget a contact, everywhere and for good."`
}

type contactShowCmd struct {
	Email string `arg:"" help:"Address of the contact."`
	JSON  bool   `help:"Print JSON." name:"json"`
}

func (c *contactShowCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		file, err := a.ContactFile(ctx, c.Email)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e.stdout, file)
		}
		return contactText(e, file)
	})
}

// contactText shows a contact's file in sections; those without anything are left out.
func contactText(e *env, f app.ContactFile) error {
	fmt.Fprintln(e.stdout, person(f.Name, f.Email))
	for _, show := range []func(*env, app.ContactFile) error{contactFacts, contactSubscriptions, contactConsents, contactSuppressions, contactDeliveries, contactNotices} {
		if err := show(e, f); err != nil {
			return err
		}
	}
	return nil
}

// person writes a name and an address.
func person(name, email string) string {
	if name == "" {
		return email
	}
	return fmt.Sprintf("%s <%s>", name, email)
}

func contactFacts(e *env, f app.ContactFile) error {
	houses := make([]string, len(f.Organisations))
	for i, o := range f.Organisations {
		houses[i] = o.Name
		if o.Country != "" {
			houses[i] += " (" + o.Country + ")"
		}
	}
	rows := [][]string{{"held since", minute(f.CreatedAt)}}
	for _, fact := range [][2]string{
		{"organisations", strings.Join(houses, ", ")},
		{"languages", strings.Join(f.Languages, ", ")},
		{"time zone", f.TimeZone},
		{"delivery hour", f.DeliveryHour},
	} {
		if fact[1] != "" {
			rows = append(rows, fact[:])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Attributes)) {
		rows = append(rows, []string{name, f.Attributes[name]})
	}
	return table(e.stdout, rows...)
}

// section writes a table below its title and an empty line, if there are rows.
func section(e *env, title string, header []string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	fmt.Fprintf(e.stdout, "\n%s\n", title)
	return table(e.stdout, append([][]string{header}, rows...)...)
}

func contactSubscriptions(e *env, f app.ContactFile) error {
	var rows [][]string
	for _, s := range f.Subscriptions {
		state := string(s.State)
		if s.PausedUntil != nil {
			state += " until " + minute(*s.PausedUntil)
		}
		rows = append(rows, []string{s.List, state, s.Rhythm, minute(s.CreatedAt), strings.Join(s.Topics, ", ")})
	}
	return section(e, "Subscriptions", []string{"list", "state", "rhythm", "since", "topics"}, rows)
}

func contactConsents(e *env, f app.ContactFile) error {
	var rows [][]string
	for _, g := range f.Consents {
		rows = append(rows, []string{minute(g.At), g.List, string(g.State), string(g.Method), by(g), g.Network, g.Origin, g.Statement})
	}
	return section(e, "Consents", []string{"when", "list", "became", "how", "by", "network", "origin", "words"}, rows)
}

// by says who did it: where nobody is named the person, but for what they have no part in.
func by(g subscribers.ConsentRecord) string {
	switch {
	case g.Actor != "":
		return g.Actor
	case g.Method == subscribers.ByImport || g.Method == subscribers.BySchedule:
		return "silkpost"
	}
	return "person"
}

func contactSuppressions(e *env, f app.ContactFile) error {
	var rows [][]string
	for _, s := range f.Suppressions {
		lifted := "in force"
		if s.Lifted != nil {
			lifted = "lifted " + minute(*s.Lifted)
		}
		rows = append(rows, []string{s.Address, string(s.Reason), minute(s.At), lifted, s.Origin})
	}
	return section(e, "Suppressions", []string{"address", "reason", "since", "state", "origin"}, rows)
}

func contactDeliveries(e *env, f app.ContactFile) error {
	if len(f.Deliveries) > 0 {
		fmt.Fprintln(e.stdout, "\nSent")
	}
	for _, d := range f.Deliveries {
		fmt.Fprintf(e.stdout, "%s  %s, %s: %s%s  %s\n", d.Date, d.List, d.Rhythm, strings.ReplaceAll(d.State, "_", " "), settled(d), d.Edition)
		for _, article := range d.Articles {
			fmt.Fprintln(e.stdout, "    "+article.Title)
		}
		for _, try := range d.Attempts {
			fmt.Fprintf(e.stdout, "    %s  %s: %s\n", minute(try.At), try.Outcome, replied(try.Code, try.Reply))
		}
	}
	return nil
}

func contactNotices(e *env, f app.ContactFile) error {
	var rows [][]string
	for _, n := range f.Notices {
		state := strings.ReplaceAll(n.State, "_", " ")
		if n.BouncedAt != nil {
			state += ", bounced (" + strings.TrimSpace(string(n.BounceKind)+" "+n.BounceStatus) + ")"
		}
		rows = append(rows, []string{minute(n.MadeAt), n.List, n.Kind, state, replied(n.Code, n.Reply)})
	}
	return section(e, "Notices", []string{"when", "list", "notice", "state", "answer"}, rows)
}

func settled(d app.Received) string {
	if d.SettledAt == nil {
		return ""
	}
	return " " + minute(*d.SettledAt)
}

type contactEraseCmd struct {
	Email string `arg:"" help:"Address of the contact."`
	Yes   bool   `help:"Do not ask."`
}

func (c *contactEraseCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		file, err := a.ContactFile(ctx, c.Email)
		if err != nil {
			return err
		}
		if !c.Yes {
			fmt.Fprintln(e.stdout, whatErasingDoes(file))
			if err := confirm(e, os.Stdin, "Write yes to erase: ", "nothing was erased"); err != nil {
				return err
			}
		}
		erased, err := a.EraseContact(ctx, c.Email, byHand)
		if err != nil {
			return err
		}
		fmt.Fprintln(e.stdout, whatWasErased(erased.Before))
		for _, place := range erased.Mentions {
			fmt.Fprintf(e.stdout, "The address still stands in %s, in somebody's own words.\n", place)
		}
		return nil
	})
}

// whatErasingDoes says what would go and what would stay.
func whatErasingDoes(f app.ContactFile) string {
	return fmt.Sprintf("Erasing %s cannot be undone.\nGoes: %s.\nStays, under the number %d alone: %s. A keyed hash of the address keeps imports from bringing it back.",
		person(f.Name, f.Email), whatGoes(f), f.ID, whatStays(f))
}

func whatWasErased(f app.ContactFile) string {
	return fmt.Sprintf("Erased: %s.\nLeft, under the number %d alone: %s. Backups keep what they hold.", whatGoes(f), f.ID, whatStays(f))
}

func whatGoes(f app.ContactFile) string {
	parts := []string{"address, name, languages and times"}
	for _, part := range []struct {
		n    int
		noun string
	}{
		{len(f.Attributes), "attribute"}, {len(f.Organisations), "membership"}, {len(f.Subscriptions), "subscription"}, {addressed(f), "suppression"},
	} {
		if part.n > 0 {
			parts = append(parts, counted(part.n, part.noun))
		}
	}
	return strings.Join(parts, ", ") + ", and the words of mail servers about it"
}

// addressed counts the suppressions of the address itself: those of its domain are not the contact's.
func addressed(f app.ContactFile) (n int) {
	for _, s := range f.Suppressions {
		if strings.Contains(s.Address, "@") {
			n++
		}
	}
	return n
}

func whatStays(f app.ContactFile) string {
	deliveries := thousands(len(f.Deliveries)) + " deliveries"
	if len(f.Deliveries) == 1 {
		deliveries = "1 delivery"
	}
	notices := ""
	if len(f.Notices) > 0 {
		notices = " and " + counted(len(f.Notices), "notice")
	}
	ends := 0
	for _, s := range f.Subscriptions {
		if s.State != subscribers.Unsubscribed {
			ends++
		}
	}
	return deliveries + notices + " in the account of messages and " + counted(len(f.Consents)+ends, "line") + " in the log of consents"
}

// confirm asks on a terminal. Where nobody can answer it says what to do instead. otherwise is what a refusal is told.
func confirm(e *env, in *os.File, question, otherwise string) error {
	if !isTerminal(in) {
		return errs.New(errs.Invalid, "%s: there is no terminal to ask on; give --yes", otherwise)
	}
	fmt.Fprint(e.stdout, question)
	answer, _ := bufio.NewReader(in).ReadString('\n')
	if strings.ToLower(strings.TrimSpace(answer)) != "yes" {
		return errs.New(errs.Invalid, "%s", otherwise)
	}
	return nil
}

// isTerminal reports whether somebody may sit at a file's other end.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
