package database

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
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
	// No query, such as set_config would be: after one, a transaction can have no other isolation any more.
	_, err := tx.ExecContext(ctx, `SET LOCAL silkpost.actor = `+pq.QuoteLiteral(who.name)+`; SET LOCAL silkpost.at = `+pq.QuoteLiteral(who.at.UTC().Format(time.RFC3339Nano)))
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}
