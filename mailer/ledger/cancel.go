package ledger

import (
	"context"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// EverInDoubt is true of a delivery d that its contact may have got although nobody said so: its articles count as given.
var EverInDoubt = `(d.state = 'in_doubt' OR d.attempts > 0 AND ` + doubted("d") + `)`

// Cancel ends the deliveries of cancelled editions that are not on their way at this moment, and gives their articles back. One that was
// ever in doubt stays so and is not tried again.
func Cancel(ctx context.Context, h database.Handle, now time.Time, editions ...uuid.UUID) (err error) {
	defer errs.Wrap(&err, "ledger.Cancel")
	if _, err := h.ExecContext(ctx, `
		WITH ended AS (
			UPDATE mailer.deliveries d
			SET state = CASE WHEN `+EverInDoubt+` THEN `+Remains+` ELSE 'cancelled' END, due_at = NULL, settled_at = $2,
			    reply = CASE WHEN d.attempts = 0 THEN 'its edition was cancelled' ELSE d.reply END
			WHERE d.edition_id = ANY ($1::uuid[]) AND d.due_at IS NOT NULL AND d.state <> 'in_flight'
			RETURNING d.edition_id, d.subscription_id, d.variant_id, d.state
		)
		INSERT INTO mailer.released (subscription_id, group_id)
		SELECT e.subscription_id, g FROM ended e
		JOIN mailer.variants v ON v.id = e.variant_id, unnest(v.groups) g
		WHERE e.state = 'cancelled' AND `+reserves("e")+`
		ON CONFLICT DO NOTHING`,
		uuids(editions), now); err != nil {
		return err
	}
	_, err = h.ExecContext(ctx, `
		UPDATE mailer.editions e SET finished_at = $2
		WHERE e.id = ANY ($1::uuid[]) AND NOT EXISTS (SELECT FROM mailer.deliveries d WHERE d.edition_id = e.id AND d.due_at IS NOT NULL)`,
		uuids(editions), now)
	return err
}

// cancelWhatCameBack ends what was in flight when its edition was cancelled.
func cancelWhatCameBack(ctx context.Context, h database.Handle, now time.Time) error {
	var editions []uuid.UUID
	err := h.SelectContext(ctx, &editions, `SELECT id FROM mailer.editions WHERE state = 'cancelled' AND finished_at IS NULL`)
	if err != nil || len(editions) == 0 {
		return err
	}
	return Cancel(ctx, h, now, editions...)
}
