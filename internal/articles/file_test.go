package articles

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/errs"
)

var (
	may  = Draft{ExternalKey: "index.md", File: "may/index.md", Title: "News of May", HTML: "<p>The hall opens.</p><p>Write to us.</p>"}
	june = Draft{ExternalKey: "index.md", File: "june/index.md", Title: "News of June", HTML: "<p>The robots dance.</p><p>Come and see.</p>"}
)

func TestSaveRefusesAnotherFileOfTheSamePath(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday, may)
	before := b.only(t)
	_, err := b.try(t.Context(), b.source, SaveOptions{Now: monday},
		Draft{ExternalKey: "new.md", File: "june/new.md", Title: "New", Text: "x"}, june)
	if errs.KindOf(err) != errs.Invalid || strings.Contains(err.Error(), "\n") {
		t.Fatalf("error %v", err)
	}
	for _, says := range []string{"june/index.md", `"News of May"`, `"index.md"`, "an id in its front matter", "--source"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("error %q, want %s", err, says)
		}
	}
	if diff := cmp.Diff(before, b.only(t)); diff != "" {
		t.Error(diff)
	}
}

func TestSaveGoesOnWithoutWhatIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday, may)
	var refused []string
	result, err := b.try(t.Context(), b.source, SaveOptions{Now: monday, Refuse: func(path string, err error) {
		refused = append(refused, path)
		if errs.KindOf(err) != errs.Invalid {
			t.Error(err)
		}
	}}, Draft{ExternalKey: "new.md", File: "june/new.md", Title: "New", Text: "x"}, june)
	if err != nil || result != (Result{Added: 1}) || !cmp.Equal(refused, []string{"june/index.md"}) {
		t.Errorf("%+v, refused %v, error %v", result, refused, err)
	}
	if all := b.all(t); len(all) != 2 || all[1].Title != "News of May" {
		t.Errorf("articles %+v", all)
	}
}

func TestSaveTellsAnEditFromAnotherFile(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*Draft){
		"same title":       func(d *Draft) { d.HTML = june.HTML },
		"a paragraph kept": func(d *Draft) { d.Title, d.HTML = june.Title, "<p>All is new but this:</p><div>Write to us.</div>" },
		"a key of its own": func(d *Draft) { *d = june; d.File = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.save(t, monday, may)
			d := may
			edit(&d)
			if got := b.save(t, monday, d); got != (Result{Changed: 1}) {
				t.Errorf("%+v", got)
			}
			b.only(t)
		})
	}
}

func TestSaveKnowsAFileByAnotherPath(t *testing.T) {
	t.Parallel()
	b := setup(t)
	august, edited := may, may
	august.ExternalKey, august.File = "2026/may/index.md", "news/2026/may/index.md"
	edited.ExternalKey, edited.File, edited.Text, edited.HTML = "copy.md", "copy.md", "It opens.", ""
	once := august
	once.ExternalKey = "again.md"
	if got := b.save(t, monday, august, once); got != (Result{Added: 1, Unchanged: 1}) {
		t.Errorf("twice at once: %+v", got)
	}
	before := b.only(t)
	if got := b.save(t, monday.Add(time.Hour), may); got != (Result{Unchanged: 1}) {
		t.Errorf("by another path: %+v", got)
	}
	if diff := cmp.Diff(before, b.only(t)); diff != "" {
		t.Error(diff)
	}
	if got := b.save(t, monday, edited); got != (Result{Added: 1}) {
		t.Errorf("an edited copy: %+v", got)
	}
}

// May and June were imported by naming their folders' folder, then each by naming its own.
func TestSaveKnowsAFileByATakenPath(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday, may)
	whole := june
	whole.ExternalKey = "june/index.md"
	b.save(t, monday, whole)
	if got := b.save(t, monday, june); got != (Result{Unchanged: 1}) {
		t.Errorf("%+v", got)
	}
}

func TestSaveKeepsApart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.save(t, monday, may)
	for name, other := range map[string]Draft{
		"a key of its own": {ExternalKey: "id", Title: may.Title, HTML: may.HTML},
		"another language": {ExternalKey: "it.md", File: "it.md", Title: may.Title, HTML: may.HTML, Language: "it"},
		"another picture":  {ExternalKey: "i.md", File: "i.md", Title: may.Title, HTML: may.HTML + `<img src="https://www.example.org/i.png">`},
	} {
		if got := b.save(t, monday, other); got != (Result{Added: 1}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got, err := b.try(t.Context(), b.folder(t, "other"), SaveOptions{Now: monday}, may); err != nil || got != (Result{Added: 1}) {
		t.Errorf("another source: %+v, %v", got, err)
	}
}
