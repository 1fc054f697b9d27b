package articles

import (
	"context"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Trouble is a source that a person should look at: its polls fail, or it brought unusually much, which is held.
type Trouble struct {
	Slug         string     `db:"slug"`
	Failures     int        `db:"failures"`      // polls in a row that failed
	Failure      string     `db:"failure"`       // why the last one did
	FailingSince *time.Time `db:"failing_since"` // nil: the last poll went well
	Held         int        `db:"held"`          // articles that wait for a person
	HeldWhy      string     `db:"held_why"`
	HeldSince    *time.Time `db:"held_since"` // when the first of them came
}

// Troubled returns the sources that a person should look at, by their slugs: those that hold articles, and those whose polls have failed for
// FailingLong or never went well yet.
func (s *Store) Troubled(ctx context.Context, h database.Handle, now time.Time) (all []Trouble, err error) {
	defer errs.Wrap(&err, "articles.Troubled")
	err = h.SelectContext(ctx, &all, `
		SELECT s.slug, s.failures, s.failure, s.failing_since, s.held_why, coalesce(w.held, 0) AS held, w.since AS held_since
		FROM articles.sources s
		LEFT JOIN (SELECT source_id, count(*) AS held, min(arrived_at) AS since FROM articles.waiting WHERE state = 'held' GROUP BY source_id) w ON w.source_id = s.id
		WHERE w.held > 0 OR s.failures > 0 AND (s.polled_at IS NULL OR s.failing_since <= $1) ORDER BY s.slug`, now.Add(-FailingLong))
	return all, err
}

// Any reports whether there is any source, and any article.
func (s *Store) Any(ctx context.Context, h database.Handle) (source, article bool, err error) {
	defer errs.Wrap(&err, "articles.Any")
	row := struct {
		Source  bool `db:"source"`
		Article bool `db:"article"`
	}{}
	err = h.GetContext(ctx, &row, `
		SELECT EXISTS (SELECT FROM articles.sources) AS source, EXISTS (SELECT FROM articles.articles WHERE withdrawn_at IS NULL) AS article`)
	return row.Source, row.Article, err
}
