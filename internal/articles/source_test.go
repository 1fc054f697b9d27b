package articles

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

func TestUpsertSource(t *testing.T) {
	t.Parallel()
	b := setup(t)
	want := Source{Slug: "site", Kind: KindFeed, URL: "https://www.example.org/feed.xml", Section: "News", Language: "zh-hans"}
	upsert := func(now time.Time) (Source, bool) {
		t.Helper()
		got, written, err := b.UpsertSource(t.Context(), b.db, want, now)
		if err != nil {
			t.Fatal(err)
		}
		return got, written
	}
	first, written := upsert(monday)
	if !written || first.Every != DefaultEvery || first.Language != "zh-Hans" || first.PolledAt != nil || first.NextPollAt == nil {
		t.Errorf("first: %t %+v", written, first)
	}
	if again, written := upsert(monday.Add(time.Hour)); written || !cmp.Equal(first, again) {
		t.Errorf("declared again: %t %s", written, cmp.Diff(first, again))
	}
	if err := b.RecordPoll(t.Context(), b.db, first, Polled{At: monday, Next: monday.Add(time.Hour), ETag: `"1"`}); err != nil {
		t.Fatal(err)
	}
	want.Every = 90 * time.Second
	if got, written := upsert(monday); !written || got.Every != 90*time.Second || got.ETag != `"1"` || !got.NextPollAt.Equal(monday.Add(time.Hour)) {
		t.Errorf("another interval: %t %+v", written, got)
	}
	failed := Polled{At: monday, Next: monday.Add(time.Hour), Failure: "down"}
	if err := b.RecordPoll(t.Context(), b.db, first, failed); err != nil {
		t.Fatal(err)
	}
	want.URL = "https://www.example.org/new.xml"
	got, written := upsert(monday.Add(time.Minute))
	fresh := first
	fresh.URL, fresh.Every = want.URL, want.Every
	next := monday.Add(time.Minute)
	fresh.NextPollAt = &next
	if diff := cmp.Diff(fresh, got); diff != "" || !written {
		t.Errorf("another address: %t %s", written, diff)
	}
	// A poll of the old address ends only now: it says nothing of the new one.
	for _, late := range []Polled{{At: monday, Next: monday.Add(time.Hour), ETag: `"1"`}, failed} {
		if err := b.RecordPoll(t.Context(), b.db, first, late); err != nil {
			t.Fatal(err)
		}
		if got, _ := upsert(monday.Add(time.Hour)); !cmp.Equal(fresh, got) {
			t.Errorf("after a late poll: %s", cmp.Diff(fresh, got))
		}
	}
}

func TestUpsertSourceRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.CheckURL = func(url string) error {
		if strings.Contains(url, "inside") {
			return errs.New(errs.Invalid, "%s lies inside", url)
		}
		return nil
	}
	tests := []struct {
		says   string
		kind   errs.Kind
		source Source
	}{
		{"use small letters", errs.Invalid, Source{Slug: "City News", Kind: KindFolder}},
		{`kind "gopher" does not exist`, errs.Invalid, Source{Slug: "a", Kind: "gopher"}},
		{"is not a web address", errs.Invalid, Source{Slug: "a", Kind: KindFeed, URL: "feed.xml"}},
		{`source "a": https://inside.example.org/f lies inside`, errs.Invalid, Source{Slug: "a", Kind: KindFeed, URL: "https://inside.example.org/f"}},
		{"is too often", errs.Invalid, Source{Slug: "a", Kind: KindFolder, Every: time.Second}},
		{"is not a language tag", errs.Invalid, Source{Slug: "a", Kind: KindFolder, Language: "elvish!"}},
		{"cannot become a feed", errs.Conflict, Source{Slug: "files", Kind: KindFeed, URL: "https://www.example.org/f"}},
	}
	for _, tt := range tests {
		_, _, err := b.UpsertSource(t.Context(), b.db, tt.source, monday)
		if errs.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("error = %v, want %q", err, tt.says)
		}
	}
	if _, _, err := b.UpsertSource(t.Context(), b.db, Source{Slug: "site", Kind: KindFeed, URL: "https://www.example.org/f"}, monday); err != nil {
		t.Fatal(err)
	}
	if _, err := b.EnsureSource(t.Context(), b.db, "site", monday); errs.KindOf(err) != errs.Conflict {
		t.Errorf("files into a feed: %v", err)
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i, slug := range []string{"a", "b"} {
		source, _, err := b.UpsertSource(t.Context(), b.db,
			Source{Slug: slug, Kind: KindFeed, URL: "https://www.example.org/" + slug}, monday)
		if err != nil {
			t.Fatal(err)
		}
		next := monday.Add(time.Duration(2-i) * time.Hour)
		if err := b.RecordPoll(t.Context(), b.db, source, Polled{At: monday, Next: next, Failure: "it was\x00 down"}); err != nil {
			t.Fatal(err)
		}
	}
	for after, want := range map[time.Duration]string{time.Minute: "", time.Hour: "b", 2 * time.Hour: "b a"} {
		due, err := b.Due(t.Context(), b.db, monday.Add(after))
		if err != nil {
			t.Fatal(err)
		}
		var slugs []string
		for _, s := range due {
			slugs = append(slugs, s.Slug)
			if s.Failures != 1 || s.Failure != "it was down" || s.PolledAt != nil {
				t.Errorf("%+v", s)
			}
		}
		if got := strings.Join(slugs, " "); got != want {
			t.Errorf("after %s: %q due, want %q", after, got, want)
		}
	}
}

// A source that is never polled is due when images of its articles are, however they came; one that is paused is not.
func TestDueForImages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	source, _, err := b.UpsertSource(t.Context(), b.db, Source{Slug: "cms", Kind: KindAPI, Settings: Settings{Images: ImagesStore}}, monday)
	if err != nil {
		t.Fatal(err)
	}
	due := func() (slugs []string) {
		t.Helper()
		found, err := b.Due(t.Context(), b.db, monday)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range found {
			slugs = append(slugs, s.Slug)
		}
		return slugs
	}
	save := func(html string) {
		t.Helper()
		if err := database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error {
			_, err := b.Save(t.Context(), tx, source, []Draft{{ExternalKey: html, Title: "The hall", HTML: html}}, SaveOptions{Now: monday})
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	save("<p>No picture.</p>")
	if got := due(); len(got) != 0 {
		t.Errorf("%q due without images", got)
	}
	save(`<p>One.</p><img src="https://www.example.org/hall.jpg">`)
	if got := due(); !slices.Equal(got, []string{"cms"}) {
		t.Errorf("%q due with an image", got)
	}
	if _, err := b.PauseSource(t.Context(), b.db, "cms", true, monday); err != nil {
		t.Fatal(err)
	}
	if got := due(); len(got) != 0 {
		t.Errorf("%q due although paused", got)
	}
}
