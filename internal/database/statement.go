package database

import (
	"context"
	"sync"

	"github.com/jmoiron/sqlx"
)

// Statement is a statement that runs often: the server keeps it parsed, and planned, on each connection that it has run on. It may be used by any number
// of goroutines, with one pool. It is not copied.
type Statement struct {
	SQL string

	mu       sync.Mutex
	prepared *sqlx.Stmt
}

// In returns the statement for a transaction of the pool.
func (s *Statement) In(ctx context.Context, db *sqlx.DB, tx *sqlx.Tx) (*sqlx.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prepared == nil {
		prepared, err := db.PreparexContext(ctx, s.SQL)
		if err != nil {
			return nil, err
		}
		s.prepared = prepared
	}
	return tx.StmtxContext(ctx, s.prepared), nil
}
