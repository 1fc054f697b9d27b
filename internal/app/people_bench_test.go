package app_test

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/app"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// populate fills a database with people: contacts in 2,000 organisations of 20 countries, on 50 lists of which the largest has a quarter of
// them, a fifth of them on two; suppressions, and ten editions that were sent.
func populate(t testing.TB, db *sqlx.DB, contacts int) {
	t.Helper()
	ctx, start := t.Context(), time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(ctx, statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	exec(`INSERT INTO subscribers.organisations (name, name_key, country, created_at)
		SELECT 'Organisation ' || i, 'organisation ' || i, (ARRAY['IT','DE','FR','ES','GB','NL','RU','UA','CZ','RS','JP','TH','PK','MU','CN','PL','AT','CH','PT','GR'])
		       [1 + floor(20 * power((i * 7919 % 2000) / 2000.0, 2))::int], '2023-01-01'
		FROM generate_series(1, 2000) i`)
	exec(`INSERT INTO subscribers.contacts (email, email_key, name, languages, language_keys, time_zone, attributes, created_at)
		SELECT 'Person' || i || '@Partner' || i % 5000 || '.example', 'person' || i || '@partner' || i % 5000 || '.example', 'Person ' || i,
		       ARRAY[(ARRAY['en','en','en','en','it','it','de','fr','zh-Hans','ru'])[1 + i * 13 % 10]],
		       ARRAY[(ARRAY['en-Latn','en-Latn','en-Latn','en-Latn','it-Latn','it-Latn','de-Latn','fr-Latn','zh-Hans','ru-Cyrl'])[1 + i * 13 % 10]],
		       'Europe/Rome',
		       jsonb_strip_nulls(jsonb_build_object('city', 'City ' || i * 31 % 300, 'role', (ARRAY['director','press','teacher','curator'])[1 + i % 4],
		                         'vip', CASE WHEN i % 100 = 0 THEN 'yes' END, 'country', CASE WHEN i % 20 = 0 THEN 'IT' END)),
		       timestamptz '2023-01-01' + i * interval '95 seconds'
		FROM generate_series(1, $1::bigint) i`, contacts)
	exec(`INSERT INTO subscribers.memberships (organisation_id, contact_id) -- all but those with a country of their own, without a pattern
		SELECT 1 + abs(hashint8(id)) % 2000, id FROM subscribers.contacts WHERE id % 20 <> 0`)
	exec(`INSERT INTO subscribers.lists (slug, name) SELECT 'list-' || i, '{}' FROM generate_series(2, 50) i`)
	exec(`INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, activation, created_at, paused_until)
		SELECT 1 + floor(50 * power((id * 7919 % 100000) / 100000.0, 3))::int, id, state, (ARRAY['weekly','weekly','weekly','daily','monthly','immediate'])[1 + id * 11 % 6],
		       1, created_at, CASE WHEN state = 'paused' THEN timestamptz '2027-01-01' END
		FROM subscribers.contacts, LATERAL (SELECT CASE WHEN id % 20 = 7 THEN 'pending' WHEN id % 50 = 9 THEN 'paused' WHEN id % 12 = 5 THEN 'unsubscribed'
		                                           ELSE 'active' END AS state) x`)
	exec(`INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, activation, created_at)
		SELECT 1 + id * 7 % 50, id, 'active', 'weekly', 1, '2025-01-01' FROM subscribers.contacts WHERE id % 5 = 1 ON CONFLICT DO NOTHING`)
	exec(`INSERT INTO subscribers.consents (subscription_id, at, state, method) SELECT id, created_at, state, 'import' FROM subscribers.subscriptions`)
	exec(`INSERT INTO subscribers.suppressions (address_key, reason, at) SELECT email_key, 'hard bounce', '2026-01-01' FROM subscribers.contacts WHERE id % 100 = 42`)
	exec(`INSERT INTO subscribers.suppressions (domain_key, reason, at) SELECT 'partner' || i || '.example', 'manual', '2026-01-01' FROM generate_series(1, 50) i`)
	if err := ledger.Prepare(ctx, db, start); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		at := start.AddDate(0, 0, i)
		id := ledger.NewEditionID(at)
		exec(`INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, created_at) VALUES ($1, 1, 'weekly', $2::timestamptz, 'hand', 'sent', $2, $2)`, id, at)
		exec(`INSERT INTO mailer.variants (edition_id, language, articles, groups, key) VALUES ($1, 'en', '{}', '{}', 'k')`, id)
		exec(`INSERT INTO mailer.deliveries (edition_id, contact_id, subscription_id, variant_id, state, not_before, settled_at, begun, attempts, code, reply)
			SELECT $1, s.contact_id, s.id, (SELECT id FROM mailer.variants WHERE edition_id = $1), 'sent', $2, $2, true, 1, 250, '2.0.0 ok'
			FROM subscribers.subscriptions s WHERE s.list_id = 1 AND s.state = 'active' AND s.rhythm = 'weekly'`, id, at)
		exec(`INSERT INTO mailer.attempts (edition_id, contact_id, number, at, outcome, phase, code, reply, sender_id)
			SELECT edition_id, contact_id, 1, settled_at, 'sent', 'dot', 250, '2.0.0 ok', $1 FROM mailer.deliveries WHERE edition_id = $1`, id)
	}
	exec(`INSERT INTO mailer.reached SELECT id, contact_id, list_id, timestamptz '2026-01-01' + (id % 200) * interval '1 day'
		FROM subscribers.subscriptions WHERE state = 'active'`)
	exec(`VACUUM ANALYZE`)
}

// millions is the size of what is measured: the one that is promised, or with -short one that only shows that all runs.
func millions() int {
	if testing.Short() {
		return 10_000
	}
	return 1_000_000
}

// audiences are filters that are measured: of each kind alone, large and small, and together.
var audiences = []string{
	"",
	"list = partners",
	"list = list-3 and rhythm = weekly and mailable",
	"rhythm = weekly",
	"state = active",
	"mailable",
	"country = PT",
	"country = IT",
	"organisation = \"Organisation 17\"",
	"language = it",
	"attribute city = \"City 3\"",
	"attribute city contains \"y 3\"",
	"attribute vip exists",
	"joined before 2024-01-01",
	"sent after 2026-06-20",
	"not sent after 2026-06-20",
	"list = partners and language = it and state = active",
	"list = partners and country = IT and mailable",
	"list = partners and not sent after 2026-06-20",
	"language = it and state = active",
	"country = IT and language = it and attribute role = press and state = active",
}

// contactFilters are what the administrators' list of contacts is narrowed by: to many, few and none.
var contactFilters = map[string]subscribers.ContactFilter{
	"all":                 {},
	"address":             {Text: "person123456@"},
	"many addresses":      {Text: "person"},
	"some addresses":      {Text: "person77"},
	"domain":              {Text: "partner77.ex"},
	"beginning":           {Text: "pe"},
	"nobody":              {Text: "nobody has this"},
	"organisation":        {Text: "Organisation 17"},
	"list":                {List: "partners"},
	"small list":          {List: "list-49"},
	"pending":             {State: subscribers.Pending},
	"paused on a list":    {State: subscribers.Paused, List: "list-3"},
	"active on a list":    {State: subscribers.Active, List: "partners"},
	"suppressed":          {Suppressed: true},
	"country":             {Country: "PT"},
	"language":            {Language: "it"},
	"language of nobody":  {Language: "mt"},
	"many together":       {Country: "IT", Language: "it", State: subscribers.Active, List: "list-3"},
	"text, list, pending": {Text: "person", List: "list-7", State: subscribers.Pending, Country: "GR"},
	"within three lists":  {Within: []int64{1, 7, 49}},
	"within, text":        {Within: []int64{1, 7, 49}, Text: "partner7"},
	"within, suppressed":  {Within: []int64{49}, Suppressed: true, Language: "ru"},
}

func parse(t testing.TB, filter string) subscribers.Audience {
	t.Helper()
	a, err := subscribers.ParseAudience(filter)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// BenchmarkPeople measures what is asked about a million people. best-ms is the fastest of the runs: what the machine's other work does not blur.
func BenchmarkPeople(b *testing.B) {
	h := peopledApp(b)
	populate(b, h.DB, millions())
	for _, filter := range audiences {
		a := parse(b, filter)
		b.Run("count/"+filter, func(b *testing.B) {
			found := 0
			best(b, func() (err error) { found, err = subscribers.CountAudience(b.Context(), h.DB, a); return err })
			b.ReportMetric(float64(found), "contacts")
		})
	}
	for name, f := range contactFilters {
		b.Run("find/"+name, func(b *testing.B) {
			found := 0
			best(b, func() error {
				page, err := subscribers.FindContacts(b.Context(), h.DB, f, 0, 50)
				found = len(page.Contacts)
				return err
			})
			b.ReportMetric(float64(found), "contacts")
		})
	}
	for name, ask := range map[string]func(ctx context.Context) error{
		"organisation": func(ctx context.Context) error {
			_, _, err := subscribers.OrganisationReach(ctx, h.DB, "Organisation 17")
			return err
		},
		"organisations": func(ctx context.Context) error { _, err := subscribers.OrganisationsReached(ctx, h.DB); return err },
		"unreachable":   func(ctx context.Context) error { _, err := subscribers.Unreachable(ctx, h.DB); return err },
		"contact": func(ctx context.Context) error {
			_, err := h.ContactFile(ctx, "person77@partner77.example")
			return err
		},
	} {
		b.Run(name, func(b *testing.B) { best(b, func() error { return ask(b.Context()) }) })
	}
	for _, format := range []subscribers.ExportFormat{subscribers.CSV, subscribers.JSONLines} {
		for what, list := range map[app.Exports]string{app.ExportContacts: "", app.ExportConsent: "", app.ExportSuppressions: ""} {
			b.Run(fmt.Sprintf("export/%s/%s", what, format), func(b *testing.B) { benchExport(b, h, what, format, list) })
		}
	}
}

// best runs what is measured and reports its fastest run.
func best(b *testing.B, run func() error) {
	fastest := time.Duration(1 << 62)
	for b.Loop() {
		begin := time.Now()
		if err := run(); err != nil {
			b.Fatal(err)
		}
		fastest = min(fastest, time.Since(begin))
	}
	b.ReportMetric(float64(fastest.Microseconds())/1000, "best-ms")
}

// benchExport reports records a second and by how much the heap grew at most.
func benchExport(b *testing.B, a *app.App, what app.Exports, format subscribers.ExportFormat, list string) {
	records := 0
	var w weigher
	for b.Loop() {
		w = newWeigher()
		n, err := a.Export(b.Context(), &w, what, format, list)
		if err != nil {
			b.Fatal(err)
		}
		records += n
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(w.most-w.before)/(1<<20), "heap-MiB")
}

// weigher throws away what it is given and looks now and then at what is in memory.
type weigher struct {
	written, looked int
	before, most    uint64
}

func newWeigher() weigher {
	runtime.GC()
	return weigher{before: heap()}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Write counts.
func (w *weigher) Write(p []byte) (int, error) {
	if w.written += len(p); w.written-w.looked > 1<<20 {
		w.looked, w.most = w.written, max(w.most, heap())
	}
	return len(p), nil
}

// peopledApp is the program on a new database.
func peopledApp(t testing.TB) *app.App {
	t.Helper()
	post := catchertest.Start(t, catcher.Config{})
	a, err := app.Open(t.Context(), settings(testkit.FreshURL(t), post), app.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(context.Background()) })
	return a
}

var explain = flag.String("explain", "", "write the plans of the hot queries about people to this file")

// hot are the queries that the page of plans shows.
var hot = []struct {
	title, why string
	run        func(ctx context.Context, db *sqlx.DB) error
}{
	{"The contact of an address", "each press on a page, each bounce", func(ctx context.Context, db *sqlx.DB) error {
		_, err := subscribers.ContactByEmail(ctx, db, "person77@partner77.example")
		return err
	}},
	{"May this contact still be mailed", "right before each message that waited for a second", func(ctx context.Context, db *sqlx.DB) error {
		_, err := ledger.Recheck(ctx, db, uuid.New(), &ledger.Delivery{EditionID: uuid.New(), ContactID: 78, SubscriptionID: 78}, time.Unix(0, 0))
		return err
	}},
	{"The rhythms in use of the largest list", "each planning", func(ctx context.Context, db *sqlx.DB) error {
		_, err := subscribers.RhythmsInUse(ctx, db, 1)
		return err
	}},
	{"An organisation as a whole", "organisation show", func(ctx context.Context, db *sqlx.DB) error {
		_, _, err := subscribers.OrganisationReach(ctx, db, "Organisation 17")
		return err
	}},
	{"Organisations with nobody reachable left", "status", func(ctx context.Context, db *sqlx.DB) error {
		_, err := subscribers.Unreachable(ctx, db)
		return err
	}},
	{"All organisations", "organisation list", func(ctx context.Context, db *sqlx.DB) error {
		_, err := subscribers.OrganisationsReached(ctx, db)
		return err
	}},
	{"What a contact was sent", "contact show, contact erase", func(ctx context.Context, db *sqlx.DB) error {
		_, err := ledger.ReceivedBy(ctx, db, []int64{77})
		return err
	}},
	{"An edition narrowed by an audience", "Audience.Condition on a list's readers", func(ctx context.Context, db *sqlx.DB) error {
		a, err := subscribers.ParseAudience("language = it and attribute role = press")
		if err != nil {
			return err
		}
		condition, args, err := a.Condition(ctx, db, 2)
		if err != nil {
			return err
		}
		_, err = db.ExecContext(ctx, `SELECT m.subscription_id FROM subscribers.mailable m WHERE m.list_id = $1 AND `+condition, append([]any{1}, args...)...)
		return err
	}},
}

// The page of plans is written anew with
//
//	go test ./internal/app -run TestExplain -timeout 30m -explain ../../docs/explain.md
func TestExplain(t *testing.T) {
	contacts := 2000
	if *explain != "" {
		contacts = millions()
	} else if testing.Short() {
		t.Skip("only with -explain, or to see that it works")
	}
	url := testkit.FreshURL(t)
	var plans []string
	var listening atomic.Bool
	connector, err := pq.NewConnector(url)
	if err != nil {
		t.Fatal(err)
	}
	db := sqlx.NewDb(sql.OpenDB(pq.ConnectorWithNoticeHandler(connector, func(notice *pq.Error) {
		if listening.Load() {
			plans = append(plans, notice.Message)
		}
	})), "postgres")
	defer db.Close()
	db.SetMaxOpenConns(1) // what is set holds for the session
	populate(t, db, contacts)
	for _, statement := range []string{
		`LOAD 'auto_explain'`, `SET auto_explain.log_min_duration = 0`, `SET auto_explain.log_analyze = on`, `SET auto_explain.log_buffers = on`,
		`SET auto_explain.log_level = notice`, `SET auto_explain.log_timing = on`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	var page bytes.Buffer
	fmt.Fprintf(&page, explainHead, contacts)
	show := func(title, why string, run func(ctx context.Context, db *sqlx.DB) error) {
		t.Helper()
		for warm := range 3 { // the first two bring into memory what is looked at
			listening.Store(warm == 2)
			if err := run(t.Context(), db); err != nil {
				t.Fatalf("%s: %v", title, err)
			}
		}
		listening.Store(false)
		before := page.Len()
		if writePlans(&page, title, why, plans); !strings.Contains(page.String()[before:], "Buffers: shared") {
			t.Errorf("%s: no plan came: %q", title, plans)
		}
		plans = nil
	}
	for _, query := range hot {
		show(query.title, query.why, query.run)
	}
	for _, filter := range audiences[1:] {
		a := parse(t, filter)
		show("Counting "+filter, "audience count", func(ctx context.Context, db *sqlx.DB) error {
			_, err := subscribers.CountAudience(ctx, db, a)
			return err
		})
	}
	if *explain != "" {
		if err := os.WriteFile(*explain, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const explainHead = `# Plans of the hot queries about people

What Postgres does for what is asked often, or about everybody, with %d contacts, 2,000 organisations and 50 lists, the largest of which has a quarter
of them. Times are of one run on a machine with two cores that had other work too; take the shapes. Each query ran three times, and the last is
shown, so what is read is in memory. The page is written anew with

    go test ./internal/app -run TestExplain -timeout 30m -explain ../../docs/explain.md

How long the same takes is measured by

    go test ./internal/app -run '^$' -bench People -timeout 30m
`

var planStart = regexp.MustCompile(`(?m)^.*  \(cost=`)

// writePlans writes the plans of a query's statements, but for those that look up a row by its key.
func writePlans(w io.Writer, title, why string, plans []string) {
	fmt.Fprintf(w, "\n## %s\n\n%s\n", title, why)
	for _, plan := range plans {
		head, rest, _ := strings.Cut(plan, " ms  plan:\nQuery Text: ")
		at := planStart.FindStringIndex(rest)
		if at == nil || len(plans) > 1 && strings.Count(rest[at[0]:], "\n") < 4 {
			continue
		}
		fmt.Fprintf(w, "\n%s ms\n\n```sql\n%s\n```\n\n```\n%s\n```\n", strings.TrimPrefix(head, "duration: "), unindented(rest[:at[0]]),
			strings.TrimRight(rest[at[0]:], "\n"))
	}
}

// unindented takes from each line of a statement the indentation that all have.
func unindented(statement string) string {
	lines := strings.Split(strings.Trim(statement, "\n\t "), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(strings.TrimRight(line, "\t "), "\t\t")
	}
	return strings.Join(lines, "\n")
}
