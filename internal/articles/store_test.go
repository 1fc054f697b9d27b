package articles

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
	"pgregory.net/rapid"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/slug"
	"silkpost/internal/testkit"
)

var monday = time.Date(2020, 5, 11, 8, 30, 15, 999_999_000, time.UTC)

// bench is a database with one folder source.
type bench struct {
	*Store
	db     *sqlx.DB
	source Source
}

func setup(t testing.TB) *bench {
	t.Helper()
	b := &bench{Store: &Store{}, db: testkit.DB(t)}
	b.source = b.folder(t, "files")
	return b
}

func (b *bench) folder(t testing.TB, slug string) Source {
	t.Helper()
	source, err := b.EnsureSource(t.Context(), b.db, slug, monday)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func (b *bench) try(ctx context.Context, source Source, opt SaveOptions, drafts ...Draft) (result Result, err error) {
	err = database.Transact(ctx, b.db, func(tx *sqlx.Tx) error {
		result, err = b.Save(ctx, tx, source, drafts, opt)
		return err
	})
	return result, err
}

func (b *bench) save(t testing.TB, now time.Time, drafts ...Draft) Result {
	t.Helper()
	result, err := b.try(t.Context(), b.source, SaveOptions{Now: now}, drafts...)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (b *bench) all(t *testing.T) []Article {
	t.Helper()
	found, err := b.Select(t.Context(), b.db, Selection{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (b *bench) exec(t testing.TB, statement string) {
	t.Helper()
	if _, err := b.db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) only(t *testing.T) Article {
	t.Helper()
	found := b.all(t)
	if len(found) != 1 {
		t.Fatalf("%d articles, want 1", len(found))
	}
	return found[0]
}

func TestSaveFirstSight(t *testing.T) {
	t.Parallel()
	b := setup(t)
	result := b.save(t, monday, Draft{
		ExternalKey: "a.md", URL: "https://www.example.org/a", Title: " Robots \x00 &\n people ", Section: "News",
		HTML:     `<p onclick="x">The hall opens in May. <a href="b">More</a></p><script>x</script>`,
		Language: "zh-hans", Tags: []string{"b", "a", "b", " "}, Authors: []string{"Press office"}, ImageURL: "/i.png", ImageAlt: "A \xff hall",
	})
	if diff := cmp.Diff(Result{Added: 1}, result); diff != "" {
		t.Error(diff)
	}
	got := b.only(t)
	seen := monday.Truncate(time.Second)
	want := Article{
		ID: got.ID, SourceID: b.source.ID, GroupID: got.GroupID, GUID: derivedGUID("files", "a.md", 0), Slug: "robots-people",
		URL: "https://www.example.org/a", Title: "Robots & people", Summary: "The hall opens in May. More",
		HTML:     `<p>The hall opens in May. <a href="https://www.example.org/b">More</a></p>`,
		Text:     "The hall opens in May. More <https://www.example.org/b>",
		Language: "zh-Hans", LanguageKey: "zh-Hans", Section: "News", Tags: []string{"b", "a"}, Authors: []string{"Press office"},
		ImageURL: "https://www.example.org/i.png", ImageAlt: "A \uFFFD hall", PublishedAt: seen, UpdatedAt: seen, FirstSeenAt: seen, Revision: got.Revision,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSaveDefaultsOfTheSource(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.source.Section, b.source.Language = "Notices", "it"
	b.save(t, monday, Draft{ExternalKey: "a", Title: "T", Text: "The hall opens in May and everybody is invited to come."})
	if got := b.only(t); got.Section != "Notices" || got.Language != "it" || got.LanguageKey != "it-Latn" {
		t.Errorf("section %q, language %q (%q)", got.Section, got.Language, got.LanguageKey)
	}
}

func TestSaveAgainChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	calls := 0
	b.Changed = func(context.Context, database.Handle, []Touched, time.Time) error { calls++; return nil }
	drafts := []Draft{
		{ExternalKey: "a", Title: "One", HTML: "<p>x</p><script>y</script>"},
		{ExternalKey: "b", Title: "Two", Text: "z", Published: monday, TranslationKey: "k"},
	}
	b.save(t, monday, drafts...)
	before := b.all(t)
	result := b.save(t, monday.Add(time.Hour), drafts...)
	if diff := cmp.Diff(Result{Unchanged: 2}, result); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, b.all(t)); diff != "" {
		t.Error(diff)
	}
	if calls != 1 {
		t.Errorf("Changed was called %d times, want once", calls)
	}
}

func TestSaveEdit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday, Draft{ExternalKey: "a", Title: "Old title", Text: "x", URL: "https://www.example.org/old"})
	before := b.only(t)
	result, err := b.try(t.Context(), b.source, SaveOptions{Now: monday.Add(time.Hour), Archive: true},
		Draft{ExternalKey: "a", Title: "New title", Text: "y", GUID: "another", URL: "https://www.example.org/new", Language: "it"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Result{Changed: 1}, result); diff != "" {
		t.Error(diff)
	}
	after := b.only(t)
	want := before
	want.Title, want.Text, want.HTML, want.Summary, want.URL = "New title", "y", "<p>y</p>", "y", "https://www.example.org/new"
	want.Language, want.LanguageKey = "it", "it-Latn"
	want.UpdatedAt = before.UpdatedAt.Add(time.Hour)
	if want.Revision = after.Revision; after.Revision <= before.Revision {
		t.Errorf("revision %d after %d", after.Revision, before.Revision)
	}
	if diff := cmp.Diff(want, after); diff != "" {
		t.Error(diff)
	}
}

func TestSaveDates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rome := time.FixedZone("", 2*3600)
	published := time.Date(2020, 5, 1, 10, 0, 0, 5, rome)
	b.save(t, monday,
		Draft{ExternalKey: "given", Title: "T", Text: "x", Published: published, Updated: published.Add(time.Hour)},
		Draft{ExternalKey: "unsayable", Title: "T", Text: "x", Published: time.Date(12020, 1, 1, 0, 0, 0, 0, time.UTC)})
	got := b.all(t)
	seen := monday.Truncate(time.Second)
	if !got[0].PublishedAt.Equal(seen) || !got[0].UpdatedAt.Equal(seen) {
		t.Errorf("a date that cannot be said: published %s, updated %s", got[0].PublishedAt, got[0].UpdatedAt)
	}
	utc := published.UTC().Truncate(time.Second)
	if got[1].PublishedAt != utc || got[1].UpdatedAt != utc.Add(time.Hour) || got[1].FirstSeenAt != seen {
		t.Errorf("published %s, updated %s, first seen %s", got[1].PublishedAt, got[1].UpdatedAt, got[1].FirstSeenAt)
	}
}

// A date that has not come counts as none: feeds are ordered by it and their Last-Modified follows from it.
func TestSaveDatesInTheFuture(t *testing.T) {
	t.Parallel()
	b := setup(t)
	seen := monday.Truncate(time.Second)
	tomorrow, nextWeek := seen.Add(24*time.Hour), seen.Add(7*24*time.Hour)
	check := func(when string, published, updated time.Time) {
		t.Helper()
		got := b.only(t)
		if got.PublishedAt != published || got.UpdatedAt != updated {
			t.Errorf("%s: published %s, updated %s; want %s and %s", when, got.PublishedAt, got.UpdatedAt, published, updated)
		}
	}
	d := Draft{ExternalKey: "a", Title: "T", Text: "x", Published: tomorrow, Updated: nextWeek}
	b.save(t, monday, d)
	check("first seen", seen, seen)
	if got := b.save(t, nextWeek, d); got.Unchanged != 1 {
		t.Errorf("when the date has come: %+v", got)
	}
	check("when the date has come", seen, seen)
	d.Text, d.Published = "y", nextWeek.Add(time.Hour)
	b.save(t, tomorrow, d)
	check("edited", seen, tomorrow)
	d.Text, d.Updated = "z", time.Time{}
	b.save(t, nextWeek, d)
	check("edited again", seen, nextWeek)
}

func TestSaveGUIDs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := b.folder(t, "other")
	b.save(t, monday, Draft{ExternalKey: "a", GUID: "tag:example.org,2020:1", Title: "A", Text: "x"})
	if _, err := b.try(t.Context(), other, SaveOptions{Now: monday.Add(time.Minute)},
		Draft{ExternalKey: "b", GUID: "tag:example.org,2020:1", Title: "B", Text: "x"},
		Draft{ExternalKey: "c", GUID: derivedGUID("other", "d", 0), Title: "C", Text: "x"},
		Draft{ExternalKey: "d", Title: "D", Text: "x"}); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, a := range b.all(t) {
		got[a.Title] = a.GUID
	}
	want := map[string]string{
		"A": "tag:example.org,2020:1",
		"B": derivedGUID("other", "b", 0), // the upstream's was taken
		"C": derivedGUID("other", "d", 0), // an upstream may say what it likes
		"D": derivedGUID("other", "d", 1),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSaveSlugs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday,
		Draft{ExternalKey: "1", Title: "Same title", Text: "x"},
		Draft{ExternalKey: "2", Title: "Same title", Text: "x"},
		Draft{ExternalKey: "3", Title: "同一个标题", Text: "科学中心将于五月开放"},
		Draft{ExternalKey: "4", Title: "同一个标题", Text: "科学中心将于五月开放"},
	)
	seen := map[string]bool{}
	for _, a := range b.all(t) {
		if !slug.Valid(a.Slug) || seen[a.Slug] {
			t.Errorf("slug %q", a.Slug)
		}
		seen[a.Slug] = true
		if a.Language == "zh-Hans" && !strings.HasPrefix(a.Slug, "zh-hans-") {
			t.Errorf("slug %q, want the language in it", a.Slug)
		}
	}
	if !seen["same-title"] {
		t.Errorf("slugs %v", seen)
	}
}

// groups returns the group of each article by its title.
func (b *bench) groups(t *testing.T) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	for _, a := range b.all(t) {
		found[a.Title] = a.GroupID
	}
	return found
}

func TestSaveTranslations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	draft := func(title, key string) Draft {
		return Draft{ExternalKey: title, Title: title, Text: "x", TranslationKey: key}
	}
	b.save(t, monday, draft("en", ""), draft("alone", ""))
	first := b.groups(t)
	if first["en"] == first["alone"] {
		t.Fatal("two articles share a group")
	}
	// A translation arrives, listed before the article that it translates, which gets its key with it.
	b.save(t, monday, draft("it", "k"), draft("en", "k"))
	// An article that was there turns out to be a translation: what was sent of it is known by its own group.
	// Another has a new key, which a further translation has too; a third loses its key.
	b.save(t, monday, draft("alone", "k"), draft("en", "k2"), draft("ru", "k2"), draft("it", ""))
	b.save(t, monday, draft("fr", "k"), draft("de", "k2"))
	got := b.groups(t)
	want := map[string]int64{"alone": first["alone"]}
	for _, title := range []string{"en", "it", "ru", "fr", "de"} {
		want[title] = first["en"]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSaveKeepsTheTranslationsOfSourcesApart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday, Draft{ExternalKey: "a", Title: "One", Text: "x", TranslationKey: "k"})
	if _, err := b.try(t.Context(), b.folder(t, "other"), SaveOptions{Now: monday},
		Draft{ExternalKey: "a", Title: "Two", Text: "x", TranslationKey: "k"}); err != nil {
		t.Fatal(err)
	}
	if got := b.groups(t); got["One"] == got["Two"] {
		t.Error("the articles of two sources share a group")
	}
}

// Whatever becomes of the keys, an article stays in its group, and the articles that come with one key come into one group.
func TestAGroupIsForEver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		b.exec(t, `TRUNCATE articles.articles, articles.translation_keys, articles.versions CASCADE`)
		ever, keys := map[string]int64{}, map[string]int64{}
		rt.Repeat(map[string]func(*rapid.T){"save": func(rt *rapid.T) {
			var drafts []Draft
			for _, title := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 1, 3, rapid.ID).Draw(rt, "titles") {
				key := rapid.SampledFrom([]string{"", "k", "l"}).Draw(rt, "key of "+title)
				drafts = append(drafts, Draft{ExternalKey: title, Title: title, Text: "x", TranslationKey: key})
			}
			b.save(t, monday, drafts...)
			groups := b.groups(t)
			for _, d := range drafts {
				group, known := ever[d.Title]
				if known && groups[d.Title] != group {
					rt.Fatalf("%s moved from group %d to %d", d.Title, group, groups[d.Title])
				}
				of, taken := keys[d.TranslationKey]
				if !known && d.TranslationKey != "" && taken && groups[d.Title] != of {
					rt.Fatalf("%s came with key %q into group %d, not %d", d.Title, d.TranslationKey, groups[d.Title], of)
				}
				ever[d.Title] = groups[d.Title]
			}
			var known []struct {
				Key     string
				GroupID int64 `db:"group_id"`
			}
			if err := b.db.SelectContext(t.Context(), &known, `SELECT key, group_id FROM articles.translation_keys`); err != nil {
				rt.Fatal(err)
			}
			for _, k := range known {
				if was, ok := keys[k.Key]; ok && was != k.GroupID {
					rt.Fatalf("key %q moved from group %d to %d", k.Key, was, k.GroupID)
				}
				keys[k.Key] = k.GroupID
			}
		}})
	})
}

func TestSaveRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tests := map[string]Draft{
		"has no key":   {Title: "T", Text: "x"},
		"has no title": {ExternalKey: "bad", Title: " \n", Text: "x"},
		"has no text":  {ExternalKey: "bad", Title: "T", HTML: "<script>x</script>"},
		`"elvish!"`:    {ExternalKey: "bad", Title: "T", Text: "x", Language: "elvish!"},
	}
	for says, bad := range tests {
		_, err := b.try(t.Context(), b.source, SaveOptions{Now: monday}, Draft{ExternalKey: "good", Title: "T", Text: "x"}, bad)
		if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("error = %v, want %q", err, says)
		}
	}
	if all := b.all(t); len(all) != 0 {
		t.Errorf("%d articles were written", len(all))
	}
}

func TestSaveChangedFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	broken := errors.New("no")
	b.Changed = func(context.Context, database.Handle, []Touched, time.Time) error { return broken }
	if _, err := b.try(t.Context(), b.source, SaveOptions{Now: monday}, Draft{ExternalKey: "a", Title: "T", Text: "x"}); !errors.Is(err, broken) {
		t.Errorf("error = %v", err)
	}
	if all := b.all(t); len(all) != 0 {
		t.Errorf("%d articles were written", len(all))
	}
}

func TestSaveConcurrently(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var drafts []Draft
	for i := range 30 {
		drafts = append(drafts, Draft{ExternalKey: fmt.Sprint(i), Title: "Same title", Text: "x", TranslationKey: fmt.Sprint(i / 2)})
	}
	sources := []Source{b.source, b.source, b.folder(t, "other")}
	results := make([]Result, len(sources))
	var wg sync.WaitGroup
	for i, source := range sources {
		wg.Go(func() {
			var err error
			if results[i], err = b.try(t.Context(), source, SaveOptions{Now: monday}, drafts...); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if results[0].Added+results[1].Added != 30 || results[0].Unchanged+results[1].Unchanged != 30 || results[2].Added != 30 {
		t.Errorf("results %+v", results)
	}
	if all := b.all(t); len(all) != 60 {
		t.Errorf("%d articles, want 60", len(all))
	}
}

func TestSaveSameKeyTwice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	result := b.save(t, monday, Draft{ExternalKey: "a", Title: "First", Text: "x"}, Draft{ExternalKey: "a", Title: "Second", Text: "x"})
	if result.Added != 1 || b.only(t).Title != "First" {
		t.Errorf("result %+v", result)
	}
}
