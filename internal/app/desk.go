package app

import (
	"context"
	"errors"
	"log/slog"

	"github.com/google/uuid"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/mailer/edition"
)

// Desk is where somebody works on editions; see edition.Desk.
func (a *App) Desk(by string) *edition.Desk {
	return &edition.Desk{DB: a.DB, Clock: a.Clock, Languages: a.Templates, By: by}
}

// deskWork is who does at the desk what time brings.
const deskWork = "schedule"

// keepDesk does what is due at the desk by itself: deadlines for approval, and what was in flight when its edition was laid out again. It
// returns how many editions that changed.
func (a *App) keepDesk(ctx context.Context) (changed int, err error) {
	desk := a.Desk(deskWork)
	late, err := desk.Deadlines(ctx)
	if late > 0 {
		a.Log.WarnContext(ctx, "editions were not approved in time", slog.Int("count", late))
	}
	swept, failed := desk.Sweep(ctx)
	return late + swept, errors.Join(err, failed)
}

// articlesOf finds articles by their slugs, GUIDs or addresses.
func (a *App) articlesOf(ctx context.Context, h database.Handle, refs []string) (found []articles.Article, err error) {
	for _, ref := range refs {
		article, err := a.Articles.ByReference(ctx, h, ref)
		if err != nil {
			return nil, err
		}
		found = append(found, article)
	}
	return found, nil
}

// Arrange does something with articles of an edition: one of the desk's methods.
func (a *App) Arrange(ctx context.Context, id uuid.UUID, refs []string, do func(context.Context, uuid.UUID, ...articles.Article) error) error {
	which, err := a.articlesOf(ctx, a.DB, refs)
	if err != nil {
		return err
	}
	return do(ctx, id, which...)
}
