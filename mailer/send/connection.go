package send

import (
	"context"
	"log/slog"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/reply"
)

// keepIdle is for how long a connection without work is kept: shorter than the five minutes that servers commonly allow.
const keepIdle = 30 * time.Second

// prompt is how fast a server answers to a message for the next MAIL to go out with that message. Behind a slower one it would lie waiting, and be read
// when what is known of its contact is no longer fresh (P5).
const prompt = 500 * time.Millisecond

// errand is a delivery that a connection has taken up, with its message.
type errand struct {
	item
	Parcel
}

// connection is one line to the relay. It works in turns. In a turn it writes the message in hand with its final dot and, in the same breath, the
// commands that open the next one; then it reads all answers. Before a message goes out the outcome of the one before it is committed (P3); making the
// next message overlaps with that.
type connection struct {
	sender    *Sender
	way       *route        // that the wire takes
	entered   bool          // there may be a wire
	wire      *conn         // nil: none is open
	prompt    bool          // the last verdict came soon
	inHand    *errand       // the server waits for its message
	next      *errand       // taken up, not begun yet
	owed      bool          // an outcome was handed in, and nobody has waited until it is committed
	committed chan struct{} // gets something when it is
	spare     [][]byte      // buffers of messages that are done with
	hangUp    func() bool   // undoes that the end of the context closes the wire
}

// connection runs a connection until work is closed. It dials when there is work. When ctx ends, it breaks off.
// There is one only when its route has room for it.
func (s *Sender) connection(ctx context.Context, work <-chan item, over <-chan struct{}) {
	c := &connection{sender: s, committed: make(chan struct{}, 1)}
	defer c.leave()
	for c.enter(over) && c.takeUp(ctx, work) {
		c.turn(ctx)
	}
}

// enter waits until the route has room for this connection, and leaves one that there should not be any more. It reports false when all is done.
func (c *connection) enter(over <-chan struct{}) bool {
	if c.next != nil || c.inHand != nil {
		return true
	}
	if c.entered && !c.sender.routes.stays(c.way, c.wire != nil) {
		c.leave()
	}
	if !c.entered {
		c.entered = c.sender.routes.enter(over, c.sender.Clock.Now)
	}
	return c.entered
}

// takeUp takes up the next item, if there is none yet, and reports false when all is done. It waits only when nothing is in hand. While a message is in
// hand for a server that could not be told of the next one with it, there is none.
func (c *connection) takeUp(ctx context.Context, work <-chan item) bool {
	for c.next == nil {
		if c.inHand != nil {
			if !c.overlaps() {
				return true
			}
			select {
			case it, open := <-work:
				if !open {
					return true
				}
				c.next = c.prepare(ctx, it)
				continue
			default:
				return true
			}
		}
		idle := time.NewTimer(keepIdle)
		select {
		case it, open := <-work:
			idle.Stop()
			if !open {
				return false
			}
			c.next = c.prepare(ctx, it)
		case <-idle.C:
			c.hang()
		}
	}
	return true
}

// overlaps reports whether the next transaction may be opened in the same breath with the message in hand.
func (c *connection) overlaps() bool {
	return c.wire.pipelines && c.prompt && c.sender.routes.stays(c.way, true)
}

// prepare makes the message of an item. Of one that cannot go now, nil is returned.
func (c *connection) prepare(ctx context.Context, it item) *errand {
	s := c.sender
	it.begun = s.Clock.Now()
	if s.routes.pauses(it.begun) || s.destinations.pauses(it.Destination, it.begun) {
		s.putBack(ctx, it)
		return nil
	}
	parcel, err := s.Compose(ctx, it.Delivery, c.buffer())
	switch {
	case err == nil:
		return &errand{it, parcel}
	case ctx.Err() != nil || database.IsAway(err):
		s.putBack(ctx, it)
	default:
		level := slog.LevelError
		if errs.KindOf(err) == errs.Unavailable {
			level = slog.LevelDebug // such as a key to sign with: it is told once, and concerns many
		}
		s.Log.Log(ctx, level, "a message could not be made", slog.Any("edition", it.EditionID), slog.Any("contact", it.ContactID), slog.Any("error", err))
		c.report(ctx, &errand{item: it}, reply.Reply{Phase: reply.Compose, Text: reply.OneLine(err.Error())})
	}
	return nil
}

// turn ends the transaction in hand and opens the next, as far as there are such.
func (c *connection) turn(ctx context.Context) {
	if c.inHand == nil {
		if c.dial(ctx) && c.mayBegin(ctx) {
			c.opened(ctx, c.wire.open(&c.next.Parcel))
		}
		return
	}
	c.awaitCommit()
	opening := c.next != nil && c.wire.lacks(&c.next.Parcel) == "" && c.mayBegin(ctx)
	if !c.mayFinish(ctx) {
		return
	}
	message := c.inHand.Wire
	if opening = opening && c.next.fresh(c.sender.Clock.Now()); opening { // asking after the one in hand may have taken its time
		message = c.wire.appendOpening(message, &c.next.Parcel)
	}
	r := c.finish(message)
	done := c.inHand
	c.inHand, done.Wire = nil, message // which may have moved
	c.report(ctx, done, r)
	if ended(r) {
		c.cut() // the next one was not read, or it would have been answered
	} else if opening {
		c.opened(ctx, c.wire.opened())
	}
}

// finish writes the message in hand, with what follows it, and returns the verdict.
func (c *connection) finish(message []byte) reply.Reply {
	begin := c.sender.Clock.Now()
	if err := c.wire.write(message, reply.Dot); err != nil {
		return lost(reply.Dot, err)
	}
	r := c.wire.verdict()
	c.prompt = c.sender.Clock.Now().Sub(begin) < prompt
	return r
}

// opened deals with the answer that decided whether the next transaction is open. A kept connection may have been closed by the server, or be used up:
// then, and only while the server has seen nothing of this message, the next turn begins it anew over another one.
func (c *connection) opened(ctx context.Context, r reply.Reply) {
	switch {
	case r.Code == goOn:
		c.inHand, c.next = c.next, nil
		return
	case ended(r) && usedUp(r) && c.wire.messages > 1:
	default:
		refused := c.next
		c.next = nil
		c.report(ctx, refused, r)
	}
	if ended(r) {
		c.cut()
	}
}

// usedUp reports an answer, or the lack of one, by which a server ends a kept connection before it has anything of the next message.
func usedUp(r reply.Reply) bool {
	return r.Phase == reply.Mail && r.Code/100 != 5 || r.Phase != reply.Dot && r.Kind() == reply.Crowded
}

// ended reports whether the connection is of no more use after an answer.
func ended(r reply.Reply) bool { return r.Code/100 != 2 && r.Code != goOn && r.Closed() }

// dial opens a connection if there is none.
func (c *connection) dial(ctx context.Context) bool {
	if c.wire != nil {
		return true
	}
	c.way = c.sender.routes.way()
	wire, err := c.way.relay.dial(ctx, c.sender.Helo)
	if err != nil {
		c.unreachable(ctx, refusal(err))
		return false
	}
	c.sender.routes.worked(c.way, c.sender.Clock.Now())
	c.wire, c.prompt = wire, false
	c.connected(1)
	c.hangUp = context.AfterFunc(ctx, wire.close)
	return true
}

// unreachable deals with a connection that could not be made. While others work, it is one too many, and its item goes back, as it does when it was we
// who broke off; else that is the outcome of the item.
func (c *connection) unreachable(ctx context.Context, r reply.Reply) {
	refused := c.next
	c.next = nil
	if ctx.Err() == nil && c.sender.routes.unreachable(c.way, c.sender.Clock.Now()) { // else it was we who broke off
		if c.sender.refused(ctx, c.way, r); c.sender.routes.way() == c.way {
			c.report(ctx, refused, r)
		} else { // another relay takes it at once
			c.sender.putBack(ctx, refused.item)
			c.done(refused)
		}
	} else {
		c.sender.putBack(ctx, refused.item)
		c.done(refused)
	}
	c.leave()
}

// mayBegin reports whether MAIL may be written for the next item. One that may not go is put back, and one that has to wait is held until its turn. It is
// asked right before, and after dialling, which can take its time.
func (c *connection) mayBegin(ctx context.Context) bool {
	if !c.may(ctx, c.next) {
		c.next = nil
		return false
	}
	return c.hasTurn(ctx)
}

// mayFinish reports whether the message in hand may go out. If not, the connection is closed, for the server waits for nothing else, and it is put back.
func (c *connection) mayFinish(ctx context.Context) bool {
	if c.may(ctx, c.inHand) {
		return true
	}
	c.inHand = nil
	c.cut()
	return false
}

// may reports whether an errand may go. If not, it is put back.
func (c *connection) may(ctx context.Context, e *errand) bool {
	may, err := c.sender.mayGo(ctx, &e.item)
	if err != nil {
		c.sender.Log.ErrorContext(ctx, "a delivery could not be checked before sending", slog.Any("edition", e.EditionID), slog.Any("contact", e.ContactID), slog.Any("error", err))
	}
	if err == nil && may {
		return true
	}
	c.sender.putBack(ctx, e.item)
	c.done(e)
	return false
}

// report deals with the outcome of an errand and hands it in. It does not wait until that is committed, unless another one still waits.
func (c *connection) report(ctx context.Context, e *errand, r reply.Reply) {
	c.sender.judge(ctx, e.item, c.way, r)
	c.awaitCommit()
	c.sender.settle(e.item, c.way, r, c.committed)
	c.owed = true
	c.done(e)
}

// awaitCommit waits until the outcome that was handed in last is committed, or given up because the process must end.
func (c *connection) awaitCommit() {
	if c.owed {
		<-c.committed
		c.owed = false
	}
}

// buffer returns an empty buffer for a message.
func (c *connection) buffer() []byte {
	if n := len(c.spare); n > 0 {
		b := c.spare[n-1]
		c.spare = c.spare[:n-1]
		return b
	}
	return nil
}

// done takes the buffer of an errand back.
func (c *connection) done(e *errand) {
	if cap(e.Wire) > 0 {
		c.spare = append(c.spare, e.Wire[:0])
	}
}

// leave ends the connection politely, and makes room for another.
func (c *connection) leave() {
	c.hang()
	if c.entered {
		c.entered = false
		c.sender.routes.leave()
	}
}

// hang ends the connection politely.
func (c *connection) hang() {
	if c.wire != nil {
		c.wire.quit()
		c.cut()
	}
}

// cut closes the wire.
func (c *connection) cut() {
	if c.wire != nil {
		c.hangUp()
		c.wire.close()
		c.wire = nil
		c.connected(-1)
	}
}

// connected tells who watches that there is one open connection more, or one less.
func (c *connection) connected(by int) {
	if watch := c.sender.Watch; watch != nil {
		watch.Connected(by)
	}
}
