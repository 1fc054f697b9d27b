package send

import (
	"context"

	"silkpost/mailer/reply"
)

// One sends a single parcel over a connection of its own, to the second relay when the first cannot be reached, records nothing, and returns the
// server's answer. helo is the name we introduce ourselves with, "" the machine's. check, unless it is nil, is asked after dialling, which can take its time, with the relay that was
// reached: with an error of it the server hears nothing of the message. An error that comes with a reply to the final dot, or with the lack of one, does not undo that.
func One(ctx context.Context, relay Relay, helo string, p Parcel, check func(ctx context.Context, over Relay) error) (reply.Reply, error) {
	c, err := relay.dial(ctx, helo)
	for err != nil && relay.Fallback != nil && ctx.Err() == nil {
		relay = *relay.Fallback
		c, err = relay.dial(ctx, helo)
	}
	if err != nil {
		return refusal(err), ctx.Err()
	}
	defer c.quit()
	if check != nil {
		if err := check(ctx, relay); err != nil {
			return reply.Reply{Phase: reply.Compose}, err
		}
	}
	unwatch := context.AfterFunc(ctx, c.close)
	defer unwatch()
	r := c.deliver(&p)
	return r, ctx.Err()
}
