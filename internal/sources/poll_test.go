package sources

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/fetch"
	"silkpost/internal/testkit"
)

// upstream is a feed's server whose answer a test sets.
type upstream struct {
	answer   atomic.Value // of http.HandlerFunc
	requests atomic.Int32
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.requests.Add(1)
	u.answer.Load().(http.HandlerFunc)(w, r)
}

// items answers with a feed of so many items and an ETag, or 304.
func (u *upstream) items(titles ...string) {
	u.answer.Store(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tag := fmt.Sprintf("%q", strings.Join(titles, "+"))
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", tag)
		fmt.Fprint(w, `<rss version="2.0"><channel><title>x</title>`)
		for i, title := range titles {
			fmt.Fprintf(w, `<item><guid>guid-%d</guid><title>%s</title><description>Text.</description></item>`, i, title)
		}
		fmt.Fprint(w, `</channel></rss>`)
	}))
}

func (u *upstream) fails(status int, body string) {
	u.answer.Store(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
}

type pollBench struct {
	*Poller
	*upstream
}

func pollSetup(t testing.TB) *pollBench {
	t.Helper()
	b := &pollBench{upstream: &upstream{}, Poller: &Poller{DB: testkit.DB(t), Store: &articles.Store{}}}
	srv := httptest.NewServer(b.upstream)
	b.Fetch = fetch.New("127.0.0.1")
	t.Cleanup(func() { b.Fetch.Close(); srv.Close() })
	if _, _, err := b.Store.UpsertSource(t.Context(), b.DB,
		articles.Source{Slug: "site", Kind: articles.KindFeed, URL: srv.URL + "/feed", Every: 10 * time.Minute}, monday); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *pollBench) source(t testing.TB) articles.Source {
	t.Helper()
	source, err := b.Store.SourceBySlug(t.Context(), b.DB, "site")
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func (b *pollBench) poll(t testing.TB, now time.Time) articles.Result {
	t.Helper()
	result, err := b.Run(t.Context(), b.source(t), now)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (b *pollBench) all(t testing.TB) []articles.Article {
	t.Helper()
	found, err := b.Store.Select(t.Context(), b.DB, articles.Selection{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestPoll(t *testing.T) {
	t.Parallel()
	b := pollSetup(t)
	b.items("Two", "One")
	if got := b.poll(t, monday); got != (articles.Result{Added: 2}) {
		t.Errorf("first poll: %+v", got)
	}
	first := b.all(t)
	if first[0].Title != "Two" || first[0].GUID != "guid-0" || first[0].PublishedAt != monday || !first[0].Archive || !first[1].Archive {
		t.Errorf("first poll: %+v", first)
	}
	source := b.source(t)
	if source.ETag != `"Two+One"` || !source.PolledAt.Equal(monday) || !source.NextPollAt.Equal(nextPoll(source, monday, true, 0)) {
		t.Errorf("after the first poll: %+v", source)
	}

	if got := b.poll(t, monday.Add(time.Hour)); got != (articles.Result{}) {
		t.Errorf("304: %+v", got)
	}
	if got := b.source(t); got.ETag != source.ETag || !got.PolledAt.Equal(monday.Add(time.Hour)) {
		t.Errorf("after 304: %+v", got)
	}

	b.items("Two", "One, edited", "Three")
	if got := b.poll(t, monday.Add(2*time.Hour)); got != (articles.Result{Added: 1, Changed: 1, Unchanged: 1}) {
		t.Errorf("third poll: %+v", got)
	}
	var titles []string
	for _, a := range b.all(t) {
		titles = append(titles, fmt.Sprint(a.Title, " ", a.GUID, " ", a.Archive))
	}
	want := []string{"Three guid-2 false", "Two guid-0 true", "One, edited guid-1 true"}
	if diff := cmp.Diff(want, titles); diff != "" {
		t.Error(diff)
	}
}

// A feed that moves to another address may bring its whole past along.
func TestPollNewAddress(t *testing.T) {
	t.Parallel()
	b := pollSetup(t)
	b.items("One")
	b.poll(t, monday)
	b.items("One", "Two")
	b.poll(t, monday.Add(time.Hour))
	before := b.all(t)

	moved := b.source(t)
	moved.URL += "?all"
	if _, _, err := b.Store.UpsertSource(t.Context(), b.DB, moved, monday.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	b.items("One", "Two", "Three", "Four")
	if got := b.poll(t, monday.Add(2*time.Hour)); got != (articles.Result{Added: 2, Unchanged: 2}) {
		t.Errorf("first poll of the new address: %+v", got)
	}
	after := b.all(t)
	if !after[0].Archive || !after[1].Archive {
		t.Error("the past of the new address is due for digests")
	}
	if diff := cmp.Diff(before, after[2:]); diff != "" {
		t.Errorf("what was known changed: %s", diff)
	}
	b.items("One", "Two", "Three", "Four", "Five")
	b.poll(t, monday.Add(3*time.Hour))
	if got := b.all(t); got[0].Title != "Five" || got[0].Archive {
		t.Errorf("after the move: %+v", got[0])
	}
}

// A process that is killed leaves its transaction to the server, which rolls it back: so does one whose connection is cut.
func TestPollCutOffLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	b := pollSetup(t)
	b.items("One", "Two")
	ctx, cancel := context.WithCancel(t.Context())
	b.Store.Changed = func(_ context.Context, h database.Handle, _ []articles.Touched, _ time.Time) error {
		b.Store.Changed = nil
		cancel() // a dead process records no failure either
		_, err := h.ExecContext(t.Context(), `SELECT pg_terminate_backend(pg_backend_pid())`)
		return err
	}
	before := b.source(t)
	if _, err := b.Run(ctx, before, monday); err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(before, b.source(t)); diff != "" || len(b.all(t)) != 0 {
		t.Errorf("%d articles were written; %s", len(b.all(t)), diff)
	}
	if got := b.poll(t, monday); got != (articles.Result{Added: 2}) || !b.all(t)[0].Archive {
		t.Errorf("polled again: %+v", got)
	}
}

func TestPollFails(t *testing.T) {
	t.Parallel()
	b := pollSetup(t)
	b.fails(http.StatusServiceUnavailable, "down")
	waits := []time.Duration{10 * time.Minute, 20 * time.Minute, 40 * time.Minute}
	for i, wait := range waits {
		_, err := b.Run(t.Context(), b.source(t), monday)
		if errs.KindOf(err) != errs.Unavailable {
			t.Fatalf("error = %v", err)
		}
		got := b.source(t)
		if got.Failures != i+1 || got.Failure != err.Error() || !strings.Contains(got.Failure, "answered 503 Service Unavailable") ||
			got.PolledAt != nil || got.NextPollAt.Before(monday.Add(wait)) || got.NextPollAt.After(monday.Add(wait+wait/10)) {
			t.Errorf("after failure %d: %+v", i+1, got)
		}
	}
	b.fails(http.StatusOK, "<html>maintenance</html>")
	if _, err := b.Run(t.Context(), b.source(t), monday); err == nil || !strings.Contains(err.Error(), "is a web page, not a feed") {
		t.Errorf("error = %v", err)
	}
	b.items("One")
	b.poll(t, monday)
	if got := b.source(t); got.Failure != "" || got.Failures != 0 || !b.all(t)[0].Archive {
		t.Errorf("after the first poll that went well: %+v", got)
	}
	// A later failure forgets nothing.
	b.fails(http.StatusNotFound, "")
	if _, err := b.Run(t.Context(), b.source(t), monday); errs.KindOf(err) != errs.NotFound {
		t.Errorf("error = %v", err)
	}
	if got := b.source(t); got.ETag != `"One"` || got.PolledAt == nil {
		t.Errorf("after a later failure: %+v", got)
	}
}

func TestPollCancelledRecordsNothing(t *testing.T) {
	t.Parallel()
	b := pollSetup(t)
	ctx, cancel := context.WithCancel(t.Context())
	b.answer.Store(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	before := b.source(t)
	if _, err := b.Run(ctx, before, monday); err == nil {
		t.Error("no error")
	}
	if diff := cmp.Diff(before, b.source(t)); diff != "" {
		t.Error(diff)
	}
}

func TestPollRefusesInternalAddress(t *testing.T) {
	t.Parallel()
	b := pollSetup(t)
	b.items("One")
	guarded := fetch.New()
	t.Cleanup(guarded.Close)
	b.Fetch = guarded
	if _, err := b.Run(t.Context(), b.source(t), monday); err == nil || b.requests.Load() != 0 {
		t.Errorf("%d requests, error %v", b.requests.Load(), err)
	}
	if got := b.source(t); !strings.Contains(got.Failure, "internal address") {
		t.Errorf("failure %q", got.Failure)
	}
}

func TestPollRefusesFolder(t *testing.T) {
	t.Parallel()
	if _, err := (&Poller{}).Run(t.Context(), articles.Source{Slug: "files", Kind: articles.KindFolder}, time.Time{}); errs.KindOf(err) != errs.Invalid {
		t.Errorf("error = %v", err)
	}
}

func TestPollConcurrently(t *testing.T) {
	t.Parallel()
	b := pollSetup(t)
	b.items("One", "Two", "Three")
	source := b.source(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := b.Run(t.Context(), source, monday); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := b.all(t); len(got) != 3 {
		t.Errorf("%d articles, want 3", len(got))
	}
}

// What says nothing of ETags is known by its bytes; then nothing is read anew, and what the document said of its life still counts.
func TestPollSameBytes(t *testing.T) {
	t.Parallel()
	b := pollSetup(t)
	b.fails(http.StatusOK, `<rss version="2.0"><channel><ttl>60</ttl><title>x</title><item><guid>1</guid><title>One</title><description>Text.</description></item></channel></rss>`)
	if got := b.poll(t, monday); got.Added != 1 {
		t.Errorf("%+v", got)
	}
	first := b.source(t)
	if first.TTL != time.Hour || len(first.BodyHash) == 0 || !first.ChangedAt.Equal(monday) || first.NextPollAt.Before(monday.Add(time.Hour)) {
		t.Errorf("%+v", first)
	}
	later := monday.Add(2 * time.Hour)
	if got := b.poll(t, later); got != (articles.Result{}) {
		t.Errorf("the same bytes: %+v", got)
	}
	again := b.source(t)
	if again.TTL != time.Hour || !again.ChangedAt.Equal(monday) || again.NextPollAt.Before(later.Add(time.Hour)) || !again.PolledAt.Equal(later) {
		t.Errorf("%+v", again)
	}
	b.fails(http.StatusOK, `<rss version="2.0"><channel><title>x</title><item><guid>1</guid><title>One, edited</title><description>Text.</description></item></channel></rss>`)
	if got := b.poll(t, later); got.Changed != 1 {
		t.Errorf("other bytes: %+v", got)
	}
	if got := b.source(t); got.TTL != 0 || !got.ChangedAt.Equal(later) {
		t.Errorf("%+v", got)
	}
}

func TestPollHonoursServers(t *testing.T) {
	t.Parallel()
	b := pollSetup(t)
	b.answer.Store(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/feed" {
			http.Redirect(w, r, "/new", http.StatusMovedPermanently)
			return
		}
		w.Header().Set("Cache-Control", "max-age=7200")
		fmt.Fprint(w, `<rss version="2.0"><channel><title>x</title></channel></rss>`)
	}))
	b.poll(t, monday)
	source := b.source(t)
	if source.NextPollAt.Before(monday.Add(2*time.Hour)) || source.MovedURL != strings.Replace(source.URL, "/feed", "/new", 1) {
		t.Errorf("%+v", source)
	}
	b.answer.Store(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "10800")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	if _, err := b.Run(t.Context(), source, monday); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("error = %v", err)
	}
	if got := b.source(t); got.NextPollAt.Before(monday.Add(3*time.Hour)) || got.MovedURL != source.MovedURL {
		t.Errorf("%+v", got)
	}
}

func TestFeedTTL(t *testing.T) {
	t.Parallel()
	for inner, want := range map[string]time.Duration{
		"": 0, "<ttl>90</ttl>": 90 * time.Minute, "<ttl> 5 </ttl>": 5 * time.Minute, "<ttl>soon</ttl>": 0, "<ttl>-5</ttl>": 0,
		"<ttl>99999999999</ttl>": 365 * 24 * time.Hour,
		"<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>": 30 * time.Minute,
		"<sy:updatePeriod> Daily </sy:updatePeriod>":                                          24 * time.Hour,
		"<sy:updatePeriod>often</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>":  0,
		"<ttl>10</ttl><sy:updatePeriod>hourly</sy:updatePeriod>":                              time.Hour,
	} {
		feed, err := readFeed([]byte(`<rss version="2.0" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel><title>x</title>`+inner+`</channel></rss>`), "", "https://www.example.org/feed", articles.Source{})
		if err != nil || feed.ttl != want {
			t.Errorf("%s: %s, want %s; %v", inner, feed.ttl, want, err)
		}
	}
}

// A date without a zone is in that of who writes: what the settings say, else what the language of the titles does.
func TestPollDatesWithoutZone(t *testing.T) {
	t.Parallel()
	const feed = `<rss version="2.0"><channel><title>示例市科学技术协会</title>%s<item><guid>1</guid><title>第十二届国际科学节在示例市开幕</title>
		<description>来自十六个国家的合作伙伴出席了开幕式。</description><pubDate>2020-05-11 08:00:00</pubDate></item></channel></rss>`
	for name, tt := range map[string]struct {
		head   string
		source articles.Source
		want   string
	}{
		"titles in Chinese":         {"", articles.Source{}, "2020-05-11T00:00:00Z"},
		"a template's language":     {"<language>en-us</language>", articles.Source{}, "2020-05-11T00:00:00Z"},
		"the site's country":        {"<link>https://www.example.it/</link>", articles.Source{}, "2020-05-11T06:00:00Z"},
		"the source's language":     {"", articles.Source{Language: "th"}, "2020-05-11T01:00:00Z"},
		"the settings":              {"<language>zh</language>", articles.Source{Settings: articles.Settings{TimeZone: "America/New_York"}}, "2020-05-11T12:00:00Z"},
		"the settings, even of UTC": {"<language>zh</language>", articles.Source{Settings: articles.Settings{TimeZone: "UTC"}}, "2020-05-11T08:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site, root := startSite(t, nil)
			site.put("/rss.xml", fmt.Sprintf(feed, tt.head))
			tt.source.Kind, tt.source.URL, tt.source.Settings.FullText = articles.KindFeed, root+"/rss.xml", articles.FullTextNever
			b := siteSetup(t, tt.source)
			b.poll(t, monday.AddDate(1, 0, 0))
			all, err := b.Store.Select(t.Context(), b.DB, articles.Selection{}, 0)
			if err != nil || len(all) != 1 || all[0].PublishedAt.Format(time.RFC3339) != tt.want {
				t.Errorf("%+v, %v; want %s", all, err, tt.want)
			}
		})
	}
}

// What a poll says of nothing new is what happened, and what it says of a failure helps.
func TestPollSaysWhatHappened(t *testing.T) {
	t.Parallel()
	b := pollSetup(t)
	poll := func() (Outcome, error) { return b.Poll(t.Context(), b.source(t), monday) }
	b.items("One")
	_, _ = poll()
	if out, err := poll(); err != nil || out.Same != SameSaid {
		t.Errorf("304: %+v, %v", out, err)
	}
	b.answer.Store(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<rss version="2.0"><channel><title>x</title><item><guid>guid-9</guid><title>Nine</title><description>Text.</description></item></channel></rss>`)
	}))
	if out, err := poll(); err != nil || out.Same != "" || out.Added != 1 {
		t.Errorf("other bytes: %+v, %v", out, err)
	}
	if out, err := poll(); err != nil || out.Same != SameBytes {
		t.Errorf("the same bytes: %+v, %v", out, err)
	}
	root := strings.TrimSuffix(b.source(t).URL, "/feed")
	b.fails(http.StatusNotFound, "")
	if _, err := poll(); errs.KindOf(err) != errs.NotFound || !strings.HasSuffix(err.Error(), "; silkpost source check "+root+"/ looks for where the site has its news now") {
		t.Errorf("gone: %v", err)
	}
	b.fails(http.StatusOK, "<html><body>Welcome</body></html>")
	if _, err := poll(); errs.KindOf(err) != errs.Invalid || !strings.HasSuffix(err.Error(), "/feed: this is a web page, not a feed; silkpost source check "+root+"/feed looks for its feed") {
		t.Errorf("a page: %v", err)
	}
}
