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
	// A SELECT would be the transaction's first query, after which it cannot be made one that sees a single moment.
	_, err := tx.ExecContext(ctx, `SET LOCAL silkpost.actor = `+pq.QuoteLiteral(who.name)+`; SET LOCAL silkpost.at = `+pq.QuoteLiteral(who.at.UTC().Format(time.RFC3339Nano)))
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

type endingKey struct{}

// Ending returns a context whose transactions each do something more, last, just before they are committed: it is done if and only if what they
// did is. do may be called again when a transaction is begun anew. It is for what must be known of a change without the change knowing of it, such as the
// answer that a caller gets; transactions that only read must not be given such a context when do writes.
func Ending(ctx context.Context, do func(tx *sqlx.Tx) error) context.Context {
	return context.WithValue(ctx, endingKey{}, do)
}

// end does what was asked for with Ending.
func end(ctx context.Context, tx *sqlx.Tx) error {
	do, asked := ctx.Value(endingKey{}).(func(tx *sqlx.Tx) error)
	if !asked {
		return nil
	}
	return do(tx)
}
