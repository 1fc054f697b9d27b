package bounce

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/reply"
)

// keptBytes is how much is kept of a message for a person.
const keptBytes = 256 << 10

// Bounds of what one address of ours brings: so many messages are kept within a day, any more are counted with the last of them, and they are told once an hour.
// Each address is one message's, and whoever has it could fill the inbox otherwise.
const (
	mostKept  = 10
	keptDay   = 24 * time.Hour
	tellAgain = time.Hour
)

// Kept is a message that waits for a person, or did.
type Kept struct {
	ID        int64         `db:"id" json:"id"`
	At        time.Time     `db:"at" json:"at"`
	Recipient string        `db:"recipient" json:"recipient"`
	Sender    string        `db:"sender" json:"sender"`
	Subject   string        `db:"subject" json:"subject"`
	Reason    string        `db:"reason" json:"reason"`
	EditionID uuid.NullUUID `db:"edition_id" json:"edition"` // the delivery that it seems to be about, if that is known
	ContactID sql.NullInt64 `db:"contact_id" json:"-"`
	DoneAt    *time.Time    `db:"done_at" json:"done_at"`
	More      int           `db:"more" json:"more"` // messages that came to the same address that day and were not kept
	Message   []byte        `db:"message" json:"-"`
}

// keep writes a message down for a person, once. Of those that come to one address of ours it keeps some and counts the others.
func (d *Desk) keep(ctx context.Context, m Mail, r *Report, t Target, reason string) error {
	to := reply.OneLine(strings.Join(m.To, ", "))
	if to == "" {
		to = reply.OneLine(strings.Join(r.to, ", "))
	}
	_, unknown := d.Addresses.Open(to)
	now := d.Clock.Now()
	var done struct {
		Kept int  `db:"kept"`
		Told bool `db:"told"`
	}
	err := d.DB.GetContext(ctx, &done, `
		WITH before AS (
			SELECT id, at FROM mailer.inbox WHERE recipient = $3 AND at > $12 AND NOT $11
		), new AS (
			INSERT INTO mailer.inbox (digest, at, recipient, sender, subject, reason, edition_id, contact_id, message)
			SELECT $1, $2::timestamptz, $3, $4, $5, $6, nullif($7::uuid, $8::uuid), nullif($9::bigint, 0), $10 WHERE (SELECT count(*) FROM before) < $14
			ON CONFLICT DO NOTHING RETURNING id
		), counted AS (
			UPDATE mailer.inbox SET more = more + 1
			WHERE id = (SELECT max(id) FROM before) AND (SELECT count(*) FROM before) >= $14 AND NOT EXISTS (SELECT FROM mailer.inbox WHERE digest = $1)
		)
		SELECT (SELECT count(*) FROM new) AS kept, EXISTS (SELECT FROM before WHERE at > $13) AS told`,
		sha256Of(append([]byte(to+"\x00"), m.Message...)), now, to, reply.OneLine(r.From), reply.OneLine(r.Subject), reason,
		t.Edition, uuid.Nil, t.Contact, append([]byte{}, m.Message[:min(len(m.Message), keptBytes)]...),
		unknown != nil, now.Add(-keptDay), now.Add(-tellAgain), mostKept)
	if err != nil {
		return err
	}
	if done.Kept == 1 && !done.Told {
		d.Log.WarnContext(ctx, "a mail waits for a person: see silkpost inbox list", slog.String("reason", reason), slog.Any("class", r.Class))
	}
	return nil
}

// Waiting counts the messages that wait for a person.
func Waiting(ctx context.Context, h database.Handle) (n int, err error) {
	err = h.GetContext(ctx, &n, `SELECT count(*) FROM mailer.inbox WHERE done_at IS NULL`)
	errs.Wrap(&err, "bounce.Waiting")
	return n, err
}

// Inbox returns the messages that wait for a person, or all, the latest first, without what they say.
func Inbox(ctx context.Context, h database.Handle, all bool, limit int) (kept []Kept, err error) {
	err = h.SelectContext(ctx, &kept, `
		SELECT id, at, recipient, sender, subject, reason, edition_id, contact_id, done_at, more FROM mailer.inbox
		WHERE $1 OR done_at IS NULL ORDER BY id DESC LIMIT $2`, all, limit)
	errs.Wrap(&err, "bounce.Inbox")
	return kept, err
}

// Open returns a message that was kept, or errs.NotFound.
func Open(ctx context.Context, h database.Handle, id int64) (k Kept, err error) {
	err = h.GetContext(ctx, &k, `
		SELECT id, at, recipient, sender, subject, reason, edition_id, contact_id, done_at, more, message FROM mailer.inbox WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return k, errs.New(errs.NotFound, "no mail %d is kept: silkpost inbox list --all shows those that are", id)
	}
	errs.Wrap(&err, "bounce.Open(%d)", id)
	return k, err
}

// Done notes that a person has dealt with a message; errs.NotFound when there is none.
func Done(ctx context.Context, h database.Handle, id int64, now time.Time) error {
	res, err := h.ExecContext(ctx, `UPDATE mailer.inbox SET done_at = coalesce(done_at, $2) WHERE id = $1`, id, now)
	if err != nil {
		return err
	}
	if rows, err := res.RowsAffected(); err != nil || rows == 0 {
		return errs.New(errs.NotFound, "no mail %d is kept: silkpost inbox list --all shows those that are", id)
	}
	return nil
}

// Forget removes what was kept from an erased contact, or names their address. It is for the transaction that erases them.
func Forget(ctx context.Context, tx *sqlx.Tx, contact int64, email string) error {
	_, err := tx.ExecContext(ctx, `
		DELETE FROM mailer.inbox
		WHERE contact_id = $1 OR strpos(lower(concat_ws(' ', recipient, sender, subject, encode(message, 'escape'))), lower($2)) > 0`, contact, email)
	errs.Wrap(&err, "bounce.Forget(%d)", contact)
	return err
}
