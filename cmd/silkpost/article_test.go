package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"silkpost/internal/articles"
)

func TestAnEditorsWayWithArticles(t *testing.T) {
	t.Parallel()
	with := published(t)
	said := func(want string, args ...string) {
		t.Helper()
		if got := good(t, with, args...); !strings.Contains(got, want) {
			t.Errorf("%q said %q, not %q", args, got, want)
		}
	}
	said(`"About the relay" is changed`, "article", "edit", "about-relay", "--title", "About the relay", "--file",
		file(t, "relay.md", "# Another title\n\nForty-one teams met.\n\nOne of them won.\n"), "--tags", "robotics,races")
	said("is so already", "article", "edit", "about-relay", "--title", "About the relay")
	said("by  ", "article", "history", "about-relay")
	versions := decode[struct{ Versions []articles.Version }](t, good(t, with, "article", "history", "about-relay", "--json")).Versions
	if len(versions) != 2 || versions[1].By != "command line" || strings.Join(versions[1].Changed, " ") != "title html tags" {
		t.Errorf("%+v", versions)
	}
	said("+ One of them won.", "article", "diff", "about-relay")
	said(`"About relay" is as its source gives it`, "article", "revert", "about-relay")
	said("They are the same", "article", "diff", "about-relay", "--from", "1", "--to", "3")
	said("urgent and not pinned", "article", "mark", "about-relay", "--urgent")
	said("not urgent and not pinned", "article", "mark", "about-relay", "--no-urgent")
	said("are translations of one another", "article", "link", "about-relay", "about-staffetta")
	said("already", "article", "link", "about-staffetta", "about-relay")
	silkpost(t, with, "article", "link", "about-relay", "about-seats").told(t, "two in one language", 1, "both are there in en")
	silkpost(t, with, "article", "diff", "about-relay", "--from", "9").told(t, "no such version", 1, "no such version")
	silkpost(t, with, "article", "mark", "about-relay").told(t, "no mark", 1, "--urgent")
}

func TestAnEmbargoFromAFile(t *testing.T) {
	t.Parallel()
	with := published(t)
	path := file(t, "later.md", "---\ntitle: The hall opens\nid: hall\nlanguage: en\npublish_at: 2999-05-01T08:00:00Z\nurgent: true\n---\n\nIt opens.\n")
	good(t, with, "import", "articles", path)
	if got := good(t, with, "feed", "render", "all", "--format", "json"); strings.Contains(got, "The hall opens") {
		t.Error("it is in a feed before its time")
	}
	waiting := decode[[]articles.Waiting](t, good(t, with, "article", "waiting", "--json"))
	if len(waiting) != 1 || waiting[0].State != articles.Embargoed || waiting[0].Title != "The hall opens" {
		t.Fatalf("%+v", waiting)
	}
	good(t, with, "article", "publish", fmt.Sprint(waiting[0].ID))
	if got := good(t, with, "feed", "render", "all", "--format", "json"); !strings.Contains(got, "The hall opens") {
		t.Error("it was published and is in no feed")
	}
	silkpost(t, with, "article", "discard", "4711").told(t, "nothing waits", 1, "4711")
}

func TestAWatchedFolderThatBringsTooMuch(t *testing.T) {
	t.Parallel()
	with := published(t)
	dir := t.TempDir()
	good(t, with, "apply", file(t, "source.toml", fmt.Sprintf("[[source]]\nslug = \"desk\"\nkind = \"folder\"\npath = %q\nevery = \"5m\"\nhold_above = 2\n", dir)))
	good(t, with, "source", "run", "desk") // the first poll, of which everything is archive
	write := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			path := filepath.Join(dir, fmt.Sprintf("%d.md", i))
			if err := os.WriteFile(path, fmt.Appendf(nil, "---\nid: desk-%d\n---\n# Notice %d\n\nWhat is new in number %d.\n", i, i, i), 0o600); err != nil {
				t.Fatal(err)
			}
			old := time.Now().Add(-time.Hour)
			if err := os.Chtimes(path, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(0, 3)
	if got := good(t, with, "source", "run", "desk"); !strings.Contains(got, "3 articles are held") {
		t.Errorf("run: %q", got)
	}
	shown := good(t, with, "source", "show", "desk")
	for _, want := range []string{"3 new articles at once; more than 2 are held", "silkpost source release desk", "Notice 2"} {
		if !strings.Contains(shown, want) {
			t.Errorf("shown without %q:\n%s", want, shown)
		}
	}
	if status := good(t, with, "status"); !strings.Contains(status, "source desk: 3 articles are held") {
		t.Errorf("status:\n%s", status)
	}
	if got := good(t, with, "source", "release", "desk"); !strings.Contains(got, "3 articles published") {
		t.Errorf("release: %q", got)
	}
	if got := columns(good(t, with, "source", "list")); !strings.HasPrefix(got[1], "desk|folder|3|") {
		t.Errorf("listed: %q", got)
	}
	write(3, 6)
	good(t, with, "source", "run", "desk")
	if got := good(t, with, "source", "discard", "desk"); !strings.Contains(got, "3 articles dropped") {
		t.Errorf("discard: %q", got)
	}
	silkpost(t, with, "source", "show", "nowhere").told(t, "no source", 1, "nowhere")
}
