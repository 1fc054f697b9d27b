// Package installation tells a database from its copies (P7). One that was restored, copied or promoted still holds what its original had to do,
// and the original may have done it. So it holds everything: nothing is sent and nobody is told or asked anything, until a person adopts it.
//
// Its rules, in words. A database notes what its server calls itself when it is first opened: the system identifier, the timeline of its log, and
// the database's own number. A restart, a crash and a move of the connection change none of them; restoring a dump, promoting a standby and
// recovering to a point in time do. A copy of the files alone changes nothing that the server knows, but such a copy does not answer at the
// public URL: who asks there writes a word down in the database first, and only a process on that very database can prove that it
// read it. The files of the private Postgres are known by their place as well.
package installation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Standing is which installation a database is, and whether it may act.
type Standing struct {
	ID    uuid.UUID
	Held  string // why it holds everything, in words; "": it does not
	Blind bool   // its server may not be asked what it calls itself: a copy shows at the public URL alone
}

// Enrol notes, in a database that is opened for the first time, which one it is. It changes nothing in any other. place is where the files of a
// private Postgres are, "" for other servers: a database that says it was elsewhere is held.
func Enrol(ctx context.Context, h database.Handle, place string, now time.Time) (err error) {
	defer errs.Wrap(&err, "installation.Enrol")
	if _, err := h.ExecContext(ctx, `
		INSERT INTO installation.identity (id, system_identifier, timeline, database_oid, place, since)
		SELECT $1, system_identifier, timeline, database_oid, $2, $3 FROM installation.present()
		ON CONFLICT DO NOTHING`, uuid.New(), place, now); err != nil {
		return err
	}
	_, err = h.ExecContext(ctx, `
		UPDATE installation.identity SET held = $2 WHERE place <> $1 AND place <> '' AND $1 <> '' AND held = ''`,
		place, "its files were copied or restored")
	return err
}

// Of returns how a database stands. One that was never enrolled is not held.
func Of(ctx context.Context, h database.Handle) (s Standing, err error) {
	var row struct {
		ID          uuid.UUID `db:"id"`
		Noted       string    `db:"noted"`
		SystemWas   *string   `db:"system_was"`
		SystemIs    *string   `db:"system_is"`
		TimelineWas *string   `db:"timeline_was"`
		TimelineIs  *string   `db:"timeline_is"`
		DatabaseWas int64     `db:"database_was"`
		DatabaseIs  int64     `db:"database_is"`
		Held        bool      `db:"held"`
	}
	err = h.GetContext(ctx, &row, `
		SELECT id, noted, system_was, system_is, timeline_was, timeline_is, database_was, database_is, held FROM installation.standing`)
	if errors.Is(err, sql.ErrNoRows) {
		return s, nil
	}
	errs.Wrap(&err, "installation.Of")
	if err != nil {
		return s, err
	}
	s = Standing{ID: row.ID, Blind: row.SystemIs == nil || row.TimelineIs == nil}
	if !row.Held {
		return s, nil
	}
	var why []string
	if row.Noted != "" {
		why = append(why, row.Noted)
	}
	switch {
	case differ(row.SystemWas, row.SystemIs):
		why = append(why, fmt.Sprintf("it was copied or restored to another server (system identifier %s, not %s)", *row.SystemIs, *row.SystemWas))
	case differ(row.TimelineWas, row.TimelineIs):
		why = append(why, fmt.Sprintf("its server was promoted or recovered (timeline %s, not %s)", *row.TimelineIs, *row.TimelineWas))
	case row.DatabaseWas != row.DatabaseIs:
		why = append(why, "it was restored or copied into another database of the same server")
	}
	s.Held = strings.Join(why, "; ")
	return s, nil
}

func differ(was, is *string) bool { return was != nil && is != nil && *was != *is }

// Hold makes a database hold everything until it is adopted. Why is the first reason that was given.
func Hold(ctx context.Context, h database.Handle, why string) (err error) {
	defer errs.Wrap(&err, "installation.Hold")
	_, err = h.ExecContext(ctx, `UPDATE installation.identity SET held = $1 WHERE held = ''`, why)
	return err
}

// Adopt makes a database be the installation, under a new id, whatever it was copied from.
func Adopt(ctx context.Context, h database.Handle, place string, now time.Time) (err error) {
	defer errs.Wrap(&err, "installation.Adopt")
	_, err = h.ExecContext(ctx, `
		INSERT INTO installation.identity (id, system_identifier, timeline, database_oid, place, since)
		SELECT $1, system_identifier, timeline, database_oid, $2, $3 FROM installation.present()
		ON CONFLICT (one) DO UPDATE
		SET (id, system_identifier, timeline, database_oid, place, since, held)
		    = (excluded.id, excluded.system_identifier, excluded.timeline, excluded.database_oid, excluded.place, excluded.since, '')`,
		uuid.New(), place, now)
	return err
}
