package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/accounts"
	"silkpost/internal/database"
	"silkpost/subscribers"
)

// Organisation is a partner.
type Organisation struct {
	ID int64 `json:"id"`
	OrganisationFields
	CreatedAt time.Time `json:"created_at"`
}

// OrganisationFields are what is known of an organisation.
type OrganisationFields struct {
	Name        string            `json:"name"`
	Names       map[string]string `json:"names" doc:"Names in other languages, by language."`
	Country     string            `json:"country" doc:"ISO 3166-1 alpha-2; empty: unknown."`
	WebSite     string            `json:"web_site"`
	Languages   []string          `json:"languages" doc:"BCP 47, the best first."`
	Kind        string            `json:"kind" doc:"In your own words, such as museum or university."`
	AgreedOn    string            `json:"agreed_on" doc:"The agreement with it holds from this day on; empty: unknown."`
	AgreedUntil string            `json:"agreed_until" doc:"The last day; empty: without end."`
	Notes       string            `json:"notes"`
	Tags        []string          `json:"tags"`
}

// organisationFor shows organisations to who asks: notes may be about anything, and are not for who is confined to lists.
func organisationFor(ctx context.Context) func(o *subscribers.Organisation) Organisation {
	return func(o *subscribers.Organisation) Organisation {
		out := organisationOf(o)
		if actorOf(ctx).Lists != nil {
			out.Notes = ""
		}
		return out
	}
}

func organisationOf(o *subscribers.Organisation) Organisation {
	names := map[string]string(o.Names)
	if names == nil {
		names = map[string]string{}
	}
	return Organisation{ID: o.ID, CreatedAt: o.CreatedAt.UTC(), OrganisationFields: OrganisationFields{
		Name: o.Name, Names: names, Country: o.Country, WebSite: o.WebSite, Languages: list(o.Languages), Kind: o.Kind,
		AgreedOn: string(o.AgreedOn), AgreedUntil: string(o.AgreedUntil), Notes: o.Notes, Tags: list(o.Tags),
	}}
}

// OrganisationInput says what is to be known of an organisation. What is left out stays as it is.
type OrganisationInput struct {
	Name        *string            `json:"name,omitempty" minLength:"1" maxLength:"300"`
	Names       *map[string]string `json:"names,omitempty" maxProperties:"100" doc:"Names in other languages, by language; all of them."`
	Country     *string            `json:"country,omitempty" maxLength:"100" doc:"ISO 3166-1 alpha-2, or a name."`
	WebSite     *string            `json:"web_site,omitempty" maxLength:"2000"`
	Languages   *[]string          `json:"languages,omitempty" maxItems:"20" doc:"BCP 47, the best first."`
	Kind        *string            `json:"kind,omitempty" maxLength:"300" doc:"In your own words, such as museum or university."`
	AgreedOn    *string            `json:"agreed_on,omitempty" maxLength:"10" example:"2026-03-01"`
	AgreedUntil *string            `json:"agreed_until,omitempty" maxLength:"10" example:"2028-02-29"`
	Notes       *string            `json:"notes,omitempty" maxLength:"2000"`
	Tags        *[]string          `json:"tags,omitempty" maxItems:"50"`
}

// over lays what is given over what is there.
func (in *OrganisationInput) over(o subscribers.Organisation) subscribers.Organisation {
	set(&o.Name, in.Name)
	set(&o.Country, in.Country)
	set(&o.WebSite, in.WebSite)
	set(&o.Kind, in.Kind)
	set(&o.Notes, in.Notes)
	set((*string)(&o.AgreedOn), in.AgreedOn)
	set((*string)(&o.AgreedUntil), in.AgreedUntil)
	set((*[]string)(&o.Languages), in.Languages)
	set((*[]string)(&o.Tags), in.Tags)
	set((*map[string]string)(&o.Names), in.Names)
	return o
}

// set gives a field the value that was given, if one was.
func set[T any](field, given *T) {
	if given != nil {
		*field = *given
	}
}

func (s *site) organisationOperations() []operation {
	const group = "organisations"
	return []operation{
		{
			id: "list-organisations", on: "GET /organisations", needs: accounts.Read, group: group, title: "List organisations",
			says: "A key that is confined to lists sees those that somebody on one of them belongs to.", register: does(s, s.listOrganisations),
		},
		{
			id: "create-organisation", on: "POST /organisations", needs: accounts.People, whole: true, group: group, title: "Add an organisation",
			status: http.StatusCreated, errors: []int{http.StatusConflict}, register: does(s, s.createOrganisation),
		},
		{
			id: "get-organisation", on: "GET /organisations/{id}", needs: accounts.Read, group: group, title: "Get an organisation",
			errors: []int{http.StatusNotFound}, register: does(s, s.getOrganisation),
		},
		{
			id: "change-organisation", on: "PATCH /organisations/{id}", needs: accounts.People, whole: true, match: true, group: group, title: "Change an organisation",
			says: "What is left out stays as it is.", errors: []int{http.StatusNotFound, http.StatusConflict}, register: does(s, s.changeOrganisation),
		},
	}
}

func (s *site) listOrganisations(ctx context.Context, in *struct{ Paging }) (*Listed[Organisation], error) {
	var after int64
	if err := in.after(&after); err != nil {
		return nil, err
	}
	found, err := subscribers.OrganisationsAfter(ctx, s.App.DB, actorOf(ctx).Lists, after, in.most())
	if err != nil {
		return nil, err
	}
	return page(in.Paging, found, organisationFor(ctx), func(o *subscribers.Organisation) any { return o.ID })
}

// AtID is an address with a number in it.
type AtID struct {
	ID int64 `path:"id" minimum:"1"`
}

func (s *site) getOrganisation(ctx context.Context, in *AtID) (*Record[Organisation], error) {
	if err := s.within(ctx, in.ID); err != nil {
		return nil, err
	}
	o, err := subscribers.OrganisationByID(ctx, s.App.DB, in.ID)
	if err != nil {
		return nil, err
	}
	return record(organisationFor(ctx)(&o))
}

// within refuses an organisation that nobody on one of the key's lists belongs to.
func (s *site) within(ctx context.Context, organisation int64) error {
	mine, err := subscribers.IsWithin(ctx, s.App.DB, organisation, actorOf(ctx).Lists)
	if err == nil && !mine {
		err = errNotThere
	}
	return err
}

func showOrganisation(id *int64, status int) func(ctx context.Context, h database.Handle) (*Answer[Organisation], error) {
	return func(ctx context.Context, h database.Handle) (*Answer[Organisation], error) {
		o, err := subscribers.OrganisationByID(ctx, h, *id)
		if err != nil {
			return nil, err
		}
		out, err := answer(status, organisationOf(&o))
		out.Location = fmt.Sprintf("%s/organisations/%d", base, *id)
		return out, err
	}
}

type createOrganisationInput struct {
	Body struct {
		OrganisationInput
		Name string `json:"name" minLength:"1" maxLength:"300" doc:"The one that it is known by."`
	}
}

func (s *site) createOrganisation(ctx context.Context, in *createOrganisationInput) (*Answer[Organisation], error) {
	var id int64
	in.Body.OrganisationInput.Name = &in.Body.Name
	return change(ctx, s, func(ctx context.Context) error {
		return s.transact(ctx, func(tx *sqlx.Tx) (err error) {
			id, err = subscribers.MakeOrganisation(ctx, tx, in.Body.over(subscribers.Organisation{}), s.App.Clock.Now())
			return err
		})
	}, showOrganisation(&id, http.StatusCreated))
}

// transact does something in a transaction.
func (s *site) transact(ctx context.Context, do func(tx *sqlx.Tx) error) error {
	return database.Transact(ctx, s.App.DB, do)
}

type changeOrganisationInput struct {
	AtID
	IfMatch string `header:"If-Match" doc:"The ETag that the organisation has."`
	Body    OrganisationInput
}

func (s *site) changeOrganisation(ctx context.Context, in *changeOrganisationInput) (*Answer[Organisation], error) {
	return change(ctx, s, func(ctx context.Context) error {
		return s.transact(ctx, func(tx *sqlx.Tx) error {
			return subscribers.AmendOrganisation(ctx, tx, in.ID, func(there subscribers.Organisation) (subscribers.Organisation, error) {
				return in.Body.over(there), callOf(ctx).unmoved(organisationOf(&there))
			})
		})
	}, showOrganisation(&in.ID, http.StatusOK))
}

// pathID returns the number in an address, 0 when it is none.
func pathID(r *http.Request) int64 {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0
	}
	return id
}
