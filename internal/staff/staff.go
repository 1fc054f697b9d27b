// Package staff keeps account of what those who work with the program are told by mail: what needs them, and a report of each edition. Nobody is told
// the same twice, each may say what they do not want to be told, and each mail's fate is written down, as a notice's is.
package staff

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Kind is what somebody may want to be told, or not.
type Kind string

// The kinds.
const (
	Approval    Kind = "approval"    // an edition waits for approval
	Held        Kind = "held"        // an edition is held, or late
	Source      Kind = "source"      // a source fails, or holds articles
	Destination Kind = "destination" // a destination blocks us
	Report      Kind = "report"      // an edition has gone out
)

// Kinds are all kinds.
var Kinds = []Kind{Approval, Held, Source, Destination, Report}

// State is what came of a mail.
type State string

// The states. Pending, Deferred and InDoubt are tried again until the mail is settled.
const (
	Pending   State = "pending"
	Deferred  State = "deferred"
	InDoubt   State = "in_doubt"
	Sent      State = "sent"
	Failed    State = "failed"
	Cancelled State = "cancelled" // what it tells is over
)

// Mail is a mail to one account.
type Mail struct {
	ID       uuid.UUID       `db:"id"`
	Account  int64           `db:"account"`
	Content  json.RawMessage `db:"content"`
	MadeAt   time.Time       `db:"made_at"`
	State    State           `db:"state"`
	Open     bool            `db:"open"` // it may be tried again
	Attempts int             `db:"attempts"`
	Code     int             `db:"code"`  // of the last SMTP reply; 0: none came
	Reply    string          `db:"reply"` // likewise, or why it was not sent
}

// Tell notes that an account is told of happenings, and returns those that it was not told of before, in their order. It is for the transaction that also
// makes the mail.
func Tell(ctx context.Context, tx *sqlx.Tx, account int64, happenings []string, now time.Time) (news []string, err error) {
	defer errs.Wrap(&err, "staff.Tell(account %d)", account)
	var made []string
	err = tx.SelectContext(ctx, &made, `
		INSERT INTO staff.told (account, happening, at) SELECT $1, h, $3 FROM unnest($2::text[]) h ORDER BY h ON CONFLICT DO NOTHING RETURNING happening`,
		account, pq.Array(happenings), now)
	for _, h := range happenings {
		if slices.Contains(made, h) {
			news = append(news, h)
		}
	}
	return news, err
}

// Make writes down a mail, to be sent by a job of the same transaction.
func Make(ctx context.Context, tx *sqlx.Tx, account int64, content any, now time.Time) (id uuid.UUID, err error) {
	defer errs.Wrap(&err, "staff.Make(account %d)", account)
	raw, err := json.Marshal(content)
	if err != nil {
		return id, err
	}
	id = uuid.New()
	_, err = tx.ExecContext(ctx, `INSERT INTO staff.mails (id, account, content, made_at) VALUES ($1, $2, $3, $4)`, id, account, string(raw), now)
	return id, err
}

// ByID returns a mail; errs.NotFound when there is none.
func ByID(ctx context.Context, h database.Handle, id uuid.UUID) (m Mail, err error) {
	err = h.GetContext(ctx, &m, `SELECT id, account, content, made_at, state, open, attempts, code, reply FROM staff.mails WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return m, errs.New(errs.NotFound, "no mail %s", id)
	}
	errs.Wrap(&err, "staff.ByID(%s)", id)
	return m, err
}

// Settle writes down what an attempt came to; again says that it is to be tried again. What is settled for good stays, unless a late answer says that it
// was sent.
func Settle(ctx context.Context, h database.Handle, m Mail, state State, again bool, code int, reply string, now time.Time) (err error) {
	_, err = h.ExecContext(ctx, `
		UPDATE staff.mails SET state = $2, open = $3, attempts = attempts + CASE WHEN $2 = 'cancelled' THEN 0 ELSE 1 END, settled_at = $4, code = $5, reply = $6
		WHERE id = $1 AND (open OR $2 = 'sent')`, m.ID, state, again, now, code, reply)
	errs.Wrap(&err, "staff.Settle(%s)", m.ID)
	return err
}

// Without returns what accounts do not want to be told, by their ids; who said nothing is told all.
func Without(ctx context.Context, h database.Handle) (without map[int64][]Kind, err error) {
	defer errs.Wrap(&err, "staff.Without")
	var rows []struct {
		Account int64          `db:"account"`
		Without pq.StringArray `db:"without"`
	}
	err = h.SelectContext(ctx, &rows, `SELECT account, without FROM staff.wishes`)
	without = make(map[int64][]Kind, len(rows))
	for _, row := range rows {
		for _, kind := range row.Without {
			without[row.Account] = append(without[row.Account], Kind(kind))
		}
	}
	return without, err
}

// Wish sets what an account does not want to be told.
func Wish(ctx context.Context, h database.Handle, account int64, without []Kind) (err error) {
	kinds := make(pq.StringArray, 0, len(without))
	for _, kind := range without {
		if !slices.Contains(Kinds, kind) {
			return errs.New(errs.Invalid, "%q is no kind of mail", kind)
		}
		kinds = append(kinds, string(kind))
	}
	_, err = h.ExecContext(ctx, `
		INSERT INTO staff.wishes (account, without) VALUES ($1, $2) ON CONFLICT (account) DO UPDATE SET without = excluded.without`, account, kinds)
	errs.Wrap(&err, "staff.Wish(account %d)", account)
	return err
}

// Count is how many mails there are by state.
func Count(ctx context.Context, h database.Handle) (count map[State]int, err error) {
	defer errs.Wrap(&err, "staff.Count")
	var rows []struct {
		State State `db:"state"`
		N     int   `db:"n"`
	}
	err = h.SelectContext(ctx, &rows, `SELECT state, count(*) AS n FROM staff.mails GROUP BY state`)
	count = map[State]int{}
	for _, row := range rows {
		count[row.State] = row.N
	}
	return count, err
}

// Forget drops what was told before a time, which can happen no more, and its mails.
func Forget(ctx context.Context, h database.Handle, before time.Time) (err error) {
	defer errs.Wrap(&err, "staff.Forget")
	if _, err = h.ExecContext(ctx, `DELETE FROM staff.mails WHERE made_at < $1 AND NOT open`, before); err == nil {
		_, err = h.ExecContext(ctx, `DELETE FROM staff.told WHERE at < $1`, before)
	}
	return err
}
