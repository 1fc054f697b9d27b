package feeds_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
	"pgregory.net/rapid"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

// listener is a hub that notes what it is told.
type listener struct {
	topics []string                 // below the feeds' address
	answer func(topic string) error // nil: yes to everything
}

func (l *listener) post(ctx context.Context, _ string, form url.Values) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	topic := strings.TrimPrefix(form.Get("hub.url"), publicURL+"/feeds/")
	if form.Get("hub.mode") != "publish" || form.Get("hub.topic") != form.Get("hub.url") || len(form) != 3 {
		return fmt.Errorf("the form is %v", form)
	}
	if l.answer != nil {
		if err := l.answer(topic); err != nil {
			return err
		}
	}
	l.topics = append(l.topics, topic)
	return nil
}

// heard returns what the hub was told since it was last asked.
func (l *listener) heard() []string {
	topics := l.topics
	l.topics = nil
	return topics
}

// formats are the documents of feeds, in the order in which a hub is told of them.
func formats(slugs ...string) (topics []string) {
	for _, slug := range slugs {
		topics = append(topics, slug+".rss", slug+".atom", slug+".json")
	}
	return topics
}

func (b *bundle) teller(post func(context.Context, string, url.Values) error) *feeds.Teller {
	return &feeds.Teller{Store: b.feeds, DB: b.db, Clock: testkit.NewClock(day(20)), PublicURL: publicURL, Post: post}
}

func (b *bundle) generation(t testing.TB) int64 {
	t.Helper()
	number, err := b.feeds.Generation(t.Context(), b.db)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

func (b *bundle) hubState(t testing.TB) feeds.Hub {
	t.Helper()
	all, err := b.feeds.HubStates(t.Context(), b.db)
	if err != nil || len(all) == 0 {
		t.Fatalf("hubs %v, %v", all, err)
	}
	return all[0]
}

// told makes a bundle with some articles and a hub that knows everything.
func told(t *testing.T) (*bundle, *listener, *feeds.Teller) {
	t.Helper()
	b, hub := setup(t), &listener{}
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en", Section: "News", Published: day(1)},
		articles.Draft{ExternalKey: "2", Language: "it", Section: "News", Published: day(2)})
	if _, err := b.feeds.Declare(t.Context(), b.db, feeds.Feed{Slug: "one", Limit: 1}, day(2)); err != nil {
		t.Fatal(err)
	}
	b.hub(t, hubAddress, false)
	teller := b.teller(hub.post)
	if err := teller.Tell(t.Context(), hubAddress, b.generation(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(formats("all", "lang-en", "lang-it", "one", "section-news", "source-desk"), hub.heard()); diff != "" {
		t.Fatalf("a new hub was told (-want +got):\n%s", diff)
	}
	return b, hub, teller
}

func TestTellOfWhatChanged(t *testing.T) {
	t.Parallel()
	b, hub, teller := told(t)
	for _, step := range []struct {
		name   string
		change func()
		want   []string
	}{
		{"nothing", func() {}, nil},
		{"a new article", func() {
			b.publish(t, day(3), articles.Draft{ExternalKey: "3", Language: "it", Section: "Events", Published: day(3)})
		}, formats("all", "lang-it", "one", "section-events", "source-desk")},
		{"an edit that is not in the newest of one feed", func() {
			b.publish(t, day(4), articles.Draft{ExternalKey: "1", Language: "en", Section: "News", HTML: "<p>Other words.</p>", Published: day(1)})
		}, formats("all", "lang-en", "section-news", "source-desk")},
		{"a definition", func() {
			if _, err := b.feeds.Declare(t.Context(), b.db, feeds.Feed{Slug: "one", Limit: 2}, day(5)); err != nil {
				t.Fatal(err)
			}
		}, formats("one")},
		{"a new name", func() {
			if _, err := b.feeds.Rename(t.Context(), b.db, "one", "two", day(6)); err != nil {
				t.Fatal(err)
			}
		}, formats("two")},
		{"a removal", func() {
			if _, err := b.feeds.Remove(t.Context(), b.db, "two", day(7)); err != nil {
				t.Fatal(err)
			}
		}, nil},
		{"another hub", func() {
			b.hub(t, "https://other.example.org/", false)
		}, formats("all", "lang-en", "lang-it", "section-events", "section-news", "source-desk")},
		{"that comes and goes", func() {
			b.hub(t, "https://third.example.org/", false)
			b.hub(t, "https://third.example.org/", true)
		}, nil},
	} {
		step.change()
		if err := teller.Tell(t.Context(), hubAddress, b.generation(t)); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		if diff := cmp.Diff(step.want, hub.heard()); diff != "" {
			t.Errorf("%s: the hub was told (-want +got):\n%s", step.name, diff)
		}
		if state := b.hubState(t); state.Waiting != 0 || state.Failures != 0 || state.ToldAt == nil || !state.ToldAt.Equal(day(20)) {
			t.Errorf("%s: %+v", step.name, state)
		}
	}
}

// After a failure nothing is tried further, and the next time it goes on there. What the hub refuses does not keep the rest.
func TestTellAfterFailures(t *testing.T) {
	t.Parallel()
	b, hub, teller := told(t)
	b.publish(t, day(3), articles.Draft{ExternalKey: "1", Language: "en", Section: "News", HTML: "<p>Other words.</p>", Published: day(1)})
	all := formats("all", "lang-en", "section-news", "source-desk")
	tell := func(says string, want ...string) {
		t.Helper()
		err := teller.Tell(t.Context(), hubAddress, b.generation(t))
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("the error is %v, want %q", err, says)
		}
		if diff := cmp.Diff(want, hub.heard()); diff != "" {
			t.Errorf("the hub was told (-want +got):\n%s", diff)
		}
	}
	hub.answer = func(topic string) error {
		if topic == "lang-en.atom" {
			return errs.New(errs.Unavailable, "under repair")
		}
		return nil
	}
	tell("under repair", all[:4]...)
	tell("under repair")
	if state := b.hubState(t); state.Waiting != 5 || state.Failures != 2 || state.Failure != "under repair" {
		t.Errorf("after two failures: %+v", state)
	}
	hub.answer = func(topic string) error {
		if strings.HasSuffix(topic, ".json") {
			return errs.New(errs.Invalid, "no JSON here")
		}
		return nil
	}
	tell("no JSON here, for "+publicURL+"/feeds/lang-en.json", "lang-en.atom", "section-news.rss", "section-news.atom", "source-desk.rss", "source-desk.atom")
	if state := b.hubState(t); state.Failures != 3 || state.Waiting != 5 {
		t.Errorf("after a refusal: %+v", state)
	}
	hub.answer = nil
	tell("", "lang-en.json", "section-news.json", "source-desk.json")
	if state := b.hubState(t); state.Failures != 0 || state.Failure != "" || state.Waiting != 0 {
		t.Errorf("at last: %+v", state)
	}
	tell("")
}

// Being told to stop is no failure of the hub's, and what it was told by then it was told.
func TestTellStopped(t *testing.T) {
	t.Parallel()
	b, hub, teller := told(t)
	b.publish(t, day(3), articles.Draft{ExternalKey: "3", Language: "en", Section: "News", Published: day(3)})
	ctx, stop := context.WithCancel(t.Context())
	hub.answer = func(topic string) error {
		if topic == "all.atom" {
			stop()
		}
		return nil
	}
	if err := teller.Tell(ctx, hubAddress, b.generation(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	if diff := cmp.Diff(formats("all")[:2], hub.heard()); diff != "" {
		t.Errorf("the hub was told (-want +got):\n%s", diff)
	}
	if state := b.hubState(t); state.Failures != 0 || state.Waiting == 0 {
		t.Errorf("the hub is %+v", state)
	}
	hub.answer = nil
	if err := teller.Tell(t.Context(), hubAddress, b.generation(t)); err != nil {
		t.Fatal(err)
	}
	if got := hub.heard(); len(got) != 13 || got[0] != "all.json" {
		t.Errorf("then it was told %v, want the 13 others of five feeds", got)
	}
}

// Nothing is told before every process serves it.
func TestTellWaits(t *testing.T) {
	t.Parallel()
	b, hub, teller := told(t)
	b.publish(t, day(3), articles.Draft{ExternalKey: "3", Language: "en", Section: "News", Published: day(3)})
	teller.Settle = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := teller.Tell(ctx, hubAddress, b.generation(t)); !errors.Is(err, context.DeadlineExceeded) || len(hub.topics) > 0 {
		t.Errorf("it was told %v, and ended with %v", hub.topics, err)
	}
}

// A feed that is touched while a hub is told of others is left to whoever touched it: not every process may serve it yet.
func TestTellLeavesWhatChangesMeanwhile(t *testing.T) {
	t.Parallel()
	b, hub, teller := told(t)
	b.publish(t, day(3), articles.Draft{ExternalKey: "3", Language: "en", Section: "News", Published: day(3)})
	first := b.generation(t)
	changed := false
	hub.answer = func(string) error {
		if !changed {
			changed = true
			b.publish(t, day(4), articles.Draft{ExternalKey: "4", Language: "it", Section: "News", Published: day(4)})
		}
		return nil
	}
	if err := teller.Tell(t.Context(), hubAddress, first); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(formats("all", "lang-en"), hub.heard()); diff != "" {
		t.Errorf("the hub was told (-want +got):\n%s", diff)
	}
	if state := b.hubState(t); state.Waiting != 5 {
		t.Errorf("%d feeds wait, want the 5 of the second article", state.Waiting)
	}
	if err := teller.Tell(t.Context(), hubAddress, first); err != nil || len(hub.topics) > 0 {
		t.Errorf("of the first generation again: %v, %v", hub.heard(), err)
	}
	if err := teller.Tell(t.Context(), hubAddress, b.generation(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(formats("all", "lang-it", "one", "section-news", "source-desk"), hub.heard()); diff != "" {
		t.Errorf("then it was told (-want +got):\n%s", diff)
	}
}

// Of two that tell one hub at once the second does nothing; another hub does not wait for either.
func TestTellOneAtATime(t *testing.T) {
	t.Parallel()
	b, hub, teller := told(t)
	const other = "https://other.example.org/"
	b.hub(t, other, false)
	second := &listener{}
	hub.answer = func(topic string) error {
		if topic == "all.rss" {
			if err := b.teller(second.post).Tell(t.Context(), hubAddress, b.generation(t)); !errors.Is(err, feeds.ErrBusy) || len(second.heard()) > 0 {
				t.Errorf("the second one of the same hub: %v", err)
			}
			if err := b.teller(second.post).Tell(t.Context(), other, b.generation(t)); err != nil || len(second.heard()) == 0 {
				t.Errorf("the other hub: %v", err)
			}
		}
		return nil
	}
	if err := teller.Tell(t.Context(), hubAddress, b.generation(t)); err != nil || len(hub.heard()) == 0 {
		t.Errorf("the first one: %v", err)
	}
	if err := b.teller(second.post).Tell(t.Context(), hubAddress, b.generation(t)); err != nil || len(second.heard()) > 0 {
		t.Errorf("afterwards: %v", err)
	}
}

// Whoever tries in vain gives way to a newer one; a hub that was taken away is told nothing.
func TestTellStepsBack(t *testing.T) {
	t.Parallel()
	b, hub, teller := told(t)
	older := b.generation(t) + 1
	b.publish(t, day(3), articles.Draft{ExternalKey: "3", Language: "en", Section: "News", Published: day(3)})
	b.publish(t, day(4), articles.Draft{ExternalKey: "4", Language: "en", Section: "News", Published: day(4)})
	hub.answer = func(string) error { return errs.New(errs.Unavailable, "under repair") }
	for _, generation := range []int64{older, older + 1} {
		if err := teller.Tell(t.Context(), hubAddress, generation); err == nil {
			t.Errorf("generation %d was told", generation)
		}
	}
	if err := teller.Tell(t.Context(), hubAddress, older); err != nil || b.hubState(t).Failures != 2 {
		t.Errorf("the older one tried again: %v", err)
	}
	b.hub(t, hubAddress, true)
	hub.answer = nil
	if err := teller.Tell(t.Context(), hubAddress, b.generation(t)); err != nil || len(hub.topics) > 0 {
		t.Errorf("a hub that was taken away: %v, %v", hub.topics, err)
	}
}

// aggregator is a hub that fetches at once, as hubs do, and that fails at times.
type aggregator struct {
	*bundle
	t       *testing.T
	clock   *testkit.Clock
	handler http.Handler
	teller  *feeds.Teller
	copies  map[string]string // by path
	left    int               // requests until it fails
	refuses string            // topics that end so
	wrong   string            // the first thing that is
}

func newAggregator(t *testing.T, b *bundle) *aggregator {
	for _, statement := range []string{
		`TRUNCATE articles.articles, articles.translation_keys, articles.versions, feeds.hubs, feeds.told, feeds.old_slugs CASCADE`,
		`DELETE FROM feeds.feeds WHERE slug <> 'all'`,
		`UPDATE feeds.feeds SET articles = 0`,
	} {
		b.db.MustExec(statement)
	}
	a := &aggregator{bundle: b, t: t, clock: testkit.NewClock(day(1)), copies: map[string]string{}}
	mux := http.NewServeMux()
	mux.Handle("/feeds/{file}", feeds.NewHandler(b.feeds, b.db, publicURL, feeds.Options{Clock: a.clock, Log: testkit.Log(t), CacheBytes: 1 << 20}))
	a.handler, a.teller = mux, b.teller(a.post)
	b.hub(t, hubAddress, false)
	return a
}

func (a *aggregator) get(path string) string {
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, httptest.NewRequestWithContext(a.t.Context(), http.MethodGet, path, nil))
	return fmt.Sprint(w.Code, w.Body)
}

func (a *aggregator) post(_ context.Context, _ string, form url.Values) error {
	topic := form.Get("hub.url")
	a.left--
	switch {
	case a.left < 0:
		return errs.New(errs.Unavailable, "under repair")
	case a.refuses != "" && strings.HasSuffix(topic, a.refuses):
		return errs.New(errs.Invalid, "not this")
	}
	path := strings.TrimPrefix(topic, publicURL)
	body := a.get(path)
	if body == a.copies[path] {
		a.wrong = "told of " + path + ", which says what it said"
	}
	a.copies[path] = body
	return nil
}

// tell tells the hub, which fails after some requests.
func (a *aggregator) tell(rt *rapid.T, left int, refuses string) error {
	a.left, a.refuses = left, refuses
	a.clock.Advance(feeds.Settled)
	err := a.teller.Tell(a.t.Context(), hubAddress, a.generation(a.t))
	if kind := errs.KindOf(err); err != nil && kind != errs.Unavailable && kind != errs.Invalid {
		rt.Fatal(err)
	}
	if a.wrong != "" {
		rt.Fatal(a.wrong)
	}
	return err
}

// check tells the hub while it is well, and holds its copies against what is served.
func (a *aggregator) check(rt *rapid.T) {
	if err := a.tell(rt, 1<<20, ""); err != nil {
		rt.Fatal(err)
	}
	var slugs []string
	if err := a.db.Select(&slugs, `SELECT slug FROM feeds.feeds WHERE removed_at IS NULL`); err != nil {
		rt.Fatal(err)
	}
	a.clock.Advance(time.Minute)
	for _, topic := range formats(slugs...) {
		if path := "/feeds/" + topic; a.get(path) != a.copies[path] {
			rt.Fatalf("the hub's copy of %s:\n%s\nserved is:\n%s", path, a.copies[path], a.get(path))
		}
	}
}

// Whatever happens to articles, feeds and hubs, and however often telling fails: once it succeeds, the hub has of every document what is
// served, and it was never told of one that says what it had said.
func TestHubHasWhatIsServed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		a := newAggregator(t, b)
		sections := rapid.SampledFrom([]string{"News", "Events"})
		published, declared := 0, map[string]bool{}
		some := func(rt *rapid.T, of map[string]bool) string {
			if len(of) == 0 {
				rt.Skip()
			}
			return rapid.SampledFrom(slices.Sorted(maps.Keys(of))).Draw(rt, "feed")
		}
		withdraw := func(rt *rapid.T, change func(context.Context, database.Handle, string, time.Time) (articles.Article, database.Change, error)) {
			if published == 0 {
				rt.Skip()
			}
			ref := fmt.Sprint("title-of-", rapid.IntRange(0, published-1).Draw(rt, "article"))
			if err := database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error {
				_, _, err := change(t.Context(), tx, ref, a.clock.Now())
				return err
			}); err != nil {
				rt.Fatal(err)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"publish": func(rt *rapid.T) {
				b.publish(t, a.clock.Now(), articles.Draft{
					ExternalKey: fmt.Sprint(published), Language: "en", Section: sections.Draw(rt, "section"),
					Published: a.clock.Now().Add(-time.Duration(rapid.IntRange(0, 5000).Draw(rt, "seconds back")) * time.Second),
				})
				published++
			},
			"edit": func(rt *rapid.T) {
				if published == 0 {
					rt.Skip()
				}
				b.publish(t, a.clock.Now(), articles.Draft{
					ExternalKey: fmt.Sprint(rapid.IntRange(0, published-1).Draw(rt, "article")), Language: "en", Section: sections.Draw(rt, "section"),
					HTML: "<p>" + rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "content") + "</p>",
				})
			},
			"withdraw": func(rt *rapid.T) { withdraw(rt, b.articles.Withdraw) },
			"restore":  func(rt *rapid.T) { withdraw(rt, b.articles.Restore) },
			"declare": func(rt *rapid.T) {
				slug := rapid.SampledFrom([]string{"one", "two"}).Draw(rt, "slug")
				if _, err := b.feeds.Declare(t.Context(), b.db, feeds.Feed{
					Slug: slug, Limit: rapid.IntRange(1, 3).Draw(rt, "limit"), Selection: articles.Selection{Sections: []string{sections.Draw(rt, "section")}},
				}, a.clock.Now()); err != nil {
					rt.Fatal(err)
				}
				declared[slug] = true
			},
			"remove": func(rt *rapid.T) {
				slug := some(rt, declared)
				if _, err := b.feeds.Remove(t.Context(), b.db, slug, a.clock.Now()); err != nil {
					rt.Fatal(err)
				}
				delete(declared, slug)
			},
			"another hub": func(rt *rapid.T) { b.hub(t, "https://other.example.org/", rapid.Bool().Draw(rt, "goes")) },
			"wait":        func(*rapid.T) { a.clock.Advance(time.Hour) },
			"tell": func(rt *rapid.T) {
				_ = a.tell(rt, rapid.IntRange(0, 9).Draw(rt, "left"), rapid.SampledFrom([]string{"", ".json", "all.rss"}).Draw(rt, "refuses"))
			},
			"": func(rt *rapid.T) {
				if rapid.IntRange(0, 3).Draw(rt, "look") == 0 {
					a.check(rt)
				}
			},
		})
		a.check(rt)
	})
}
