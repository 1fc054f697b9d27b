package admin_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/uuid"

	"silkpost/internal/accounts"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

const peopleLists = `
[[list]]
slug = "partners"
name = { en = "News for our partners" }
sender = { name = "Example Association", address = "news@example.org" }
postal_address = "1 Example Street"

[[list]]
slug = "newsroom"
name = { en = "For the press" }
sender = { name = "Example Association", address = "news@example.org" }
postal_address = "1 Example Street"

[[list]]
slug = "guests"
name = { en = "Guests" }
`

// crowd makes the lists and some people on them.
func (h *house) crowd() {
	h.t.Helper()
	h.declare(peopleLists)
	h.take("partners", "email,name,organisation,country,languages,role\noffice@museum.example,Office,Museum of Science,IT,it;en,director\nboth@museum.example,Both,Museum of Science,IT,it,speaker\n")
	h.take("newsroom", "email,name,organisation,country\nboth@museum.example,,,\nreporter@paper.example,Reporter,The Paper,CH\n")
}

// take imports a table onto a list.
func (h *house) take(list, table string) {
	h.t.Helper()
	_, err := h.ImportContacts(h.t.Context(), strings.NewReader(table), subscribers.ImportOptions{List: list, Consent: "Agreed in the contract", Origin: "people.csv"})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) contactID(email string) int64 {
	h.t.Helper()
	c, err := subscribers.ContactByEmail(h.t.Context(), h.DB, email)
	if err != nil {
		h.t.Fatal(err)
	}
	return c.ID
}

func (h *house) contactPath(email string) string {
	return fmt.Sprint("/admin/contacts/", h.contactID(email))
}

// manager is somebody who manages the people of some lists.
func (h *house) manager(slugs ...string) accounts.Actor {
	h.t.Helper()
	ids := []int64{}
	for _, slug := range slugs {
		list, err := subscribers.ListBySlug(h.t.Context(), h.DB, slug)
		if err != nil {
			h.t.Fatal(err)
		}
		ids = append(ids, list.ID)
	}
	return accounts.Actor{Account: 9, Name: "account 9", Email: "manager@example.org", Roles: []accounts.Role{accounts.Manager}, Lists: ids, Language: "en", Proved: time.Now()}
}

// went fails the test unless a form was taken and leads somewhere.
func (a answer) went(t *testing.T, to string) {
	t.Helper()
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.location, to) {
		t.Errorf("%d to %q, want 303 to %q: %s %s", a.status, a.location, to, a.text(".mistakes"), a.text(".detail"))
	}
}

// refusedWith fails the test unless a form came back with words about what is wrong.
func (a answer) refusedWith(t *testing.T, words string) {
	t.Helper()
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.text(".mistakes"), words) {
		t.Errorf("%d %q, want 422 with %q", a.status, a.text(".mistakes"), words)
	}
}

// shows fails the test unless a page says something in an element.
func (a answer) shows(t *testing.T, selector string, words ...string) {
	t.Helper()
	if a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.text("main"))
	}
	for _, w := range words {
		if got := a.text(selector); !strings.Contains(got, w) {
			t.Errorf("%s does not say %q: %s", selector, w, got)
		}
	}
}

// hides fails the test if a page says something.
func (a answer) hides(t *testing.T, words ...string) {
	t.Helper()
	html, _ := a.Html()
	for _, w := range words {
		if strings.Contains(html, w) {
			t.Errorf("the page says %q", w)
		}
	}
}

func TestContactsAreListedAndFound(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.get("/admin/contacts").shows(t, ".empty", "No contacts yet")
	h.crowd()
	h.get("/admin/contacts").shows(t, "table", "office@museum.example", "Museum of Science", "partners", "active", "reporter@paper.example")
	h.get("/admin/contacts?q=museum&list=newsroom").shows(t, "table", "both@museum.example")
	h.get("/admin/contacts?q=museum&list=newsroom").hides(t, "office@museum.example")
	h.get("/admin/contacts?country=CH").hides(t, "museum.example")
	h.get("/admin/contacts?q=nobody-like-that").shows(t, ".empty", "Nobody is like that")
	h.get("/admin/contacts?country=Italy").refusedWith(t, "not a country code")
	h.get("/admin/contacts?list=nowhere").refusedWith(t, "no list")
	var rows strings.Builder
	for i := range 120 {
		fmt.Fprintf(&rows, "p%03d@many.example\n", i)
	}
	h.take("guests", "email\n"+rows.String())
	seen := map[string]bool{}
	for path := "/admin/contacts?list=guests"; path != ""; {
		page := h.get(path)
		page.Find("table.people .who a").Each(func(_ int, s *goquery.Selection) { seen[s.Text()] = true })
		path = page.Find("a[rel=next]").AttrOr("href", "")
	}
	if len(seen) != 120 {
		t.Errorf("%d of 120 contacts were on the pages", len(seen))
	}
}

func TestContactIsMade(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.crowd()
	h.get("/admin/contacts/new").shows(t, "form", "Consent")
	got := h.send("/admin/contacts/new", "email", "new@academy.example", "name", `=cmd|' /C calc'!A0`, "organisation", "Academy", "languages", "fr; en",
		"time_zone", "Europe/Paris", "delivery_hour", "07:30", "list", "partners", "rhythm", "daily", "consent", "Asked by letter")
	got.went(t, h.contactPath("new@academy.example")+"?done=contact_added")
	page := h.get(h.contactPath("new@academy.example"))
	page.shows(t, "main", `=cmd|' /C calc'!A0`, "Academy", "Europe/Paris", "07:30", "Once a day", "Asked by letter", "administrator", "you")
	h.send("/admin/contacts/new", "email", "asked@academy.example", "list", "partners").went(t, h.contactPath("asked@academy.example")+"?done=contact_pending")
	for field, value := range map[string]string{"email": "not-an-address", "languages": "klingon!", "delivery_hour": "25:00"} {
		got := h.send("/admin/contacts/new", field, value, "email", "x@academy.example", "list", "partners")
		got.refusedWith(t, "")
		if got.Find("#"+field).Length() == 0 || got.text("#"+field+"-mistake") == "" {
			t.Errorf("nothing stands at the field %s: %s", field, got.text(".mistakes"))
		}
	}
	h.send("/admin/contacts/new", "email", "office@museum.example", "list", "partners", "consent", "x").went(t, h.contactPath("office@museum.example")+"?done=contact_unchanged")
}

func TestContactsStory(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.crowd()
	path := h.contactPath("office@museum.example")
	h.get(path).shows(t, "main", "office@museum.example", "Museum of Science", "director", "Agreed in the contract", "people.csv", "partners")
	h.send(path+"/partners/delivery", "rhythm", "daily", "topics", "Robotics; Space").went(t, path+"?done=saved")
	h.get(path).shows(t, "#subscriptions ~ ul", "Once a day", "Robotics")
	h.send(path+"/partners/delivery", "rhythm", "hourly", "topics", "").refusedWith(t, "rhythm")
	h.send(path+"/partners/pause", "days", "no").refusedWith(t, "days")
	h.send(path+"/partners/resume").refusedWith(t, "not paused")
	h.send(path+"/partners/pause", "days", "7", "why", "On leave").went(t, path)
	h.get(path).shows(t, "main", "paused", "On leave")
	h.send(path+"/partners/pause", "days", "7").refusedWith(t, "paused")
	h.send(path+"/partners/resume").went(t, path)
	h.send(path+"/partners/ask").refusedWith(t, "only who is pending is asked")
	h.send(path+"/subscribe", "list", "newsroom", "consent", "").went(t, path+"?done=contact_pending")
	h.send(path+"/newsroom/ask").went(t, path+"?done=contact_asked")
	h.get(path).shows(t, "#notices ~ table", "asked to confirm", "For the press")
	h.send(path+"/subscribe", "list", "newsroom", "consent", "By telephone").went(t, path+"?done=contact_subscribed")
	h.send(path+"/partners/unsubscribe", "why", "Asked by telephone").went(t, path)
	page := h.get(path)
	page.shows(t, "main", "Only they can come back", "Asked by telephone")
	h.send(path+"/subscribe", "list", "partners", "consent", "I insist").refusedWith(t, "they have left this list")
	h.send("/admin/contacts/new", "email", "office@museum.example", "list", "partners", "consent", "I insist").refusedWith(t, "they have left this list")
	if id, state, err := subscribers.SubscriptionOn(t.Context(), h.DB, h.contactID("office@museum.example"), 1); err != nil || state != subscribers.Unsubscribed {
		t.Errorf("an administrator brought subscription %d back: %s, %v", id, state, err)
	}
	if got := h.get("/admin/contacts/4711"); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
	if got := h.get("/admin/contacts/x"); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
}

func TestContactIsEdited(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.crowd()
	path := h.contactPath("office@museum.example")
	h.get(path+"/edit").shows(t, "textarea", "role: director", "Museum of Science")
	h.send(path+"/edit", "name", "New name", "organisations", "Museum of Science\nAcademy", "languages", "zh-Hans, en", "time_zone", "Asia/Shanghai", "delivery_hour", "9:00",
		"attributes", "role: curator\nphone: +39 06").went(t, path+"?done=saved")
	h.get(path).shows(t, "main", "New name", "Academy", "Asia/Shanghai", "09:00", "curator", "+39 06")
	for _, bad := range [][2]string{{"languages", "??"}, {"time_zone", "Mars/Phobos"}, {"delivery_hour", "noon"}, {"attributes", "no name"}, {"name", "a\x00b"}} {
		if bad[0] == "attributes" {
			bad[1] = ": no name"
		}
		got := h.fill(path+"/edit", "name", "Lost", bad[0], bad[1])
		got.refusedWith(t, "")
	}
	h.get(path).shows(t, "h1", "New name")
	h.send(path+"/address", "address", "both@museum.example").refusedWith(t, "another contact has that address")
	h.send(path+"/address", "address", "nowhere").refusedWith(t, "no @ sign")
	h.send(path+"/address", "address", "moved@museum.example").went(t, path)
	h.get(path).shows(t, "main", "office@museum.example", "new address asked")
}

func TestContactIsExportedAndErased(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.crowd()
	path := h.contactPath("both@museum.example")
	got := h.get(path + "/export.json")
	var file struct {
		Email         string
		Subscriptions []any
	}
	if err := json.Unmarshal([]byte(got.Text()), &file); err != nil || file.Email != "both@museum.example" || len(file.Subscriptions) != 2 {
		t.Errorf("%v %+v", err, file)
	}
	if d := got.header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment") {
		t.Errorf("%q", d)
	}
	h.get(path+"/erase").shows(t, "button.danger", "Erase", "both@museum.example", "for good")
	stale := everything()
	stale.Proved = time.Now().Add(-time.Hour)
	h.as(stale)
	h.send(path+"/erase").went(t, "/admin/prove")
	h.as(everything())
	h.stage("partners.csv", "email\nboth@museum.example\n")
	h.send(path+"/erase").shows(t, "h1", "Erased")
	if got := h.get(path); got.status != http.StatusNotFound {
		t.Errorf("%d after the erasure", got.status)
	}
	var uploads int
	if err := h.DB.Get(&uploads, `SELECT count(*) FROM subscribers.uploads`); err != nil || uploads > 0 {
		t.Errorf("%d uploads, %v", uploads, err)
	}
}

func TestSuppressions(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.crowd()
	h.get("/admin/contacts/suppressions").shows(t, ".empty", "Nobody is suppressed")
	path := h.contactPath("office@museum.example")
	h.send(path+"/suppress", "why", "Their wish").went(t, path+"?done=suppressed")
	h.get(path).shows(t, ".told.needs", "No list mails", "office@museum.example")
	h.get("/admin/contacts?suppressed=on").shows(t, "table", "office@museum.example", "suppressed by hand")
	h.send("/admin/contacts/suppressions", "whom", "paper.example", "why", "Closed").went(t, "/admin/contacts/suppressions?done=suppressed")
	h.send("/admin/contacts/suppressions", "whom", "paper.example", "why", "Closed").went(t, "/admin/contacts/suppressions?done=suppressed_already")
	h.send("/admin/contacts/suppressions", "whom", "not an address", "why", "x").refusedWith(t, "")
	h.get("/admin/contacts/suppressions").shows(t, "table", "office@museum.example", "you: Their wish", "paper.example")
	h.get("/admin/contacts/suppressions?q=OFFICE@museum.example").hides(t, "paper.example")
	h.send("/admin/contacts/suppressions/lift", "whom", "paper.example").went(t, "/admin/contacts/suppressions?done=lifted")
	if _, err := subscribers.Suppress(t.Context(), h.DB, "office@museum.example", subscribers.HardBounce, "<b>550</b>", h.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	h.send("/admin/contacts/suppressions/lift", "whom", "office@museum.example", "contact", fmt.Sprint(h.contactID("office@museum.example"))).refusedWith(t, "only they can lift that")
	h.get(path).shows(t, "main", "the person lifts it, by confirming", "<b>550</b>")
	csv := h.get("/admin/contacts/suppressions/export.csv")
	if !strings.Contains(csv.Text(), "office@museum.example") {
		t.Errorf("%s", csv.Text())
	}
}

func TestExportedFormulasAreHarmless(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare(peopleLists)
	h.send("/admin/contacts/new", "email", "x@academy.example", "name", `=HYPERLINK("https://evil.example")`, "list", "partners", "consent", "x").went(t, "/admin/contacts/")
	if text := h.get("/admin/contacts/export.csv").Text(); !strings.Contains(text, `'=HYPERLINK`) {
		t.Errorf("%s", text)
	}
}

// Who manages one list sees its people, of each only what is of that list, and changes nothing else.
func TestManagersAreConfined(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.crowd()
	if err := h.bar("paper.example"); err != nil {
		t.Fatal(err)
	}
	office, both, reporter := h.contactPath("office@museum.example"), h.contactPath("both@museum.example"), h.contactPath("reporter@paper.example")
	museum, paper := h.organisationPath("Museum of Science"), h.organisationPath("The Paper")
	h.as(h.manager("partners"))
	list := h.get("/admin/contacts")
	list.shows(t, "table", "office@museum.example", "both@museum.example")
	list.hides(t, "reporter@paper.example", "newsroom", "/admin/contacts/suppressions", "export.csv")
	page := h.get(both)
	page.shows(t, "main", "partners", "not yours")
	page.hides(t, "newsroom", both+"/edit", "erase", "Suppress both@")
	h.get(office).shows(t, "main", "Edit", "partners")
	h.get("/admin/organisations").hides(t, "The Paper")
	h.get(museum).shows(t, "main", "both@museum.example")
	h.get(museum).hides(t, "newsroom", museum+"/edit", "/merge")
	h.get("/admin/audiences?filter=").shows(t, "#found", "2 contacts")
	h.get("/admin/audiences?filter=list+%3D+newsroom").hides(t, "reporter@paper.example")
	h.get("/admin/audiences?filter=not+list+%3D+partners").shows(t, "#found", "0 contacts")
	for _, path := range []string{
		reporter, paper, both + "/edit", both + "/export.json", "/admin/contacts/suppressions", "/admin/contacts/export.csv", "/admin/contacts/suppressions/export.csv",
		"/admin/organisations/new", museum + "/edit", museum + "/merge", museum + "/remove", "/admin/contacts?list=newsroom",
	} {
		got := h.get(path)
		if got.status == http.StatusOK && strings.Contains(path, "?") {
			got.hides(t, "reporter@paper.example", "both@museum.example")
		} else if got.status != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, got.status)
		}
	}
	for _, path := range []string{
		both + "/edit", both + "/suppress", both + "/address", both + "/newsroom/unsubscribe", both + "/newsroom/pause", both + "/newsroom/delivery", both + "/newsroom/ask", both + "/newsroom/resume",
		reporter + "/partners/unsubscribe", museum + "/edit", museum + "/merge", museum + "/remove", "/admin/organisations/new", "/admin/contacts/suppressions", "/admin/audiences",
		"/admin/audiences/1/remove",
	} {
		if got := h.send(path, "why", "x", "name", "x", "whom", "x@y.example", "filter", "mailable"); got.status != http.StatusNotFound {
			t.Errorf("POST %s: %d", path, got.status)
		}
	}
	for _, path := range []string{"/admin/contacts/new", both + "/subscribe", reporter + "/subscribe"} {
		if got := h.send(path, "list", "newsroom", "email", "x@y.example", "consent", "x"); got.status != http.StatusNotFound {
			t.Errorf("POST %s onto another list: %d", path, got.status)
		}
	}
	if got := h.send(reporter+"/subscribe", "list", "partners", "consent", "x"); got.status != http.StatusNotFound {
		t.Errorf("who is not theirs is put on their list: %d", got.status)
	}
	for _, whom := range []string{"paper.example", "reporter@paper.example", "both@museum.example"} {
		if got := h.send("/admin/contacts/suppressions/lift", "whom", whom); got.status != http.StatusNotFound {
			t.Errorf("lifting %s: %d", whom, got.status)
		}
	}
	if got := h.send(office + "/erase"); got.status != http.StatusForbidden {
		t.Errorf("erasing: %d", got.status)
	}
	h.send(both+"/partners/unsubscribe", "why", "x").went(t, both)
	h.fill(office+"/edit", "name", "Mine").went(t, office)
	h.send("/admin/contacts/new", "email", "new@museum.example", "list", "partners", "consent", "x").went(t, "/admin/contacts/")
	theirs := h.stage("a.csv", "email\na@b.example\n")
	h.get("/admin/import/"+theirs+"/map").shows(t, "form", "News for our partners")
	h.get("/admin/import/"+theirs+"/map").hides(t, "For the press")
	if got := h.send("/admin/import/"+theirs+"/check", "list", "newsroom", "consent", "x"); got.status != http.StatusNotFound {
		t.Errorf("importing onto another list: %d", got.status)
	}
	h.as(h.manager("newsroom"))
	other := h.manager("newsroom")
	other.Name = "account 10"
	h.as(other)
	if got := h.get("/admin/import/" + theirs); got.status != http.StatusNotFound {
		t.Errorf("somebody else's upload: %d", got.status)
	}
	h.as(h.manager())
	h.get("/admin/contacts").hides(t, "@museum.example", "@paper.example")
	h.get("/admin/audiences?filter=").hides(t, "@museum.example")
}

// Who manages one list and puts somebody of another one on it learns nothing of them by that, until they say themselves that they want it.
func TestAddingTellsNothingOfAPerson(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.crowd()
	secrets := []string{"Reporter", "The Paper", "For the press", "CH", "people.csv", "a letter from"}
	if _, err := h.SuppressFor(t.Context(), "account 1", "reporter@paper.example", "a letter from their lawyer"); err != nil {
		t.Fatal(err)
	}
	h.as(h.manager("partners"))
	id := h.stage("both.csv", "email\nreporter@paper.example\nunknown@paper.example\n")
	h.send("/admin/import/"+id+"/check", "list", "partners", "consent", "").went(t, "/admin/import/")
	h.worked(id)
	rows := h.get("/admin/import/" + id).Find("tbody tr").Map(func(_ int, s *goquery.Selection) string { return s.Find(".badge").Text() })
	if len(rows) != 2 || rows[0] != rows[1] {
		t.Errorf("known and unknown: %q", rows)
	}
	for _, email := range []string{"unknown@paper.example", "reporter@paper.example"} {
		h.send("/admin/contacts/new", "email", email, "name", "", "list", "partners", "consent", "At the fair").went(t, h.contactPath(email)+"?done=contact_added")
	}
	reporter := h.contactPath("reporter@paper.example")
	h.get(reporter).shows(t, "main", "reporter@paper.example", "No list mails", "News for our partners")
	h.get(reporter).hides(t, secrets...)
	for _, path := range []string{"/admin/contacts", "/admin/organisations", "/admin/audiences?filter="} {
		h.get(path).hides(t, secrets[:3]...)
	}
	for _, path := range []string{"/admin/contacts?q=The+Paper", "/admin/contacts?country=CH"} {
		h.get(path).hides(t, "reporter@paper.example")
	}
	h.get("/admin/audiences?filter=country+%3D+CH").shows(t, "#found", "0 contacts")
	h.get("/admin/audiences?filter=not+organisation+contains+paper").shows(t, "#found", "4 contacts")
	h.get(h.organisationPath("The Paper")).went404(t)
	h.send("/admin/contacts/suppressions/lift", "whom", "reporter@paper.example").went404(t)
	office := h.contactPath("office@museum.example")
	h.send(office+"/address", "address", "both@museum.example").went(t, office+"?done=contact_address_asked")
	var subscription int64
	if err := h.DB.Get(&subscription, `SELECT s.id FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id WHERE c.email = 'reporter@paper.example' AND s.list_id = $1`,
		h.manager("partners").Lists[0]); err != nil {
		t.Fatal(err)
	}
	if err := subscribers.Confirm(t.Context(), h.DB, subscription, subscribers.Evidence{At: h.Clock.Now(), Method: subscribers.ByConfirmation}); err != nil {
		t.Fatal(err)
	}
	h.get(reporter).shows(t, "main", "Reporter", "The Paper")
	h.get(reporter).hides(t, secrets[2], secrets[4], secrets[5], reporter+"/edit")
	h.get("/admin/contacts?q=The+Paper").shows(t, "table", "reporter@paper.example")
}

func (h *house) bar(whom string) error {
	_, err := subscribers.Suppress(h.t.Context(), h.DB, whom, subscribers.Manual, "", h.Clock.Now())
	return err
}

func (h *house) organisationPath(name string) string {
	h.t.Helper()
	o, err := subscribers.OrganisationByName(h.t.Context(), h.DB, name)
	if err != nil {
		h.t.Fatal(err)
	}
	return fmt.Sprint("/admin/organisations/", o.ID)
}

func TestOrganisations(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.get("/admin/organisations").shows(t, ".empty", "No organisations yet")
	h.crowd()
	if err := h.bar("paper.example"); err != nil {
		t.Fatal(err)
	}
	h.get("/admin/organisations").shows(t, "table", "Museum of Science", "IT", "The Paper", "Nobody is reached", "1 is suppressed")
	h.get("/admin/organisations?unreached=on").hides(t, "Museum of Science")
	h.get("/admin/organisations?q=museum").hides(t, "The Paper")
	h.get("/admin/organisations?country=XX").refusedWith(t, "country")
	h.send("/admin/organisations/new", "name", "Academy", "names", "it: Accademia\nzh-Hans: 学院", "country", "it", "web_site", "https://www.academy.example/", "languages", "it",
		"agreed_on", "2026-03-01", "tags", "exchange, robots", "notes", "Line 1\nLine 2").went(t, h.organisationPath("Academy")+"?done=organisation_made")
	academy := h.organisationPath("academy")
	h.get(academy).shows(t, "main", "学院", "https://www.academy.example/", "2026-03-01", "exchange", "Line 2", "No contacts")
	h.send("/admin/organisations/new", "name", "ACADEMY").refusedWith(t, "already")
	h.send("/admin/organisations/new", "name", "").refusedWith(t, "name")
	h.send("/admin/organisations/new", "name", "X", "web_site", "javascript:alert(1)").refusedWith(t, "web_site")
	h.send("/admin/organisations/new", "name", "X", "names", "Accademia").refusedWith(t, "language before it")
	h.fill(academy+"/edit", "name", "The Academy", "country", "CH").went(t, academy)
	h.get(academy).shows(t, "h1", "The Academy")
	h.get(academy).shows(t, "main", "学院")
	h.fill(academy+"/edit", "names", "").went(t, academy)
	h.get(academy).hides(t, "学院")
	h.fill(academy+"/edit", "name", "museum of  SCIENCE").refusedWith(t, "merge the two")
	museum := h.organisationPath("Museum of Science")
	if _, _, err := h.MakePrivateFeed(t.Context(), "Museum of Science", "partners"); err != nil {
		t.Fatal(err)
	}
	h.get(museum+"/merge?into=nowhere").refusedWith(t, "no organisation")
	h.get(museum+"/merge?into=Museum+of+Science").refusedWith(t, "same")
	h.get(museum+"/merge?into=The+Academy").shows(t, "main", "2 contacts of", "Merge")
	h.send(museum+"/merge", "into", "The Academy").went(t, academy+"?done=organisation_merged")
	h.get(academy).shows(t, "main", "both@museum.example", "office@museum.example", "News for our partners · made on")
	if got := h.get(museum); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
	h.get(academy+"/remove").shows(t, "main", "2 contacts belong to it", "1 private feed ends for good")
	h.send(academy+"/remove").went(t, "/admin/organisations?done=removed")
	h.get(h.contactPath("both@museum.example")).shows(t, "main", "partners")
	if feeds, err := h.PrivateFeeds(t.Context()); err != nil || len(feeds) != 1 || feeds[0].RevokedAt == nil {
		t.Errorf("%+v %v", feeds, err)
	}
}

func TestAudiences(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.crowd()
	h.get("/admin/audiences").shows(t, "main", "None yet")
	h.get("/admin/audiences?filter=country+%3D+IT+and+attribute+role+%3D+speaker").shows(t, "#found", "1 contact")
	h.get("/admin/audiences?filter=country+is+IT").refusedWith(t, "filter")
	h.get("/admin/audiences?filter=list+%3D+nowhere").refusedWith(t, "no list")
	h.send("/admin/audiences", "filter", "country = IT", "name", "").refusedWith(t, "name")
	h.send("/admin/audiences", "filter", "country = IT", "name", "<b>Italy</b>").went(t, "/admin/audiences?done=saved&filter=country")
	page := h.get("/admin/audiences")
	page.shows(t, "#saved ~ ul", "<b>Italy</b>", "country = IT")
	h.send(page.Find("#saved ~ ul form").AttrOr("action", "")).went(t, "/admin/audiences?done=removed")
	h.get("/admin/audiences").hides(t, "Italy")
}

// post sends a form with a file.
func (h *house) postFile(path, name, content string) answer {
	h.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write([]byte(content))
	}
	if err != nil {
		h.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		h.t.Fatal(err)
	}
	return h.askWith(http.MethodPost, path, form.FormDataContentType(), &body)
}

// stage uploads a table and returns the id of the upload.
func (h *house) stage(name, content string) string {
	h.t.Helper()
	got := h.postFile("/admin/import", name, content)
	got.went(h.t, "/admin/import/")
	id := strings.TrimSuffix(strings.TrimPrefix(got.location, "/admin/import/"), "/map")
	if _, err := uuid.Parse(id); err != nil {
		h.t.Fatalf("%s: %v", got.location, err)
	}
	return id
}

// worked has the worker's part of an upload done.
func (h *house) worked(id string) {
	h.t.Helper()
	if err := h.WorkUpload(h.t.Context(), uuid.MustParse(id)); err != nil {
		h.t.Fatal(err)
	}
}

func TestImportInSteps(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.crowd()
	h.get("/admin/import").shows(t, "form", "Upload")
	id := h.stage(`..\evil/<script>alert(1)</script>.csv`, "E-Mail;Nome;Firma;Rolle\nnew@museum.example;Nuovo;Museo;capo\nnot-an-address;X;Y;Z\noffice@museum.example;Office;;\nnew@museum.example;;Zweites;\n")
	at := "/admin/import/" + id
	h.get(at).went(t, at+"/map")
	page := h.get(at + "/map")
	page.shows(t, "table", "E-Mail", "new@museum.example", "Firma")
	if chosen := page.Find(`select[name=column2] option[selected]`).AttrOr("value", ""); chosen != "organisation" {
		t.Errorf("Firma is taken for %q", chosen)
	}
	page.hides(t, "<script>alert")
	fields := []string{
		"header0", "E-Mail", "column0", "email", "header1", "Nome", "column1", "name", "header2", "Firma", "column2", "organisation", "header3", "Rolle", "column3", "attribute:",
		"name3", "role", "list", "guests", "consent", "They signed",
	}
	h.send(at+"/check", fields...).went(t, at)
	h.get(at).shows(t, "h1", "The file is checked")
	h.send(at + "/import").shows409(t)
	h.worked(id)
	checked := h.get(at)
	checked.shows(t, "main", "1 row was refused.", "Nothing was imported yet.", "not-an-address", "no @ sign", "Import the other 2 onto Guests")
	checked.shows(t, ".facts", "Would be added", "They signed")
	checked.hides(t, "<script>alert")
	if _, _, err := subscribers.SubscriptionOn(t.Context(), h.DB, h.contactID("office@museum.example"), 3); err == nil {
		t.Error("checking has put somebody on the list")
	}
	h.get(at+"?outcome=joined").shows(t, "table", "the same person as row 2")
	refused := h.get(at + "/refused.csv").Text()
	if !strings.Contains(refused, "not-an-address") || !strings.Contains(refused, "no @ sign") || strings.Contains(refused, "new@museum.example") {
		t.Errorf("%s", refused)
	}
	h.send(at+"/import", "keep_going", "on").went(t, at)
	h.worked(id)
	h.get(at).shows(t, "h1", "Imported")
	story := h.get(h.contactPath("new@museum.example"))
	story.shows(t, "main", "Nuovo", "Museo", "Zweites", "role", "capo", "They signed", "you", "Guests")
	h.send(at + "/import").shows409(t)
	h.get("/admin/import").shows(t, "table", "imported")
	h.send(at+"/remove").went(t, "/admin/import?done=upload_removed")
	if got := h.get(at); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
}

func (a answer) shows409(t *testing.T) {
	t.Helper()
	if a.status != http.StatusConflict {
		t.Errorf("%d, want 409", a.status)
	}
}

func TestImportRefusesOtherFiles(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare(peopleLists)
	for _, tt := range []struct{ name, content, want string }{
		{"people.xlsx", "PK\x03\x04rest", "a spreadsheet or a ZIP archive"},
		{"people.csv", "PK\x03\x04rest", "a spreadsheet or a ZIP archive"},
		{"people.csv.gz", "\x1f\x8b\x08", "gzip"},
		{"people.exe", "email\na@b.example\n", ".exe"},
		{"people.csv", "", "empty"},
		{"", "email\n", "choose a file"},
	} {
		h.postFile("/admin/import", tt.name, tt.content).refusedWith(t, tt.want)
	}
	h.send("/admin/import").refusedWith(t, "choose a file")
	h.postFile("/admin/import", "bomb.csv", strings.Repeat("email\n", subscribers.MaxUpload/6+1)).refusedWith(t, "more than 64 MB")
	var kept int
	if err := h.DB.Get(&kept, `SELECT count(*) FROM subscribers.uploads`); err != nil || kept > 0 {
		t.Errorf("%d kept, %v", kept, err)
	}
	id := h.stage("people.csv", "one,two\n1,2\n")
	h.send("/admin/import/"+id+"/check", "list", "guests", "consent", "x").went(t, "/admin/import/")
	h.worked(id)
	h.get("/admin/import/"+id).shows(t, "main", "Nothing was imported.", `names no column "email"`)
	cell := h.stage("bomb.csv", "email,name\na@b.example,\""+strings.Repeat("x", 30<<20)+"\"\n")
	if got := h.get("/admin/import/" + cell + "/map"); got.status >= 500 {
		t.Errorf("%d", got.status)
	}
	h.get("/admin/import/x").went404(t)
	h.get("/admin/import/" + uuid.NewString()).went404(t)
}

func (a answer) went404(t *testing.T) {
	t.Helper()
	if a.status != http.StatusNotFound {
		t.Errorf("%d, want 404", a.status)
	}
}

// What a mail server said, what came back, and whatever people called themselves stays text in a contact's story; so do addresses of articles.
func TestForeignTextInAStory(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.declare(peopleLists)
	const evil = `<script>alert(1)</script>`
	h.take("partners", "email,name,organisation,city,topics\n\"x@evil.example\",\""+evil+"\",\""+evil+"\",\""+evil+"\",\""+evil+"\"\n")
	id := h.contactID("x@evil.example")
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := h.DB.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	at := h.Clock.Now()
	edition := ledger.NewEditionID(at)
	if err := ledger.Prepare(t.Context(), h.DB, at); err != nil {
		t.Fatal(err)
	}
	exec(`INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, created_at) VALUES ($1, 1, 'weekly', $2::timestamptz, 'hand', 'sent', $2, $2)`, edition, at)
	exec(`INSERT INTO mailer.variants (edition_id, language, articles, groups, key) VALUES ($1, 'en', '{}', '{}', 'k')`, edition)
	exec(`INSERT INTO mailer.deliveries (edition_id, contact_id, subscription_id, variant_id, state, not_before, settled_at, begun, attempts, code, reply, bounced_at, bounce_kind, bounce_diagnostic)
		SELECT $1, $2, 1, v.id, 'sent', $3, $3, true, 1, 250, '2.0.0 ok', $3, 'hard', $4 FROM mailer.variants v WHERE v.edition_id = $1`, edition, id, at, "550 "+evil)
	exec(`INSERT INTO mailer.attempts (edition_id, contact_id, number, at, outcome, phase, code, reply, sender_id) VALUES ($1, $2, 1, $3, 'deferred', 'dot', 451, $4, $1)`, edition, id, at, "451 "+evil)
	exec(`INSERT INTO subscribers.suppressions (address_key, reason, origin, at) VALUES ('x@evil.example', 'hard bounce', $1, $2)`, evil, at)
	for _, path := range []string{
		fmt.Sprint("/admin/contacts/", id), "/admin/contacts", "/admin/organisations", h.organisationPath(evil), "/admin/contacts/suppressions", "/admin/audiences?filter=",
		fmt.Sprint("/admin/contacts/", id, "/edit"), fmt.Sprint("/admin/contacts/", id, "/erase"), "/admin/contacts?q=" + url.QueryEscape(evil),
	} {
		page := h.get(path)
		page.hides(t, evil)
		if page.status != http.StatusOK {
			t.Errorf("%s: %d", path, page.status)
		}
	}
	page := h.get(fmt.Sprint("/admin/contacts/", id))
	page.shows(t, "#deliveries ~ ul", "451 "+evil, "Came back", "550 "+evil)
	page.shows(t, "#suppressions ~ table", evil)
	resend := fmt.Sprint("/admin/contacts/", id, "/editions/", edition, "/resend")
	h.send(resend).refusedWith(t, "")
	h.as(h.manager("partners"))
	if got := h.send(resend); got.status != http.StatusForbidden {
		t.Errorf("a manager sends again: %d", got.status)
	}
}
