package ledger

import (
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
)

// Clerk does for one sender what is done all the time, claiming and settling, with statements that the database has prepared: planning them takes longer
// than doing them. It may be used by any number of goroutines.
type Clerk struct {
	db                     *sqlx.DB
	claim, plainly, settle database.Statement
}

// NewClerk returns a clerk. Its statements stay prepared as long as the pool is open.
func NewClerk(db *sqlx.DB) *Clerk {
	return &Clerk{db: db, claim: database.Statement{SQL: claim}, plainly: database.Statement{SQL: plainly}, settle: database.Statement{SQL: settle}}
}
