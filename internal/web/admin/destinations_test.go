package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/testkit"
	"silkpost/mailer/destination"
	"silkpost/mailer/ledger"
)

// took writes down what a destination took.
func (h *house) took(name string, sent, deferred, failed int, at time.Time) {
	h.t.Helper()
	tally := destination.Tally{DB: h.DB, Log: testkit.Log(h.t)}
	for outcome, n := range map[string]int{"sent": sent, "deferred": deferred, "failed": failed} {
		for range n {
			tally.Count(name, outcome, at)
		}
	}
	if err := tally.Write(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func TestDestinationsShowWhatTheyTook(t *testing.T) {
	t.Parallel()
	h := open(t)
	if page := h.get("/admin/destinations"); page.Find(".empty").Length() != 1 {
		t.Errorf("%s", page.text("main"))
	}
	now := h.Clock.Now()
	h.took("google.com", 3, 1, 0, now)
	h.took("google.com", 2, 0, 1, now.AddDate(0, 0, -1))
	h.took("museum.example", 1, 0, 0, now)
	h.took("old.example", 9, 0, 0, now.AddDate(0, 0, -20))
	if err := h.SumDestinations(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ledger.Pause(t.Context(), h.DB, ledger.Destination{Name: "google.com", Kind: "blocked", Code: 421, Reply: "4.7.28 <script>alert(1)</script>"}, time.Hour, time.Hour, now); err != nil {
		t.Fatal(err)
	}
	if _, err := h.DB.ExecContext(t.Context(), `INSERT INTO mailer.domains VALUES ('gmail.com', 'google.com', '{"<b>mx</b>.google.com"}', '2026-11-22', '2026-11-23')`); err != nil {
		t.Fatal(err)
	}
	page := h.get("/admin/destinations")
	if rows := page.text("tbody"); rows != "google.com Gmail and Google Workspace… Paused 5 1 1 0 museum.example 1 0 0 0" {
		t.Errorf("%s", rows)
	}
	if said := page.text(".detail"); said != "421 4.7.28 <script>alert(1)</script>" || page.Find("main script, main b").Length() != 0 {
		t.Errorf("%s", said)
	}
	if found := h.get("/admin/destinations?q=mus").text("tbody"); found != "museum.example 1 0 0 0" {
		t.Errorf("%s", found)
	}
	one := h.get("/admin/destinations/google.com")
	if text := one.text("main"); !strings.Contains(text, "tried again at") || !strings.Contains(text, "From 5,000 messages a day") || !strings.Contains(text, "gmail.com<b>mx</b>.google.com") || one.Find("main b, main script").Length() != 0 {
		t.Errorf("%s", text)
	}
	if h.get("/admin/destinations/a%20b").status != http.StatusNotFound {
		t.Error("no name is a destination")
	}
}

func TestDestinationsArePausedAndResumed(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, nobodys := range []string{"ANYTHING", "127.0.0.1", "a%20b.example", "..%2Fkeys"} {
		for _, act := range []string{"", "/pause", "/resume"} {
			got := h.get("/admin/destinations/" + nobodys)
			if act != "" {
				got = h.send("/admin/destinations/" + nobodys + act)
			}
			if got.status != http.StatusNotFound || got.text(".detail") == "" {
				t.Errorf("%s%s: %d %s", nobodys, act, got.status, got.text("main"))
			}
		}
	}
	if got := h.send("/admin/destinations/Nobodys.example/pause"); got.location != "/admin/destinations/nobodys.example?done=destination_paused_unused" {
		t.Errorf("a domain that nobody has: %d %s", got.status, got.location)
	}
	if _, _, _, err := h.AddContact(t.Context(), "account 1", app.NewContact{Email: "office@museum.example", List: "partners", Consent: "Agreed"}); err != nil {
		t.Fatal(err)
	}
	// An address may write its domain in letters beyond ASCII: by that name mail to it is paused, however it is named.
	if _, _, _, err := h.AddContact(t.Context(), "account 1", app.NewContact{Email: "office@müseum.example", List: "partners", Consent: "Agreed"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"m%C3%BCseum.example", "xn--mseum-kva.example"} {
		if got := h.send("/admin/destinations/" + name + "/pause"); got.location != "/admin/destinations/m%C3%BCseum.example?done=destination_paused" {
			t.Errorf("%s: %d %s", name, got.status, got.location)
		}
	}
	if got := h.get("/admin/destinations/xn--mseum-kva.example").text("h1"); got != "müseum.example" {
		t.Errorf("%s", got)
	}
	if got := h.send("/admin/destinations/museum.example/pause"); got.location != "/admin/destinations/museum.example?done=destination_paused" {
		t.Fatalf("%d %s", got.status, got.location)
	}
	if page := h.get("/admin/destinations/museum.example"); !strings.Contains(page.text("main"), "Paused by hand") || page.text("form button") == "" {
		t.Errorf("%s", page.text("main"))
	}
	h.as(accounts.Actor{Name: "account 2", Roles: []accounts.Role{accounts.Manager, accounts.Approver}, Lists: []int64{1}})
	if got := h.send("/admin/destinations/museum.example/resume"); got.status != http.StatusNotFound {
		t.Errorf("who is confined to a list resumed it for all: %d", got.status)
	}
	if menu := h.get("/admin/lists").text("nav"); strings.Contains(menu, "Destinations") {
		t.Errorf("who is confined to a list is led to what is of all: %s", menu)
	}
	h.as(everything())
	if got := h.send("/admin/destinations/museum.example/resume"); got.location != "/admin/destinations/museum.example?done=destination_resumed" {
		t.Errorf("%d", got.status)
	}
	if got := h.send("/admin/destinations/museum.example/resume"); got.status != http.StatusNotFound {
		t.Errorf("resumed twice: %d", got.status)
	}
}

// A long table is read to its end, each line once.
func TestDestinationsGoOn(t *testing.T) {
	t.Parallel()
	h := open(t)
	if _, err := h.DB.ExecContext(t.Context(), `
		INSERT INTO mailer.destination_days (name, day, sent) SELECT 'd' || n || '.example', $1, n / 3 FROM generate_series(1, 120) n`, h.Clock.Now().UTC()); err != nil {
		t.Fatal(err)
	}
	if err := h.SumDestinations(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for path, pages := "/admin/destinations", 0; path != ""; pages++ {
		page := h.get(path)
		page.Find("tbody a").Each(func(_ int, a *goquery.Selection) {
			if seen[a.Text()] {
				t.Errorf("%s is there twice", a.Text())
			}
			seen[a.Text()] = true
		})
		path = page.Find(".pager a[rel=next]").AttrOr("href", "")
		if pages > 3 {
			t.Fatal("it does not end")
		}
	}
	if len(seen) != 120 {
		t.Errorf("%d are shown: %s", len(seen), fmt.Sprint(seen)[:80])
	}
}
