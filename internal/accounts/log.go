package accounts

import (
	"context"
	"encoding/json"
	"time"

	"silkpost/internal/database"
)

// Note is a line of the log that the tables' triggers do not write: what is no change of a row, or one line for very many.
type Note struct {
	At    time.Time
	Actor string         // an Actor's Name; "": nobody who is known
	Thing string         // room.table, such as "subscribers.contacts"
	ID    string         // of the row; "": of many
	What  string         // a word, such as "signed_in"
	After map[string]any // what is worth knowing beside; never a secret, and nothing of persons that are mailed
}

// Write adds a line to the log.
func (n Note) Write(ctx context.Context, h database.Handle) error {
	after, err := json.Marshal(n.After)
	if err != nil {
		return err
	}
	_, err = h.ExecContext(ctx, `INSERT INTO accounts.log (at, actor, thing, id, what, after) VALUES ($1, $2, $3, $4, $5, nullif($6, 'null')::jsonb)`,
		n.At, n.Actor, n.Thing, n.ID, n.What, string(after))
	return err
}
