package send

import (
	"context"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/mailer/ledger"
	"silkpost/mailer/limit"
)

// shortWait is for how long a connection waits by itself for room under a limit of all that goes over its relay: nothing else could go meanwhile. What
// has to wait for longer, or while others could go, stands in a line in the database.
const shortWait = 1500 * time.Millisecond

// about returns what limits are about in a delivery.
func (s *Sender) about(d *ledger.Delivery, way *route) limit.Message {
	m := limit.Message{Relay: way.relay.Address(), RelayHost: way.relay.Host, Destination: d.Destination, Domain: ledger.DomainOf(d.Email)}
	if sender, known := s.senders.Load(d.EditionID); known {
		m.Sender, _ = sender.(string)
	}
	return m
}

// hasTurn reserves room for the next item under all limits. When there is none, it reports false: the item stands in a line then, or it is its turn in a
// moment, for which the connection waits if no message is in hand.
func (c *connection) hasTurn(ctx context.Context) bool {
	s, e := c.sender, c.next
	if limits, err := s.Limits.Limits(ctx); err == nil && len(limits) == 0 {
		return true
	}
	s.senders.Store(e.EditionID, e.Sender)
	m := s.about(e.Delivery, c.way)
	wait, err := s.Limits.Reserve(ctx, &m)
	now := s.Clock.Now()
	switch {
	case err != nil:
		if ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "no room could be reserved under the limits", slog.Any("error", err))
		}
		s.putBack(ctx, e.item)
	case wait.Limit == nil:
		return true
	case wait.OfAll() && wait.Until.Sub(now) <= shortWait:
		if c.inHand == nil {
			sleep(ctx, wait.Until.Sub(now))
		}
		return false // the next turn asks again
	default:
		s.hold(ctx, e.lease, wait, []*ledger.Delivery{e.Delivery})
	}
	c.next = nil
	c.done(e)
	return false
}

// holdBack puts those of a window in lines that would have to wait, as far as that is known, and returns the others. So each delivery that waits is
// claimed once before its turn, and keeps no connection from what may go.
func (s *Sender) holdBack(ctx context.Context, w window) (may []*ledger.Delivery) {
	s.note(w.deliveries)
	limits, err := s.Limits.Limits(ctx)
	if err != nil || len(limits) == 0 {
		return w.deliveries
	}
	waiting, waits := map[string][]*ledger.Delivery{}, map[string]limit.Wait{}
	now, way := s.Clock.Now(), s.routes.way()
	for _, d := range w.deliveries {
		m := s.about(d, way)
		wait := s.Limits.Closed(limits, &m, d.HeldUntil != nil)
		if wait.Limit == nil || wait.OfAll() && wait.Until.Sub(now) <= shortWait {
			may = append(may, d)
			continue
		}
		waiting[wait.Line()] = append(waiting[wait.Line()], d)
		waits[wait.Line()] = wait
	}
	for line, held := range waiting {
		s.hold(ctx, w.lease, waits[line], held)
	}
	return may
}

// note has it found out where the domains of a window belong.
func (s *Sender) note(window []*ledger.Delivery) {
	if s.MX == nil {
		return
	}
	last := ""
	for _, d := range window {
		if domain := ledger.DomainOf(d.Email); domain != last {
			s.MX.Note(domain)
			last = domain
		}
	}
}

// hold puts deliveries that were not tried at the end of their line. If that fails, they come back with all that their lease holds.
func (s *Sender) hold(ctx context.Context, l *lease, wait limit.Wait, deliveries []*ledger.Delivery) {
	var last time.Time
	err := database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		if _, err := limit.Open(ctx, tx, wait.Limit.Name, wait.About); err != nil { // one after the other, or turns would be given twice
			return err
		}
		end, err := ledger.LastOf(ctx, tx, wait.Line(), s.Clock.Now())
		if err != nil {
			return err
		}
		turns := wait.Limit.Line(wait.Period, wait.Until, end, len(deliveries))
		last = turns[len(turns)-1]
		return ledger.Hold(ctx, tx, l.id, wait.Line(), deliveries, turns)
	})
	if err != nil {
		if ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "deliveries that have to wait could not be put back", slog.Any("error", err))
		}
		l.renounce()
		return
	}
	s.Limits.Stand(wait, last)
}
