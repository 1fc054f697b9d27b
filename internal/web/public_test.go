package web_test

import (
	"net/http"
	"strings"
	"testing"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/subscribers"
)

// What a person did is kept in the words that they did it with.
func TestUnsubscribingIsRecordedInTheWordsThatWereShown(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ form, language, method, wording string }{
		{"List-Unsubscribe=One-Click", "it", "one-click", "List-Unsubscribe=One-Click"},
		{"List-Unsubscribe=One-Click&from=page", "it", "page", "Annulla l’iscrizione a partners"},
		{"List-Unsubscribe=One-Click&from=page", "", "page", "Unsubscribe from partners"},
	} {
		s := open(t)
		s.db.MustExec(`UPDATE subscribers.lists SET name = '{}'`)
		file := strings.NewReader("email,name\nanna@museum.example,Anna\n")
		if _, err := subscribers.ImportContacts(t.Context(), s.db, file, subscribers.ImportOptions{List: "partners", Consent: "They asked", Now: now}); err != nil {
			t.Fatal(err)
		}
		var id int64
		if err := s.db.Get(&id, `SELECT id FROM subscribers.subscriptions`); err != nil {
			t.Fatal(err)
		}
		path := "/unsubscribe/" + s.keys.Sign("unsubscribe", id)
		shown := s.get(path, "Accept-Language", tt.language).Body.String()
		if tt.method == "page" && !strings.Contains(shown, ">"+tt.wording+"</button>") {
			t.Errorf("%q is not on the page:\n%s", tt.wording, shown)
		}
		if got := s.ask(http.MethodPost, path, tt.form, "Accept-Language", tt.language); got.Code != http.StatusOK {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
		var got struct{ Method, Statement string }
		if err := s.db.Get(&got, `SELECT method, statement FROM subscribers.consents ORDER BY id DESC LIMIT 1`); err != nil {
			t.Fatal(err)
		}
		if got.Method != tt.method || got.Statement != tt.wording {
			t.Errorf("%s, %q: recorded %+v, want %q", tt.form, tt.language, got, tt.wording)
		}
	}
}

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
