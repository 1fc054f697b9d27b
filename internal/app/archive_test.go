package app_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"silkpost/feeds"
	"silkpost/feeds/validate"
	"silkpost/internal/app"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/edition"
)

// withArchive is a house whose list has an archive, after one edition to readers of English, Italian and Arabic.
func withArchive(t *testing.T) *house {
	t.Helper()
	h := open(t)
	h.apply(t, list+"archive = true\n")
	h.contacts(t, "anna@museum.example,Anna,en,weekly", "bruno@centro.example,Bruno,it,weekly", "amal@markaz.example,Amal,ar,weekly")
	h.articles(t, relayEn, relayIt, seatsAr, seatsEn)
	h.send(t)
	h.run(t, app.Parts{Web: h.web})
	return h
}

func (h *house) archive(path string) string { return h.PublicURL() + "/archive/partners/" + path }

// editions are the ids of the editions in the account, newest first.
func (h *house) editions(t *testing.T) []string {
	t.Helper()
	return rows(t, h, `SELECT id FROM mailer.editions ORDER BY id DESC`)
}

// What an editor wrote for an edition is in its archive, in the languages in which it was in the mails.
func TestArchiveHasIntroductions(t *testing.T) {
	t.Parallel()
	h := withArchive(t)
	subject, introduction := "A look back", "# Dear *friends*\n\nread <b>the</b> [report](https://www.example.org/report)"
	e, err := h.MakeEdition(t.Context(), "7", app.MakeOptions{
		List: "partners", Articles: []string{"robots-pass-the-water-on"}, Repeat: true, AtOnce: true,
		Texts: edition.Texts{Subject: &subject, Introduction: &introduction},
	})
	if err != nil {
		t.Fatal(err)
	}
	subject, introduction = "Uno sguardo", "Cari amici"
	if err := h.WriteEdition(t.Context(), "7", e.ID, "it", edition.Texts{Subject: &subject, Introduction: &introduction}); err != nil {
		t.Fatal(err)
	}
	if err := h.Desk(edition.CommandLine).Approve(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	h.run(t, app.Parts{Worker: true})
	waitUntilSent(t, h, e.ID)
	const english = "<h2>Dear <em>friends</em></h2>\n<p>read &lt;b&gt;the&lt;/b&gt; <a href=\"https://www.example.org/report\">report</a></p>"
	for tag, want := range map[string][]string{
		"en": {english, "A look back"}, "it": {"<p>Cari amici</p>", "Uno sguardo"}, "ar": {"<div lang=\"en\" dir=\"ltr\">\n" + english, "A look back"},
	} {
		page := string(get(t, h.archive(tag+"/"+e.ID.String())).body)
		for _, words := range want {
			if !strings.Contains(page, words) {
				t.Errorf("%s lacks %q:\n%s", tag, words, page)
			}
		}
		if feed := string(get(t, h.archive(tag+"/feed.json")).body); !strings.Contains(feed, want[1]) || tag == "it" && !strings.Contains(feed, "Cari amici") {
			t.Errorf("%s: the feed lacks %q:\n%s", tag, want, feed)
		}
	}
	if old := string(get(t, h.archive("en/"+h.editions(t)[1])).body); strings.Contains(old, "friends") {
		t.Errorf("another edition has it:\n%s", old)
	}
}

// Everybody reads what went out, each article in the language of the page, else in the list's.
func TestArchive(t *testing.T) {
	t.Parallel()
	h := withArchive(t)
	id := h.editions(t)[0]
	for tag, want := range map[string][]string{
		"en": {relayEn.title, seatsEn.title}, "it": {"I robot si passano", seatsEn.title}, "ar": {relayEn.title, seatsAr.title},
	} {
		for _, path := range []string{"/", "/" + id} {
			page := get(t, h.archive(tag+path))
			body := string(page.body)
			if page.StatusCode != http.StatusOK || page.Header.Get("X-Robots-Tag") != "" || strings.Contains(body, "noindex") {
				t.Fatalf("%s%s: %d %v", tag, path, page.StatusCode, page.Header)
			}
			for _, title := range want {
				if !strings.Contains(body, title) {
					t.Errorf("%s%s lacks %q:\n%s", tag, path, title, body)
				}
			}
			if got := attributes(t, body, "html", "lang"); !slices.Equal(got, []string{tag}) {
				t.Errorf("%s%s is in %q", tag, path, got)
			}
			if got := attributes(t, body, `link[rel="canonical"]`, "href"); !slices.Equal(got, []string{h.archive(tag + path)}) {
				t.Errorf("%s%s: canonical %q", tag, path, got)
			}
			if got := attributes(t, body, `link[type="application/atom+xml"]`, "href"); !slices.Equal(got, []string{h.archive(tag + "/feed.atom")}) {
				t.Errorf("%s%s: feeds %q", tag, path, got)
			}
			if got := attributes(t, body, `link[hreflang]`, "hreflang"); len(got) != 2 || slices.Contains(got, tag) {
				t.Errorf("%s%s: other languages %q", tag, path, got)
			}
			for _, person := range []string{"anna", "Bruno", "@", "subscription", "/view/"} {
				if strings.Contains(body, person) {
					t.Errorf("%s%s holds %q", tag, path, person)
				}
			}
		}
	}
	if marked := get(t, h.archive("it/"+id)); !strings.Contains(string(marked.body), "In inglese") {
		t.Errorf("the English article is not marked:\n%s", marked.body)
	}
	for accept, want := range map[string]string{"it-CH, en": "it/", "ru": "en/", "": "en/", "ar": "ar/"} {
		got := get(t, h.archive(""), "Accept-Language", accept)
		if got.StatusCode != http.StatusFound || got.Header.Get("Location") != h.archive(want) || got.Header.Get("Vary") != "Accept-Language" {
			t.Errorf("for %q: %d %v", accept, got.StatusCode, got.Header)
		}
	}
}

// A version that was there at the cut-off is read, though nobody got it; one that came later is not.
func TestArchiveVersions(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock(time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC))
	h := openOn(t, testkit.FreshURL(t), catchertest.Start(t, catcher.Config{}), app.Options{Clock: clock})
	h.apply(t, list+"archive = true\n")
	h.contacts(t, "anna@museum.example,Anna,en,weekly")
	h.articles(t, relayEn, relayIt)
	h.send(t)
	clock.Advance(time.Minute)
	h.articles(t, relayZh)
	h.run(t, app.Parts{Web: h.web})
	if got := get(t, h.archive("it/"+h.editions(t)[0])); !strings.Contains(string(got.body), "I robot si passano") {
		t.Errorf("the Italian version: %d %s", got.StatusCode, got.body)
	}
	if got := get(t, h.archive("zh-Hans/")); got.StatusCode != http.StatusNotFound {
		t.Errorf("the Chinese one, which came later: %d", got.StatusCode)
	}
}

// Of what is not there, or not for everybody, nothing is told.
func TestArchiveRefuses(t *testing.T) {
	t.Parallel()
	h := withArchive(t)
	id := h.editions(t)[0]
	for _, path := range []string{
		"ru/", "EN/", "en-GB/", "en/" + strings.ToUpper(id), "en/" + uuid.NewString(), "en/feed.xml", "en/x.atom", "en/nothing", "en/?before=x", "ru/feed.rss",
	} {
		if got := get(t, h.archive(path)); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.StatusCode)
		}
	}
	h.apply(t, list+"archive = false\n")
	for _, path := range []string{"", "en/", "en/" + id, "en/feed.atom"} {
		if got := get(t, h.archive(path)); got.StatusCode != http.StatusNotFound {
			t.Errorf("without an archive, %s: %d", path, got.StatusCode)
		}
	}
	if got := get(t, h.PublicURL()+"/archive/nobody/en/"); got.StatusCode != http.StatusNotFound {
		t.Errorf("a list that is not there: %d", got.StatusCode)
	}
}

// What was not sent yet is nobody's to read; what goes out is there at once.
func TestArchiveHoldsWhatWentOut(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list+"archive = true\napproval = true\n")
	h.contacts(t, "anna@museum.example,Anna,en,weekly")
	h.articles(t, relayEn)
	h.run(t, app.Parts{Web: h.web})
	sent, err := h.SendDigest(t.Context(), app.SendOptions{List: "partners"})
	if err != nil {
		t.Fatal(err)
	}
	id := sent.Editions[0].ID.String()
	if got := get(t, h.archive("en/"+id)); got.StatusCode != http.StatusNotFound {
		t.Errorf("in review: %d", got.StatusCode)
	}
	if page := get(t, h.archive("en/")); page.StatusCode != http.StatusOK || !strings.Contains(string(page.body), "No edition went out yet") {
		t.Errorf("%d %s", page.StatusCode, page.body)
	}
	if err := h.Desk(edition.CommandLine).Approve(t.Context(), sent.Editions[0].ID); err != nil {
		t.Fatal(err)
	}
	stop := h.run(t, app.Parts{Worker: true})
	waitUntilSent(t, h, sent.Editions[0].ID)
	stop()
	if got := get(t, h.archive("en/"+id)); got.StatusCode != http.StatusOK {
		t.Errorf("sent: %d", got.StatusCode)
	}
	h.articles(t, seatsEn)
	if body := string(get(t, h.archive("en/"+id)).body); strings.Contains(body, seatsEn.title) {
		t.Error("an article that came later is in it")
	}
}

// A withdrawn article is gone from pages and feeds; restored, all is as it was, to the byte.
func TestArchiveWithoutTheWithdrawn(t *testing.T) {
	t.Parallel()
	h := withArchive(t)
	id := h.editions(t)[0]
	look := func() (all [][]byte) {
		for _, path := range []string{"en/", "en/" + id, "en/feed.atom", "en/feed.rss", "en/feed.json"} {
			all = append(all, get(t, h.archive(path)).body)
		}
		return all
	}
	before := look()
	slugs := rows(t, h, `SELECT slug FROM articles.articles WHERE title IN ('`+relayEn.title+`', '`+seatsEn.title+`') ORDER BY title`)
	if _, _, err := h.WithdrawArticle(t.Context(), edition.CommandLine, slugs[0]); err != nil {
		t.Fatal(err)
	}
	for i, body := range look() {
		if bytes.Contains(body, []byte(relayEn.title)) || !bytes.Contains(body, []byte(seatsEn.title)) {
			t.Errorf("%d: after the withdrawal:\n%s", i, body)
		}
	}
	if _, _, err := h.RestoreArticle(t.Context(), slugs[0]); err != nil {
		t.Fatal(err)
	}
	for i, body := range look() {
		if !bytes.Equal(body, before[i]) {
			t.Errorf("%d: restored it is\n%s\nnot\n%s", i, body, before[i])
		}
	}
	for _, slug := range slugs {
		if _, _, err := h.WithdrawArticle(t.Context(), edition.CommandLine, slug); err != nil {
			t.Fatal(err)
		}
	}
	if got := get(t, h.archive("en/"+id)); got.StatusCode != http.StatusGone {
		t.Errorf("with nothing left: %d", got.StatusCode)
	}
}

// The feeds of editions are valid, say the same each time, and change when what they say does.
func TestArchiveFeeds(t *testing.T) {
	t.Parallel()
	h := withArchive(t)
	tags := map[feeds.Format]string{}
	for _, tag := range []string{"en", "ar"} {
		for _, format := range feeds.Formats() {
			address := h.archive(tag + "/feed." + string(format))
			got := get(t, address)
			if got.StatusCode != http.StatusOK || got.Header.Get("Cache-Control") == "" || got.Header.Get("Last-Modified") != "" {
				t.Fatalf("%s: %d %v", address, got.StatusCode, got.Header)
			}
			found, err := validate.Check(string(format), got.body)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				t.Errorf("%s: %v", address, f)
			}
			if !bytes.Contains(got.body, []byte(address)) || !bytes.Contains(got.body, []byte(h.archive(tag+"/"+h.editions(t)[0]))) {
				t.Errorf("%s does not say where it is, or leads nowhere:\n%s", address, got.body)
			}
			again := get(t, address, "If-None-Match", got.Header.Get("Etag"))
			if again.StatusCode != http.StatusNotModified {
				t.Errorf("%s: asked again: %d", address, again.StatusCode)
			}
			tags[format] = got.Header.Get("Etag")
		}
	}
	h.articles(t, skyRu)
	h.send(t) // in the list's language there is nothing of it
	for format, tag := range tags {
		if got := get(t, h.archive("ar/feed."+string(format))); got.Header.Get("Etag") != tag {
			t.Errorf("%s: an edition without anything for its readers changed it to\n%s", format, got.body)
		}
	}
	h.articles(t, piece{"moon-en", "moon", "The moon is nearer", "en", "Events", "astronomy", "By a little."})
	h.send(t)
	for format, tag := range tags {
		got := get(t, h.archive("ar/feed."+string(format)))
		if got.Header.Get("Etag") == tag || !bytes.Contains(got.body, []byte("The moon is nearer")) {
			t.Errorf("%s does not hold the new edition:\n%s", format, got.body)
		}
	}
}

// Pages may be kept by caches, and older editions are reached from newer ones, each once.
func TestArchivePages(t *testing.T) {
	t.Parallel()
	h := withArchive(t)
	first := get(t, h.archive("en/"))
	if got := first.Header.Get("Cache-Control"); got != "public, max-age=300" {
		t.Errorf("Cache-Control %q", got)
	}
	if got := get(t, h.archive("en/"), "If-None-Match", first.Header.Get("Etag"), "Accept-Language", "ar"); got.StatusCode != http.StatusNotModified {
		t.Errorf("asked again by an Arabic browser: %d", got.StatusCode)
	}
	// Many editions with the same article, as if it had been sent again and again.
	if _, err := h.DB.Exec(`
		WITH one AS (SELECT * FROM mailer.editions LIMIT 1), more AS (
			INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, articles, created_at)
			SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, list_id, rhythm, local_date - 7 * n, 'hand', 'sent', cut_off - n * interval '7 days', 1, created_at
			FROM one, generate_series(1, 44) n RETURNING id
		)
		INSERT INTO mailer.archived (edition_id, article_id, group_id, place) SELECT more.id, a.article_id, a.group_id, a.place FROM more, mailer.archived a`); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	pages := 0
	for next := []string{h.archive("en/")}; len(next) > 0; pages++ {
		body := string(get(t, next[0]).body)
		if got := attributes(t, body, `link[rel="canonical"]`, "href"); !slices.Equal(got, next) {
			t.Errorf("the page %s says it is %q", next, got)
		}
		for _, to := range attributes(t, body, ".entries a", "href") {
			seen[to]++
		}
		next = attributes(t, body, `a[rel="next"]`, "href")
	}
	if len(seen) != 45 || pages != 3 {
		t.Errorf("%d editions on %d pages", len(seen), pages)
	}
	for to, times := range seen {
		if times != 1 {
			t.Errorf("%s is listed %d times", to, times)
		}
	}
}
