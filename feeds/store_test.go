package feeds_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jmoiron/sqlx"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

// bundle is a database and the rooms that these tests need.
type bundle struct {
	db       *sqlx.DB
	articles *articles.Store
	feeds    *feeds.Store
}

func setup(t testing.TB) *bundle {
	t.Helper()
	b := &bundle{db: testkit.DB(t), articles: &articles.Store{}}
	b.feeds = &feeds.Store{Articles: b.articles}
	b.articles.Changed = b.feeds.Touch
	return b
}

// publish saves drafts of one source at a time.
func (b *bundle) publish(t testing.TB, now time.Time, drafts ...articles.Draft) {
	t.Helper()
	for i := range drafts {
		d := &drafts[i]
		if d.Title == "" {
			d.Title = "Title of " + d.ExternalKey
		}
		if d.HTML == "" {
			d.HTML = "<p>Text of " + d.ExternalKey + ".</p>"
		}
	}
	err := database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error {
		source, err := b.articles.EnsureSource(t.Context(), tx, "desk", now)
		if err == nil {
			_, err = b.articles.Save(t.Context(), tx, source, drafts, articles.SaveOptions{Now: now})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) find(t *testing.T, slug string) feeds.Feed {
	t.Helper()
	f, err := b.feeds.Find(t.Context(), b.db, slug)
	if err != nil {
		t.Fatalf("Find(%q): %v", slug, err)
	}
	return f
}

func (b *bundle) load(t testing.TB, slug string, format feeds.Format) feeds.Document {
	t.Helper()
	doc, err := b.feeds.Load(t.Context(), b.db, slug, format, publicURL)
	if err != nil {
		t.Fatalf("Load(%q): %v", slug, err)
	}
	return doc
}

func TestDeclare(t *testing.T) {
	t.Parallel()
	b := setup(t)
	robotics := feeds.Feed{
		Slug: "robotics", Title: database.StringMap{"en": "Robotics", "zh-hans": "机器人"},
		Selection: articles.Selection{Tags: []string{"robotics"}, Languages: []string{"EN", "zh-hans"}},
	}
	limited := robotics
	limited.Limit = 3
	steps := []struct {
		feed feeds.Feed
		want database.Change
	}{
		{robotics, database.Added},
		{robotics, database.Unchanged},
		{limited, database.Changed},
		{limited, database.Unchanged},
		{robotics, database.Changed},
		{feeds.Feed{Slug: "all", Title: database.StringMap{"en": "All articles"}}, database.Unchanged},
	}
	for i, step := range steps {
		got, err := b.feeds.Declare(t.Context(), b.db, step.feed, day(i+1))
		if err != nil || got != step.want {
			t.Errorf("step %d: %q, %v, want %q", i, got, err, step.want)
		}
	}
	want := feeds.Feed{
		Slug: "robotics", FirstSlug: "robotics", Kind: feeds.Declared, Version: 3, Title: database.StringMap{"en": "Robotics", "zh-Hans": "机器人"},
		Selection: articles.Selection{Tags: []string{"robotics"}, Languages: []string{"en", "zh-Hans"}},
		Content:   feeds.Full, Limit: 50, ChangedAt: day(5).Truncate(time.Second),
	}
	got := b.find(t, "robotics")
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(time.Microsecond)); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}

func TestDeclareRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cases := map[string]struct {
		feed feeds.Feed
		says string
	}{
		"no slug":         {feeds.Feed{}, "a slug is"},
		"slug":            {feeds.Feed{Slug: "New s"}, "a slug is"},
		"section's slug":  {feeds.Feed{Slug: "section-news"}, "choose another"},
		"language's slug": {feeds.Feed{Slug: "lang-en"}, "choose another"},
		"tag's slug":      {feeds.Feed{Slug: "tag-x"}, "choose another"},
		"private slug":    {feeds.Feed{Slug: "p"}, "choose another"},
		"content":         {feeds.Feed{Slug: "x", Content: "half"}, `content is "half"`},
		"limit":           {feeds.Feed{Slug: "x", Limit: 1001}, "limit is 1001"},
		"negative limit":  {feeds.Feed{Slug: "x", Limit: -1}, "limit is -1"},
		"title language":  {feeds.Feed{Slug: "x", Title: database.StringMap{"qqqq": "X"}}, `"qqqq" is not a language tag`},
		"empty title":     {feeds.Feed{Slug: "x", Title: database.StringMap{"en": "\x00"}}, "title: the one in en is empty"},
		"language":        {feeds.Feed{Slug: "x", Selection: articles.Selection{Languages: []string{"!"}}}, `"!" is not a language tag`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := b.feeds.Declare(t.Context(), b.db, c.feed, day(1))
			if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one Invalid line with %q", err, c.says)
			}
		})
	}
	t.Cleanup(func() { // after the cases: only the feed that every installation has is there
		var count int
		if err := b.db.GetContext(context.Background(), &count, "SELECT count(*) FROM feeds.feeds"); err != nil || count != 1 {
			t.Errorf("%d feeds, %v", count, err)
		}
	})
}

func TestList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.publish(t, day(1),
		articles.Draft{ExternalKey: "1", Language: "en", Section: "News", Tags: []string{"robotics", "art"}},
		articles.Draft{ExternalKey: "2", Language: "en-GB", Section: "news"},
		articles.Draft{ExternalKey: "3", Language: "zh-Hans", Section: "新闻", Tags: []string{"robotics"}},
		articles.Draft{ExternalKey: "4", Language: "sr-Latn"},
	)
	for _, f := range []feeds.Feed{
		{Slug: "robotics", Selection: articles.Selection{Tags: []string{"robotics"}}},
		{Slug: "one", Limit: 1},
		{Slug: "british", Selection: articles.Selection{Languages: []string{"en-GB"}, Sources: []string{"desk"}}},
		{Slug: "nothing", Selection: articles.Selection{Sources: []string{"elsewhere"}}},
	} {
		if _, err := b.feeds.Declare(t.Context(), b.db, f, day(1)); err != nil {
			t.Fatal(err)
		}
	}
	listed, err := b.feeds.List(t.Context(), b.db)
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		Slug, Name string
		Kind       feeds.Kind
		Items      int
	}
	var got []line
	for _, l := range listed {
		name, _ := l.Name()
		got = append(got, line{l.Slug, name, l.Kind, l.Items()})
		doc := b.load(t, l.Slug, feeds.JSON)
		if n := strings.Count(string(doc.Body), `"date_published"`); n != l.Items() {
			t.Errorf("%s: listed with %d items, but its document has %d", l.Slug, l.Items(), n)
		}
	}
	want := []line{
		{"all", "All articles", feeds.Declared, 4},
		{"british", "british", feeds.Declared, 2},
		{"nothing", "nothing", feeds.Declared, 0},
		{"one", "one", feeds.Declared, 1},
		{"robotics", "robotics", feeds.Declared, 2},
		{"section-d39567b2", "新闻", feeds.OfSection, 1},
		{"section-news", "News", feeds.OfSection, 2},
		{"lang-en", "English", feeds.OfLanguage, 2},
		{"lang-sr-Latn", "srpski", feeds.OfLanguage, 1},
		{"lang-zh-Hans", "简体中文", feeds.OfLanguage, 1},
		{"tag-art", "art", feeds.OfTag, 1},
		{"tag-robotics", "robotics", feeds.OfTag, 2},
		{"source-desk", "desk", feeds.OfSource, 4},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.publish(t, day(1), articles.Draft{ExternalKey: "1", Language: "zh", Section: "C#"})
	for slug, want := range map[string]string{
		"all": "all", "lang-zh-Hans": "lang-zh-Hans", "lang-ZH-hans": "lang-zh-Hans", "LANG-zh-cn": "lang-zh-Hans",
		feeds.SectionSlug("C#"): feeds.SectionSlug("C#"),
	} {
		if got := b.find(t, slug).Slug; got != want {
			t.Errorf("Find(%q) is %q, want %q", slug, got, want)
		}
	}
	for _, slug := range []string{"", "none", "ALL", "lang-", "lang-en", "lang-zh-Hant", "lang-\x00", "section-", "section-news", "a\x00\xff", "a'b"} {
		_, err := b.feeds.Find(t.Context(), b.db, slug)
		if errs.KindOf(err) != errs.NotFound || strings.ContainsAny(err.Error(), "\x00\n") {
			t.Errorf("Find(%q): %v, want one NotFound line", slug, err)
		}
	}
}

func TestNameSlug(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"News": "news", "  NEWS ": "news", "Science & Society": "science-society",
		"Événements à venir": "evenements-a-venir", "2026/27": "2026-27",
	} {
		if got := feeds.NameSlug(name); got != want {
			t.Errorf("%q gives %q, want %q", name, got, want)
		}
	}
	seen := map[string]string{}
	for _, name := range []string{"新闻", "新聞", "Новости", "C", "C#", "C++", "News 新闻", "--", "أخبار", "-", "news"} {
		slug := feeds.NameSlug(name)
		if other, taken := seen[slug]; taken {
			t.Errorf("%q and %q share %q", name, other, slug)
		}
		seen[slug] = name
	}
}

func TestLanguageTag(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"en-Latn": "en", "zh-Hans": "zh-Hans", "zh-Hant": "zh-Hant", "sr-Cyrl": "sr-Cyrl", "sr-Latn": "sr-Latn", "ja-Jpan": "ja",
		"ar-Arab": "ar", "th-Thai": "th", "uk-Cyrl": "uk", "pa-Arab": "pa-Arab",
	} {
		if got := feeds.LanguageTag(key); got != want {
			t.Errorf("%q gives %q, want %q", key, got, want)
		}
	}
}

// Importing the same again changes nothing; an edit changes the document and its date, but neither id nor published.
func TestDocumentFollowsArticles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	draft := articles.Draft{ExternalKey: "1", Language: "en", HTML: "<p>First.</p>", Published: day(1)}
	b.publish(t, day(2), draft)
	first := b.load(t, "all", feeds.Atom)
	b.publish(t, day(3), draft)
	if diff := cmp.Diff(first, b.load(t, "all", feeds.Atom)); diff != "" {
		t.Errorf("the same import changed the feed (-first +again):\n%s", diff)
	}
	draft.HTML = "<p>Second.</p>"
	b.publish(t, day(4), draft)
	second := b.load(t, "all", feeds.Atom)
	if string(second.Body) == string(first.Body) || !second.Modified.After(first.Modified) {
		t.Errorf("after an edit, modified %v then %v, the document is\n%s", first.Modified, second.Modified, second.Body)
	}
	for _, id := range []string{"<id>urn:uuid:", "<published>" + day(1).UTC().Format(time.RFC3339)} {
		if !strings.Contains(string(second.Body), id) {
			t.Errorf("no %q in\n%s", id, second.Body)
		}
	}
}

// A late article with an old date, and a new definition, each make the document newer.
func TestModified(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if doc := b.load(t, "all", feeds.RSS); !doc.Modified.IsZero() {
		t.Errorf("a feed in which nothing ever was is from %v", doc.Modified)
	}
	b.publish(t, day(2), articles.Draft{ExternalKey: "1", Language: "en", Published: day(1), Updated: day(1)})
	if got := b.load(t, "all", feeds.RSS).Modified; got.Unix() != day(2).Unix() {
		t.Errorf("modified %v, want when the article came, %v", got, day(2))
	}
	if _, err := b.feeds.Declare(t.Context(), b.db, feeds.Feed{Slug: "all", Limit: 10}, day(3)); err != nil {
		t.Fatal(err)
	}
	if got := b.load(t, "all", feeds.RSS).Modified; got.Unix() != day(3).Unix() {
		t.Errorf("modified %v, want when it was declared, %v", got, day(3))
	}
}
