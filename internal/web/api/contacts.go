package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/accounts"
	"silkpost/internal/database"
	"silkpost/subscribers"
)

// Contact is a person or an office with an address.
type Contact struct {
	ID            int64             `json:"id"`
	Email         string            `json:"email"`
	Name          string            `json:"name"`
	Languages     []string          `json:"languages" doc:"BCP 47, the best first; empty: each list's own."`
	TimeZone      string            `json:"time_zone" doc:"IANA; empty: each list's own."`
	DeliveryHour  string            `json:"delivery_hour" doc:"Local, such as 08:00; empty: each list's own."`
	Attributes    map[string]string `json:"attributes"`
	Organisations []Membership      `json:"organisations"`
	Subscriptions []Subscription    `json:"subscriptions" doc:"A key that is confined to lists sees those of its own."`
	CreatedAt     time.Time         `json:"created_at"`
}

// Membership is an organisation that a contact belongs to.
type Membership struct {
	Name    string `json:"name"`
	Country string `json:"country"`
}

func contactOf(c *subscribers.ContactRecord) Contact {
	out := Contact{
		ID: c.ID, Email: c.Email, Name: c.Name, Languages: list(c.Languages), TimeZone: c.TimeZone, DeliveryHour: c.DeliveryHour, Attributes: c.Attributes,
		Organisations: []Membership{}, Subscriptions: []Subscription{}, CreatedAt: c.CreatedAt.UTC(),
	}
	if out.Attributes == nil {
		out.Attributes = map[string]string{}
	}
	for _, o := range c.Organisations {
		out.Organisations = append(out.Organisations, Membership{o.Name, o.Country})
	}
	for i := range c.Subscriptions {
		out.Subscriptions = append(out.Subscriptions, subscriptionOf(&c.Subscriptions[i]))
	}
	return out
}

func (s *site) contactOperations() []operation {
	const group = "contacts"
	return []operation{
		{
			id: "list-contacts", on: "GET /contacts", needs: accounts.ReadPeople, group: group, title: "List contacts",
			says: "With `email` the one of that address. A key that is confined to lists sees who is on one of them, and of whom another list has what docs/accounts.md says.", register: does(s, s.listContacts),
		},
		{
			id: "get-contact", on: "GET /contacts/{id}", needs: accounts.ReadPeople, group: group, title: "Get a contact",
			errors: []int{http.StatusNotFound}, register: does(s, s.getContact),
		},
		{
			id: "change-contact", on: "PATCH /contacts/{id}", needs: accounts.People, of: s.listsOfContact, match: true, group: group, title: "Change a contact",
			says:   "What is left out stays as it is. The address changes by its owner's word alone. A key that is confined to lists may change whom no other list has.",
			errors: []int{http.StatusNotFound, http.StatusGone, http.StatusConflict}, register: does(s, s.changeContact),
		},
		{
			id: "erase-contact", on: "DELETE /contacts/{id}", needs: accounts.Administer, of: s.listsOfContact, group: group, title: "Erase a person",
			says: "For good and everywhere: what stays is that something was sent and agreed, of nobody who could be told, and what keeps the address from being mailed by mistake. " +
				"It wants no If-Match: who is to be erased is, whatever has changed.",
			errors: []int{http.StatusNotFound}, register: does(s, s.eraseContact),
		},
	}
}

// listsOfContact returns the lists that the contact in an address is on.
func (s *site) listsOfContact(ctx context.Context, r *http.Request) ([]int64, error) {
	return subscribers.ListsOf(ctx, s.App.DB, pathID(r))
}

type listContactsInput struct {
	Paging
	Email        string `query:"email" maxLength:"320" doc:"Of this address, however it is written."`
	Organisation int64  `query:"organisation" minimum:"1" doc:"Who belong to the one of this id."`
}

func (s *site) listContacts(ctx context.Context, in *listContactsInput) (*Listed[Contact], error) {
	if in.Email != "" {
		return s.contactByEmail(ctx, in)
	}
	var after int64
	if err := in.after(&after); err != nil {
		return nil, err
	}
	found, err := subscribers.ContactsAfter(ctx, s.App.DB, actorOf(ctx).Lists, in.Organisation, after, in.most())
	if err != nil {
		return nil, err
	}
	return page(in.Paging, found, contactOf, func(c *subscribers.ContactRecord) any { return c.ID })
}

func (s *site) contactByEmail(ctx context.Context, in *listContactsInput) (*Listed[Contact], error) {
	address, err := subscribers.ParseAddress(in.Email)
	if err != nil {
		return nil, wrongAt("query.email", err.Error())
	}
	id, err := subscribers.ContactIDByKey(ctx, s.App.DB, address)
	if err != nil || id == 0 {
		return &Listed[Contact]{Body: Page[Contact]{Items: []Contact{}}}, err
	}
	found, err := subscribers.ContactsAfter(ctx, s.App.DB, actorOf(ctx).Lists, in.Organisation, id-1, 1)
	if len(found) > 0 && found[0].ID != id {
		found = nil
	}
	if err != nil {
		return nil, err
	}
	return page(in.Paging, found, contactOf, func(c *subscribers.ContactRecord) any { return c.ID })
}

func (s *site) getContact(ctx context.Context, in *AtID) (*Record[Contact], error) {
	c, err := subscribers.ContactRecordOf(ctx, s.App.DB, in.ID, actorOf(ctx).Lists)
	if err != nil {
		return nil, err
	}
	return record(contactOf(&c))
}

type changeContactInput struct {
	AtID
	IfMatch string `header:"If-Match" doc:"The ETag that the contact has."`
	Body    struct {
		Name         *string            `json:"name,omitempty" maxLength:"300"`
		Languages    *[]string          `json:"languages,omitempty" maxItems:"10" doc:"BCP 47, the best first."`
		TimeZone     *string            `json:"time_zone,omitempty" maxLength:"100" doc:"IANA."`
		DeliveryHour *string            `json:"delivery_hour,omitempty" maxLength:"8" doc:"Local, such as 08:00."`
		Attributes   map[string]*string `json:"attributes,omitempty" maxProperties:"100" doc:"Those that are named change; null takes one away."`
	}
}

func (s *site) changeContact(ctx context.Context, in *changeContactInput) (*Answer[Contact], error) {
	show := func(ctx context.Context, h database.Handle) (*Answer[Contact], error) {
		c, err := subscribers.ContactRecordOf(ctx, h, in.ID, actorOf(ctx).Lists)
		if err != nil {
			return nil, err
		}
		out, err := answer(http.StatusOK, contactOf(&c))
		out.Location = fmt.Sprintf("%s/contacts/%d", base, in.ID)
		return out, err
	}
	return change(ctx, s, func(ctx context.Context) error {
		return s.transact(ctx, func(tx *sqlx.Tx) error {
			if _, err := subscribers.Hold(ctx, tx, in.ID); err != nil {
				return err
			}
			there, err := subscribers.ContactRecordOf(ctx, tx, in.ID, actorOf(ctx).Lists)
			if err != nil {
				return err
			}
			if err := callOf(ctx).unmoved(contactOf(&there)); err != nil {
				return err
			}
			b := in.Body
			return subscribers.AmendContact(ctx, tx, in.ID, subscribers.Amendment{
				Name: b.Name, Languages: b.Languages, TimeZone: b.TimeZone, DeliveryHour: b.DeliveryHour, Attributes: b.Attributes,
			})
		})
	}, show)
}

// Erased is what is left of a person.
type Erased struct {
	ID       int64    `json:"id"`
	Mentions []string `json:"mentions" doc:"Where the address still stands in somebody's own words, which nothing erases by itself."`
}

func (s *site) eraseContact(ctx context.Context, in *AtID) (*Record[Erased], error) {
	erased, err := s.App.EraseContactOf(ctx, in.ID, actorOf(ctx).Name)
	if err != nil {
		return nil, err
	}
	return record(Erased{ID: in.ID, Mentions: list(erased.Mentions)})
}
