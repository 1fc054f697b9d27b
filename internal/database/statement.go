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

// On returns the statement prepared for a pool; a transaction of it takes it by its StmtxContext. It is asked for before the transaction begins, for the first
// time takes a connection of its own.
func (s *Statement) On(ctx context.Context, db *sqlx.DB) (*sqlx.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prepared == nil {
		prepared, err := db.PreparexContext(ctx, s.SQL)
		if err != nil {
			return nil, err
		}
		s.prepared = prepared
	}
	return s.prepared, nil
}
