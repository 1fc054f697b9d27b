package database

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// actor is who has transactions made, and when that was asked for.
type actor struct {
	name string
	at   time.Time
}

type actorKey struct{}

// As returns a context whose transactions are made for somebody: Transact tells the server who and when (silkpost.actor and silkpost.at, until the
// transaction ends), and the log of changes takes it from there. name is an id, never an address.
func As(ctx context.Context, name string, at time.Time) context.Context {
	return context.WithValue(ctx, actorKey{}, actor{name, at})
}

// introduce tells the server for whom a transaction is made, if that is known.
func introduce(ctx context.Context, tx *sqlx.Tx) error {
	who, known := ctx.Value(actorKey{}).(actor)
	if !known {
		return nil
	}
	_, err := tx.ExecContext(ctx, `SELECT set_config('silkpost.actor', $1, true), set_config('silkpost.at', $2, true)`, who.name, who.at.UTC().Format(time.RFC3339Nano))
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}
