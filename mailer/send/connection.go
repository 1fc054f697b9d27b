package send

import (
	"context"
	"log/slog"
	"time"

	"silkpost/internal/database"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
)

// keepIdle is for how long a connection without work is kept: shorter than the five minutes that servers commonly allow.
const keepIdle = 30 * time.Second

// connection is one line to the relay: it dials when there is work, keeps the connection, and ends when work is closed.
func (s *Sender) connection(ctx context.Context, work <-chan item) {
	var c *conn
	defer func() {
		if c != nil {
			c.quit()
		}
	}()
	idle := time.NewTimer(keepIdle)
	defer idle.Stop()
	for {
		idle.Reset(keepIdle)
		select {
		case it, open := <-work:
			if !open {
				return
			}
			c = s.handle(ctx, c, it)
		case <-idle.C:
			if c != nil {
				c.quit()
				c = nil
			}
		}
	}
}

// handle brings one item to its outcome and returns the connection if it can be used again.
func (s *Sender) handle(ctx context.Context, c *conn, it item) *conn {
	if now := s.Clock.Now(); s.route.pauses(now) || s.destinations.pauses(it.Destination, now) {
		s.putBack(ctx, it)
		return c
	}
	parcel, err := s.Compose(ctx, it.Delivery)
	if err != nil && (ctx.Err() != nil || database.IsAway(err)) {
		s.putBack(ctx, it)
		return c
	}
	if err != nil {
		s.Log.ErrorContext(ctx, "a message could not be made", slog.Any("edition", it.EditionID), slog.Any("contact", it.ContactID), slog.Any("error", err))
		s.settle(it, reply.Reply{Phase: reply.Compose, Text: reply.OneLine(err.Error())})
		return c
	}
	c, r, tried := s.transmit(ctx, c, it, parcel)
	if !tried {
		s.putBack(ctx, it)
		return c
	}
	s.judge(ctx, it, r)
	s.settle(it, r)
	return c
}

// judge lets the route pause when an answer is about all we send, so that a mistake in the settings does not cost every recipient, and the
// destination when it is about all that goes there.
func (s *Sender) judge(ctx context.Context, it item, r reply.Reply) {
	kind := r.Kind()
	switch {
	case r.AboutUs():
		if !s.route.failed(s.Clock.Now()) {
			return
		}
		s.Log.WarnContext(ctx, "the relay takes nothing from us", slog.String("relay", s.Relay.Address()), slog.Any("kind", kind),
			slog.String("phase", string(r.Phase)), slog.Int("code", r.Code), slog.String("answer", r.Text))
		return
	case kind == reply.Unsupported:
		s.Log.WarnContext(ctx, "a message cannot be carried", slog.Any("edition", it.EditionID), slog.Any("contact", it.ContactID), slog.String("answer", r.Text))
	case kind.Pauses():
		s.pause(ctx, it.Destination, r)
	}
	if r.Phase != reply.Compose {
		s.route.works()
	}
}

// transmit sends a parcel, dialling when there is no connection. A kept connection may have been closed by the server since its
// last message: then, and only while the server has seen nothing of this message, a new one is dialled. It reports false, and no
// reply, when the item may not be sent any more.
func (s *Sender) transmit(ctx context.Context, c *conn, it item, p Parcel) (_ *conn, r reply.Reply, tried bool) {
	if c != nil {
		r, tried = s.deliver(ctx, c, it, p)
		if !r.Closed() {
			return c, r, tried
		}
		c.close()
		if !usedUp(r) {
			return nil, r, true
		}
	}
	c, err := s.Relay.dial(ctx, s.Helo)
	if err != nil {
		return nil, refusal(err), true
	}
	if r, tried = s.deliver(ctx, c, it, p); r.Closed() {
		c.close()
		return nil, r, tried
	}
	return c, r, tried
}

// usedUp reports an answer, or the lack of one, by which a server ends a kept connection before it has anything of the next message.
func usedUp(r reply.Reply) bool {
	return r.Phase == reply.Mail && r.Code/100 != 5 || r.Phase != reply.Dot && r.Kind() == reply.Crowded
}

// deliver sends a parcel over a connection, unless it may not be sent any more: that is asked here, after dialling, which can take
// its time. When ctx ends, the connection is closed and there is no answer.
func (s *Sender) deliver(ctx context.Context, c *conn, it item, p Parcel) (r reply.Reply, tried bool) {
	may, err := s.mayGo(ctx, it)
	if err != nil {
		s.Log.ErrorContext(ctx, "a delivery could not be checked before sending", slog.Any("edition", it.EditionID), slog.Any("contact", it.ContactID), slog.Any("error", err))
	}
	if err != nil || !may {
		return reply.Reply{Phase: reply.Compose}, false
	}
	unwatch := context.AfterFunc(ctx, c.close)
	defer unwatch()
	return c.deliver(p, func() bool { return it.lease.alive(s.Clock.Now()) }), true
}

// putBack returns an item that was not tried. If that fails, it comes back with all that its lease holds.
func (s *Sender) putBack(ctx context.Context, it item) {
	if err := ledger.PutBack(ctx, s.DB, it.lease.id, []*ledger.Delivery{it.Delivery}); err != nil {
		it.lease.renounce()
	}
}
