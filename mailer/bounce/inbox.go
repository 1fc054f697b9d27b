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
	Message   []byte        `db:"message" json:"-"`
}

// keep writes a message down for a person, once.
func (d *Desk) keep(ctx context.Context, m Mail, r *Report, t Target, reason string) error {
	to := reply.OneLine(strings.Join(m.To, ", "))
	if to == "" {
		to = reply.OneLine(strings.Join(r.to, ", "))
	}
	res, err := d.DB.ExecContext(ctx, `
		INSERT INTO mailer.inbox (digest, at, recipient, sender, subject, reason, edition_id, contact_id, message)
		VALUES ($1, $2, $3, $4, $5, $6, nullif($7::uuid, $8::uuid), nullif($9::bigint, 0), $10) ON CONFLICT DO NOTHING`,
		sha256Of(append([]byte(to+"\x00"), m.Message...)), d.Clock.Now(), to, reply.OneLine(r.From), reply.OneLine(r.Subject), reason,
		t.Edition, uuid.Nil, t.Contact, append([]byte{}, m.Message[:min(len(m.Message), keptBytes)]...))
	if err != nil {
		return err
	}
	if rows, err := res.RowsAffected(); err == nil && rows == 1 {
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
		SELECT id, at, recipient, sender, subject, reason, edition_id, contact_id, done_at FROM mailer.inbox
		WHERE $1 OR done_at IS NULL ORDER BY id DESC LIMIT $2`, all, limit)
	errs.Wrap(&err, "bounce.Inbox")
	return kept, err
}

// Open returns a message that was kept, or errs.NotFound.
func Open(ctx context.Context, h database.Handle, id int64) (k Kept, err error) {
	err = h.GetContext(ctx, &k, `
		SELECT id, at, recipient, sender, subject, reason, edition_id, contact_id, done_at, message FROM mailer.inbox WHERE id = $1`, id)
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
