package web_test

import (
	"strings"
	"testing"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
)

// A feed is called what its title is in the reader's language, and a title in another one says so.
func TestFeedsAreNamedInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	s := open(t)
	store := &feeds.Store{Articles: &articles.Store{}}
	for slug, title := range map[string]database.StringMap{
		"all": {"en": "All articles", "it": "Tutti gli articoli"}, "robotics": {"ar": "الروبوتات"},
	} {
		if _, err := store.Declare(t.Context(), s.db, feeds.Feed{Slug: slug, Title: title}, now); err != nil {
			t.Fatal(err)
		}
	}
	s.publish(t, articles.Draft{ExternalKey: "a", Title: "One", Language: "en", Text: "Some words.", Section: "Notices"})
	for language, want := range map[string]string{"": "All articles", "it-CH": "Tutti gli articoli", "ja": "All articles"} {
		body := s.get("/articles/one", "Accept-Language", language).Body.String()
		if n := strings.Count(body, `title="`+want+`"`); n != 3 {
			t.Errorf("for a reader of %q the feeds are not called %q:\n%s", language, want, body)
		}
	}
	body := s.get("/feeds/", "Accept-Language", "it").Body.String()
	for _, want := range []string{
		">Tutti gli articoli</a>", `><span lang="ar" dir="rtl">الروبوتات</span></a>`, `><span lang="" dir="auto">Notices</span></a>`,
		`><span lang="en" dir="ltr">English</span></a>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s:\n%s", want, body)
		}
	}
}
