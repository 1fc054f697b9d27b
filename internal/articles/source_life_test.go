package articles

import (
	"testing"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// polledSource declares a feed that was polled once.
func polledSource(t *testing.T, b *bench) Source {
	t.Helper()
	source, _, err := b.UpsertSource(t.Context(), b.db, Source{Slug: "feed", Kind: KindFeed, URL: "https://www.example.org/feed"}, monday)
	if err == nil {
		err = b.RecordPoll(t.Context(), b.db, source, Polled{At: monday, Next: monday.Add(time.Hour), ETag: `"1"`, BodyHash: []byte{1}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.sourceNow(t, "feed")
}

func (b *bench) sourceNow(t *testing.T, slug string) Source {
	t.Helper()
	source, err := b.SourceBySlug(t.Context(), b.db, slug)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func (b *bench) due(t *testing.T, at time.Time) int {
	t.Helper()
	due, err := b.Due(t.Context(), b.db, at)
	if err != nil {
		t.Fatal(err)
	}
	return len(due)
}

func TestAPausedSourceIsNotDue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	polledSource(t, b)
	later := monday.Add(2 * time.Hour)
	if b.due(t, later) != 1 {
		t.Fatal("it is not due before the pause")
	}
	for _, want := range []database.Change{database.Changed, database.Unchanged} {
		if change, err := b.PauseSource(t.Context(), b.db, "feed", true, later); err != nil || change != want {
			t.Errorf("%s, %v", change, err)
		}
	}
	if b.due(t, later) != 0 {
		t.Error("it is due while it is paused")
	}
	if err := b.PollSourceSoon(t.Context(), b.db, "feed", later); err != nil || b.due(t, later) != 0 {
		t.Errorf("asked for by hand it is due for ever: %v", err)
	}
	if _, err := b.PauseSource(t.Context(), b.db, "feed", false, later); err != nil || b.due(t, later) != 1 {
		t.Errorf("it stays paused: %v", err)
	}
	if err := b.PollSourceSoon(t.Context(), b.db, b.source.Slug, later); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a folder: %v", err)
	}
}

func TestARemovedSourceLeavesItsArticles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	source := polledSource(t, b)
	if _, err := b.try(t.Context(), source, SaveOptions{Now: monday}, Draft{ExternalKey: "a", Title: "A", Text: "A.", Language: "en"},
		Draft{ExternalKey: "b", Title: "B", Text: "B.", Language: "en", Unfinished: true}); err != nil {
		t.Fatal(err)
	}
	if err := b.RemoveSource(t.Context(), b.db, "feed", monday); err != nil {
		t.Fatal(err)
	}
	all, err := b.Sources(t.Context(), b.db)
	if err != nil || len(all) != 1 || all[0].Slug != b.source.Slug {
		t.Errorf("sources %v, %v", all, err)
	}
	if len(b.all(t)) != 1 || len(b.waits(t)) != 0 || b.due(t, monday.AddDate(1, 0, 0)) != 0 {
		t.Errorf("%d articles, %d wait, %d due", len(b.all(t)), len(b.waits(t)), b.due(t, monday.AddDate(1, 0, 0)))
	}
	if err := b.RemoveSource(t.Context(), b.db, "feed", monday); errs.KindOf(err) != errs.NotFound {
		t.Errorf("removed twice: %v", err)
	}
	// Declared again it goes on, and what came meanwhile is no news.
	back, written, err := b.UpsertSource(t.Context(), b.db, Source{Slug: "feed", Kind: KindFeed, URL: "https://www.example.org/feed"}, monday)
	if err != nil || !written || back.RemovedAt != nil || back.PolledAt != nil || back.ETag != "" || back.BodyHash != nil || b.due(t, monday) != 1 {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestARemovedSourceWithoutArticlesIsGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	polledSource(t, b)
	if err := b.RemoveSource(t.Context(), b.db, "feed", monday); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SourceBySlug(t.Context(), b.db, "feed"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("%v", err)
	}
}
