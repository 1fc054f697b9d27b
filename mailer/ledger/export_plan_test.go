package ledger

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
)

// ClaimPlanForTest returns how the database would claim.
func ClaimPlanForTest(ctx context.Context, db *sqlx.DB, sender uuid.UUID, now time.Time, limit int) (plan string, err error) {
	var lines []string
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, inIndexOrder); err != nil {
			return err
		}
		return tx.SelectContext(ctx, &lines, `EXPLAIN (COSTS OFF) `+claim, sender, now, limit)
	})
	return strings.Join(lines, "\n"), err
}
