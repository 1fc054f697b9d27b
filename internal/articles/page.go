package articles

import (
	"context"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
)

// Page is a page of a site that a source's listing leads to.
type Page struct {
	Key          string    `db:"key"` // the external key of its article
	URL          string    `db:"url"`
	Stamp        string    `db:"stamp"`   // what the listing says of it; when that changes, it is read again
	Archive      bool      `db:"archive"` // its article is not due for digests
	SeenAt       time.Time `db:"seen_at"`
	Waits        bool      `db:"waits"`    // it is to be read
	Failures     int       `db:"failures"` // how often in a row it could not be
	Failure      string    `db:"failure"`
	ETag         string    `db:"etag"`
	LastModified string    `db:"last_modified"`
}

const pageColumns = `key, url, stamp, archive, seen_at, waits, failures, failure, etag, last_modified`

// Pages returns those pages of a source that are known, by their keys.
func (s *Store) Pages(ctx context.Context, h database.Handle, sourceID int64, keys []string) (map[string]Page, error) {
	var found []Page
	err := h.SelectContext(ctx, &found, `SELECT `+pageColumns+` FROM articles.pages WHERE source_id = $1 AND key = ANY($2)`, sourceID, pq.Array(keys))
	byKey := make(map[string]Page, len(found))
	for _, p := range found {
		byKey[p.Key] = p
	}
	return byKey, err
}

// WaitingPages returns up to limit pages of a source that are to be read, those seen first before others.
func (s *Store) WaitingPages(ctx context.Context, h database.Handle, sourceID int64, limit int) (found []Page, err error) {
	err = h.SelectContext(ctx, &found, `
		SELECT `+pageColumns+` FROM articles.pages WHERE source_id = $1 AND waits ORDER BY failures, seen_at, key LIMIT $2`, sourceID, limit)
	return found, err
}

// CountWaitingPages returns how many pages of a source are to be read.
func (s *Store) CountWaitingPages(ctx context.Context, h database.Handle, sourceID int64) (n int, err error) {
	err = h.GetContext(ctx, &n, `SELECT count(*) FROM articles.pages WHERE source_id = $1 AND waits`, sourceID)
	return n, err
}

// RecordPages writes down pages of a source. One that is known stays archive if it was.
func (s *Store) RecordPages(ctx context.Context, h database.Handle, sourceID int64, pages []Page) error {
	const most = 2000 // in one statement
	for len(pages) > 0 {
		some := pages[:min(most, len(pages))]
		pages = pages[len(some):]
		if err := recordPages(ctx, h, sourceID, some); err != nil {
			return err
		}
	}
	return nil
}

func recordPages(ctx context.Context, h database.Handle, sourceID int64, pages []Page) error {
	var keys, urls, stamps, failures, etags, modified []string
	var archive, waits []bool
	var seen []time.Time
	var counts []int64
	for _, p := range pages {
		keys, urls, stamps = append(keys, scrub(p.Key)), append(urls, scrub(p.URL)), append(stamps, scrub(p.Stamp))
		archive, waits, seen = append(archive, p.Archive), append(waits, p.Waits), append(seen, p.SeenAt)
		counts, failures = append(counts, int64(p.Failures)), append(failures, scrub(p.Failure))
		etags, modified = append(etags, scrub(p.ETag)), append(modified, scrub(p.LastModified))
	}
	_, err := h.ExecContext(ctx, `
		INSERT INTO articles.pages AS p (source_id, key, url, stamp, archive, seen_at, waits, failures, failure, etag, last_modified)
		SELECT $1, u.* FROM unnest($2::text[], $3::text[], $4::text[], $5::boolean[], $6::timestamptz[], $7::boolean[], $8::int[], $9::text[],
			$10::text[], $11::text[]) u
		ON CONFLICT (source_id, key) DO UPDATE SET url = excluded.url, stamp = excluded.stamp, waits = excluded.waits, failures = excluded.failures,
			failure = excluded.failure, etag = excluded.etag, last_modified = excluded.last_modified`,
		sourceID, pq.Array(keys), pq.Array(urls), pq.Array(stamps), pq.Array(archive), pq.Array(seen), pq.Array(waits), pq.Array(counts),
		pq.Array(failures), pq.Array(etags), pq.Array(modified))
	return err
}
