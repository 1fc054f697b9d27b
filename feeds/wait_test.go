package feeds_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/testkit"
)

// desk serves b's feeds without a network.
type desk struct {
	*bundle
	*feeds.Handler
	http  http.Handler
	clock *testkit.Clock
}

func newDesk(t *testing.T, b *bundle, cacheBytes int) *desk {
	clock := testkit.NewClock(day(20))
	d := &desk{b, feeds.NewHandler(b.feeds, b.db, publicURL, feeds.Options{Clock: clock, Log: testkit.Log(t), CacheBytes: cacheBytes}), nil, clock}
	mux := http.NewServeMux()
	mux.Handle("/feeds/{file}", d.Handler)
	d.http = mux
	return d
}

func (d *desk) get(t *testing.T, file, coding string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/feeds/"+file, nil)
	r.Header.Set("Accept-Encoding", coding)
	w := httptest.NewRecorder()
	d.http.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Errorf("%s: %d %s", file, w.Code, w.Body)
	}
	return w
}

// hold keeps everybody from a table until release is called.
func (d *desk) hold(t *testing.T, table string) (release func()) {
	t.Helper()
	tx, err := d.db.BeginTxx(context.WithoutCancel(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	if _, err := tx.ExecContext(t.Context(), `LOCK TABLE `+table+` IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	return func() { _ = tx.Rollback() }
}

// waiting counts the statements that wait for a lock.
func waiting(t *testing.T, db *sqlx.DB) (n int) {
	t.Helper()
	if err := db.GetContext(t.Context(), &n, `
		SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`); err != nil {
		t.Fatal(err)
	}
	return n
}

// When many ask at once, one of them asks the database what changed, one finds the feed, and one renders it.
func TestOneForAllWhoWait(t *testing.T) {
	t.Parallel()
	d := newDesk(t, setup(t), 1<<20)
	d.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en"})
	d.get(t, "all.rss", "gzip")
	for _, c := range []struct {
		name, table, file string
		before            func()
	}{
		{"what changed", "feeds.generation", "all.rss", func() { d.clock.Advance(time.Second) }},
		{"the feed", "feeds.old_slugs", "lang-en.rss", func() {}},
		{"the document", "feeds.hubs", "all.rss", func() {
			d.publish(t, day(2), articles.Draft{ExternalKey: "2", Language: "en"})
			d.clock.Advance(time.Second)
		}},
	} {
		c.before()
		release := d.hold(t, c.table)
		const readers = 200
		var came atomic.Int64
		answers := make(chan *httptest.ResponseRecorder, readers)
		for range readers {
			go func() {
				came.Add(1)
				answers <- d.get(t, c.file, "gzip")
			}()
		}
		testkit.Eventually(t, 10*time.Second, c.name+" is waited for by one", func() bool {
			return came.Load() == readers && waiting(t, d.db) == 1
		})
		release()
		first := <-answers
		for range readers - 1 {
			if other := <-answers; other.Body.String() != first.Body.String() || other.Header().Get("ETag") != first.Header().Get("ETag") {
				t.Fatalf("%s: two readers got different answers", c.name)
			}
		}
	}
	if body := d.get(t, "all.rss", "").Body.String(); !strings.Contains(body, "Title of 2") {
		t.Errorf("in the end it says\n%s", body)
	}
}

// Who follows what changes renders it before anybody asks.
func TestFollow(t *testing.T) {
	t.Parallel()
	d := newDesk(t, setup(t), 1<<20)
	d.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en"})
	d.get(t, "all.json", "")
	ctx, cancel := context.WithCancel(t.Context())
	ended, wake := make(chan struct{}), make(chan struct{})
	go func() {
		d.Follow(ctx, wake)
		close(ended)
	}()
	d.publish(t, day(2), articles.Draft{ExternalKey: "2", Language: "en"})
	release := d.hold(t, "feeds.hubs") // which are in every document
	wake <- struct{}{}
	testkit.Eventually(t, 10*time.Second, "the feed is rendered", func() bool { return waiting(t, d.db) == 1 })
	release()
	wake <- struct{}{} // taken when the first is done with
	release = d.hold(t, "feeds.hubs")
	if body := d.get(t, "all.json", "").Body.String(); !strings.Contains(body, "Title of 2") {
		t.Errorf("it says\n%s", body)
	}
	release()
	cancel()
	<-ended
}

// However many documents are asked for, what is kept of them stays within its bound. Not parallel: it looks at all of the memory.
func TestMemoryIsBounded(t *testing.T) { //nolint:paralleltest // see above
	const bound, declared = 2 << 20, 10
	d := newDesk(t, setup(t), bound)
	var drafts []articles.Draft
	for n := range 50 {
		drafts = append(drafts, articles.Draft{ExternalKey: fmt.Sprint(n), Language: "en", HTML: testkit.Prose(uint64(n), 2000)})
	}
	d.publish(t, day(1), drafts...)
	for n := range declared {
		if _, err := d.feeds.Declare(t.Context(), d.db, feeds.Feed{Slug: fmt.Sprint("f", n)}, day(2)); err != nil {
			t.Fatal(err)
		}
	}
	before, sent := heap(), 0
	for n := range declared {
		for _, format := range feeds.Formats() {
			for _, coding := range []string{"gzip", ""} {
				sent += d.get(t, fmt.Sprintf("f%d.%s", n, format), coding).Body.Len()
			}
		}
	}
	grown := heap() - before
	if kept := feeds.Kept(d.Handler); kept > bound || kept < bound/2 {
		t.Errorf("%d KB are kept of %d KB, want at most %d KB and most of it", kept>>10, sent>>10, bound>>10)
	}
	if limit := int64(bound + bound/4); grown > limit || int64(sent) < 2*limit {
		t.Errorf("%d KB of documents made the heap grow by %d KB, want at most %d KB", sent>>10, grown>>10, limit>>10)
	}
	runtime.KeepAlive(d)
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // what finalizers let go of
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
