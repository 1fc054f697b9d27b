package articles

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// columns are those of Article.
const columns = `a.id, a.source_id, a.group_id, a.guid, a.slug, a.url, a.title, a.summary, a.html, a.text, a.language,
	a.language_key, a.section, a.tags, a.authors, a.image_url, a.image_alt, a.published_at, a.updated_at, a.first_seen_at,
	a.archive`

// Select returns the articles of a selection, newest first: by date, and of one date the one that came last. limit is the most
// that are returned; 0 returns all.
func (s *Store) Select(ctx context.Context, h database.Handle, sel Selection, limit int) ([]Article, error) {
	return query(ctx, h, `
		SELECT `+columns+`
		FROM articles.articles a JOIN articles.sources s ON s.id = a.source_id
		WHERE (coalesce(cardinality($1::text[]), 0) = 0 OR a.section = ANY($1))
		  AND (coalesce(cardinality($2::text[]), 0) = 0 OR a.tags && $2)
		  AND (coalesce(cardinality($3::text[]), 0) = 0 OR a.language_key = ANY($3))
		  AND (coalesce(cardinality($4::text[]), 0) = 0 OR s.slug = ANY($4))
		ORDER BY a.published_at DESC, a.id DESC
		LIMIT nullif($5, 0)`,
		sel.Sections, sel.Tags, pq.Array(language.Keys(sel.Languages)), sel.Sources, limit)
}

// ByIDs returns articles in the order of their ids. Ids that do not exist are left out.
func (s *Store) ByIDs(ctx context.Context, h database.Handle, ids []int64) ([]Article, error) {
	found, err := query(ctx, h, `SELECT `+columns+` FROM articles.articles a WHERE a.id = ANY($1)`, pq.Array(ids))
	place := make(map[int64]int, len(ids))
	for i, id := range ids {
		place[id] = i
	}
	slices.SortFunc(found, func(a, b Article) int { return place[a.ID] - place[b.ID] })
	return found, err
}

// BySlug returns the article of a page, or an error of kind errs.NotFound.
func (s *Store) BySlug(ctx context.Context, h database.Handle, slug string) (Article, error) {
	found, err := query(ctx, h, `SELECT `+columns+` FROM articles.articles a WHERE a.slug = $1`, slug)
	if err == nil && len(found) == 0 {
		err = errs.New(errs.NotFound, "there is no article %q", slug)
	}
	if err != nil {
		return Article{}, err
	}
	return found[0], nil
}

// Translations returns the articles of a translation group by language.
func (s *Store) Translations(ctx context.Context, h database.Handle, groupID int64) ([]Article, error) {
	return query(ctx, h, `
		SELECT `+columns+` FROM articles.articles a WHERE a.group_id = $1 ORDER BY a.language COLLATE "C", a.id`, groupID)
}

// Count is a section or a language and how many articles it has.
type Count struct {
	Name  string `db:"name"`
	Count int    `db:"count"`
}

// Sections returns the sections that articles name, in the order of their names' bytes.
func (s *Store) Sections(ctx context.Context, h database.Handle) (counts []Count, err error) {
	err = h.SelectContext(ctx, &counts, `
		SELECT section AS name, count(*) AS count FROM articles.articles
		WHERE section <> '' GROUP BY section ORDER BY section COLLATE "C"`)
	return counts, err
}

// Languages returns the languages of articles, in the order of their tags.
func (s *Store) Languages(ctx context.Context, h database.Handle) (counts []Count, err error) {
	err = h.SelectContext(ctx, &counts, `
		SELECT language AS name, count(*) AS count FROM articles.articles
		GROUP BY language ORDER BY language COLLATE "C"`)
	return counts, err
}

// query returns the articles of a statement, their times in UTC whatever the session's zone.
func query(ctx context.Context, h database.Handle, statement string, args ...any) ([]Article, error) {
	var found []Article
	if err := h.SelectContext(ctx, &found, statement, args...); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	for i := range found {
		a := &found[i]
		a.PublishedAt, a.UpdatedAt, a.FirstSeenAt = a.PublishedAt.UTC(), a.UpdatedAt.UTC(), a.FirstSeenAt.UTC()
	}
	return found, nil
}
