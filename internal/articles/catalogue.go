package articles

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// Entry is an article with what its source calls it, for those who keep account of what they gave.
type Entry struct {
	Article
	Source      string `db:"source"` // slug
	ExternalKey string `db:"external_key"`
}

// Filter says which entries are wanted. What is empty does not matter.
type Filter struct {
	Source      string // slug
	ExternalKey string
	Section     string
	Tag         string
	Language    string // by language and script
	Withdrawn   *bool
	Since       time.Time // changed or first seen at this time or later
}

// Entries returns up to limit entries without HTML and text, those that came last first; before is the id of the last one that was seen, 0 for the
// first page. Ids rise in the order in which articles come and never change, so going on from one misses and repeats nothing.
func (s *Store) Entries(ctx context.Context, h database.Handle, f Filter, before int64, limit int) (found []Entry, err error) {
	err = h.SelectContext(ctx, &found, `
		SELECT `+teaserColumns+`, s.slug AS source, a.external_key
		FROM articles.articles a JOIN articles.sources s ON s.id = a.source_id
		WHERE ($1 = 0 OR a.id < $1) AND ($3 = '' OR a.source_id = (SELECT id FROM articles.sources WHERE slug = $3)) AND ($4 = '' OR a.external_key = $4)
		  AND ($5 = '' OR a.section = $5) AND ($6 = '' OR a.tags @> ARRAY[$6]) AND ($7 = '' OR a.language_key = $7)
		  AND ($8::boolean IS NULL OR (a.withdrawn_at IS NOT NULL) = $8) AND ($9::timestamptz IS NULL OR greatest(a.updated_at, a.first_seen_at, a.withdrawn_at) >= $9)
		ORDER BY a.id DESC LIMIT $2`,
		before, limit, f.Source, f.ExternalKey, f.Section, f.Tag, language.Key(f.Language), f.Withdrawn, pq.NullTime{Time: f.Since, Valid: !f.Since.IsZero()})
	return found, s.showEntries(found, err)
}

func (s *Store) showEntries(found []Entry, err error) error {
	if err != nil {
		return err
	}
	for i := range found {
		shown, err := s.shown([]Article{found[i].Article}, nil)
		if err != nil {
			return err
		}
		a := shown[0]
		a.PublishedAt, a.UpdatedAt, a.FirstSeenAt, a.WithdrawnAt = a.PublishedAt.UTC(), a.UpdatedAt.UTC(), a.FirstSeenAt.UTC(), inUTC(a.WithdrawnAt)
		found[i].Article = a
	}
	return nil
}

// EntryBySlug returns the article of a slug, also when it is withdrawn, or an error of kind errs.NotFound.
func (s *Store) EntryBySlug(ctx context.Context, h database.Handle, slug string) (Entry, error) {
	return s.entry(ctx, h, `a.slug = $1`, scrub(slug))
}

// EntryByKey returns the article that a source calls by a key, also when it is withdrawn, or an error of kind errs.NotFound.
func (s *Store) EntryByKey(ctx context.Context, h database.Handle, source Source, key string) (Entry, error) {
	return s.entry(ctx, h, `a.source_id = $1 AND a.external_key = $2`, source.ID, scrub(key))
}

func (s *Store) entry(ctx context.Context, h database.Handle, which string, args ...any) (Entry, error) {
	found := make([]Entry, 1)
	err := h.GetContext(ctx, &found[0], `
		SELECT `+columns+`, s.slug AS source, a.external_key FROM articles.articles a JOIN articles.sources s ON s.id = a.source_id WHERE `+which, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return Entry{}, errs.New(errs.NotFound, "there is no such article")
	}
	err = s.showEntries(found, err)
	return found[0], err
}

// Standing is what became of what a source gave under a key.
type Standing struct {
	ExternalKey string     `db:"external_key"`
	ArticleID   int64      `db:"article_id"` // 0: none was published yet
	Slug        string     `db:"slug"`
	GUID        string     `db:"guid"`
	Revision    int64      `db:"revision"` // changes with whatever is shown of the article
	Withdrawn   bool       `db:"withdrawn"`
	Waits       State      `db:"waits"` // "": nothing does
	PublishAt   *time.Time `db:"publish_at"`
	WaitingHash []byte     `db:"waiting_hash"` // of what waits
}

// Standings returns what became of what a source gave, by those of some keys under which it gave anything.
func (s *Store) Standings(ctx context.Context, h database.Handle, source Source, keys ...string) (map[string]Standing, error) {
	var found []Standing
	err := h.SelectContext(ctx, &found, `
		SELECT k.key AS external_key, coalesce(a.id, 0) AS article_id, coalesce(a.slug, '') AS slug, coalesce(a.guid, '') AS guid,
		       coalesce(a.revision, 0) AS revision, a.withdrawn_at IS NOT NULL AS withdrawn, coalesce(w.state, '') AS waits, w.publish_at,
		       w.content_hash AS waiting_hash
		FROM unnest($2::text[]) AS k (key)
		LEFT JOIN articles.articles a ON a.source_id = $1 AND a.external_key = k.key
		LEFT JOIN articles.waiting w ON w.source_id = $1 AND w.external_key = k.key
		WHERE a.id IS NOT NULL OR w.id IS NOT NULL`, source.ID, pq.Array(keys))
	byKey := make(map[string]Standing, len(found))
	for _, f := range found {
		f.PublishAt = inUTC(f.PublishAt)
		byKey[f.ExternalKey] = f
	}
	return byKey, err
}

// TakeWaitingBack drops what waits under a source's key, for the source itself wants it back and may bring it again. It reports whether anything
// waited.
func (s *Store) TakeWaitingBack(ctx context.Context, h database.Handle, source Source, key string) (bool, error) {
	done, err := h.ExecContext(ctx, `DELETE FROM articles.waiting WHERE source_id = $1 AND external_key = $2 AND state IN ('unfinished', 'embargoed')`, source.ID, key)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}
