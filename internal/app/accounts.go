package app

import (
	"context"
	"slices"
	"strconv"

	"silkpost/internal/accounts"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

// CommandLine is what the log calls who works at the command line.
const CommandLine = "command line"

// ListIDs returns the ids of lists; nil for none, which is all of them.
func (a *App) ListIDs(ctx context.Context, slugs []string) (ids []int64, err error) {
	for _, slug := range slugs {
		list, err := subscribers.ListBySlug(ctx, a.DB, slug)
		if err != nil {
			return nil, err
		}
		ids = append(ids, list.ID)
	}
	return ids, nil
}

// ListSlugs returns the slugs of lists, or their number where there is no such list any more; nil for nil.
func (a *App) ListSlugs(ctx context.Context, ids []int64) (slugs []string, err error) {
	if ids == nil {
		return nil, nil
	}
	lists, err := subscribers.Lists(ctx, a.DB)
	slugs = []string{}
	for _, id := range ids {
		slug := "#" + strconv.FormatInt(id, 10)
		if at := slices.IndexFunc(lists, func(l subscribers.List) bool { return l.ID == id }); at >= 0 {
			slug = lists[at].Slug
		}
		slugs = append(slugs, slug)
	}
	return slugs, err
}

// DemoOwner is the address of the demo's account.
const DemoOwner = "owner@demo.example"

// DemoLink makes sure that the demo has an account that may do everything, and returns a link that signs in as it, once.
func (a *App) DemoLink(ctx context.Context) (string, error) {
	owner, err := a.Accounts.ByEmail(ctx, DemoOwner)
	if errs.KindOf(err) == errs.NotFound && err != nil {
		owner.ID, err = a.Accounts.Create(ctx, accounts.Account{Email: DemoOwner, Roles: []accounts.Role{accounts.Owner, accounts.Approver}})
	}
	if err != nil {
		return "", err
	}
	secret, err := a.Accounts.MakeLink(ctx, owner.ID, accounts.ToSignIn, accounts.LinkFor)
	if err != nil {
		return "", err
	}
	return a.LinkURL(secret), nil
}
