package bounce

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/mailer/notice"
	"silkpost/mailer/reply"
	"silkpost/subscribers"
)

// noteNotice writes down what was reported of a notice, and what follows from it for the address that it went to.
func (d *Desk) noteNotice(ctx context.Context, m Mail, r *Report, target Target) error {
	b := notice.Bounce{ID: target.Notice, At: d.Clock.Now(), Kind: ledger.ComplaintBounce}
	if r.Class == Failure {
		b.Kind, b.Status, b.Diagnostic = kindOf(r.score()), r.Reply.Enhanced(), r.Reply.Text
	}
	var noted bool
	err := database.Transact(ctx, d.DB, func(tx *sqlx.Tx) (err error) {
		noted, err = recordNotice(ctx, tx, b, target.noticeCheck, r.about())
		return err
	})
	if errs.KindOf(err) == errs.NotFound {
		return d.keep(ctx, m, r, Target{}, "it is about a notice that is not in the account")
	}
	if err == nil && noted {
		d.tell(ctx, r, b.Kind, slog.Any("notice", b.ID))
	}
	return err
}

// recordNotice notes a bounce, and suppresses the contact's address when it went there and that is what follows. Soft ones are not added up: notices are few.
func recordNotice(ctx context.Context, tx *sqlx.Tx, b notice.Bounce, check [noticeCheckBytes]byte, reason subscribers.Reason) (noted bool, err error) {
	contact, noted, err := b.Note(ctx, tx)
	if err != nil || !noted || b.Kind != ledger.HardBounce && b.Kind != ledger.ComplaintBounce {
		return noted, err
	}
	email, err := ledger.EmailOf(ctx, tx, contact)
	if err != nil || email == "" || check != noticeCheck(email) {
		return noted, err
	}
	_, err = subscribers.Suppress(ctx, tx, email, reason, fmt.Sprintf("notice %s", b.ID), b.At)
	return noted, err
}

// ScoreNotice does for a notice that a server refused on the spot what Desk does for one that comes back: it is for the transaction that settles it.
// to is the address that it went to.
func ScoreNotice(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, to string, r reply.Reply, now time.Time) (err error) {
	defer errs.Wrap(&err, "bounce.ScoreNotice(%s)", id)
	score := r.Kind().Score()
	if score == reply.None {
		return nil
	}
	b := notice.Bounce{ID: id, At: now, Kind: kindOf(score), Status: r.Enhanced(), Diagnostic: r.Text}
	_, err = recordNotice(ctx, tx, b, noticeCheck(to), subscribers.HardBounce)
	return err
}
