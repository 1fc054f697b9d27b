package feeds_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/clock"
	"silkpost/internal/database"
	"silkpost/internal/testkit"
)

// process is a web process over b's database, or another one's.
type process struct {
	*feeds.Handler
	mux *http.ServeMux
	log bytes.Buffer
}

func (b *bundle) process(db *sqlx.DB, c clock.Clock) *process {
	p := &process{mux: http.NewServeMux()}
	p.Handler = feeds.NewHandler(b.feeds, db, publicURL, feeds.Options{Clock: c, Log: slog.New(slog.NewTextHandler(&p.log, nil)), CacheBytes: 1 << 20})
	for _, path := range []string{"/feeds/{file}", "/feeds/{slug}/{file}", "/feeds/p/{file}"} {
		p.mux.Handle(path, p.Handler)
	}
	return p
}

func (p *process) get(ctx context.Context, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.mux.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
	return w
}

// Within half a second what is known is not asked for again; after it an edit is seen.
func TestAnEditIsSeenInTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := testkit.NewClock(day(1))
	p := b.process(b.db, c)
	text := func() string { return p.get(t.Context(), "/feeds/all.json").Body.String() }
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en", HTML: "<p>first</p>"})
	first := text()
	b.publish(t, day(2), articles.Draft{ExternalKey: "1", Language: "en", HTML: "<p>second</p>"})
	c.Advance(499 * time.Millisecond)
	if got := text(); got != first {
		t.Errorf("the database was asked too soon:\n%s", got)
	}
	c.Advance(time.Millisecond)
	if got := text(); !strings.Contains(got, "second") {
		t.Errorf("the edit is not seen:\n%s", got)
	}
}

// Told of a change, a process does not wait for anything.
func TestAWakeIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.process(b.db, testkit.NewClock(day(1)))
	wake := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.Follow(ctx, wake)
	}()
	defer func() {
		stop()
		<-ended
	}()
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en", HTML: "<p>first</p>"})
	p.get(t.Context(), "/feeds/all.json")
	b.publish(t, day(2), articles.Draft{ExternalKey: "1", Language: "en", HTML: "<p>second</p>"})
	wake <- struct{}{}
	wake <- struct{}{} // taken when the first was dealt with
	if got := p.get(t.Context(), "/feeds/all.json").Body.String(); !strings.Contains(got, "second") {
		t.Errorf("the edit is not seen:\n%s", got)
	}
}

// Any number of processes, readers and writers: nobody reads what is older than a second.
func TestNobodyReadsWhatIsOlderThanASecond(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes three seconds")
	}
	url := testkit.FreshURL(t)
	open := func() *sqlx.DB {
		db, err := database.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	b := &bundle{db: open(), articles: &articles.Store{}}
	b.feeds = &feeds.Store{Articles: b.articles}
	b.articles.Changed = b.feeds.Touch
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en", HTML: "<p>n0n</p>"})

	var written sync.Map // number → when it was committed
	var last, reads atomic.Int64
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	number := regexp.MustCompile(`n(\d+)n`)
	var running sync.WaitGroup
	for range 2 {
		p := b.process(open(), clock.System{})
		running.Go(func() {
			_ = database.Listen(ctx, url, feeds.Channel, testkit.Log(t), func() {})
		})
		for range 2 {
			running.Go(func() {
				for ctx.Err() == nil {
					now := time.Now()
					found := number.FindStringSubmatch(p.get(t.Context(), "/feeds/all.rss").Body.String())
					n, _ := strconv.ParseInt(found[1], 10, 64)
					if at, ok := written.Load(n + 1); ok && now.Sub(at.(time.Time)) > time.Second {
						t.Errorf("read %d, but %d was there %v before", n, n+1, now.Sub(at.(time.Time)))
						return
					}
					reads.Add(1)
				}
			})
		}
	}
	for ctx.Err() == nil {
		n := last.Add(1)
		b.publish(t, day(2), articles.Draft{ExternalKey: "1", Language: "en", HTML: "<p>n" + strconv.FormatInt(n, 10) + "n</p>"})
		written.Store(n, time.Now())
	}
	running.Wait()
	if reads.Load() < 100 || last.Load() < 4 {
		t.Errorf("%d reads, %d edits: too few to tell", reads.Load(), last.Load())
	}
}

// Without its database a process serves what it has, and says so in the log.
func TestServesWithoutItsDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en"})
	c := testkit.NewClock(day(1))
	p := b.process(b.db, c)
	before := p.get(t.Context(), "/feeds/all.rss")
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Minute)
	if after := p.get(t.Context(), "/feeds/all.rss"); after.Code != 200 || after.Body.String() != before.Body.String() {
		t.Errorf("%d %s", after.Code, after.Body)
	}
	if got := p.get(t.Context(), "/feeds/lang-en.rss"); got.Code < 500 || strings.Contains(got.Body.String(), "sql") {
		t.Errorf("what is not there: %d %s", got.Code, got.Body)
	}
	if !strings.Contains(p.log.String(), "feeds are served as they were") {
		t.Errorf("the log says nothing:\n%s", &p.log)
	}
}

// A database that hangs keeps nobody from what is there.
func TestServesBesideADatabaseThatHangs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en"})
	c := testkit.NewClock(day(1))
	p := b.process(b.db, c)
	before := p.get(t.Context(), "/feeds/all.rss").Body.String()
	blocker := b.db.MustBegin()
	blocker.MustExec(`LOCK TABLE feeds.generation IN ACCESS EXCLUSIVE MODE`)
	c.Advance(time.Second)
	if got := p.get(t.Context(), "/feeds/all.rss"); got.Code != http.StatusOK || got.Body.String() != before {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if err := blocker.Rollback(); err != nil {
		t.Fatal(err)
	}
	b.publish(t, day(2), articles.Draft{ExternalKey: "2", Language: "en"})
	testkit.Eventually(t, 10*time.Second, "the new article", func() bool {
		c.Advance(time.Second)
		return strings.Contains(p.get(t.Context(), "/feeds/all.rss").Body.String(), "Title of 2")
	})
}

// A database that was restored to an earlier state counts the same versions once more, for other contents.
func TestARestoredDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := testkit.NewClock(day(1))
	p := b.process(b.db, c)
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en"})
	var kept struct{ Generation, Version int64 }
	if err := b.db.Get(&kept, `SELECT number AS generation, (SELECT version FROM feeds.feeds WHERE slug = 'all') AS version FROM feeds.generation`); err != nil {
		t.Fatal(err)
	}
	b.publish(t, day(2), articles.Draft{ExternalKey: "2", Language: "en"})
	p.get(t.Context(), "/feeds/all.rss")
	b.db.MustExec(`DELETE FROM articles.articles WHERE external_key = '2'`)
	b.db.MustExec(`UPDATE feeds.generation SET number = $1`, kept.Generation)
	b.db.MustExec(`UPDATE feeds.feeds SET version = $1 WHERE slug = 'all'`, kept.Version)
	c.Advance(time.Second)
	if got := p.get(t.Context(), "/feeds/all.rss").Body.String(); strings.Contains(got, "Title of 2") {
		t.Errorf("what is no longer there is shown:\n%s", got)
	}
	b.publish(t, day(2), articles.Draft{ExternalKey: "3", Language: "en"})
	c.Advance(time.Second)
	if got := p.get(t.Context(), "/feeds/all.rss").Body.String(); strings.Contains(got, "Title of 2") || !strings.Contains(got, "Title of 3") {
		t.Errorf("the same version means something else:\n%s", got)
	}
}

// Names that are not a feed's lead to it without being kept.
func TestOtherNamesOfFeeds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en"})
	p := b.process(b.db, testkit.NewClock(day(1)))
	for path, want := range map[string]int{"/feeds/lang-en-x-anything.rss": 301, "/feeds/LANG-EN.rss": 301, "/feeds/lang-en.rss": 200, "/feeds/a%01ll.rss": 404} {
		if got := p.get(t.Context(), path); got.Code != want {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	if n := feeds.KnownFeeds(p.Handler); n != 1 {
		t.Errorf("%d names are kept", n)
	}
}

// Whoever asked first may leave: what was begun for him is finished for those who wait with him.
func TestALeavingReaderTakesNothingAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en"})
	p := b.process(b.db, testkit.NewClock(day(1)))
	p.get(t.Context(), "/feeds/all.rss")
	gone, leave := context.WithCancel(t.Context())
	leave()
	if got := p.get(gone, "/feeds/all.atom"); got.Code != 200 || !strings.Contains(got.Body.String(), "Text of 1") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// A database that is older than the marks gets them once.
func TestMarksOfAnOldDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.articles.Changed = nil // as it was before there were marks
	b.publish(t, day(1),
		articles.Draft{ExternalKey: "1", Language: "en", Section: "News", Tags: []string{"robots"}},
		articles.Draft{ExternalKey: "2", Language: "it", Section: "News"})
	begin := func() {
		err := database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error { return b.feeds.Begin(t.Context(), tx, day(2)) })
		if err != nil {
			t.Fatal(err)
		}
	}
	begin()
	for slug, want := range map[string]int{"all": 2, "section-news": 2, "lang-en": 1, "lang-it": 1, "tag-robots": 1, "source-desk": 2} {
		if got := b.find(t, slug).Articles; got != want {
			t.Errorf("%s has %d articles, want %d", slug, got, want)
		}
	}
	version := b.find(t, "all").Version
	begin()
	if got := b.find(t, "all").Version; got != version {
		t.Errorf("begun twice: version %d, then %d", version, got)
	}
}

// The numbers that feeds keep are what they hold, however articles and definitions change.
func TestCountsStayTrue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	declare := func(f feeds.Feed) {
		if _, err := b.feeds.Declare(t.Context(), b.db, f, day(1)); err != nil {
			t.Fatal(err)
		}
	}
	declare(feeds.Feed{Slug: "robots", Selection: articles.Selection{Tags: []string{"robots"}}})
	b.publish(t, day(1),
		articles.Draft{ExternalKey: "1", Language: "en", Section: "News", Tags: []string{"robots", "art"}},
		articles.Draft{ExternalKey: "2", Language: "en", Section: "NEWS", Tags: []string{"robots"}},
		articles.Draft{ExternalKey: "3", Language: "it", Section: "Notices"})
	declare(feeds.Feed{Slug: "robots-in-english", Selection: articles.Selection{Tags: []string{"robots"}, Languages: []string{"en"}}})
	b.publish(t, day(2),
		articles.Draft{ExternalKey: "1", Language: "it", Section: "Notices"},
		articles.Draft{ExternalKey: "4", Language: "en", Tags: []string{"Robots"}})
	if _, _, err := b.articles.Withdraw(t.Context(), b.db, "title-of-3", day(3)); err != nil {
		t.Fatal(err)
	}
	listed, err := b.feeds.List(t.Context(), b.db)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range listed {
		found, err := b.articles.Select(t.Context(), b.db, f.Selection, 0)
		if err != nil || len(found) != f.Articles {
			t.Errorf("%s counts %d articles and has %d, %v", f.Slug, f.Articles, len(found), err)
		}
	}
	if f := b.find(t, "section-news"); len(f.Sections) != 2 {
		t.Errorf("names that share a slug: %v", f.Sections)
	}
	if f := b.find(t, "tag-robots"); len(f.Tags) != 2 || f.Articles != 2 {
		t.Errorf("tags that share a slug: %v, %d articles", f.Tags, f.Articles)
	}
}

// A reader who only has a date is not told that nothing changed when something did within the same second.
func TestTwoChangesWithinASecond(t *testing.T) {
	t.Parallel()
	b := setup(t)
	begin := day(1).Truncate(time.Second)
	c := testkit.NewClock(begin)
	p := b.process(b.db, c)
	b.publish(t, begin, articles.Draft{ExternalKey: "1", Language: "en", HTML: "<p>first</p>"})
	date := p.get(t.Context(), "/feeds/all.rss").Header().Get("Last-Modified")
	if want := begin.UTC().Format(http.TimeFormat); date != want {
		t.Fatalf("Last-Modified is %q, want %q", date, want)
	}
	b.publish(t, begin.Add(300*time.Millisecond), articles.Draft{ExternalKey: "1", Language: "en", HTML: "<p>second</p>"})
	for _, tt := range []struct {
		after time.Duration
		want  string // Last-Modified
	}{{600 * time.Millisecond, ""}, {time.Second, begin.Add(time.Second).UTC().Format(http.TimeFormat)}} {
		c.Set(begin.Add(tt.after))
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/feeds/all.rss", nil)
		r.Header.Set("If-Modified-Since", date)
		w := httptest.NewRecorder()
		p.mux.ServeHTTP(w, r)
		if got := w.Header().Get("Last-Modified"); w.Code != http.StatusOK || got != tt.want {
			t.Errorf("%v later: %d, Last-Modified %q, want %q", tt.after, w.Code, got, tt.want)
		}
	}
}
