package feeds_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"pgregory.net/rapid"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/testkit"
)

// life is the articles of one source as they come, change, go and return, and what a feed with room for limit of them must say.
type life struct {
	*bundle
	t       *testing.T
	limit   int
	clock   *testkit.Clock
	handler http.Handler

	content   map[string]string    // of each article ever published
	given     map[string]time.Time // the date that the source gives with it; zero: none
	published map[string]time.Time // its date, for ever
	updated   map[string]time.Time // when an article's content was first there, by both
	withdrawn map[string]time.Time
	ids       map[string]string // what readers know it by

	tags    map[string]string // the tag of each content of a document, and the other way round
	archive map[string]string // bytes of archive documents by address and articles
}

func newLife(t *testing.T, b *bundle, limit int) *life {
	l := &life{
		bundle: b, t: t, limit: limit, clock: testkit.NewClock(day(1)),
		content: map[string]string{}, given: map[string]time.Time{}, published: map[string]time.Time{}, updated: map[string]time.Time{},
		withdrawn: map[string]time.Time{}, ids: map[string]string{}, tags: map[string]string{}, archive: map[string]string{},
	}
	b.db.MustExec(`TRUNCATE articles.articles, articles.translation_keys, articles.versions CASCADE`)
	b.db.MustExec(`DELETE FROM feeds.feeds WHERE kind <> 'declared'`)
	b.db.MustExec(`UPDATE feeds.feeds SET articles = 0, item_limit = $1, changed_at = 'epoch'`, limit)
	l.restart()
	return l
}

// restart forgets everything that a process knows.
func (l *life) restart() {
	mux := http.NewServeMux()
	handler := feeds.NewHandler(l.feeds, l.db, publicURL, feeds.Options{Clock: l.clock, Log: testkit.Log(l.t), CacheBytes: 1 << 20})
	mux.Handle("/feeds/{file}", handler)
	mux.Handle("/feeds/{slug}/{file}", handler)
	l.handler = mux
}

func (l *life) get(rt *rapid.T, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	l.handler.ServeHTTP(w, httptest.NewRequestWithContext(l.t.Context(), http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		rt.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	return w
}

// save publishes an article, or edits it, then with the date that it came with. A zero date is that of first sight.
func (l *life) save(key, content string, date time.Time) {
	now := l.clock.Now()
	if given, known := l.given[key]; known {
		date = given
	}
	l.given[key] = date
	l.publish(l.t, now, articles.Draft{ExternalKey: key, HTML: "<p>" + content + "</p>", Language: "en", Published: date})
	second := now.UTC().Truncate(time.Second)
	if _, known := l.published[key]; !known {
		l.published[key] = second
		if !date.IsZero() {
			l.published[key] = date.UTC().Truncate(time.Second)
		}
		l.updated[key+content] = l.published[key]
	}
	if _, known := l.updated[key+content]; !known {
		l.updated[key+content] = second
	}
	l.content[key] = content
}

func (l *life) setWithdrawn(rt *rapid.T, key string, withdraw bool) {
	ref := strings.ToLower("title-of-" + key)
	err := database.Transact(l.t.Context(), l.db, func(tx *sqlx.Tx) (err error) {
		if withdraw {
			_, _, err = l.articles.Withdraw(l.t.Context(), tx, ref, l.clock.Now())
		} else {
			_, _, err = l.articles.Restore(l.t.Context(), tx, ref, l.clock.Now())
		}
		return err
	})
	if err != nil {
		rt.Fatal(err)
	}
	if _, gone := l.withdrawn[key]; withdraw && !gone {
		l.withdrawn[key] = l.clock.Now().UTC().Truncate(time.Second)
	}
	if !withdraw {
		delete(l.withdrawn, key)
	}
}

// item is what this test reads of an item.
type item struct {
	ID        string    `json:"id"`
	Title     string    `json:"title"`
	Text      string    `json:"content_html"`
	Published time.Time `json:"date_published"`
	Modified  time.Time `json:"date_modified"`
}

type page struct {
	NextURL string `json:"next_url"`
	Items   []item `json:"items"`
}

func (l *life) read(rt *rapid.T, path string) (p page) {
	if err := json.Unmarshal(l.get(rt, path).Body.Bytes(), &p); err != nil {
		rt.Fatal(err)
	}
	return p
}

// check holds every document of the feed against the model.
func (l *life) check(rt *rapid.T) {
	l.clock.Advance(time.Second)
	first := l.read(rt, "/feeds/all.json")
	l.checkItems(rt, first.Items)
	l.checkTags(rt, first.Items)
	l.checkChain(rt, first)
	l.checkLinks(rt, "/feeds/all", first)
	if first.NextURL != "" {
		older := strings.TrimPrefix(first.NextURL, publicURL)
		l.checkLinks(rt, strings.TrimSuffix(older, ".json"), l.read(rt, older))
	}
}

func (l *life) checkItems(rt *rapid.T, items []item) {
	for _, i := range items {
		key := strings.TrimPrefix(i.Title, "Title of ")
		want := item{ID: l.ids[key], Title: i.Title, Text: "<p>" + l.content[key] + "</p>", Published: l.published[key], Modified: l.updated[key+l.content[key]]}
		if want.ID == "" {
			l.ids[key], want.ID = i.ID, i.ID
		}
		if i != want {
			rt.Fatalf("%s is %+v, want %+v", key, i, want)
		}
		if at, gone := l.withdrawn[key]; gone {
			rt.Fatalf("%s is shown, withdrawn at %v", key, at)
		}
	}
}

// checkTags holds that a document has the entity tag that it had with the same content, and no other content has it. Withdrawn articles
// are in Atom's, and in RSS the date when the last of them was.
func (l *life) checkTags(rt *rapid.T, items []item) {
	last := time.Time{} // what is newer would be in the document
	if len(items) == l.limit {
		last = items[len(items)-1].Published
	}
	var gone []string
	for key, at := range l.withdrawn {
		if l.published[key].After(last) || len(items) < l.limit {
			gone = append(gone, fmt.Sprint(key, at))
		}
		if l.published[key].Equal(last) {
			return // which of them comes first is not in the model
		}
	}
	slices.Sort(gone)
	older := l.read(rt, "/feeds/all.json").NextURL
	state := fmt.Sprint(items, older)
	for format, content := range map[string]string{"json": state, "rss": state + fmt.Sprint(gone), "atom": state + fmt.Sprint(gone)} {
		tag := l.get(rt, "/feeds/all."+format).Header().Get("ETag")
		content = format + content
		if was, known := l.tags[content]; known && was != tag {
			rt.Fatalf("%s returned with the tag %s, had %s", content, tag, was)
		}
		if was, known := l.tags[tag]; known && was != content {
			rt.Fatalf("the tag %s stands for\n%s\nand\n%s", tag, was, content)
		}
		l.tags[content], l.tags[tag] = tag, content
	}
}

var prevArchive = regexp.MustCompile(`rel="prev-archive" href="([^"]+)"`)

// checkLinks holds that the three formats of a document agree on how it goes on and whether it is an archive.
func (l *life) checkLinks(rt *rapid.T, path string, p page) {
	for _, ext := range []string{".rss", ".atom"} {
		body := l.get(rt, path+ext).Body.String()
		older := ""
		if link := prevArchive.FindStringSubmatch(body); link != nil {
			older = strings.TrimSuffix(link[1], ext)
		}
		if older != strings.TrimSuffix(p.NextURL, ".json") {
			rt.Fatalf("%s goes on at %q, as %s at %q", path, p.NextURL, ext, older)
		}
		if isArchive := strings.Contains(body, "<fh:archive>"); isArchive != strings.Contains(path, "before-") {
			rt.Fatalf("%s%s: an archive: %v\n%s", path, ext, isArchive, body)
		}
	}
}

// checkChain walks back from the subscription document: every article is reached, and the archive documents whose articles are as they
// were have the same bytes.
func (l *life) checkChain(rt *rapid.T, first page) {
	reached, p, at := map[string]bool{}, first, "/feeds/all.json"
	for {
		for _, i := range p.Items {
			reached[strings.TrimPrefix(i.Title, "Title of ")] = true
		}
		if len(p.Items) > l.limit {
			rt.Fatalf("%s has %d items", at, len(p.Items))
		}
		if p.NextURL == "" {
			break
		}
		at = strings.TrimPrefix(p.NextURL, publicURL)
		p = l.read(rt, at)
		content, tag := fmt.Sprint(at, p), l.get(rt, at).Header().Get("ETag")
		if was, known := l.archive[content]; known && was != tag {
			rt.Fatalf("the archive %s changed without its articles", at)
		}
		l.archive[content] = tag
	}
	for key := range l.content {
		if _, gone := l.withdrawn[key]; reached[key] == gone {
			rt.Fatalf("%s: withdrawn %v, reached %v", key, gone, reached[key])
		}
	}
}

// Whatever is published, edited, edited back, withdrawn and restored, before and after restarts: ids and dates stay, the entity
// tag changes if and only if the content does, and walking back reaches everything.
func TestLifeOfAFeed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		l := newLife(t, b, rapid.IntRange(1, 4).Draw(rt, "limit"))
		known := func(rt *rapid.T) string {
			if len(l.content) == 0 {
				rt.Skip()
			}
			return rapid.SampledFrom(slices.Sorted(maps.Keys(l.content))).Draw(rt, "article")
		}
		content := rapid.SampledFrom([]string{"x", "y"})
		rt.Repeat(map[string]func(*rapid.T){
			"publish": func(rt *rapid.T) {
				date := time.Time{}
				if back := rapid.IntRange(0, 2000).Draw(rt, "seconds back"); back > 0 {
					date = l.clock.Now().Add(-time.Duration(back) * time.Second)
				}
				l.save(fmt.Sprint("a", len(l.content)), content.Draw(rt, "content"), date)
			},
			"publish many at once": func(rt *rapid.T) {
				for range rapid.IntRange(2, 6).Draw(rt, "n") {
					l.save(fmt.Sprint("a", len(l.content)), "x", time.Time{})
				}
			},
			"edit": func(rt *rapid.T) {
				key := known(rt)
				l.save(key, content.Draw(rt, "content"), time.Time{})
			},
			"withdraw": func(rt *rapid.T) { l.setWithdrawn(rt, known(rt), true) },
			"restore":  func(rt *rapid.T) { l.setWithdrawn(rt, known(rt), false) },
			"restart":  func(*rapid.T) { l.restart() },
			"wait":     func(rt *rapid.T) { l.clock.Advance(time.Duration(rapid.IntRange(1, 5000).Draw(rt, "s")) * time.Second) },
			"":         l.check,
		})
	})
}

// What comes at the new end leaves every archive document but the newest ones as they are, by the byte.
func TestNewArticlesLeaveArchivesAlone(t *testing.T) {
	t.Parallel()
	l := newLife(t, setup(t), 5)
	chain := func() (documents map[string]string) {
		documents = map[string]string{}
		l.clock.Advance(time.Second)
		for p := "/feeds/all.json"; p != ""; {
			w := httptest.NewRecorder()
			l.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, p, nil))
			var read page
			if err := json.Unmarshal(w.Body.Bytes(), &read); err != nil {
				t.Fatalf("%s: %d %s", p, w.Code, w.Body)
			}
			if strings.Contains(p, "before-") {
				documents[path.Base(p)] = w.Body.String()
				if age := w.Header().Get("Cache-Control"); !strings.Contains(age, "max-age=604800") {
					t.Errorf("%s: %s", p, age)
				}
			}
			p = strings.TrimPrefix(read.NextURL, publicURL)
		}
		return documents
	}
	var before map[string]string
	for n := range 120 {
		l.save(fmt.Sprint("a", n), "x", time.Time{})
		l.clock.Advance(time.Second << (n * n % 23)) // seconds to months
		now := chain()
		for name, body := range before {
			if now[name] != body {
				t.Fatalf("article %d changed %s", n, name)
			}
		}
		before = now
	}
	if len(before) < 20 || len(before) > 60 {
		t.Errorf("%d archive documents of 120 articles", len(before))
	}
}

// Nobody invents archive documents, which caches would keep for a week.
func TestInventedArchives(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.publish(t, day(2), articles.Draft{ExternalKey: "1", Language: "en", Published: day(1)}, articles.Draft{ExternalKey: "2", Language: "en", Published: day(2)})
	p := b.process(b.db, testkit.NewClock(day(3)))
	var id int64
	if err := b.db.Get(&id, `SELECT id FROM articles.articles WHERE external_key = '2'`); err != nil {
		t.Fatal(err)
	}
	at := func(when time.Time, id int64) string {
		return "/feeds/all/" + feeds.PlaceName(articles.Place{At: when.Truncate(time.Second), ID: id}) + ".atom"
	}
	for path, want := range map[string]int{
		at(day(2), id): http.StatusOK, at(day(3), id): http.StatusNotFound, at(day(2), id+1): http.StatusNotFound,
		"/feeds/all/before-99990101T000000Z-1.atom": http.StatusNotFound,
	} {
		if got := p.get(t.Context(), path); got.Code != want {
			t.Errorf("%s: %d, want %d", path, got.Code, want)
		}
	}
}

// A feed's title is its definition's, whatever its articles are in at the moment.
func TestATitleDoesNotFollowTheArticles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.feeds.Declare(t.Context(), b.db, feeds.Feed{Slug: "news", Title: database.StringMap{"en": "News", "it": "Notizie"}}, day(1)); err != nil {
		t.Fatal(err)
	}
	b.publish(t, day(2), articles.Draft{ExternalKey: "1", Language: "it"})
	if body := string(b.load(t, "news", feeds.RSS).Body); !strings.Contains(body, "<title>News</title>") {
		t.Errorf("the title follows an article:\n%s", body)
	}
}
