package limit_test

import (
	"testing"

	"silkpost/internal/clock"
	"silkpost/internal/testkit"
	"silkpost/mailer/limit"
)

// BenchmarkReserve reserves room for a message when nothing is declared, and under three limits that have enough.
func BenchmarkReserve(b *testing.B) {
	message := limit.Message{Relay: "relay:25", RelayHost: "relay", Destination: "google.com", Domain: "museum.example", Sender: "news@example.org"}
	for name, limits := range map[string][]limit.Limit{
		"none":  nil,
		"three": {{Name: "all", PerSecond: 1_000_000}, {Name: "each", Destination: limit.Each, PerMinute: 1_000_000_000}, {Name: "day", PerDay: 1_000_000_000}},
	} {
		b.Run(name, func(b *testing.B) {
			l := &limit.Limiter{DB: testkit.DB(b), Clock: clock.System{}}
			declare(b, l.DB, limits...)
			b.ReportAllocs()
			for b.Loop() {
				if wait, err := l.Reserve(b.Context(), &message); err != nil || wait.Limit != nil {
					b.Fatal(wait, err)
				}
			}
		})
	}
}
