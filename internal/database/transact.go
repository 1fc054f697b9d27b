package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/errs"
)

// ErrCommitUnknown says that the answer to COMMIT was lost: the transaction is either wholly done or not at all, and only
// looking can tell.
var ErrCommitUnknown = errors.New("the answer to COMMIT was lost")

// frameLimit is for how long the server may take to answer BEGIN, COMMIT or ROLLBACK.
const frameLimit = 10 * time.Second

const (
	transactAttempts = 5
	transactBackoff  = 5 * time.Millisecond // doubles from attempt to attempt, and half of it is chance
)

// Transact runs fn in a transaction and commits it when fn returns nil. When fn returns an error, panics or leaves its
// goroutine, or ctx is over before the commit, all is rolled back. A serialization failure (SQLSTATE 40001) or a deadlock
// (40P01) starts fn anew, up to five times in all: fn must have no effect but through tx. A commit whose answer was lost
// is never tried again; the error then is ErrCommitUnknown. Once begun, COMMIT is not cut short by ctx, but a server that does
// not answer it (nor BEGIN or ROLLBACK) within ten seconds is taken for gone.
//
// The isolation is READ COMMITTED whatever the server's default: who waits for a lock must then see what its holder did. fn may
// ask for another one before its first query.
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
	limit, err := limiterOf(conn)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	tx, err := begin(ctx, conn, limit)
	if err != nil {
		return err
	}
	defer func() { _ = limit.run(tx.Rollback) }() // does nothing after a commit
	if err := introduce(ctx, tx); err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return err
	}
	if err := end(ctx, tx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return commit(tx, limit)
}

// begin begins a transaction that lives outside ctx's cancelling, so that neither ROLLBACK nor COMMIT is cut off half-way.
func begin(ctx context.Context, conn *sqlx.Conn, limit limiter) (tx *sqlx.Tx, err error) {
	err = limit.run(func() error {
		tx, err = conn.BeginTxx(context.WithoutCancel(ctx), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	return tx, nil
}

// commit tells a COMMIT that the server refused from one whose answer never came.
func commit(tx *sqlx.Tx, limit limiter) error {
	err := limit.run(tx.Commit)
	switch {
	case err == nil:
		return nil
	case SQLState(err) != "" && !isShutdown(err):
		return fmt.Errorf("commit: %w", err)
	default:
		return errs.New(errs.Unavailable, "%w: %w", ErrCommitUnknown, err)
	}
}

// limiter closes a connection on which an answer is waited for too long. Contexts cannot do that: the driver hears of their end,
// asks the server to give up, and goes on waiting for it.
type limiter struct{ wire io.Closer }

func limiterOf(conn *sqlx.Conn) (l limiter, err error) {
	err = conn.Raw(func(driverConn any) error {
		wire, ok := driverConn.(io.Closer)
		if !ok {
			return errs.New(errs.Internal, "%T cannot be closed", driverConn)
		}
		l.wire = wire
		return nil
	})
	return l, err
}

// run calls what waits for an answer. After the limit the connection is closed, which ends the waiting with an error; the pool
// then throws the connection away.
func (l limiter) run(wait func() error) error {
	timer := time.AfterFunc(frameLimit, func() { _ = l.wire.Close() })
	defer timer.Stop()
	return wait()
}

// backOff waits before the attempt after the given one, or until ctx is over.
func backOff(ctx context.Context, attempt int) error {
	full := transactBackoff << attempt
	return wait(ctx, full/2+rand.N(full/2))
}

// wait returns nil after d, or the cause when ctx is over first.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
