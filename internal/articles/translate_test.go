package articles

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

func (b *bench) translate(t *testing.T, ref string, tr Translation) (a Article, change database.Change, err error) {
	t.Helper()
	err = database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) (err error) {
		a, change, err = b.Translate(t.Context(), tx, ref, tr, monday.Add(time.Hour))
		return err
	})
	return a, change, err
}

// titles returns what is published, by language and title.
func (b *bench) titles(t *testing.T) (found []string) {
	t.Helper()
	for _, a := range b.all(t) {
		found = append(found, a.Language+" "+a.Title)
	}
	slices.Sort(found)
	return found
}

func TestTranslate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	hall := Draft{
		ExternalKey: "hall", URL: "https://www.example.org/hall", Title: "Hall", Text: "The hall opens.", Language: "en", Section: "News",
		TranslationKey: "k",
	}
	b.save(t, monday, hall)
	original := b.only(t)
	made, change, err := b.translate(t, original.Slug, Translation{Language: "it", Title: "Sala", Summary: "Apre la sala."})
	if err != nil || change != database.Added {
		t.Fatal(change, err)
	}
	if made.GroupID != original.GroupID || !made.ByEditor || made.URL != original.URL || made.Section != "News" || made.Summary != "Apre la sala." {
		t.Errorf("%+v", made)
	}
	again, change, err := b.translate(t, original.Slug, Translation{Language: "it", Title: "La sala", Summary: "Apre la sala."})
	if err != nil || change != database.Changed || again.ID != made.ID || again.Title != "La sala" {
		t.Errorf("typed again: %+v, %s, %v", again, change, err)
	}
	for _, bad := range []struct {
		tr   Translation
		kind errs.Kind
		says string
	}{
		{Translation{Language: "en", Title: "X", Summary: "Y"}, errs.Conflict, "its source has it in en"},
		{Translation{Language: "klingonisch", Title: "X", Summary: "Y"}, errs.Invalid, "klingonisch"},
		{Translation{Language: "fr", Title: " ", Summary: "Y"}, errs.Invalid, "a title and a summary"},
	} {
		if _, _, err := b.translate(t, original.Slug, bad.tr); errs.KindOf(err) != bad.kind || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%+v: %v", bad.tr, err)
		}
	}
	// It goes with what it is of, and comes back with it.
	set := func(do func() (Article, database.Change, error), want ...string) {
		t.Helper()
		if _, _, err := do(); err != nil {
			t.Fatal(err)
		}
		if got := b.titles(t); !slices.Equal(got, want) {
			t.Errorf("%q, not %q", got, want)
		}
	}
	set(func() (Article, database.Change, error) { return b.Withdraw(t.Context(), b.db, original.Slug, monday) })
	if _, _, err := b.translate(t, original.Slug, Translation{Language: "fr", Title: "X", Summary: "Y"}); errs.KindOf(err) != errs.Conflict {
		t.Errorf("of what is withdrawn: %v", err)
	}
	set(func() (Article, database.Change, error) { return b.Restore(t.Context(), b.db, original.Slug, monday) }, "en Hall", "it La sala")
	// One of the source takes its place, in the same language and script alone.
	b.save(t, monday, hall, Draft{ExternalKey: "sala", Title: "Sala nuova", Text: "Apre.", Language: "it-CH", TranslationKey: "k"})
	if got := b.titles(t); !slices.Equal(got, []string{"en Hall", "it-CH Sala nuova"}) {
		t.Errorf("%q", got)
	}
}
