package edition

import (
	"fmt"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/mailer/ledger"
)

// BenchmarkPlan plans one edition for many contacts in 15 languages with 200 sets of topics, each language with each set, one in twenty of whom
// has changed rhythm since the last edition: their marks are somewhere in the week. The memory that it tells is this process's.
func BenchmarkPlan(b *testing.B) {
	for _, contacts := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(contacts), func(b *testing.B) {
			if testing.Short() && contacts > 10_000 {
				b.Skip("takes a while to set up")
			}
			w := crowd(b, contacts)
			for b.Loop() {
				b.StopTimer()
				w.publishTopics()
				b.StartTimer()
				w.planAll()
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/1000, "s/plan")
		})
	}
}

// crowd is a world with many readers, who have been on the list for a while.
func crowd(b *testing.B, contacts int) *world {
	w := newWorld(b)
	w.exec(`INSERT INTO subscribers.contacts (email, email_key, languages, language_keys, time_zone, created_at)
		SELECT 'r' || i || '@example.org', 'r' || i || '@example.org', ARRAY[tag, 'en'], ARRAY[tag || '-Latn', 'en-Latn'],
		       (ARRAY['Europe/Rome', 'Asia/Tokyo', 'America/Santiago', ''])[1 + i % 4], $2
		FROM generate_series(1, $1) i,
		LATERAL (SELECT (ARRAY['it', 'fr', 'de', 'es', 'pt', 'nl', 'cs', 'ro', 'sv', 'da', 'fi', 'pl', 'hu', 'tr', 'en'])[1 + i % 15] AS tag) t`,
		contacts, monday)
	w.exec(`INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, topics, created_at)
		SELECT (SELECT id FROM subscribers.lists), id, 'active', 'weekly',
		       ARRAY['t' || id / 15 % 20, 't' || (20 + id / 300 % 10)], $1 FROM subscribers.contacts`, monday)
	w.publishTopics()
	w.planAll()
	w.exec(`UPDATE mailer.marks SET position = position - 4 * (1 + hashint8(subscription_id) & 7) WHERE hashint8(subscription_id) % 20 = 0`)
	w.exec(`ANALYZE`)
	return w
}

// publishTopics publishes an article on each topic, in two languages.
func (w *world) publishTopics() {
	w.t.Helper()
	batch := time.Now().UnixNano()
	var specs []string
	for i := range 30 {
		for _, tag := range []string{"en", "it"} {
			specs = append(specs, fmt.Sprintf("t%d/a%d-%d %s", i, batch, i, tag))
		}
	}
	w.publish(specs...)
}

func (w *world) planAll() {
	w.t.Helper()
	w.must(ledger.Prepare(w.ctx, w.db, w.clock.Now()))
	w.must(database.Transact(w.ctx, w.db, func(tx *sqlx.Tx) error {
		_, err := w.planner.Plan(w.ctx, tx, Request{List: w.list(), Rhythm: "weekly", CutOff: w.clock.Now(), ByHand: true})
		return err
	}))
	w.clock.Advance(time.Minute)
}
