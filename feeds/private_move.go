package feeds

import (
	"context"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// MovePrivate gives the private feeds of an organisation to another one: their addresses show from now on what that one gets.
func (s *Store) MovePrivate(ctx context.Context, h database.Handle, from, to int64) (err error) {
	_, err = h.ExecContext(ctx, `UPDATE feeds.private SET organisation_id = $2 WHERE organisation_id = $1`, from, to)
	errs.Wrap(&err, "move the private feeds of organisation %d", from)
	return err
}

// RevokeAll ends all private feeds of an organisation for ever.
func (s *Store) RevokeAll(ctx context.Context, h database.Handle, organisation int64, now time.Time) (err error) {
	_, err = h.ExecContext(ctx, `UPDATE feeds.private SET revoked_at = $2 WHERE organisation_id = $1 AND revoked_at IS NULL`, organisation, now)
	errs.Wrap(&err, "revoke the private feeds of organisation %d", organisation)
	return err
}

// PrivatesOf returns the private feeds of an organisation, revoked ones too, oldest first.
func (s *Store) PrivatesOf(ctx context.Context, h database.Handle, organisation int64) (all []Private, err error) {
	err = h.SelectContext(ctx, &all, `SELECT `+privateColumns+` FROM feeds.private WHERE organisation_id = $1 ORDER BY id`, organisation)
	errs.Wrap(&err, "read the private feeds of organisation %d", organisation)
	return all, err
}
