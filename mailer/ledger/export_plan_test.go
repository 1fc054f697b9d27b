package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
)

// ClaimPlanForTest returns how the database claims with a prepared statement, whose plan is for any values.
func ClaimPlanForTest(ctx context.Context, db *sqlx.DB, sender uuid.UUID, now time.Time, limit int) (plan string, err error) {
	var lines []string
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, inIndexOrder); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `SET LOCAL plan_cache_mode = force_generic_plan; PREPARE claims AS `+claim); err != nil {
			return err
		}
		return tx.SelectContext(ctx, &lines, fmt.Sprintf(`EXPLAIN (COSTS OFF) EXECUTE claims ('%s', '%s', %d)`, sender, now.Format(time.RFC3339), limit))
	})
	return strings.Join(lines, "\n"), err
}
