package ledger

import (
	"context"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/reply"
)

// The brake: for how long a server rests that refuses one address after the other, how often in a row, and for how long it is believed after that, or after a
// person let it go on.
const (
	firstBrake   = time.Hour
	longestBrake = 6 * time.Hour
	mostBrakes   = 3
	believedFor  = 24 * time.Hour
)

// Brake pauses a destination, or under its address (host:port) a relay, that refused one address after the other. It reports false when its refusals are to be
// believed, because a person let it or one of the others go on in the last day, or because it was paused three times in a row already. One that pauses goes on pausing.
func Brake(ctx context.Context, h database.Handle, d Destination, now time.Time, others ...string) (until time.Time, brakes, news bool, err error) {
	defer errs.Wrap(&err, "ledger.Brake(%s)", d.Name)
	var believed bool
	if err = h.GetContext(ctx, &believed, `
		WITH enough AS (
			UPDATE mailer.destinations SET believed_until = $3::timestamptz + make_interval(secs => $4)
			WHERE name = $1 AND kind = $5 AND times >= $6 AND paused_until <= $3 AND paused_until > $7 AND coalesce(believed_until, '-infinity') <= $3 RETURNING name
		)
		SELECT EXISTS (SELECT FROM enough) OR EXISTS (SELECT FROM mailer.destinations WHERE name = ANY ($2) AND believed_until > $3)`,
		d.Name, pq.Array(append(others, d.Name)), now, believedFor.Seconds(), reply.Doubted, mostBrakes, now.Add(-inARow)); err != nil || believed {
		return until, false, false, err
	}
	d.Kind = string(reply.Doubted)
	until, news, err = Pause(ctx, h, d, firstBrake, longestBrake, now)
	if err == nil && !news {
		err = h.GetContext(ctx, &until, `SELECT greatest(paused_until, $2::timestamptz + CASE WHEN by_hand THEN `+lookAgain+` ELSE '0' END) FROM mailer.destinations WHERE name = $1`, d.Name, now)
	}
	return until, err == nil, news, err
}

// Rests reports whether a relay, by its address (host:port), is paused.
func Rests(ctx context.Context, h database.Handle, relay string, now time.Time) (rests bool, err error) {
	defer errs.Wrap(&err, "ledger.Rests(%s)", relay)
	err = h.GetContext(ctx, &rests, `SELECT EXISTS (SELECT FROM mailer.destinations p WHERE p.name = $1 AND `+pauses+`)`, DomainOf(relay), now)
	return rests, err
}

// IsRelay reports whether a name is that of a relay (host:port) that was ever paused.
func IsRelay(ctx context.Context, h database.Handle, name string) (is bool, err error) {
	defer errs.Wrap(&err, "ledger.IsRelay(%s)", name)
	err = h.GetContext(ctx, &is, `SELECT strpos($1, ':') > 0 AND EXISTS (SELECT FROM mailer.destinations WHERE name = $1)`, DomainOf(name))
	return is, err
}

// TakeBack takes back that deliveries have failed, each as it was settled by an attempt: they are deferred until a time, and what they bounced for is forgotten. One
// whose articles went into another edition since, or whose edition was cancelled, stays as it is.
func TakeBack(ctx context.Context, h database.Handle, failed []Attempt, due time.Time) (err error) {
	defer errs.Wrap(&err, "ledger.TakeBack")
	editions, contacts, ats := make(pq.StringArray, len(failed)), make(pq.Int64Array, len(failed)), make(times, len(failed))
	for i, a := range failed {
		editions[i], contacts[i], ats[i] = a.Delivery.EditionID.String(), a.Delivery.ContactID, a.At
	}
	_, err = h.ExecContext(ctx, `
		WITH failed AS (
			SELECT d.edition_id, d.contact_id, d.subscription_id, v.groups
			FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[]) AS f (edition_id, contact_id, at)
			JOIN mailer.deliveries d ON d.edition_id = f.edition_id AND d.contact_id = f.contact_id AND d.state = 'failed' AND d.settled_at = f.at
			JOIN mailer.variants v ON v.id = d.variant_id
			JOIN mailer.editions e ON e.id = d.edition_id AND e.state <> 'cancelled'
			WHERE NOT (`+GivesBack("d")+`)
			   OR NOT EXISTS (SELECT FROM unnest(v.groups) g WHERE g NOT IN (SELECT r.group_id FROM mailer.released r WHERE r.subscription_id = d.subscription_id))
			ORDER BY d.edition_id, d.contact_id
			FOR UPDATE OF d
		), reserved AS (
			DELETE FROM mailer.released r USING failed f WHERE r.subscription_id = f.subscription_id AND r.group_id = ANY (f.groups)
		), open AS (
			UPDATE mailer.editions SET state = 'sending', finished_at = NULL WHERE state = 'sent' AND id IN (SELECT edition_id FROM failed)
		)
		UPDATE mailer.deliveries d SET state = 'deferred', due_at = $4::timestamptz + (d.contact_id % 60) * interval '1 second',
		       bounced_at = NULL, bounce_kind = NULL, bounce_status = NULL, bounce_diagnostic = NULL
		FROM failed f WHERE d.edition_id = f.edition_id AND d.contact_id = f.contact_id`,
		editions, contacts, ats, due)
	return err
}
