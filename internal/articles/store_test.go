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

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

var monday = time.Date(2020, 5, 11, 8, 30, 15, 999_999_000, time.UTC)

// bench is a database with one folder source.
type bench struct {
	*Store
	db     *sqlx.DB
	source Source
}

func setup(t *testing.T) *bench {
	t.Helper()
	b := &bench{Store: &Store{}, db: testkit.DB(t)}
	b.source = b.folder(t, "files")
	return b
}

func (b *bench) folder(t *testing.T, slug string) Source {
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

func (b *bench) save(t *testing.T, now time.Time, drafts ...Draft) Result {
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
		ImageURL: "https://www.example.org/i.png", ImageAlt: "A \uFFFD hall", PublishedAt: seen, UpdatedAt: seen, FirstSeenAt: seen,
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
	b.Changed = func(context.Context, database.Handle) error { calls++; return nil }
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
		if !slugShape.MatchString(a.Slug) || seen[a.Slug] {
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

func TestSaveTranslations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	groups := func() map[string]int64 {
		found := map[string]int64{}
		for _, a := range b.all(t) {
			found[a.Title] = a.GroupID
		}
		return found
	}
	b.save(t, monday, Draft{ExternalKey: "en", Title: "EN", Text: "x"}, Draft{ExternalKey: "alone", Title: "Alone", Text: "x"})
	before := groups()
	if before["EN"] == before["Alone"] {
		t.Fatal("two articles share a group")
	}
	// The translation arrives, listed before the article that it translates.
	b.save(t, monday, Draft{ExternalKey: "it", Title: "IT", Text: "x", TranslationKey: "k"},
		Draft{ExternalKey: "en", Title: "EN", Text: "x", TranslationKey: "k"})
	if got := groups(); got["EN"] != before["EN"] || got["IT"] != before["EN"] {
		t.Errorf("groups %v, before %v: what was sent once would be sent again", got, before)
	}
	// Another one turns out to be a translation; one loses its key.
	b.save(t, monday, Draft{ExternalKey: "alone", Title: "Alone", Text: "x", TranslationKey: "k"}, Draft{ExternalKey: "it", Title: "IT", Text: "x"})
	if got := groups(); got["Alone"] != before["EN"] || got["IT"] != before["EN"] {
		t.Errorf("groups %v, before %v", got, before)
	}
}

func TestSaveDoesNotMakeArchiveDue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.try(t.Context(), b.source, SaveOptions{Now: monday, Archive: true},
		Draft{ExternalKey: "old", Title: "Old", Text: "x", TranslationKey: "k"}); err != nil {
		t.Fatal(err)
	}
	b.save(t, monday, Draft{ExternalKey: "new", Title: "New", Text: "x"})
	b.save(t, monday, Draft{ExternalKey: "new", Title: "New", Text: "x", TranslationKey: "k"})
	all := b.all(t)
	if all[0].GroupID == all[1].GroupID {
		t.Error("an article that was due moved into a group that never was: it would be due twice")
	}
	if all[0].Archive || !all[1].Archive {
		t.Errorf("archive: %t and %t", all[0].Archive, all[1].Archive)
	}
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
	b.Changed = func(context.Context, database.Handle) error { return broken }
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
