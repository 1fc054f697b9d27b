// Package database opens Postgres, runs transactions and migrations, and keeps the private local server that Silkpost starts
// when no database is given.
//
// The private server (local*.go) is an ordinary Postgres with default durability that lives in the data directory, listens
// on a Unix socket alone and stops with the process that started it. One process at a time holds it; others attach.
package database

import (
	"context"

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
)
