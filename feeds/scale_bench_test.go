package feeds_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/testkit"
)

// BenchmarkManyFeeds is what one edit costs where there are 10,000 declared feeds over 100,000 articles, what the first reader waits after
// it and after a restart, and what a large import costs.
func BenchmarkManyFeeds(b *testing.B) {
	l := newLibrary(b)
	b.Run("edit", l.benchmarkEdit)
	token := l.privateFeed(b)
	middle := l.middle(b)
	for _, first := range []struct{ name, path string }{
		{"all", "all.rss"},
		{"rare-tag", "tag-tag-1999.atom"},
		{"section-and-tag", "feed-31.json"},
		{"tag-and-language", "feed-303.json"},
		{"nothing-matches", "feed-39.rss"}, // two sources and a language, so that all articles are looked at
		{"archive", "all/" + middle + ".atom"},
		{"archive-of-tag", "tag-tag-7/" + middle + ".rss"},
		{"private", "p/" + token + ".atom"},
	} {
		b.Run("restart/"+first.name, func(b *testing.B) {
			for b.Loop() {
				fetch(b, l.restart(), "/feeds/"+first.path, "gzip")
			}
			reportMilliseconds(b, "ms", b.Elapsed())
		})
	}
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			if _, err := l.feeds.List(b.Context(), l.db); err != nil {
				b.Fatal(err)
			}
		}
		reportMilliseconds(b, "ms", b.Elapsed())
	})
	b.Run("import", l.benchmarkImport)
}

// benchmarkEdit edits articles one by one. ms is the whole transaction, mark-ms what marking the feeds takes of it, which is marks
// statements for feeds of them; stale-ms is what the next reader of a feed waits that was marked.
func (l *library) benchmarkEdit(b *testing.B) {
	handler := l.restart()
	fetch(b, handler, "/feeds/all.rss", "gzip")
	l.marks, l.marking = 0, 0
	var stale time.Duration
	n := 0
	for b.Loop() {
		n++
		l.save(b, l.draft(l.size-n, fmt.Sprint("Edited ", n)))
		b.StopTimer()
		l.clock.Advance(time.Second) // what was known of feeds is no longer trusted
		began := time.Now()
		fetch(b, handler, "/feeds/all.rss", "gzip")
		stale += time.Since(began)
		b.StartTimer()
	}
	var marked int
	if err := l.db.GetContext(b.Context(), &marked, `SELECT count(*) FROM feeds.feeds WHERE version = (SELECT number FROM feeds.generation)`); err != nil {
		b.Fatal(err)
	}
	reportMilliseconds(b, "ms", b.Elapsed())
	reportMilliseconds(b, "mark-ms", l.marking)
	reportMilliseconds(b, "stale-ms", stale)
	b.ReportMetric(float64(l.marks)/float64(n), "marks")
	b.ReportMetric(float64(marked), "feeds")
}

// benchmarkImport saves 5,000 new articles at once, each with a tag of its own.
func (l *library) benchmarkImport(b *testing.B) {
	l.marks, l.marking = 0, 0
	next := l.size
	for b.Loop() {
		drafts := make([]articles.Draft, l.size/20)
		for i := range drafts {
			next++
			drafts[i] = l.draft(next, "New")
			drafts[i].Tags = append(drafts[i].Tags, fmt.Sprint("of its own ", next))
		}
		l.save(b, drafts...)
	}
	reportMilliseconds(b, "ms", b.Elapsed())
	reportMilliseconds(b, "mark-ms", l.marking)
	b.ReportMetric(float64(l.marks)/float64(b.N), "marks")
}

// library is many feeds over many articles: 2,000 tags, of which some are rare, 40 sections, 12 languages, 20 sources.
type library struct {
	*bundle
	clock *testkit.Clock
	size  int // how many articles there are at first

	marks   int           // statements that marked feeds
	marking time.Duration // what marking took
}

// newLibrary makes the articles of ten years and the feeds of everybody, written straight to the tables: saving them would take minutes.
func newLibrary(b *testing.B) *library {
	l := &library{bundle: setup(b), clock: testkit.NewClock(day(2)), size: 100_000}
	l.articles.Changed = l.touch
	declared := 10_000
	if testkit.Quick() {
		l.size, declared = 5_000, 500
	}
	l.exec(b, `INSERT INTO articles.sources (slug, kind, created_at) SELECT 'source-' || n, 'folder', $1 FROM generate_series(0, 19) n`, day(1))
	l.exec(b, `
		INSERT INTO articles.articles (source_id, external_key, group_id, guid, slug, url, title, summary, html, text, language, language_key,
			section, tags, authors, published_at, updated_at, first_seen_at, content_hash, archive, withdrawn_at)
		SELECT (SELECT id FROM articles.sources WHERE slug = 'source-' || n % 20), n, CASE WHEN n % 4 = 1 THEN n - 1 ELSE n END, 'urn:x:' || n,
			'article-' || n, 'https://www.example.org/' || n, 'Title ' || n, 'What this is about.', $2, 'Some text.', tag, tag || '-Latn',
			'Section ' || n % 41 % 40, ARRAY['tag-' || (n::bigint * n) % 61, 'tag-' || n % 2000, 'tag-' || n % 313], '{A. Author}', at, at, at, '',
			true, CASE WHEN n % 100 = 7 THEN at + interval '1 day' END
		FROM generate_series(1, $1) n, LATERAL (
			SELECT ($5::text[])[1 + n % cardinality($5)] AS tag, $3::timestamptz + (n - 1) * $4::interval AS at) of`,
		l.size, testkit.Prose(1, 600), l.published(1), every.String(), pq.Array(tongues))
	l.exec(b, `SELECT setval('articles.groups', $1)`, l.size)
	l.exec(b, `
		INSERT INTO feeds.feeds (slug, first_slug, kind, sections, tags, languages, language_keys, sources)
		SELECT slug, slug, kind, CASE kind WHEN 'section' THEN names ELSE '{}' END, CASE kind WHEN 'tag' THEN names ELSE '{}' END,
			CASE kind WHEN 'language' THEN names ELSE '{}' END, CASE kind WHEN 'language' THEN ARRAY[names[1] || '-Latn'] ELSE '{}' END,
			CASE kind WHEN 'source' THEN names ELSE '{}' END
		FROM (SELECT 'tag' AS kind, ARRAY['tag-' || n] AS names, 'tag-tag-' || n AS slug FROM generate_series(0, 1999) n
			UNION ALL SELECT 'section', ARRAY['Section ' || n], 'section-section-' || n FROM generate_series(0, 39) n
			UNION ALL SELECT 'source', ARRAY['source-' || n], 'source-source-' || n FROM generate_series(0, 19) n
			UNION ALL SELECT DISTINCT 'language', ARRAY[tag], 'lang-' || tag FROM unnest($1::text[]) tag) virtual`, pq.Array(tongues))
	l.exec(b, `
		INSERT INTO feeds.feeds (slug, first_slug, sections, tags, languages, language_keys, sources)
		SELECT 'feed-' || n, 'feed-' || n, CASE WHEN n % 5 IN (0, 1) THEN ARRAY['Section ' || n % 40] ELSE '{}' END,
			CASE WHEN n % 5 IN (1, 2, 3) THEN ARRAY['tag-' || n % 2000] ELSE '{}' END || CASE WHEN n % 5 = 2 THEN ARRAY['tag-' || n % 313] ELSE '{}' END,
			CASE WHEN n % 3 = 0 THEN ARRAY[tag] ELSE '{}' END, CASE WHEN n % 3 = 0 THEN ARRAY[tag || '-Latn'] ELSE '{}' END,
			CASE WHEN n % 5 = 4 THEN ARRAY['source-' || n % 20, 'source-' || n % 19] ELSE '{}' END
		FROM generate_series(1, $1) n, LATERAL (SELECT (ARRAY['en', 'it', 'fr', 'de', 'es', 'pt', 'nl'])[1 + n % 7] AS tag) of`, declared)
	l.exec(b, `UPDATE feeds.generation SET number = 1`)
	l.exec(b, `UPDATE feeds.feeds SET version = 1, articles = 1`)
	l.exec(b, `VACUUM ANALYZE`)
	return l
}

// tongues are the languages of the articles, by turns, and every how often there is one.
var tongues = []string{"en", "en", "en", "it", "fr", "de", "es", "pt", "nl", "cs", "sv", "da", "fi", "en"}

const every = 50 * time.Minute

// published returns the date of the n-th article; the last is of the first day.
func (l *library) published(n int) time.Time {
	return day(1).Truncate(time.Second).Add(time.Duration(n-l.size) * every)
}

// middle returns the name of the archive document that ends before the article in the middle.
func (l *library) middle(b *testing.B) string {
	var p articles.Place
	if err := l.db.QueryRowxContext(b.Context(), `
		SELECT id, published_at FROM articles.articles ORDER BY published_at, id OFFSET $1 LIMIT 1`, l.size/2).Scan(&p.ID, &p.At); err != nil {
		b.Fatal(err)
	}
	return feeds.PlaceName(p)
}

func (l *library) exec(b *testing.B, statement string, args ...any) {
	b.Helper()
	if _, err := l.db.ExecContext(b.Context(), statement, args...); err != nil {
		b.Fatalf("%s: %v", statement, err)
	}
}

// draft is how a source gives the n-th article.
func (l *library) draft(n int, html string) articles.Draft {
	return articles.Draft{
		ExternalKey: fmt.Sprint(n), URL: fmt.Sprintf("https://www.example.org/%d", n), Title: fmt.Sprintf("Title %d", n), HTML: html,
		Language: tongues[n%len(tongues)], Section: fmt.Sprintf("Section %d", n%41%40), Published: l.published(n),
		Tags: []string{fmt.Sprintf("tag-%d", n*n%61), fmt.Sprintf("tag-%d", n%2000), fmt.Sprintf("tag-%d", n%313)},
	}
}

// save saves drafts of the source that the first of them is of.
func (l *library) save(b *testing.B, drafts ...articles.Draft) {
	b.Helper()
	var n int
	if _, err := fmt.Sscan(drafts[0].ExternalKey, &n); err != nil {
		b.Fatal(err)
	}
	err := database.Transact(b.Context(), l.db, func(tx *sqlx.Tx) error {
		source, err := l.articles.EnsureSource(b.Context(), tx, fmt.Sprint("source-", n%20), l.clock.Now())
		if err == nil {
			_, err = l.articles.Save(b.Context(), tx, source, drafts, articles.SaveOptions{Now: l.clock.Now()})
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

// touch marks feeds and notes what that takes.
func (l *library) touch(ctx context.Context, h database.Handle, touched []articles.Touched, now time.Time) error {
	began := time.Now()
	defer func() { l.marking += time.Since(began) }()
	return l.feeds.Touch(ctx, marksCounted{h, l}, touched, now)
}

// marksCounted is a handle that counts the statements that mark feeds.
type marksCounted struct {
	database.Handle
	l *library
}

// ExecContext counts and passes on.
func (h marksCounted) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if strings.Contains(query, "UPDATE feeds.feeds") {
		h.l.marks++
	}
	return h.Handle.ExecContext(ctx, query, args...)
}

// privateFeed makes the feed of an organisation that reads Italian, else English, and returns its token.
func (l *library) privateFeed(b *testing.B) (token string) {
	l.feeds.Digest = func(context.Context, database.Handle, int64, int64) (feeds.Digest, error) {
		return feeds.Digest{
			Selection: articles.Selection{Sections: []string{"Section 5"}}, Topics: []string{"tag-5", "tag-1999"}, Languages: []string{"it", "en"},
		}, nil
	}
	_, token, err := l.feeds.MakePrivate(b.Context(), l.db, 1, 1, l.clock.Now())
	if err != nil {
		b.Fatal(err)
	}
	return token
}

// restart returns what a new process serves with.
func (l *library) restart() http.Handler {
	mux := http.NewServeMux()
	handler := feeds.NewHandler(l.feeds, l.db, publicURL, feeds.Options{Clock: l.clock, Log: slog.New(slog.DiscardHandler), CacheBytes: 64 << 20})
	for _, path := range []string{"/feeds/{file}", "/feeds/{slug}/{file}", "/feeds/p/{file}"} {
		mux.Handle(path, handler)
	}
	return mux
}

func fetch(b *testing.B, handler http.Handler, path, coding string) {
	b.Helper()
	r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", coding)
	w := httptest.NewRecorder()
	if handler.ServeHTTP(w, r); w.Code != http.StatusOK {
		b.Errorf("%s: %d %s", path, w.Code, w.Body)
	}
}
