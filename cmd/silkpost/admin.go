package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
)

type adminCmd struct {
	Create  adminCreateCmd  `cmd:"" help:"Make an account and print a link with which its password is chosen, once."`
	List    adminListCmd    `cmd:"" help:"List the accounts."`
	Link    adminLinkCmd    `cmd:"" help:"Print a new link to choose a password with; the account's sessions end."`
	Disable adminDisableCmd `cmd:"" help:"Keep an account from being used."`
}

type adminCreateCmd struct {
	Email    string   `arg:"" help:"Address of the account."`
	Name     string   `help:"Name of the person."`
	Language string   `help:"Language of their pages and mails, such as zh-Hans." placeholder:"TAG"`
	Roles    []string `help:"What they may do: owner, editor, approver, manager, reader." name:"role" default:"owner,approver" placeholder:"ROLE"`
	Lists    []string `help:"The only lists they may touch." name:"list" placeholder:"SLUG"`
}

func (c *adminCreateCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		lists, err := a.ListIDs(ctx, c.Lists)
		if err != nil {
			return err
		}
		account := accounts.Account{Email: c.Email, Name: c.Name, Language: c.Language, Lists: lists}
		for _, role := range c.Roles {
			account.Roles = append(account.Roles, accounts.Role(role))
		}
		id, err := a.Accounts.Create(ctx, account)
		if err != nil {
			return err
		}
		return e.printLink(ctx, a, id)
	})
}

// printLink prints a link with which an account's password is chosen.
func (e *env) printLink(ctx context.Context, a *app.App, id int64) error {
	secret, err := a.Accounts.MakeLink(ctx, id, accounts.ToSetPassword, accounts.LinkFor)
	if err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, a.LinkURL(secret))
	fmt.Fprintf(e.stdout, "Open it in a browser to choose a password. It works once, until %s.\n", minute(a.Clock.Now().Add(accounts.LinkFor)))
	if a.Config.PublicURL == "" {
		fmt.Fprintf(e.stdout, "No public URL is set: if silkpost listens elsewhere, write its address in place of %s.\n", a.PublicURL())
	}
	return nil
}

type adminListCmd struct {
	JSON bool `help:"As JSON." name:"json"`
}

// adminRow is an account as the command line shows it.
type adminRow struct {
	ID         int64      `json:"id"`
	Email      string     `json:"email"`
	Name       string     `json:"name"`
	Roles      []string   `json:"roles"`
	Lists      []string   `json:"lists"` // null: all
	State      string     `json:"state"`
	Factor     bool       `json:"second_factor"`
	SignedInAt *time.Time `json:"signed_in_at"`
}

func (c *adminListCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		all, err := a.Accounts.All(ctx)
		if err != nil {
			return err
		}
		shown := []adminRow{}
		for _, account := range all {
			lists, err := a.ListSlugs(ctx, account.Lists)
			if err != nil {
				return err
			}
			row := adminRow{ID: account.ID, Email: account.Email, Name: account.Name, Lists: lists, State: string(account.State), Factor: account.Factor, SignedInAt: account.SignedInAt}
			for _, role := range account.Roles {
				row.Roles = append(row.Roles, string(role))
			}
			shown = append(shown, row)
		}
		if c.JSON {
			return printJSON(e.stdout, shown)
		}
		if len(shown) == 0 {
			fmt.Fprintln(e.stdout, "There is no account yet: silkpost admin create ADDRESS makes one.")
			return nil
		}
		rows := [][]string{{"address", "roles", "lists", "state", "second factor", "signed in"}}
		for _, row := range shown {
			signedIn, factor, lists := "never", "no", "all"
			if row.SignedInAt != nil {
				signedIn = row.SignedInAt.Format("2006-01-02 15:04")
			}
			if row.Factor {
				factor = "yes"
			}
			if row.Lists != nil {
				lists = strings.Join(row.Lists, ", ")
			}
			rows = append(rows, []string{row.Email, strings.Join(row.Roles, ", "), lists, row.State, factor, signedIn})
		}
		return table(e.stdout, rows...)
	})
}

type adminLinkCmd struct {
	Email       string `arg:"" help:"Address of the account."`
	ResetFactor bool   `help:"Take the second factor away as well, for who has lost phone and recovery codes." name:"reset-second-factor"`
}

func (c *adminLinkCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		account, err := a.Accounts.ByEmail(ctx, c.Email)
		if err != nil {
			return err
		}
		if c.ResetFactor {
			if err := a.Accounts.ResetFactor(ctx, account.ID); err != nil {
				return err
			}
		}
		if err := a.Accounts.EndOthers(ctx, account.ID, 0); err != nil {
			return err
		}
		return e.printLink(ctx, a, account.ID)
	})
}

type adminDisableCmd struct {
	Email string `arg:"" help:"Address of the account."`
}

func (c *adminDisableCmd) Run(e *env) error {
	return e.open(func(ctx context.Context, a *app.App) error {
		account, err := a.Accounts.ByEmail(ctx, c.Email)
		if err != nil {
			return err
		}
		return a.Accounts.Disable(ctx, account.ID)
	})
}
