package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/token"
	"silkpost/mailer/compose"
	"silkpost/subscribers"
)

// waiting subscribes somebody by the form and returns the subscription that waits.
func (b *reading) waiting(t testing.TB, email, list string, fill ...string) int64 {
	t.Helper()
	b.joins(t, list, email, fill...)
	return b.subscriptionOf(t, email, list)
}

// Looking changes nothing; the button begins the subscription, once, in the words that it has; the link works for years, and after leaving asks
// again.
func TestConfirming(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	id := b.waiting(t, "anna@museum.example", "partners", "rhythm", "daily", "topic", "robotics")
	link := b.link("confirm", id)
	for range 2 {
		page := b.open(t, link)
		body := page.Body.String()
		if page.h1() != "Confirm your subscription to News for our partners" || !strings.Contains(body, "a••••@museum.example") || strings.Contains(body, "anna@") ||
			!strings.Contains(body, "Once a day") || !strings.Contains(body, "robotics") {
			t.Errorf("the page:\n%s", body)
		}
		if h := page.Header(); h.Get("Cache-Control") != "no-store" || h.Get("X-Robots-Tag") != "noindex" {
			t.Errorf("headers %v", h)
		}
	}
	if b.get(link + "?do=confirm"); b.state(t, id) != "pending" {
		t.Fatal("looking at the page confirmed it")
	}
	page := b.open(t, link+"?lang=it")
	for range 3 { // a second and a third press change nothing
		after := b.press(t, page, "confirm")
		if after.h1() != "✓ L’iscrizione è attiva" || b.state(t, id) != "active" {
			t.Fatalf("%d %q, %s", after.Code, after.h1(), b.state(t, id))
		}
		b.clock.Advance(time.Hour)
	}
	b.clock.Advance(5 * 365 * 24 * time.Hour)
	if later := b.open(t, link); later.h1() != "✓ You are subscribed" || len(later.buttons()) > 0 {
		t.Errorf("years later: %q %q", later.h1(), later.buttons())
	}
	want := []string{
		"pending|form|Subscribe: News for our partners|/s/{list}|192.0.2.0/24",
		"active|confirmation|Conferma l’iscrizione a Notizie per i partner|/confirm/{token}|192.0.2.0/24",
	}
	if log := b.logged(t, id); !slices.Equal(log, want) {
		t.Errorf("the log says %q", log)
	}
	b.ask(http.MethodPost, b.link("unsubscribe", id), "List-Unsubscribe=One-Click")
	again := b.open(t, link)
	if again.h1() != "Confirm your subscription to News for our partners" || b.state(t, id) != "unsubscribed" {
		t.Errorf("after leaving: %q, %s", again.h1(), b.state(t, id))
	}
	if b.insist(t, again, "confirm"); b.state(t, id) != "active" {
		t.Errorf("after coming back: %s", b.state(t, id))
	}
}

// A page from before a change, a press without a page, and a press right after the mail came, are asked about once more, and never refused.
func TestOnePressMore(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	id := b.waiting(t, "anna@museum.example", "partners")
	link := b.link("confirm", id)
	old := b.open(t, link)
	stale := func(why string, on seen, do string, wantAsked bool) seen {
		t.Helper()
		before := b.logged(t, id)
		after := b.press(t, on, do)
		asked := after.h1() == again
		if asked != wantAsked || after.Code != http.StatusOK {
			t.Fatalf("%s: %d %q", why, after.Code, after.h1())
		}
		if asked && !slices.Equal(before, b.logged(t, id)) {
			t.Fatalf("%s: asked, but done", why)
		}
		return after
	}
	b.delivered(t, id)
	b.clock.Advance(2*time.Minute + 59*time.Second)
	after := stale("right after the mail came", b.open(t, link), "confirm", true)
	stale("once more", after, "", false)
	stale("the same again", after, "", false) // confirmed already
	b.ask(http.MethodPost, b.link("unsubscribe", id), "List-Unsubscribe=One-Click")
	stale("a press from before", after, "", true)
	b.wait()
	stale("a page from before", old, "confirm", true)
	stale("a page of another button", b.open(t, b.link("unsubscribe", id)), "return", false)
	b.ask(http.MethodPost, b.link("unsubscribe", id), "List-Unsubscribe=One-Click")
	tired := b.open(t, link)
	b.clock.Advance(24*time.Hour + time.Second)
	stale("a page left open for a day", tired, "confirm", true)

	other := b.waiting(t, "bruno@museum.example", "partners")
	for name, nonce := range map[string]string{
		"none": "", "another's": b.open(t, b.link("confirm", other)).control("confirm", "nonce"), "another page's": b.open(t, b.link("unsubscribe", id)).control("return", "nonce"),
		"made up": b.keys.SignWith("press on confirm", id, "a b c"),
	} {
		got := b.post(t, link, url.Values{"do": {"confirm"}, "nonce": {nonce}})
		if got.h1() != again || b.state(t, id) != "unsubscribed" {
			t.Errorf("the nonce is %s: %d %q, %s", name, got.Code, got.h1(), b.state(t, id))
		}
	}
	if got := b.post(t, link, url.Values{"do": {"dance"}}); got.Code != http.StatusBadRequest {
		t.Errorf("no button of the page: %d", got.Code)
	}
}

// What was asked for in one form is confirmed together, as far as it is ticked.
func TestConfirmingTogether(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	form, _ := b.open(t, "/s/partners").form("")
	form["email"], form["list"] = []string{"anna@museum.example"}, []string{"events"}
	b.post(t, "/s/partners", form)
	partners, events := b.subscriptionOf(t, "anna@museum.example", "partners"), b.subscriptionOf(t, "anna@museum.example", "events")
	page := b.open(t, b.link("confirm", partners))
	fields, ok := page.form("together")
	if !ok || page.h1() != "Confirm your subscriptions" || len(fields["list"]) != 2 {
		t.Fatalf("%q %v", page.h1(), fields)
	}
	both := fields["list"]
	fields.Del("list")
	if none := b.post(t, page.path, fields); none.h1() != "Confirm your subscriptions" || b.state(t, partners)+b.state(t, events) != "pendingpending" {
		t.Errorf("none ticked: %q", none.h1())
	}
	fields["list"] = []string{both[0], "999"}
	if one := b.post(t, page.path, fields); one.h1() != "✓ You are subscribed" || b.state(t, partners)+b.state(t, events) != "pendingactive" && b.state(t, partners)+b.state(t, events) != "activepending" {
		t.Errorf("one ticked: %q %s %s", one.h1(), b.state(t, partners), b.state(t, events))
	}
	left := events
	if b.state(t, events) == "active" {
		left = partners
	}
	if alone := b.open(t, b.link("confirm", left)); !slices.Contains(alone.buttons(), "confirm") {
		t.Errorf("the other one: %q", alone.buttons())
	}
	form["email"] = []string{"bruno@museum.example"}
	b.post(t, "/s/partners", form)
	partners, events = b.subscriptionOf(t, "bruno@museum.example", "partners"), b.subscriptionOf(t, "bruno@museum.example", "events")
	if done := b.press(t, b.open(t, b.link("confirm", events)), "together"); b.state(t, partners)+b.state(t, events) != "activeactive" || !strings.Contains(done.Body.String(), "Events") {
		t.Errorf("both ticked: %s %s\n%s", b.state(t, partners), b.state(t, events), done.Body)
	}
	if log := b.logged(t, events); log[1] != "active|confirmation|Confirm the subscriptions: Events|/confirm/{token}|192.0.2.0/24" {
		t.Errorf("the log says %q", log)
	}
}

// What a form asked for of a list that is not public any more nobody confirms, neither here nor there; who was let in stays.
func TestAListThatWasClosed(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	form, _ := b.open(t, "/s/partners").form("")
	form["email"], form["list"] = []string{"anna@museum.example"}, []string{"events"}
	b.post(t, "/s/partners", form)
	partners, events := b.subscriptionOf(t, "anna@museum.example", "partners"), b.subscriptionOf(t, "anna@museum.example", "events")
	member := b.subscribed(t, "bruno@museum.example", "events")[0]
	b.ask(http.MethodPost, b.link("unsubscribe", member), "List-Unsubscribe=One-Click")
	closed := b.open(t, b.link("confirm", events))
	list, err := subscribers.ListBySlug(t.Context(), b.db, "events")
	if err != nil {
		t.Fatal(err)
	}
	list.Public = false
	if _, err := subscribers.DeclareList(t.Context(), b.db, list); err != nil {
		t.Fatal(err)
	}
	fields, _ := closed.form("together")
	preferences, _ := b.open(t, b.link("preferences", events)).form("save")
	preferences.Set(field("state", events), "confirm")
	for name, got := range map[string]seen{
		"the page": b.open(t, b.link("confirm", events)), "the preferences": b.post(t, b.link("preferences", events), preferences),
	} {
		if got.Code != http.StatusGone {
			t.Errorf("%s: %d %q", name, got.Code, got.h1())
		}
	}
	if both := b.post(t, closed.path, fields); b.state(t, events) != "pending" {
		t.Errorf("a page from before: %d %q, %s", both.Code, both.h1(), b.state(t, events))
	}
	if got := b.press(t, b.open(t, b.link("confirm", partners)), "confirm"); got.Code != http.StatusOK || b.state(t, partners) != "active" || b.state(t, events) != "pending" {
		t.Errorf("the other list: %d %q, %s", got.Code, got.h1(), b.state(t, partners))
	}
	if b.insist(t, b.open(t, b.link("confirm", member)), "confirm"); b.state(t, member) != "active" {
		t.Errorf("a member who comes back is %s", b.state(t, member))
	}
}

// A complaint is taken back by its person alone, also where the subscription never ended.
func TestConfirmingAfterAComplaint(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	id := b.subscribed(t, "anna@museum.example", "partners")[0]
	if _, err := subscribers.Suppress(t.Context(), b.db, "anna@museum.example", subscribers.Complaint, "", now); err != nil {
		t.Fatal(err)
	}
	b.press(t, b.open(t, b.link("confirm", id)), "confirm")
	if n := value[int](t, b.db, `SELECT count(*) FROM subscribers.mailable`); n != 1 {
		t.Error("they still cannot be mailed")
	}
}

// Links in mails already sent work after the secret key was changed, as long as the old one is kept; and nobody makes one without a key.
func TestLinksOutliveTheirKey(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	id := b.subscribed(t, "anna@museum.example", "partners")[0]
	sub, err := subscribers.SubscriptionByID(t.Context(), b.db, id)
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{
		b.link("confirm", id), b.link("preferences", id), b.link("unsubscribe", id), "/confirm/" + compose.ChangeToken(b.keys, compose.ChangePurpose, &sub.Contact, "b@museum.example"),
		"/confirm/" + compose.ChangeToken(b.keys, compose.ReleasePurpose, &sub.Contact, "b@museum.example"),
	}
	old := b.open(t, paths[2])
	rotated, err := token.NewKeys("another key of the tests alone", "a key of the tests alone")
	if err != nil {
		t.Fatal(err)
	}
	b.rekey(rotated)
	for _, path := range paths {
		if got := b.open(t, path); got.Code != http.StatusOK {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	if after := b.press(t, old, "leave"); after.h1() != "✓ You are unsubscribed" || b.state(t, id) != "unsubscribed" {
		t.Errorf("a page from before the change: %q", after.h1())
	}
	b.rekey(rotated[:1])
	for _, path := range paths {
		for _, got := range []seen{b.open(t, path), b.post(t, path, url.Values{"do": {"confirm"}, "List-Unsubscribe": {"One-Click"}})} {
			if got.Code != http.StatusNotFound {
				t.Errorf("%s without its key: %d", path, got.Code)
			}
		}
	}
}

// A link is good for its page alone, and for nobody who is not there.
func TestLinksAreBound(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	id := b.subscribed(t, "anna@museum.example", "partners")[0]
	for _, page := range []string{"confirm", "preferences", "unsubscribe"} {
		made := strings.TrimPrefix(b.link(page, id), "/"+page+"/")
		nobody := strings.TrimPrefix(b.link(page, 999), "/"+page+"/")
		for _, other := range []string{"confirm", "preferences", "unsubscribe"} {
			want := map[bool]int{true: http.StatusOK, false: http.StatusNotFound}[page == other]
			if got := b.open(t, "/"+other+"/"+made); got.Code != want {
				t.Errorf("the token of %s on %s: %d", page, other, got.Code)
			}
			if got := b.open(t, "/"+other+"/"+nobody); got.Code != http.StatusNotFound {
				t.Errorf("nobody's token of %s on %s: %d", page, other, got.Code)
			}
		}
	}
	contact := value[int64](t, b.db, `SELECT contact_id FROM subscribers.subscriptions`)
	if err := database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error { return subscribers.Erase(t.Context(), tx, contact, now, "1") }); err != nil {
		t.Fatal(err)
	}
	for page, want := range map[string]int{"confirm": http.StatusGone, "preferences": http.StatusGone, "unsubscribe": http.StatusOK} {
		got := b.open(t, b.link(page, id))
		if got.Code != want || len(got.buttons()) > 0 {
			t.Errorf("%s of somebody who was erased: %d %q", page, got.Code, got.buttons())
		}
	}
	if got := b.ask(http.MethodPost, b.link("unsubscribe", id), "List-Unsubscribe=One-Click"); got.Code != http.StatusOK {
		t.Errorf("one click for somebody who was erased: %d", got.Code)
	}
}

// Mail goes to a new address when the owner of the present one says so, by a link that was sent there, and then that of the new one.
func TestChangingTheAddress(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	id := b.subscribed(t, "anna@museum.example", "partners")[0]
	b.subscribed(t, "bruno@museum.example", "partners")
	ask := func(address string) (link string) {
		t.Helper()
		asked := len(b.changes)
		page := b.press(t, b.open(t, b.link("preferences", id)), "ask", "address", address)
		if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "A message is on its way to your present address") || len(b.changes) != asked+1 {
			t.Fatalf("%s: %d\n%s", address, page.Code, page.Body)
		}
		if len(b.moves) > 0 {
			t.Fatalf("whoever has a forwarded digest makes us write to %q", b.moves)
		}
		sub, err := subscribers.SubscriptionByID(t.Context(), b.db, id)
		if err != nil {
			t.Fatal(err)
		}
		release := b.open(t, "/confirm/"+compose.ChangeToken(b.keys, compose.ReleasePurpose, &sub.Contact, address))
		if body := release.Body.String(); release.h1() != "Send your mail to another address?" || strings.Contains(body, address) || strings.Contains(body, sub.Contact.Email) {
			t.Errorf("the page of the present address:\n%s", body)
		}
		b.delivered(t, id)
		if got := b.press(t, release, "release"); got.h1() != again || len(b.moves) > 0 {
			t.Errorf("right after the mail came: %q, %q", got.h1(), b.moves)
		}
		b.wait()
		if got := b.press(t, release, "release"); got.h1() != "Now confirm at the new address" || got.Code != http.StatusOK {
			t.Errorf("the present address agrees to %s: %d %q", address, got.Code, got.h1())
		}
		if len(b.moves) == 0 {
			return ""
		}
		b.moves = nil
		return "/confirm/" + compose.ChangeToken(b.keys, compose.ChangePurpose, &sub.Contact, address)
	}
	for whom, reason := range map[string]subscribers.Reason{"barred@centro.example": subscribers.Manual, "barred.example": subscribers.Manual, "rossi@centro.example": subscribers.HardBounce} {
		if _, err := subscribers.Suppress(t.Context(), b.db, whom, reason, "", now); err != nil {
			t.Fatal(err)
		}
	}
	for _, barred := range []string{"barred@centro.example", "x@barred.example"} {
		if ask(barred) != "" {
			t.Errorf("a mail went to %s", barred)
		}
	}
	first, taken, second := ask("Rossi@centro.example"), ask("bruno@museum.example"), ask("anna.rossi@centro.example")
	if wrong := b.press(t, b.open(t, b.link("preferences", id)), "ask", "address", "rossi at centro"); wrong.Code != http.StatusBadRequest || wrong.control("ask", "address") != "rossi at centro" {
		t.Errorf("no address: %d", wrong.Code)
	}
	if b.press(t, b.open(t, b.link("preferences", id)), "ask", "address", "ANNA@museum.example"); len(b.changes) != 5 {
		t.Errorf("a mail asks whether mail shall go where it goes: %q", b.changes)
	}
	page := b.open(t, first)
	if body := page.Body.String(); page.h1() != "Send your mail to this address?" || !strings.Contains(body, "a••••@museum.example") || !strings.Contains(body, "Rossi@centro.example") {
		t.Errorf("the page:\n%s", body)
	}
	email := func() string {
		return value[string](t, b.db, `SELECT c.email FROM subscribers.contacts c JOIN subscribers.subscriptions s ON s.contact_id = c.id WHERE s.id = $1`, id)
	}
	if email() != "anna@museum.example" {
		t.Error("looking changed it")
	}
	b.delivered(t, id)
	for range 2 { // the second time nothing is left to do
		if after, _ := b.insist(t, page, "change"); after.h1() != "✓ Your mail goes to this address now" || email() != "Rossi@centro.example" {
			t.Errorf("%q, %s", after.h1(), email())
		}
	}
	if n := value[int](t, b.db, `SELECT count(*) FROM subscribers.mailable WHERE email = 'Rossi@centro.example'`); n != 1 {
		t.Error("the bounce of the new address still holds")
	}
	for _, stale := range []string{second, taken} {
		if got := b.open(t, stale); got.h1() != "This link is out of date" || len(got.buttons()) > 0 {
			t.Errorf("a link from before: %q", got.h1())
		}
		if got := b.post(t, stale, url.Values{"do": {"release"}}); got.Code != http.StatusBadRequest {
			t.Errorf("a press that its page does not have: %d", got.Code)
		}
		if got := b.post(t, stale, url.Values{"do": {"change"}}); got.h1() != "This link is out of date" || email() != "Rossi@centro.example" {
			t.Errorf("a press from before: %q, %s", got.h1(), email())
		}
	}
	b.wait()
	if got, _ := b.insist(t, b.open(t, ask("bruno@museum.example")), "change"); got.h1() != "This address has subscriptions of its own" || email() != "Rossi@centro.example" {
		t.Errorf("somebody else's address: %q, %s", got.h1(), email())
	}
}
