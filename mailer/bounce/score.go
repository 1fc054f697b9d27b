package bounce

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/mailer/reply"
	"silkpost/subscribers"
)

// When soft bounces suppress an address: as many points, over as long. A point is half a point later.
const (
	enough    = 3.0
	overTime  = 14 * 24 * time.Hour
	halfPoint = 90 * 24 * time.Hour
)

// spent reports whether soft bounces, the first one first, are enough to give an address up. A full mailbox of somebody on holiday is not, however
// often we write.
func spent(at []time.Time, now time.Time) bool {
	points := 0.0
	for _, one := range at {
		points += math.Exp2(-float64(now.Sub(one)) / float64(halfPoint))
	}
	return points > enough && now.Sub(at[0]) >= overTime
}

// record notes a bounce, and suppresses the contact's address when that is what follows. check is of the address that the message went to: what
// happened to an address says nothing about another one that the contact has by now.
func record(ctx context.Context, tx *sqlx.Tx, b ledger.Bounce, check byte, reason subscribers.Reason, now time.Time) (noted bool, err error) {
	subscription, noted, err := ledger.NoteBounce(ctx, tx, b)
	if err != nil || !noted || b.Kind == ledger.OtherBounce {
		return noted, err
	}
	email, err := ledger.EmailOf(ctx, tx, b.ContactID)
	if err != nil || email == "" || check != checkOf(email) {
		return noted, err
	}
	if b.Kind == ledger.SoftBounce {
		at, err := ledger.SoftBounces(ctx, tx, subscription, now)
		if err != nil || len(at) == 0 || !spent(at, now) {
			return noted, err
		}
	}
	_, err = subscribers.Suppress(ctx, tx, email, reason, originOf(b.EditionID, b.ContactID), now)
	return noted, err
}

// originOf says of a suppression which delivery it comes from.
func originOf(edition uuid.UUID, contact int64) string {
	return fmt.Sprintf("delivery %s/%d", edition, contact)
}

// TakeBack undoes what Score did for deliveries that failed minutes ago, because a server refused one address after the other: the suppressions that were made of
// these very attempts are lifted, and the deliveries are deferred until due. It touches no other suppression (P5).
func TakeBack(ctx context.Context, tx *sqlx.Tx, failed []ledger.Attempt, due, now time.Time) (err error) {
	defer errs.Wrap(&err, "bounce.TakeBack")
	origins, since := make([]string, len(failed)), now
	for i, a := range failed {
		origins[i] = originOf(a.Delivery.EditionID, a.Delivery.ContactID)
		if a.At.Before(since) {
			since = a.At
		}
	}
	if _, err := subscribers.TakeBackBounces(ctx, tx, origins, since, now); err != nil {
		return err
	}
	return ledger.TakeBack(ctx, tx, failed, due)
}

// Score does for deliveries that failed on the spot what Desk does for those that come back: it is for the transaction that settles them.
func Score(ctx context.Context, tx *sqlx.Tx, failed []ledger.Attempt) (err error) {
	defer errs.Wrap(&err, "bounce.Score")
	for _, a := range failed {
		score := a.Reply.Kind().Score()
		if score == reply.None {
			continue
		}
		b := ledger.Bounce{
			EditionID: a.Delivery.EditionID, ContactID: a.Delivery.ContactID, At: a.At, Kind: kindOf(score),
			Status: a.Reply.Enhanced(), Diagnostic: a.Reply.Text,
		}
		if _, err := record(ctx, tx, b, checkOf(a.Delivery.Email), subscribers.HardBounce, a.At); err != nil && errs.KindOf(err) != errs.NotFound {
			return err
		}
	}
	return nil
}
