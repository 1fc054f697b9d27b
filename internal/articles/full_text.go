package articles

import (
	"context"
	"database/sql"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
)

// FullText says for which items of a feed the text is taken from the page that they link to.
type FullText string

// The choices. Empty is FullTextAuto.
const (
	FullTextAuto   FullText = "auto" // for those that have no more than a summary
	FullTextAlways FullText = "always"
	FullTextNever  FullText = "never"
)

// FullTextState is what is known of the page of a feed's item.
type FullTextState struct {
	Key       string     `db:"external_key"`
	ItemHash  []byte     `db:"item_hash"`   // of what the feed gave
	Done      bool       `db:"done"`        // the article has what is better of the item and its page, as the page was when it was read
	Tries     int        `db:"tries"`       // that failed
	NextTryAt *time.Time `db:"next_try_at"` // nil: there is nothing more to be read
	Failure   string     `db:"failure"`
}

// FullTexts returns what is known of the pages of a source's items, by their external keys.
func (s *Store) FullTexts(ctx context.Context, h database.Handle, sourceID int64, keys []string) (map[string]FullTextState, error) {
	var found []FullTextState
	err := h.SelectContext(ctx, &found, `
		SELECT external_key, item_hash, done, tries, next_try_at, failure FROM articles.full_texts
		WHERE source_id = $1 AND external_key = ANY($2)`, sourceID, pq.Array(keys))
	byKey := make(map[string]FullTextState, len(found))
	for _, f := range found {
		byKey[f.Key] = f
	}
	return byKey, err
}

// FullTextsDue reports whether pages of a source's items are to be tried, for the first time or again.
func (s *Store) FullTextsDue(ctx context.Context, h database.Handle, sourceID int64, now time.Time) (due bool, err error) {
	err = h.GetContext(ctx, &due, `
		SELECT EXISTS (SELECT FROM articles.full_texts WHERE source_id = $1 AND next_try_at <= $2)`, sourceID, now)
	return due, err
}

// RecordFullTexts writes down what became of pages of a source's items.
func (s *Store) RecordFullTexts(ctx context.Context, h database.Handle, sourceID int64, states []FullTextState) error {
	if len(states) == 0 {
		return nil
	}
	var keys, failures []string
	var hashes [][]byte
	var done []bool
	var tries []int64
	var next []sql.NullTime
	for _, f := range states {
		keys, failures, hashes = append(keys, f.Key), append(failures, scrub(f.Failure)), append(hashes, f.ItemHash)
		done, tries = append(done, f.Done), append(tries, int64(f.Tries))
		at := sql.NullTime{}
		if f.NextTryAt != nil {
			at = sql.NullTime{Time: *f.NextTryAt, Valid: true}
		}
		next = append(next, at)
	}
	_, err := h.ExecContext(ctx, `
		INSERT INTO articles.full_texts (source_id, external_key, item_hash, done, tries, next_try_at, failure)
		SELECT $1, u.* FROM unnest($2::text[], $3::bytea[], $4::boolean[], $5::int[], $6::timestamptz[], $7::text[]) u
		ON CONFLICT (source_id, external_key) DO UPDATE SET item_hash = excluded.item_hash, done = excluded.done, tries = excluded.tries,
			next_try_at = excluded.next_try_at, failure = excluded.failure`,
		sourceID, pq.Array(keys), pq.ByteaArray(hashes), pq.Array(done), pq.Array(tries), pq.Array(next), pq.Array(failures))
	return err
}
