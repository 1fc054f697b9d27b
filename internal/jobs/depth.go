package jobs

import (
	"context"
	"slices"
	"time"

	"github.com/riverqueue/river/rivertype"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Depth is how many jobs of a queue are in one state.
type Depth struct {
	Queue  string        `db:"queue"`
	State  string        `db:"state"` // River's word
	Count  int           `db:"count"`
	Oldest time.Duration `db:"-"` // for how long the oldest could have been worked; 0: it may not yet, or is done
	Since  *time.Time    `db:"since"`
}

// Depths counts the jobs that are not done, those of each of our queues that could be worked also when there are none.
func (q *Queue) Depths(ctx context.Context, h database.Handle, now time.Time) (all []Depth, err error) {
	defer errs.Wrap(&err, "count jobs")
	err = h.SelectContext(ctx, &all, `
		SELECT queue, state::text AS state, count(*) AS count, min(scheduled_at) FILTER (WHERE state IN ('available', 'retryable', 'scheduled') AND scheduled_at <= $1) AS since
		FROM `+database.RiverSchema+`.river_job WHERE state NOT IN ('completed', 'cancelled', 'discarded')
		GROUP BY queue, state ORDER BY queue, state`, now)
	for i := range all {
		if all[i].Since != nil {
			all[i].Oldest = now.Sub(*all[i].Since)
		}
	}
	for queue := range queues {
		if !slices.ContainsFunc(all, func(d Depth) bool { return d.Queue == queue && d.State == string(rivertype.JobStateAvailable) }) {
			all = append(all, Depth{Queue: queue, State: string(rivertype.JobStateAvailable)})
		}
	}
	return all, err
}
