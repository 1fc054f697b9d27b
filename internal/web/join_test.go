package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/web"
	"silkpost/subscribers"
)

func (b *reading) joins(t testing.TB, list, email string, fill ...string) seen {
	t.Helper()
	return b.press(t, b.open(t, "/s/"+list), "", append([]string{"email", email}, fill...)...)
}

// The form offers what the list offers, in the reader's language; a list that is not public is not there.
func TestFormToSubscribe(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	b.publish(t,
		articles.Draft{ExternalKey: "a", Title: "One", Language: "en", Text: "Some words.", Section: "Events"},
		articles.Draft{ExternalKey: "b", Title: "Due", Language: "it", Text: "Alcune parole.", Section: "Notices"})
	page := b.open(t, "/s/partners", "Accept-Language", "it-CH")
	if page.Code != http.StatusOK || page.h1() != "Iscriviti a Notizie per i partner" || len(page.Result().Cookies()) > 0 {
		t.Fatalf("%d %q", page.Code, page.h1())
	}
	form, _ := page.form("")
	want := url.Values{"email": {""}, "name": {""}, "homepage": {""}, "language": {"it", "", ""}, "rhythm": {"weekly"}, "shown": {"it"}}
	if diff := cmp.Diff(want, form); diff != "" {
		t.Errorf("a form left as it is (-want +got):\n%s", diff)
	}
	body := page.Body.String()
	for _, offered := range []string{`value="immediate"`, `value="monthly"`, `value="News"`, `value="robotics"`, `value="press"`, `value="events"`, "Example Association", `href="?lang=en"`} {
		if !strings.Contains(body, offered) {
			t.Errorf("the page lacks %s", offered)
		}
	}
	if strings.Contains(body, "board") || strings.Contains(body, `value="Events"`) || strings.Contains(body, "noindex") {
		t.Errorf("the page has too much:\n%s", body)
	}
	if events := b.open(t, "/s/events").Body.String(); !strings.Contains(events, `value="Notices"`) || !strings.Contains(events, `value="Events"`) || strings.Contains(events, `value="weekly"`) {
		t.Errorf("a list that selects everything:\n%s", events)
	}
	for tag, want := range map[string]string{"ar": "الاشتراك في", "zh-Hans": "订阅", "xx": "Iscriviti a"} {
		if got := b.open(t, "/s/partners?lang="+tag, "Accept-Language", "it").h1(); !strings.Contains(got, want) {
			t.Errorf("?lang=%s: %q", tag, got)
		}
	}
	for _, path := range []string{"/s/board", "/s/nowhere", "/s/%00", "/s/"} {
		for _, got := range []seen{b.open(t, path), b.post(t, path, url.Values{"email": {"anna@museum.example"}})} {
			if got.Code != http.StatusNotFound {
				t.Errorf("%s: %d", path, got.Code)
			}
		}
	}
}

// Whoever subscribes waits for the mail. What they saw, where and from which network is kept.
func TestSubscribing(t *testing.T) {
	t.Parallel()
	b := openReading(t, func(c *web.Config) { c.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} }) // httptest's own
	form, _ := b.open(t, "/s/partners?lang=it").form("")
	for name, values := range map[string][]string{
		"email": {" Anna@Museum.example "}, "name": {"Anna"}, "language": {"ar", "it", "ar"}, "rhythm": {"daily"}, "topic": {"robotics"}, "list": {"press", "events"},
	} {
		form[name] = values
	}
	answer := b.post(t, "/s/partners?lang=it", form, "X-Forwarded-For", "203.0.113.9, 198.51.100.77")
	if answer.Code != http.StatusOK || answer.h1() != "Guarda nella tua posta" {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	got := rows(t, b.db, `
		SELECT concat_ws('|', l.slug, c.email, c.name, c.languages, s.state, s.rhythm, s.topics) FROM subscribers.subscriptions s
		JOIN subscribers.contacts c ON c.id = s.contact_id JOIN subscribers.lists l ON l.id = s.list_id ORDER BY l.slug`)
	want := []string{
		"events|Anna@Museum.example|Anna|{ar,it}|pending|daily|{}", "partners|Anna@Museum.example|Anna|{ar,it}|pending|daily|{robotics}",
		"press|Anna@Museum.example|Anna|{ar,it}|active|daily|{}",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	id := b.subscriptionOf(t, "anna@museum.example", "partners")
	if log := b.logged(t, id); !slices.Equal(log, []string{"pending|form|Iscriviti: Notizie per i partner|/s/{list}|198.51.100.0/24"}) {
		t.Errorf("the log says %q", log)
	}
	if log := b.logged(t, b.subscriptionOf(t, "anna@museum.example", "events")); !slices.Equal(log, []string{"pending|form|Iscriviti: Events|/s/{list}|198.51.100.0/24"}) {
		t.Errorf("of the other list the log says %q", log)
	}
	if want := []int64{id, b.subscriptionOf(t, "anna@museum.example", "press")}; !slices.Equal(b.mails, want) {
		t.Errorf("mails for %v, want %v: one for those that wait together", b.mails, want)
	}
}

// A list that cannot be sent yet takes nobody in, whoever it is, and no form offers it.
func TestAListThatCannotBeSent(t *testing.T) {
	t.Parallel()
	b := openReading(t, func(c *web.Config) {
		c.MayBeSent = func(l subscribers.List) error {
			if l.Slug == "events" {
				return errs.New(errs.Invalid, "no sender")
			}
			return nil
		}
	})
	if _, err := subscribers.Suppress(t.Context(), b.db, "barred@museum.example", subscribers.Manual, "", now); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]seen{
		"the form": b.open(t, "/s/events"), "somebody": b.post(t, "/s/events", url.Values{"email": {"anna@museum.example"}}),
		"who is barred": b.post(t, "/s/events", url.Values{"email": {"barred@museum.example"}}),
		"a program":     b.post(t, "/s/events", url.Values{"email": {"x@museum.example"}, "homepage": {"x"}}), "with another": b.joins(t, "partners", "anna@museum.example", "list", "events"),
	} {
		if got.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %q", name, got.Code, got.h1())
		}
	}
	if offered := b.open(t, "/s/partners").Body.String(); strings.Contains(offered, `value="events"`) || !strings.Contains(offered, `value="press"`) {
		t.Errorf("offered are\n%s", offered)
	}
	if n := value[int](t, b.db, `SELECT count(*) FROM subscribers.contacts`); n > 0 {
		t.Errorf("%d contacts came of it", n)
	}
}

// A form on the association's own site works, too, and the log says where it was.
func TestAFormOnAnotherSite(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	for origin, want := range map[string]string{
		"https://www.example.org": "/s/{list} on https://www.example.org", "null": "/s/{list}", "": "/s/{list}", "https://a.example/<script>": "/s/{list}",
	} {
		email := "p" + strings.Trim(strings.ToLower(origin), ":/.<>") + "@museum.example"
		email = strings.NewReplacer(":", "", "/", "", "<", "", ">", "").Replace(email)
		answer := b.post(t, "/s/partners", url.Values{"email": {email}}, "Origin", origin, "Sec-Fetch-Site", "cross-site", "Accept-Language", "ar-EG,it;q=0.5")
		if answer.Code != http.StatusOK {
			t.Fatalf("%s: %d", origin, answer.Code)
		}
		id := b.subscriptionOf(t, email, "partners")
		if log := b.logged(t, id); !slices.Equal(log, []string{"pending|form||" + want + "|192.0.2.0/24"}) {
			t.Errorf("%s: the log says %q", origin, log)
		}
		if got := value[string](t, b.db, `SELECT rhythm || c.languages::text FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id WHERE s.id = $1`, id); got != "weekly{ar-EG,it}" {
			t.Errorf("%s: %s", origin, got)
		}
	}
}

// Whatever is known of an address, the answer is the same to the byte; only the mail tells its owner.
func TestTheAnswerTellsNothing(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	person := func(email string, do func(id int64) error) string {
		id := b.subscribed(t, email, "partners")[0]
		if err := do(id); err != nil {
			t.Fatal(err)
		}
		return email
	}
	e := subscribers.Evidence{At: now, Method: subscribers.ByPage}
	suppress := func(whom string, reason subscribers.Reason) error {
		_, err := subscribers.Suppress(t.Context(), b.db, whom, reason, "", now)
		return err
	}
	cases := []struct {
		email, homepage string
		mail            bool
		state           subscribers.State // afterwards
	}{
		{"new@museum.example", "", true, subscribers.Pending},
		{"new@museum.example", "", true, subscribers.Pending},
		{"no-such-domain@nowhere.invalid", "", true, subscribers.Pending},
		{person("active@museum.example", func(int64) error { return nil }), "", true, subscribers.Active},
		{person("paused@museum.example", func(id int64) error { return subscribers.Pause(t.Context(), b.db, id, nil, false, e) }), "", true, subscribers.Paused},
		{person("left@museum.example", func(id int64) error { return subscribers.Unsubscribe(t.Context(), b.db, id, e) }), "", true, subscribers.Unsubscribed},
		{person("complained@museum.example", func(int64) error { return suppress("complained@museum.example", subscribers.Complaint) }), "", true, subscribers.Active},
		{person("bounced@museum.example", func(int64) error { return suppress("bounced@museum.example", subscribers.HardBounce) }), "", true, subscribers.Active},
		{person("manual@museum.example", func(int64) error { return suppress("manual@museum.example", subscribers.Manual) }), "", false, subscribers.Active},
		{person("domain@barred.example", func(int64) error { return suppress("barred.example", subscribers.Manual) }), "", false, subscribers.Active},
		{person("erased@museum.example", func(id int64) error {
			contact := value[int64](t, b.db, `SELECT contact_id FROM subscribers.subscriptions WHERE id = $1`, id)
			return database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error { return subscribers.Erase(t.Context(), tx, contact, now, "1") })
		}), "", true, subscribers.Pending},
		{"program@museum.example", "https://spam.example", false, ""},
	}
	var first seen
	for i, tt := range cases {
		mails := len(b.mails)
		got := b.joins(t, "partners", tt.email, "homepage", tt.homepage)
		if i == 0 {
			first = got
		}
		if got.Code != http.StatusOK || got.Body.String() != first.Body.String() || !cmp.Equal(got.Header(), first.Header()) {
			t.Errorf("%s: another answer: %d %v\n%s", tt.email, got.Code, got.Header(), got.Body)
		}
		if mail := len(b.mails) > mails; mail != tt.mail {
			t.Errorf("%s: mail %v, want %v", tt.email, mail, tt.mail)
		}
		state := rows(t, b.db, `SELECT s.state FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id WHERE c.email_key = $1`, tt.email)
		if want := strings.Fields(string(tt.state)); !slices.Equal(state, want) {
			t.Errorf("%s is %q, want %q", tt.email, state, tt.state)
		}
	}
	for i := range 8 { // more than go to one address a day
		mails := len(b.mails)
		got := b.joins(t, "partners", "often@museum.example")
		if mail := len(b.mails) > mails; got.Body.String() != first.Body.String() || mail != (i < 5) {
			t.Errorf("time %d: mail %v, %d", i+1, mail, got.Code)
		}
	}
	if strings.Contains(b.log.String(), "museum.example") {
		t.Errorf("the log knows who subscribed:\n%s", b.log)
	}
}

// A list with single opt-in begins at once, but not where somebody once said no.
func TestSingleOptIn(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	left := b.subscribed(t, "left@museum.example", "events")[0] // another list
	if err := subscribers.Unsubscribe(t.Context(), b.db, left, subscribers.Evidence{At: now, Method: subscribers.ByOneClick}); err != nil {
		t.Fatal(err)
	}
	for email, want := range map[string]string{"new@museum.example": "active", "left@museum.example": "pending"} {
		b.joins(t, "press", email)
		if got := b.state(t, b.subscriptionOf(t, email, "press")); got != want {
			t.Errorf("%s is %s, want %s", email, got, want)
		}
	}
	if log := b.logged(t, b.subscriptionOf(t, "new@museum.example", "press")); !slices.Equal(log, []string{
		"pending|form|Subscribe: Press|/s/{list}|192.0.2.0/24", "active|form|Subscribe: Press|/s/{list}|192.0.2.0/24",
	}) {
		t.Errorf("the log says %q", log)
	}
}

// A mistake is shown where it is, with what was written, and nothing is sent.
func TestMistakesInTheForm(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	for field, wrong := range map[string]string{"email": `anna"><script>alert(1)</script>`, "name": "See https://spam.example"} {
		form, _ := b.open(t, "/s/partners").form("")
		form["email"], form["list"], form["rhythm"], form["topic"], form["language"] = []string{"anna@museum.example"}, []string{"press"}, []string{"daily"}, []string{"News"}, []string{"ar"}
		form[field] = []string{wrong}
		got := b.post(t, "/s/partners", form)
		shown, ok := got.form("")
		if got.Code != http.StatusBadRequest || !ok || len(b.mails) > 0 {
			t.Fatalf("%s: %d", field, got.Code)
		}
		for name, want := range map[string][]string{field: {wrong}, "list": {"press"}, "rhythm": {"daily"}, "topic": {"News"}, "language": {"ar", "", ""}} {
			if !slices.Equal(shown[name], want) {
				t.Errorf("%s wrong: %s is shown as %q, want %q", field, name, shown[name], want)
			}
		}
		if body := got.Body.String(); !strings.Contains(body, `id="`+field+`-mistake"`) || strings.Contains(body, "<script") {
			t.Errorf("%s wrong:\n%s", field, body)
		}
	}
	for name, form := range map[string]url.Values{
		"a topic that leads somewhere": {"email": {"anna@museum.example"}, "topic": {"News", "See https://spam.example"}},
		"a rhythm not offered":         {"email": {"anna@museum.example"}, "rhythm": {"hourly"}}, "another list's rhythm": {"email": {"anna@museum.example"}, "rhythm": {"weekly"}},
	} {
		if got := b.post(t, "/s/events", form); got.Code != http.StatusBadRequest || got.h1() != "This request is not understood" {
			t.Errorf("%s: %d %q", name, got.Code, got.h1())
		}
	}
	if got := b.post(t, "/s/partners", url.Values{"email": {"anna@museum.example"}, "list": {"board"}}); got.Code != http.StatusNotFound {
		t.Errorf("with a list that is not public: %d", got.Code)
	}
	if got := b.ask(http.MethodPost, "/s/partners", "email="+strings.Repeat("x", 1<<17)); got.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a flood: %d", got.Code)
	}
	if n := value[int](t, b.db, `SELECT count(*) FROM subscribers.contacts`); n > 0 {
		t.Errorf("%d contacts came of it", n)
	}
}

// A network that asks too often is told so; others are not.
func TestANetworkThatSubscribesTooOften(t *testing.T) {
	t.Parallel()
	b := openReading(t)
	from := func(address, email string) int {
		r := httptest.NewRequest(http.MethodPost, "/s/partners", strings.NewReader(url.Values{"email": {email}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Forwarded-For", "203.0.113."+address[len(address)-1:]) // nobody believes it
		r.RemoteAddr = address + ":4711"
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		return w.Code
	}
	for i := range 102 {
		want := http.StatusOK
		if i >= 100 {
			want = http.StatusTooManyRequests
		}
		if got := from("198.51.100."+string(rune('0'+i%10)), string(rune('a'+i%26))+string(rune('a'+i/26))+"@museum.example"); got != want {
			t.Errorf("request %d: %d", i+1, got)
		}
	}
	if got := from("203.0.113.1", "other@museum.example"); got != http.StatusOK {
		t.Errorf("another network: %d", got)
	}
	b.clock.Advance(time.Hour)
	if got := from("198.51.100.1", "later@museum.example"); got != http.StatusOK {
		t.Errorf("an hour later: %d", got)
	}
}

// What is done for an address shall not show in how long the answer takes.
func TestTheAnswerKeepsItsPace(t *testing.T) {
	t.Parallel()
	const pace = 150 * time.Millisecond
	b := openReading(t, func(c *web.Config) { c.Pace = pace })
	begin := time.Now()
	if got := b.joins(t, "partners", "program@museum.example", "homepage", "x"); got.Code != http.StatusOK || time.Since(begin) < pace {
		t.Errorf("%d after %s", got.Code, time.Since(begin))
	}
}
