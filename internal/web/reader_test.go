package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/net/html"

	"silkpost/internal/database"
	"silkpost/internal/testkit"
	"silkpost/internal/token"
	"silkpost/internal/web"
	"silkpost/mailer/compose"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// reading is a site with what the pages of those who read need: a clock, lists, and the mails that would be sent.
type reading struct {
	*site
	clock   *testkit.Clock
	config  web.Config
	mails   []int64  // subscriptions that a mail to confirm was asked for
	changes []string // contact and new address of those that ask at the present address
	moves   []string // contact and new address of those that ask at the new one
}

// openReading opens a site with the lists partners (double opt-in), press (single), events (double, Italian name) and board, which is not public.
func openReading(t *testing.T, change ...func(*web.Config)) *reading {
	t.Helper()
	b := &reading{clock: testkit.NewClock(now)}
	b.site = open(t, append(append([]func(*web.Config){b.wire}, change...), func(c *web.Config) { b.config = *c })...)
	for slug, change := range map[string]func(*subscribers.List){
		"partners": func(l *subscribers.List) {
			l.Name = database.StringMap{"en": "News for our partners", "it": "Notizie per i partner"}
			l.Sender.Name, l.Selection.Sections, l.Selection.Tags = "Example Association", []string{"News"}, []string{"robotics"}
		},
		"press": func(l *subscribers.List) { l.OptIn = "single"; l.Name = database.StringMap{"en": "Press"} },
		"events": func(l *subscribers.List) {
			l.Rhythms, l.DefaultRhythm = []string{"daily", "monthly"}, "monthly"
			l.Name = database.StringMap{"en": "Events"}
		},
		"board": func(l *subscribers.List) { l.Public = false; l.Name = database.StringMap{"en": "Board"} },
	} {
		list := subscribers.NewList(slug)
		change(&list)
		if _, err := subscribers.DeclareList(t.Context(), b.db, list); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func (b *reading) wire(c *web.Config) {
	c.Clock = b.clock
	c.SendConfirmation = func(_ context.Context, h database.Handle, subscription int64) error {
		b.mails = append(b.mails, subscription)
		return inTransaction(h)
	}
	c.SendAddressChange = func(_ context.Context, h database.Handle, contact int64, address string) error {
		b.changes = append(b.changes, fmt.Sprint(contact, " ", address))
		return inTransaction(h)
	}
	c.SendNewAddress = func(_ context.Context, h database.Handle, contact int64, address string) error {
		b.moves = append(b.moves, fmt.Sprint(contact, " ", address))
		return inTransaction(h)
	}
}

// inTransaction wants mails to be sent in the transaction that makes them true.
func inTransaction(h database.Handle) error {
	if _, ok := h.(*sqlx.Tx); !ok {
		return fmt.Errorf("%T is no transaction", h)
	}
	return nil
}

// subscribed imports somebody onto lists and returns their subscriptions.
func (b *reading) subscribed(t testing.TB, email string, lists ...string) (ids []int64) {
	t.Helper()
	for _, list := range lists {
		o := subscribers.ImportOptions{List: list, Consent: "They asked", Now: b.clock.Now()}
		if _, err := subscribers.ImportContacts(t.Context(), b.db, strings.NewReader("email,languages\n"+email+",it\n"), o); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, b.subscriptionOf(t, email, list))
	}
	return ids
}

func (b *reading) subscriptionOf(t testing.TB, email, list string) int64 {
	t.Helper()
	return value[int64](t, b.db, `
		SELECT s.id FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id JOIN subscribers.lists l ON l.id = s.list_id
		WHERE c.email_key = lower($1) AND l.slug = $2`, email, list)
}

func value[V any](t testing.TB, db *sqlx.DB, query string, args ...any) (v V) {
	t.Helper()
	if err := db.GetContext(t.Context(), &v, query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func rows(t testing.TB, db *sqlx.DB, query string, args ...any) []string {
	t.Helper()
	found := []string{}
	if err := db.SelectContext(t.Context(), &found, query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return found
}

// delivered makes the account say that a message of a subscription was delivered now.
func (b *reading) delivered(t testing.TB, subscription int64) {
	t.Helper()
	if err := ledger.Prepare(t.Context(), b.db, b.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.db.ExecContext(t.Context(), `
		INSERT INTO mailer.deliveries (edition_id, contact_id, subscription_id, variant_id, state, not_before, settled_at)
		SELECT $1, contact_id, id, 1, 'sent', $3, $3 FROM subscribers.subscriptions WHERE id = $2`,
		ledger.NewEditionID(b.clock.Now()), subscription, b.clock.Now()); err != nil {
		t.Fatal(err)
	}
}

func (b *reading) link(page string, id int64) string {
	purpose := map[string]string{
		"confirm": compose.ConfirmPurpose, "preferences": compose.PreferencesPurpose, "unsubscribe": compose.UnsubscribePurpose,
	}[page]
	return "/" + page + "/" + b.keys.Sign(purpose, id)
}

// state is what a subscription is, and what the log says of it last: state, method, statement, origin, network.
func (b *reading) state(t testing.TB, id int64) string {
	t.Helper()
	return value[string](t, b.db, `SELECT state FROM subscribers.subscriptions WHERE id = $1`, id)
}

func (b *reading) logged(t testing.TB, id int64) []string {
	t.Helper()
	return rows(t, b.db, `SELECT concat_ws('|', state, method, statement, origin, network) FROM subscribers.consents WHERE subscription_id = $1 ORDER BY id`, id)
}

// seen is a page as a browser has it.
type seen struct {
	*httptest.ResponseRecorder
	path string
	root *html.Node
}

func (b *reading) open(t testing.TB, path string, header ...string) seen {
	t.Helper()
	return read(t, path, b.get(path, header...))
}

func read(t testing.TB, path string, answer *httptest.ResponseRecorder) seen {
	t.Helper()
	root, err := html.Parse(strings.NewReader(answer.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	return seen{answer, path, root}
}

// h1 is what the page says above all.
func (p seen) h1() string {
	for n := range p.root.Descendants() {
		if n.Data == "h1" && n.Type == html.ElementNode {
			return strings.TrimSpace(text(n))
		}
	}
	return ""
}

// buttons are the values of the page's buttons: what they do.
func (p seen) buttons() (values []string) {
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "button" {
			values = append(values, attribute(n, "value"))
		}
	}
	return values
}

// form returns what a browser posts when the button with a value is pressed; ok is false when there is none.
func (p seen) form(do string) (fields url.Values, ok bool) {
	for n := range p.root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" {
			continue
		}
		fields, ok := controls(n, do)
		if ok {
			return fields, true
		}
	}
	return nil, false
}

// control returns what a browser posts for one name.
func (p seen) control(do, name string) string {
	fields, _ := p.form(do)
	return fields.Get(name)
}

// controls returns the successful controls of a form that is sent by one of its buttons.
func controls(form *html.Node, do string) (fields url.Values, ok bool) {
	fields = url.Values{}
	for n := range form.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		name, value := attribute(n, "name"), attribute(n, "value")
		switch n.Data {
		case "button":
			if value == do {
				ok = true
				if name != "" {
					fields.Add(name, value)
				}
			}
		case "input":
			kind := attribute(n, "type")
			if (kind != "radio" && kind != "checkbox") || has(n, "checked") {
				fields.Add(name, value)
			}
		case "select":
			fields.Add(name, selected(n))
		}
	}
	return fields, ok
}

func selected(list *html.Node) (value string) {
	first := true
	for n := range list.Descendants() {
		if n.Type == html.ElementNode && n.Data == "option" && (first || has(n, "selected")) {
			value, first = attribute(n, "value"), false
		}
	}
	return value
}

func has(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

// press presses the button of a page that has a value, after filling fields in: name and value in turn, "" empties.
func (b *reading) press(t testing.TB, on seen, do string, fill ...string) seen {
	t.Helper()
	fields, ok := on.form(do)
	if !ok {
		t.Fatalf("no button %q on the page %q, which has %q", do, on.h1(), on.buttons())
	}
	for i := 0; i < len(fill); i += 2 {
		fields.Set(fill[i], fill[i+1])
	}
	return b.post(t, on.path, fields)
}

func (b *reading) post(t testing.TB, path string, fields url.Values, header ...string) seen {
	t.Helper()
	return read(t, path, b.ask(http.MethodPost, path, fields.Encode(), header...))
}

const again = "Press once more"

// insist presses like a person, who presses once more when asked; asked says whether that was so.
func (b *reading) insist(t testing.TB, on seen, do string, fill ...string) (after seen, asked bool) {
	t.Helper()
	after = b.press(t, on, do, fill...)
	if after.h1() != again {
		return after, false
	}
	after = b.press(t, after, "")
	if after.h1() == again {
		t.Fatalf("%s on %s is asked about for ever", do, on.path)
	}
	return after, true
}

// wait lets so much time pass that nobody takes a press for a program's.
func (b *reading) wait() { b.clock.Advance(3*time.Minute + time.Second) }

// rekey makes the site, and those who make links, use other keys.
func (b *reading) rekey(keys token.Keys) {
	cfg := b.config
	cfg.Keys = keys
	b.site.Handler = web.New(cfg)
}
