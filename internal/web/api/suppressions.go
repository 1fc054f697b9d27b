package api

import (
	"context"
	"net/http"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/accounts"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

// Suppression keeps an address or a domain from being mailed.
type Suppression struct {
	ID      int64     `json:"id"`
	Address string    `json:"address,omitempty" doc:"Left out for a domain, and for an address that was erased."`
	Domain  string    `json:"domain,omitempty"`
	Reason  string    `json:"reason" enum:"hard bounce,complaint,manual,erased" doc:"Only a manual one can be lifted here."`
	Origin  string    `json:"origin"`
	At      time.Time `json:"at"`
}

func suppressionOf(x *subscribers.Suppression) Suppression {
	return Suppression{ID: x.ID, Address: x.Address, Domain: x.Domain, Reason: string(x.Reason), Origin: x.Origin, At: x.At.UTC()}
}

func (s *site) suppressionOperations() []operation {
	const group = "suppressions"
	return []operation{
		{
			id: "list-suppressions", on: "GET /suppressions", needs: accounts.ReadPeople, whole: true, group: group, title: "List suppressions",
			says: "Those in force, the newest first.", register: does(s, s.listSuppressions),
		},
		{
			id: "suppress", on: "POST /suppressions", needs: accounts.People, whole: true, group: group, title: "Suppress an address or a domain",
			says: "Nothing is sent there by any list, two seconds later at most.", register: does(s, s.suppress),
		},
		{
			id: "lift-suppression", on: "DELETE /suppressions/{whom}", needs: accounts.People, whole: true, group: group, title: "Lift a manual suppression",
			status: http.StatusNoContent, errors: []int{http.StatusNotFound, http.StatusConflict}, register: does(s, s.liftSuppression),
		},
	}
}

func (s *site) listSuppressions(ctx context.Context, in *struct{ Paging }) (*Listed[Suppression], error) {
	var before int64
	if err := in.after(&before); err != nil {
		return nil, err
	}
	found, err := subscribers.Suppressions(ctx, s.App.DB, before, in.most())
	if err != nil {
		return nil, err
	}
	return page(in.Paging, found, suppressionOf, func(x *subscribers.Suppression) any { return x.ID })
}

type suppressInput struct {
	Body struct {
		Whom   string `json:"whom" minLength:"1" maxLength:"320" doc:"An address, or a domain."`
		Reason string `json:"reason,omitempty" enum:"hard bounce,complaint,manual" doc:"Left out, manual."`
		Origin string `json:"origin,omitempty" maxLength:"2000" doc:"Where that comes from. Left out, the key."`
	}
}

// Suppressed says what suppressing did.
type Suppressed struct {
	Whom   string `json:"whom"`
	Change string `json:"change" enum:"added,unchanged"`
}

func (s *site) suppress(ctx context.Context, in *suppressInput) (*Answer[Suppressed], error) {
	b := in.Body
	if b.Reason == "" {
		b.Reason = string(subscribers.Manual)
	}
	if b.Origin == "" {
		b.Origin = actorOf(ctx).Name
	}
	var did database.Change
	return change(ctx, s, func(ctx context.Context) error {
		err := s.transact(ctx, func(tx *sqlx.Tx) (err error) {
			did, err = subscribers.Suppress(ctx, tx, b.Whom, subscribers.Reason(b.Reason), b.Origin, s.App.Clock.Now())
			return err
		})
		if err != nil && errs.KindOf(err) == errs.Invalid {
			return wrongAt("body.whom", err.Error())
		}
		return err
	}, func(context.Context, database.Handle) (*Answer[Suppressed], error) {
		status := http.StatusOK
		if did == database.Added {
			status = http.StatusCreated
		}
		return &Answer[Suppressed]{Status: status, Body: Suppressed{Whom: b.Whom, Change: string(did)}}, nil
	})
}

type liftSuppressionInput struct {
	Whom string `path:"whom" maxLength:"320" doc:"The address or domain."`
}

func (s *site) liftSuppression(ctx context.Context, in *liftSuppressionInput) (*struct{}, error) {
	return nil, s.transact(ctx, func(tx *sqlx.Tx) error {
		return subscribers.Lift(ctx, tx, in.Whom, actorOf(ctx).Name, s.App.Clock.Now())
	})
}
