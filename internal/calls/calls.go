// Package calls keeps account of what machines ask of the API: what they were answered, for as long as they may ask the same again, and how often
// they call. It knows no HTTP and no operation: an answer is what its caller wants it to be.
//
// A call that names itself is done once. Begin claims it; whoever got the claim works it and writes the answer down with Claim.Keep in the very
// transaction that did what was asked, so that neither is ever there alone. Who crashes between the two has done nothing; who crashes after
// them has answered, and the same call again reads that. A claim that was not kept in time is another's, and Keep then refuses: what the slow one did is
// rolled back.
package calls

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Call is a call that names itself.
type Call struct {
	Actor   string // who calls; names are theirs
	Name    string
	Request []byte // a hash of what is asked
}

const (
	// Life is for how long an answer is kept.
	Life = 24 * time.Hour
	// ClaimLife is for how long a call is taken to be worked by who claimed it.
	ClaimLife = 2 * time.Minute
)

// ErrBusy says that the same call is being worked at this moment.
var ErrBusy = errs.New(errs.Conflict, "the same call is being worked: ask again in a moment")

// ErrOther says that the name was given to another call.
var ErrOther = errs.New(errs.Invalid, "this key was used for another call: take a new one for each")

// Claim is the right to work a call.
type Claim struct {
	call Call
	id   uuid.UUID
}

// Begin claims a call at a time. Where it was answered before, that answer is returned and nothing is claimed. It fails with ErrBusy or ErrOther, and
// is not for a transaction: others are to see the claim at once.
func Begin(ctx context.Context, h database.Handle, call Call, now time.Time) (claim *Claim, answer json.RawMessage, err error) {
	claim = &Claim{call: call, id: uuid.New()}
	var claimed bool
	err = h.GetContext(ctx, &claimed, `
		INSERT INTO calls.answers AS a (actor, name, request, claim, made_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (actor, name) DO UPDATE SET request = excluded.request, claim = excluded.claim, made_at = excluded.made_at, answer = NULL
		WHERE a.made_at <= $6 OR a.answer IS NULL AND a.made_at <= $7 AND a.request = excluded.request
		RETURNING true`, call.Actor, call.Name, call.Request, claim.id, now, now.Add(-Life), now.Add(-ClaimLife))
	if err == nil {
		return claim, nil, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return nil, nil, err
	}
	var there struct {
		Same   bool   `db:"same"`
		Answer []byte `db:"answer"`
	}
	err = h.GetContext(ctx, &there, `SELECT request = $3 AS same, answer FROM calls.answers WHERE actor = $1 AND name = $2`, call.Actor, call.Name, call.Request)
	switch {
	case errors.Is(err, sql.ErrNoRows): // it was dropped between the two statements
		return nil, nil, ErrBusy
	case err != nil:
		return nil, nil, err
	case !there.Same:
		return nil, nil, ErrOther
	case there.Answer == nil:
		return nil, nil, ErrBusy
	}
	return nil, there.Answer, nil
}

// Keep writes an answer down, in the transaction of h. It is errs.Conflict when the claim is another's by now: the transaction is to be rolled back.
func (c *Claim) Keep(ctx context.Context, h database.Handle, answer json.RawMessage) error {
	result, err := h.ExecContext(ctx, `UPDATE calls.answers SET answer = $4 WHERE actor = $1 AND name = $2 AND claim = $3`,
		c.call.Actor, c.call.Name, c.id, []byte(answer))
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return errs.New(errs.Conflict, "this took so long that the same call was begun again elsewhere: nothing was changed here")
}

// Drop gives a claim back that was not kept: the call was refused, did nothing and may come again.
func (c *Claim) Drop(ctx context.Context, h database.Handle) error {
	_, err := h.ExecContext(ctx, `DELETE FROM calls.answers WHERE actor = $1 AND name = $2 AND claim = $3 AND answer IS NULL`, c.call.Actor, c.call.Name, c.id)
	return err
}

// Forget drops the answers and counts that nothing hangs on any more.
func Forget(ctx context.Context, h database.Handle, now time.Time) error {
	if _, err := h.ExecContext(ctx, `DELETE FROM calls.answers WHERE made_at <= $1`, now.Add(-Life)); err != nil {
		return err
	}
	_, err := h.ExecContext(ctx, `DELETE FROM calls.uses WHERE since <= $1`, now.Add(-longest))
	return err
}
