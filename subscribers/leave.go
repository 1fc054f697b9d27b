package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

const selectVersion = `
SELECT coalesce((
           SELECT max(g.id) FROM subscribers.consents g JOIN subscribers.subscriptions s ON s.id = g.subscription_id
           WHERE s.contact_id = c.id), 0)
     + coalesce((SELECT max(x.id) FROM subscribers.suppressions x WHERE x.address_key = c.email_key), 0)
FROM subscribers.contacts c
WHERE c.id = $1`

// Version returns a number that rises with each change of a state of a contact's subscriptions, and with each suppression of their address:
// whoever saw another one decided about something else.
func Version(ctx context.Context, h database.Handle, contact int64) (version int64, err error) {
	defer errs.Wrap(&err, "read what contact %d has agreed to", contact)
	err = h.GetContext(ctx, &version, selectVersion, contact)
	return version, err
}

// Hold makes others who hold the same contact wait until tx ends, and returns its Version. An erased contact is errs.Gone.
func Hold(ctx context.Context, tx *sqlx.Tx, contact int64) (version int64, err error) {
	var erased bool
	err = tx.GetContext(ctx, &erased, `SELECT erased_at IS NOT NULL FROM subscribers.contacts WHERE id = $1 FOR UPDATE`, contact)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, errs.New(errs.NotFound, "no contact %d", contact)
	case err != nil:
		return 0, err
	case erased:
		return 0, errs.New(errs.Gone, "contact %d was erased", contact)
	}
	return Version(ctx, tx, contact)
}

// Ended is a subscription as it was before Leave ended it.
type Ended struct {
	ID      int64      `db:"id"`
	State   State      `db:"state"`
	Until   *time.Time `db:"paused_until"`
	CatchUp bool       `db:"catch_up"`
}

// Leave ends several subscriptions, all or none, and returns those that it ended. Those that had ended stay as they are.
func Leave(ctx context.Context, h database.Handle, ids []int64, e Evidence) (ended []Ended, err error) {
	defer errs.Wrap(&err, "end subscriptions %v", ids)
	err = h.SelectContext(ctx, &ended, `
		WITH before AS (
			SELECT id, state, paused_until, catch_up FROM subscribers.subscriptions
			WHERE id = ANY ($1) AND state <> 'unsubscribed' ORDER BY id FOR UPDATE),
		changed AS (
			UPDATE subscribers.subscriptions s SET state = 'unsubscribed', paused_until = NULL, catch_up = false
			FROM before b WHERE s.id = b.id),
		logged AS (
			INSERT INTO subscribers.consents (subscription_id, at, state, method, statement, origin, network, actor)
			SELECT id, $2, 'unsubscribed', $3, $4, $5, $6, $7 FROM before ORDER BY id)
		SELECT id, state, paused_until, catch_up FROM before ORDER BY id`,
		pq.Array(ids), e.At, e.Method, e.Statement, e.Origin, e.Network, e.Actor)
	return ended, err
}

// Restore takes a Leave back because its person says so: each subscription is what it was, as if nothing had happened between, and nothing else
// is agreed to. A pause that would be over by now is. Somebody else's word is errs.Invalid.
func Restore(ctx context.Context, tx *sqlx.Tx, ended []Ended, e Evidence) error {
	if err := fromPerson(e); err != nil {
		return err
	}
	for _, one := range ended {
		t := transition{from: []State{Unsubscribed}, to: one.State, until: one.Until, catchUp: one.CatchUp}
		if one.Until != nil && !one.Until.After(e.At) {
			t = transition{from: t.from, to: Active, enrols: !one.CatchUp}
		}
		if err := change(ctx, tx, one.ID, t, e); err != nil {
			return err
		}
		if err := followOffer(ctx, tx, one.ID); err != nil {
			return err
		}
	}
	return nil
}
