package ledger

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Hold puts claimed deliveries of a sender that were not tried back until their turns, in a line of those that wait for the same. It costs no
// attempt. A line is named by its limit's name, a slash and more.
func Hold(ctx context.Context, h database.Handle, sender uuid.UUID, line string, deliveries []*Delivery, turns []time.Time) (err error) {
	defer errs.Wrap(&err, "ledger.Hold")
	editions, contacts := make(pq.StringArray, len(deliveries)), make(pq.Int64Array, len(deliveries))
	for i, d := range deliveries {
		editions[i], contacts[i] = d.EditionID.String(), d.ContactID
	}
	_, err = h.ExecContext(ctx, `
		UPDATE mailer.deliveries d SET state = 'deferred', sender_id = NULL, due_at = held.turn, held_by = $2, held_until = held.turn
		FROM unnest($3::uuid[], $4::bigint[], $5::timestamptz[]) AS held (edition_id, contact_id, turn)
		WHERE d.edition_id = held.edition_id AND d.contact_id = held.contact_id AND d.state = 'in_flight' AND d.sender_id = $1`,
		sender, line, editions, contacts, pq.Array(turns))
	return err
}

// LastOf returns the last turn of a line that is still to come, the zero time when nobody waits in it.
func LastOf(ctx context.Context, h database.Handle, line string, now time.Time) (last time.Time, err error) {
	defer errs.Wrap(&err, "ledger.LastOf")
	var found []time.Time
	err = h.SelectContext(ctx, &found, `SELECT due_at FROM mailer.deliveries WHERE held_by = $1 AND due_at > $2 ORDER BY due_at DESC LIMIT 1`, line, now)
	if len(found) > 0 {
		last = found[0]
	}
	return last, err
}

// LetGo makes due what waits in any line of a limit, which was changed or is gone, and returns how many those are.
func LetGo(ctx context.Context, h database.Handle, limit string, now time.Time) (n int, err error) {
	defer errs.Wrap(&err, "ledger.LetGo")
	res, err := h.ExecContext(ctx, `
		UPDATE mailer.deliveries SET due_at = $2, held_by = NULL, held_until = NULL
		WHERE held_by > $1 || '/' AND held_by < $1 || '0' AND state IN ('pending', 'deferred') AND due_at > $2`, limit, now)
	if err != nil {
		return 0, err
	}
	rows, err := res.RowsAffected()
	return int(rows), err
}

// Line is where deliveries wait for their turns under a limit.
type Line struct {
	Limit   string    `json:"limit"`
	Period  string    `json:"period"` // second, minute, hour, day or warm-up: which number of the limit is reached
	About   string    `json:"about"`  // which relay, destination or sender; "" for all
	Waiting int       `json:"waiting"`
	Next    time.Time `json:"next"` // when the first is due
	Last    time.Time `json:"last"` // when the last is
}

// Lines returns the lines in which deliveries wait.
func Lines(ctx context.Context, h database.Handle, now time.Time) (lines []Line, err error) {
	defer errs.Wrap(&err, "ledger.Lines")
	var found []struct {
		Name    string    `db:"held_by"`
		Waiting int       `db:"waiting"`
		Next    time.Time `db:"next"`
		Last    time.Time `db:"last"`
	}
	err = h.SelectContext(ctx, &found, `
		SELECT held_by, count(*) AS waiting, min(due_at) AS next, max(due_at) AS last FROM mailer.deliveries
		WHERE held_by IS NOT NULL AND due_at > $1 AND state IN ('pending', 'deferred') GROUP BY held_by ORDER BY held_by`, now)
	for _, f := range found {
		parts := strings.SplitN(f.Name+"//", "/", 3)
		lines = append(lines, Line{
			Limit: parts[0], Period: parts[1], About: strings.TrimSuffix(parts[2], "//"), Waiting: f.Waiting, Next: f.Next, Last: f.Last,
		})
	}
	return lines, err
}
