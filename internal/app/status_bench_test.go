package app_test

import (
	"testing"

	"silkpost/internal/app"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/ledger"
)

// What looking costs when an edition goes out to a million.
func BenchmarkLooking(b *testing.B) {
	post := catchertest.Start(b, catcher.Config{})
	a, err := app.Open(b.Context(), settings(testkit.FreshURL(b), post), app.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = a.Close(b.Context()) })
	now := a.Clock.Now()
	if err := ledger.Prepare(b.Context(), a.DB, now); err != nil {
		b.Fatal(err)
	}
	id := ledger.NewEditionID(now)
	for _, statement := range []string{
		`INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, created_at, recipients)
		 SELECT '` + id.String() + `', id, 'weekly', '2026-11-22', 'hand', 'sending', now(), now(), 1000000 FROM subscribers.lists`,
		`INSERT INTO mailer.deliveries (edition_id, contact_id, subscription_id, variant_id, state, not_before, due_at, code, reply)
		 SELECT '` + id.String() + `', i, i, 1, CASE WHEN i % 2 = 0 THEN 'sent' ELSE 'pending' END, now(), CASE WHEN i % 2 = 0 THEN NULL ELSE now() END,
		        CASE WHEN i % 2 = 0 THEN 250 ELSE 0 END, CASE WHEN i % 2 = 0 THEN '2.0.0 Ok: queued as 4XyZ1234AbC' ELSE '' END FROM generate_series(1, 1000000) i`,
		`ANALYZE mailer.deliveries`,
	} {
		if _, err := a.DB.Exec(statement); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("status", func(b *testing.B) {
		for b.Loop() {
			if s, err := a.Status(b.Context()); err != nil || s.Deliveries.Recipients != 1000000 {
				b.Fatal(s.Deliveries, err)
			}
		}
	})
	b.Run("watch", func(b *testing.B) {
		for b.Loop() {
			if p, err := a.Progress(b.Context()); err != nil || p.Editions[0].Deliveries.Sent != 500000 {
				b.Fatal(p, err)
			}
		}
	})
}
