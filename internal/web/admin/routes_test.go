package admin

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/app/apptest"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/templates/adminpage"
)

// world is two lists with a record of each kind of each of them, and everybody who might ask for it.
type world struct {
	*site
	lists   map[string]int64             // by slug: ours and theirs
	records map[string]map[string]string // by list: what stands in addresses, by pattern's prefix
}

// worldFile has two of everything that belongs to a list.
const worldFile = `
[[source]]
slug = "site"
kind = "feed"
url = "https://www.example.org/feed.xml"
[[feed]]
slug = "robotics"
title = { en = "Robotics" }
[[theme]]
slug = "blue"
[[list]]
slug = "ours"
name = { en = "Ours" }
sender = { name = "Example Association", address = "news@example.org" }
postal_address = "1 Example Street, 00000 Exampletown"
[[list]]
slug = "theirs"
name = { en = "Theirs" }
sender = { name = "Example Association", address = "news@example.org" }
postal_address = "1 Example Street, 00000 Exampletown"
`

func newWorld(t testing.TB) *world {
	t.Helper()
	a := apptest.Open(t, apptest.Settings(t, nil), app.Options{})
	if _, err := a.Apply(t.Context(), strings.NewReader(worldFile), "test.toml", false); err != nil {
		t.Fatal(err)
	}
	pages, err := adminpage.New()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{site: &site{Config: Config{App: a}, pages: pages, log: slog.New(slog.DiscardHandler)}, lists: map[string]int64{}, records: map[string]map[string]string{}}
	for _, slug := range []string{"ours", "theirs"} {
		w.furnish(t, slug)
	}
	return w
}

// furnish makes a record of each kind for a list.
func (w *world) furnish(t testing.TB, slug string) {
	t.Helper()
	var id int64
	if err := w.App.DB.Get(&id, `SELECT id FROM subscribers.lists WHERE slug = $1`, slug); err != nil {
		t.Fatal(err)
	}
	w.lists[slug] = id
	var edition string
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	if err := w.App.DB.Get(&edition, `
		INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, created_at)
		VALUES (gen_random_uuid(), $1, 'weekly', '2026-11-24', 'hand', 'review', $2, $2) RETURNING id`, id, at); err != nil {
		t.Fatal(err)
	}
	contact, _, _, err := w.App.AddContact(t.Context(), "account 1", app.NewContact{Email: slug + "@example.org", Organisation: "Partner of " + slug, List: slug, Consent: "Agreed"})
	if err != nil {
		t.Fatal(err)
	}
	w.records[slug] = map[string]string{
		"/admin/sources/": "site", "/admin/feeds/": "robotics", "/admin/themes/": "blue", "/admin/organisations/": w.organisation(t, contact), "/admin/articles/": w.article(t),
		"/admin/lists/": slug, "/admin/editions/": edition, "/admin/contacts/": fmt.Sprint(contact), "/admin/private-feeds/": w.privateFeed(t, id, at),
	}
}

// organisation returns the id of one that a contact belongs to.
func (w *world) organisation(t testing.TB, contact int64) (id string) {
	t.Helper()
	if err := w.App.DB.Get(&id, `SELECT organisation_id FROM subscribers.memberships WHERE contact_id = $1`, contact); err != nil {
		t.Fatal(err)
	}
	return id
}

// article returns the slug of one.
func (w *world) article(t testing.TB) (slug string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "robots.md"), []byte("---\ntitle: Robots\ntags: [robotics]\ndate: 2026-11-20\n---\nText.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.App.ImportArticles(t.Context(), app.ArticleImport{Paths: []string{dir}}); err != nil {
		t.Fatal(err)
	}
	if err := w.App.DB.Get(&slug, `SELECT slug FROM articles.articles`); err != nil {
		t.Fatal(err)
	}
	return slug
}

// privateFeed makes a private feed of a list and returns its id.
func (w *world) privateFeed(t testing.TB, list int64, at time.Time) string {
	t.Helper()
	made, _, err := w.App.Feeds.MakePrivate(t.Context(), w.App.DB, 1, list, at)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(made.ID, 10)
}

// address fills a pattern's places with what is there: records of a list where they belong to one, anything else where they do not.
func (w *world) address(path, list string) string {
	for prefix, record := range w.records[list] {
		if rest, ok := strings.CutPrefix(path, prefix); ok && strings.HasPrefix(rest, "{") {
			_, after, _ := strings.Cut(rest, "}")
			path = prefix + record + after
		}
	}
	path = strings.NewReplacer("{list}", list, "{edition}", w.records[list]["/admin/editions/"], "{$}", "").Replace(path)
	for strings.Contains(path, "{") {
		before, rest, _ := strings.Cut(path, "{")
		_, after, _ := strings.Cut(rest, "}")
		path = before + "1" + after
	}
	return path
}

// asked returns how a route answers an actor: its handler and its form are left out, only who may come that far is asked.
func (w *world) asked(r route, actor *accounts.Actor, list string) int {
	r.do, r.form = func(*visit) (adminpage.Page, error) { return adminpage.Message{Status: http.StatusOK}, nil }, nil
	w.Who = func(*http.Request) (accounts.Actor, error) {
		if actor == nil {
			return accounts.Actor{}, errs.New(errs.NotFound, "nobody")
		}
		return *actor, nil
	}
	mux := http.NewServeMux()
	mux.Handle(r.pattern, w.serve(r))
	method, path, _ := strings.Cut(r.pattern, " ")
	answered := httptest.NewRecorder()
	mux.ServeHTTP(answered, httptest.NewRequest(method, w.address(path, list), nil))
	return answered.Code
}

// by returns somebody of one role, whose password was just given.
func (w *world) by(role accounts.Role, lists ...int64) *accounts.Actor {
	return &accounts.Actor{Account: 7, Name: "account 7", Email: "somebody@example.org", Roles: []accounts.Role{role}, Lists: lists, Proved: w.App.Clock.Now()}
}

// open are the addresses that somebody who is not signed in may ask for.
var open = []string{"/admin/sign-in", "/admin/sign-in/code", "/admin/link/{secret}"}

func isOpen(pattern string) bool {
	_, path, _ := strings.Cut(pattern, " ")
	return slices.Contains(open, path)
}

// The whole table of who may do what, as it is answered; docs/authorisation.md shows it to administrators, and every change of it to who
// reviews. Whoever is not signed in gets nothing; a manager of one list gets nothing of another one.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var table bytes.Buffer
	fmt.Fprint(&table, authorisation)
	routes := w.routes()
	slices.SortFunc(routes, func(a, b route) int {
		_, one, _ := strings.Cut(a.pattern, " ")
		_, other, _ := strings.Cut(b.pattern, " ")
		return strings.Compare(one+a.pattern, other+b.pattern)
	})
	for _, r := range routes {
		if got := w.asked(r, nil, "ours"); got != http.StatusSeeOther && got != http.StatusForbidden && !isOpen(r.pattern) {
			t.Errorf("%s answers %d to nobody in particular", r.pattern, got)
		}
		fmt.Fprintf(&table, "| `%s` |", r.pattern)
		for _, role := range accounts.Roles {
			fmt.Fprintf(&table, " %s |", w.verdict(t, r, role))
		}
		fmt.Fprintln(&table)
	}
	testkit.Golden(t, "../../../docs/authorisation.md", table.Bytes())
}

// verdict returns what stands in the table for a role.
func (w *world) verdict(t testing.TB, r route, role accounts.Role) string {
	t.Helper()
	got := w.asked(r, w.by(role), "ours")
	if got == http.StatusForbidden {
		return ""
	}
	if got != http.StatusOK {
		t.Errorf("%s answers %d to the role %s", r.pattern, got, role)
	}
	stale := w.by(role)
	stale.Proved = time.Time{}
	if again := w.asked(r, stale, "ours"); r.proved != (again == http.StatusSeeOther) {
		t.Errorf("%s answers %d to the role %s whose password was given long ago", r.pattern, again, role)
	}
	confined := w.by(role, w.lists["ours"])
	if r.whole {
		if got := w.asked(r, confined, "ours"); got != http.StatusNotFound {
			t.Errorf("%s answers %d to who is confined to a list", r.pattern, got)
		}
		return "all lists" + map[bool]string{true: ", after the password"}[r.proved]
	}
	if r.of == nil {
		return "yes" + map[bool]string{true: ", after the password"}[r.proved]
	}
	if got := w.asked(r, confined, "ours"); got != http.StatusOK {
		t.Errorf("%s answers %d to who has that very list", r.pattern, got)
	}
	if got := w.asked(r, confined, "theirs"); got != http.StatusNotFound {
		t.Errorf("%s answers %d to who has another list", r.pattern, got)
	}
	return "own lists" + map[bool]string{true: ", after the password"}[r.proved]
}

// authorisation is what stands before the table.
const authorisation = `# Who may do what

Every address of the administrators' pages with the roles that it answers. TestWhoMayDoWhat asks each as each role and keeps this table. An account may have
several roles, and may what any of them may. *Own lists*: an account that is confined to some lists finds nothing there of any other (404); one that is not may
reach all. *All lists*: only who is confined to none finds anything there. Where nothing says so, a page itself shows to who is confined only what is of their lists. *After the password*: it is asked for again when it was last given more than a
quarter of an hour ago. Who is not signed in is led to the page where one does that.

| address | owner | editor | approver | manager | reader |
|---|---|---|---|---|---|
`

// buttons are the forms that have nothing to fill in: sending one is all that there is to say.
var buttons = []string{
	"/admin/sources/{slug}/pause", "/admin/sources/{slug}/resume", "/admin/sources/{slug}/remove", "/admin/articles/{slug}/withdraw", "/admin/articles/{slug}/restore",
	"/admin/feeds/{slug}/remove", "/admin/private-feeds/{id}/revoke", "/admin/organisations/{id}/remove", "/admin/contacts/{id}/erase", "/admin/lists/{slug}/pause",
	"/admin/lists/{slug}/resume", "/admin/editions/{id}/pause", "/admin/themes/{slug}/remove", "/admin/destinations/{name}/pause", "/admin/destinations/{name}/resume",
}

// A form of which nothing arrived changes nothing: what is missing is not what somebody emptied.
func TestAnEmptyFormChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.by(accounts.Owner)
	owner.Roles = accounts.Roles
	w.Who = func(*http.Request) (accounts.Actor, error) { return *owner, nil }
	var last int64
	for _, r := range w.routes() {
		method, path, _ := strings.Cut(r.pattern, " ")
		if method != http.MethodPost || isOpen(r.pattern) || slices.Contains(buttons, path) {
			continue
		}
		mux := http.NewServeMux()
		mux.Handle(r.pattern, w.serve(r))
		ask := httptest.NewRequest(method, w.address(path, "ours"), nil)
		ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answered := httptest.NewRecorder()
		mux.ServeHTTP(answered, ask)
		var said []string
		if err := w.App.DB.Select(&said, `SELECT thing || ' ' || what FROM accounts.log WHERE seq > $1 AND actor = $2`, last, owner.Name); err != nil {
			t.Fatal(err)
		}
		if err := w.App.DB.Get(&last, `SELECT coalesce(max(seq), 0) FROM accounts.log`); err != nil {
			t.Fatal(err)
		}
		if len(said) > 0 {
			t.Errorf("%s answers %d to an empty form and has %q", r.pattern, answered.Code, said)
		}
	}
}

// Who is confined to a list and puts somebody of another one on it changes nothing of what is known of them.
func TestAddingChangesNobodyOfAnotherList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, _, _, err := w.App.AddContact(t.Context(), "account 1", app.NewContact{Email: "theirs@example.org", Name: "Their name", List: "theirs", Consent: "Agreed"}); err != nil {
		t.Fatal(err)
	}
	w.Who = func(*http.Request) (accounts.Actor, error) { return *w.by(accounts.Manager, w.lists["ours"]), nil }
	add := httptest.NewRequest(http.MethodPost, "/admin/contacts/new", strings.NewReader("email=theirs@example.org&name=Another&languages=fr&list=ours&consent=Agreed"))
	add.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answered := httptest.NewRecorder()
	w.serve(route{pattern: "POST /admin/contacts/new", needs: accounts.People, do: w.addContact}).ServeHTTP(answered, add)
	var name string
	if err := w.App.DB.Get(&name, `SELECT name FROM subscribers.contacts WHERE email = 'theirs@example.org'`); err != nil || name != "Their name" {
		t.Errorf("%d, the name is %q: %v", answered.Code, name, err)
	}
	var on int
	if err := w.App.DB.Get(&on, `SELECT count(*) FROM subscribers.subscriptions WHERE list_id = $1`, w.lists["ours"]); err != nil || on != 2 {
		t.Errorf("%d are on the list: %v", on, err)
	}
}
