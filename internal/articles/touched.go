package articles

import (
	"context"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Touched tells of articles that are alike in everything that selections look at, of which something changed: one came or went, or
// what is shown of it is no longer the same.
type Touched struct {
	Section     string         `db:"section" json:"section"`
	Tags        pq.StringArray `db:"tags" json:"tags"`
	Language    string         `db:"language" json:"language"`
	LanguageKey string         `db:"language_key" json:"language_key"`
	Source      string         `db:"source" json:"source"` // slug
	Change      int            `db:"change" json:"change"` // how many more there are now than before; 0 when only their content changed
}

// All returns every article that is published as if it had just come.
func (s *Store) All(ctx context.Context, h database.Handle) ([]Touched, error) {
	return touched(ctx, h, `1`, `a.withdrawn_at IS NULL`)
}

// touched returns the articles that a condition is true of. change says for each how much it counts.
func touched(ctx context.Context, h database.Handle, change, condition string, args ...any) (all []Touched, err error) {
	err = h.SelectContext(ctx, &all, `
		SELECT a.section, a.tags, a.language, a.language_key, s.slug AS source, sum(`+change+`) AS change
		FROM articles.articles a JOIN articles.sources s ON s.id = a.source_id
		WHERE `+condition+`
		GROUP BY a.section, a.tags, a.language, a.language_key, s.slug
		ORDER BY a.section, a.tags, a.language, a.language_key, s.slug`, args...)
	return all, err
}

// before returns what articles are now that are about to change: afterwards they are no longer that.
func before(ctx context.Context, h database.Handle, ids []int64) ([]Touched, error) {
	return touched(ctx, h, `CASE WHEN a.withdrawn_at IS NULL THEN -1 ELSE 0 END`, `a.id = ANY ($1)`, pq.Array(ids))
}

// after returns what articles are that have changed, and their translations, which are shown with them. It gives them all a new
// revision.
func after(ctx context.Context, h database.Handle, ids []int64) ([]Touched, error) {
	if _, err := h.ExecContext(ctx, `
		UPDATE articles.articles SET revision = nextval('articles.revisions')
		WHERE group_id IN (SELECT group_id FROM articles.articles WHERE id = ANY ($1))`, pq.Array(ids)); err != nil {
		return nil, err
	}
	return touched(ctx, h, `CASE WHEN a.withdrawn_at IS NULL AND a.id = ANY ($1) THEN 1 ELSE 0 END`,
		`a.group_id IN (SELECT group_id FROM articles.articles WHERE id = ANY ($1))`, pq.Array(ids))
}

// tell calls Changed for the articles with the given ids, of which before says what they were. They are found by what they say now.
func (s *Store) tell(ctx context.Context, h database.Handle, was []Touched, ids []int64, now time.Time) error {
	is, err := after(ctx, h, ids)
	if err == nil {
		err = index(ctx, h, ids)
	}
	if err != nil || s.Changed == nil {
		return err
	}
	return s.Changed(ctx, h, append(was, is...), now)
}

// Withdraw takes an article back: it leaves every feed and every edition that is still to be planned, and its page says that it is
// gone. Translations that editors typed go with the last article that they are of. ref is its slug, its GUID or its address; now is when
// that happens. A source that gives the article again does not bring it
// back: Restore does. h should be a transaction. It returns the article, and Unchanged when it was withdrawn already.
func (s *Store) Withdraw(ctx context.Context, h database.Handle, ref string, now time.Time) (Article, database.Change, error) {
	return s.setWithdrawn(ctx, h, ref, now, &now)
}

// Restore publishes a withdrawn article again, as it was, and what went with it; Unchanged when it was not withdrawn.
func (s *Store) Restore(ctx context.Context, h database.Handle, ref string, now time.Time) (Article, database.Change, error) {
	return s.setWithdrawn(ctx, h, ref, now, nil)
}

func (s *Store) setWithdrawn(ctx context.Context, h database.Handle, ref string, now time.Time, at *time.Time) (a Article, _ database.Change, err error) {
	defer errs.Wrap(&err, "article %q", ref)
	if a, err = s.byReference(ctx, h, ref); err != nil {
		return a, "", err
	}
	if (a.WithdrawnAt != nil) == (at != nil) {
		return a, database.Unchanged, nil
	}
	if at != nil {
		second := date(*at)
		at = &second
	}
	ids, err := followers(ctx, h, a, at != nil)
	if err != nil {
		return a, "", err
	}
	ids = append(ids, a.ID)
	was, err := before(ctx, h, ids)
	if err != nil {
		return a, "", err
	}
	if _, err := h.ExecContext(ctx, `UPDATE articles.articles SET withdrawn_at = $2 WHERE id = ANY ($1)`, pq.Array(ids), at); err != nil {
		return a, "", err
	}
	a.WithdrawnAt = at
	return a, database.Changed, s.tell(ctx, h, was, ids, now)
}

// byReference finds the one article that a person means, under the lock of Save.
func (s *Store) byReference(ctx context.Context, h database.Handle, ref string) (Article, error) {
	if err := lock(ctx, h); err != nil {
		return Article{}, err
	}
	return find(ctx, h, ref)
}

// ByReference returns the article that a person means by its slug, its GUID or its address, also when it is withdrawn. None is
// errs.NotFound; an address that several have is errs.Conflict.
func (s *Store) ByReference(ctx context.Context, h database.Handle, ref string) (_ Article, err error) {
	defer errs.Wrap(&err, "article %q", ref)
	return find(ctx, h, ref)
}

func find(ctx context.Context, h database.Handle, ref string) (Article, error) {
	found, err := query(ctx, h, `
		SELECT `+columns+` FROM articles.articles a WHERE a.slug = $1 OR a.guid = $1 OR a.url = nullif($1, '') ORDER BY a.id LIMIT 2`, scrub(ref))
	switch {
	case err != nil:
		return Article{}, err
	case len(found) == 0:
		return Article{}, errs.New(errs.NotFound, "there is none with this slug, GUID or address")
	case len(found) > 1:
		return Article{}, errs.New(errs.Conflict, "several articles have this address: name one by its slug, such as %s", found[0].Slug)
	}
	return found[0], nil
}
