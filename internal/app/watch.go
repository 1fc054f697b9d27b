package app

import (
	"context"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/database"
	"silkpost/mailer/edition"
)

// Progress is how far the editions that go out have come at one moment.
type Progress struct {
	At       time.Time
	Editions []EditionStatus
}

// Done is how many deliveries need no more work, Open how many do.
func (s EditionStatus) Done() int { return s.Deliveries.Recipients - s.Open() }

// Open is how many deliveries have no outcome yet, or may be tried again.
func (s EditionStatus) Open() int {
	return s.Deliveries.Pending + s.Deliveries.InFlight + s.Deliveries.Deferred + s.Deliveries.InDoubt
}

// Progress returns the editions that go out, or wait to, and those that are named, each with its deliveries, the oldest first. It looks at their deliveries
// alone.
func (a *App) Progress(ctx context.Context, also ...uuid.UUID) (p Progress, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		p.At = a.Clock.Now()
		editions, err := edition.Going(ctx, h, also...)
		if err != nil {
			return err
		}
		p.Editions, err = a.withDeliveries(ctx, h, editions)
		return err
	})
	return p, err
}
