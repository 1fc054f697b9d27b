package subscribers

import (
	"context"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// CountStates returns by list and state how many subscriptions there are, from counters that are kept. lists are the ids of those that are asked
// for; nil: all.
func CountStates(ctx context.Context, h database.Handle, lists []int64) (counts map[int64]map[State]int, err error) {
	defer errs.Wrap(&err, "count the subscriptions of lists")
	var rows []struct {
		List  int64 `db:"list_id"`
		State State `db:"state"`
		N     int   `db:"n"`
	}
	err = h.SelectContext(ctx, &rows, `
		SELECT list_id, state, sum(n) AS n FROM subscribers.counts WHERE $1::bigint[] IS NULL OR list_id = ANY ($1) GROUP BY list_id, state`, pq.Array(lists))
	counts = map[int64]map[State]int{}
	for _, row := range rows {
		if counts[row.List] == nil {
			counts[row.List] = map[State]int{}
		}
		counts[row.List][row.State] = row.N
	}
	return counts, err
}

// TidyCounts puts the counters' changes together. It is one statement: who counts meanwhile sees all of before or all of after.
func TidyCounts(ctx context.Context, h database.Handle) (err error) {
	defer errs.Wrap(&err, "tidy the counts of subscriptions")
	_, err = h.ExecContext(ctx, `
		WITH several AS (
			SELECT list_id, state FROM subscribers.counts GROUP BY list_id, state HAVING count(*) > 1
		), gone AS (
			DELETE FROM subscribers.counts c USING several s WHERE (c.list_id, c.state) = (s.list_id, s.state) RETURNING c.list_id, c.state, c.n
		)
		INSERT INTO subscribers.counts (list_id, state, n) SELECT list_id, state, sum(n) FROM gone GROUP BY list_id, state HAVING sum(n) <> 0`)
	return err
}
