package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/config"
	"silkpost/internal/metrics"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
	"silkpost/subscribers"
)

// attempts tells log and metrics of each attempt. It is safe for concurrent use.
type attempts struct {
	app *App

	mu    sync.Mutex
	lists map[uuid.UUID]string // slugs by edition
}

// observe lets log and metrics see what a sender does.
func (a *App) observe(s *send.Sender) {
	seen := &attempts{app: a, lists: map[uuid.UUID]string{}}
	s.Observe, s.Watch = seen.observe, a.metrics
}

func (o *attempts) observe(a ledger.Attempt, took time.Duration) {
	destination := a.Delivery.Destination
	o.app.metrics.Attempted(metrics.Attempt{
		Outcome: string(a.Outcome), Kind: string(a.Reply.Kind()), Phase: string(a.Reply.Phase), Destination: destination, Took: took,
	})
	o.app.tally.Count(destination, string(a.Outcome), a.At)
	ctx := context.Background()
	if a.Outcome == reply.Sent && o.app.Config.LogAttempts == config.LogUnsent || !o.app.Log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	d := a.Delivery
	address := d.Email
	if o.app.Config.LogAddresses != config.Whole {
		address = subscribers.Mask(address)
	}
	// Nothing of the server's words but its queue id: they may name a person.
	line := make([]slog.Attr, 0, 16)
	line = append(line, slog.String("outcome", string(a.Outcome)), slog.String("edition", d.EditionID.String()), slog.String("list", o.list(ctx, d.EditionID)),
		slog.Int64("contact", d.ContactID), slog.String("to", address), slog.String("destination", destination), slog.String("relay", a.Relay),
		slog.Int("attempt", d.Attempts+1), slog.String("phase", string(a.Reply.Phase)), slog.Int("code", a.Reply.Code), slog.Int64("ms", took.Milliseconds()))
	if enhanced := a.Reply.Enhanced(); enhanced != "" {
		line = append(line, slog.String("enhanced", enhanced))
	}
	if id := a.Reply.QueueID(); id != "" {
		line = append(line, slog.String("queue_id", id))
	}
	if a.Outcome != reply.Sent {
		line = append(line, slog.String("about", string(a.Reply.Kind())))
	}
	if !a.DueAt.IsZero() {
		line = append(line, slog.Time("next", a.DueAt.UTC().Truncate(time.Second)))
	}
	o.app.Log.LogAttrs(ctx, slog.LevelInfo, "attempt", line...)
}

// knownLists is for how many editions the list is remembered.
const knownLists = 1000

// list returns the slug of an edition's list, "" when that cannot be found out at once.
func (o *attempts) list(ctx context.Context, id uuid.UUID) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if slug, known := o.lists[id]; known {
		return slug
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	e, err := edition.ByID(ctx, o.app.DB, id)
	if err != nil {
		return ""
	}
	list, err := subscribers.ListByID(ctx, o.app.DB, e.ListID)
	if err != nil {
		return ""
	}
	if len(o.lists) == knownLists {
		clear(o.lists)
	}
	o.lists[id] = list.Slug
	return list.Slug
}
