package feeds_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"pgregory.net/rapid"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/testkit"
)

// kind is what selections see of an article.
type kind struct {
	section, language string
	tags              []string
}

func (k *kind) in(f *feeds.Feed) bool {
	among := func(wanted []string, names ...string) bool {
		return len(wanted) == 0 || slices.ContainsFunc(names, func(name string) bool { return slices.Contains(wanted, name) })
	}
	return k != nil && among(f.Sections, k.section) && among(f.Tags, k.tags...) && among(f.Languages, k.language) && among(f.Sources, "desk")
}

// A change of articles marks the feeds that they are in or were in and no others, and each feed knows how many articles it has. Sections
// and tags here have the same names, and languages look like them.
func TestMarksAndCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	declared := 0
	for _, sections := range [][]string{nil, {"en"}, {"en", "x"}} {
		for _, tags := range [][]string{nil, {"x"}, {"en", "x"}} {
			for _, languages := range [][]string{nil, {"en"}} {
				for _, sources := range [][]string{nil, {"desk", "x"}, {"en"}} {
					declared++
					f := feeds.Feed{Slug: fmt.Sprint("f", declared), Selection: articles.Selection{
						Sections: sections, Tags: tags, Languages: languages, Sources: sources,
					}}
					if _, err := b.feeds.Declare(t.Context(), b.db, f, day(1)); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	n := 0
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"en", "x", "X", "y"}), 0, 3, rapid.ID)
	rapid.Check(t, func(rt *rapid.T) {
		b.db.MustExec(`TRUNCATE articles.articles, articles.translation_keys, articles.versions CASCADE`)
		b.db.MustExec(`DELETE FROM feeds.feeds WHERE kind <> 'declared'`)
		b.db.MustExec(`UPDATE feeds.feeds SET articles = 0`)
		known := map[string]*kind{}
		rt.Repeat(map[string]func(*rapid.T){
			"publish or edit": func(rt *rapid.T) {
				was, drafts := map[string]*kind{}, []articles.Draft{}
				for range rapid.IntRange(1, 3).Draw(rt, "articles") {
					n++
					key := fmt.Sprint("k", n-rapid.IntRange(0, 2).Draw(rt, "back"))
					k := &kind{rapid.SampledFrom([]string{"", "en", "x"}).Draw(rt, "section"), rapid.SampledFrom([]string{"en", "it"}).Draw(rt, "language"), names.Draw(rt, "tags")}
					if _, twice := was[key]; twice {
						continue
					}
					was[key], known[key] = known[key], k
					drafts = append(drafts, articles.Draft{ExternalKey: key, Section: k.section, Language: k.language, Tags: k.tags, Published: day(1), HTML: fmt.Sprint("<p>", n, "</p>")})
				}
				b.checkMarks(t, rt, was, known, func() { b.publish(t, day(2), drafts...) })
			},
		})
	})
}

// checkMarks does something to articles, of which was says what they were and is what they are then.
func (b *bundle) checkMarks(t *testing.T, rt *rapid.T, was, is map[string]*kind, do func()) {
	t.Helper()
	before := b.all(t)
	do()
	after := b.all(t)
	for slug, f := range after {
		touched, count := false, 0
		for key, k := range was {
			touched = touched || k.in(&f) || is[key].in(&f)
		}
		for _, k := range is {
			if k.in(&f) {
				count++
			}
		}
		if f.Articles != count {
			rt.Fatalf("%s (%+v) says %d articles, has %d", slug, f.Selection, f.Articles, count)
		}
		if marked := f.Version > before[slug].Version; marked != touched {
			rt.Fatalf("%s (%+v): marked %v, touched %v", slug, f.Selection, marked, touched)
		}
	}
}

// all returns every feed, also those that hold nothing, as far as this test looks at them.
func (b *bundle) all(t *testing.T) map[string]feeds.Feed {
	t.Helper()
	var found []feeds.Feed
	if err := b.db.SelectContext(t.Context(), &found, `SELECT slug, sections, tags, languages, sources, articles, version FROM feeds.feeds`); err != nil {
		t.Fatal(err)
	}
	all := map[string]feeds.Feed{}
	for _, f := range found {
		all[f.Slug] = f
	}
	return all
}

// A feed that is declared while articles are being saved, and is there before they are, is marked by them.
func TestDeclaringWhileArticlesAreSaved(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tx, err := b.db.BeginTxx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := b.feeds.Declare(t.Context(), tx, feeds.Feed{Slug: "robots", Selection: articles.Selection{Tags: []string{"robots"}}}, day(1)); err != nil {
		t.Fatal(err)
	}
	saved := make(chan error)
	go func() {
		saved <- database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error {
			source, err := b.articles.EnsureSource(t.Context(), tx, "desk", day(2))
			if err == nil {
				_, err = b.articles.Save(t.Context(), tx, source, []articles.Draft{{
					ExternalKey: "1", Title: "One", HTML: "<p>One.</p>", Language: "en", Tags: []string{"robots"},
				}}, articles.SaveOptions{Now: day(2)})
			}
			return err
		})
	}()
	testkit.Eventually(t, 10*time.Second, "the marks are waited for", func() bool {
		var waiting bool
		err := b.db.GetContext(t.Context(), &waiting, `SELECT EXISTS (SELECT FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%feeds.generation%')`)
		return err == nil && waiting
	})
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-saved; err != nil {
		t.Fatal(err)
	}
	if f := b.find(t, "robots"); f.Articles != 1 || f.Version != 2 {
		t.Errorf("the feed says %d articles at version %d, want 1 at 2", f.Articles, f.Version)
	}
}
