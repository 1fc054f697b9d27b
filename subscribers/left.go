package subscribers

import (
	"context"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Left is how many subscriptions ended within an hour.
type Left struct {
	Hour  time.Time `db:"hour"` // its beginning
	Count int       `db:"count"`
}

// LeftSince returns how many subscriptions of some lists, nil for all, ended since a time, by whatever way, the earliest hour first; hours in
// which none did are left out.
func LeftSince(ctx context.Context, h database.Handle, since time.Time, lists []int64) (hours []Left, err error) {
	defer errs.Wrap(&err, "subscribers.LeftSince")
	err = h.SelectContext(ctx, &hours, `
		SELECT date_trunc('hour', c.at, 'UTC') AS hour, count(*) AS count FROM subscribers.consents c
		WHERE c.state = 'unsubscribed' AND c.at >= date_trunc('hour', $1::timestamptz, 'UTC')
		  AND ($2::bigint[] IS NULL OR EXISTS (SELECT FROM subscribers.subscriptions s WHERE s.id = c.subscription_id AND s.list_id = ANY ($2)))
		GROUP BY 1 ORDER BY 1`, since, pq.Array(lists))
	return hours, err
}

// Unreached is an organisation of which nobody can be reached.
type Unreached struct {
	ID   int64  `db:"id"`
	Name string `db:"name"`
}

// AnyUnreached returns up to limit organisations of which nobody can be reached, those that were there first first.
func AnyUnreached(ctx context.Context, h database.Handle, limit int) (found []Unreached, err error) {
	defer errs.Wrap(&err, "subscribers.AnyUnreached")
	err = h.SelectContext(ctx, &found, `
		SELECT o.id, o.name FROM subscribers.organisations o LEFT JOIN LATERAL `+someoneReached+` someone ON true
		WHERE someone.found IS NULL ORDER BY o.id LIMIT $1`, limit)
	return found, err
}

// AnyActive reports whether anybody has a subscription that is active, and whether there is any organisation.
func AnyActive(ctx context.Context, h database.Handle) (subscription, organisation bool, err error) {
	defer errs.Wrap(&err, "subscribers.AnyActive")
	row := struct {
		Subscription bool `db:"subscription"`
		Organisation bool `db:"organisation"`
	}{}
	err = h.GetContext(ctx, &row, `
		SELECT EXISTS (SELECT FROM subscribers.subscriptions WHERE state = 'active') AS subscription,
		       EXISTS (SELECT FROM subscribers.organisations) AS organisation`)
	return row.Subscription, row.Organisation, err
}
