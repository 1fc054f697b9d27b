package ledger

import (
	"bytes"
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/reply"
)

// EnhancedCode finds in SQL the enhanced status code (RFC 3463) that a reply begins with: what is kept of one to an erased contact, who may stand in
// its words.
const EnhancedCode = `'^[245][.][0-9]{1,3}[.][0-9]{1,3}'`

// outcomes are what is written down, as rows.
const outcomes = `outcome AS (
		SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::int[], $7::text[], $8::timestamptz[],
		                     $9::int[], $10::uuid[], $11::bigint[])
		AS o (edition_id, contact_id, at, outcome, phase, code, reply, due_at, number, sender, variant_id)
	)`

// noted keeps the attempts at what was settled, how much was done in the hour, and when a subscription was last reached.
const noted = `tried AS (
		INSERT INTO mailer.attempts (edition_id, contact_id, number, at, outcome, phase, code, reply, sender_id)
		SELECT edition_id, contact_id, number, at, outcome, phase, code, reply, sender FROM settled
		ON CONFLICT DO NOTHING
		RETURNING edition_id, at, outcome, sender_id
	), hours AS (
		INSERT INTO mailer.hours AS known (hour, list_id, what, part, count)
		SELECT date_trunc('hour', t.at, 'UTC') AS hour, e.list_id, t.outcome, t.sender_id::text, count(*)
		FROM tried t JOIN mailer.editions e ON e.id = t.edition_id
		GROUP BY hour, e.list_id, t.outcome, t.sender_id ORDER BY hour, e.list_id, t.outcome
		ON CONFLICT (hour, list_id, what, part) DO UPDATE SET count = known.count + excluded.count
	), reached AS (
		INSERT INTO mailer.reached (subscription_id, contact_id, list_id, sent_at)
		SELECT s.subscription_id, s.contact_id, e.list_id, max(s.at)
		FROM settled s JOIN mailer.editions e ON e.id = s.edition_id
		WHERE s.outcome = 'sent'
		GROUP BY s.subscription_id, s.contact_id, e.list_id
		ORDER BY s.subscription_id
		ON CONFLICT (subscription_id) DO UPDATE SET sent_at = greatest(reached.sent_at, excluded.sent_at)
	)`

// behind are the newer deliveries of a subscription that may wait for a delivery. It is looked for one by one, whatever the planner thinks: there are hardly ever any.
func behind(s string) string {
	return `SELECT newer.edition_id, newer.contact_id FROM mailer.deliveries newer
		WHERE newer.subscription_id = ` + s + `.subscription_id AND newer.edition_id > ` + s + `.edition_id AND newer.behind AND newer.due_at IS NOT NULL OFFSET 0`
}

// plainly writes down that messages were sent of which nothing follows but that, as it is with nearly all: each is still the sender's as it was claimed, no newer
// one waits for it, and its articles were not given back before. Where not all are, it does nothing and fails with notPlain, and settle has to do it.
var plainly = `
	WITH ` + outcomes + `, settled AS (
		UPDATE mailer.deliveries d
		SET attempts = greatest(d.attempts, o.number), state = o.outcome, sender_id = NULL, due_at = NULL, settled_at = o.at, code = o.code, reply = o.reply
		FROM outcome o
		WHERE d.edition_id = o.edition_id AND d.contact_id = o.contact_id AND d.state = 'in_flight' AND d.sender_id = o.sender AND d.variant_id = o.variant_id
		  AND NOT d.erased AND o.outcome = 'sent'
		  AND NOT EXISTS (` + behind("d") + `)
		  AND NOT EXISTS (SELECT FROM mailer.released r WHERE r.subscription_id = d.subscription_id OFFSET 0)
		RETURNING d.edition_id, d.contact_id, d.subscription_id, o.number, o.sender, o.at, o.outcome, o.phase, o.code, o.reply
	), ` + noted + `
	SELECT mailer.all_or_none(count(*), cardinality($1::uuid[])) FROM settled`

// settle writes outcomes down, in the order of their keys so that two senders never wait for each other in a circle. A row that
// is no longer the sender's takes nothing but "sent", and that with the variant that was sent: it may have been given another one since. When the
// subscription was last reached follows in the same statement, and so does how much was done in the hour, where an attempt that was written down
// before does not count again. A newer delivery waits as long as the older one does; when that is over it is dated anew, for it is not late by
// having waited.
var settle = `
	WITH ` + outcomes + `, before AS (
		SELECT o.edition_id, o.contact_id, o.at, o.outcome, o.phase, o.code, o.due_at, o.number, o.sender,
		       d.variant_id AS was, CASE WHEN o.outcome = 'sent' THEN o.variant_id ELSE d.variant_id END AS variant_id,
		       CASE WHEN d.erased THEN coalesce(substring(o.reply FROM ` + EnhancedCode + `), '') ELSE o.reply END AS reply,
		       o.outcome = 'sent' OR (d.state = 'in_flight' AND d.sender_id = o.sender) AS counts
		FROM outcome o JOIN mailer.deliveries d USING (edition_id, contact_id)
		ORDER BY edition_id, contact_id
		FOR UPDATE OF d
	), settled AS (
		UPDATE mailer.deliveries d
		SET attempts = greatest(d.attempts, b.number),
		    variant_id = b.variant_id,
		    state = CASE WHEN b.counts THEN b.outcome ELSE d.state END,
		    sender_id = CASE WHEN b.counts THEN NULL ELSE d.sender_id END,
		    due_at = CASE WHEN b.counts THEN b.due_at ELSE d.due_at END,
		    settled_at = CASE WHEN b.counts THEN b.at ELSE d.settled_at END,
		    code = CASE WHEN b.counts THEN b.code ELSE d.code END,
		    reply = CASE WHEN b.counts THEN b.reply ELSE d.reply END
		FROM before b WHERE d.edition_id = b.edition_id AND d.contact_id = b.contact_id
		RETURNING d.edition_id, d.contact_id, d.subscription_id, d.variant_id, b.was, b.number, b.sender, b.at, b.outcome, b.phase, b.code, b.reply, b.counts, d.due_at
	), ` + noted + `, next AS (
		UPDATE mailer.deliveries d
		SET due_at = coalesce(s.due_at, s.at),
		    not_before = CASE WHEN s.due_at IS NULL THEN greatest(d.not_before, s.at) ELSE d.not_before END
		FROM settled s CROSS JOIN LATERAL (` + behind("s") + `) n
		WHERE s.counts AND d.edition_id = n.edition_id AND d.contact_id = n.contact_id AND d.behind AND d.state = 'pending'
		  AND NOT d.begun AND d.due_at < coalesce(s.due_at, s.at)
	), given AS (
		DELETE FROM mailer.released r USING settled s JOIN mailer.variants v ON v.id = s.variant_id
		WHERE s.outcome = 'sent' AND r.subscription_id = s.subscription_id AND r.group_id = ANY (v.groups)
	)
	INSERT INTO mailer.released (subscription_id, group_id)
	SELECT s.subscription_id, g FROM settled s JOIN mailer.variants v ON v.id = s.variant_id, unnest(v.groups) g
	WHERE s.counts AND s.outcome = 'failed' AND ` + GivesBack("s") + `
	UNION
	SELECT s.subscription_id, g FROM settled s JOIN mailer.variants v ON v.id = s.was, unnest(v.groups) g
	WHERE s.was <> s.variant_id AND g NOT IN (SELECT unnest(v.groups) FROM mailer.variants v WHERE v.id = s.variant_id)
	  AND ` + reserves("s") + `
	ON CONFLICT DO NOTHING`

// Settle writes down what attempts came to, all of them or, on an error, none. It may be repeated: a second time the
// same attempts change nothing. What follows from them elsewhere is done in the same transaction by also.
func Settle(ctx context.Context, db *sqlx.DB, attempts []Attempt, also ...func(tx *sqlx.Tx) error) (err error) {
	return NewClerk(db).Settle(ctx, attempts, also...)
}

// Settle is the function of this name.
func (c *Clerk) Settle(ctx context.Context, attempts []Attempt, also ...func(tx *sqlx.Tx) error) (err error) {
	defer errs.Wrap(&err, "ledger.Settle")
	rows := rowsOf(attempts)
	if len(also) == 0 && allSent(attempts) {
		if done, err := c.settlePlainly(ctx, rows); done || err != nil {
			return err
		}
	}
	statement, err := c.settle.On(ctx, c.db)
	if err != nil {
		return err
	}
	return database.Transact(ctx, c.db, func(tx *sqlx.Tx) error {
		_, err := tx.StmtxContext(ctx, statement).ExecContext(ctx, rows...)
		for _, follow := range also {
			if err == nil {
				err = follow(tx)
			}
		}
		return err
	})
}

// notPlain is the code of the error by which a statement says that more follows from outcomes than it does.
const notPlain = "SP001"

// settlePlainly writes down attempts of which nothing else follows, and reports whether it did. Where more does, or an attempt was written down before,
// nothing is.
func (c *Clerk) settlePlainly(ctx context.Context, rows []any) (done bool, err error) {
	statement, err := c.plainly.On(ctx, c.db) //nolint:sqlclosecheck // it stays prepared
	if err != nil {
		return false, err
	}
	_, err = statement.ExecContext(ctx, rows...)
	if fault := (*pq.Error)(nil); errors.As(err, &fault) && fault.Code == notPlain {
		return false, nil
	}
	return err == nil, err
}

// allSent reports whether all attempts went well, each with a subscription of its own.
func allSent(attempts []Attempt) bool {
	seen := make(map[int64]struct{}, len(attempts))
	for i := range attempts {
		if attempts[i].Outcome != reply.Sent {
			return false
		}
		seen[attempts[i].Delivery.SubscriptionID] = struct{}{}
	}
	return len(seen) == len(attempts)
}

// rowsOf returns attempts as the columns that outcomes reads, in the order of their keys.
func rowsOf(attempts []Attempt) []any {
	ordered := make([]*Attempt, len(attempts))
	for i := range attempts {
		ordered[i] = &attempts[i]
	}
	slices.SortFunc(ordered, func(a, b *Attempt) int {
		return cmp.Or(bytes.Compare(a.Delivery.EditionID[:], b.Delivery.EditionID[:]), cmp.Compare(a.Delivery.ContactID, b.Delivery.ContactID))
	})
	var (
		editions = make(pq.StringArray, len(attempts))
		contacts = make(pq.Int64Array, len(attempts))
		outcomes = make(pq.StringArray, len(attempts))
		phases   = make(pq.StringArray, len(attempts))
		codes    = make(pq.Int64Array, len(attempts))
		replies  = make(pq.StringArray, len(attempts))
		ats      = make(times, len(attempts))
		dues     = make(times, len(attempts))
		numbers  = make(pq.Int64Array, len(attempts))
		senders  = make(pq.StringArray, len(attempts))
		variants = make(pq.Int64Array, len(attempts))
	)
	for i, a := range ordered {
		numbers[i], senders[i] = int64(a.Delivery.Attempts)+1, a.Sender.String()
		variants[i] = a.Delivery.VariantID
		editions[i], contacts[i] = a.Delivery.EditionID.String(), a.Delivery.ContactID
		outcomes[i], phases[i] = string(a.Outcome), string(a.Reply.Phase)
		codes[i], replies[i] = int64(a.Reply.Code), a.Reply.Text
		ats[i], dues[i] = a.At, a.DueAt
	}
	return []any{editions, contacts, ats, outcomes, phases, codes, replies, dues, numbers, senders, variants}
}

// times are an array for the database; the zero time is null.
type times []time.Time

// Value is of driver.Valuer.
func (t times) Value() (driver.Value, error) {
	text := append(make([]byte, 0, 2+len(t)*len(time.RFC3339Nano)), '{')
	for i, at := range t {
		if i > 0 {
			text = append(text, ',')
		}
		if at.IsZero() {
			text = append(text, "NULL"...)
		} else {
			text = at.UTC().AppendFormat(text, time.RFC3339Nano)
		}
	}
	return string(append(text, '}')), nil
}

// PutBack makes deliveries that a sender claimed but did not try due again at once.
func PutBack(ctx context.Context, h database.Handle, sender uuid.UUID, deliveries []*Delivery) (err error) {
	defer errs.Wrap(&err, "ledger.PutBack")
	editions, contacts := make(pq.StringArray, len(deliveries)), make(pq.Int64Array, len(deliveries))
	for i, d := range deliveries {
		editions[i], contacts[i] = d.EditionID.String(), d.ContactID
	}
	_, err = h.ExecContext(ctx, `
		UPDATE mailer.deliveries d SET state = 'pending', sender_id = NULL
		FROM unnest($2::uuid[], $3::bigint[]) AS back (edition_id, contact_id)
		WHERE d.edition_id = back.edition_id AND d.contact_id = back.contact_id AND d.state = 'in_flight' AND d.sender_id = $1`,
		sender, editions, contacts)
	return err
}

// lateReason is what an edition says of deliveries that wait for a person.
const lateReason = "deliveries passed their hour by more than the list allows: release the edition to send them"

// NoteLate says with each edition that has them that deliveries are late and wait for a person, and returns with how many that is new.
func NoteLate(ctx context.Context, h database.Handle, now time.Time) (n int, err error) {
	defer errs.Wrap(&err, "ledger.NoteLate")
	res, err := h.ExecContext(ctx, `
		UPDATE mailer.editions e SET reason = $1
		WHERE e.state IN ('approved', 'sending') AND e.reason = ''
		  AND EXISTS (SELECT 1 FROM mailer.deliveries d WHERE d.edition_id = e.id AND d.state IN ('pending', 'deferred') AND NOT `+begins+` AND NOT `+waits+`)`,
		lateReason, now)
	if err != nil {
		return 0, err
	}
	rows, err := res.RowsAffected()
	return int(rows), err
}

// Finish marks editions as sent of which nothing is open any more, and returns how many. What comes back of a cancelled edition that was
// in flight is cancelled, too.
func Finish(ctx context.Context, h database.Handle, now time.Time) (n int, err error) {
	defer errs.Wrap(&err, "ledger.Finish")
	if err := cancelWhatCameBack(ctx, h, now); err != nil {
		return 0, err
	}
	res, err := h.ExecContext(ctx, `
		UPDATE mailer.editions e SET state = 'sent', finished_at = $1, reason = ''
		WHERE e.state IN ('approved', 'sending')
		  AND NOT EXISTS (SELECT 1 FROM mailer.deliveries d WHERE d.edition_id = e.id AND d.due_at IS NOT NULL)`,
		now)
	if err != nil {
		return 0, err
	}
	rows, err := res.RowsAffected()
	return int(rows), err
}
