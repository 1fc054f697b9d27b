package app

import (
	"context"
	"fmt"
	"time"

	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/mailer/limit"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
)

// mail sends one message at once, beside the ledger: a notice, a link for an account, a test. It keeps to the same limits as digests do, but stands in no line
// behind them. check, unless it is nil, is asked right before the message. Where a limit has no room, the server hears nothing of it, and the error is a
// *noRoomError, of kind Unavailable.
func (a *App) mail(ctx context.Context, p send.Parcel, check func(context.Context) error) (reply.Reply, error) {
	return send.One(ctx, *a.relay, a.helo(), p, func(ctx context.Context, over send.Relay) error {
		if check != nil {
			if err := check(ctx); err != nil {
				return err
			}
		}
		return a.awaitRoom(ctx, &over, &p)
	})
}

// noRoomError says that a message may not go before a time.
type noRoomError struct {
	limit string
	until time.Time
}

func (e *noRoomError) Error() string {
	return fmt.Sprintf("limit %q has no room before %s", e.limit, e.until.UTC().Format(time.RFC3339))
}

// A message waits by itself for room that comes in a moment, as under a limit per second, but not for ever: others may always be quicker.
const (
	shortWait = 1500 * time.Millisecond
	waits     = 10
)

// awaitRoom reserves room for a message under all limits that are about it.
func (a *App) awaitRoom(ctx context.Context, over *send.Relay, p *send.Parcel) error {
	domain := ledger.DomainOf(p.To)
	destination, err := ledger.DestinationOf(ctx, a.DB, domain)
	if err != nil {
		return err
	}
	m := limit.Message{Relay: over.Address(), RelayHost: over.Host, Destination: destination, Domain: domain, Sender: p.Sender}
	for waited := 0; ; waited++ {
		wait, err := a.limits.Reserve(ctx, &m)
		if err != nil || wait.Limit == nil {
			return err
		}
		pause := wait.Until.Sub(a.Clock.Now())
		if pause > shortWait || waited == waits {
			return errs.New(errs.Unavailable, "%w", &noRoomError{wait.Limit.Name, wait.Until})
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
