package admin_test

import (
	"bufio"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/uuid"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/mailer/edition"
)

const twoLists = `
[[list]]
slug = "partners"
name = { en = "News for our partners", zh-Hans = "合作伙伴通讯" }
sender = { name = "Example Association", address = "news@example.org" }
postal_address = "1 Example Street"
rhythms = ["weekly", "immediate"]
default_rhythm = "weekly"
time_zone = "Asia/Shanghai"
approval = true

[[list]]
slug = "press"
name = { en = "Press" }
rhythms = ["daily"]
default_rhythm = "daily"
`

// exec changes the database behind the program's back.
func (h *house) exec(query string, args ...any) {
	h.t.Helper()
	if _, err := h.DB.ExecContext(h.t.Context(), query, args...); err != nil {
		h.t.Fatal(err)
	}
}

// listID returns the id of a list.
func (h *house) listID(slug string) (id int64) {
	h.t.Helper()
	if err := h.DB.GetContext(h.t.Context(), &id, `SELECT id FROM subscribers.lists WHERE slug = $1`, slug); err != nil {
		h.t.Fatal(err)
	}
	return id
}

// edition makes an edition in a state, as planning would have left it.
func (h *house) edition(list string, state edition.State, reason string) uuid.UUID {
	h.t.Helper()
	id := uuid.Must(uuid.NewV7())
	now := h.Clock.Now()
	h.exec(`INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, reason, cut_off, created_at, recipients, approve_by, finished_at)
		VALUES ($1, $2, 'weekly', $3::timestamptz, 'hand', $4::text, $5, $3::timestamptz, $3::timestamptz, 1204,
		        CASE $4::text WHEN 'review' THEN $6::timestamptz END, CASE $4::text WHEN 'sent' THEN $3::timestamptz END)`,
		id, h.listID(list), now, state, reason, now.Add(time.Hour))
	return id
}

// article publishes one.
func (h *house) article() {
	h.t.Helper()
	file := filepath.Join(h.t.TempDir(), "opening.md")
	if err := os.WriteFile(file, []byte("---\ntitle: The museum opens again\nlanguage: en\ndate: 2026-11-20\n---\n\nAfter two years of works it is open to everybody.\n"), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.ImportArticles(h.t.Context(), app.ArticleImport{Paths: []string{file}}); err != nil {
		h.t.Fatal(err)
	}
}

func TestHomeOfAnEmptyDatabaseLeadsToTheGuide(t *testing.T) {
	t.Parallel()
	h := open(t)
	page := h.get("/admin/")
	if page.status != http.StatusOK || page.Find(`.empty a[href="/admin/guide"]`).Length() != 1 {
		t.Errorf("%d %s", page.status, page.text("main"))
	}
	guide := h.get("/admin/guide")
	if n := guide.Find(".steps li").Length(); n != 7 {
		t.Errorf("%d steps", n)
	}
	if first := guide.Find(".steps li").First(); !first.HasClass("next") || first.Find(`a[href="/admin/sources/new"]`).Length() != 1 {
		t.Errorf("the first step is not next: %s", first.Text())
	}
}

func TestTheGuideKnowsWhatIsDone(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare(twoLists + "\n[[source]]\nslug = \"site\"\nkind = \"feed\"\nurl = \"https://www.example.org/feed.xml\"\n")
	is := func(step, next string) {
		t.Helper()
		guide := h.get("/admin/guide")
		if got := guide.text(".steps .next h2"); !strings.HasPrefix(got, next) {
			t.Errorf("after %s comes %q, not %q", step, got, next)
		}
	}
	is("the source", "Look at the articles")
	h.article()
	is("articles and a list that can be sent for", "Bring in your partners")
	h.edition("partners", edition.Sent, "")
	if got := h.get("/admin/guide"); got.Find(".told.done").Length() != 1 {
		t.Error("the guide does not say that all is done")
	}
}

func TestHomeShowsWhatNeedsAPerson(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare(twoLists)
	review := h.edition("partners", edition.Review, "")
	held := h.edition("press", edition.Held, "planned 14h after its cut-off: release it")
	h.edition("press", edition.Sent, "")
	h.exec(`INSERT INTO articles.sources (slug, kind, url, every, created_at, failures, failure, failing_since) VALUES ('site', 'feed', 'https://www.example.org', '15 min', now(), 3, '404 <b>Not Found</b>', now())`)
	h.exec(`INSERT INTO mailer.destinations (name, paused_at, paused_until, times, kind, code, reply) VALUES
		('example.com', now(), now() + interval '1 hour', 1, 'blocked', 550, '550 5.7.1 no'), ('example.net', now(), now() + interval '2 min', 1, 'throttled', 421, '421 slower')`)
	h.exec(`INSERT INTO subscribers.organisations (name, name_key, created_at) VALUES ('Museum of the north', 'museum of the north', now())`)

	page := h.get("/admin/")
	for _, wanted := range []string{
		`.needs a[href="/admin/editions/` + review.String() + `"]`, `.needs a[href="/admin/editions/` + held.String() + `"]`, `.needs a[href="/admin/lists/press"]`,
		`.needs a[href="/admin/sources/site"]`, `.needs a[href="/admin/destinations/example.com"]`, `.needs a[href^="/admin/organisations/"]`,
	} {
		if page.Find(wanted).Length() != 1 {
			t.Errorf("there is no %s in %s", wanted, page.text(".needs"))
		}
	}
	for _, wanted := range []string{"News for our partners, Weekly", "Until ", "1,204 recipients", "planned 14h after its cut-off", "404 <b>Not Found</b>", "Museum of the north"} {
		if !strings.Contains(page.text(".needs"), wanted) {
			t.Errorf("%q is not said: %s", wanted, page.text(".needs"))
		}
	}
	if strings.Contains(page.text(".needs"), "example.net") {
		t.Error("what passes by itself needs nobody")
	}
	if got := page.text(".menu .count"); got != "6 need you" {
		t.Errorf("the menu says %q", got)
	}
	if next := page.text(`[aria-labelledby="next"]`); !strings.Contains(next, "News for our partners") || strings.Contains(next, "Press") {
		t.Errorf("what goes out next: %s", next)
	}
}

// Everybody is told who decides what they cannot, and managers see their own lists alone.
func TestHomeIsForWhoLooks(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare(twoLists)
	h.edition("partners", edition.Review, "")
	press := h.edition("press", edition.Held, "")
	h.as(accounts.Actor{Name: "account 2", Email: "reader@example.org", Roles: []accounts.Role{accounts.Reader}})
	page := h.get("/admin/")
	if got := page.text(".needs"); strings.Count(got, "An approver decides this.") != 2 || page.Find(".count").Length() != 0 {
		t.Errorf("a reader sees %s", got)
	}
	h.as(accounts.Actor{Name: "account 3", Email: "manager@example.org", Roles: []accounts.Role{accounts.Manager}, Lists: []int64{h.listID("press")}, Language: "zh-Hans"})
	page = h.get("/admin/")
	if got := page.Find(".needs li").Length(); got != 2 || page.Find(`.needs a[href$="`+press.String()+`"]`).Length() != 1 {
		t.Errorf("a manager of another list sees %s", page.text(".needs"))
	}
	if got := page.text(`[aria-labelledby="next"]`); strings.Contains(got, "partners") || strings.Contains(got, "合作伙伴") {
		t.Errorf("a manager of another list sees what goes out next: %s", got)
	}
}

func TestHomeCountsDays(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.exec(`INSERT INTO mailer.hours (hour, list_id, what, part, count) VALUES (date_trunc('hour', now()), 1, 'sent', 'a', 1000), (date_trunc('hour', now()), 1, 'sent', 'b', 204),
		(date_trunc('hour', now()) - interval '2 days', 1, 'bounced', '', 7), (date_trunc('hour', now()) - interval '60 days', 1, 'sent', '', 5)`)
	page := h.get("/admin/")
	if got := page.text(".plot.sent figcaption"); got != "1,204 Sent" {
		t.Errorf("%q", got)
	}
	if got := page.text(".plot.bounced figcaption"); got != "7 Bounced" {
		t.Errorf("%q", got)
	}
	if n := page.Find(".numbers tbody tr").Length(); n != 30 || page.Find(".plot.sent .plot-bar").Length() != 30 {
		t.Errorf("%d days", n)
	}
	if page.Find("[style]").Length() > 0 {
		t.Error("something has a style of its own")
	}
}

func TestHomeIsFollowed(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare(twoLists)
	h.edition("partners", edition.Review, "")
	resp, err := http.Get(h.url + "/admin/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data: ") && strings.Contains(lines.Text(), "News for our partners") {
			return
		}
	}
	t.Error("what needs a person is not sent")
}

func TestMailsAreChosen(t *testing.T) {
	t.Parallel()
	h := open(t)
	wanted := func(kinds ...string) {
		t.Helper()
		var got []string
		h.get("/admin/account/mails").Find("main input[type=checkbox][checked]").Each(func(_ int, box *goquery.Selection) { got = append(got, box.AttrOr("name", "")) })
		if !slices.Equal(got, kinds) {
			t.Errorf("%v are wanted, not %v", got, kinds)
		}
	}
	wanted("approval", "held", "source", "destination", "report")
	if got := h.send("/admin/account/mails", "kinds", "", "approval", "on", "report", "on"); got.location != "/admin/account/mails?done=saved" {
		t.Errorf("%d to %s", got.status, got.location)
	}
	wanted("approval", "report")
	h.as(accounts.Actor{Account: 2, Name: "account 2", Email: "reader@example.org", Roles: []accounts.Role{accounts.Reader}})
	wanted()
}
