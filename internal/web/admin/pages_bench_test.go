package admin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/accounts"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/testkit"
	"silkpost/mailer/ledger"
)

// size is how much there is when pages are measured.
type size struct{ contacts, articles, editions, each int }

// promised is what the pages are promised for: 1,000,000 contacts, 100,000 articles and 10,000,000 deliveries.
var promised = size{contacts: 1_000_000, articles: 100_000, editions: 200, each: 50_000}

// small shows only that all runs.
var small = size{contacts: 2_000, articles: 300, editions: 20, each: 100}

// BenchmarkPages measures every page that can be looked at, as an owner who may see all. best-ms is the fastest of the runs: what the machine's other work does
// not blur. Pages that ask somebody else, such as the DNS, are measured with nobody there.
func BenchmarkPages(b *testing.B) {
	amount := promised
	if testkit.Quick() {
		amount = small
	}
	w := newWorld(b)
	w.crowd(b, amount)
	mux := http.NewServeMux()
	owner := w.by(accounts.Owner)
	owner.Roles = accounts.Roles
	w.Who = func(*http.Request) (accounts.Actor, error) { return *owner, nil }
	var paths []string
	for _, r := range w.routes() {
		mux.Handle(r.pattern, w.serve(r))
		if path, ok := strings.CutPrefix(r.pattern, "GET "); ok && !isOpen(r.pattern) && !strings.HasSuffix(path, "/stream") {
			paths = append(paths, w.address(path, "ours"))
		}
	}
	for _, path := range slices.Concat(paths, searches) {
		b.Run(path, func(b *testing.B) {
			fastest := time.Duration(1 << 62)
			for b.Loop() {
				begin := time.Now()
				answered := httptest.NewRecorder()
				mux.ServeHTTP(answered, httptest.NewRequest(http.MethodGet, path, nil))
				fastest = min(fastest, time.Since(begin))
				if answered.Code >= http.StatusInternalServerError {
					b.Fatalf("%d", answered.Code)
				}
			}
			b.ReportMetric(float64(fastest.Microseconds())/1000, "best-ms")
		})
	}
}

// searches are what people ask of the long tables.
var searches = []string{
	"/admin/articles?q=telescope", "/admin/articles?q=科学中心", "/admin/articles?q=nothinglikethis",
	"/admin/contacts?q=person77", "/admin/contacts?q=partner77.example", "/admin/contacts?q=nothinglikethis", "/admin/contacts?list=ours", "/admin/contacts?country=IT",
	"/admin/organisations?q=Organisation+17",
}

// crowd fills the world: contacts in 2,000 organisations on both lists, articles of one source, and editions of our list with deliveries, of which the newest
// goes out just now.
func (w *world) crowd(b *testing.B, amount size) {
	b.Helper()
	exec := func(statement string, args ...any) {
		b.Helper()
		if _, err := w.App.DB.ExecContext(b.Context(), statement, args...); err != nil {
			b.Fatalf("%s: %v", statement, err)
		}
	}
	now := w.App.Clock.Now().UTC().Truncate(time.Second)
	exec(`INSERT INTO subscribers.organisations (name, name_key, country, created_at)
		SELECT 'Organisation ' || i, 'organisation ' || i, (ARRAY['IT','DE','FR','CN','JP','TH'])[1 + i % 6], $1 FROM generate_series(1, 2000) i`, now)
	exec(`INSERT INTO subscribers.contacts (email, email_key, name, languages, language_keys, time_zone, created_at)
		SELECT 'Person' || i || '@Partner' || i % 5000 || '.example', 'person' || i || '@partner' || i % 5000 || '.example', 'Person ' || i, ARRAY['en'], ARRAY['en-Latn'], 'Europe/Rome',
		       $2::timestamptz - i * interval '1 minute'
		FROM generate_series(1, $1::bigint) i`, amount.contacts, now)
	exec(`INSERT INTO subscribers.memberships (organisation_id, contact_id)
		SELECT o.id, c.id FROM subscribers.contacts c JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM subscribers.organisations) o ON o.n = 1 + c.id % 2000`)
	for i, slug := range []string{"ours", "theirs"} {
		exec(`INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, activation, created_at)
			SELECT $1, id, CASE WHEN id % 12 = 5 THEN 'unsubscribed' ELSE 'active' END, 'weekly', 1, created_at FROM subscribers.contacts WHERE id % (1 + 4 * $2::bigint) = 0 ON CONFLICT DO NOTHING`, w.lists[slug], i)
	}
	exec(`INSERT INTO subscribers.consents (subscription_id, at, state, method) SELECT id, created_at, state, 'import' FROM subscribers.subscriptions`)
	w.write(b, amount.articles, now)
	for i := range amount.editions {
		w.mail(b, exec, now.Add(-time.Duration(amount.editions-i)*12*time.Hour), amount.each, i, i == amount.editions-1)
	}
	exec(`VACUUM ANALYZE`)
}

// write saves articles as a source gives them.
func (w *world) write(b *testing.B, n int, now time.Time) {
	b.Helper()
	words := []string{"The telescope on the roof opens in May; everybody is welcome.", "科学中心将于五月一日向公众开放新展厅。", "Il festival delle scienze comincia a ottobre.", "يفتح المعرض أبوابه في مايو."}
	for first := 0; first < n; first += 1000 {
		var drafts []articles.Draft
		for i := first; i < min(first+1000, n); i++ {
			drafts = append(drafts, articles.Draft{
				ExternalKey: fmt.Sprint(i), Title: fmt.Sprintf("Number %d: %s", i, words[i%len(words)]), HTML: "<p>" + strings.Repeat(words[i%len(words)]+" ", 20) + "</p>",
				Language: []string{"en", "zh-Hans", "it", "ar"}[i%4], Section: fmt.Sprintf("Section %d", i%12), Tags: []string{fmt.Sprintf("tag %d", i%50)},
				URL: fmt.Sprintf("https://www.example.org/%d", i), Published: now.Add(-time.Duration(n-i) * time.Hour),
			})
		}
		err := database.Transact(b.Context(), w.App.DB, func(tx *sqlx.Tx) error {
			source, err := w.App.Articles.SourceBySlug(b.Context(), tx, "site")
			if err != nil {
				return err
			}
			_, err = (&articles.Store{}).Save(b.Context(), tx, source, drafts, articles.SaveOptions{Now: now})
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// mail makes an edition with deliveries: all sent, but for those of the one that goes out.
func (w *world) mail(b *testing.B, exec func(string, ...any), at time.Time, each, nth int, going bool) {
	b.Helper()
	if err := ledger.Prepare(b.Context(), w.App.DB, at); err != nil {
		b.Fatal(err)
	}
	id, state := ledger.NewEditionID(at), "sent"
	if going {
		state = "sending"
	}
	exec(`INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, created_at, finished_at, recipients, articles, variants)
		VALUES ($1, $2, 'weekly', $3::timestamptz, 'hand', $4, $3, $3, CASE WHEN $4 = 'sent' THEN $3 END, $5, 1, 1)`, id, w.lists["ours"], at, state, each)
	exec(`INSERT INTO mailer.variants (edition_id, language, articles, groups, key) SELECT $1, 'en', ARRAY[min(id)], ARRAY[min(group_id)], 'k' FROM articles.articles`, id)
	exec(`INSERT INTO mailer.deliveries (edition_id, contact_id, subscription_id, variant_id, state, not_before, due_at, settled_at, begun, attempts, code, reply)
		SELECT $1, s.contact_id, s.id, (SELECT id FROM mailer.variants WHERE edition_id = $1), CASE WHEN open THEN 'pending' ELSE 'sent' END, $2, CASE WHEN open THEN $2::timestamptz END,
		       CASE WHEN NOT open THEN $2::timestamptz END, NOT open, CASE WHEN open THEN 0 ELSE 1 END, CASE WHEN open THEN 0 ELSE 250 END, CASE WHEN open THEN '' ELSE '2.0.0 Ok: queued' END
		FROM (SELECT contact_id, id, $3::boolean AND contact_id % 2 = 0 AS open FROM subscribers.subscriptions WHERE list_id = $4 AND state = 'active' AND contact_id > $6::bigint
		      ORDER BY contact_id LIMIT $5) s`, id, at, going, w.lists["ours"], each, nth*97)
	exec(`INSERT INTO mailer.attempts (edition_id, contact_id, number, at, outcome, phase, code, reply, sender_id)
		SELECT edition_id, contact_id, 1, settled_at, CASE WHEN contact_id % 50 = 0 THEN 'deferred' ELSE 'sent' END, 'dot', 250, '2.0.0 Ok: queued', $1
		FROM mailer.deliveries WHERE edition_id = $1 AND settled_at IS NOT NULL AND contact_id % 10 = 0`, id)
	w.records["ours"]["/admin/editions/"] = id.String()
}
