package notice

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
)

// Bounce is what was reported of a notice, by mail afterwards or by the server that refused it.
type Bounce struct {
	ID         uuid.UUID // the notice's
	At         time.Time
	Kind       ledger.BounceKind
	Status     string // enhanced status code (RFC 3463); "": none was said
	Diagnostic string // one line
}

// Note writes a report down with its notice and returns the notice's contact. The first report counts, and after it only a graver one: otherwise noted is
// false. Only what was tried can bounce; where there is no such notice it is errs.NotFound.
func (b Bounce) Note(ctx context.Context, h database.Handle) (contact int64, noted bool, err error) {
	defer errs.Wrap(&err, "notice.Bounce(%s)", b.ID)
	var done struct {
		ContactID int64 `db:"contact_id"`
		Noted     bool  `db:"noted"`
	}
	err = h.GetContext(ctx, &done, `
		WITH before AS (
			SELECT id, contact_id, erased,
			       bounce_kind IS NULL OR array_position($6::text[], bounce_kind) < array_position($6::text[], $3::text) AS graver
			FROM mailer.notices WHERE id = $1 AND (attempts > 0 OR open) FOR UPDATE
		), noted AS (
			UPDATE mailer.notices n SET bounced_at = $2, bounce_kind = $3, bounce_status = $4,
			       bounce_diagnostic = CASE WHEN b.erased THEN $4 ELSE $5 END
			FROM before b WHERE b.graver AND n.id = b.id
		)
		SELECT contact_id, graver AS noted FROM before`,
		b.ID, b.At, b.Kind, b.Status, b.Diagnostic, pq.Array(ledger.Graver()))
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, errs.New(errs.NotFound, "no notice %s went out", b.ID)
	}
	return done.ContactID, done.Noted, err
}

// Bounced counts the notices that came back since a time.
func Bounced(ctx context.Context, h database.Handle, since time.Time) (n int, err error) {
	err = h.GetContext(ctx, &n, `SELECT count(*) FROM mailer.notices WHERE bounced_at >= $1`, since)
	errs.Wrap(&err, "notice.Bounced")
	return n, err
}
