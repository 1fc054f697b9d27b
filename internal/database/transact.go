package database

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/errs"
)

// ErrCommitUnknown says that the answer to COMMIT was lost: the transaction is either wholly done or not at all, and only
// looking can tell.
var ErrCommitUnknown = errors.New("the answer to COMMIT was lost")

const (
	transactAttempts = 5
	transactBackoff  = 5 * time.Millisecond // doubles from attempt to attempt, and half of it is chance
)

// Transact runs fn in a transaction and commits it when fn returns nil. When fn returns an error, panics or leaves its
// goroutine, or ctx is over before the commit, all is rolled back. A serialization failure (SQLSTATE 40001) or a deadlock
// (40P01) starts fn anew, up to five times in all: fn must have no effect but through tx. A commit whose answer was lost
// is never tried again; the error then is ErrCommitUnknown. Once begun, COMMIT is not cut short by ctx.
//
// fn gets no context: it uses the caller's. tx is for one goroutine at a time. Transactions do not nest.
func Transact(ctx context.Context, db *sqlx.DB, fn func(tx *sqlx.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := transactOnce(ctx, db, fn)
		if attempt == transactAttempts || !IsRetryable(err) {
			return err
		}
		if waitErr := backOff(ctx, attempt); waitErr != nil {
			return fmt.Errorf("%w, after: %w", waitErr, err)
		}
	}
}

func transactOnce(ctx context.Context, db *sqlx.DB, fn func(tx *sqlx.Tx) error) error {
	conn, err := db.Connx(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = conn.Close() }()
	// The transaction lives outside ctx's cancelling, so that neither ROLLBACK nor COMMIT is cut off half-way.
	tx, err := conn.BeginTxx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	if err := fn(tx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return commit(tx)
}

// commit tells a COMMIT that the server refused from one whose answer never came.
func commit(tx *sqlx.Tx) error {
	err := tx.Commit()
	switch {
	case err == nil:
		return nil
	case SQLState(err) != "" && !isShutdown(err):
		return fmt.Errorf("commit: %w", err)
	default:
		return errs.New(errs.Unavailable, "%w: %w", ErrCommitUnknown, err)
	}
}

// backOff waits before the attempt after the given one, or until ctx is over.
func backOff(ctx context.Context, attempt int) error {
	full := transactBackoff << attempt
	timer := time.NewTimer(full/2 + rand.N(full/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
