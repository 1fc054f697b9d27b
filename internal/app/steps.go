package app

import (
	"context"

	"github.com/google/uuid"

	"silkpost/internal/database"
	"silkpost/mailer/edition"
	"silkpost/subscribers"
)

// Steps say how far somebody has come from nothing to the first digest.
type Steps struct {
	Source   bool // there is a source, or there are articles from files
	Articles bool
	List     string     // the slug of the list that can be sent for, else of the first there is; "": there is none
	Ready    bool       // that list can be sent for
	Partners bool       // somebody has an active subscription
	Edition  *uuid.UUID // one that waits for approval; nil: there is none
	LetGo    bool       // an edition was let go out
}

// Done reports whether all is done.
func (s *Steps) Done() bool { return s.LetGo }

// FirstSteps reads how far somebody has come.
func (a *App) FirstSteps(ctx context.Context) (s Steps, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		var source bool
		if source, s.Articles, err = a.Articles.Any(ctx, h); err != nil {
			return err
		}
		s.Source = source || s.Articles
		if s.Partners, _, err = subscribers.AnyActive(ctx, h); err != nil {
			return err
		}
		if s.LetGo, err = edition.AnyLetGo(ctx, h); err != nil {
			return err
		}
		lists, err := subscribers.Lists(ctx, h)
		for i := range lists {
			if s.List == "" || !s.Ready && edition.MayBeSent(lists[i]) == nil {
				s.List, s.Ready = lists[i].Slug, edition.MayBeSent(lists[i]) == nil
			}
		}
		if err != nil {
			return err
		}
		waiting, err := edition.AllWaiting(ctx, h, nil, 1)
		if len(waiting) > 0 {
			s.Edition = &waiting[0].ID
		}
		return err
	})
	return s, err
}
