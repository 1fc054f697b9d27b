package app

import (
	"context"

	"silkpost/internal/sources"
)

// CheckSource looks what articles could be had from at an address; see sources.Check. Nothing is stored.
func (a *App) CheckSource(ctx context.Context, address string) (sources.Finding, error) {
	return sources.Check(ctx, a.poller.Fetch, address)
}

// RunSource polls a source now, whenever its next poll is, and says what that brought; see sources.Poller. While the database is held,
// nothing is polled.
func (a *App) RunSource(ctx context.Context, slug string) (sources.Outcome, error) {
	source, err := a.Articles.SourceBySlug(ctx, a.DB, slug)
	if err != nil {
		return sources.Outcome{}, err
	}
	if err := a.refuseIfHeld(ctx); err != nil {
		return sources.Outcome{}, err
	}
	return a.poller.Poll(ctx, source, a.Clock.Now())
}
