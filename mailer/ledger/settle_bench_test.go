package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

// BenchmarkSettle claims and settles deliveries in batches of what a committer finds waiting: a few connections, and a hundred.
func BenchmarkSettle(b *testing.B) {
	for _, batch := range []int{10, 100} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			const people = 20_000
			w := newBook(b, people)
			w.exec(`ANALYZE`)
			sender, left := w.enlist(noon), 0
			settled, clerk := 0, ledger.NewClerk(w.db)
			for b.Loop() {
				if left < batch {
					b.StopTimer()
					w.exec(`UPDATE mailer.deliveries SET state = 'pending', due_at = $1`, noon)
					w.exec(`UPDATE mailer.editions SET state = 'approved'`)
					w.exec(`TRUNCATE mailer.attempts`)
					w.exec(`VACUUM ANALYZE mailer.deliveries`)
					left = people
					b.StartTimer()
				}
				claimed := w.claim(sender, noon, batch)
				attempts := make([]ledger.Attempt, len(claimed))
				for i, d := range claimed {
					attempts[i] = outcome(sender, d, reply.Sent, noon.Add(time.Second))
				}
				w.must(clerk.Settle(w.ctx, attempts))
				left -= len(claimed)
				settled += len(claimed)
			}
			b.ReportMetric(float64(settled)/b.Elapsed().Seconds(), "deliveries/s")
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(settled), "µs/delivery")
		})
	}
}
