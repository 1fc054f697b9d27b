package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/accounts"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

// Subscription is a contact on a list.
type Subscription struct {
	ID          int64      `json:"id"`
	Contact     int64      `json:"contact" doc:"The contact's id."`
	List        string     `json:"list" doc:"Slug."`
	State       string     `json:"state" enum:"pending,active,paused,unsubscribed" doc:"Only an active one is mailed."`
	Rhythm      string     `json:"rhythm" enum:"immediate,daily,weekly,monthly"`
	Topics      []string   `json:"topics" doc:"Sections or tags; empty: all."`
	PausedUntil *time.Time `json:"paused_until" doc:"Null: not paused, or until they come back by themselves."`
	CreatedAt   time.Time  `json:"created_at"`
}

func subscriptionOf(r *subscribers.SubscriptionRecord) Subscription {
	out := Subscription{
		ID: r.ID, Contact: r.ContactID, List: r.List, State: string(r.State), Rhythm: r.Rhythm, Topics: list(r.Topics), CreatedAt: r.CreatedAt.UTC(),
	}
	if r.PausedUntil != nil {
		until := r.PausedUntil.UTC()
		out.PausedUntil = &until
	}
	return out
}

func (s *site) subscriptionOperations() []operation {
	const group = "subscriptions"
	return []operation{
		{
			id: "list-subscriptions", on: "GET /subscriptions", needs: accounts.ReadPeople, group: group, title: "List subscriptions",
			register: does(s, s.listSubscriptions),
		},
		{
			id: "subscribe", on: "POST /subscriptions", needs: accounts.People, group: group, title: "Put somebody on a list",
			says: "With `consent` they are on it at once, and the statement is kept. Without, a mail asks them, if the list is public; they are on it when they say so. " +
				"Who is on it already stays as they are. Who left it, is suppressed or was erased is a conflict: only they can come back.",
			errors: []int{http.StatusNotFound, http.StatusConflict}, register: does(s, s.subscribe),
		},
		{
			id: "get-subscription", on: "GET /subscriptions/{id}", needs: accounts.ReadPeople, of: s.listOfSubscription, group: group, title: "Get a subscription",
			register: does(s, s.getSubscription),
		},
		{
			id: "change-subscription", on: "PATCH /subscriptions/{id}", needs: accounts.People, of: s.listOfSubscription, match: true, group: group,
			title: "Change a subscription's rhythm or topics", errors: []int{http.StatusConflict}, register: does(s, s.changeSubscription),
		},
		{
			id: "unsubscribe", on: "POST /subscriptions/{id}/unsubscribe", needs: accounts.People, of: s.listOfSubscription, group: group,
			title: "Take somebody off a list", says: "They get nothing more from it, two seconds later at most. Only they can come back.",
			register: does(s, s.unsubscribe),
		},
	}
}

func (s *site) listOfSubscription(ctx context.Context, r *http.Request) ([]int64, error) {
	sub, err := subscribers.SubscriptionByID(ctx, s.App.DB, pathID(r))
	if err != nil {
		return nil, notThere
	}
	return []int64{sub.List.ID}, nil
}

// listID returns the id of a list that the actor may do something with; 0 for no list. location is where it was named.
func (s *site) listID(ctx context.Context, slug, location string, act accounts.Act) (int64, error) {
	if slug == "" {
		return 0, nil
	}
	found, err := subscribers.ListBySlug(ctx, s.App.DB, slug)
	if err != nil && errs.KindOf(err) != errs.NotFound {
		return 0, err
	}
	if err != nil || !actorOf(ctx).MayOn(act, found.ID) {
		return 0, wrongAt(location, "is no list, or none that this key is for")
	}
	return found.ID, nil
}

type listSubscriptionsInput struct {
	Paging
	List  string `query:"list" maxLength:"63" doc:"Slug."`
	State string `query:"state" enum:"pending,active,paused,unsubscribed"`
}

func (s *site) listSubscriptions(ctx context.Context, in *listSubscriptionsInput) (*Listed[Subscription], error) {
	var after int64
	if err := in.after(&after); err != nil {
		return nil, err
	}
	id, err := s.listID(ctx, in.List, "query.list", accounts.ReadPeople)
	if err != nil {
		return nil, err
	}
	found, err := subscribers.SubscriptionsAfter(ctx, s.App.DB, actorOf(ctx).Lists, id, subscribers.State(in.State), after, in.most())
	if err != nil {
		return nil, err
	}
	return page(in.Paging, found, subscriptionOf, func(r *subscribers.SubscriptionRecord) any { return r.ID })
}

// Consent is the record of somebody's word.
type Consent struct {
	Statement string `json:"statement" minLength:"1" maxLength:"2000" doc:"On what basis they may be mailed: the words they agreed to, or what was agreed where."`
	Origin    string `json:"origin,omitempty" maxLength:"2000" doc:"Where that was, such as the form's name."`
}

type subscribeInput struct {
	Body struct {
		List      string   `json:"list" maxLength:"63" doc:"Slug."`
		Email     string   `json:"email" maxLength:"320"`
		Name      string   `json:"name,omitempty" maxLength:"300" doc:"Of somebody new."`
		Languages []string `json:"languages,omitempty" maxItems:"10" doc:"BCP 47, the best first; of somebody new."`
		Rhythm    string   `json:"rhythm,omitempty" enum:"immediate,daily,weekly,monthly" doc:"Left out, the list's usual one."`
		Topics    []string `json:"topics,omitempty" maxItems:"50" doc:"Sections or tags; left out, all."`
		Consent   *Consent `json:"consent,omitempty" doc:"Left out, a mail asks them."`
	}
}

func (s *site) subscribe(ctx context.Context, in *subscribeInput) (*Answer[Subscription], error) {
	b, actor := in.Body, actorOf(ctx)
	address, err := subscribers.ParseAddress(b.Email)
	if err != nil {
		return nil, wrongAt("body.email", err.Error())
	}
	if _, err := s.listID(ctx, b.List, "body.list", accounts.People); err != nil {
		return nil, err
	}
	evidence := subscribers.Evidence{At: s.App.Clock.Now(), Method: subscribers.ByAdministrator, Actor: actor.Name}
	var id int64
	status := http.StatusOK
	do := func(ctx context.Context, tx *sqlx.Tx) error {
		evidence.Statement, evidence.Origin = b.Consent.Statement, b.Consent.Origin
		made, change, err := subscribers.Enrol(ctx, tx, subscribers.Enrolment{
			Address: address, Name: b.Name, Languages: b.Languages, List: b.List, Rhythm: b.Rhythm, Topics: b.Topics, Evidence: evidence,
		})
		if id = made; change == database.Added {
			status = http.StatusCreated
		}
		return err
	}
	if b.Consent == nil {
		do = func(ctx context.Context, tx *sqlx.Tx) error {
			evidence.Method, evidence.Origin = subscribers.ByForm, "API"
			joined, err := subscribers.Join(ctx, tx, subscribers.JoinRequest{
				Address: address, Name: b.Name, Languages: b.Languages, Evidence: evidence,
				Wants: []subscribers.Want{{List: b.List, Rhythm: b.Rhythm, Topics: b.Topics}},
			})
			if err != nil {
				return err
			}
			id, status = joined[0].Subscription, http.StatusAccepted
			if !joined[0].Mail {
				return nil
			}
			return s.App.SendConfirmation(ctx, tx, id)
		}
	}
	return change(ctx, s, func(ctx context.Context) error {
		return s.transact(ctx, func(tx *sqlx.Tx) error { return do(ctx, tx) })
	}, func(ctx context.Context, h database.Handle) (*Answer[Subscription], error) {
		return showSubscription(id, status)(ctx, h)
	})
}

func showSubscription(id int64, status int) func(ctx context.Context, h database.Handle) (*Answer[Subscription], error) {
	return func(ctx context.Context, h database.Handle) (*Answer[Subscription], error) {
		r, err := subscribers.SubscriptionRecordOf(ctx, h, id)
		if err != nil {
			return nil, err
		}
		out, err := answer(status, subscriptionOf(&r))
		out.Location = fmt.Sprintf("%s/subscriptions/%d", base, id)
		return out, err
	}
}

func (s *site) getSubscription(ctx context.Context, in *AtID) (*Record[Subscription], error) {
	r, err := subscribers.SubscriptionRecordOf(ctx, s.App.DB, in.ID)
	if err != nil {
		return nil, err
	}
	return record(subscriptionOf(&r))
}

type changeSubscriptionInput struct {
	AtID
	IfMatch string `header:"If-Match" doc:"The ETag that the subscription has."`
	Body    struct {
		Rhythm *string   `json:"rhythm,omitempty" enum:"immediate,daily,weekly,monthly"`
		Topics *[]string `json:"topics,omitempty" maxItems:"50" doc:"Sections or tags; empty: all."`
	}
}

func (s *site) changeSubscription(ctx context.Context, in *changeSubscriptionInput) (*Answer[Subscription], error) {
	return change(ctx, s, func(ctx context.Context) error {
		return s.transact(ctx, func(tx *sqlx.Tx) error {
			there, err := subscribers.SubscriptionRecordOf(ctx, tx, in.ID)
			if err != nil {
				return err
			}
			if _, err := subscribers.Hold(ctx, tx, there.ContactID); err != nil {
				return err
			}
			if there, err = subscribers.SubscriptionRecordOf(ctx, tx, in.ID); err != nil {
				return err
			}
			if err := callOf(ctx).unmoved(subscriptionOf(&there)); err != nil {
				return err
			}
			rhythm, topics := there.Rhythm, []string(there.Topics)
			set(&rhythm, in.Body.Rhythm)
			set(&topics, in.Body.Topics)
			if err := subscribers.SetDelivery(ctx, tx, in.ID, rhythm, topics); errs.KindOf(err) == errs.Invalid && err != nil {
				return wrongAt("body", err.Error())
			} else if err != nil {
				return err
			}
			return nil
		})
	}, showSubscription(in.ID, http.StatusOK))
}

type unsubscribeInput struct {
	AtID
	Body *struct {
		Reason string `json:"reason,omitempty" maxLength:"2000" doc:"Kept in the log of consents."`
	}
}

func (s *site) unsubscribe(ctx context.Context, in *unsubscribeInput) (*Answer[Subscription], error) {
	e := subscribers.Evidence{At: s.App.Clock.Now(), Method: subscribers.ByAdministrator, Actor: actorOf(ctx).Name, Origin: "API"}
	if in.Body != nil {
		e.Statement = in.Body.Reason
	}
	return change(ctx, s, func(ctx context.Context) error {
		return s.transact(ctx, func(tx *sqlx.Tx) error { return subscribers.Unsubscribe(ctx, tx, in.ID, e) })
	}, showSubscription(in.ID, http.StatusOK))
}
