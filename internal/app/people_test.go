package app_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"silkpost/internal/app"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/notice"
	"silkpost/subscribers"
)

// No MAIL FROM later than two seconds after a suppression: what is claimed by then and not begun is not sent (P5). The server answers the
// first messages only when everybody else is suppressed, by address and by domain.
func TestSuppressedWhileSending(t *testing.T) {
	t.Parallel()
	const people, connections = 40, 3
	suppressed := make(chan struct{})
	var begun atomic.Int32
	post := catchertest.Start(t, catcher.Config{OnEvent: func(e catcher.Event) {
		if e.Verb == catcher.Dot {
			begun.Add(1)
			<-suppressed
		}
	}})
	clock := testkit.NewClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	h := openOn(t, testkit.FreshURL(t), post, app.Options{Clock: clock})
	h.apply(t, list)
	rows := many(people, "weekly")
	for i := range people / 2 {
		rows[i] = strings.Replace(rows[i], "partner.example", "domain.example", 1)
	}
	h.contacts(t, rows...)
	h.articles(t, relayEn)
	done := make(chan app.Sent)
	go func() {
		sent, err := h.SendDigest(t.Context(), app.SendOptions{List: "partners", Wait: true})
		if err != nil {
			t.Error(err)
		}
		done <- sent
	}()
	testkit.Eventually(t, patience, "each connection has a message in hand", func() bool { return begun.Load() == connections })
	claimed := value[int](t, h, `SELECT count(*) FROM mailer.deliveries WHERE state = 'in_flight'`)
	if claimed <= connections {
		t.Errorf("%d are claimed: nobody waits in the window", claimed)
	}
	suppress := func(whom string) {
		if _, err := subscribers.Suppress(t.Context(), h.DB, whom, subscribers.Manual, "a test", clock.Now()); err != nil {
			t.Error(err)
		}
	}
	suppress("domain.example")
	for i := people / 2; i < people; i++ {
		suppress(fmt.Sprintf("reader-%d@partner.example", i))
	}
	clock.Advance(2 * time.Second)
	close(suppressed)
	sent := <-done
	if d := sent.Deliveries; d.Sent != connections || d.Suppressed != people-connections || d.Recipients != people {
		t.Errorf("%+v; want %d sent, those that were begun", d, connections)
	}
	mails := 0
	for _, e := range post.Events() {
		if e.Verb == "MAIL" {
			mails++
		}
	}
	if mails != connections {
		t.Errorf("MAIL FROM was said %d times, %d of them after the suppressions", mails, mails-connections)
	}
	if begun := begun.Load(); begun != connections || len(post.Messages()) != connections {
		t.Errorf("%d messages were begun, %d caught", begun, len(post.Messages()))
	}
}

// mentions returns the tables that hold a text, in whatever schema and column, also as bytes.
func (h *house) mentions(t *testing.T, text string) (found []string) {
	t.Helper()
	var tables []string
	if err := h.DB.Select(&tables, `
		SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
		WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if value[bool](t, h, `SELECT EXISTS (SELECT FROM `+table+` t WHERE strpos(lower(t::text), lower($1)) > 0 OR strpos(lower(t::text), $2) > 0)`,
			text, hex.EncodeToString([]byte(text))) {
			found = append(found, table)
		}
	}
	return found
}

// withHistory is a house in which much has happened to Anna, and as much to Bruno: refused and deferred mail, with her name in what the
// servers answered, a suppression, a pause.
func withHistory(t *testing.T) *house {
	t.Helper()
	h := open(t, catcher.Rule{Verb: "RCPT", To: "anna.kestrel@*", Reply: "451 4.2.1 <Anna.Kestrel@museum.example>: Anna Kestrel is away", Times: 1},
		catcher.Rule{Verb: "RCPT", To: "anna.kestrel@*", Reply: "550 5.1.1 <Anna.Kestrel@museum.example>: no Kestrel here"})
	h.apply(t, list+"rhythms = [\"weekly\"]\n")
	file := "email,name,organisation,languages,time_zone,topics,hobby\n" +
		"Anna.Kestrel@museum.example,Anna Kestrel,Museum,it;en,Europe/Vaduz,robotics,falconry\n" +
		"bruno@museum.example,Bruno,Museum,en,,,chess\n"
	if _, err := h.ImportContacts(t.Context(), strings.NewReader(file), subscribers.ImportOptions{List: "partners", Consent: "They asked for it"}); err != nil {
		t.Fatal(err)
	}
	h.articles(t, relayEn, relayIt)
	if _, err := h.SendDigest(t.Context(), app.SendOptions{List: "partners"}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.DB.Exec(`UPDATE mailer.deliveries SET due_at = not_before WHERE due_at IS NOT NULL`); err != nil { // not to wait two minutes
		t.Fatal(err)
	}
	stop := h.run(t, app.Parts{Worker: true})
	testkit.Eventually(t, patience, "all is settled", func() bool {
		return value[int](t, h, `SELECT count(*) FROM mailer.deliveries WHERE state IN ('sent', 'failed')`) == 2
	})
	stop()
	if _, err := subscribers.Suppress(t.Context(), h.DB, "anna.kestrel@museum.example", subscribers.HardBounce, "a bounce", h.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	h.articles(t, seatsEn)
	if _, err := h.SendDigest(t.Context(), app.SendOptions{List: "partners", Wait: true}); err != nil {
		t.Fatal(err)
	}
	return h
}

// After an erasure no table of any schema holds the person, and every count is what it was.
func TestErasure(t *testing.T) {
	t.Parallel()
	h := withHistory(t)
	words := []string{"Kestrel", "anna", "falconry", "Vaduz"}
	for _, word := range words[:2] {
		if found := h.mentions(t, word); !slices.Contains(found, "subscribers.contacts") || !slices.Contains(found, "mailer.attempts") || !slices.Contains(found, "mailer.deliveries") {
			t.Errorf("%q stood in %v alone: the test looks at nothing", word, found)
		}
	}
	anna, err := subscribers.ContactByEmail(t.Context(), h.DB, "anna.kestrel@museum.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, send := range []func(context.Context, database.Handle, int64, string) error{h.SendAddressChange, h.SendNewAddress} {
		if err := send(t.Context(), h.DB, anna.ID, "kestrel@elsewhere.example"); err != nil {
			t.Fatal(err)
		}
	}
	asked := value[uuid.UUID](t, h, `SELECT id FROM mailer.notices WHERE kind = 'new address'`)
	refused := notice.Outcome{State: notice.Deferred, Tried: true, Again: true, Code: 451, Reply: "4.2.1 <kestrel@elsewhere.example>: Anna is away"}
	if err := notice.Settle(t.Context(), h.DB, asked, refused, h.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(h.mentions(t, "kestrel@elsewhere"), "mailer.notices") {
		t.Error("the notices name nobody: the test looks at nothing")
	}
	rows, counts := h.rows(t), value[string](t, h, `SELECT string_agg(state, ' ' ORDER BY state) FROM mailer.deliveries`)
	erased, err := h.EraseContact(t.Context(), "anna.kestrel@MUSEUM.example", "a test")
	before := erased.Before
	if err != nil || len(erased.Mentions) > 0 || before.Name != "Anna Kestrel" || len(before.Deliveries) != 1 || len(before.Notices) != 2 {
		t.Fatalf("%+v, %v", before, err)
	}
	// An attempt that was under way is written down without her name.
	if err := notice.Settle(t.Context(), h.DB, asked, refused, h.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if kept := value[string](t, h, `SELECT code || ' ' || reply FROM mailer.notices WHERE id = $1`, asked); kept != "451 4.2.1" {
		t.Errorf("of the answer to a notice is left %q", kept)
	}
	for _, word := range words {
		if found := h.mentions(t, word); len(found) > 0 {
			t.Errorf("%q still stands in %v", word, found)
		}
	}
	want := rows
	want["subscribers.memberships"]--
	want["subscribers.consents"]++  // that it ended, and how
	want["subscribers.counts"] += 2 // one less in the state that it was in, one more in that it is in now
	if diff := cmp.Diff(want, h.rows(t)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if now := value[string](t, h, `SELECT string_agg(state, ' ' ORDER BY state) FROM mailer.deliveries`); now != counts {
		t.Errorf("states were %s and are %s", counts, now)
	}
	if kept := value[string](t, h, `SELECT string_agg(code || ' ' || reply, ', ' ORDER BY number) FROM mailer.attempts WHERE contact_id = $1`, before.ID); kept != "451 4.2.1, 550 5.1.1" {
		t.Errorf("of the replies is left %q", kept)
	}
	if reason := value[string](t, h, `SELECT reason FROM subscribers.suppressions`); reason != "erased" {
		t.Errorf("suppressed for %s", reason)
	}
	if len(h.mentions(t, "bruno")) == 0 {
		t.Error("somebody else is gone")
	}
	for _, again := range []string{"anna.kestrel@museum.example", "nobody@museum.example"} {
		if _, err := h.EraseContact(t.Context(), again, "a test"); errs.KindOf(err) != errs.NotFound {
			t.Errorf("%s: %v", again, err)
		}
	}
	// The account still shows what happened.
	deliveries, err := h.Deliveries(t.Context(), before.Deliveries[0].Edition)
	if err != nil || len(deliveries) != 2 || deliveries[0].Address != "" || deliveries[0].State != "failed" {
		t.Errorf("%+v, %v", deliveries, err)
	}
}

// What administrators wrote themselves is theirs to change; they are told.
func TestErasureTellsOfMentions(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list+"description = { en = \"Ask Anna@museum.example\" }\n[[organisation]]\nname = \"Museum\"\nnotes = \"Write to anna@MUSEUM.example\"\n")
	file := "email,secretary\nanna@museum.example,\nbruno@museum.example,Anna@museum.example\n"
	if _, err := h.ImportContacts(t.Context(), strings.NewReader(file), subscribers.ImportOptions{List: "partners", Consent: "Mail of anna@museum.example"}); err != nil {
		t.Fatal(err)
	}
	if _, err := subscribers.Suppress(t.Context(), h.DB, "museum.example", subscribers.Manual, "Asked by anna@museum.example", h.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	erased, err := h.EraseContact(t.Context(), "anna@museum.example", "a test")
	want := []string{"the notes of the organisation Museum", "the list partners", "the log of consents", "what is held of contact 2", "the origin of a suppression"}
	if err != nil || !slices.Equal(erased.Mentions, want) {
		t.Errorf("%q, %v", erased.Mentions, err)
	}
}

// The file of a contact has everything that was sent, with its titles and answers.
func TestContactFile(t *testing.T) {
	t.Parallel()
	h := withHistory(t)
	anna, err := h.ContactFile(t.Context(), "ANNA.kestrel@museum.example")
	if err != nil {
		t.Fatal(err)
	}
	if len(anna.Deliveries) != 1 || len(anna.Consents) != 1 || len(anna.Suppressions) != 1 || len(anna.Organisations) != 1 || anna.Attributes["hobby"] != "falconry" {
		t.Fatalf("%+v", anna)
	}
	d := anna.Deliveries[0]
	if d.List != "partners" || d.Rhythm != "weekly" || d.State != "failed" || d.Language != "it" || d.SettledAt == nil || d.MessageID == "" ||
		len(d.Articles) != 1 || d.Articles[0].Title != relayIt.title || d.Articles[0].GUID == "" {
		t.Errorf("%+v", d)
	}
	if len(d.Attempts) != 2 || d.Attempts[0].Outcome != "deferred" || d.Attempts[1].Code != 550 || !strings.Contains(d.Attempts[1].Reply, "no Kestrel here") {
		t.Errorf("%+v", d.Attempts)
	}
	bruno, err := h.ContactFile(t.Context(), "bruno@museum.example")
	if err != nil || len(bruno.Deliveries) != 2 || bruno.Deliveries[0].Articles[0].Title != seatsEn.title || bruno.Deliveries[1].State != "sent" {
		t.Errorf("%+v, %v", bruno.Deliveries, err)
	}
	text, err := json.Marshal(bruno)
	if err != nil || bytes.Contains(text, []byte("null,")) && !bytes.Contains(text, []byte(`"paused_until":null`)) {
		t.Errorf("%s, %v", text, err)
	}
	if bytes.Contains(bytes.ToLower(text), []byte("kestrel")) {
		t.Error("somebody else stands in the file")
	}
}

// Who was reached last is known once it was sent, and status raises whom nothing reaches any more.
func TestOrganisationsAfterSending(t *testing.T) {
	t.Parallel()
	h := withHistory(t)
	reach, people, err := subscribers.OrganisationReach(t.Context(), h.DB, "museum")
	if err != nil || reach.Contacts != 2 || reach.Reached != 1 || len(people) != 2 || people[0].LastSent != nil || people[1].LastSent == nil ||
		!slices.Equal(people[0].Suppressed, []subscribers.Reason{subscribers.HardBounce}) || !reach.LastSent.Equal(*people[1].LastSent) {
		t.Fatalf("%+v, %+v, %v", reach, people, err)
	}
	if status, err := h.Status(t.Context()); err != nil || len(status.Unreached) != 0 {
		t.Errorf("%v, %v", status.Unreached, err)
	}
	if _, err := h.EraseContact(t.Context(), "bruno@museum.example", "a test"); err != nil {
		t.Fatal(err)
	}
	if status, err := h.Status(t.Context()); err != nil || !slices.Equal(status.Unreached, []string{"Museum"}) {
		t.Errorf("%v, %v", status.Unreached, err)
	}
}

// All three exports go through one snapshot; what there is not is told.
func TestExport(t *testing.T) {
	t.Parallel()
	h := withHistory(t)
	for what, want := range map[app.Exports]int{app.ExportContacts: 2, app.ExportConsent: 2, app.ExportSuppressions: 1} {
		for _, format := range []subscribers.ExportFormat{subscribers.CSV, subscribers.JSONLines} {
			var out bytes.Buffer
			n, err := h.Export(t.Context(), &out, what, format, "")
			if lines := strings.Count(out.String(), "\n"); err != nil || n != want || lines < want {
				t.Errorf("%s as %s: %d, %d lines, %v", what, format, n, lines, err)
			}
		}
	}
	if _, err := h.Export(t.Context(), &bytes.Buffer{}, "people", subscribers.CSV, ""); errs.KindOf(err) != errs.Invalid {
		t.Errorf("an unknown export: %v", err)
	}
}
