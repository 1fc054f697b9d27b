package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/database"
	"silkpost/subscribers"
)

// PrivateFeed is what a list sends an organisation, as a feed that nobody finds who was not given its address.
type PrivateFeed struct {
	ID        int64      `json:"id"`
	List      string     `json:"list" doc:"Slug."`
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at" doc:"Null: it is served."`
	URLs      *FeedURLs  `json:"urls,omitempty" doc:"Told once, to whom it is made for: they are not kept."`
}

func privateFeedOf(f *app.PrivateFeed) PrivateFeed {
	return PrivateFeed{ID: f.ID, List: f.List, CreatedAt: f.CreatedAt, RevokedAt: f.RevokedAt}
}

func (s *site) privateFeedOperations() []operation {
	const group = "organisations"
	return []operation{
		{
			id: "list-private-feeds", on: "GET /organisations/{id}/private-feeds", needs: accounts.ReadPeople, group: group, title: "List an organisation's private feeds",
			says: "Also those that were revoked. A key that is confined to lists sees those of its own.", errors: []int{http.StatusNotFound}, register: does(s, s.listPrivateFeeds),
		},
		{
			id: "create-private-feed", on: "POST /organisations/{id}/private-feeds", needs: accounts.People, group: group, title: "Make a private feed", status: http.StatusCreated,
			says: "Of what a list sends the organisation, in its languages. Its addresses are told this once, and not again to the same call under its Idempotency-Key: " +
				"whoever lost them revokes the feed and makes another.",
			errors: []int{http.StatusNotFound}, register: does(s, s.createPrivateFeed),
		},
		{
			id: "revoke-private-feed", on: "DELETE /organisations/{id}/private-feeds/{feed}", needs: accounts.People, of: s.listOfPrivateFeed, group: group,
			title: "Revoke a private feed", says: "For ever: its addresses say that it is gone.", status: http.StatusNoContent, register: does(s, s.revokePrivateFeed),
		},
	}
}

// listOfPrivateFeed returns the list of the feed in an address.
func (s *site) listOfPrivateFeed(ctx context.Context, r *http.Request) ([]int64, error) {
	all, err := s.App.Feeds.PrivatesOf(ctx, s.App.DB, pathID(r))
	for _, f := range all {
		if strconv.FormatInt(f.ID, 10) == r.PathValue("feed") {
			return []int64{f.ListID}, nil
		}
	}
	if err == nil {
		err = errNotThere
	}
	return nil, err
}

type listPrivateFeedsInput struct {
	AtID
	Paging
}

func (s *site) listPrivateFeeds(ctx context.Context, in *listPrivateFeedsInput) (*Listed[PrivateFeed], error) {
	var after int64
	if err := in.after(&after); err != nil {
		return nil, err
	}
	if err := s.within(ctx, in.ID); err != nil {
		return nil, err
	}
	all, err := s.App.PrivateFeedsOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	actor := actorOf(ctx)
	all = slices.DeleteFunc(all, func(f app.PrivateFeed) bool { return f.ID <= after || !actor.MayOn(accounts.ReadPeople, f.ListID) })
	return page(in.Paging, all, privateFeedOf, func(f *app.PrivateFeed) any { return f.ID })
}

type createPrivateFeedInput struct {
	AtID
	Body struct {
		List string `json:"list" minLength:"1" maxLength:"63" doc:"Slug."`
	}
}

func (s *site) createPrivateFeed(ctx context.Context, in *createPrivateFeedInput) (*Answer[PrivateFeed], error) {
	if err := s.within(ctx, in.ID); err != nil {
		return nil, err
	}
	listID, err := s.listID(ctx, in.Body.List, "body.list", accounts.People)
	if err != nil {
		return nil, err
	}
	var made feeds.Private
	var token string
	out, err := change(ctx, s, func(ctx context.Context) error {
		return s.transact(ctx, func(tx *sqlx.Tx) (err error) {
			if _, err = subscribers.OrganisationByID(ctx, tx, in.ID); err == nil {
				made, token, err = s.App.Feeds.MakePrivate(ctx, tx, in.ID, listID, s.App.Clock.Now())
			}
			return err
		})
	}, func(context.Context, database.Handle) (*Answer[PrivateFeed], error) {
		return &Answer[PrivateFeed]{Status: http.StatusCreated, Body: PrivateFeed{ID: made.ID, List: in.Body.List, CreatedAt: made.CreatedAt.UTC()}}, nil
	})
	if err == nil { // what is kept for the same call again has them not
		out.Body.URLs = s.urlsAt(feeds.PrivatePath(token))
	}
	return out, err
}

type revokePrivateFeedInput struct {
	AtID
	Feed int64 `path:"feed" minimum:"1"`
}

func (s *site) revokePrivateFeed(ctx context.Context, in *revokePrivateFeedInput) (*struct{}, error) {
	_, err := s.App.RevokePrivateFeed(ctx, in.Feed)
	return nil, err
}
