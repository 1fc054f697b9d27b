package articles

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/errs"
)

const longText = "On Saturday the robots of fourteen schools passed water from hand to hand along the river, three kilometres from the old mill to " +
	"the science centre. The youngest team was nine years old. The prize, a day in the workshop, went to the school of the harbour."

func (b *bench) polls(t testing.TB, now time.Time, drafts ...Draft) Result {
	t.Helper()
	result, err := b.try(t.Context(), b.source, SaveOptions{Now: now, Polled: true}, drafts...)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (b *bench) waits(t testing.TB) (titles []string) {
	t.Helper()
	all, err := b.Waiting(t.Context(), b.db, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range all {
		titles = append(titles, string(w.State)+": "+w.Title)
	}
	return titles
}

func (b *bench) publishDue(t testing.TB, now time.Time) (Result, time.Time) {
	t.Helper()
	result, next, err := b.PublishDue(t.Context(), b.db, now)
	if err != nil {
		t.Fatal(err)
	}
	return result, next
}

func TestAnEmbargoEndsAsIfTheArticleCameThen(t *testing.T) {
	t.Parallel()
	b, twin := setup(t), setup(t)
	release := monday.Add(48 * time.Hour)
	draft := Draft{ExternalKey: "a", Title: "The hall opens", Text: "It opens in May.", Language: "en", TranslationKey: "hall", NotBefore: release}
	if got := b.save(t, monday, draft); got != (Result{Waiting: 1}) {
		t.Fatalf("%+v", got)
	}
	if got := b.all(t); len(got) != 0 {
		t.Fatalf("published before its time: %+v", got)
	}
	if got, next := b.publishDue(t, release.Add(-time.Second)); got != (Result{}) || !next.Equal(release.Truncate(time.Second)) {
		t.Fatalf("a second before: %+v, next %v", got, next)
	}
	if got, next := b.publishDue(t, release); got != (Result{Added: 1}) || !next.IsZero() {
		t.Fatalf("at its time: %+v, next %v", got, next)
	}
	draft.NotBefore = time.Time{}
	twin.save(t, release, draft)
	got, want := b.only(t), twin.only(t)
	got.Revision, want.Revision = 0, 0
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("it is not as if it had come then:\n%s", diff)
	}
	draft.NotBefore = release
	if got := b.save(t, release.Add(time.Hour), draft); got != (Result{Unchanged: 1}) {
		t.Errorf("given again afterwards: %+v", got)
	}
}

func TestAnEmbargoCanMoveAndEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	draft := Draft{ExternalKey: "a", Title: "One", Text: "x", Language: "en", NotBefore: monday.Add(time.Hour)}
	b.save(t, monday, draft)
	draft.Title, draft.NotBefore = "Two", monday.Add(3*time.Hour)
	b.save(t, monday, draft)
	if got, next := b.publishDue(t, monday.Add(2*time.Hour)); got != (Result{}) || !next.Equal(date(monday.Add(3*time.Hour))) {
		t.Fatalf("moved: %+v, next %v", got, next)
	}
	draft.NotBefore = time.Time{}
	if got := b.save(t, monday.Add(2*time.Hour), draft); got != (Result{Added: 1}) {
		t.Fatalf("ended: %+v", got)
	}
	if got := b.only(t); got.Title != "Two" || len(b.waits(t)) != 0 {
		t.Errorf("%q, waits %q", got.Title, b.waits(t))
	}
}

func TestWhatIsUnfinishedWaitsForAPerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday,
		Draft{ExternalKey: "a", Title: "One", Text: "x", Language: "en", Unfinished: true},
		Draft{ExternalKey: "b", Title: "Two", Text: "x", Language: "en", Unfinished: true})
	all, err := b.Waiting(t.Context(), b.db, "files")
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	if got, err := b.Publish(t.Context(), b.db, all[0].ID, monday.Add(time.Hour)); err != nil || got != (Result{Added: 1}) {
		t.Errorf("published: %+v, %v", got, err)
	}
	if err := b.Discard(t.Context(), b.db, all[1].ID); err != nil {
		t.Error(err)
	}
	for _, id := range []int64{all[0].ID, all[1].ID, 4711} {
		if _, err := b.Publish(t.Context(), b.db, id, monday); errs.KindOf(err) != errs.NotFound {
			t.Errorf("publish %d: %v", id, err)
		}
	}
	if got := b.only(t); got.Title != "One" || len(b.waits(t)) != 0 {
		t.Errorf("%q, waits %q", got.Title, b.waits(t))
	}
	if _, err := b.try(t.Context(), b.source, SaveOptions{Now: monday}, Draft{ExternalKey: "c", Title: " ", Text: "x", Unfinished: true}); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a draft that can never be saved: %v", err)
	}
}

// numbered returns so many drafts of a feed, whose ids begin with a prefix.
func numbered(prefix string, from, to int) (drafts []Draft) {
	for i := from; i < to; i++ {
		drafts = append(drafts, Draft{
			ExternalKey: fmt.Sprintf("%s-%d", prefix, i), GUID: fmt.Sprintf("%s-%d", prefix, i), URL: fmt.Sprintf("https://www.example.org/%s/%d", prefix, i),
			Title: fmt.Sprintf("Notice %d", i), Text: fmt.Sprintf("%s This is number %d of them, and it has number %d in it.", longText, i, i*7919), Language: "en",
			Published: monday.AddDate(0, 0, -i),
		})
	}
	return drafts
}

func TestASourceThatChangesItsIDsFloodsNobody(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(d *Draft){
		"ids":           func(d *Draft) { d.ExternalKey, d.GUID = "new-"+d.ExternalKey, "new-"+d.GUID },
		"ids and dates": func(d *Draft) { d.ExternalKey, d.Published = "new-"+d.ExternalKey, d.Published.AddDate(0, 0, 100) },
		"ids and addresses": func(d *Draft) {
			d.ExternalKey, d.URL = "new-"+d.ExternalKey, strings.Replace(d.URL, "/old/", "/page?id=", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			drafts := numbered("old", 0, 100)
			if _, err := b.try(t.Context(), b.source, SaveOptions{Now: monday, Polled: true, Archive: true}, drafts...); err != nil {
				t.Fatal(err)
			}
			was := b.all(t)
			for i := range drafts {
				change(&drafts[i])
			}
			first := b.polls(t, monday.AddDate(0, 0, 1), drafts...)
			if first.Added != 0 || first.Held != 0 {
				t.Errorf("the poll after: %+v", first)
			}
			if again := b.polls(t, monday.AddDate(0, 0, 2), drafts...); again != (Result{Unchanged: 100}) {
				t.Errorf("the poll after that: %+v", again)
			}
			is := b.all(t)
			if len(is) != len(was) {
				t.Fatalf("%d articles, before %d", len(is), len(was))
			}
			guids := map[string]Article{}
			for _, a := range was {
				guids[a.GUID] = a
			}
			for _, a := range is {
				if old, there := guids[a.GUID]; !there || !a.UpdatedAt.Equal(old.UpdatedAt) || a.GroupID != old.GroupID {
					t.Fatalf("%q looks new or edited", a.Title)
				}
			}
			drafts[3].Text += " One more paragraph tells how it went on."
			if got := b.polls(t, monday.AddDate(0, 0, 3), drafts...); got.Changed != 1 || got.Added != 0 {
				t.Errorf("an edit under the new id: %+v", got)
			}
		})
	}
}

func TestASourceThatDatesEverythingAnewKeepsItsDates(t *testing.T) {
	t.Parallel()
	const there = 12
	for name, tt := range map[string]struct {
		redated int
		change  func(d *Draft)
		want    Result
		moved   int
	}{
		"all, by a year":            {there, func(d *Draft) { d.Published = d.Published.AddDate(1, 0, 0) }, Result{Unchanged: there}, 0},
		"all, to when it was asked": {there, func(d *Draft) { d.Published, d.Updated = monday.AddDate(2, 0, 0), monday.AddDate(2, 0, 0) }, Result{Unchanged: there}, 0},
		"all, under other ids": {there, func(d *Draft) {
			d.ExternalKey, d.Published = "new-"+d.ExternalKey, d.Published.AddDate(1, 0, 0)
		}, Result{Unchanged: there}, 0},
		"all, with another text": {there, func(d *Draft) {
			d.Text, d.Published = d.Text+" One more paragraph.", d.Published.AddDate(1, 0, 0)
		}, Result{Changed: there}, 0},
		"a few":           {5, func(d *Draft) { d.Published = d.Published.AddDate(1, 0, 0) }, Result{Unchanged: there - 5, Changed: 5}, 5},
		"all, by a zone":  {there, func(d *Draft) { d.Published = d.Published.Add(15 * time.Hour) }, Result{Changed: there}, there},
		"none of them is": {0, func(*Draft) {}, Result{Unchanged: there}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			drafts := numbered("old", 0, there)
			if _, err := b.try(t.Context(), b.source, SaveOptions{Now: monday.AddDate(1, 0, 0), Polled: true, Archive: true}, drafts...); err != nil {
				t.Fatal(err)
			}
			was := map[string]Article{}
			for _, a := range b.all(t) {
				was[a.GUID] = a
			}
			for i := range drafts[:tt.redated] {
				tt.change(&drafts[i])
			}
			if got := b.polls(t, monday.AddDate(3, 0, 0), drafts...); got != tt.want {
				t.Errorf("the poll: %+v, want %+v", got, tt.want)
			}
			moved := 0
			for _, a := range b.all(t) {
				if !a.PublishedAt.Equal(was[a.GUID].PublishedAt) {
					moved++
				}
			}
			if moved != tt.moved {
				t.Errorf("%d articles have other dates, want %d", moved, tt.moved)
			}
			if again := b.polls(t, monday.AddDate(3, 0, 1), drafts...); again != (Result{Unchanged: there}) {
				t.Errorf("the poll after that: %+v", again)
			}
		})
	}
}

func TestAnArticleWithoutADateGetsOneLater(t *testing.T) {
	t.Parallel()
	b := setup(t)
	drafts := numbered("old", 0, 12)
	dates := make([]time.Time, len(drafts))
	for i := range drafts {
		dates[i], drafts[i].Published, drafts[i].Updated = drafts[i].Published, time.Time{}, time.Time{}
	}
	day := monday.AddDate(1, 0, 0)
	if _, err := b.try(t.Context(), b.source, SaveOptions{Now: day, Polled: true, Archive: true}, drafts...); err != nil {
		t.Fatal(err)
	}
	for i := range drafts {
		drafts[i].Published = dates[i]
	}
	b.polls(t, day.AddDate(0, 0, 1), drafts...)
	for _, a := range b.all(t) {
		if a.PublishedAt.Equal(date(day)) {
			t.Errorf("%q still has the day on which it was first seen", a.Title)
		}
	}
}

func TestAMassOfNewArticlesIsHeld(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.try(t.Context(), b.source, SaveOptions{Now: monday, Polled: true, Archive: true}, numbered("old", 1, 51)...); err != nil {
		t.Fatal(err)
	}
	moved := numbered("old", 1, 51)
	for i := range moved { // everything at once
		moved[i].ExternalKey, moved[i].GUID, moved[i].URL = "x"+moved[i].GUID, "x"+moved[i].GUID, "https://new.example.org/"+moved[i].GUID
		moved[i].Published = moved[i].Published.AddDate(1, 0, 0)
	}
	day := monday.AddDate(1, 0, 1)
	if got := b.polls(t, day, moved...); got != (Result{Held: 50}) {
		t.Fatalf("%+v", got)
	}
	if got := len(b.all(t)); got != 50 {
		t.Fatalf("%d are published", got)
	}
	var why string
	if err := b.db.Get(&why, `SELECT held_why FROM articles.sources`); err != nil {
		t.Fatal(err)
	}
	want := "50 new articles at once; more than 20 are held; 50 have titles that were there before: 50 under other addresses " +
		"(www.example.org/old/1 is now new.example.org/old-1), 50 with other dates"
	if why != want {
		t.Errorf("why:\n got %q\nwant %q", why, want)
	}
	if got := b.polls(t, day.Add(time.Hour), append(numbered("news", 1000, 1002), moved...)...); got != (Result{Added: 2, Unchanged: 50}) {
		t.Errorf("the next poll, with two true ones: %+v", got)
	}
	n, err := b.DiscardHeld(t.Context(), b.db, b.source)
	if err != nil || n != 50 {
		t.Errorf("discarded %d, %v", n, err)
	}
	if got := b.polls(t, day.Add(2*time.Hour), moved...); got != (Result{Unchanged: 50}) || len(b.waits(t)) != 0 {
		t.Errorf("after it was discarded: %+v, waits %d", got, len(b.waits(t)))
	}
}

func TestWhatIsHeldCanBeReleased(t *testing.T) {
	t.Parallel()
	b := setup(t)
	day := monday.AddDate(0, 0, 1)
	if got := b.polls(t, day, numbered("a", 0, 21)...); got != (Result{Held: 21}) {
		t.Fatalf("%+v", got)
	}
	if got, err := b.ReleaseHeld(t.Context(), b.db, b.source, day.Add(time.Hour)); err != nil || got != (Result{Added: 21}) {
		t.Fatalf("released: %+v, %v", got, err)
	}
	for _, a := range b.all(t) {
		if a.Archive || !a.FirstSeenAt.Equal(date(day.Add(time.Hour))) {
			t.Fatalf("%+v is not as if it had come when it was released", a)
		}
	}
	if got := b.polls(t, day.Add(2*time.Hour), numbered("a", 0, 21)...); got != (Result{Unchanged: 21}) {
		t.Errorf("polled again: %+v", got)
	}
}

func TestWhatIsHeldTwiceSaysBothReasons(t *testing.T) {
	t.Parallel()
	b := setup(t)
	why := func() (why string) {
		if err := b.db.Get(&why, `SELECT held_why FROM articles.sources`); err != nil {
			t.Fatal(err)
		}
		return why
	}
	const one, other = "21 new articles at once; more than 20 are held; none has the title of one that was there",
		"22 new articles at once; more than 20 are held; none has the title of one that was there"
	b.polls(t, monday, numbered("a", 0, 21)...)
	if got := b.polls(t, monday.Add(time.Hour), numbered("b", 100, 122)...); got != (Result{Held: 22}) {
		t.Fatalf("the second mass: %+v", got)
	}
	if got, want := why(), other+"; held before: "+one; got != want {
		t.Errorf("why:\n got %q\nwant %q", got, want)
	}
	for i := range 6 {
		b.polls(t, monday.Add(2*time.Hour), numbered(fmt.Sprint("c", i), 200+100*i, 222+100*i)...)
	}
	if got := strings.Count(why(), "at once"); got != 5 {
		t.Errorf("%d reasons are told, want the latest 5: %q", got, why())
	}
	held, err := b.Waiting(t.Context(), b.db, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range held { // one by one, not as a whole
		if err := b.Discard(t.Context(), b.db, w.ID); err != nil {
			t.Fatal(err)
		}
	}
	b.polls(t, monday.Add(3*time.Hour), numbered("d", 9000, 9021)...)
	if got := why(); got != one {
		t.Errorf("after all was dropped one by one, why:\n got %q\nwant %q", got, one)
	}
}

func TestHowMuchIsUsual(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		above       int
		busiest     int // articles of one day, a week ago
		today       int
		comes, held int
	}{
		{"few", 0, 0, 0, 20, 0},
		{"many", 0, 0, 0, 21, 21},
		{"many for others", 0, 15, 0, 45, 0},
		{"many for it too", 0, 15, 0, 46, 46},
		{"bit by bit", 0, 0, 12, 12, 12},
		{"set", 5, 0, 0, 6, 6},
		{"never", HoldNever, 0, 0, 200, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.source.Settings.HoldAbove = tt.above
			b.save(t, monday, numbered("busy", 5000, 5000+tt.busiest)...)
			now := monday.AddDate(0, 0, 7)
			b.polls(t, now.Add(-time.Hour), numbered("today", 1000, 1000+tt.today)...)
			if got := b.polls(t, now, numbered("now", 0, tt.comes)...); got.Held != tt.held || got.Added != tt.comes-tt.held {
				t.Errorf("%+v, want %d held", got, tt.held)
			}
		})
	}
}

func TestAnArticleThatAFeedHasTwiceIsOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := numbered("a", 1, 2)[0]
	twin := d
	twin.ExternalKey, twin.GUID, twin.URL = "b-1", "b-1", "https://www.example.org/other-column/1"
	series := d
	series.ExternalKey, series.GUID, series.URL, series.Published = "c-1", "c-1", "https://www.example.org/c/1", d.Published.AddDate(0, 0, 7)
	if got := b.polls(t, monday, d, twin, series); got != (Result{Added: 2, Unchanged: 1}) {
		t.Fatalf("%+v", got)
	}
	if got := b.polls(t, monday.Add(time.Hour), d, twin, series); got != (Result{Unchanged: 3}) {
		t.Errorf("again: %+v", got)
	}
	d.Text += " And there is more."
	if got := b.polls(t, monday.Add(2*time.Hour), d, twin, series); got != (Result{Changed: 1, Unchanged: 2}) {
		t.Errorf("one edited: %+v", got)
	}
	if got := b.polls(t, monday.Add(3*time.Hour), twin, series); got.Added != 0 {
		t.Errorf("the first one gone: %+v", got)
	}
}

func TestAnArticleOfTwoSourcesIsOneForDigests(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := numbered("a", 1, 2)[0]
	b.polls(t, monday, d)
	other := b.folder(t, "other")
	d.ExternalKey, d.GUID = "elsewhere", ""
	different := d
	different.ExternalKey, different.Text = "different", "Something else altogether stands at this address now, and it has nothing to do with water."
	if got, err := b.try(context.Background(), other, SaveOptions{Now: monday.Add(time.Hour), Polled: true}, d, different); err != nil || got.Added != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	groups := map[int64]int{}
	for _, a := range b.all(t) {
		groups[a.GroupID]++
	}
	if len(groups) != 2 {
		t.Errorf("groups %v, want one of two articles and one of the one that says something else", groups)
	}
}
