package articles

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

func text(s string) *string { return &s }

func TestAnEditStaysWhateverTheSourceGives(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := Draft{ExternalKey: "a", Title: "The haul opens", Text: "It opens in May.", Section: "News", Language: "en", Tags: []string{"robots"}, Published: monday}
	b.save(t, monday, d)
	ref := b.only(t).Slug
	edit := Edit{Title: text(" The hall\nopens "), Tags: &[]string{"halls", "robots"}}
	if got, change, err := b.Edit(t.Context(), b.db, ref, "command line", edit, monday.Add(time.Hour)); err != nil || change != database.Changed || got.Title != "The hall opens" {
		t.Fatalf("%+v, %q, %v", got, change, err)
	}
	if _, change, err := b.Edit(t.Context(), b.db, ref, "command line", edit, monday.Add(2*time.Hour)); err != nil || change != database.Unchanged {
		t.Errorf("edited again: %q, %v", change, err)
	}
	if got := b.save(t, monday.Add(3*time.Hour), d); got != (Result{Unchanged: 1}) {
		t.Errorf("the source, as it was: %+v", got)
	}
	if e := b.edited(t); e.SourceChangedAt != nil || strings.Join(e.Parts, " ") != "title tags" {
		t.Errorf("%+v", e)
	}
	d.Text = "It opens in June."
	if got := b.save(t, monday.Add(4*time.Hour), d); got != (Result{Changed: 1}) {
		t.Errorf("another text: %+v", got)
	}
	if e := b.edited(t); e.SourceChangedAt != nil {
		t.Error("it is told although the source changed another part")
	}
	d.Title = "The house opens"
	if got := b.save(t, monday.Add(5*time.Hour), d); got != (Result{Unchanged: 1}) {
		t.Errorf("another title below the editor's: %+v", got)
	}
	got := b.only(t)
	if got.Title != "The hall opens" || got.Text != "It opens in June." || strings.Join(got.Tags, " ") != "halls robots" {
		t.Errorf("%+v", got)
	}
	if e := b.edited(t); e.SourceChangedAt == nil {
		t.Error("that the source changed the title is not told")
	}
	if slugs, err := b.OutrunEdits(t.Context(), b.db); err != nil || len(slugs) != 1 {
		t.Errorf("outrun: %q, %v", slugs, err)
	}
	back, change, err := b.TakeBack(t.Context(), b.db, ref, "command line", monday.Add(6*time.Hour))
	if err != nil || change != database.Changed || back.Title != "The house opens" || strings.Join(back.Tags, " ") != "robots" {
		t.Errorf("taken back: %+v, %q, %v", back, change, err)
	}
	if _, change, err := b.TakeBack(t.Context(), b.db, ref, "command line", monday.Add(7*time.Hour)); err != nil || change != database.Unchanged {
		t.Errorf("taken back again: %q, %v", change, err)
	}
}

func (b *bench) edited(t *testing.T) Edited {
	t.Helper()
	e, err := b.Edited(t.Context(), b.db, b.only(t).ID)
	if err != nil || e == nil {
		t.Fatalf("%v, %v", e, err)
	}
	return *e
}

func TestAnEditIsCleanAndWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday, Draft{ExternalKey: "a", Title: "One", Text: "x", Language: "en", URL: "https://www.example.org/a/1.html"})
	ref := b.only(t).Slug
	got, _, err := b.Edit(t.Context(), b.db, ref, "command line", Edit{
		HTML: text(`<p onclick="x">See <a href="2.html">two</a><script>x</script></p>`), Language: text("DE"), ImageURL: text("/i.png"), Summary: text("S\x00."),
	}, monday.Add(time.Hour))
	if err != nil || got.HTML != `<p>See <a href="https://www.example.org/a/2.html">two</a></p>` || got.Text != "See two <https://www.example.org/a/2.html>" ||
		got.Language != "de" || got.LanguageKey != "de-Latn" || got.ImageURL != "https://www.example.org/i.png" || got.Summary != "S." {
		t.Errorf("%+v, %v", got, err)
	}
	if is := b.only(t); !cmp.Equal(is.HTML, got.HTML) || is.LanguageKey != "de-Latn" {
		t.Errorf("stored: %+v", is)
	}
	for name, e := range map[string]Edit{"nothing": {}, "no title": {Title: text(" ")}, "no address": {ImageURL: text("javascript:x")}, "no language": {Language: text("x y")}} {
		if _, _, err := b.Edit(t.Context(), b.db, ref, "command line", e, monday); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHistoryKeepsWhatAnArticleWas(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := Draft{ExternalKey: "a", Title: "One", Text: "First.\n\nSecond.\n\nThird.\n\nFourth.", Language: "en", Published: monday}
	b.save(t, monday, d)
	ref := b.only(t).Slug
	d.Text = "First.\n\nSecond, corrected.\n\nThird.\n\nFourth.\n\nFifth."
	b.save(t, monday.Add(time.Hour), d)
	if _, _, err := b.Edit(t.Context(), b.db, ref, "command line", Edit{Title: text("Two")}, monday.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	d.GUID = "only its id"
	b.save(t, monday.Add(3*time.Hour), d)
	versions, err := b.History(t.Context(), b.db, ref)
	if err != nil || len(versions) != 3 {
		t.Fatalf("%d versions, %v", len(versions), err)
	}
	type line struct {
		Number  int
		After   time.Duration
		By      string
		Changed string
	}
	var got []line
	for _, v := range versions {
		got = append(got, line{v.Number, v.At.Sub(date(monday)), v.By, strings.Join(v.Changed, " ")})
	}
	want := []line{{1, 0, BySource, ""}, {2, time.Hour, BySource, "summary html"}, {3, 2 * time.Hour, "command line", "title"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	diffs := Compare(versions[0], versions[2])
	wantDiffs := []Difference{
		{"title", []string{"-One", "+Two"}},
		{"summary", []string{"-First. Second. Third. Fourth.", "+First. Second, corrected. Third. Fourth. Fifth."}},
		{"text", []string{" First.", "-Second.", "+Second, corrected.", " Third.", " Fourth.", "+Fifth."}},
	}
	if diff := cmp.Diff(wantDiffs, diffs); diff != "" {
		t.Error(diff)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range keptVersions + 20 {
		b.save(t, monday.Add(time.Duration(i)*time.Hour), Draft{ExternalKey: "a", Title: "One", Text: strings.Repeat("x", i+1), Language: "en"})
	}
	versions, err := b.History(t.Context(), b.db, b.only(t).Slug)
	if err != nil || len(versions) != keptVersions+1 || versions[0].Number != 1 || versions[0].Article.Text != "x" || versions[len(versions)-1].Number != keptVersions+20 {
		t.Errorf("%d versions from %d to %d, %v", len(versions), versions[0].Number, versions[len(versions)-1].Number, err)
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday, Draft{ExternalKey: "a", Title: "One", Text: "x", Language: "en"})
	yes, no := true, false
	for _, step := range []struct {
		urgent, pinned *bool
		want           database.Change
	}{{&yes, nil, database.Changed}, {&yes, nil, database.Unchanged}, {nil, &yes, database.Changed}, {&no, nil, database.Changed}} {
		if _, change, err := b.Mark(t.Context(), b.db, "one", step.urgent, step.pinned, monday); err != nil || change != step.want {
			t.Errorf("%q, %v, want %q", change, err, step.want)
		}
	}
	b.save(t, monday.Add(time.Hour), Draft{ExternalKey: "a", Title: "One", Text: "y", Language: "en"})
	if got := b.only(t); got.Urgent || !got.Pinned || got.Text != "y" {
		t.Errorf("%+v: a poll must not take a mark away", got)
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday,
		Draft{ExternalKey: "a", Title: "One", Text: "x", Language: "en"},
		Draft{ExternalKey: "b", Title: "Uno", Text: "x", Language: "it", TranslationKey: "k"},
		Draft{ExternalKey: "c", Title: "Other", Text: "x", Language: "en"})
	by := map[string]Article{}
	for _, a := range b.all(t) {
		by[a.Title] = a
	}
	if change, err := b.Link(t.Context(), b.db, by["One"], by["Uno"], monday); err != nil || change != database.Changed {
		t.Fatalf("%q, %v", change, err)
	}
	b.save(t, monday.Add(time.Hour), Draft{ExternalKey: "d", Title: "Eins", Text: "x", Language: "de", TranslationKey: "k"})
	groups := map[string]int64{}
	for _, a := range b.all(t) {
		groups[a.Title] = a.GroupID
	}
	if g := by["One"].GroupID; groups["One"] != g || groups["Uno"] != g || groups["Eins"] != g || groups["Other"] == g {
		t.Errorf("groups %v", groups)
	}
	if _, err := b.Link(t.Context(), b.db, by["One"], by["Other"], monday); errs.KindOf(err) != errs.Conflict {
		t.Errorf("two in one language: %v", err)
	}
}
