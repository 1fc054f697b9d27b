package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/doctor"
)

// dnsFlag says whom to ask about what is published.
type dnsFlag struct {
	DNS string `help:"DNS server to ask; left out: the machine's." placeholder:"ADDR" name:"dns"`
}

type doctorCmd struct {
	dnsFlag
	JSON     bool          `help:"Print JSON." name:"json"`
	All      bool          `help:"Also what is well."`
	SendTo   string        `help:"Send a test mail there from each list's sender, and say what the server that takes it makes of SPF, DKIM and DMARC; at the bounce domain it is our own." placeholder:"ADDR"`
	List     string        `help:"With --send-to: from this list's sender alone." placeholder:"SLUG"`
	Timeout  time.Duration `help:"With --send-to: how long to wait for an answer." default:"5m"`
	MailPort string        `help:"Port where the servers that bounces go to take mail." placeholder:"PORT" hidden:""`
}

// diagnosis is what the doctor says as JSON.
type diagnosis struct {
	OK       bool             `json:"ok"` // there is no problem
	Findings []doctor.Finding `json:"findings"`
}

func (c *doctorCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		examine := c.examine
		if c.SendTo != "" {
			examine = c.sendTo
			c.All = true // what passes is what was asked
		}
		found, err := examine(ctx, e, a)
		if err != nil && len(found) == 0 {
			return err
		}
		counts := map[doctor.State]int{}
		for _, f := range found {
			counts[f.State]++
		}
		healthy := counts[doctor.Problem] == 0
		if c.JSON {
			if err := printJSON(e.stdout, diagnosis{OK: healthy, Findings: found}); err != nil {
				return err
			}
		} else {
			c.print(e, found, counts)
		}
		if err == nil && !healthy {
			return fmt.Errorf("the doctor found %s", counted(counts[doctor.Problem], "problem"))
		}
		return err
	})
}

func (c *doctorCmd) examine(ctx context.Context, _ *env, a *app.App) ([]doctor.Finding, error) {
	return a.Doctor(ctx, app.DoctorOptions{DNS: c.DNS, MailPort: c.MailPort})
}

// sendTo sends test mails and waits for what is said of them.
func (c *doctorCmd) sendTo(ctx context.Context, e *env, a *app.App) ([]doctor.Finding, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	found, err := a.TryMail(ctx, app.TrialOptions{To: c.SendTo, List: c.List, Sent: func(sender, answerTo string) {
		if !c.JSON {
			fmt.Fprintf(e.stdout, "A mail from %s is on its way. An answer to it goes to %s.\n", sender, answerTo)
		}
	}})
	if errors.Is(err, context.DeadlineExceeded) {
		return found, fmt.Errorf("%w after %s: nothing was heard of a test mail; is silkpost serve running, did it arrive, was it answered, and does mail to the bounce domain reach us?",
			errTimedOut, c.Timeout)
	}
	return found, err
}

// print writes what is to be looked at, the gravest first.
func (c *doctorCmd) print(e *env, found []doctor.Finding, counts map[doctor.State]int) {
	states := []doctor.State{doctor.Problem, doctor.Warning, doctor.Note}
	if c.All {
		states = append(states, doctor.OK)
	}
	for _, state := range states {
		for _, f := range found {
			if f.State == state {
				printFinding(e, f)
			}
		}
	}
	fmt.Fprintf(e.stdout, "%s, %s, %s; %d checks are well.\n", counted(counts[doctor.Problem], "problem"), counted(counts[doctor.Warning], "warning"),
		counted(counts[doctor.Note], "note"), counts[doctor.OK])
}

// printFinding writes a finding as a paragraph, with its records as they are to be published.
func printFinding(e *env, f doctor.Finding) {
	head := string(f.State)
	if f.State == doctor.Problem {
		head = strings.ToUpper(head)
	}
	fmt.Fprintf(e.stdout, "%s  %s: %s\n", head, f.Check, sayable(f.Says))
	if f.Means != "" {
		fmt.Fprintf(e.stdout, "  That means: %s.\n", sayable(f.Means))
	}
	if f.Do != "" {
		fmt.Fprintf(e.stdout, "  To do: %s.\n", sayable(f.Do))
	}
	for _, record := range f.Publish {
		fmt.Fprintf(e.stdout, "  Publish: %s\n", sayable(record))
	}
	if f.State != doctor.OK {
		fmt.Fprintln(e.stdout)
	}
}

// sayable has "?" for what a terminal could take for commands: records are anybody's.
func sayable(text string) string { return strings.Map(printable, text) }

var errNotPublished = errors.New("the key's record is not published as it should be: see above; --unchecked uses the key nevertheless")
