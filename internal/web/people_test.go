package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
	"pgregory.net/rapid"

	"silkpost/internal/database"
	"silkpost/internal/token"
	"silkpost/subscribers"
)

// world is a site on which people, strangers and programs press what there is to press, and what must come of it.
type world struct {
	*reading
	t       *testing.T
	prefix  string
	people  []string
	wants   map[int64]bool     // subscriptions whose person has said that mail shall come, and has not said no since
	known   map[string][]int64 // subscriptions by address, of those who were not erased
	barred  map[string]bool    // addresses that an administrator suppressed
	against map[string]bool    // addresses that bounced or complained, until their person confirms something
	asked   []kept             // what was pressed, to be pressed again by somebody
	froms   int
}

// kept is a request as somebody may have seen and kept it.
type kept struct {
	path string
	form url.Values
}

// Whatever anybody writes into forms, whatever programs follow and press at once, whatever is forwarded, kept and pressed again: nobody becomes
// mailable who did not say so, and whoever says no is heard.
func TestNobodyIsMailedAgainstTheirWill(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	old, err := token.NewKeys("an older key of the tests")
	if err != nil {
		t.Fatal(err)
	}
	b.rekey(append(b.keys, old...)) // links of both keys are about
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		b.clock.Advance(48 * time.Hour)
		w := &world{
			reading: b, t: t, prefix: fmt.Sprintf("r%d-", runs), wants: map[int64]bool{}, known: map[string][]int64{}, barred: map[string]bool{}, against: map[string]bool{},
			people: []string{fmt.Sprintf("anna%d@museum.example", runs), fmt.Sprintf("bruno%d@museum.example", runs)},
		}
		for _, list := range []string{"double", "single"} {
			l := subscribers.NewList(w.prefix + list)
			l.OptIn = list
			if _, err := subscribers.DeclareList(t.Context(), b.db, l); err != nil {
				rt.Fatal(err)
			}
		}
		steps := []func(*rapid.T){w.form, w.form, w.person, w.person, w.person, w.mail, w.scanner, w.scanner, w.forward, w.replay, w.replay, w.oneClick, w.suppress, w.erase, w.time}
		for range rapid.IntRange(2, 20).Draw(rt, "steps") {
			steps[rapid.IntRange(0, len(steps)-1).Draw(rt, "step")](rt)
			w.check(rt)
		}
	})
}

// from returns the answer to a request from a network of its own: limits are tested elsewhere.
func (w *world) from(method, path string, form url.Values) seen {
	w.froms++
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = fmt.Sprintf("10.%d.%d.1:1", w.froms/250%250, w.froms%250)
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, r)
	return read(w.t, path, answer)
}

func (w *world) who(rt *rapid.T) string { return rapid.SampledFrom(w.people).Draw(rt, "who") }

// link returns one of the links in the mails of a subscription, of a new or an old key.
func (w *world) linkOf(rt *rapid.T) (id int64, path string, ok bool) {
	ids := w.known[w.who(rt)]
	if len(ids) == 0 {
		return 0, "", false
	}
	id = rapid.SampledFrom(ids).Draw(rt, "subscription")
	return id, w.link(rapid.SampledFrom([]string{"confirm", "preferences", "unsubscribe"}).Draw(rt, "page"), id), true
}

// unwelcome reports whether anything was ever said against mail to somebody.
func (w *world) unwelcome(email string) bool {
	return value[bool](w.t, w.db, `
		SELECT EXISTS (SELECT FROM subscribers.suppressions WHERE address_key = $1)
		    OR EXISTS (SELECT FROM subscribers.consents g JOIN subscribers.subscriptions s ON s.id = g.subscription_id JOIN subscribers.contacts c ON c.id = s.contact_id
		               WHERE c.email_key = $1 AND g.state = 'unsubscribed')`, email)
}

// form is anybody writing anybody's address into the form.
func (w *world) form(rt *rapid.T) {
	email := w.who(rt)
	lists := rapid.SampledFrom([][]string{{"double"}, {"single"}, {"double", "single"}, {"single", "double"}}).Draw(rt, "lists")
	erased := value[bool](w.t, w.db, `SELECT count(*) > 0 FROM subscribers.suppressions WHERE reason = 'erased' AND origin = $1`, email) || w.barred["erased "+email]
	unwelcome := w.unwelcome(email) || erased
	form := url.Values{"email": {strings.ToUpper(email)}}
	for _, more := range lists[1:] {
		form.Add("list", w.prefix+more)
	}
	path := "/s/" + w.prefix + lists[0]
	w.asked = append(w.asked, kept{path, form})
	counted := w.count(email)
	if answer := w.from(http.MethodPost, path, form); answer.Code != http.StatusOK {
		rt.Fatalf("the form: %d", answer.Code)
	}
	if counted >= 5 {
		return // too often for a day
	}
	for _, list := range lists {
		id := w.subscriptionOf(w.t, email, w.prefix+list)
		if !slices.Contains(w.known[email], id) {
			w.known[email] = append(w.known[email], id)
		}
		if list == "single" && !unwelcome && w.state(w.t, id) == "active" {
			w.wants[id] = true
		}
	}
}

// count is how many forms were counted for an address today.
func (w *world) count(email string) (n int) {
	for _, k := range w.asked[:len(w.asked)-1] {
		if strings.HasPrefix(k.path, "/s/") && strings.EqualFold(k.form.Get("email"), email) {
			n++
		}
	}
	return n
}

// person does something on a page, and presses once more when they are asked.
func (w *world) person(rt *rapid.T) {
	id, path, ok := w.linkOf(rt)
	if !ok {
		return
	}
	page := w.from(http.MethodGet, path, nil)
	buttons := slices.DeleteFunc(page.buttons(), func(do string) bool { return do == "ask" })
	if len(buttons) == 0 {
		return
	}
	do := rapid.SampledFrom(buttons).Draw(rt, "button")
	form, _ := page.form(do)
	choice := ""
	if do == "save" {
		choice = rapid.SampledFrom([]string{"stay", "leave", "pause", "back", "return", "confirm"}).Draw(rt, "choice")
		form.Set(field("state", id), choice)
		form.Set(field("pause", id), "open")
	}
	before := w.state(w.t, id)
	mine := w.open(id)
	after := w.insistOn(rt, path, form)
	w.said(id, do, choice, before, mine)
	if do == "leave" || do == "leave-all" || choice == "leave" {
		if w.state(w.t, id) != "unsubscribed" {
			rt.Fatalf("%s: they said no, and it is %s", do, w.state(w.t, id))
		}
	}
	if undo := slices.Contains(after.buttons(), "undo"); undo && rapid.Bool().Draw(rt, "undo") {
		back, _ := after.form("undo")
		w.insistOn(rt, path, back)
		for other, wanted := range mine {
			if do == "leave-all" || other == id {
				w.wants[other] = wanted
			}
		}
	}
}

// open returns the subscriptions of a subscription's person, and which of them mail shall come of.
func (w *world) open(id int64) map[int64]bool {
	mine := map[int64]bool{}
	for _, ids := range w.known {
		if slices.Contains(ids, id) {
			for _, other := range ids {
				mine[other] = w.wants[other]
			}
		}
	}
	return mine
}

func (w *world) insistOn(rt *rapid.T, path string, form url.Values) seen {
	w.asked = append(w.asked, kept{path, form})
	after := w.from(http.MethodPost, path, form)
	if after.h1() == again {
		form, _ = after.form("")
		w.asked = append(w.asked, kept{path, form})
		after = w.from(http.MethodPost, path, form)
	}
	if after.h1() == again || after.Code != http.StatusOK {
		rt.Fatalf("%s %v: %d %q: refused", path, form, after.Code, after.h1())
	}
	return after
}

// said notes what a person said.
func (w *world) said(id int64, do, choice, before string, mine map[int64]bool) {
	if do == "confirm" || do == "together" {
		for email, ids := range w.known {
			w.against[email] = w.against[email] && !slices.Contains(ids, id)
		}
	}
	switch {
	case do == "leave-all":
		for other := range mine {
			w.wants[other] = false
		}
	case do == "leave" || choice == "leave":
		w.wants[id] = false
	case do == "confirm":
		w.wants[id] = true
	case do == "together":
		for other := range mine {
			w.wants[other] = w.wants[other] || w.state(w.t, other) == "active"
		}
		w.wants[id] = true
	case choice == "pause" && before == "active":
		w.wants[id] = false
	case choice == "back" && before == "paused":
		w.wants[id] = true
	}
}

// mail is delivered to somebody.
func (w *world) mail(rt *rapid.T) {
	if id, _, ok := w.linkOf(rt); ok {
		w.delivered(w.t, id)
	}
}

// scanner is a program that looks at a mail that has just come: it follows each link and presses each button, at once.
func (w *world) scanner(rt *rapid.T) {
	id, _, ok := w.linkOf(rt)
	if !ok {
		return
	}
	w.delivered(w.t, id)
	w.clock.Advance(time.Duration(rapid.IntRange(0, 170).Draw(rt, "seconds")) * time.Second)
	before := w.everything()
	for _, page := range []string{"confirm", "preferences", "unsubscribe"} {
		path := w.link(page, id)
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w.from(method, path+"?do=confirm&do=return&state-1=leave", nil)
		}
		shown := w.from(http.MethodGet, path, nil)
		for _, do := range shown.buttons() {
			form, _ := shown.form(do)
			if do == "ask" {
				form.Set("address", "program@spam.example")
			}
			w.from(http.MethodPost, path, form)
		}
	}
	if diff := cmp.Diff(before, w.everything()); diff != "" {
		rt.Fatalf("a program changed something (-before +after):\n%s", diff)
	}
}

// forward is somebody who got a digest from a friend and looks where its links lead.
func (w *world) forward(rt *rapid.T) {
	_, path, ok := w.linkOf(rt)
	if !ok {
		return
	}
	before := w.everything()
	shown := w.from(http.MethodGet, path+"?lang="+rapid.SampledFrom([]string{"it", "ar", "xx", ""}).Draw(rt, "lang"), nil)
	if body := shown.Body.String(); strings.Contains(body, w.people[0]) || strings.Contains(body, w.people[1]) {
		rt.Fatalf("the page shows an address:\n%s", body)
	}
	if diff := cmp.Diff(before, w.everything()); diff != "" {
		rt.Fatalf("looking changed something (-before +after):\n%s", diff)
	}
}

// replay is somebody who presses again what was pressed before.
func (w *world) replay(rt *rapid.T) {
	if len(w.asked) == 0 {
		return
	}
	k := rapid.SampledFrom(w.asked).Draw(rt, "what")
	if strings.HasPrefix(k.path, "/s/") {
		return // anybody may fill in a form: see there
	}
	before := w.everything()
	w.from(http.MethodPost, k.path, k.form)
	if diff := cmp.Diff(before, w.everything()); diff != "" {
		rt.Fatalf("what was pressed before changed something (-before +after):\n%s", diff)
	}
}

// oneClick is a person's mail program.
func (w *world) oneClick(rt *rapid.T) {
	id, _, ok := w.linkOf(rt)
	if !ok {
		return
	}
	answer := w.from(http.MethodPost, w.link("unsubscribe", id), url.Values{"List-Unsubscribe": {"One-Click"}})
	if answer.Code != http.StatusOK || w.state(w.t, id) != "unsubscribed" {
		rt.Fatalf("one click: %d, %s", answer.Code, w.state(w.t, id))
	}
	w.wants[id] = false
}

func (w *world) suppress(rt *rapid.T) {
	email := w.who(rt)
	reason := rapid.SampledFrom([]subscribers.Reason{subscribers.HardBounce, subscribers.Complaint, subscribers.Manual}).Draw(rt, "reason")
	if _, err := subscribers.Suppress(w.t.Context(), w.db, email, reason, "", w.clock.Now()); err != nil {
		rt.Fatal(err)
	}
	if reason == subscribers.Manual {
		w.barred[email] = true
		return
	}
	w.against[email] = true
}

func (w *world) erase(rt *rapid.T) {
	email := w.who(rt)
	if len(w.known[email]) == 0 || rapid.IntRange(0, 2).Draw(rt, "seldom") > 0 {
		return
	}
	contact := value[int64](w.t, w.db, `SELECT contact_id FROM subscribers.subscriptions WHERE id = $1`, w.known[email][0])
	if err := database.Transact(w.t.Context(), w.db, func(tx *sqlx.Tx) error {
		return subscribers.Erase(w.t.Context(), tx, contact, w.clock.Now(), "1")
	}); err != nil {
		rt.Fatal(err)
	}
	for _, id := range w.known[email] {
		w.wants[id] = false
	}
	w.barred["erased "+email], w.barred[email], w.against[email] = true, false, false
	delete(w.known, email)
}

func (w *world) time(rt *rapid.T) {
	w.clock.Advance(time.Duration(rapid.IntRange(1, 400).Draw(rt, "minutes")) * time.Minute / 60)
}

// everything is what pages can change of those of this run.
func (w *world) everything() []string {
	return rows(w.t, w.db, `
		SELECT concat_ws('|', s.id, s.state, s.rhythm, s.topics, s.paused_until, s.catch_up, s.activation, c.email, c.languages, c.time_zone, c.delivery_hour,
		       (SELECT count(*) FROM subscribers.consents g WHERE g.subscription_id = s.id),
		       (SELECT count(*) FROM subscribers.suppressions x WHERE x.address_key = c.email_key AND x.lifted_at IS NULL))
		FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id JOIN subscribers.lists l ON l.id = s.list_id
		WHERE l.slug LIKE $1 || '%' ORDER BY s.id`, w.prefix)
}

// check wants mail to come to those alone who said so.
func (w *world) check(rt *rapid.T) {
	want := []string{}
	for email, ids := range w.known {
		for _, id := range ids {
			if w.wants[id] && !w.barred[email] && !w.against[email] {
				want = append(want, fmt.Sprint(id))
			}
		}
	}
	got := rows(w.t, w.db, `SELECT m.subscription_id::text FROM subscribers.mailable m JOIN subscribers.lists l ON l.id = m.list_id WHERE l.slug LIKE $1 || '%'`, w.prefix)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		rt.Fatalf("mailable (-said so +database):\n%s\n%s", diff, strings.Join(w.everything(), "\n"))
	}
}
