package articles

import (
	"context"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/language"
)

// Position is an article's place in the order in which feeds show articles, newest first, with what of it can be known without
// reading it: by date, and of one date by id. A withdrawn article keeps its position.
type Position struct {
	ID          int64      `db:"id"`
	GroupID     int64      `db:"group_id"`
	Revision    int64      `db:"revision"` // of what is shown of it; no two states of an article share one
	GUID        string     `db:"guid"`
	Language    string     `db:"language"`
	PublishedAt time.Time  `db:"published_at"`
	UpdatedAt   time.Time  `db:"updated_at"`
	WithdrawnAt *time.Time `db:"withdrawn_at"` // nil: published
}

// Place is where an article stands, or a border between articles.
type Place struct {
	At time.Time
	ID int64
}

// Place returns where the article stands.
func (p *Position) Place() Place { return Place{At: p.PublishedAt, ID: p.ID} }

// Before returns the newest positions of a selection before a place, newest first, at most limit. The zero Place is after all.
func (s *Store) Before(ctx context.Context, h database.Handle, sel Selection, place Place, limit int) ([]Position, error) {
	if place == (Place{}) {
		return positions(ctx, h, sel, `true`, `DESC`, limit)
	}
	return positions(ctx, h, sel, `(a.published_at, a.id) < ($6, $7)`, `DESC`, limit, place.At, place.ID)
}

// From returns the oldest positions of a selection at a place or after it, oldest first, at most limit.
func (s *Store) From(ctx context.Context, h database.Handle, sel Selection, place Place, limit int) ([]Position, error) {
	return positions(ctx, h, sel, `(a.published_at, a.id) >= ($6, $7)`, `ASC`, limit, place.At, place.ID)
}

func positions(ctx context.Context, h database.Handle, sel Selection, where, order string, limit int, place ...any) ([]Position, error) {
	return positionsOf(ctx, h, `
		SELECT `+positionColumns+` FROM articles.articles a
		WHERE `+selected+` AND `+where+`
		ORDER BY a.published_at `+order+`, a.id `+order+` LIMIT $5`,
		append(append(selectionArgs(sel), limit), place...)...)
}

// IsAt reports whether an article, withdrawn or not, is at a place.
func (s *Store) IsAt(ctx context.Context, h database.Handle, place Place) (there bool, err error) {
	err = h.GetContext(ctx, &there, `SELECT EXISTS (SELECT FROM articles.articles WHERE id = $1 AND published_at = $2)`, place.ID, place.At)
	return there, err
}

// Withdrawn returns the newest withdrawn articles of a selection, in any of some languages, from a place on, newest first, at most limit.
func (s *Store) Withdrawn(ctx context.Context, h database.Handle, sel Selection, languages []string, from Place, limit int) ([]Position, error) {
	return positionsOf(ctx, h, `
		SELECT `+positionColumns+` FROM articles.articles a
		WHERE a.withdrawn_at IS NOT NULL AND `+selected+` AND a.language_key = ANY ($6) AND (a.published_at, a.id) >= ($7, $8)
		ORDER BY a.published_at DESC, a.id DESC LIMIT $5`,
		append(selectionArgs(sel), limit, pq.Array(language.Keys(languages)), from.At, from.ID)...)
}

// Chosen returns the newest translation groups of a selection as a reader gets them, newest first, at most limit: each in the first of the
// languages that it is in, the very tag before one of the same language and script; groups in none of them are left out. With topics a
// group is left out unless one of its versions has one of them as its section or a tag. It is the rule of digests.
func (s *Store) Chosen(ctx context.Context, h database.Handle, sel Selection, topics, languages []string, limit int) ([]Position, error) {
	args := append(selectionArgs(sel), limit, pq.Array(languages), pq.Array(language.Keys(languages)))
	onTopic := `true`
	if len(topics) > 0 { // an alternative in SQL would be looked at article by article
		args = append(args, pq.Array(topics))
		onTopic = `EXISTS (SELECT FROM articles.articles any_of WHERE any_of.group_id = a.group_id
			AND any_of.withdrawn_at IS NULL AND (cardinality($3::text[]) = 0 OR any_of.language_key = ANY ($3))
			AND (any_of.section = ANY ($8) OR any_of.tags && $8))`
	}
	return positionsOf(ctx, h, `
		WITH want AS (
			SELECT tag, key, n FROM unnest($6::text[], $7::text[]) WITH ORDINALITY AS want (tag, key, n)
		), version AS NOT MATERIALIZED (
			SELECT a.*, want.n, a.language <> want.tag AS other_tag
			FROM articles.articles a JOIN want ON a.language_key = want.key
			WHERE a.withdrawn_at IS NULL AND (cardinality($3::text[]) = 0 OR a.language_key = ANY ($3))
		)
		SELECT `+positionColumns+` FROM version a
		WHERE EXISTS (
			SELECT FROM (SELECT a.group_id FROM articles.articles a WHERE a.withdrawn_at IS NULL AND `+selected+`) matching
			WHERE matching.group_id = a.group_id)
		  AND `+onTopic+`
		  AND NOT EXISTS (SELECT FROM version better WHERE better.group_id = a.group_id
			AND (better.n, better.other_tag, better.id) < (a.n, a.other_tag, a.id))
		ORDER BY a.published_at DESC, a.id DESC LIMIT $5`, args...)
}

const positionColumns = `a.id, a.group_id, a.revision, a.guid, a.language, a.published_at, a.updated_at, a.withdrawn_at`

func positionsOf(ctx context.Context, h database.Handle, statement string, args ...any) (found []Position, err error) {
	err = h.SelectContext(ctx, &found, statement, args...)
	for i := range found {
		p := &found[i]
		p.PublishedAt, p.UpdatedAt, p.WithdrawnAt = p.PublishedAt.UTC(), p.UpdatedAt.UTC(), inUTC(p.WithdrawnAt)
	}
	return found, err
}

func inUTC(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	utc := at.UTC()
	return &utc
}

// selected is the condition that an article a belongs to the selection whose selectionArgs are $1 to $4.
const selected = `(cardinality($1::text[]) = 0 OR a.section = ANY ($1)) AND (cardinality($2::text[]) = 0 OR a.tags && $2)
	AND (cardinality($3::text[]) = 0 OR a.language_key = ANY ($3))
	AND (cardinality($4::text[]) = 0 OR a.source_id IN (SELECT id FROM articles.sources WHERE slug = ANY ($4)))`

func selectionArgs(sel Selection) []any {
	return []any{orNone(sel.Sections), orNone(sel.Tags), pq.StringArray(language.Keys(sel.Languages)), orNone(sel.Sources)}
}

// orNone makes an array of nil, which Postgres would take for unknown.
func orNone(all pq.StringArray) pq.StringArray {
	if all == nil {
		return pq.StringArray{}
	}
	return all
}
