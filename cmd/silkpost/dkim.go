package main

import (
	"context"
	"fmt"
	"io"

	"silkpost/internal/app"
	"silkpost/internal/doctor"
	"silkpost/mailer/dkim"
)

type dkimCmd struct {
	Create dkimCreateCmd `cmd:"" help:"Make a key for a domain, and print the record to publish. It does not sign yet."`
	List   dkimListCmd   `cmd:"" help:"The keys there are, with their records."`
	Use    dkimUseCmd    `cmd:"" help:"Let a key sign, instead of the one of its domain and algorithm that did."`
	Retire dkimRetireCmd `cmd:"" help:"End a key's signing."`
	Remove dkimRemoveCmd `cmd:"" help:"Delete a key that does not sign."`
	Reseal resealCmd     `cmd:"" hidden:"" help:"The same as silkpost reseal."`
}

// dkimKey names a key.
type dkimKey struct {
	Domain   string `arg:"" help:"Its domain."`
	Selector string `arg:"" help:"Its selector: silkpost dkim list shows it."`
}

// on does something with the key.
func (k *dkimKey) on(e *env, do func(ctx context.Context, a *app.App, key dkim.Key) error) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		key, err := a.Key(ctx, k.Domain, k.Selector)
		if err != nil {
			return err
		}
		return do(ctx, a, key)
	})
}

type dkimCreateCmd struct {
	Domain    string `arg:"" help:"The domain that mail is from, such as example.org."`
	Algorithm string `help:"rsa, which all receivers know, or ed25519, for use beside it." enum:"rsa,ed25519" default:"rsa"`
	Selector  string `help:"Its name; left out: one that says when it was made." placeholder:"S"`
	JSON      bool   `help:"Print JSON." name:"json"`
}

func (c *dkimCreateCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		key, err := a.MakeKey(ctx, c.Domain, c.Selector, dkim.Algorithm(c.Algorithm))
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e.stdout, shownKey(dkim.Lock{Key: key}))
		}
		fmt.Fprint(e.stdout, "Publish this record in the DNS:\n\n")
		printRecord(e.stdout, &key)
		_, err = fmt.Fprintf(e.stdout, "\nWhen it is there, silkpost dkim use %s %s lets the key sign.\n", key.Domain, key.Selector)
		return err
	})
}

// printRecord writes a key's record for forms, and for zone files.
func printRecord(w io.Writer, k *dkim.Key) {
	fmt.Fprintf(w, "name   %s\ntype   TXT\nvalue  %s\n\nIn a zone file:\n\n%s\n", k.Name(), k.Record(), k.Zone())
}

// keyShown is a key as JSON has it.
type keyShown struct {
	dkim.Key
	Name    string `json:"record_name"`
	Record  string `json:"record"`
	Zone    string `json:"zone"`
	Secret  int    `json:"secret_key"`        // which of the secret keys opens it; 0: the first
	Failure string `json:"failure,omitempty"` // why none does
}

func shownKey(l dkim.Lock) keyShown {
	return keyShown{Key: l.Key, Name: l.Name(), Record: l.Record(), Zone: l.Zone(), Secret: l.Secret, Failure: l.Failure}
}

type dkimListCmd struct {
	Records bool `help:"Print the records, too."`
	JSON    bool `help:"Print JSON." name:"json"`
}

func (c *dkimListCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		locks, err := a.Keys(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			shown := make([]keyShown, len(locks))
			for i, l := range locks {
				shown[i] = shownKey(l)
			}
			return printJSON(e.stdout, shown)
		}
		if len(locks) == 0 {
			_, err := fmt.Fprintln(e.stdout, "There are no keys: silkpost dkim create DOMAIN makes one. Without, signing is the relay's part.")
			return err
		}
		return c.print(e, locks)
	})
}

func (c *dkimListCmd) print(e *env, locks []dkim.Lock) error {
	rows := [][]string{{"domain", "selector", "algorithm", "state", "made", "signs since", "retired", "note"}}
	for _, l := range locks {
		since, retired, note := "", "", ""
		if l.UsedAt != nil {
			since = minute(*l.UsedAt)
		}
		if l.RetiredAt != nil {
			retired = minute(*l.RetiredAt)
		}
		switch {
		case l.Failure != "":
			note = "cannot be opened: " + l.Failure
		case l.Secret > 0:
			note = fmt.Sprintf("sealed with secret key %d of the list: silkpost reseal", l.Secret+1)
		}
		rows = append(rows, []string{l.Domain, l.Selector, string(l.Algorithm), string(l.State), minute(l.MadeAt), since, retired, note})
	}
	if err := table(e.stdout, rows...); err != nil || !c.Records {
		return err
	}
	for i := range locks {
		fmt.Fprintln(e.stdout)
		printRecord(e.stdout, &locks[i].Key)
	}
	return nil
}

type dkimUseCmd struct {
	dkimKey
	dnsFlag
	Unchecked bool `help:"Do not look whether its record is published."`
}

func (c *dkimUseCmd) Run(e *env) error {
	return c.on(e, func(ctx context.Context, a *app.App, key dkim.Key) error {
		if !c.Unchecked {
			if f := a.CheckKey(ctx, c.DNS, key); f.State != doctor.OK {
				printFinding(e, f)
				return errNotPublished
			}
		}
		retired, err := a.UseKey(ctx, key)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%s signs for %s, within two seconds everywhere.\n", key.Selector, key.Domain)
		for i := range retired {
			sayRetired(e.stdout, &retired[i])
		}
		return nil
	})
}

// sayRetired says what has to become of a retired key's record.
func sayRetired(w io.Writer, k *dkim.Key) {
	fmt.Fprintf(w, "%s of %s is retired. Leave its record %s for two weeks: mail that it signed is still under way.\n", k.Selector, k.Domain, k.Name())
}

type dkimRetireCmd struct{ dkimKey }

func (c *dkimRetireCmd) Run(e *env) error {
	return c.on(e, func(ctx context.Context, a *app.App, key dkim.Key) error {
		if err := a.RetireKey(ctx, key); err != nil {
			return err
		}
		sayRetired(e.stdout, &key)
		return nil
	})
}

type dkimRemoveCmd struct{ dkimKey }

func (c *dkimRemoveCmd) Run(e *env) error {
	return c.on(e, func(ctx context.Context, a *app.App, key dkim.Key) error {
		if err := a.RemoveKey(ctx, key); err != nil {
			return err
		}
		_, err := fmt.Fprintf(e.stdout, "%s of %s is deleted. Its record %s can go.\n", key.Selector, key.Domain, key.Name())
		return err
	})
}
