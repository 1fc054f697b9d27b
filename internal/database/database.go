// Package database opens Postgres, runs transactions and migrations, and keeps the private local server that Silkpost starts
// when no database is given.
package database

import (
	"context"
	"database/sql"

	"github.com/jmoiron/sqlx"
)

// Handle is what store functions take: both *sqlx.DB and *sqlx.Tx are one.
type Handle interface {
	sqlx.ExtContext
	GetContext(ctx context.Context, dest any, query string, args ...any) error
	SelectContext(ctx context.Context, dest any, query string, args ...any) error
}

var (
	_ Handle = (*sqlx.DB)(nil)
	_ Handle = (*sqlx.Tx)(nil)
	_        = sql.ErrNoRows
)
