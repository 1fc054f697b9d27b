package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"silkpost/internal/web/api"
)

const robots = `{"source": "cms", "external_key": "robots-1", "title": "Robots in the museum", "html": "<p>They <script>alert(1)</script>came.</p>", "url": "https://www.example.org/robots", "tags": ["robotics"], "language": "en"}`

func TestAnArticleThatIsBroughtIsPublished(t *testing.T) {
	t.Parallel()
	h := open(t)
	var made api.PushedArticle
	r := h.ask("POST", "/api/v1/articles", robots).is(http.StatusCreated).into(&made)
	if made.Change != "added" || made.State != "published" || made.Slug != "robots-in-the-museum" || made.URL != "https://news.example.org/articles/robots-in-the-museum" {
		t.Fatalf("%+v", made)
	}
	if at := r.header.Get("Location"); at != "/api/v1/sources/cms/articles/robots-1" {
		t.Errorf("location %s", at)
	}
	var a api.Article
	h.ask("GET", "/api/v1/articles/"+made.Slug, nil).is(http.StatusOK).into(&a)
	if a.HTML != "<p>They came.</p>" || a.Section != "News" || a.ExternalKey != "robots-1" || a.Archive || a.Language != "en" {
		t.Errorf("%+v", a)
	}
	doc, err := h.Feeds.Load(t.Context(), h.DB, "tag-robotics", "json", h.PublicURL())
	if err != nil || !strings.Contains(string(doc.Body), "Robots in the museum") {
		t.Errorf("the feed has %s (%v)", doc.Body, err)
	}

	h.ask("POST", "/api/v1/articles", robots).is(http.StatusOK).into(&made)
	if made.Change != "unchanged" {
		t.Errorf("again: %+v", made)
	}
	h.ask("PUT", "/api/v1/sources/cms/articles/robots-1", `{"title": "Robots in the museum", "text": "They went."}`).is(http.StatusOK).into(&made)
	if made.Change != "changed" {
		t.Errorf("otherwise: %+v", made)
	}
	h.ask("PUT", "/api/v1/sources/cms/articles/robots-1", `{"title": "Robots", "text": "They went."}`, "If-None-Match", "*").problem(http.StatusPreconditionFailed)
}

// Of calls that bring the same article at the same time one adds it, and the others change nothing.
func TestTheSameArticleIsAddedOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	const calls = 8
	statuses := make(chan int, 2*calls)
	for range calls {
		go func() {
			r, err := h.try("POST", "/api/v1/articles", robots)
			statuses <- r.status
			if err != nil {
				t.Error(err)
			}
		}()
		go func() {
			r, err := h.try("PUT", "/api/v1/sources/cms/articles/robots-2", `{"title": "Robots", "text": "They went."}`, "If-None-Match", "*")
			statuses <- r.status
			if err != nil {
				t.Error(err)
			}
		}()
	}
	got := map[int]int{}
	for range 2 * calls {
		got[<-statuses]++
	}
	want := map[int]int{http.StatusCreated: 2, http.StatusOK: calls - 1, http.StatusPreconditionFailed: calls - 1}
	if !maps.Equal(got, want) {
		t.Errorf("answers by status %v, want %v", got, want)
	}
}

func TestAKeyMayBeAnAddress(t *testing.T) {
	t.Parallel()
	h := open(t)
	var made api.PushedArticle
	r := h.ask("PUT", "/api/v1/sources/cms/articles/https:%2F%2Fwww.example.org%2Fa%3Fid=1", `{"title": "One", "text": "Words."}`).is(http.StatusCreated).into(&made)
	if made.ExternalKey != "https://www.example.org/a?id=1" {
		t.Fatalf("%+v", made)
	}
	h.ask("GET", r.header.Get("Location"), nil).is(http.StatusOK).into(&made)
	if made.State != "published" {
		t.Errorf("%+v", made)
	}
}

func TestDraftsAndEmbargoedArticlesWait(t *testing.T) {
	t.Parallel()
	h := open(t)
	put := func(key, body string) (made api.PushedArticle) {
		t.Helper()
		if r := h.ask("PUT", "/api/v1/sources/cms/articles/"+key, body).into(&made); r.status/100 != 2 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return made
	}
	if made := put("draft", `{"title": "Draft", "text": "Words.", "unfinished": true}`); made.State != "unfinished" || made.Change != "added" || made.Slug != "" {
		t.Errorf("%+v", made)
	}
	if made := put("later", `{"title": "Later", "text": "Words.", "not_before": "2026-05-05T09:00:00Z"}`); made.State != "embargoed" || made.PublishAt == nil {
		t.Errorf("%+v", made)
	}
	if made := put("later", `{"title": "Later", "text": "Words.", "not_before": "2026-05-06T09:00:00Z"}`); made.Change != "changed" {
		t.Errorf("%+v", made)
	}
	if made := put("draft", `{"title": "Draft", "text": "Words."}`); made.State != "published" || made.Change != "changed" {
		t.Errorf("%+v", made)
	}
	if made := put("draft", `{"title": "Draft", "text": "New words.", "unfinished": true}`); made.State != "published" || made.Waits != "unfinished" || made.Change != "changed" {
		t.Errorf("%+v", made)
	}
	var gone api.PushedArticle
	h.ask("DELETE", "/api/v1/sources/cms/articles/later", nil).is(http.StatusOK).into(&gone)
	if gone.Change != "removed" || gone.State != "unknown" {
		t.Errorf("%+v", gone)
	}
	h.ask("GET", "/api/v1/sources/cms/articles/later", nil).problem(http.StatusNotFound)
	h.ask("DELETE", "/api/v1/sources/cms/articles/later", nil).problem(http.StatusNotFound)
}

func TestWithdrawingAndRestoring(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.ask("POST", "/api/v1/articles", robots).is(http.StatusCreated)
	var a api.Article
	h.ask("POST", "/api/v1/articles/robots-in-the-museum/withdraw", nil).is(http.StatusOK).into(&a)
	if a.WithdrawnAt == nil {
		t.Fatalf("%+v", a)
	}
	var made api.PushedArticle
	h.ask("POST", "/api/v1/articles", robots).is(http.StatusOK).into(&made)
	if made.State != "withdrawn" || made.Change != "unchanged" {
		t.Errorf("brought again: %+v", made)
	}
	h.ask("POST", "/api/v1/articles/robots-in-the-museum/restore", nil).is(http.StatusOK).into(&a)
	if a.WithdrawnAt != nil {
		t.Errorf("%+v", a)
	}
	h.ask("DELETE", "/api/v1/sources/cms/articles/robots-1", nil).is(http.StatusOK).into(&made)
	if made.State != "withdrawn" {
		t.Errorf("%+v", made)
	}
	h.ask("POST", "/api/v1/articles/robots-in-the-museum/mark", `{"urgent": true}`).is(http.StatusOK).into(&a)
	if !a.Urgent || a.Pinned {
		t.Errorf("%+v", a)
	}
	h.ask("POST", "/api/v1/articles/nowhere/withdraw", nil).problem(http.StatusNotFound)
	h.ask("POST", "/api/v1/articles/robots-in-the-museum/mark", `{}`).wrongAt("body", "urgent or pinned")
}

func TestManyArticlesAreTakenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	h := open(t)
	const some = `"articles": [
		{"external_key": "a", "title": "A", "text": "Words."},
		{"external_key": "b", "title": " ", "text": "Words."},
		{"external_key": "c", "title": "C", "url": "ftp://example.org/"},
		{"external_key": "a", "title": "A again", "text": "Words."},
		{"external_key": "d", "title": "D", "html": "<p></p>"},
		{"external_key": "e", "title": "E", "text": "Words.", "language": "no such tongue"}]`
	r := h.ask("POST", "/api/v1/articles/bulk", `{"source": "cms", `+some+`}`)
	for at, says := range map[string]string{
		"body.articles[1].title": "must be there", "body.articles[2].url": "web address", "body.articles[3].external_key": "articles[0]",
		"body.articles[4].html": "show something", "body.articles[5].language": "",
	} {
		r.wrongAt(at, says)
	}
	var list api.Page[api.Article]
	h.ask("GET", "/api/v1/articles", nil).is(http.StatusOK).into(&list)
	if len(list.Items) != 0 {
		t.Fatalf("%d articles were taken", len(list.Items))
	}
	var done api.PushedArticles
	h.ask("POST", "/api/v1/articles/bulk", `{"source": "cms", "keep_going": true, `+some+`}`).is(http.StatusOK).into(&done)
	if done.Added != 1 || done.Refused != 5 || len(done.Articles) != 6 || done.Articles[0].State != "published" || done.Articles[3].Errors[0].Location != "body.articles[3].external_key" {
		t.Errorf("%+v", done)
	}
}

// An article whose very form is wrong is refused by itself, too, and told where it stands.
func TestAnArticleOfABulkIsJudgedByItself(t *testing.T) {
	t.Parallel()
	h := open(t)
	const some = `"articles": [
		{"external_key": "a", "title": "A", "text": "Words."},
		{"external_key": "b", "text": "Words."},
		{"external_key": "c", "title": 7, "tags": "x", "colour": "red"},
		{"title": "D", "text": "Words."},
		{"external_key": 5, "title": 1e999},
		"E",
		{"external_key": "b", "title": "B again", "text": "Words."},
		{"external_key": "g", "title": "G", "text": "Words.", "published_at": "yesterday", "image": {"alt": "x"}}]`
	wants := []map[string]string{
		nil,
		{"body.articles[1].title": "must be there"},
		{"body.articles[2].title": "must be a text", "body.articles[2].tags": "must be a list", "body.articles[2].colour": "no such field"},
		{"body.articles[3].external_key": "must be there"},
		{"body.articles[4].external_key": "must be a text", "body.articles[4].title": "must be a text"},
		{"body.articles[5]": "must be an object"},
		{"body.articles[6].external_key": "is that of articles[1], too"},
		{"body.articles[7].published_at": "must be a time", "body.articles[7].image.url": "must be there"},
	}
	whole := h.ask("POST", "/api/v1/articles/bulk", `{"source": "cms", `+some+`}`)
	var done api.PushedArticles
	h.ask("POST", "/api/v1/articles/bulk", `{"source": "cms", "keep_going": true, `+some+`}`).is(http.StatusOK).into(&done)
	if done.Added != 1 || done.Refused != 7 || len(done.Articles) != len(wants) || done.Articles[1].ExternalKey != "b" {
		t.Fatalf("%+v", done)
	}
	for i, want := range wants {
		if got := done.Articles[i].Errors; len(got) != len(want) || (done.Articles[i].State == "published") != (want == nil) {
			t.Errorf("articles[%d]: %+v", i, done.Articles[i])
		}
		for at, says := range want {
			whole.wrongAt(at, says)
			if !slices.ContainsFunc(done.Articles[i].Errors, func(m api.Mistake) bool { return m.Location == at && strings.Contains(m.Message, says) }) {
				t.Errorf("%s: %+v", at, done.Articles[i].Errors)
			}
		}
	}
	for body, at := range map[string]string{
		`{"keep_going": true, "articles": [{}]}`: "body.source", `{"source": "cms", "keep_going": 1, "articles": [{}]}`: "body.keep_going",
		`{"source": "cms", "keep_going": true, "articles": []}`: "body.articles", `{"source": "cms", "keep_going": true, "articles": [{}], "colour": "red"}`: "body.colour",
		`{"source": "nowhere", "keep_going": true, "articles": [{"external_key": "a", "title": "A", "text": "b"}]}`: "body.source", `[]`: "body",
	} {
		h.ask("POST", "/api/v1/articles/bulk", body).wrongAt(at, "")
	}
}

func TestOnlyASourceOfKindAPITakesArticles(t *testing.T) {
	t.Parallel()
	h := open(t)
	for source, says := range map[string]string{"nowhere": "no source", "files": "kind folder"} {
		body := strings.Replace(robots, "cms", source, 1)
		h.ask("POST", "/api/v1/articles", body).wrongAt("body.source", says)
	}
	h.ask("PUT", "/api/v1/sources/nowhere/articles/a", `{"title": "A", "text": "B"}`).problem(http.StatusNotFound)
	h.ask("PUT", "/api/v1/sources/files/articles/a", `{"title": "A", "text": "B"}`).problem(http.StatusConflict)
}

func TestArticlesAreListedByWhatTheyAre(t *testing.T) {
	t.Parallel()
	h := open(t)
	for i := range 3 {
		h.ask("POST", "/api/v1/articles", fmt.Sprintf(`{"source": "cms", "external_key": "k%d", "title": "Number %d", "text": "Words.", "tags": ["t%d"], "language": "%s"}`,
			i, i, i%2, []string{"en", "it", "en-GB"}[i])).is(http.StatusCreated)
	}
	h.ask("POST", "/api/v1/articles/number-0/withdraw", nil).is(http.StatusOK)
	for query, want := range map[string]string{
		"": "number-2 number-1 number-0", "?tag=t0": "number-2 number-0", "?language=en": "number-2 number-0", "?state=withdrawn": "number-0",
		"?state=published&limit=1": "number-2", "?external_key=k1&source=cms": "number-1", "?section=None": "", "?source=nowhere": "",
		"?since=2026-05-04T09:00:00Z": "number-2 number-1 number-0", "?since=2026-05-05T09:00:00Z": "",
	} {
		var list api.Page[api.Article]
		h.ask("GET", "/api/v1/articles"+query, nil).is(http.StatusOK).into(&list)
		var slugs []string
		for _, a := range list.Items {
			slugs = append(slugs, a.Slug)
			if a.HTML != "" {
				t.Errorf("%s: a list has the HTML", query)
			}
		}
		if got := strings.Join(slugs, " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	h.ask("GET", "/api/v1/articles?language=no+such+tongue", nil).wrongAt("query.language", "")
}
