package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/accounts"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/mailer/compose"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// Edition is one digest of one list and rhythm for one date.
type Edition struct {
	ID         uuid.UUID      `json:"id"`
	List       string         `json:"list" doc:"Slug."`
	Rhythm     string         `json:"rhythm" enum:"immediate,daily,weekly,monthly,once" doc:"Once: made by hand."`
	Date       string         `json:"date" doc:"In the list's zone."`
	State      string         `json:"state" enum:"draft,review,approved,sending,sent,held,cancelled,skipped"`
	Reason     string         `json:"reason" doc:"Why it is held, cancelled or skipped."`
	Paused     bool           `json:"paused" doc:"Nothing of it goes out."`
	CutOff     time.Time      `json:"cut_off"`
	ApproveBy  *time.Time     `json:"approve_by" doc:"In review: after that its list says what becomes of it; null: it waits."`
	Articles   int            `json:"articles"`
	Variants   int            `json:"variants"`
	Recipients int            `json:"recipients"`
	Audience   string         `json:"audience" doc:"Whom it was narrowed to; empty: everybody."`
	Corrects   *uuid.UUID     `json:"corrects" doc:"Of a correction: the edition that it corrects."`
	CreatedAt  time.Time      `json:"created_at"`
	FinishedAt *time.Time     `json:"finished_at"`
	Contents   []EditionItem  `json:"contents,omitempty" doc:"Left out of lists."`
	Log        []EditionEntry `json:"log,omitempty" doc:"Who did what. Left out of lists."`
}

// EditionItem is an article in an edition.
type EditionItem struct {
	Group      int64  `json:"group" doc:"Of the article and its translations."`
	Slug       string `json:"slug" doc:"In the list's fallback language where it is in that."`
	Title      string `json:"title"`
	Recipients int    `json:"recipients"`
	Dropped    string `json:"dropped" doc:"later or never; empty: it is in."`
}

// EditionEntry is a line of an edition's log.
type EditionEntry struct {
	At    time.Time `json:"at"`
	Actor string    `json:"actor"`
	What  string    `json:"what"`
}

func editionOf(e *edition.Edition, slug string) Edition {
	utc := func(t *time.Time) *time.Time {
		if t == nil {
			return nil
		}
		u := t.UTC()
		return &u
	}
	return Edition{
		ID: e.ID, List: slug, Rhythm: e.Rhythm, Date: e.LocalDate.Format(time.DateOnly), State: string(e.State), Reason: e.Reason, Paused: e.Paused,
		CutOff: e.CutOff.UTC(), ApproveBy: utc(e.ApproveBy), Articles: e.Articles, Variants: e.Variants, Recipients: e.Recipients, Audience: e.Audience,
		Corrects: e.Corrects, CreatedAt: e.CreatedAt.UTC(), FinishedAt: utc(e.FinishedAt),
	}
}

func (s *site) editionOperations() []operation {
	const group = "editions"
	all := []operation{
		{
			id: "list-editions", on: "GET /editions", needs: accounts.Read, group: group, title: "List editions",
			says: "The newest first. A key that is confined to lists sees those of its own.", register: does(s, s.listEditions),
		},
		{
			id: "get-edition", on: "GET /editions/{id}", needs: accounts.Read, of: s.listOfEdition, group: group, title: "Get an edition",
			register: does(s, s.getEdition),
		},
		{
			id: "count-deliveries", on: "GET /editions/{id}/counts", needs: accounts.Read, of: s.listOfEdition, group: group, title: "Count an edition's deliveries by state",
			says: "`recipients` is always the sum of the eight states.", register: does(s, s.countDeliveries),
		},
		{
			id: "list-deliveries", on: "GET /editions/{id}/deliveries", needs: accounts.ReadPeople, of: s.listOfEdition, group: group, title: "List an edition's deliveries",
			says: "In the order of their contacts.", register: does(s, s.listDeliveries),
		},
	}
	for _, a := range []struct {
		act   string
		needs accounts.Act
		match bool
		title string
		says  string
		do    func(d *edition.Desk, ctx context.Context, id uuid.UUID, why string) error
	}{
		{
			"approve", accounts.Send, true, "Let an edition go out that waits in review", "If-Match says which state of it was looked at.",
			func(d *edition.Desk, ctx context.Context, id uuid.UUID, _ string) error { return d.Approve(ctx, id) },
		},
		{
			"release", accounts.Send, true, "Let an edition go out that is held", "If-Match says which state of it was looked at.",
			func(d *edition.Desk, ctx context.Context, id uuid.UUID, _ string) error { return d.Release(ctx, id) },
		},
		{
			"resume", accounts.Send, false, "Let a paused edition go on", "",
			func(d *edition.Desk, ctx context.Context, id uuid.UUID, _ string) error { return d.Resume(ctx, id) },
		},
		{
			"hold", accounts.Stop, false, "Stop an edition until it is released", "`reason` is kept with it.",
			func(d *edition.Desk, ctx context.Context, id uuid.UUID, why string) error {
				return d.Hold(ctx, id, why)
			},
		},
		{
			"pause", accounts.Stop, false, "Stop an edition for a while", "",
			func(d *edition.Desk, ctx context.Context, id uuid.UUID, _ string) error { return d.Pause(ctx, id) },
		},
		{
			"cancel", accounts.Stop, false, "End what has not gone yet of an edition", "Its articles are due again in the next one. `reason` is kept with it.",
			func(d *edition.Desk, ctx context.Context, id uuid.UUID, why string) error {
				return d.Cancel(ctx, id, why)
			},
		},
	} {
		all = append(all, operation{
			id: a.act + "-edition", on: "POST /editions/{id}/" + a.act, needs: a.needs, of: s.listOfEdition, match: a.match, group: group, title: a.title,
			says: a.says, errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
			register: does(s, func(ctx context.Context, in *deskInput) (*Answer[Edition], error) { return s.atDesk(ctx, in, a.do) }),
		})
	}
	return all
}

func (s *site) listOfEdition(ctx context.Context, r *http.Request) ([]int64, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return nil, notThere
	}
	e, err := edition.ByID(ctx, s.App.DB, id)
	if err != nil {
		return nil, notThere
	}
	return []int64{e.ListID}, nil
}

type listEditionsInput struct {
	Paging
	List  string `query:"list" maxLength:"63" doc:"Slug."`
	State string `query:"state" enum:"draft,review,approved,sending,sent,held,cancelled,skipped"`
}

func (s *site) listEditions(ctx context.Context, in *listEditionsInput) (*Listed[Edition], error) {
	var before uuid.UUID
	if err := in.after(&before); err != nil {
		return nil, err
	}
	actor := actorOf(ctx)
	id, err := s.listID(ctx, in.List, "query.list", accounts.Read)
	if err != nil {
		return nil, err
	}
	found, err := edition.OlderThan(ctx, s.App.DB, before, edition.Among{Lists: actor.Lists, List: id, State: edition.State(in.State)}, in.most())
	if err != nil {
		return nil, err
	}
	lists, err := subscribers.Lists(ctx, s.App.DB)
	if err != nil {
		return nil, err
	}
	slugs := map[int64]string{}
	for _, l := range lists {
		slugs[l.ID] = l.Slug
	}
	return page(in.Paging, found, func(e *edition.Edition) Edition { return editionOf(e, slugs[e.ListID]) }, func(e *edition.Edition) any { return e.ID })
}

// AtEdition is the address of an edition.
type AtEdition struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

func (s *site) getEdition(ctx context.Context, in *AtEdition) (*Record[Edition], error) {
	e, err := s.edition(ctx, s.App.DB, in.ID)
	if err != nil {
		return nil, err
	}
	return record(e)
}

// edition returns an edition with what is in it.
func (s *site) edition(ctx context.Context, h database.Handle, id uuid.UUID) (Edition, error) {
	e, err := edition.ByID(ctx, h, id)
	if err != nil {
		return Edition{}, err
	}
	l, err := subscribers.ListByID(ctx, h, e.ListID)
	if err != nil {
		return Edition{}, err
	}
	out := editionOf(&e, l.Slug)
	if out.Contents, err = s.contents(ctx, h, id, l.FallbackLanguage); err != nil {
		return Edition{}, err
	}
	entries, err := edition.Log(ctx, h, id)
	for _, entry := range entries {
		out.Log = append(out.Log, EditionEntry{entry.At.UTC(), entry.Actor, entry.What})
	}
	return out, err
}

func (s *site) contents(ctx context.Context, h database.Handle, id uuid.UUID, language string) (all []EditionItem, err error) {
	items, err := edition.Items(ctx, h, id)
	if err != nil {
		return nil, err
	}
	groups := make([]int64, len(items))
	for i, item := range items {
		groups[i] = item.GroupID
	}
	versions, err := s.App.Articles.Teasers(ctx, h, groups)
	if err != nil {
		return nil, err
	}
	shown := map[int64]*articles.Article{}
	for i := range versions {
		v := &versions[i]
		if known := shown[v.GroupID]; v.WithdrawnAt == nil && (known == nil || v.Language == language && known.Language != language) {
			shown[v.GroupID] = v
		}
	}
	for _, item := range items {
		one := EditionItem{Group: item.GroupID, Recipients: item.Recipients, Dropped: item.Dropped}
		if v := shown[item.GroupID]; v != nil {
			one.Slug, one.Title = v.Slug, v.Title
		}
		all = append(all, one)
	}
	return all, nil
}

type deskInput struct {
	AtEdition
	IfMatch string `header:"If-Match" doc:"The ETag that the edition has."`
	Body    *struct {
		Reason string `json:"reason,omitempty" maxLength:"1000" doc:"Of holding or cancelling it."`
	}
}

// atDesk does something to an edition that is as its caller has seen it.
func (s *site) atDesk(ctx context.Context, in *deskInput, do func(d *edition.Desk, ctx context.Context, id uuid.UUID, why string) error) (*Answer[Edition], error) {
	desk := s.App.Desk(actorOf(ctx).Name)
	desk.Check = func(ctx context.Context, h database.Handle, id uuid.UUID) error {
		there, err := s.edition(ctx, h, id)
		if err != nil {
			return err
		}
		return callOf(ctx).unmoved(there)
	}
	why := ""
	if in.Body != nil {
		why = in.Body.Reason
	}
	return change(ctx, s, func(ctx context.Context) error {
		return do(desk, ctx, in.ID, why)
	}, func(ctx context.Context, h database.Handle) (*Answer[Edition], error) {
		now, err := s.edition(ctx, h, in.ID)
		if err != nil {
			return nil, err
		}
		return answer(http.StatusOK, now)
	})
}

// Counts are an edition's deliveries by state.
type Counts struct {
	Recipients int `json:"recipients" doc:"The sum of the others."`
	Pending    int `json:"pending"`
	InFlight   int `json:"in_flight"`
	Deferred   int `json:"deferred"`
	Sent       int `json:"sent" doc:"Accepted by the next hop."`
	Failed     int `json:"failed"`
	Suppressed int `json:"suppressed"`
	Cancelled  int `json:"cancelled"`
	InDoubt    int `json:"in_doubt"`
}

func (s *site) countDeliveries(ctx context.Context, in *AtEdition) (*struct{ Body Counts }, error) {
	counts, err := ledger.CountOf(ctx, s.App.DB, in.ID)
	return &struct{ Body Counts }{Counts(counts)}, err
}

// Delivery is one edition to one contact.
type Delivery struct {
	Contact   int64      `json:"contact"`
	Email     string     `json:"email" doc:"Empty: the contact was erased."`
	State     string     `json:"state" enum:"pending,in_flight,deferred,sent,failed,suppressed,cancelled,in_doubt"`
	Attempts  int        `json:"attempts"`
	Code      int        `json:"code" doc:"Of the last SMTP reply; 0: none came."`
	Reply     string     `json:"reply"`
	NotBefore time.Time  `json:"not_before"`
	SettledAt *time.Time `json:"settled_at" doc:"The last outcome; null: none yet."`
	MessageID string     `json:"message_id" doc:"Empty until the message was made."`
	Language  string     `json:"language"`
	Articles  []int64    `json:"articles" doc:"Ids, in the digest's order."`
	Bounce    *Bounce    `json:"bounce,omitempty"`
}

// Bounce is what was reported of a delivery afterwards.
type Bounce struct {
	At         time.Time `json:"at"`
	Kind       string    `json:"kind" enum:"hard,soft,complaint,other"`
	Status     string    `json:"status" doc:"Enhanced status code (RFC 3463); empty: none was said."`
	Diagnostic string    `json:"diagnostic"`
}

func deliveryOf(id uuid.UUID, e *ledger.Entry) Delivery {
	out := Delivery{
		Contact: e.ContactID, Email: e.Email, State: e.State, Attempts: e.Attempts, Code: e.Code, Reply: e.Reply, NotBefore: e.NotBefore.UTC(),
		Language: e.Language, Articles: append([]int64{}, e.Articles...),
	}
	if e.SettledAt != nil {
		at := e.SettledAt.UTC()
		out.SettledAt = &at
	}
	if e.Sender != "" {
		out.MessageID = compose.MessageID(id, e.ContactID, e.Resent, e.Sender)
	}
	if e.BouncedAt != nil {
		out.Bounce = &Bounce{At: e.BouncedAt.UTC(), Kind: string(e.BounceKind), Status: e.BounceStatus, Diagnostic: e.BounceDiagnostic}
	}
	return out
}

type listDeliveriesInput struct {
	AtEdition
	Paging
	State string `query:"state" enum:"pending,in_flight,deferred,sent,failed,suppressed,cancelled,in_doubt"`
}

func (s *site) listDeliveries(ctx context.Context, in *listDeliveriesInput) (*Listed[Delivery], error) {
	var after int64
	if err := in.after(&after); err != nil {
		return nil, err
	}
	found, err := ledger.EntriesAfter(ctx, s.App.DB, in.ID, in.State, after, in.most())
	if err != nil {
		return nil, err
	}
	return page(in.Paging, found, func(e *ledger.Entry) Delivery { return deliveryOf(in.ID, e) }, func(e *ledger.Entry) any { return e.ContactID })
}
