package sources

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"silkpost/internal/articles"
	"silkpost/internal/testkit"
)

func TestAWatchedFolder(t *testing.T) {
	t.Parallel()
	db, store := testkit.DB(t), &articles.Store{}
	dir := t.TempDir()
	poller := &Poller{DB: db, Store: store}
	now := time.Date(2031, 5, 12, 8, 0, 0, 0, time.UTC)
	write := func(name, text string, at time.Time) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	poll := func() Outcome {
		t.Helper()
		source, err := store.SourceBySlug(t.Context(), db, "desk")
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(15 * time.Minute)
		out, err := poller.Poll(t.Context(), source, now)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := func(name string, out Outcome, added, changed, refused int, same bool) {
		t.Helper()
		if out.Added != added || out.Changed != changed || len(out.Refused) != refused || (out.Same == SameFiles) != same {
			t.Errorf("%s: %+v", name, out)
		}
	}
	_, _, err := store.UpsertSource(t.Context(), db, articles.Source{
		Slug: "desk", Kind: articles.KindFolder, Settings: articles.Settings{Path: dir},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	if due, err := store.Due(t.Context(), db, now); err != nil || len(due) != 1 {
		t.Fatalf("due: %+v, %v", due, err)
	}
	want("empty", poll(), 0, 0, 0, false)
	write("one.md", "# One\n\nThe hall opens in May.\n", now)
	out := poll()
	want("a first file", out, 1, 0, 0, false)
	if out.Archive {
		t.Error("what comes after the first poll is news")
	}
	want("nothing", poll(), 0, 0, 0, true)
	write("one.md", "# One\n\nThe hall opens in May.\n\nCome and see.\n", now)
	write("two.txt", "Two\n\nThe hall is closed on the first of May, as are all others.\n", now)
	write("bad.bin", "\x00\x01", now)
	want("an edit, a second one and one that is none", poll(), 1, 1, 1, false)
	health, err := store.Healths(t.Context(), db, now)
	source, _ := store.SourceBySlug(t.Context(), db, "desk")
	if err != nil || health[source.ID].Remark == "" {
		t.Errorf("what could not be read is not told: %+v, %v", health, err)
	}
	if err := os.Remove(filepath.Join(dir, "bad.bin")); err != nil {
		t.Fatal(err)
	}
	write("three.md", "# Three\n\nIt is being", now.Add(15*time.Minute-time.Second))
	want("a file that is being written", poll(), 0, 0, 0, false)
	write("three.md", "# Three\n\nIt is being written no more.\n", now)
	want("and was", poll(), 1, 0, 0, false)
	var texts []string
	if err := db.Select(&texts, `SELECT text FROM articles.articles WHERE title = 'Three'`); err != nil || len(texts) != 1 || texts[0] != "It is being written no more." {
		t.Errorf("%q, %v", texts, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := poller.Poll(t.Context(), source, now); err == nil {
		t.Error("a folder that is gone is no failure")
	}
	if left, err := store.Select(t.Context(), db, articles.Selection{}, 0); err != nil || len(left) != 3 {
		t.Errorf("%d articles are left, %v", len(left), err)
	}
}

func TestTheFirstLookAtAFolderIsArchiveUnlessItSaysDue(t *testing.T) {
	t.Parallel()
	db, store := testkit.DB(t), &articles.Store{}
	dir := t.TempDir()
	for first, archive := range map[articles.FirstPoll]bool{"": true, articles.FirstPollArchive: true, articles.FirstPollDue: false} {
		file := filepath.Join(dir, "x"+string(first), "one.md")
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("# One "+string(first)+"\n\nThe hall opens in May.\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		source, _, err := store.UpsertSource(t.Context(), db, articles.Source{
			Slug: "desk" + string(first), Kind: articles.KindFolder, Settings: articles.Settings{Path: filepath.Dir(file), FirstPoll: first},
		}, monday)
		if err != nil {
			t.Fatal(err)
		}
		out, err := (&Poller{DB: db, Store: store}).Poll(t.Context(), source, time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC))
		if err != nil || out.Added != 1 || out.Archive != archive {
			t.Fatalf("%q: %+v, %v", first, out, err)
		}
		var kept []bool
		if err := db.Select(&kept, `SELECT archive FROM articles.articles WHERE source_id = $1`, source.ID); err != nil || len(kept) != 1 || kept[0] != archive {
			t.Errorf("%q: archive %v, %v", first, kept, err)
		}
	}
}
