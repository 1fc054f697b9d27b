package destination_test

import (
	"testing"
	"time"

	"silkpost/internal/testkit"
	"silkpost/mailer/destination"
)

// BenchmarkBusiest reads the first page of 15,000 destinations that took mail on each of 90 days, and sums up the last seven.
func BenchmarkBusiest(b *testing.B) {
	names := 15_000
	if testkit.Quick() {
		names = 100
	}
	db, today := testkit.DB(b), time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	if _, err := db.ExecContext(b.Context(), `
		INSERT INTO mailer.destination_days (name, day, sent, deferred) SELECT 'partner' || n || '.example', $1::date - d, 1 + 100000 / n, n % 3
		FROM generate_series(1, $2::integer) n, generate_series(0, 89) d`, today, names); err != nil {
		b.Fatal(err)
	}
	if _, err := db.ExecContext(b.Context(), `VACUUM ANALYZE mailer.destination_days`); err != nil {
		b.Fatal(err)
	}
	measure := func(name string, do func() error) {
		b.Run(name, func(b *testing.B) {
			fastest := time.Hour
			for b.Loop() {
				begin := time.Now()
				if err := do(); err != nil {
					b.Fatal(err)
				}
				fastest = min(fastest, time.Since(begin))
			}
			b.ReportMetric(float64(fastest.Microseconds())/1000, "best-ms")
		})
	}
	clock := testkit.NewClock(today)
	measure("sum", func() error {
		clock.Advance(time.Second)
		if _, err := db.ExecContext(b.Context(), `UPDATE mailer.destination_summed SET stale = true`); err != nil {
			return err
		}
		return destination.SumUp(b.Context(), db, clock, today.AddDate(0, 0, -6))
	})
	for _, find := range []string{"", "partner77", "nobody"} {
		measure("page "+find, func() error {
			_, err := destination.Busiest(b.Context(), db, find, destination.Day{}, 51)
			return err
		})
	}
}
