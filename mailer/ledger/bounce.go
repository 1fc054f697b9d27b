package ledger

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// BounceKind is how grave a report about a delivery is.
type BounceKind string

// The kinds, the gravest last.
const (
	OtherBounce     BounceKind = "other" // it says nothing about the address
	SoftBounce      BounceKind = "soft"
	HardBounce      BounceKind = "hard"
	ComplaintBounce BounceKind = "complaint"
)

// Graver returns the kinds as words, each graver than those before it.
func Graver() []string {
	return []string{string(OtherBounce), string(SoftBounce), string(HardBounce), string(ComplaintBounce)}
}

// Bounce is what was reported of a delivery, by mail afterwards or by the server that refused it.
type Bounce struct {
	EditionID  uuid.UUID
	ContactID  int64
	At         time.Time
	Kind       BounceKind
	Status     string // enhanced status code (RFC 3463); "": none was said
	Diagnostic string // one line
}

// NoteBounce writes a report down with its delivery and returns the delivery's subscription. The first report counts, and after it only a graver
// one: otherwise noted is false. Only what may have gone out can bounce; where there is no such delivery it is errs.NotFound.
func NoteBounce(ctx context.Context, h database.Handle, b Bounce) (subscription int64, noted bool, err error) {
	defer errs.Wrap(&err, "ledger.NoteBounce(%s, %d)", b.EditionID, b.ContactID)
	var done struct {
		SubscriptionID int64 `db:"subscription_id"`
		Noted          bool  `db:"noted"`
	}
	err = h.GetContext(ctx, &done, `
		WITH before AS (
			SELECT edition_id, contact_id, subscription_id, erased, bounced_at IS NULL AS first,
			       bounce_kind IS NULL OR array_position($7::text[], bounce_kind) < array_position($7::text[], $4::text) AS graver
			FROM mailer.deliveries
			WHERE edition_id = $1 AND contact_id = $2 AND (begun OR attempts > 0)
			FOR UPDATE
		), noted AS (
			UPDATE mailer.deliveries d SET bounced_at = $3, bounce_kind = $4, bounce_status = $5,
			       bounce_diagnostic = CASE WHEN b.erased THEN $5 ELSE $6 END
			FROM before b WHERE b.graver AND d.edition_id = b.edition_id AND d.contact_id = b.contact_id
		), hours AS (
			INSERT INTO mailer.hours AS known (hour, list_id, what, part, count)
			SELECT date_trunc('hour', $3::timestamptz, 'UTC'), e.list_id, CASE $4 WHEN 'complaint' THEN 'complaint' ELSE 'bounced' END,
			       'bounces ' || pg_backend_pid() % 16, 1
			FROM before b JOIN mailer.editions e ON e.id = b.edition_id WHERE b.first
			ON CONFLICT (hour, list_id, what, part) DO UPDATE SET count = known.count + 1
		)
		SELECT subscription_id, graver AS noted FROM before`,
		b.EditionID, b.ContactID, b.At, b.Kind, b.Status, b.Diagnostic,
		pq.Array(Graver()))
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, errs.New(errs.NotFound, "no delivery of edition %s to contact %d went out", b.EditionID, b.ContactID)
	}
	return done.SubscriptionID, done.Noted, err
}

// clean is for how long a delivery has to be without a report to count as arrived.
const clean = 72 * time.Hour

// SoftBounces returns when a subscription's deliveries bounced softly, since the last one that arrived, the first one first.
func SoftBounces(ctx context.Context, h database.Handle, subscription int64, now time.Time) (at []time.Time, err error) {
	defer errs.Wrap(&err, "ledger.SoftBounces(%d)", subscription)
	err = h.SelectContext(ctx, &at, `
		SELECT bounced_at FROM mailer.deliveries
		WHERE subscription_id = $1 AND bounce_kind = 'soft' AND edition_id > coalesce((
			SELECT max(edition_id::text)::uuid FROM mailer.deliveries
			WHERE subscription_id = $1 AND state = 'sent' AND bounced_at IS NULL AND settled_at < $2), $3)
		ORDER BY bounced_at`,
		subscription, now.Add(-clean), uuid.Nil)
	return at, err
}

// BounceCounts is how many deliveries bounced, by kind.
type BounceCounts struct {
	Hard      int `db:"hard" json:"hard"`
	Soft      int `db:"soft" json:"soft"`
	Complaint int `db:"complaint" json:"complaints"`
	Other     int `db:"other" json:"other"` // refusals that say nothing about the address
}

// CountBounces counts the deliveries that bounced since a time.
func CountBounces(ctx context.Context, h database.Handle, since time.Time) (c BounceCounts, err error) {
	defer errs.Wrap(&err, "ledger.CountBounces")
	err = h.GetContext(ctx, &c, `
		SELECT count(*) FILTER (WHERE bounce_kind = 'hard') AS hard, count(*) FILTER (WHERE bounce_kind = 'soft') AS soft,
		       count(*) FILTER (WHERE bounce_kind = 'complaint') AS complaint, count(*) FILTER (WHERE bounce_kind = 'other') AS other
		FROM mailer.deliveries WHERE bounced_at >= $1`, since)
	return c, err
}

// Sent is what the messages of a delivery are known by.
type Sent struct {
	ContactID int64  `db:"contact_id"`
	Sender    string `db:"sender"` // the address that they are from
	Resent    int    `db:"resent"` // there is one more than that
}

// SentTo returns what the messages of a subscription's delivery are known by; errs.NotFound when there is no such delivery, or its message was not made.
func SentTo(ctx context.Context, h database.Handle, edition uuid.UUID, subscription int64) (found Sent, err error) {
	err = h.GetContext(ctx, &found, `
		SELECT d.contact_id, v.sender, d.resent FROM mailer.deliveries d JOIN mailer.variants v ON v.id = d.variant_id
		WHERE d.subscription_id = $2 AND d.edition_id = $1 AND v.sender IS NOT NULL`, edition, subscription)
	if errors.Is(err, sql.ErrNoRows) {
		return found, errs.New(errs.NotFound, "no delivery of edition %s for subscription %d", edition, subscription)
	}
	errs.Wrap(&err, "ledger.SentTo(%s, %d)", edition, subscription)
	return found, err
}

// EmailOf returns the address that a contact has now, "" when it was erased; errs.NotFound when there is none.
func EmailOf(ctx context.Context, h database.Handle, contact int64) (email string, err error) {
	err = h.GetContext(ctx, &email, `SELECT email FROM subscribers.addresses WHERE contact_id = $1`, contact)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errs.New(errs.NotFound, "no contact %d", contact)
	}
	errs.Wrap(&err, "ledger.EmailOf(%d)", contact)
	return email, err
}
