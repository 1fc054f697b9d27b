package api

import (
	"context"
	"net/http"

	"silkpost/internal/accounts"
	"silkpost/subscribers"
)

// List is a mailing list.
type List struct {
	Slug             string            `json:"slug"`
	Name             map[string]string `json:"name" doc:"By language."`
	Description      map[string]string `json:"description" doc:"By language."`
	Sender           Sender            `json:"sender"`
	PostalAddress    string            `json:"postal_address"`
	Select           Selection         `json:"select" doc:"Which articles it sends."`
	Rhythms          []string          `json:"rhythms" doc:"Which it offers."`
	DefaultRhythm    string            `json:"default_rhythm"`
	TimeZone         string            `json:"time_zone"`
	EditorialHour    string            `json:"editorial_hour" doc:"When an edition is cut off, in the list's own zone."`
	DeliveryHour     string            `json:"delivery_hour" doc:"When it comes, in each contact's zone."`
	FallbackLanguage string            `json:"fallback_language"`
	Approval         bool              `json:"approval" doc:"Its editions wait for approval."`
	Public           bool              `json:"public" doc:"Anybody may subscribe."`
	OptIn            string            `json:"opt_in" enum:"single,double"`
}

// Sender is whom a list's mail is from.
type Sender struct {
	Name    string `json:"name"`
	Address string `json:"address" doc:"Empty: the list cannot send yet."`
	ReplyTo string `json:"reply_to"`
}

func words(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func listOf(l *subscribers.List) List {
	return List{
		Slug: l.Slug, Name: words(l.Name), Description: words(l.Description), Sender: Sender(l.Sender), PostalAddress: l.PostalAddress,
		Select: selectionOf(l.Selection), Rhythms: list(l.Rhythms), DefaultRhythm: l.DefaultRhythm, TimeZone: l.TimeZone, EditorialHour: l.EditorialHour,
		DeliveryHour: l.DeliveryHour, FallbackLanguage: l.FallbackLanguage, Approval: l.Approval, Public: l.Public, OptIn: l.OptIn,
	}
}

func (s *site) listOperations() []operation {
	const group = "lists"
	return []operation{
		{
			id: "list-lists", on: "GET /lists", needs: accounts.Read, group: group, title: "List the mailing lists",
			says: "A key that is confined to lists sees its own.", register: does(s, s.listLists),
		},
		{
			id: "get-list", on: "GET /lists/{slug}", needs: accounts.Read, of: s.listInPath, group: group, title: "Get a mailing list",
			register: does(s, s.getList),
		},
	}
}

func (s *site) listInPath(ctx context.Context, r *http.Request) ([]int64, error) {
	found, err := subscribers.ListBySlug(ctx, s.App.DB, r.PathValue("slug"))
	if err != nil {
		return nil, notThere // the error names all lists there are
	}
	return []int64{found.ID}, nil
}

func (s *site) listLists(ctx context.Context, in *struct{ Paging }) (*Listed[List], error) {
	var after string
	if err := in.after(&after); err != nil {
		return nil, err
	}
	all, err := subscribers.Lists(ctx, s.App.DB)
	if err != nil {
		return nil, err
	}
	actor := actorOf(ctx)
	var found []subscribers.List
	for _, l := range all {
		if l.Slug > after && len(found) < in.most() && actor.MayOn(accounts.Read, l.ID) {
			found = append(found, l)
		}
	}
	return page(in.Paging, found, listOf, func(l *subscribers.List) any { return l.Slug })
}

func (s *site) getList(ctx context.Context, in *AtSlug) (*Record[List], error) {
	l, err := subscribers.ListBySlug(ctx, s.App.DB, in.Slug)
	if err != nil {
		return nil, err
	}
	return record(listOf(&l))
}
