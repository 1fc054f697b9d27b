package edition

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/language"
	"silkpost/internal/testkit"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// A random life takes a while, so that fewer of them are lived than rapid would; -rapid.checks says how many.
func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "25")
	testkit.Main(m)
}

// monday is a Monday at noon in UTC, after the summer and before the winter.
var monday = time.Date(2026, 9, 14, 12, 0, 0, 0, time.UTC)

// world is a list with readers and articles on a clock of its own.
type world struct {
	t       testing.TB
	ctx     context.Context
	db      *sqlx.DB
	clock   *testkit.Clock
	planner *Planner
	store   articles.Store
	source  articles.Source
	sender  uuid.UUID // who claimed last
}

// catalogues are the languages that the product is taken to speak.
type catalogues []string

func (c catalogues) Language(wanted []string, fallback string) string {
	for _, tags := range [][]string{wanted, {fallback}} {
		if tag := language.Choose(tags, c); tag != "" {
			return tag
		}
	}
	return "en"
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, ctx: t.Context(), db: testkit.DB(t), clock: testkit.NewClock(monday)}
	w.planner = &Planner{Clock: w.clock, Languages: catalogues{"en", "it", "zh-Hans", "ar"}}
	list := subscribers.NewList("partners")
	list.Sender = subscribers.Sender{Name: "Example Association", Address: "news@example.org"}
	list.PostalAddress = "1 Example Street, 00000 Exampletown"
	list.ImmediateAfter = 0
	w.declare(list)
	var err error
	w.source, err = w.store.EnsureSource(w.ctx, w.db, "site", monday)
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) declare(list subscribers.List) {
	w.t.Helper()
	_, err := subscribers.DeclareList(w.ctx, w.db, list)
	w.must(err)
}

func (w *world) list() subscribers.List {
	w.t.Helper()
	return w.listed("partners")
}

func (w *world) listed(slug string) subscribers.List {
	w.t.Helper()
	list, err := subscribers.ListBySlug(w.ctx, w.db, slug)
	w.must(err)
	return list
}

// publish saves articles given as "key language": those with the same key are translations.
func (w *world) publish(specs ...string) {
	w.t.Helper()
	var drafts []articles.Draft
	for _, spec := range specs {
		key, tag, _ := strings.Cut(spec, " ")
		section, key, found := strings.Cut(key, "/")
		if !found {
			section, key = "News", section
		}
		drafts = append(drafts, articles.Draft{
			ExternalKey: spec, TranslationKey: key, Title: spec, Text: "Text of " + spec + ".", Language: tag, Section: section,
			Published: w.clock.Now(),
		})
	}
	w.must(database.Transact(w.ctx, w.db, func(tx *sqlx.Tx) error {
		_, err := w.store.Save(w.ctx, tx, w.source, drafts, articles.SaveOptions{Now: w.clock.Now()})
		return err
	}))
}

// subscribe puts a reader on the list: name, languages, rhythm, then perhaps topics and time zone.
func (w *world) subscribe(name, languages, rhythm string, more ...string) {
	w.t.Helper()
	w.subscribeTo("partners", name, languages, rhythm, more...)
}

func (w *world) subscribeTo(list, name, languages, rhythm string, more ...string) {
	w.t.Helper()
	more = append(more, "", "")
	csv := fmt.Sprintf("email,languages,rhythm,topics,time_zone\n%s@example.org,%s,%s,%s,%s\n", name, languages, rhythm, more[0], more[1])
	_, err := subscribers.ImportContacts(w.ctx, w.db, strings.NewReader(csv),
		subscribers.ImportOptions{List: list, Consent: "agreement", Now: w.clock.Now()})
	w.must(err)
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	_, err := w.db.ExecContext(w.ctx, query, args...)
	w.must(err)
}

// plan makes an edition by hand and returns it with what each reader gets, "name: key language, …" in the digest's order.
func (w *world) plan(rhythm string) (*Edition, []string) {
	w.t.Helper()
	return w.planList(w.list(), rhythm)
}

func (w *world) planList(list subscribers.List, rhythm string) (*Edition, []string) {
	w.t.Helper()
	w.must(ledger.Prepare(w.ctx, w.db, w.clock.Now()))
	var e *Edition
	w.must(database.Transact(w.ctx, w.db, func(tx *sqlx.Tx) (err error) {
		e, err = w.planner.Plan(w.ctx, tx, Request{List: list, Rhythm: rhythm, CutOff: w.clock.Now(), ByHand: true, AtOnce: true})
		return err
	}))
	w.clock.Advance(time.Minute)
	return e, w.gets(e)
}

func (w *world) gets(e *Edition) []string {
	w.t.Helper()
	entries, err := ledger.Entries(w.ctx, w.db, e.ID)
	w.must(err)
	var got []string
	for _, entry := range entries {
		found, err := w.store.ByIDs(w.ctx, w.db, entry.Articles)
		w.must(err)
		var titles []string
		for _, a := range found {
			titles = append(titles, a.Title)
		}
		name, _, _ := strings.Cut(entry.Email, "@")
		got = append(got, name+": "+strings.Join(titles, ", "))
	}
	slices.Sort(got)
	return got
}

// settle ends all open deliveries as sent or failed.
func (w *world) settle(state string) {
	w.t.Helper()
	w.exec(`UPDATE mailer.deliveries SET state = $1, due_at = NULL WHERE due_at IS NOT NULL`, state)
	if state == "failed" {
		w.exec(`INSERT INTO mailer.released SELECT d.subscription_id, unnest(v.groups) FROM mailer.deliveries d
			JOIN mailer.variants v ON v.id = d.variant_id WHERE d.state = 'failed' ON CONFLICT DO NOTHING`)
	}
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
