package app

import (
	"log/slog"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/config"
	"silkpost/internal/metrics"
	"silkpost/mailer/destination"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

// ObserverForTest returns what one attempt costs log and metrics.
func ObserverForTest(log *slog.Logger) func() {
	id := uuid.MustParse("019a0000-0000-7000-8000-000000000001")
	o := &attempts{app: &App{Log: log, Config: config.Defaults(), metrics: metrics.New(), tally: &destination.Tally{}}, lists: map[uuid.UUID]string{id: "partners"}}
	a := ledger.Attempt{
		Delivery: &ledger.Delivery{EditionID: id, ContactID: 12345, Email: "office@museum.example"}, Outcome: reply.Sent,
		Reply: reply.Reply{Phase: reply.Dot, Code: 250, Text: "2.0.0 Ok: queued as 4XyZ1234AbC"},
	}
	return func() { o.observe(a, 20*time.Millisecond) }
}
