package accounts

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
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

// Entry is a line of the log.
type Entry struct {
	Seq    int64           `db:"seq"`
	At     time.Time       `db:"at"`
	Actor  string          `db:"actor"` // an Actor's Name; "": nobody who is known
	Thing  string          `db:"thing"` // room.table
	ID     string          `db:"id"`    // of the row; "": of many
	What   string          `db:"what"`
	Before json.RawMessage `db:"before"` // the columns that were changed, by name; null: there was nothing
	After  json.RawMessage `db:"after"`
}

// Filter says which lines of the log are asked for. What is empty leaves nothing out.
type Filter struct {
	Actor  string
	Thing  string
	ID     string
	Before time.Time // earlier ones only
	From   *Place    // earlier ones than this line only
	Limit  int
}

// Place is where in the log a line stands.
type Place struct {
	At  time.Time
	Seq int64
}

// Log returns lines, the newest first.
func (s *Store) Log(ctx context.Context, f Filter) (entries []Entry, err error) {
	query, args := f.query()
	err = s.DB.SelectContext(ctx, &entries, query, args...)
	return entries, err
}

// query returns the statement that finds the lines.
func (f Filter) query() (statement string, args []any) {
	where := []string{"true"}
	add := func(clause string, values ...any) {
		for _, value := range values {
			args = append(args, value)
			clause = strings.Replace(clause, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		where = append(where, clause)
	}
	if f.Actor != "" {
		add("actor = ?", f.Actor)
	}
	if f.Thing != "" {
		add("thing = ?", f.Thing)
	}
	if f.ID != "" {
		add("id = ?", f.ID)
	}
	if !f.Before.IsZero() {
		add("at < ?", f.Before)
	}
	if f.From != nil {
		add("(at, seq) < (?, ?)", f.From.At, f.From.Seq)
	}
	args = append(args, f.Limit)
	return `
		SELECT seq, at, actor, thing, id, what, coalesce(before, 'null') AS before, coalesce(after, 'null') AS after FROM accounts.log
		WHERE ` + strings.Join(where, " AND ") + ` ORDER BY at DESC, seq DESC LIMIT $` + strconv.Itoa(len(args)), args
}

// Logged returns who and what there are lines of: the names of actors, and things. Each is found by one look into an index, however long the log is.
func (s *Store) Logged(ctx context.Context) (actors, things []string, err error) {
	for column, into := range map[string]*[]string{"actor": &actors, "thing": &things} {
		err = errors.Join(err, s.DB.SelectContext(ctx, into, `
			WITH RECURSIVE each AS (
				SELECT min(`+column+`) AS word FROM accounts.log
				UNION ALL SELECT (SELECT min(`+column+`) FROM accounts.log WHERE `+column+` > word) FROM each WHERE word IS NOT NULL
			)
			SELECT word FROM each WHERE word <> '' LIMIT 1000`))
	}
	return actors, things, err
}
