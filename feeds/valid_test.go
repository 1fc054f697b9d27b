package feeds_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"pgregory.net/rapid"

	"silkpost/feeds"
	"silkpost/feeds/validate"
	"silkpost/internal/articles"
	"silkpost/internal/database"
)

// scraps are what foreign texts are made of.
var scraps = []string{
	"a", " ", "新闻", "עברית", "😀", "<b>", "</b>", "<script>x</script>", "]]>", "<![CDATA[", "&", "&amp;", "&#0;", "\"", "'", "\x00", "\x0b", "\r\n", "\u0085",
	"\u00a0", "\u2028", "\u200f", "\ufffd", "\ufffe", "\xff", "\ue000", "\U000e0001", "%", "%zz", "%2F", "[", "]", "{", "}", "\\", "^", "|", "`", "#", "?", "//", "/", "..",
	":", "@", "=", "<a href='x y'>", "<img src=a.jpg srcset='b.jpg 2x'>", "<p style='x'>", "<table><td>", "<svg>", "<!--", "<iframe src=x>", "<a href='javascript:x'>",
}

func foreign(most int) *rapid.Generator[string] {
	return rapid.Custom(func(rt *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(scraps), 0, most).Draw(rt, "scraps"), "")
	})
}

// starts are how addresses and ids begin.
var starts = []string{
	"", "https://www.example.org", "https://www.example.org/", "HTTP://www.example.org:8080/a?", "https://www.example.org/#", "https://user@[2001:db8::1]/",
	"https://例子.example/", "//www.example.org/", "/", "urn:", "urn:example:", "urn:uuid:", "tag:", "tag:example.org,2026:", "mailto:a@example.org", "x:", "http:",
	"https://", "https://www.example.org/a.jpg?", "ftp://www.example.org/",
}

func foreignAddress(rt *rapid.T, name string) string {
	return rapid.SampledFrom(starts).Draw(rt, name) + foreign(4).Draw(rt, name)
}

func foreignDraft(rt *rapid.T, key string) articles.Draft {
	text := func(most int) string { return foreign(most).Draw(rt, "text") }
	date := func(name string) time.Time { return day(rapid.IntRange(-5, 40).Draw(rt, name)) }
	return articles.Draft{
		ExternalKey: key, TranslationKey: rapid.SampledFrom([]string{"", "t"}).Draw(rt, "group"), GUID: foreignAddress(rt, "guid"), URL: foreignAddress(rt, "url"),
		Title: "T" + text(6), Summary: text(6), HTML: "<p>W" + text(12), Language: rapid.SampledFrom([]string{"en", "zh-Hant-HK", "ar", "sr-Latn"}).Draw(rt, "language"),
		Section: text(2), Tags: []string{text(2), text(2)}, Authors: []string{text(2), text(2)}, ImageURL: foreignAddress(rt, "image") + rapid.SampledFrom([]string{"", ".png"}).Draw(rt, "type"),
		ImageAlt: text(3), Published: date("published"), Updated: date("updated"),
	}
}

// Whatever sources give, no document of a feed, its archives included, has what a specification forbids.
func TestWhateverIsPublishedIsValid(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.db.MustExec(`INSERT INTO feeds.hubs VALUES ('https://hub.example.org/', 0)`)
	for range 5 { // these are quick, see TestMain
		rapid.Check(t, func(rt *rapid.T) {
			b.db.MustExec(`TRUNCATE articles.articles, articles.translation_keys, articles.versions CASCADE`)
			b.publishForeign(t, rt)
			for _, format := range feeds.Formats() {
				for doc, err := range b.feeds.Documents(t.Context(), b.db, b.find(t, "all"), format, publicURL) {
					if err != nil {
						rt.Fatal(err)
					}
					checkValid(rt, &doc)
				}
			}
		})
	}
}

// publishForeign publishes some articles, withdraws one perhaps, and declares the feed anew.
func (b *bundle) publishForeign(t *testing.T, rt *rapid.T) {
	drafts := make([]articles.Draft, rapid.IntRange(0, 6).Draw(rt, "articles"))
	for i := range drafts {
		drafts[i] = foreignDraft(rt, fmt.Sprint("a", i))
	}
	feed := feeds.Feed{
		Slug: "all", Title: database.StringMap{"en": "T" + foreign(3).Draw(rt, "title")}, Limit: rapid.IntRange(1, 4).Draw(rt, "limit"),
		Content: rapid.SampledFrom([]feeds.Content{feeds.Full, feeds.Summary}).Draw(rt, "content"),
	}
	withdraw := rapid.Bool().Draw(rt, "withdraw")
	err := database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error {
		source, err := b.articles.EnsureSource(t.Context(), tx, "desk", day(20))
		if err != nil {
			return err
		}
		skip := articles.SaveOptions{Now: day(20), Refuse: func(string, error) {}}
		if _, err := b.articles.Save(t.Context(), tx, source, drafts, skip); err != nil {
			return err
		}
		if withdraw {
			tx.MustExec(`UPDATE articles.articles SET withdrawn_at = $1 WHERE id = (SELECT min(id) FROM articles.articles)`, day(22))
		}
		_, err = b.feeds.Declare(t.Context(), tx, feed, day(21))
		return err
	})
	if err != nil {
		rt.Fatal(err)
	}
}

func checkValid(rt *rapid.T, doc *feeds.Document) {
	found, err := validate.Check(string(doc.Format), doc.Body)
	if err != nil {
		rt.Fatal(err)
	}
	for _, f := range found {
		if f.Severity == validate.Error {
			rt.Errorf("%s.%s: %s\n%s", doc.Path, doc.Format, f, doc.Body)
		}
	}
}
