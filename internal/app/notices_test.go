package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jhillyerd/enmime/v2"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/app"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/compose"
	"silkpost/mailer/send"
	"silkpost/subscribers"
)

// atOnce tries again soon and gives up after two days, as it is for notices.
var atOnce = send.Retry{First: 10 * time.Millisecond, Longest: 10 * time.Millisecond, GiveUp: 48 * time.Hour, InDoubt: 10 * time.Millisecond}

// asking is a house whose list can be subscribed to, on a clock that stands still unless opt has another.
func asking(t *testing.T, declaration string, opt app.Options, script ...catcher.Rule) (*house, *testkit.Clock) {
	t.Helper()
	clock := testkit.NewClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	opt.Clock, opt.Retry = clock, &atOnce
	h := openOn(t, testkit.FreshURL(t), catchertest.Start(t, catcher.Config{Script: script}), opt)
	h.apply(t, list+declaration)
	return h, clock
}

// ask fills in the form as the page does: the mail is queued with what it is about.
func (h *house) ask(t *testing.T, email, languages string, lists ...string) (joined []subscribers.Joined) {
	t.Helper()
	if len(lists) == 0 {
		lists = []string{"partners"}
	}
	address, err := subscribers.ParseAddress(email)
	if err != nil {
		t.Fatal(err)
	}
	r := subscribers.JoinRequest{
		Address: address, Name: "Win a prize", Languages: strings.Fields(languages),
		Evidence: subscribers.Evidence{At: h.Clock.Now(), Method: subscribers.ByForm, Statement: "Subscribe", Origin: "/s/{list}"},
	}
	for _, slug := range lists {
		r.Wants = append(r.Wants, subscribers.Want{List: slug})
	}
	if err := database.Transact(context.Background(), h.DB, func(tx *sqlx.Tx) (err error) {
		if joined, err = subscribers.Join(context.Background(), tx, r); err != nil {
			return err
		}
		for _, one := range joined {
			if one.Mail {
				err = h.SendConfirmation(context.Background(), tx, one.Subscription)
			}
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	return joined
}

// confirm presses the button on the page that a confirmation leads to.
func (h *house) confirm(t *testing.T, subscription int64) {
	t.Helper()
	if err := database.Transact(t.Context(), h.DB, func(tx *sqlx.Tx) error {
		e := subscribers.Evidence{At: h.Clock.Now(), Method: subscribers.ByConfirmation, Statement: "Confirm"}
		if err := subscribers.Confirm(t.Context(), tx, subscription, e); err != nil {
			return err
		}
		return h.SendWelcome(t.Context(), tx, subscription)
	}); err != nil {
		t.Fatal(err)
	}
}

// caught waits for n messages and returns all there are, in the order they came.
func (h *house) caught(t *testing.T, n int) (all []letter) {
	t.Helper()
	h.post.WaitMessages(t, n)
	for _, m := range h.post.Messages() {
		_, raw, err := h.post.Open(m.ID)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := enmime.ReadEnvelope(bytes.NewReader(raw))
		if err != nil || len(parsed.Errors) > 0 {
			t.Fatalf("message for %v: %v %v", m.To, err, parsed.Errors)
		}
		all = append(all, letter{parsed, m.To[0], raw})
	}
	if len(all) != n {
		t.Fatalf("%d messages, want %d", len(all), n)
	}
	return all
}

// settled waits until no notice is open and returns how they stand, "kind state attempts".
func (h *house) settled(t *testing.T) (stand []string) {
	t.Helper()
	testkit.Eventually(t, patience, "no notice is open", func() bool {
		return value[int](t, h, `SELECT count(*) FROM mailer.notices WHERE open`) == 0
	})
	if err := h.DB.Select(&stand, `SELECT concat_ws(' ', kind, state, attempts) FROM mailer.notices ORDER BY made_at, kind`); err != nil {
		t.Fatal(err)
	}
	return stand
}

// token returns what stands behind an address of ours, which both parts have.
func (l letter) token(t *testing.T, h *house, path string) string {
	t.Helper()
	address := h.PublicURL() + path
	if strings.Count(l.Text, address) != 1 || !strings.Contains(l.HTML, `href="`+address) {
		t.Fatalf("%s does not stand in each part of\n%s\n%s", address, l.Text, l.HTML)
	}
	_, after, _ := strings.Cut(l.Text, address)
	return strings.Fields(after)[0]
}

// A form, the mail that asks, its link, and the welcome: in the reader's language, from the list, telling nobody anything it should not.
func TestConfirmationAndWelcome(t *testing.T) {
	t.Parallel()
	h, _ := asking(t, "", app.Options{})
	h.run(t, app.Parts{Web: h.web, Worker: true})
	for i, tt := range []struct{ email, languages, words, confirm, welcome, next string }{
		{"anna@museum.example", "it en", "it", "Confermi l’iscrizione a «Notizie per i partner»", "La Sua iscrizione a «Notizie per i partner»", "lunedì 23 novembre 2026"},
		{"bo@museum.example", "zh-CN", "zh-Hans", "请确认订阅“合作伙伴通讯”", "欢迎订阅“合作伙伴通讯”", "2026年11月23日星期一"},
		{"cem@museum.example", "ar-EG", "ar", "أكّد اشتراكك في أخبار لشركائنا", "أهلًا بك في أخبار لشركائنا", "الاثنين، 23 نوفمبر 2026"},
		{"ü+tag@bücher.example", "tlh", "en", "Confirm your subscription to News for our partners", "Welcome to News for our partners", "Monday, 23 November 2026"},
	} {
		joined := h.ask(t, tt.email, tt.languages)
		asked := h.caught(t, 2*i+1)[2*i]
		if got := asked.GetHeader("Subject"); got != tt.confirm {
			t.Errorf("%s: subject %q, want %q", tt.email, got, tt.confirm)
		}
		checkNotice(t, h, asked, tt.words)
		if asked.GetHeader("List-Unsubscribe") != "" || asked.GetHeader("List-Id") != "" || strings.Contains(string(asked.raw), "unsubscribe/") {
			t.Errorf("%s is not subscribed, and could unsubscribe", tt.email)
		}
		if strings.Contains(string(asked.raw), "prize") {
			t.Errorf("what a stranger wrote is carried to %s", tt.email)
		}
		id, err := h.Composer.Keys.Open(compose.ConfirmPurpose, asked.token(t, h, "/confirm/"))
		if err != nil || id != joined[0].Subscription {
			t.Errorf("the link confirms %d, %v", id, err)
		}
		h.confirm(t, id)
		h.confirm(t, id) // pressed twice
		welcome := h.caught(t, 2*i+2)[2*i+1]
		if got := welcome.GetHeader("Subject"); got != tt.welcome || !strings.Contains(strings.Join(strings.Fields(welcome.Text), " "), tt.next) {
			t.Errorf("%s: welcome %q:\n%s", tt.email, got, welcome.Text)
		}
		checkNotice(t, h, welcome, tt.words)
		if got := welcome.GetHeader("List-Id"); !strings.HasSuffix(got, " <partners.example.org>") {
			t.Errorf("List-Id %q", got)
		}
		if id, err := h.Composer.Keys.Open(compose.PreferencesPurpose, welcome.token(t, h, "/preferences/")); err != nil || id != joined[0].Subscription {
			t.Errorf("the preferences are those of %d, %v", id, err)
		}
		if got := oneClick(t, welcome.link()); got.StatusCode != http.StatusOK || h.told(t, tt.email).State != "unsubscribed" {
			t.Errorf("one click: %d", got.StatusCode)
		}
	}
	h.settled(t)
	if got := h.post.Counts().Messages; got != 8 {
		t.Errorf("%d messages", got)
	}
}

// checkNotice holds for every notice of the list.
func checkNotice(t *testing.T, h *house, l letter, words string) {
	t.Helper()
	for name, want := range map[string]string{
		"Auto-Submitted": "auto-generated", "Content-Language": words, "Precedence": "", "Date": "Sun, 22 Nov 2026 12:00:00 +0000",
	} {
		if got := l.GetHeader(name); got != want {
			t.Errorf("%s of the message for %s is %q, want %q", name, l.to, got, want)
		}
	}
	from, reply, to := l.address(t, "From"), l.address(t, "Reply-To"), l.address(t, "To")
	if from.Address != "news@example.org" || from.Name != "Example Association" || reply.Address != "office@example.org" || to.Address != l.to {
		t.Errorf("from %v, reply to %v, to %v", from, reply, to)
	}
	if !strings.Contains(l.Text, "1 Example Street") || !strings.Contains(l.HTML, "1 Example Street") || strings.Contains(l.HTML, "<img") {
		t.Errorf("no postal address, or a picture, in\n%s\n%s", l.Text, l.HTML)
	}
	if got := attributes(t, l.HTML, "html", "lang"); !slices.Equal(got, []string{words}) {
		t.Errorf("the mail for %s is in %v", l.to, got)
	}
	if id := l.GetHeader("Message-ID"); !strings.HasSuffix(id, "@example.org>") || strings.Contains(id, l.to) {
		t.Errorf("Message-ID %s", id)
	}
}

// By the pages alone: a form, the mail that it brings, the page that its link leads to, the button there, and the welcome.
func TestSubscribingByThePages(t *testing.T) {
	t.Parallel()
	h, clock := asking(t, "", app.Options{})
	h.run(t, app.Parts{Web: h.web, Worker: true})
	page := h.PublicURL() + "/s/partners"
	fields := url.Values{"email": {"anna@museum.example"}, "name": {"Anna"}, "rhythm": {"daily"}, "shown": {"it"}}
	if got := ask(t, http.MethodPost, page, form, fields.Encode(), "Accept-Language", "it"); got.StatusCode != http.StatusOK {
		t.Fatalf("the form: %d\n%s", got.StatusCode, got.body)
	}
	asked := h.caught(t, 1)[0]
	if asked.GetHeader("Subject") != "Confermi l’iscrizione a «Notizie per i partner»" || !strings.Contains(asked.Text, "una volta al giorno") {
		t.Errorf("%s\n%s", asked.GetHeader("Subject"), asked.Text)
	}
	link := h.PublicURL() + "/confirm/" + asked.token(t, h, "/confirm/")
	press := func(page answer) answer {
		t.Helper()
		pressed := url.Values{}
		for _, selector := range []string{"form input", "form button"} {
			names, values := attributes(t, string(page.body), selector, "name"), attributes(t, string(page.body), selector, "value")
			for i, name := range names {
				pressed.Set(name, values[i])
			}
		}
		return ask(t, http.MethodPost, link, form, pressed.Encode())
	}
	state := func() string { return value[string](t, h, `SELECT state FROM subscribers.subscriptions`) }
	h.settled(t)
	again := press(get(t, link)) // a scanner does that as soon as the mail is there
	if state() != "pending" || again.StatusCode != http.StatusOK {
		t.Errorf("pressed at once: %d, and it is %s", again.StatusCode, state())
	}
	clock.Advance(4 * time.Minute)
	if got := press(get(t, link)); got.StatusCode != http.StatusOK || state() != "active" {
		t.Errorf("pressed: %d, and it is %s\n%s", got.StatusCode, state(), got.body)
	}
	welcome := h.caught(t, 2)[1]
	if welcome.GetHeader("Subject") != "La Sua iscrizione a «Notizie per i partner»" || welcome.address(t, "To").Name != "Anna" {
		t.Errorf("%s for %v", welcome.GetHeader("Subject"), welcome.address(t, "To"))
	}
	if got := get(t, h.PublicURL()+"/preferences/"+welcome.token(t, h, "/preferences/")); got.StatusCode != http.StatusOK {
		t.Errorf("the preferences: %d", got.StatusCode)
	}
	h.settled(t)
}

// One mail asks for all lists of a form, and each list welcomes by itself as it is set.
func TestConfirmationOfSeveralLists(t *testing.T) {
	t.Parallel()
	h, _ := asking(t, `
[[list]]
slug = "teachers"
name = { en = "For teachers" }
sender = { name = "Schools", address = "schools@example.org" }
postal_address = "2 Example Street"
default_rhythm = "monthly"
welcome = "off"
`, app.Options{})
	h.run(t, app.Parts{Worker: true})
	joined := h.ask(t, "anna@museum.example", "en", "partners", "teachers")
	asked := h.caught(t, 1)[0]
	for _, want := range []string{"News for our partners (weekly)", "For teachers (monthly)"} {
		if !strings.Contains(asked.Text, want) {
			t.Errorf("%q is missing in\n%s", want, asked.Text)
		}
	}
	for _, one := range joined {
		h.confirm(t, one.Subscription)
	}
	h.caught(t, 2)
	if got := h.settled(t); !slices.Equal(got, []string{"confirmation sent 1", "welcome sent 1"}) {
		t.Errorf("notices: %v", got)
	}
}

// The form's answer is the same for all; the mail says what is so.
func TestFormForWhoIsThere(t *testing.T) {
	t.Parallel()
	h, clock := asking(t, `opt_in = "single"`+"\n", app.Options{})
	h.contacts(t, "anna@museum.example,Anna,it,weekly", "paula@museum.example,Paula,en,daily")
	paula := value[int64](t, h, `SELECT s.id FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id WHERE c.email = 'paula@museum.example'`)
	until := clock.Now().Add(9*24*time.Hour + 5*time.Hour) // in Shanghai that is a day later
	if err := subscribers.Pause(t.Context(), h.DB, paula, &until, false, subscribers.Evidence{At: clock.Now(), Method: subscribers.ByPage}); err != nil {
		t.Fatal(err)
	}
	h.run(t, app.Parts{Worker: true})
	for i, tt := range []struct{ email, subject, says string }{
		{"anna@museum.example", "Riceve già «Notizie per i partner»", "una volta alla settimana"},
		{"paula@museum.example", "News for our partners comes to you already", "until 2 December 2026"},
		{"new@museum.example", "Welcome to News for our partners", "once a week"}, // single opt-in: on the list at once
	} {
		h.ask(t, tt.email, "en")
		got := h.caught(t, i+1)[i]
		if said := strings.Join(strings.Fields(got.Text), " "); got.to != tt.email || got.GetHeader("Subject") != tt.subject || !strings.Contains(said, tt.says) {
			t.Errorf("%s: %q\n%s", got.to, got.GetHeader("Subject"), got.Text)
		}
		if got.link() == "" {
			t.Errorf("%s is subscribed and cannot unsubscribe", tt.email)
		}
		got.token(t, h, "/preferences/")
	}
	clock.Advance(time.Hour)
	h.ask(t, "new@museum.example", "en")
	if again := h.caught(t, 4)[3]; again.GetHeader("Subject") != "News for our partners comes to you already" {
		t.Errorf("the second time: %q", again.GetHeader("Subject"))
	}
}

// A newcomer may be sent the last edition, as a message of its own, and never gets any of it again.
func TestLastEdition(t *testing.T) {
	t.Parallel()
	h, clock := asking(t, `welcome = "last-edition"`+"\n", app.Options{})
	h.contacts(t, "old@museum.example,Old,it,weekly")
	h.articles(t, relayEn, relayIt)
	stop := h.run(t, app.Parts{Worker: true})
	h.send(t)
	h.ask(t, "anna@museum.example", "it en")
	h.caught(t, 2)
	h.confirm(t, value[int64](t, h, `SELECT max(id) FROM subscribers.subscriptions`))
	var last, welcome letter
	for _, l := range h.caught(t, 4)[2:] {
		if strings.HasPrefix(l.GetHeader("Subject"), "La Sua iscrizione") {
			welcome = l
		} else {
			last = l
		}
	}
	if welcome.Envelope == nil || last.Envelope == nil {
		t.Fatal("no welcome, or no last edition")
	}
	if !strings.Contains(welcome.Text, "L’ultima edizione arriva in un messaggio a parte.") {
		t.Errorf("the welcome says\n%s", welcome.Text)
	}
	if last.to != "anna@museum.example" || !strings.Contains(last.Text, relayIt.title) || last.GetHeader("List-Id") == "" || last.link() == "" {
		t.Errorf("the last edition for %s:\n%s", last.to, last.raw)
	}
	last.token(t, h, "/preferences/")
	clock.Advance(time.Minute)
	h.articles(t, seatsEn)
	h.send(t)
	stop()
	for _, l := range h.caught(t, 6)[4:] {
		if strings.Contains(l.Text, relayIt.title) || strings.Contains(l.Text, relayEn.title) || !strings.Contains(l.Text, seatsEn.title) {
			t.Errorf("the next digest for %s:\n%s", l.to, l.Text)
		}
	}
	if got := h.settled(t); !slices.Equal(got, []string{"confirmation sent 1", "last edition sent 1", "welcome sent 1"}) {
		t.Errorf("notices: %v", got)
	}
}

// The relay is away for a while: nothing is lost, nothing doubled, and operators see why it waits.
func TestNoticesWaitForTheRelay(t *testing.T) {
	t.Parallel()
	h, _ := asking(t, "", app.Options{},
		catcher.Rule{Verb: catcher.Connect, Cut: catcher.CutBefore, Times: 2},
		catcher.Rule{Verb: "MAIL", Reply: "451 4.3.0 Later", Times: 2},
		catcher.Rule{Verb: catcher.Dot, Reply: "452 4.3.1 Disk full", Times: 1})
	h.ask(t, "anna@museum.example", "en")
	status, err := h.Status(t.Context())
	if err != nil || status.Notices.Recipients != 1 || status.Notices.Pending != 1 || len(status.Notices.Troubled) != 0 {
		t.Errorf("before: %+v, %v", status.Notices, err)
	}
	h.run(t, app.Parts{Worker: true})
	h.caught(t, 1)
	if got := h.settled(t); !slices.Equal(got, []string{"confirmation sent 6"}) {
		t.Errorf("notices: %v", got)
	}
}

// What a server refuses for good is not tried again, and its answer is kept.
func TestRefusedNotice(t *testing.T) {
	t.Parallel()
	h, _ := asking(t, "", app.Options{}, catcher.Rule{Verb: "RCPT", Reply: "550 5.1.1 No such user"})
	h.run(t, app.Parts{Worker: true})
	joined := h.ask(t, "nobody@museum.example", "en")
	h.settled(t)
	status, err := h.Status(t.Context())
	if err != nil || status.Notices.Failed != 1 || len(status.Notices.Troubled) != 1 {
		t.Fatalf("%+v, %v", status.Notices, err)
	}
	got := status.Notices.Troubled[0]
	got.At = nil
	if want := (app.NoticeTrouble{Kind: "confirmation", Subscription: joined[0].Subscription, State: "failed", Attempts: 1, Code: 550, Reply: "5.1.1 No such user"}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// After two days nobody waits for it any more.
func TestNoticesAreGivenUp(t *testing.T) {
	t.Parallel()
	h, clock := asking(t, "", app.Options{}, catcher.Rule{Verb: "MAIL", Reply: "451 4.3.0 Later"})
	stop := h.run(t, app.Parts{Worker: true})
	h.ask(t, "anna@museum.example", "en")
	testkit.Eventually(t, patience, "it is deferred", func() bool {
		return value[int](t, h, `SELECT count(*) FROM mailer.notices WHERE state = 'deferred' AND open`) == 1
	})
	clock.Advance(48 * time.Hour)
	h.settled(t)
	if n := value[int](t, h, `SELECT count(*) FROM mailer.notices WHERE state = 'failed' AND reply = '4.3.0 Later'`); n != 1 {
		t.Errorf("%d have failed", n)
	}
	stop()
	h.ask(t, "bruno@museum.example", "en") // while nobody works
	clock.Advance(49 * time.Hour)
	h.run(t, app.Parts{Worker: true})
	h.settled(t)
	if n := value[int](t, h, `SELECT count(*) FROM mailer.notices WHERE state = 'failed' AND attempts = 0 AND reply LIKE 'it waited%'`); n != 1 {
		t.Errorf("%d have waited for too long", n)
	}
}

// A form is no use against anybody, however often and at once it is filled in.
func TestFloodOfForms(t *testing.T) {
	t.Parallel()
	h, clock := asking(t, "", app.Options{})
	h.run(t, app.Parts{Worker: true})
	flood := func() {
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() { h.ask(t, "victim@museum.example", "en") })
		}
		wait.Wait()
		h.settled(t)
	}
	for range 30 {
		flood()
		clock.Advance(11 * time.Minute)
	}
	if got := h.post.Counts().Messages; got != 5 {
		t.Errorf("%d mails in a day, want 5", got)
	}
	clock.Advance(24 * time.Hour)
	flood()
	if got := h.post.Counts().Messages; got != 6 {
		t.Errorf("%d mails after a day more, want 6", got)
	}
}

// P5: who bounced or complained may be asked once they ask; whom an administrator keeps mail from gets none.
func TestSuppressedNotices(t *testing.T) {
	t.Parallel()
	h, clock := asking(t, "", app.Options{})
	h.contacts(t, "bounced@museum.example,Bo,en,weekly", "known@museum.example,Kim,en,weekly")
	suppress := func(whom string, reason subscribers.Reason) {
		t.Helper()
		if _, err := subscribers.Suppress(t.Context(), h.DB, whom, reason, "a test", clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	suppress("bounced@museum.example", subscribers.HardBounce)
	suppress("angry@museum.example", subscribers.Complaint)
	// These become so after the form was filled in.
	asked := map[string][]subscribers.Joined{}
	for _, email := range []string{"bounced@museum.example", "angry@museum.example", "known@museum.example", "barred@museum.example", "x@domain.example", "left@museum.example", "quick@museum.example"} {
		asked[email] = h.ask(t, email, "en")
	}
	suppress("known@museum.example", subscribers.Complaint)
	suppress("barred@museum.example", subscribers.Manual)
	suppress("domain.example", subscribers.Manual)
	e := subscribers.Evidence{At: clock.Now(), Method: subscribers.ByPage}
	if err := subscribers.Unsubscribe(t.Context(), h.DB, asked["left@museum.example"][0].Subscription, e); err != nil {
		t.Fatal(err)
	}
	if err := subscribers.Confirm(t.Context(), h.DB, asked["quick@museum.example"][0].Subscription, e); err != nil {
		t.Fatal(err)
	}
	h.run(t, app.Parts{Worker: true})
	got := map[string]bool{}
	for _, l := range h.caught(t, 2) {
		got[l.to] = strings.HasPrefix(l.GetHeader("Subject"), "Confirm")
	}
	if !got["bounced@museum.example"] || !got["angry@museum.example"] {
		t.Errorf("asked were %v", got)
	}
	stand := h.settled(t)
	slices.Sort(stand)
	if want := []string{
		"confirmation cancelled 0", "confirmation cancelled 0", "confirmation sent 1", "confirmation sent 1",
		"confirmation suppressed 0", "confirmation suppressed 0", "known suppressed 0",
	}; !slices.Equal(stand, want) {
		t.Errorf("notices: %v", stand)
	}
	h.confirm(t, asked["bounced@museum.example"][0].Subscription)
	if n := value[int](t, h, `SELECT count(*) FROM subscribers.mailable WHERE email = 'bounced@museum.example'`); n != 1 {
		t.Error("confirming lifts nothing")
	}
}

// P5: what is acknowledged while we dial is known before MAIL.
func TestNoticesAreCheckedAfterDialling(t *testing.T) {
	t.Parallel()
	var h *house
	var once sync.Once
	post := catchertest.Start(t, catcher.Config{OnEvent: func(e catcher.Event) {
		if e.Verb == "EHLO" {
			once.Do(func() {
				if _, err := subscribers.Suppress(context.Background(), h.DB, "anna@museum.example", subscribers.Manual, "a test", h.Clock.Now()); err != nil {
					t.Error(err)
				}
			})
		}
	}})
	h = openOn(t, testkit.FreshURL(t), post, app.Options{Retry: &atOnce})
	h.apply(t, list)
	h.ask(t, "anna@museum.example", "en")
	h.run(t, app.Parts{Worker: true})
	if got := h.settled(t); !slices.Equal(got, []string{"confirmation suppressed 0"}) {
		t.Errorf("notices: %v", got)
	}
	for _, e := range post.Events() {
		if e.Verb == "MAIL" {
			t.Error("the server heard of the message")
		}
	}
}

// A program that is stopped or killed loses no notice; between the server's answer and the record of it the same message may come twice.
func TestNoticesOutliveTheProgram(t *testing.T) {
	t.Parallel()
	url := testkit.FreshURL(t)
	post := catchertest.Start(t, catcher.Config{})
	web := openOn(t, url, post, app.Options{})
	web.apply(t, list)
	web.run(t, app.Parts{Web: web.web})
	for i := range 5 {
		web.ask(t, fmt.Sprintf("reader-%d@museum.example", i), "en")
	}
	first := openOn(t, url, post, app.Options{})
	stop := first.run(t, app.Parts{Worker: true})
	post.WaitMessages(t, 1)
	stop()
	second := openOn(t, url, post, app.Options{})
	second.run(t, app.Parts{Worker: true})
	second.caught(t, 5)
	second.settled(t)
	// As if the process had been killed before the record was written.
	for _, undo := range []string{
		`UPDATE mailer.notices SET state = 'pending', open = true, attempts = 0 WHERE contact_id = (SELECT min(contact_id) FROM mailer.notices)`,
		`UPDATE river.river_job SET state = 'available', finalized_at = NULL, scheduled_at = now() WHERE kind = 'send_notice'`,
	} {
		if _, err := second.DB.Exec(undo); err != nil {
			t.Fatal(err)
		}
	}
	all := second.caught(t, 6)
	copies := 0
	for _, l := range all[:5] {
		if l.GetHeader("Message-ID") == all[5].GetHeader("Message-ID") {
			copies++
			if !bytes.Equal(withoutTrace(l.raw), withoutTrace(all[5].raw)) {
				t.Errorf("the same notice came as\n%s\nand\n%s", l.raw, all[5].raw)
			}
		}
	}
	if copies != 1 {
		t.Errorf("the sixth has the Message-ID of %d", copies)
	}
}

// withoutTrace leaves out what the receiving server put on top.
func withoutTrace(raw []byte) []byte {
	_, after, _ := bytes.Cut(raw, []byte("Received: "))
	_, after, _ = bytes.Cut(after, []byte("\r\n"))
	return after
}

func TestAddressChange(t *testing.T) {
	t.Parallel()
	h, clock := asking(t, "", app.Options{})
	h.contacts(t, "anna@museum.example,Anna,it,weekly", "bruno@museum.example,Bruno,en,weekly")
	anna, err := subscribers.ContactByEmail(t.Context(), h.DB, "anna@museum.example")
	if err != nil {
		t.Fatal(err)
	}
	h.run(t, app.Parts{Worker: true})
	const old, other = "anna@museum.example", "anna@new.example"
	for i, step := range []struct {
		ask                         func(context.Context, database.Handle, int64, string) error
		purpose, to, hidden, masked string
	}{
		{h.SendAddressChange, compose.ReleasePurpose, old, other, "a••••@new.example"},
		{h.SendNewAddress, compose.ChangePurpose, other, old, "a••••@museum.example"},
	} {
		for range 2 { // at once
			if err := step.ask(t.Context(), h.DB, anna.ID, other); err != nil {
				t.Fatal(err)
			}
		}
		l := h.caught(t, i+1)[i]
		checkNotice(t, h, l, "it")
		made, err := compose.OpenChange(h.Composer.Keys, l.token(t, h, "/confirm/"))
		if err != nil || made.Purpose != step.purpose || made.Contact != anna.ID || made.NewAddress != other || !made.Holds(h.Composer.Keys, &anna) {
			t.Errorf("the link is %+v, %v", made, err)
		}
		if l.to != step.to || strings.Contains(string(l.raw), step.hidden) || !strings.Contains(l.Text, step.masked) {
			t.Errorf("the message for %s tells the other address:\n%s", l.to, l.Text)
		}
		if l.GetHeader("List-Unsubscribe") != "" {
			t.Errorf("the message for %s has list headers", l.to)
		}
	}
	h.settled(t)
	if n := value[int](t, h, `SELECT count(*) FROM mailer.notices WHERE old_address IS NOT NULL OR new_address IS NOT NULL`); n != 0 {
		t.Errorf("%d settled notices still know addresses", n)
	}
	if n := value[int](t, h, `SELECT count(*) FROM river.river_job WHERE args::text LIKE '%@%' OR errors::text LIKE '%@%'`); n != 0 {
		t.Errorf("%d jobs hold an address", n)
	}
	clock.Advance(time.Hour)
	if err := h.SendAddressChange(t.Context(), h.DB, 999_999, "x@new.example"); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("somebody on no list: %v", err)
	}
}

// Who confirms one change is not asked about another.
func TestStaleAddressChange(t *testing.T) {
	t.Parallel()
	h, clock := asking(t, "", app.Options{})
	h.contacts(t, "anna@museum.example,Anna,en,weekly")
	anna, err := subscribers.ContactByEmail(t.Context(), h.DB, "anna@museum.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.SendAddressChange(t.Context(), h.DB, anna.ID, "anna@typo.example"), h.SendNewAddress(t.Context(), h.DB, anna.ID, "anna@typo.example")); err != nil {
		t.Fatal(err)
	}
	if err := database.Transact(t.Context(), h.DB, func(tx *sqlx.Tx) error {
		to, err := subscribers.ParseAddress("anna@new.example")
		if err != nil {
			return err
		}
		return subscribers.ChangeAddress(t.Context(), tx, anna.ID, to, subscribers.Evidence{At: clock.Now(), Method: subscribers.ByPage})
	}); err != nil {
		t.Fatal(err)
	}
	h.run(t, app.Parts{Worker: true})
	if got := h.settled(t); !slices.Equal(got, []string{"new address cancelled 0", "old address cancelled 0"}) {
		t.Errorf("notices: %v", got)
	}
}

// A list that cannot send asks nobody, but keeps nobody from confirming.
func TestNoticesOfAListThatCannotSend(t *testing.T) {
	t.Parallel()
	h, _ := asking(t, "[[list]]\nslug = \"bare\"\n", app.Options{})
	address, _ := subscribers.ParseAddress("anna@museum.example")
	var joined []subscribers.Joined
	if err := database.Transact(t.Context(), h.DB, func(tx *sqlx.Tx) (err error) {
		joined, err = subscribers.Join(t.Context(), tx, subscribers.JoinRequest{
			Address: address, Wants: []subscribers.Want{{List: "bare"}}, Evidence: subscribers.Evidence{At: h.Clock.Now(), Method: subscribers.ByForm},
		})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := h.SendConfirmation(t.Context(), h.DB, joined[0].Subscription); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("asked: %v", err)
	}
	h.confirm(t, joined[0].Subscription)
	if n := value[int](t, h, `SELECT count(*) FROM mailer.notices`); n != 0 {
		t.Errorf("%d notices", n)
	}
}

// A pause that is over ends by itself.
func TestPausesEnd(t *testing.T) {
	t.Parallel()
	h, clock := asking(t, "", app.Options{})
	h.contacts(t, "paula@museum.example,Paula,en,weekly")
	until := clock.Now().Add(time.Hour)
	id := value[int64](t, h, `SELECT id FROM subscribers.subscriptions`)
	if err := subscribers.Pause(t.Context(), h.DB, id, &until, false, subscribers.Evidence{At: clock.Now(), Method: subscribers.ByPage}); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	h.run(t, app.Parts{Worker: true})
	testkit.Eventually(t, patience, "the pause is over", func() bool {
		got := h.told(t, "paula@museum.example")
		return got.State == "active" && got.Method == "schedule"
	})
}

// A program that is told to stop in the midst of a notice knows whether the server may have it, and writes that down.
func TestStoppingInANotice(t *testing.T) {
	t.Parallel()
	for verb, want := range map[string]string{"EHLO": "pending true 0", "RCPT": "pending true 0", catcher.Dot: "in_doubt true 1"} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		post := catchertest.Start(t, catcher.Config{OnEvent: func(e catcher.Event) {
			if e.Verb == verb {
				cancel()
			}
		}, Script: catcher.Script{{Verb: verb, Cut: catcher.CutAfter}}})
		h := openOn(t, testkit.FreshURL(t), post, app.Options{Retry: &atOnce})
		h.apply(t, list)
		h.ask(t, "anna@museum.example", "en")
		id := value[uuid.UUID](t, h, `SELECT id FROM mailer.notices`)
		if again, err := app.SendNotice(h.App, ctx, id); (err == nil) != (verb == catcher.Dot) || err == nil && again <= 0 {
			t.Errorf("stopped at %s: again after %s, %v", verb, again, err)
		}
		if got := value[string](t, h, `SELECT concat_ws(' ', state, open, attempts) FROM mailer.notices`); got != strings.ReplaceAll(want, "true", "t") {
			t.Errorf("stopped at %s: %s, want %s", verb, got, want)
		}
	}
}

// What is sent beside digests keeps to the same limits: it waits, and says for what.
func TestNoticesKeepToLimits(t *testing.T) {
	t.Parallel()
	h, _ := asking(t, "\n[[limit]]\nname = \"quiet\"\nsender = \"*\"\nper_hour = 1\n", app.Options{})
	h.run(t, app.Parts{Worker: true})
	h.ask(t, "editor@partner.example", "en")
	h.caught(t, 1)
	h.ask(t, "secretary@partner.example", "en")
	testkit.Eventually(t, patience, "the second says what it waits for", func() bool {
		return value[int](t, h, `SELECT count(*) FROM mailer.notices WHERE state = 'deferred' AND attempts = 0 AND reply = 'limit "quiet" has no room before 2026-11-22T13:01:00Z'`) == 1
	})
	trial, err := h.TryRelay(t.Context(), "partners", "office@example.org")
	if errs.KindOf(err) != errs.Unavailable || !strings.Contains(err.Error(), `limit "quiet" has no room before`) {
		t.Errorf("a test message: %+v, %v", trial, err)
	}
	h.caught(t, 1)
}

// Room that comes in a moment is waited for.
func TestNoticesWaitForRoom(t *testing.T) {
	t.Parallel()
	h := openOn(t, testkit.FreshURL(t), catchertest.Start(t, catcher.Config{}), app.Options{Retry: &atOnce})
	h.apply(t, list+"\n[[limit]]\nname = \"slow\"\nper_second = 1\n")
	h.run(t, app.Parts{Worker: true})
	for _, who := range []string{"editor", "secretary", "chair"} {
		h.ask(t, who+"@partner.example", "en")
	}
	h.caught(t, 3)
	if stand := h.settled(t); !slices.Equal(stand, []string{"confirmation sent 1", "confirmation sent 1", "confirmation sent 1"}) {
		t.Error(stand)
	}
}
