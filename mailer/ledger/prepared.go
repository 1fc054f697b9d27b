package ledger

import (
	"context"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Prepared reports whether there is room for editions of a time: the partitions that Prepare makes.
func Prepared(ctx context.Context, h database.Handle, at time.Time) (ready bool, err error) {
	defer errs.Wrap(&err, "ledger.Prepared")
	month := at.UTC().Format("2006_01")
	err = h.GetContext(ctx, &ready, `SELECT to_regclass('mailer.deliveries_' || $1) IS NOT NULL AND to_regclass('mailer.attempts_' || $1) IS NOT NULL`, month)
	return ready, err
}
