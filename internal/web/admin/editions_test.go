package admin_test

import (
	"context"
	"fmt"
	"io"
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
	"silkpost/internal/testkit"
	"silkpost/mailer/edition"
	"silkpost/subscribers"
)

// patience is how long a test waits for what happens in other goroutines.
const patience = 20 * time.Second

const newsList = `
[[list]]
slug = %q
name = { en = %q, it = "Notizie" }
sender = { name = "Example Association", address = "news@example.org" }
postal_address = "1 Example Street, 00000 Exampletown"
approval = true
immediate_after = "0s"
`

// markup is what somebody might write where words go.
const markup = `<script>alert(1)</script><img src=x onerror=alert(1)>"'`

// newsroom is a house with a list that wants approval, readers and articles, and an edition that waits.
func newsroom(t *testing.T) (h *house, id uuid.UUID) {
	t.Helper()
	h = open(t)
	h.Config.PublicURL = "https://news.example.org"
	h.Composer.PublicURL = h.Config.PublicURL
	h.declare(fmt.Sprintf(newsList, "partners", "News for our partners"))
	h.readers("partners", "anna@example.org,Anna,en,Museum of the North", "bo@example.org,Bo,it,Academy", "=cmd@example.net,Cem,en,")
	h.write("robots", "Robots pass the water on", "seats", "Thirty seats for exchange", "hostile", "A title with "+markup)
	return h, h.plan("partners")
}

// readers subscribes people: address, name, language, organisation.
func (h *house) readers(list string, rows ...string) {
	h.t.Helper()
	file := strings.NewReader("email,name,languages,organisation,rhythm\n" + strings.Join(rows, ",weekly\n") + ",weekly\n")
	done, err := h.ImportContacts(h.t.Context(), file, subscribers.ImportOptions{List: list, Consent: "They asked for it"})
	if err != nil || done.Refused > 0 {
		h.t.Fatalf("%+v, %v", done, err)
	}
}

// write publishes articles: keys and titles in turn. Their slugs follow from the titles.
func (h *house) write(pairs ...string) {
	h.t.Helper()
	dir := h.t.TempDir()
	for i := 0; i+1 < len(pairs); i += 2 {
		content := fmt.Sprintf("---\nid: %s\ntitle: %q\nlanguage: en\nsection: News\ndate: 2026-05-%02dT10:00:00Z\n---\n\nWords of %s.\n", pairs[i], pairs[i+1], 20-i, pairs[i])
		if err := os.WriteFile(filepath.Join(dir, pairs[i]+".md"), []byte(content), 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
	if _, err := h.ImportArticles(h.t.Context(), app.ArticleImport{Paths: []string{dir}}); err != nil {
		h.t.Fatal(err)
	}
}

// plan plans an edition now.
func (h *house) plan(list string) uuid.UUID {
	h.t.Helper()
	sent, err := h.SendDigest(h.t.Context(), app.SendOptions{List: list, Rhythm: "weekly"})
	if err != nil || len(sent.Editions) != 1 {
		h.t.Fatalf("%+v, %v", sent, err)
	}
	return sent.Editions[0].ID
}

// work runs a worker until the test ends.
func (h *house) work() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx, app.Parts{Worker: true}) }()
	h.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	})
}

func (h *house) state(id uuid.UUID) edition.State {
	h.t.Helper()
	e, err := h.Edition(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return e.State
}

// titles are the articles that a page shows in an edition, in order.
func (a answer) titles() (titles []string) {
	a.Find("ol.contents .name").Each(func(i int, _ *goquery.Selection) {
		titles = append(titles, strings.TrimSpace(a.Find("ol.contents .name").Eq(i).Text()))
	})
	return titles
}

// read asks for what is no page.
func (h *house) read(path string) (string, http.Header) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.url+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(content), resp.Header
}

func approver() accounts.Actor {
	return accounts.Actor{Account: 2, Name: "account 2", Email: "approver@example.org", Roles: []accounts.Role{accounts.Approver}, Language: "en"}
}

func editor() accounts.Actor {
	return accounts.Actor{Account: 3, Name: "account 3", Email: "editor@example.org", Roles: []accounts.Role{accounts.Editor}, Language: "en"}
}

// An edition's whole way, as those do it who work on it: an editor arranges, looks and tests; an approver approves; a worker sends; both see how far it is, who
// got it and what servers said.
func TestAnEditionGoesOut(t *testing.T) {
	t.Parallel()
	h, id := newsroom(t)
	page := "/admin/editions/" + id.String()
	h.as(editor())
	if got := h.get("/admin/editions"); got.status != 200 || !strings.Contains(got.text("#waiting ~ .editions"), "News for our partners") {
		t.Fatalf("%d: %s", got.status, got.text("main"))
	}
	got := h.get(page)
	want := []string{"Robots pass the water on", "Thirty seats for exchange", "A title with " + markup}
	if !slices.Equal(got.titles(), want) {
		t.Errorf("%q", got.titles())
	}
	if got.Find("[data-from]").Length() > 0 {
		t.Error("what waits is followed, though nothing of it happens")
	}
	if got.Find("a[href$='/approve']").Length() > 0 {
		t.Error("an editor is shown how to approve")
	}
	// Arranged: the last one up, the first one dropped for now, and by a search added again.
	last, _ := got.Find("ol.contents li").Last().Attr("data-slug")
	for _, step := range [][]string{{"do", "up", "article", last}, {"do", "later", "article", "robots-pass-the-water-on"}} {
		if got := h.send(page+"/contents", step...); got.status != http.StatusSeeOther {
			t.Fatalf("%v: %d %s", step, got.status, got.text(".mistakes"))
		}
	}
	if got := h.get(page).titles(); !slices.Equal(got, []string{want[2], want[1]}) {
		t.Errorf("arranged: %q", got)
	}
	if got := h.get(page + "?add=robots").text(".found"); !strings.Contains(got, want[0]) {
		t.Errorf("found to be added: %s", got)
	}
	h.send(page+"/contents", "do", "add", "article", "robots-pass-the-water-on")
	h.send(page+"/contents", "do", "pin", "article", "robots-pass-the-water-on")
	if got := h.get(page).titles(); !slices.Equal(got, []string{want[0], want[2], want[1]}) {
		t.Errorf("added and pinned: %q", got)
	}
	// Written for one language, and looked at.
	if got := h.send(page+"/words/en", "subject", "We moved", "preheader", "", "introduction", "Dear *friends*\r\n\r\n"+markup); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.text(".mistakes"))
	}
	preview := h.get(page + "/preview")
	if preview.text(".facts dd") == "" || preview.Find("iframe[sandbox]").Length() != 4 || preview.Find("iframe").Length() != 4 {
		t.Errorf("%s", preview.text("main"))
	}
	src, _ := preview.Find("iframe").First().Attr("src")
	frame, head := h.read(src)
	if !strings.Contains(frame, "friends") || strings.Contains(frame, "<script") || strings.Contains(strings.ToLower(frame), "<img src=x") {
		t.Errorf("the frame: %s", frame)
	}
	if p := head.Get("Content-Security-Policy"); !strings.Contains(p, "sandbox") || strings.Contains(p, "https:") || strings.Contains(p, "script-src") || strings.Contains(p, "allow-scripts") {
		t.Errorf("its policy: %s", p)
	}
	if _, head := h.read(src + "?pictures=on"); !strings.Contains(head.Get("Content-Security-Policy"), "img-src 'self' https:") {
		t.Errorf("with pictures: %s", head.Get("Content-Security-Policy"))
	}
	// Tested.
	tested := h.send(page+"/test", "to", "editor@example.org", "language", "en")
	if tested.status != 200 || !strings.Contains(tested.text(".told"), "was accepted") || len(h.post.Messages()) != 1 {
		t.Errorf("%d %s, %d mails", tested.status, tested.text("main"), len(h.post.Messages()))
	}
	if got := h.send(page+"/test", "to", "nobody", "language", "en"); got.status != 422 || got.text(".mistake") == "" {
		t.Errorf("%d %s", got.status, got.text("main"))
	}
	// An editor cannot let it go; an approver can.
	if got := h.send(page+"/approve", "seen", "100"); got.status != http.StatusForbidden || h.state(id) != edition.Review {
		t.Errorf("%d, %s", got.status, h.state(id))
	}
	h.as(approver())
	h.work()
	h.let(page, "approve")
	testkit.Eventually(t, patience, "the edition is sent", func() bool { return h.state(id) == edition.Sent })
	if events, head := h.read(page + "/stream"); !strings.HasPrefix(head.Get("Content-Type"), "text/event-stream") || !strings.Contains(events, "3 of 3") || !strings.Contains(events, "event: end") {
		t.Errorf("%v\n%s", head, events)
	}
	got = h.get(page)
	if said := got.text("#progress ~ div"); !strings.Contains(said, "3 of 3") || !strings.Contains(said, "3 sent") {
		t.Errorf("progress: %s", said)
	}
	if log := got.text("#log ~ table"); !strings.Contains(log, "youapproved") || !strings.Contains(log, "account 3moved to the top robots-pass-the-water-on") {
		t.Errorf("log: %s", log)
	}
	if where := got.text("#destinations ~ table"); !strings.Contains(where, "example.org 22") {
		t.Errorf("destinations: %s", where)
	}
	// Who got it, by address and by organisation, and all as a table.
	for words, who := range map[string]string{"ANNA@example.org": "anna@example.org", "north": "anna@example.org", "academy": "bo@example.org"} {
		found := h.get(page + "/deliveries?q=" + words)
		if found.Find(".deliveries > li").Length() != 1 || !strings.Contains(found.text(".deliveries"), who) || !strings.Contains(found.text(".tries"), "250") {
			t.Errorf("%s: %s", words, found.text("main"))
		}
	}
	if got := h.get(page + "/deliveries?state=failed"); got.Find(".deliveries").Length() != 0 || got.text(".empty") == "" {
		t.Errorf("%s", got.text("main"))
	}
	table, head := h.read(page + "/results.csv")
	if rows := strings.Split(strings.TrimSpace(table), "\r\n"); len(rows) != 4 || !strings.HasPrefix(head.Get("Content-Disposition"), "attachment; filename=partners-") {
		t.Errorf("%v\n%s", head, table)
	}
	if strings.Contains(table, "\n=") || strings.Contains(table, `"=cmd`) || !strings.Contains(table, "cmd") {
		t.Errorf("a formula:\n%s", table)
	}
	// Once more to one of them.
	contact := strings.TrimPrefix(h.get(page+"/deliveries?q=bo@").Find(".deliveries h3 a").AttrOr("href", ""), "/admin/contacts/")
	if got := h.send(page+"/deliveries", "contact", contact); got.status != http.StatusSeeOther {
		t.Errorf("%d %s", got.status, got.text(".mistakes"))
	}
	testkit.Eventually(t, patience, "it came again", func() bool { return len(h.post.Messages()) == 5 && h.state(id) == edition.Sent })
}

// let confirms what is asked before an edition is let go.
func (h *house) let(page, act string) {
	h.t.Helper()
	asked := h.get(page + "/" + act)
	seen, _ := asked.Find("input[name=seen]").Attr("value")
	if got := h.send(page+"/"+act, "seen", seen); got.status != http.StatusSeeOther {
		h.t.Fatalf("%s: %d %s", act, got.status, got.text("main"))
	}
}

// Two who write the same words at once do not overwrite one another unknowingly, and nothing that was typed is lost.
func TestTwoWriteTheSameWords(t *testing.T) {
	t.Parallel()
	h, id := newsroom(t)
	page := "/admin/editions/" + id.String() + "/words/en"
	write := func(account, seen, subject string) answer {
		h.as(accounts.Actor{Account: 1, Name: account, Roles: []accounts.Role{accounts.Editor}})
		return h.send(page, "seen", seen, "subject", subject, "preheader", "", "introduction", "")
	}
	seen := h.get(page).Find("input[name=seen]").AttrOr("value", "")
	if got := write("account 8", seen, "We moved"); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.text("main"))
	}
	if got := write("account 8", seen, "We moved"); got.status != http.StatusSeeOther {
		t.Errorf("clicked twice: %d %s", got.status, got.text("main"))
	}
	late := write("account 9", seen, "We stay")
	if late.status != 422 || !strings.Contains(late.text(".mistakes"), "somebody else wrote") || late.Find("#subject").AttrOr("value", "") != "We stay" {
		t.Fatalf("%d %s", late.status, late.text("main"))
	}
	if got := write("account 9", late.Find("input[name=seen]").AttrOr("value", ""), "We stay"); got.status != http.StatusSeeOther {
		t.Errorf("once more: %d %s", got.status, got.text("main"))
	}
}

// What was done since somebody looked is said, and nothing is let go that they have not seen.
func TestSomebodyWasFaster(t *testing.T) {
	t.Parallel()
	h, id := newsroom(t)
	page := "/admin/editions/" + id.String()
	h.as(approver())
	asked := h.get(page + "/approve")
	seen, _ := asked.Find("input[name=seen]").Attr("value")
	if !strings.Contains(asked.text("button"), "Approve and send to 3 recipients") {
		t.Errorf("%s", asked.text("main"))
	}
	ada, err := h.Accounts.Create(t.Context(), accounts.Account{Email: "ada@example.org", Name: "Ada " + markup, Roles: []accounts.Role{accounts.Editor}})
	if err != nil {
		t.Fatal(err)
	}
	h.as(accounts.Actor{Account: ada, Name: accounts.Name(ada), Roles: []accounts.Role{accounts.Editor}})
	h.send(page+"/contents", "do", "later", "article", "robots-pass-the-water-on")
	h.as(approver())
	got := h.send(page+"/approve", "seen", seen)
	if got.status != 422 || h.state(id) != edition.Review || !strings.Contains(got.text(".mistakes"), "Ada "+markup+": dropped for now robots-pass-the-water-on") {
		t.Errorf("%d, %s: %s", got.status, h.state(id), got.text("main"))
	}
	again := h.get(page + "/approve")
	seen, _ = again.Find("input[name=seen]").Attr("value")
	for range 2 { // clicked twice
		if got := h.send(page+"/approve", "seen", seen); got.status != http.StatusSeeOther || h.state(id) != edition.Approved {
			t.Errorf("%d, %s: %s", got.status, h.state(id), got.text("main"))
		}
	}
	another := approver()
	another.Name = "account 4"
	h.as(another)
	seen, _ = got.Find("input[name=seen]").Attr("value")
	late := h.send(page+"/approve", "seen", seen)
	if late.status != 422 || !strings.Contains(late.text(".mistakes"), "Somebody was faster") || !strings.Contains(late.text(".mistakes"), "account 2: approved") || late.Find("form[method=post] button.danger").Length() > 0 {
		t.Errorf("%d: %s", late.status, late.text("main"))
	}
	if got := h.get(page + "/approve"); !strings.Contains(got.text(".mistakes"), "account 2: approved") {
		t.Errorf("%s", got.text("main"))
	}
}

// Stopping: a pause at once, a hold with its reason, and cancelling after a question that names what it ends.
func TestAnEditionIsStopped(t *testing.T) {
	t.Parallel()
	h, id := newsroom(t)
	page := "/admin/editions/" + id.String()
	h.as(editor())
	if got := h.send(page + "/pause"); got.status != http.StatusSeeOther || h.get(page).Find(".stopped").Length() != 1 {
		t.Errorf("%d", got.status)
	}
	if got := h.send(page+"/resume", "seen", "9"); got.status != http.StatusForbidden {
		t.Errorf("an editor lets it go on: %d", got.status)
	}
	h.as(approver())
	h.let(page, "resume")
	if got := h.send(page+"/hold", "reason", "let me see "+markup); got.status != http.StatusSeeOther || h.state(id) != edition.Held {
		t.Errorf("%d, %s", got.status, h.state(id))
	}
	if got := h.get(page); got.text(".reason") != "let me see "+markup || got.Find("main img, main script").Length() > 0 {
		t.Errorf("%s", got.text(".reason"))
	}
	h.let(page, "release")
	if asked := h.get(page + "/cancel"); asked.text("button.danger") != "Cancel 3 unsent deliveries" {
		t.Errorf("%s", asked.text("button.danger"))
	}
	if got := h.send(page+"/cancel", "reason", strings.Repeat("x", 600)); got.status != 422 || h.state(id) != edition.Approved {
		t.Errorf("%d, %s", got.status, h.state(id))
	}
	h.as(accounts.Actor{Name: "account 9", Roles: []accounts.Role{accounts.Editor}, Proved: time.Now().Add(-24 * time.Hour)}) // stopping asks for no password
	if got := h.send(page+"/cancel", "reason", "wrong"); got.status != http.StatusSeeOther || h.state(id) != edition.Cancelled {
		t.Errorf("%d, %s", got.status, h.state(id))
	}
}

// Everything, or a list, is paused within two seconds, and says so.
func TestPauses(t *testing.T) {
	t.Parallel()
	h, id := newsroom(t)
	h.as(approver())
	h.work()
	if got := h.get("/admin/editions/pauses"); got.text("h1") != "Pause everything" {
		t.Errorf("%s", got.text("h1"))
	}
	h.send("/admin/editions/pauses", "do", "pause", "list", "")
	h.let("/admin/editions/"+id.String(), "approve")
	if got := h.get("/admin/editions"); !strings.Contains(got.text(".stopped"), "Everything is paused") {
		t.Errorf("%s", got.text("main"))
	}
	h.send("/admin/editions/pauses", "do", "pause", "list", "partners")
	h.send("/admin/editions/pauses", "do", "resume", "list", "")
	got := h.get("/admin/editions/" + id.String())
	if !strings.Contains(got.text(".stopped"), "News for our partners is paused") || len(h.post.Messages()) != 0 {
		t.Errorf("%s, %d mails", got.text(".stopped"), len(h.post.Messages()))
	}
	if got := h.send("/admin/editions/pauses", "do", "pause", "list", "nosuch"); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
	h.as(editor())
	if got := h.send("/admin/editions/pauses", "do", "resume", "list", "partners"); got.status != http.StatusForbidden {
		t.Errorf("an editor lets a list go on: %d", got.status)
	}
	h.as(approver())
	h.send("/admin/editions/pauses", "do", "resume", "list", "partners")
	testkit.Eventually(t, patience, "it goes out", func() bool { return h.state(id) == edition.Sent })
}

// Who is confined to some lists finds nothing of others: not on the board, not by an address, not by a form.
func TestManagersOfListsSeeTheirs(t *testing.T) {
	t.Parallel()
	h, id := newsroom(t)
	h.declare(fmt.Sprintf(newsList, "staff", "For the staff"))
	h.readers("staff", "dana@example.org,Dana,en,")
	theirs := h.plan("staff")
	var list int64
	if err := h.DB.GetContext(t.Context(), &list, `SELECT id FROM subscribers.lists WHERE slug = 'staff'`); err != nil {
		t.Fatal(err)
	}
	h.as(accounts.Actor{Name: "account 5", Roles: []accounts.Role{accounts.Manager, accounts.Editor, accounts.Approver}, Lists: []int64{list}, Language: "en"})
	board := h.get("/admin/editions")
	if said := board.text("main"); !strings.Contains(said, "For the staff") || strings.Contains(said, "partners") {
		t.Errorf("%s", said)
	}
	if got := h.get("/admin/editions?list=partners"); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
	for _, path := range []string{"", "/preview", "/deliveries", "/results.csv", "/approve", "/cancel", "/correct"} {
		if got := h.get("/admin/editions/" + id.String() + path); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := h.get("/admin/editions/" + theirs.String()); got.status != http.StatusOK {
		t.Errorf("%d", got.status)
	}
	page, err := h.EditionPage(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	// A variant of another edition is not shown by way of one that is theirs.
	if got := h.get(fmt.Sprintf("/admin/editions/%s/preview/%d/light", theirs, page.Samples[0].Variant)); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
	for _, fields := range [][]string{{"do", "pause", "list", ""}, {"do", "pause", "list", "partners"}} {
		if got := h.send("/admin/editions/pauses", fields...); got.status != http.StatusForbidden && got.status != http.StatusNotFound {
			t.Errorf("%v: %d", fields, got.status)
		}
	}
	if got := h.send("/admin/editions/new", "list", "partners", "introduction", "Hello", "do", "make"); got.status != 422 {
		t.Errorf("%d", got.status)
	}
}

// What is made by hand, and corrected, waits for approval.
func TestMadeByHandAndCorrected(t *testing.T) {
	t.Parallel()
	h, _ := newsroom(t)
	h.as(editor())
	looked := h.send("/admin/editions/new", "list", "partners", "do", "find", "find", "SEATS", "article", "robots-pass-the-water-on", "when", "once")
	if looked.status != 200 || looked.Find("input[name=article]").Length() != 2 || looked.Find("input[name=article][checked]").Length() != 1 {
		t.Errorf("%d: %s", looked.status, looked.text("main"))
	}
	if got := h.send("/admin/editions/new", "list", "partners", "do", "make"); got.status != 422 || !strings.Contains(got.text(".mistakes"), "choose articles, or write an introduction") {
		t.Errorf("%d: %s", got.status, got.text(".mistakes"))
	}
	if got := h.send("/admin/editions/new", "list", "partners", "do", "make", "introduction", "x", "audience", "country is IT"); got.status != 422 || got.text(".mistake") == "" {
		t.Errorf("%d: %s", got.status, got.text("main"))
	}
	made := h.send("/admin/editions/new", "list", "partners", "do", "make", "introduction", "The office is closed.", "subject", markup, "audience", "language = it", "when", "once")
	if made.status != http.StatusSeeOther {
		t.Fatalf("%d: %s", made.status, made.text("main"))
	}
	path, _, _ := strings.Cut(made.location, "?")
	got := h.get(path)
	if facts := got.text("#facts ~ .facts"); !strings.Contains(facts, "Made by hand") || !strings.Contains(facts, "Recipients1") || !strings.Contains(facts, "language = it") {
		t.Errorf("%s", facts)
	}
	if got.Find("main script, main img").Length() > 0 || !strings.Contains(got.text("#words ~ table"), markup) || !strings.Contains(got.text("#words ~ table"), "Italian as in English as in English") {
		t.Errorf("%s", got.text("#words ~ table"))
	}
	h.as(approver())
	h.work()
	h.let(path, "approve")
	testkit.Eventually(t, patience, "it is sent", func() bool { return h.state(uuid.MustParse(filepath.Base(path))) == edition.Sent })
	h.as(editor())
	corrected := h.send(path+"/correct", "introduction", "It is open.")
	if corrected.status != http.StatusSeeOther {
		t.Fatalf("%d: %s", corrected.status, corrected.text("main"))
	}
	notice, _, _ := strings.Cut(corrected.location, "?")
	if got := h.get(notice); !strings.Contains(got.text("#facts ~ .facts"), "Correction") || got.text(".badge.needs-you") == "" {
		t.Errorf("%s", got.text("main"))
	}
	if got := h.send(path+"/correct", "introduction", ""); got.status != 422 || !strings.Contains(got.text(".mistakes"), "what was wrong") {
		t.Errorf("%d %s", got.status, got.text(".mistakes"))
	}
}

// An audience is chosen by its name, with how many it is as counted last, and narrowed further; its page leads to the form.
func TestWrittenToAnAudience(t *testing.T) {
	t.Parallel()
	h, _ := newsroom(t)
	h.send("/admin/audiences", "filter", "language = en", "name", "English <b>readers")
	now := h.Clock.Now()
	if err := subscribers.RecountAudience(t.Context(), h.DB, now, now); err != nil {
		t.Fatal(err)
	}
	asked := h.get("/admin/audiences?filter=language+%3D+en")
	form := h.get(asked.Find("#found ~ .actions a").AttrOr("href", ""))
	if got := form.text("#people option[selected]"); got != "English <b>readers (2 contacts)" {
		t.Errorf("%q", got)
	}
	if got := h.get(h.get("/admin/audiences?filter=language+%3D+it").Find("#found ~ .actions a").AttrOr("href", "")); got.Find("#audience").AttrOr("value", "") != "language = it" {
		t.Errorf("%s", got.text("main"))
	}
	id, _ := form.Find("#people option[selected]").Attr("value")
	h.as(editor())
	made := h.send("/admin/editions/new", "list", "partners", "do", "make", "introduction", "The office is closed.", "people", id, "audience", "not organisation contains museum", "when", "once")
	path, _, _ := strings.Cut(made.location, "?")
	if facts := h.get(path).text("#facts ~ .facts"); made.status != http.StatusSeeOther || !strings.Contains(facts, "language = en and not organisation contains museum") || !strings.Contains(facts, "Recipients1") {
		t.Errorf("%d: %s", made.status, facts)
	}
	if got := h.send("/admin/editions/new", "list", "partners", "do", "make", "introduction", "x", "people", "4711"); got.status != 422 || got.text(".mistake") == "" {
		t.Errorf("%d: %s", got.status, got.text("main"))
	}
	// Who sees some lists alone is not told how many it is on all.
	h.as(accounts.Actor{Name: "account 5", Roles: []accounts.Role{accounts.Manager, accounts.Editor}, Lists: []int64{1}, Language: "en"})
	if got := h.get("/admin/editions/new").text("#people"); !strings.Contains(got, "English") || strings.Contains(got, "contacts") {
		t.Errorf("%q", got)
	}
}

// What is added to an edition of words alone asks what becomes of those who have it, and names them to those who may see people.
func TestNobodyIsLeftOutUnasked(t *testing.T) {
	t.Parallel()
	h, id := newsroom(t)
	h.as(approver())
	h.work()
	h.let("/admin/editions/"+id.String(), "approve")
	testkit.Eventually(t, patience, "it is sent", func() bool { return h.state(id) == edition.Sent })
	h.readers("partners", "new@example.org,New,en,")
	h.as(editor())
	made := h.send("/admin/editions/new", "list", "partners", "do", "make", "introduction", "We move.")
	page, _, _ := strings.Cut(made.location, "?")
	add := []string{"do", "add", "article", "robots-pass-the-water-on"}
	asked := h.send(page+"/contents", add...)
	if said := asked.text("main"); asked.status != 422 || !strings.Contains(said, "3 recipients were given this article already") || strings.Contains(said, "@") {
		t.Fatalf("%d: %s", asked.status, said)
	}
	h.as(everything())
	if said := h.send(page+"/contents", add...).text("main"); !strings.Contains(said, "anna@example.org") || strings.Contains(said, "new@") {
		t.Errorf("%s", said)
	}
	h.as(editor())
	if got := h.get(page).titles(); len(got) != 0 {
		t.Errorf("it was added unasked: %q", got)
	}
	if got := h.send(page+"/contents", append(add, "rest", "words")...); got.status != http.StatusSeeOther {
		t.Errorf("%d: %s", got.status, got.text("main"))
	}
	if facts := h.get(page).text("#facts ~ .facts"); !strings.Contains(facts, "Recipients4") || !strings.Contains(facts, "They get the words alone") {
		t.Errorf("%s", facts)
	}
}

// What foreign servers say is text, wherever it is shown.
func TestRepliesAreText(t *testing.T) {
	t.Parallel()
	h, id := newsroom(t)
	now := h.Clock.Now()
	for _, statement := range []string{
		`UPDATE mailer.deliveries SET state = 'failed', due_at = NULL, settled_at = $2, attempts = 1, code = 550, reply = $3, bounced_at = $2, bounce_kind = 'hard', bounce_diagnostic = $3 WHERE edition_id = $1`,
		`INSERT INTO mailer.attempts (edition_id, contact_id, number, at, outcome, phase, code, reply, sender_id)
		 SELECT edition_id, contact_id, 1, $2, 'failed', 'rcpt', 550, $3, gen_random_uuid() FROM mailer.deliveries WHERE edition_id = $1`,
	} {
		if _, err := h.DB.ExecContext(t.Context(), statement, id, now, markup); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.DB.ExecContext(t.Context(), `INSERT INTO mailer.destinations (name, paused_at, paused_until, times, kind, code, reply) VALUES ('example.org', $1, $2, 1, 'blocked', 550, $3)`,
		now, now.Add(time.Hour), markup); err != nil {
		t.Fatal(err)
	}
	page := "/admin/editions/" + id.String()
	for path, selector := range map[string]string{page: "#destinations ~ table", page + "/deliveries?state=failed": ".deliveries", page + "/deliveries?q=example.org": ".deliveries"} {
		got := h.get(path)
		if !strings.Contains(got.text(selector), markup) || got.Find("main script, main img").Length() > 0 {
			t.Errorf("%s: %s", path, got.text(selector))
		}
	}
	if got := h.get(page + "/deliveries?q=" + "%3Cscript%3Ealert(1)%3C/script%3E&state=" + "%22%3E%3Cimg%20src=x%3E"); got.Find("main script, main img").Length() > 0 {
		t.Error("what is looked for is markup")
	}
}
