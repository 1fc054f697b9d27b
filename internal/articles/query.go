package articles

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// columns are those of Article.
const (
	columns     = otherColumns + `, a.text`
	htmlColumns = otherColumns + `, CASE a.html WHEN '' THEN a.text ELSE '' END AS text`

	otherColumns = teaserColumns + `, a.html`

	teaserColumns = `a.id, a.source_id, a.group_id, a.guid, a.slug, a.url, a.title, a.summary, a.language, a.language_key, a.section,
	a.tags, a.authors, a.image_url, a.image_alt, a.published_at, a.updated_at, a.first_seen_at, a.archive, a.withdrawn_at, a.revision, a.by_editor,
	a.urgent, a.pinned`
)

// Select returns the published articles of a selection, newest first: by date, and of one date the one that came last. limit is the
// most that are returned; 0 returns all.
func (s *Store) Select(ctx context.Context, h database.Handle, sel Selection, limit int) ([]Article, error) {
	return s.shown(query(ctx, h, `
		SELECT `+columns+` FROM articles.articles a
		WHERE a.withdrawn_at IS NULL AND `+selected+`
		ORDER BY a.published_at DESC, a.id DESC LIMIT nullif($5, 0)`, append(selectionArgs(sel), limit)...))
}

// Newest is Select without HTML and text.
func (s *Store) Newest(ctx context.Context, h database.Handle, sel Selection, limit int) ([]Article, error) {
	return s.shown(query(ctx, h, `
		SELECT `+teaserColumns+` FROM articles.articles a
		WHERE a.withdrawn_at IS NULL AND `+selected+`
		ORDER BY a.published_at DESC, a.id DESC LIMIT nullif($5, 0)`, append(selectionArgs(sel), limit)...))
}

// Count returns how many published articles a selection has, at most so many.
func (s *Store) Count(ctx context.Context, h database.Handle, sel Selection, most int) (n int, err error) {
	err = h.GetContext(ctx, &n, `
		SELECT count(*) FROM (SELECT FROM articles.articles a WHERE a.withdrawn_at IS NULL AND `+selected+` LIMIT $5) counted`, append(selectionArgs(sel), most)...)
	return n, err
}

// ByIDs returns articles, withdrawn ones too, in the order of their ids. Ids that do not exist are left out.
func (s *Store) ByIDs(ctx context.Context, h database.Handle, ids []int64) ([]Article, error) {
	return s.shown(byIDs(ctx, h, columns, ids))
}

// HTMLByIDs is ByIDs without the text of articles that have HTML: that is as long again, and takes half of the time to read them.
func (s *Store) HTMLByIDs(ctx context.Context, h database.Handle, ids []int64) ([]Article, error) {
	return s.shown(byIDs(ctx, h, htmlColumns, ids))
}

// Teasers returns the articles of translation groups, withdrawn ones too, without HTML and text, by group and id.
func (s *Store) Teasers(ctx context.Context, h database.Handle, groups []int64) ([]Article, error) {
	return s.shown(query(ctx, h, `SELECT `+teaserColumns+` FROM articles.articles a WHERE a.group_id = ANY($1) ORDER BY a.group_id, a.id`, pq.Array(groups)))
}

func byIDs(ctx context.Context, h database.Handle, columns string, ids []int64) ([]Article, error) {
	found, err := query(ctx, h, `SELECT `+columns+` FROM articles.articles a WHERE a.id = ANY($1)`, pq.Array(ids))
	place := make(map[int64]int, len(ids))
	for i, id := range ids {
		place[id] = i
	}
	slices.SortFunc(found, func(a, b Article) int { return place[a.ID] - place[b.ID] })
	return found, err
}

// BySlug returns the article of a page, also when it is withdrawn, or an error of kind errs.NotFound.
func (s *Store) BySlug(ctx context.Context, h database.Handle, slug string) (Article, error) {
	found, err := s.shown(query(ctx, h, `SELECT `+columns+` FROM articles.articles a WHERE a.slug = $1`, scrub(slug)))
	if err == nil && len(found) == 0 {
		err = errs.New(errs.NotFound, "there is no article %q", slug)
	}
	if err != nil {
		return Article{}, err
	}
	return found[0], nil
}

// Translations returns the published articles of translation groups, by group, language and id.
func (s *Store) Translations(ctx context.Context, h database.Handle, groups ...int64) ([]Article, error) {
	return s.shown(query(ctx, h, `
		SELECT `+columns+` FROM articles.articles a WHERE a.group_id = ANY ($1) AND a.withdrawn_at IS NULL
		ORDER BY a.group_id, a.language COLLATE "C", a.id`, pq.Array(groups)))
}

// Links returns, for each of some translation groups that has more than one published article, these by language and id, with what leads to
// them alone: id, language, slug and address.
func (s *Store) Links(ctx context.Context, h database.Handle, groups []int64) (map[int64][]Article, error) {
	found, err := query(ctx, h, `
		SELECT group_id, id, language, slug, url FROM (
			SELECT a.*, count(*) OVER (PARTITION BY group_id) AS size FROM articles.articles a
			WHERE a.group_id = ANY ($1) AND a.withdrawn_at IS NULL) a
		WHERE size > 1 ORDER BY group_id, language COLLATE "C", id`, pq.Array(groups))
	links := map[int64][]Article{}
	for _, a := range found {
		links[a.GroupID] = append(links[a.GroupID], a)
	}
	return links, err
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
		a.WithdrawnAt = inUTC(a.WithdrawnAt)
	}
	return found, nil
}
