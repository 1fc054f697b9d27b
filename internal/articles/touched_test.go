package articles

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

func (b *bench) withdraw(t testing.TB, ref string, now time.Time) database.Change {
	t.Helper()
	_, change, err := b.Withdraw(t.Context(), b.db, ref, now)
	if err != nil {
		t.Fatal(err)
	}
	return change
}

func TestWithdrawAndRestore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday,
		Draft{ExternalKey: "a", Title: "One", Text: "x", Language: "en", GUID: "tag:example.org,2020:1", URL: "https://www.example.org/1"},
		Draft{ExternalKey: "b", Title: "Two", Text: "x", Language: "en"})
	later := monday.Add(time.Hour)
	for _, ref := range []string{"one", "tag:example.org,2020:1", "https://www.example.org/1"} {
		if got := b.withdraw(t, ref, later); got != database.Changed {
			t.Errorf("withdraw %q: %q", ref, got)
		}
		if got := b.withdraw(t, ref, later.Add(time.Hour)); got != database.Unchanged {
			t.Errorf("withdraw %q again: %q", ref, got)
		}
		if all := b.all(t); len(all) != 1 || all[0].Title != "Two" {
			t.Errorf("selected: %+v", all)
		}
		var available int
		if err := b.db.Get(&available, `SELECT count(*) FROM articles.available`); err != nil || available != 1 {
			t.Errorf("%d are available, %v", available, err)
		}
		page, err := b.BySlug(t.Context(), b.db, "one")
		if err != nil || page.WithdrawnAt == nil || !page.WithdrawnAt.Equal(later.Truncate(time.Second)) {
			t.Errorf("its page: withdrawn at %v, %v", page.WithdrawnAt, err)
		}
		if _, change, err := b.Restore(t.Context(), b.db, ref, later); err != nil || change != database.Changed {
			t.Errorf("restore %q: %q, %v", ref, change, err)
		}
		if all := b.all(t); len(all) != 2 {
			t.Errorf("restored: %d articles", len(all))
		}
	}
	for ref, kind := range map[string]errs.Kind{"three": errs.NotFound, "": errs.NotFound, "\x00\xff": errs.NotFound} {
		if _, _, err := b.Withdraw(t.Context(), b.db, ref, later); errs.KindOf(err) != kind {
			t.Errorf("withdraw %q: %v", ref, err)
		}
	}
}

func TestWithdrawByAnAddressThatSeveralHave(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday,
		Draft{ExternalKey: "a", Title: "One", Text: "x", URL: "https://www.example.org/"},
		Draft{ExternalKey: "b", Title: "Two", Text: "x", URL: "https://www.example.org/"})
	if _, _, err := b.Withdraw(t.Context(), b.db, "https://www.example.org/", monday); errs.KindOf(err) != errs.Conflict {
		t.Errorf("%v, want a conflict", err)
	}
	if len(b.all(t)) != 2 {
		t.Error("one was withdrawn")
	}
}

// What a source gives again stays withdrawn, also when it was edited meanwhile.
func TestASourceDoesNotRestore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	draft := Draft{ExternalKey: "a", Title: "One", Text: "x", Language: "en"}
	b.save(t, monday, draft)
	b.withdraw(t, "one", monday)
	b.save(t, monday.Add(time.Hour), draft)
	draft.Text = "y"
	b.save(t, monday.Add(time.Hour), draft)
	if all := b.all(t); len(all) != 0 {
		t.Errorf("%+v is back", all)
	}
	if _, _, err := b.Restore(t.Context(), b.db, "one", monday); err != nil || b.only(t).Text != "y" {
		t.Errorf("restored with text %q, %v", b.only(t).Text, err)
	}
}

// An edit that is taken back leaves the article as it was, with its date: what feeds show of it returns.
func TestAContentThatReturnsBringsItsDateBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := Draft{ExternalKey: "a", Title: "One", Text: "x", Language: "en"}
	second := first
	second.Text = "y"
	b.save(t, monday, first)
	was := b.only(t)
	b.save(t, monday.Add(time.Hour), second)
	edited := b.only(t)
	b.save(t, monday.Add(2*time.Hour), first)
	is := b.only(t)
	if is.Revision <= edited.Revision || !edited.UpdatedAt.After(was.UpdatedAt) {
		t.Errorf("revisions %d, %d, %d; updated %v, %v", was.Revision, edited.Revision, is.Revision, was.UpdatedAt, edited.UpdatedAt)
	}
	is.Revision = was.Revision
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("(-was +is):\n%s", diff)
	}
	b.save(t, monday.Add(3*time.Hour), second)
	if got := b.only(t).UpdatedAt; got != edited.UpdatedAt {
		t.Errorf("the edit again: updated %v, want %v", got, edited.UpdatedAt)
	}
}

// A translation that comes, goes or changes is seen in what is shown of its siblings.
func TestRevisionsFollowTheTranslations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday, Draft{ExternalKey: "en", Title: "One", Text: "x", Language: "en", TranslationKey: "k"},
		Draft{ExternalKey: "x", Title: "Other", Text: "x", Language: "en"})
	revision := func(slug string) int64 {
		a, err := b.BySlug(t.Context(), b.db, slug)
		if err != nil {
			t.Fatal(err)
		}
		return a.Revision
	}
	other, last := revision("other"), revision("one")
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"come", func() {
			b.save(t, monday, Draft{ExternalKey: "it", Title: "Uno", Text: "x", Language: "it", TranslationKey: "k"})
		}},
		{"change", func() {
			b.save(t, monday, Draft{ExternalKey: "it", Title: "Uno", Text: "y", Language: "it", TranslationKey: "k"})
		}},
		{"go", func() { b.withdraw(t, "uno", monday) }},
	} {
		step.do()
		if got := revision("one"); got <= last {
			t.Errorf("after a translation that did %s: revision %d, before %d", step.name, got, last)
		}
		last = revision("one")
	}
	if revision("other") != other {
		t.Error("an article that has nothing to do with it has a new revision")
	}
}

// The changes that are told, added up, are the numbers of articles of each kind at any time.
func TestTouchedAddsUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	type kind struct{ section, tag, language, source string }
	rapid.Check(t, func(rt *rapid.T) {
		b.exec(t, `TRUNCATE articles.articles, articles.translation_keys, articles.versions CASCADE`)
		counts, told := map[kind]int{}, map[kind]bool{}
		b.Changed = func(_ context.Context, _ database.Handle, touched []Touched, _ time.Time) error {
			for _, c := range touched {
				k := kind{section: c.Section, language: c.LanguageKey, source: c.Source}
				if len(c.Tags) > 0 {
					k.tag = c.Tags[0]
				}
				counts[k] += c.Change
				told[k] = true
			}
			return nil
		}
		key := rapid.SampledFrom([]string{"a", "b", "c"})
		rt.Repeat(map[string]func(*rapid.T){
			"save": func(rt *rapid.T) {
				b.save(t, monday, Draft{
					ExternalKey: key.Draw(rt, "key"), Title: "T", Text: rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "text"),
					Section: rapid.SampledFrom([]string{"", "News", "Notices"}).Draw(rt, "section"), TranslationKey: "k",
					Language: rapid.SampledFrom([]string{"en", "en-GB", "it"}).Draw(rt, "language"),
					Tags:     []string{rapid.SampledFrom([]string{"art", "robots"}).Draw(rt, "tag")},
				})
			},
			"withdraw or restore": func(rt *rapid.T) {
				var slugs []string
				if err := b.db.Select(&slugs, `SELECT slug FROM articles.articles ORDER BY slug`); err != nil {
					rt.Fatal(err)
				}
				if len(slugs) == 0 {
					rt.Skip()
				}
				do := rapid.SampledFrom([]func(context.Context, database.Handle, string, time.Time) (Article, database.Change, error){b.Withdraw, b.Restore}).Draw(rt, "do")
				if _, _, err := do(t.Context(), b.db, rapid.SampledFrom(slugs).Draw(rt, "slug"), monday); err != nil {
					rt.Fatal(err)
				}
			},
			"": func(rt *rapid.T) {
				is := map[kind]int{}
				for _, a := range b.all(t) {
					is[kind{a.Section, a.Tags[0], a.LanguageKey, "files"}]++
				}
				for k, n := range counts {
					if is[k] != n {
						rt.Fatalf("%+v: told of %d, there are %d", k, n, is[k])
					}
				}
				for k := range is {
					if !told[k] {
						rt.Fatalf("%+v was never told of", k)
					}
				}
			},
		})
	})
}

func TestPositions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	day := func(n int) time.Time { return monday.Truncate(time.Second).AddDate(0, 0, n) }
	b.save(t, day(9),
		Draft{ExternalKey: "1", Title: "One", Text: "x", Published: day(1), Section: "News"},
		Draft{ExternalKey: "2", Title: "Two", Text: "x", Published: day(2), Section: "News"},
		Draft{ExternalKey: "3", Title: "Three", Text: "x", Published: day(2), Section: "News"},
		Draft{ExternalKey: "4", Title: "Four", Text: "x", Published: day(3)})
	b.withdraw(t, "two", day(9))
	ids := map[string]int64{}
	for _, slug := range []string{"one", "two", "three", "four"} {
		a, err := b.BySlug(t.Context(), b.db, slug)
		if err != nil {
			t.Fatal(err)
		}
		ids[slug] = a.ID
	}
	news := Selection{Sections: []string{"News"}}
	for _, tt := range []struct {
		name string
		find func(context.Context, database.Handle, Selection, Place, int) ([]Position, error)
		sel  Selection
		at   Place
		n    int
		want []string
	}{
		{"all", b.Before, Selection{}, Place{}, 9, []string{"four", "three", "two", "one"}},
		{"the newest two", b.Before, Selection{}, Place{}, 2, []string{"four", "three"}},
		{"of a section", b.Before, news, Place{}, 9, []string{"three", "two", "one"}},
		{"before one of the same date", b.Before, news, Place{day(2), ids["three"]}, 9, []string{"two", "one"}},
		{"before a date", b.Before, Selection{}, Place{At: day(2)}, 9, []string{"one"}},
		{"from a date", b.From, Selection{}, Place{At: day(2)}, 9, []string{"two", "three", "four"}},
		{"from an article", b.From, Selection{}, Place{day(2), ids["three"]}, 1, []string{"three"}},
	} {
		got, err := tt.find(t.Context(), b.db, tt.sel, tt.at, tt.n)
		if err != nil {
			t.Fatal(err)
		}
		var slugs []string
		for _, p := range got {
			for slug, id := range ids {
				if id == p.ID {
					slugs = append(slugs, slug)
				}
			}
			if (p.WithdrawnAt != nil) != (p.ID == ids["two"]) {
				t.Errorf("%s: withdrawn at %v", tt.name, p.WithdrawnAt)
			}
		}
		if diff := cmp.Diff(tt.want, slugs); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestChosen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var drafts []Draft
	for _, title := range []string{"sky en", "sky it", "sky en-GB", "moon ru", "moon ar", "sun zh-Hans", "sun en", "dust it"} {
		key, tag, _ := strings.Cut(title, " ")
		drafts = append(drafts, Draft{ExternalKey: title, Title: title, Text: "x", TranslationKey: key, Language: tag, Section: key})
	}
	b.save(t, monday, drafts...)
	b.withdraw(t, "dust-it", monday)
	for _, tt := range []struct {
		languages, topics, want []string
		sel                     Selection
	}{
		{languages: []string{"it", "en"}, want: []string{"sun en", "sky it"}},
		{languages: []string{"en-GB", "it"}, want: []string{"sun en", "sky en-GB"}},
		{languages: []string{"en", "en-GB"}, want: []string{"sun en", "sky en"}},
		{languages: []string{"uk", "ru"}, want: []string{"moon ru"}},
		{languages: []string{"zh-Hant", "zh-Hans"}, want: []string{"sun zh-Hans"}},
		{languages: []string{"en"}, topics: []string{"sky"}, want: []string{"sky en"}},
		{languages: []string{"it", "en"}, sel: Selection{Languages: []string{"en"}}, want: []string{"sun en", "sky en"}},
		{languages: []string{"it", "en"}, sel: Selection{Sections: []string{"sun"}}, want: []string{"sun en"}},
		{languages: nil, want: nil},
	} {
		got, err := b.Chosen(t.Context(), b.db, tt.sel, tt.topics, tt.languages, 9)
		if err != nil {
			t.Fatal(err)
		}
		var titles []string
		for _, p := range got {
			found, err := b.ByIDs(t.Context(), b.db, []int64{p.ID})
			if err != nil {
				t.Fatal(err)
			}
			titles = append(titles, found[0].Title)
		}
		if diff := cmp.Diff(tt.want, titles); diff != "" {
			t.Errorf("%v %v %v: %s", tt.languages, tt.topics, tt.sel, diff)
		}
	}
	// One at most.
	if got, err := b.Chosen(t.Context(), b.db, Selection{}, nil, []string{"it", "en"}, 1); err != nil || len(got) != 1 {
		t.Errorf("%d, %v", len(got), err)
	}
}

func TestWhatIsKeptOfASourcesExcesses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tags := make([]string, 3000)
	for i := range tags {
		tags[i] = fmt.Sprint("tag ", i)
	}
	b.save(t, monday, Draft{ExternalKey: "a", Title: "One", Text: "x", URL: "https://user:secret@www.example.org/1?a[]=2", ImageURL: "https://user@www.example.org/a.png", Tags: tags})
	got := b.only(t)
	if len(got.Tags) != 50 || got.Tags[0] != "tag 0" {
		t.Errorf("%d tags: %v", len(got.Tags), got.Tags)
	}
	if got.URL != "https://www.example.org/1?a[]=2" || got.ImageURL != "https://www.example.org/a.png" {
		t.Errorf("addresses with names and passwords: %q, %q", got.URL, got.ImageURL)
	}
}
