package app

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/database"
	"silkpost/subscribers"
)

// PrivateFeed is what a list sends an organisation, as a feed that nobody finds who was not given its address.
type PrivateFeed struct {
	ID           int64      `json:"id"`
	ListID       int64      `json:"-"`
	Organisation string     `json:"organisation"`
	List         string     `json:"list"` // slug
	CreatedAt    time.Time  `json:"created_at"`
	RevokedAt    *time.Time `json:"revoked_at"` // nil: served
}

// MakePrivateFeed makes a feed of what a list sends an organisation. Its addresses hold a token that is not kept: they cannot be told
// again.
func (a *App) MakePrivateFeed(ctx context.Context, organisation, list string) (f PrivateFeed, urls FeedURLs, err error) {
	var token string
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		o, err := subscribers.OrganisationByName(ctx, tx, organisation)
		if err != nil {
			return err
		}
		l, err := subscribers.ListBySlug(ctx, tx, list)
		if err != nil {
			return err
		}
		var made feeds.Private
		made, token, err = a.Feeds.MakePrivate(ctx, tx, o.ID, l.ID, a.Clock.Now())
		f = privateFeed(made, o.Name, l.Slug)
		return err
	})
	if err != nil {
		return PrivateFeed{}, FeedURLs{}, err
	}
	return f, FeedURLs{
		RSS:  feeds.PrivateURL(a.PublicURL(), token, feeds.RSS),
		Atom: feeds.PrivateURL(a.PublicURL(), token, feeds.Atom),
		JSON: feeds.PrivateURL(a.PublicURL(), token, feeds.JSON),
	}, nil
}

// PrivateFeeds returns all that were made, oldest first, also those that were revoked.
func (a *App) PrivateFeeds(ctx context.Context) (all []PrivateFeed, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		found, err := a.Feeds.Privates(ctx, h)
		if err != nil {
			return err
		}
		all, err = named(ctx, h, found)
		return err
	})
	return all, err
}

// RevokePrivateFeed ends a private feed for ever.
func (a *App) RevokePrivateFeed(ctx context.Context, id int64) (f PrivateFeed, err error) {
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		revoked, err := a.Feeds.Revoke(ctx, tx, id, a.Clock.Now())
		if err != nil {
			return err
		}
		shown, err := named(ctx, tx, []feeds.Private{revoked})
		if err == nil {
			f = shown[0]
		}
		return err
	})
	return f, err
}

// named says what the ids in private feeds stand for.
func named(ctx context.Context, h database.Handle, found []feeds.Private) ([]PrivateFeed, error) {
	lists, err := listSlugs(ctx, h)
	if err != nil {
		return nil, err
	}
	organisations, err := subscribers.Organisations(ctx, h)
	if err != nil {
		return nil, err
	}
	names := make(map[int64]string, len(organisations))
	for _, o := range organisations {
		names[o.ID] = o.Name
	}
	all := make([]PrivateFeed, len(found))
	for i, p := range found {
		all[i] = privateFeed(p, names[p.OrganisationID], lists[p.ListID])
	}
	return all, nil
}

func privateFeed(p feeds.Private, organisation, list string) PrivateFeed {
	f := PrivateFeed{ID: p.ID, ListID: p.ListID, Organisation: organisation, List: list, CreatedAt: p.CreatedAt.UTC()}
	if p.RevokedAt != nil {
		at := p.RevokedAt.UTC()
		f.RevokedAt = &at
	}
	return f
}
