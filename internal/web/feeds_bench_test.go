package web_test

import (
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/clock"
	"silkpost/internal/database"
	"silkpost/internal/testkit"
	"silkpost/internal/web"
)

// BenchmarkFeedFromMemory is what an answer costs beside net/http: mux, log and all. BenchmarkServeFeed of internal/app sets it beside
// net/http.
func BenchmarkFeedFromMemory(b *testing.B) {
	handler := newsroom(b)
	for name, validator := range map[string]string{"gzip": `"-"`, "304": "*"} {
		b.Run(name, func(b *testing.B) {
			r, err := http.NewRequest(http.MethodGet, "/feeds/all.rss", nil)
			if err != nil {
				b.Fatal(err)
			}
			r.Header = http.Header{"Accept-Encoding": {"gzip"}, "If-None-Match": {validator}, "User-Agent": {"reader/1.0"}, "Accept": {"*/*"}}
			b.ReportAllocs()
			for b.Loop() {
				handler.ServeHTTP(&nowhere{header: http.Header{}}, r)
			}
		})
	}
}

// nowhere takes an answer.
type nowhere struct{ header http.Header }

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (w *nowhere) WriteHeader(int)             {}

// newsroom is all of the web with one article, at the log level of serve.
func newsroom(b *testing.B) http.Handler {
	log, store := slog.New(slog.NewTextHandler(b.Output(), nil)), &articles.Store{}
	published := &feeds.Store{Articles: store}
	store.Changed = published.Touch
	s := open(b, func(cfg *web.Config) {
		cfg.Log, cfg.Clock, cfg.Articles, cfg.Feeds = log, clock.System{}, store, published
		cfg.FeedHandler = feeds.NewHandler(published, cfg.DB, publicURL, feeds.Options{Clock: clock.System{}, Log: log, CacheBytes: 64 << 20})
	})
	err := database.Transact(b.Context(), s.db, func(tx *sqlx.Tx) error {
		source, err := store.EnsureSource(b.Context(), tx, "desk", time.Now())
		if err == nil {
			_, err = store.Save(b.Context(), tx, source, []articles.Draft{{
				ExternalKey: "1", Title: "Title", Language: "en", HTML: testkit.Prose(1, 1000),
			}}, articles.SaveOptions{Now: now})
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}
