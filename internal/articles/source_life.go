package articles

import (
	"context"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// PauseSource keeps a source from being polled by itself, or has it polled again; Unchanged when that is so already.
func (s *Store) PauseSource(ctx context.Context, h database.Handle, slug string, pause bool, now time.Time) (database.Change, error) {
	source, err := s.PresentSource(ctx, h, slug)
	if err != nil {
		return "", err
	}
	if (source.PausedAt != nil) == pause {
		return database.Unchanged, nil
	}
	var at *time.Time
	if pause {
		second := date(now)
		at = &second
	}
	_, err = h.ExecContext(ctx, `UPDATE articles.sources SET paused_at = $2 WHERE id = $1`, source.ID, at)
	return database.Changed, err
}

// PollSourceSoon makes the next poll of a source be due. A folder without a path is never polled: errs.Invalid.
func (s *Store) PollSourceSoon(ctx context.Context, h database.Handle, slug string, now time.Time) error {
	source, err := s.PresentSource(ctx, h, slug)
	if err != nil {
		return err
	}
	if source.Kind == KindFolder && source.Settings.Path == "" {
		return errs.New(errs.Invalid, "source %q is a folder without a path and cannot be polled: import its files", slug)
	}
	_, err = h.ExecContext(ctx, `UPDATE articles.sources SET next_poll_at = $2 WHERE id = $1`, source.ID, now)
	return err
}

// RemoveSource takes a source away: it is polled no more, and what waits of it is dropped. Its articles stay as they are, and so does its slug,
// which stands in their feeds; declared again it goes on. One that never brought anything leaves nothing behind. h should be a transaction.
func (s *Store) RemoveSource(ctx context.Context, h database.Handle, slug string, now time.Time) error {
	source, err := s.PresentSource(ctx, h, slug)
	if err != nil {
		return err
	}
	if err := lock(ctx, h); err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM articles.waiting WHERE source_id = $1 AND state <> 'discarded'`,
		`DELETE FROM articles.sources s WHERE id = $1
			AND NOT EXISTS (SELECT FROM articles.articles WHERE source_id = s.id)
			AND NOT EXISTS (SELECT FROM articles.translation_keys WHERE source_id = s.id)`,
	} {
		if _, err := h.ExecContext(ctx, statement, source.ID); err != nil {
			return err
		}
	}
	_, err = h.ExecContext(ctx, `
		UPDATE articles.sources SET removed_at = $2, next_poll_at = NULL, held_why = '', remark = '' WHERE id = $1`, source.ID, date(now))
	return err
}

// PresentSource is SourceBySlug without those that were removed: these are errs.NotFound.
func (s *Store) PresentSource(ctx context.Context, h database.Handle, slug string) (Source, error) {
	source, err := s.SourceBySlug(ctx, h, slug)
	if err == nil && source.RemovedAt != nil {
		err = errs.New(errs.NotFound, "source %q was removed", slug)
	}
	return source, err
}
