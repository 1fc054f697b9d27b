package send

import (
	"context"

	"silkpost/mailer/reply"
)

// One sends a single parcel over a connection of its own, records nothing, and returns the server's answer.
func One(ctx context.Context, relay Relay, p Parcel) (reply.Reply, error) {
	c, err := relay.dial(ctx, "")
	if err != nil {
		return refusal(err), nil
	}
	defer c.quit()
	unwatch := context.AfterFunc(ctx, c.close)
	defer unwatch()
	r := c.deliver(p, func() bool { return true })
	return r, ctx.Err()
}
