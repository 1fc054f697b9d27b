package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/reply"
)

// Floor is what the account does not reach below.
type Floor struct {
	First   uuid.UUID  `db:"first"`   // the first edition of which deliveries may be kept
	Arrived *time.Time `db:"arrived"` // what had come by then is never planned again; nil: the floor never rose
	RoseAt  *time.Time `db:"rose_at"`
}

// Below reports whether the deliveries of an edition are not kept any more.
func (f Floor) Below(edition uuid.UUID) bool { return bytes.Compare(edition[:], f.First[:]) < 0 }

// Closed is true in SQL of a translation group that lies behind the floor: who was given it is not known any more.
func Closed(group string) string {
	return `EXISTS (SELECT FROM mailer.floor f JOIN articles.arrivals came ON came.first_seen_at <= f.arrived WHERE came.group_id = ` + group + `)`
}

// Month returns the beginning of the first month of which deliveries are kept.
func (f Floor) Month() time.Time {
	var ms [8]byte
	copy(ms[2:], f.First[:6])
	return time.UnixMilli(int64(binary.BigEndian.Uint64(ms[:]))).UTC()
}

// FloorOf returns the floor.
func FloorOf(ctx context.Context, h database.Handle) (f Floor, err error) {
	defer errs.Wrap(&err, "ledger.FloorOf")
	err = h.GetContext(ctx, &f, `SELECT first, arrived, rose_at FROM mailer.floor`)
	return f, err
}

// HoldFloor keeps the floor where it is until the transaction of h ends: what is read there of who was given what stays complete.
func HoldFloor(ctx context.Context, h database.Handle) error {
	_, err := h.ExecContext(ctx, `SELECT FROM mailer.floor FOR SHARE`)
	return err
}

// Retained says what a Retain did.
type Retained struct {
	Months  []string // that were dropped, as 2026-01
	Blocked string   // the first month that could have been dropped, but has something open; "": none
}

// Retain drops the deliveries and attempts of whole months that ended by before. Month by month, the oldest first: what is known of them is added up
// for ever, the floor rises behind it, and then the partitions go, without making anybody wait who sends. A month in which anything is still open, or an
// edition waits for a person, stays, and with it all that follow. It may be called by any number of processes, and goes on where another ended.
func Retain(ctx context.Context, db *sqlx.DB, before, now time.Time) (done Retained, err error) {
	defer errs.Wrap(&err, "ledger.Retain")
	for {
		month, found, err := oldestMonth(ctx, db, before)
		if err != nil || !found {
			return done, err
		}
		blocked, err := retire(ctx, db, month, now)
		if blocked {
			done.Blocked = month.Format("2006-01")
		}
		if err != nil || blocked {
			return done, err
		}
		if err := drop(ctx, db, month); err != nil {
			return done, err
		}
		done.Months = append(done.Months, month.Format("2006-01"))
	}
}

// partitionForm is how the table of a month is called, after its parent.
const partitionForm = "_2006_01"

// oldestMonth finds the first month that still has a partition, attached or not, and ended by before.
func oldestMonth(ctx context.Context, h database.Handle, before time.Time) (month time.Time, found bool, err error) {
	var names []string
	err = h.SelectContext(ctx, &names, `
		SELECT DISTINCT substring(c.relname FROM '_[0-9]{4}_[0-9]{2}$') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'mailer' AND c.relkind = 'r' AND c.relname ~ '^(deliveries|attempts)_[0-9]{4}_[0-9]{2}$' ORDER BY 1`)
	if err != nil || len(names) == 0 {
		return month, false, err
	}
	month, err = time.Parse(partitionForm, names[0])
	return month, err == nil && !month.AddDate(0, 1, 0).After(before), err
}

// retire adds up a month and lets the floor rise above it, in one transaction. Whoever plans holds the floor, so that this waits for them, and they for
// this. It reports true, and does nothing, when something of the month is open.
func retire(ctx context.Context, db *sqlx.DB, month, now time.Time) (blocked bool, err error) {
	next := month.AddDate(0, 1, 0)
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		var floor Floor
		if err := tx.GetContext(ctx, &floor, `SELECT first, arrived, rose_at FROM mailer.floor FOR UPDATE`); err != nil || floor.Below(firstID(month)) {
			return err // added up before, not dropped yet
		}
		if err := tx.GetContext(ctx, &blocked, `
			SELECT EXISTS (SELECT FROM mailer.deliveries WHERE edition_id < $1 AND due_at IS NOT NULL)
			    OR EXISTS (SELECT FROM mailer.editions WHERE id < $1 AND id >= $2 AND finished_at IS NULL)`, firstID(next), floor.First); err != nil || blocked {
			return err
		}
		if err := tally(ctx, tx, floor.First, firstID(next)); err != nil {
			return err
		}
		return raise(ctx, tx, floor.First, firstID(next), next, now)
	})
	return blocked, err
}

// raise lets the floor rise to what came by a time, and to all that the editions between two ids held: an editor may have added what came later.
// What was to be given again of that is closed, too.
func raise(ctx context.Context, tx *sqlx.Tx, from, to uuid.UUID, arrived, now time.Time) error {
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{`UPDATE mailer.floor SET first = $2, rose_at = $4, arrived = greatest(arrived, $3::timestamptz, (
			SELECT max(came.at) FROM (
				SELECT min(a.first_seen_at) AS at FROM articles.arrivals a WHERE a.group_id IN (
					SELECT unnest(v.groups) FROM mailer.variants v WHERE v.edition_id >= $1 AND v.edition_id < $2
					UNION SELECT group_id FROM mailer.arrangements WHERE edition_id >= $1 AND edition_id < $2)
				GROUP BY a.group_id) came))`, []any{from, to, arrived, now}},
		{`DELETE FROM mailer.released r WHERE ` + Closed("r.group_id"), nil},
		{`DELETE FROM mailer.variants WHERE edition_id < $1`, []any{to}},
	} {
		if _, err := tx.ExecContext(ctx, step.statement, step.args...); err != nil {
			return err
		}
	}
	return nil
}

// namedFrom is how many recipients of an edition a destination must have to be named for ever: the domain of a single person names that person.
const namedFrom = 10

// tallied is one line of what is kept.
type tallied struct {
	Edition     uuid.UUID `db:"edition_id"`
	State       string    `db:"state"`
	Kind        string    `db:"kind"`
	Bounce      string    `db:"bounce"`
	Destination string    `db:"destination"`
}

// tally adds up the deliveries of the editions between two ids. What an answer was about is judged here, by the table that judged it then, or a better one.
func tally(ctx context.Context, tx *sqlx.Tx, from, to uuid.UUID) error {
	rows, err := tx.QueryxContext(ctx, `
		WITH d AS (
			SELECT d.edition_id, d.contact_id, d.state, d.code, d.reply, coalesce(d.bounce_kind, '') AS bounce, coalesce(o.destination, `+domainOf+`, '') AS destination
			FROM mailer.deliveries d LEFT JOIN subscribers.addresses m ON m.contact_id = d.contact_id
			LEFT JOIN mailer.domains o ON o.name = `+domainOf+`
			WHERE d.edition_id >= $1 AND d.edition_id < $2
		), known AS (
			SELECT edition_id, destination FROM d GROUP BY edition_id, destination HAVING count(*) >= $3
		)
		SELECT d.edition_id, d.state, d.bounce, coalesce(known.destination, '') AS destination, d.code,
		       CASE WHEN d.state = 'sent' THEN '' ELSE d.reply END AS reply, coalesce(last.phase, '') AS phase, count(*) AS count
		FROM d LEFT JOIN known USING (edition_id, destination)
		LEFT JOIN LATERAL (
			SELECT a.phase FROM mailer.attempts a WHERE d.state <> 'sent' AND a.edition_id = d.edition_id AND a.contact_id = d.contact_id
			ORDER BY a.number DESC, a.at DESC LIMIT 1) last ON true
		GROUP BY 1, 2, 3, 4, 5, 6, 7`, from, to, namedFrom)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	counts := map[tallied]int{}
	for rows.Next() {
		var row struct {
			tallied
			Code  int         `db:"code"`
			Reply string      `db:"reply"`
			Phase reply.Phase `db:"phase"`
			Count int         `db:"count"`
		}
		if err := rows.StructScan(&row); err != nil {
			return err
		}
		switch {
		case row.State == string(reply.Sent):
			row.Kind = string(reply.Accepted)
		case row.Phase != "":
			row.Kind = string(reply.Reply{Phase: row.Phase, Code: row.Code, Text: row.Reply}.Kind())
		}
		counts[row.tallied] += row.Count
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return insertTallies(ctx, tx, counts)
}

func insertTallies(ctx context.Context, tx *sqlx.Tx, counts map[tallied]int) error {
	var editions, states, kinds, bounces, destinations pq.StringArray
	var numbers pq.Int64Array
	for t, n := range counts {
		editions, states, kinds = append(editions, t.Edition.String()), append(states, t.State), append(kinds, t.Kind)
		bounces, destinations, numbers = append(bounces, t.Bounce), append(destinations, t.Destination), append(numbers, int64(n))
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO mailer.tallies (edition_id, state, kind, bounce, destination, count)
		SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[])`,
		editions, states, kinds, bounces, destinations, numbers)
	return err
}

// dropWait is for how long dropping waits for a lock. Detaching a partition concurrently makes nobody else wait meanwhile.
const dropWait = 2 * time.Second

// drop lets the partitions of a month go. What was broken off is finished.
func drop(ctx context.Context, db *sqlx.DB, month time.Time) error {
	conn, err := db.Connx(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, fmt.Sprintf(`SET lock_timeout = %d`, dropWait.Milliseconds())); err != nil {
		return err
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), `RESET lock_timeout`) }()
	for _, parent := range []string{"attempts", "deliveries"} {
		partition := parent + month.Format(partitionForm)
		var pending []bool // whether it is being detached; none: it is not attached
		if err := conn.SelectContext(ctx, &pending, `SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = to_regclass($1)`, "mailer."+partition); err != nil {
			return err
		}
		var statements []string
		if len(pending) > 0 {
			how := "CONCURRENTLY"
			if pending[0] {
				how = "FINALIZE"
			}
			statements = append(statements, fmt.Sprintf(`ALTER TABLE mailer.%s DETACH PARTITION mailer.%s %s`, parent, partition, how))
		}
		// DDL takes no parameters; every part of this is ours.
		for _, statement := range append(statements, `DROP TABLE IF EXISTS mailer.`+partition) {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
	}
	return nil
}

// Tally is one line of what is kept of an edition whose deliveries were dropped.
type Tally struct {
	State       string `db:"state" json:"state"`
	Kind        string `db:"kind" json:"kind"`               // what the last answer was about; "": none came
	Bounce      string `db:"bounce" json:"bounce"`           // kind of the bounce; "": none was reported
	Destination string `db:"destination" json:"destination"` // "": destinations with few recipients, together
	Count       int    `db:"count" json:"count"`
}

// Tallies returns what is kept of an edition whose deliveries were dropped, the most frequent first.
func Tallies(ctx context.Context, h database.Handle, edition uuid.UUID) (all []Tally, err error) {
	defer errs.Wrap(&err, "ledger.Tallies(%s)", edition)
	err = h.SelectContext(ctx, &all, `
		SELECT state, kind, bounce, destination, count FROM mailer.tallies WHERE edition_id = $1 ORDER BY count DESC, state, kind, bounce, destination`, edition)
	return all, err
}
