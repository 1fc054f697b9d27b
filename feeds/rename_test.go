package feeds_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// change does something to feeds in a transaction.
func (b *bundle) change(t *testing.T, do func(tx *sqlx.Tx) error) error {
	t.Helper()
	return database.Transact(t.Context(), b.db, do)
}

func (b *bundle) declare(t *testing.T, slugs ...string) {
	t.Helper()
	for _, slug := range slugs {
		if _, err := b.feeds.Declare(t.Context(), b.db, feeds.Feed{Slug: slug}, day(1)); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *bundle) rename(t *testing.T, from, to string) (f feeds.Feed, err error) {
	t.Helper()
	err = b.change(t, func(tx *sqlx.Tx) (err error) {
		f, err = b.feeds.Rename(t.Context(), tx, from, to, day(2))
		return err
	})
	return f, err
}

func (b *bundle) remove(t *testing.T, slug string) error {
	t.Helper()
	return b.change(t, func(tx *sqlx.Tx) error {
		_, err := b.feeds.Remove(t.Context(), tx, slug, day(3))
		return err
	})
}

func (b *bundle) addOldSlug(t *testing.T, slug, old string) (change database.Change, err error) {
	t.Helper()
	err = b.change(t, func(tx *sqlx.Tx) (err error) {
		change, err = b.feeds.AddOldSlug(t.Context(), tx, slug, old)
		return err
	})
	return change, err
}

// called returns the slug of the feed that each slug leads to, "gone" and "none" where there is no feed any more, or never was.
func (b *bundle) called(t *testing.T, slugs ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, slug := range slugs {
		f, err := b.feeds.Find(t.Context(), b.db, slug)
		switch {
		case err == nil:
			all[slug] = f.Slug
		case errs.KindOf(err) == errs.Gone:
			all[slug] = "gone"
		case errs.KindOf(err) == errs.NotFound:
			all[slug] = "none"
		default:
			t.Fatal(err)
		}
	}
	return all
}

// Whatever a feed was called, and whichever of its names is used, it is the same feed: its id in documents stays.
func TestRename(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.declare(t, "a", "other")
	id := func() string {
		body := string(b.load(t, "a", feeds.Atom).Body)
		_, after, _ := strings.Cut(body, "<id>")
		id, _, _ := strings.Cut(after, "</id>")
		return id
	}
	first := id()
	for _, step := range []struct {
		from, to string
		want     map[string]string
	}{
		{"a", "b", map[string]string{"a": "b", "b": "b", "c": "none"}},
		{"a", "c", map[string]string{"a": "c", "b": "c", "c": "c"}},                   // an old slug will do
		{"c", "a", map[string]string{"a": "a", "b": "a", "c": "a"}},                   // back again
		{"b", "a", map[string]string{"a": "a", "b": "a", "c": "a"}},                   // so it is called already
		{"a", "b", map[string]string{"a": "b", "b": "b", "c": "b", "other": "other"}}, // and forth
	} {
		f, err := b.rename(t, step.from, step.to)
		if err != nil || f.Slug != step.to || f.FirstSlug != "a" {
			t.Errorf("%s to %s: %+v, %v", step.from, step.to, f, err)
		}
		slugs := []string{"a", "b", "c"}
		if step.want["other"] != "" {
			slugs = append(slugs, "other")
		}
		if diff := cmp.Diff(step.want, b.called(t, slugs...)); diff != "" {
			t.Errorf("after %s to %s (-want +got):\n%s", step.from, step.to, diff)
		}
		if now := id(); now != first || first == "" {
			t.Errorf("the feed's id became %q, was %q", now, first)
		}
	}
}

// A slug that was ever given stays given: nothing takes it, and a refusal changes nothing.
func TestSlugsAreTaken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "en"})
	b.declare(t, "a", "other", "removed")
	for from, to := range map[string]string{"a": "b", "removed": "gone"} {
		if _, err := b.rename(t, from, to); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.remove(t, "gone"); err != nil {
		t.Fatal(err)
	}
	all := []string{"a", "b", "other", "removed", "gone", "new", "section-x", "p", "all", "lang-en"}
	before := b.called(t, all...)
	declare := func(slug string) error {
		_, err := b.feeds.Declare(t.Context(), b.db, feeds.Feed{Slug: slug}, day(4))
		return err
	}
	rename := func(from, to string) error { _, err := b.rename(t, from, to); return err }
	add := func(slug, old string) error { _, err := b.addOldSlug(t, slug, old); return err }
	for name, c := range map[string]struct {
		err  error
		kind errs.Kind
		says string
	}{
		"to another's":               {rename("b", "other"), errs.Conflict, `"other" is taken by another feed`},
		"to another's old one":       {rename("other", "a"), errs.Conflict, `"a" is taken by the feed "b", which was called so before`},
		"to a removed one's":         {rename("b", "gone"), errs.Conflict, `"gone" is taken by a feed that was removed`},
		"to a removed one's old one": {rename("b", "removed"), errs.Conflict, `"removed" is taken by a feed that was removed`},
		"to no slug":                 {rename("b", "New Slug"), errs.Invalid, `"New Slug": a slug is`},
		"to a section's":             {rename("b", "section-x"), errs.Invalid, "belong to the feeds that come with the articles"},
		"to that of private feeds":   {rename("b", "p"), errs.Invalid, "private feeds are served below"},
		"of nothing":                 {rename("new", "x"), errs.NotFound, `there is no feed "new"`},
		"of a removed one":           {rename("removed", "x"), errs.Gone, `the feed "removed" was removed`},
		"of all":                     {rename("all", "x"), errs.Invalid, `"all" comes with the articles and cannot be renamed`},
		"of a language's":            {rename("lang-EN", "x"), errs.Invalid, `"lang-en" comes with the articles`},

		"removing all":           {b.remove(t, "all"), errs.Invalid, `"all" comes with the articles and cannot be removed`},
		"removing a language's":  {b.remove(t, "lang-en"), errs.Invalid, `"lang-en" comes with the articles`},
		"removing nothing":       {b.remove(t, "new"), errs.NotFound, `there is no feed "new"`},
		"removing what is gone":  {b.remove(t, "removed"), errs.Gone, `the feed "removed" was removed`},
		"declaring an old slug":  {declare("a"), errs.Conflict, `leads to the feed "b"`},
		"declaring a removed's":  {declare("removed"), errs.Conflict, `leads to the feed "gone"`},
		"an old slug of another": {add("b", "other"), errs.Conflict, `"other" is taken by another feed`},
		"another's old slug":     {add("other", "a"), errs.Conflict, `"a" is taken by the feed "b"`},
		"a removed one's":        {add("b", "gone"), errs.Conflict, `"gone" is taken by a feed that was removed`},
		"its own as an old one":  {add("b", "b"), errs.Invalid, `"b" is what the feed is called now`},
		"no slug as an old one":  {add("b", "section-x"), errs.Invalid, "belong to the feeds that come with the articles"},
		"an old slug of all":     {add("all", "x"), errs.Invalid, `"all" comes with the articles and cannot be given old slugs`},
		"an old slug of nothing": {add("new", "x"), errs.NotFound, `there is no feed "new"`},
	} {
		if errs.KindOf(c.err) != c.kind || !strings.Contains(c.err.Error(), c.says) || strings.Contains(c.err.Error(), "\n") {
			t.Errorf("%s: %v, want one line of kind %d with %q", name, c.err, c.kind, c.says)
		}
	}
	if diff := cmp.Diff(before, b.called(t, all...)); diff != "" {
		t.Errorf("a refusal changed something (-before +after):\n%s", diff)
	}
}

// An old slug can be given to a feed that was never called so.
func TestAddOldSlug(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.declare(t, "b")
	for i, want := range []database.Change{database.Changed, database.Unchanged} {
		if got, err := b.addOldSlug(t, "b", "a"); got != want || err != nil {
			t.Errorf("time %d: %q, %v, want %q", i, got, err, want)
		}
	}
	if diff := cmp.Diff(map[string]string{"a": "b", "b": "b"}, b.called(t, "a", "b")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A feed that was removed is gone under all its names until it is declared again: then it is the same feed.
func TestRemove(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.declare(t, "a")
	if _, err := b.rename(t, "a", "b"); err != nil {
		t.Fatal(err)
	}
	if err := b.remove(t, "a"); err != nil { // by an old slug
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "gone", "b": "gone"}, b.called(t, "a", "b")); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	listed, err := b.feeds.List(t.Context(), b.db)
	if err != nil || len(listed) != 1 || listed[0].Slug != "all" {
		t.Errorf("listed %+v, %v", listed, err)
	}
	b.declare(t, "b")
	if diff := cmp.Diff(map[string]string{"a": "b", "b": "b"}, b.called(t, "a", "b")); diff != "" {
		t.Errorf("declared again (-want +got):\n%s", diff)
	}
	if f := b.find(t, "a"); f.FirstSlug != "a" {
		t.Errorf("it came back as %+v", f)
	}
}

// Documents walks from the subscription document through the whole archive; whoever has seen enough may leave.
func TestDocuments(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for n := range 7 {
		b.publish(t, day(n+1), articles.Draft{ExternalKey: string(rune('a' + n)), Language: "en"})
	}
	if _, err := b.feeds.Declare(t.Context(), b.db, feeds.Feed{Slug: "all", Limit: 2}, day(8)); err != nil {
		t.Fatal(err)
	}
	feed := b.find(t, "all")
	for _, format := range feeds.Formats() {
		items, older := map[string]bool{}, "all"
		for doc, err := range b.feeds.Documents(t.Context(), b.db, feed, format, publicURL) {
			if err != nil {
				t.Fatal(err)
			}
			if doc.Format != format || doc.Path != older || doc.Archive != (doc.Path != "all") {
				t.Errorf("%s: %s comes after the link to %s, archive %t", format, doc.Path, older, doc.Archive)
			}
			older = doc.Older
			for n := range 7 {
				if title := "Title of " + string(rune('a'+n)); strings.Contains(string(doc.Body), title) {
					items[title] = true
				}
			}
		}
		if older != "" || len(items) != 7 {
			t.Errorf("%s: ends at %q with %d articles", format, older, len(items))
		}
		for doc := range b.feeds.Documents(t.Context(), b.db, feed, format, publicURL) {
			if doc.Path != "all" {
				t.Errorf("%s goes on after the reader left", format)
			}
			break
		}
	}
	for doc, err := range b.feeds.Documents(t.Context(), b.db, feed, "opml", publicURL) {
		if errs.KindOf(err) != errs.Invalid || doc.Body != nil {
			t.Errorf("an unknown format: %v", err)
		}
	}
}
