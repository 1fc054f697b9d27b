package edition

import (
	"context"
	"slices"

	"github.com/lib/pq"

	"silkpost/subscribers"
)

// leftOut returns the ids of the lists whose articles the list leaves out.
func (l *layout) leftOut(ctx context.Context) (ids []int64, err error) {
	if len(l.list.LeaveOut) == 0 {
		return nil, nil
	}
	lists, err := subscribers.Lists(ctx, l)
	for _, list := range lists {
		if slices.Contains(l.list.LeaveOut, list.Slug) {
			ids = append(ids, list.ID)
		}
	}
	return ids, err
}

// elsewhere makes the temporary table of that name: which of the groups that a query gives each contact has, or is to get, from the lists that
// are left out. The query's parameters begin at $2.
func (l *layout) elsewhere(ctx context.Context, groups string, args ...any) error {
	if err := l.run(ctx, `DROP TABLE IF EXISTS pg_temp.elsewhere`); err != nil {
		return err
	}
	lists, err := l.leftOut(ctx)
	if err != nil {
		return err
	}
	if len(lists) == 0 {
		return l.run(ctx, `CREATE TEMP TABLE elsewhere (contact_id bigint, groups bigint[]) ON COMMIT DROP`)
	}
	return l.run(ctx, `
		CREATE TEMP TABLE elsewhere ON COMMIT DROP AS
		WITH due AS (`+groups+`)
		SELECT d.contact_id, array_agg(DISTINCT g ORDER BY g) AS groups
		FROM mailer.variants v
		JOIN mailer.editions e ON e.id = v.edition_id AND e.list_id = ANY ($1)
		JOIN mailer.deliveries d ON d.edition_id = v.edition_id AND d.variant_id = v.id AND `+counts+`
		CROSS JOIN LATERAL unnest(v.groups) g
		WHERE v.groups && (SELECT array_agg(group_id) FROM due) AND g IN (SELECT group_id FROM due)
		GROUP BY d.contact_id`,
		append([]any{pq.Array(lists)}, args...)...)
}
