package edition

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// Approve lets an edition go out that waits in review.
func (d *Desk) Approve(ctx context.Context, id uuid.UUID) error {
	return d.work(ctx, id, act{"approve it", []State{Review}}, func(b *bench) (string, error) {
		return "approved", b.letGo(ctx)
	})
}

// Release lets an edition go out that is held, or of which deliveries wait because their hour has passed by too much.
func (d *Desk) Release(ctx context.Context, id uuid.UUID) error {
	return d.work(ctx, id, act{"release it", []State{Held, Approved, Sending}}, func(b *bench) (string, error) {
		return "released", b.letGo(ctx)
	})
}

// letGo brings the edition to approved. Its deliveries whose hour has passed are dated anew, or they would be held as late; but not those
// that were begun, for a receiver may have them.
func (b *bench) letGo(ctx context.Context) error {
	var left bool
	if err := b.GetContext(ctx, &left, `SELECT EXISTS (SELECT FROM mailer.deliveries WHERE edition_id = $1 AND due_at IS NOT NULL)`,
		b.edition.ID); err != nil {
		return err
	}
	if !left {
		return errs.New(errs.Conflict, "edition %s has nothing left to send: add an article with silkpost edition add, or cancel it", b.edition.ID)
	}
	return b.run(ctx, `
		WITH gone AS (
			UPDATE mailer.editions SET state = CASE state WHEN 'sending' THEN state ELSE 'approved' END, reason = '', approve_by = NULL
			WHERE id = $1 RETURNING id
		)
		UPDATE mailer.deliveries d SET not_before = $2, due_at = $2
		FROM gone WHERE d.edition_id = gone.id AND d.state = 'pending' AND NOT d.begun AND d.not_before <= $2`,
		b.edition.ID, b.now)
}

// Hold stops an edition until it is released: nothing more of it is claimed. why is kept with it.
func (d *Desk) Hold(ctx context.Context, id uuid.UUID, why string) error {
	return d.work(ctx, id, act{"hold it", []State{Review, Approved, Sending}}, func(b *bench) (string, error) {
		return "held", b.hold(ctx, why)
	})
}

func (b *bench) hold(ctx context.Context, why string) error {
	return b.run(ctx, `UPDATE mailer.editions SET state = 'held', reason = $2, approve_by = NULL WHERE id = $1`, b.edition.ID, why)
}

// Cancel ends what has not gone yet of an edition; its articles are due again in the next one. What is in flight at this moment may still
// arrive. why is kept with it.
func (d *Desk) Cancel(ctx context.Context, id uuid.UUID, why string) error {
	return d.work(ctx, id, act{"cancel it", []State{Review, Approved, Sending, Held}}, func(b *bench) (string, error) {
		return "cancelled", b.cancel(ctx, why)
	})
}

func (b *bench) cancel(ctx context.Context, why string) error {
	if err := b.run(ctx, `UPDATE mailer.editions SET state = 'cancelled', reason = $2, approve_by = NULL WHERE id = $1`, b.edition.ID, why); err != nil {
		return err
	}
	return ledger.Cancel(ctx, b.handle, b.now, b.edition.ID)
}

// open are the states in which something of an edition may still go out.
var open = []State{Review, Approved, Sending, Held}

// Pause stops an edition for a while: a flag, which leaves its state alone. It is effective at once but for what is in flight. Pausing a
// paused one changes nothing.
func (d *Desk) Pause(ctx context.Context, id uuid.UUID) error {
	return d.setPaused(ctx, id, "pause it", "paused", true)
}

// Resume lets a paused edition go on.
func (d *Desk) Resume(ctx context.Context, id uuid.UUID) error {
	return d.setPaused(ctx, id, "resume it", "resumed", false)
}

func (d *Desk) setPaused(ctx context.Context, id uuid.UUID, name, what string, paused bool) error {
	return d.work(ctx, id, act{name, open}, func(b *bench) (string, error) {
		if b.edition.Paused == paused {
			return "", nil
		}
		return what, b.run(ctx, `UPDATE mailer.editions SET paused = $2 WHERE id = $1`, id, paused)
	})
}

// PauseList stops everything of a list, 0 of every list, until ResumeList. It reports whether that changed anything.
func (d *Desk) PauseList(ctx context.Context, list int64) (changed bool, err error) {
	defer errs.Wrap(&err, "edition.PauseList(%d)", list)
	return d.changes(ctx, `INSERT INTO mailer.pauses (list_id, at, actor) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, list, d.Clock.Now(), d.By)
}

// ResumeList ends what PauseList began; a list stays paused while every list is.
func (d *Desk) ResumeList(ctx context.Context, list int64) (changed bool, err error) {
	defer errs.Wrap(&err, "edition.ResumeList(%d)", list)
	return d.changes(ctx, `DELETE FROM mailer.pauses WHERE list_id = $1`, list)
}

func (d *Desk) changes(ctx context.Context, statement string, args ...any) (changed bool, err error) {
	err = database.Transact(ctx, d.DB, func(tx *sqlx.Tx) error {
		result, err := tx.ExecContext(ctx, statement, args...)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		changed = n > 0
		return err
	})
	return changed, err
}

// PausedLists returns the ids of the lists that are paused, 0 for every list.
func PausedLists(ctx context.Context, h handle) (lists []int64, err error) {
	defer errs.Wrap(&err, "edition.PausedLists")
	err = h.SelectContext(ctx, &lists, `SELECT list_id FROM mailer.pauses ORDER BY list_id`)
	return lists, err
}

// Pause is something that was stopped for a while.
type Pause struct {
	ListID int64     `db:"list_id"` // 0: every list
	At     time.Time `db:"at"`
	Actor  string    `db:"actor"` // an id, or CommandLine
}

// Pauses returns what PauseList stopped, everything first.
func Pauses(ctx context.Context, h handle) (all []Pause, err error) {
	defer errs.Wrap(&err, "edition.Pauses")
	err = h.SelectContext(ctx, &all, `SELECT list_id, at, actor FROM mailer.pauses ORDER BY list_id`)
	return all, err
}

// Entry is a line of an edition's log.
type Entry struct {
	ID    int64     `db:"id" json:"-"` // rises
	At    time.Time `db:"at" json:"at"`
	Actor string    `db:"actor" json:"actor"` // an id, or CommandLine
	What  string    `db:"what" json:"what"`
}

// Log returns who did what to an edition, the first first.
func Log(ctx context.Context, h handle, id uuid.UUID) (entries []Entry, err error) {
	defer errs.Wrap(&err, "edition.Log(%s)", id)
	err = h.SelectContext(ctx, &entries, `SELECT id, at, actor, what FROM mailer.edition_log WHERE edition_id = $1 ORDER BY id`, id)
	return entries, err
}

// Deadlines does with each edition whose deadline for approval has passed what its list says: hold it, send it or cancel it. It returns how
// many those were. One that fails does not keep the others from it.
func (d *Desk) Deadlines(ctx context.Context) (n int, err error) {
	var due []uuid.UUID
	if err := d.DB.SelectContext(ctx, &due, `
		SELECT id FROM mailer.editions WHERE state = 'review' AND approve_by <= $1 ORDER BY approve_by`, d.Clock.Now()); err != nil {
		return 0, err
	}
	for _, id := range due {
		did, failed := d.deadline(ctx, id)
		if err = errors.Join(err, failed); did {
			n++
		}
	}
	return n, err
}

func (d *Desk) deadline(ctx context.Context, id uuid.UUID) (did bool, err error) {
	err = database.Transact(ctx, d.DB, func(tx *sqlx.Tx) error {
		did = false
		b, err := d.take(ctx, tx, id)
		if e := b; err != nil || e.edition.State != Review || e.edition.ApproveBy == nil || e.edition.ApproveBy.After(e.now) {
			return err // somebody was quicker
		}
		did = true
		why := fmt.Sprintf("nobody approved it until %s", b.edition.ApproveBy.UTC().Format("2006-01-02 15:04 MST"))
		what := ""
		switch b.list.Unapproved {
		case subscribers.UnapprovedSend:
			what, err = "sent unapproved", b.letGo(ctx)
			if errs.KindOf(err) == errs.Conflict { // nothing is left in it
				what, err = "cancelled", b.cancel(ctx, why+", and nothing was left in it")
			}
		case subscribers.UnapprovedCancel:
			what, err = "cancelled", b.cancel(ctx, why)
		default:
			what, err = "held", b.hold(ctx, why+": release it to send it, or cancel it")
		}
		if err != nil {
			return err
		}
		return b.note(ctx, what+": "+why)
	})
	return did, err
}

// Sweep lays out again what could not be when it should have been, because it was in flight, and what holds an article that is published no
// more. It returns how many editions that changed.
func (d *Desk) Sweep(ctx context.Context) (n int, err error) {
	var found []struct {
		Edition  uuid.UUID     `db:"edition_id"`
		Articles pq.Int64Array `db:"gone"`
	}
	if err := d.DB.SelectContext(ctx, &found, `
		WITH open AS (
			SELECT v.edition_id, v.id, v.articles || v.more AS articles, v.retired
			FROM mailer.editions e JOIN mailer.variants v ON v.edition_id = e.id
			WHERE e.state IN ('review', 'approved', 'sending', 'held')
		), gone AS (
			SELECT a FROM (SELECT DISTINCT unnest(articles) AS a FROM open) used
			WHERE NOT EXISTS (SELECT FROM articles.available WHERE article_id = a)
		), stale AS (
			SELECT open.edition_id, open.id, ARRAY(SELECT a FROM gone WHERE a = ANY (open.articles)) AS gone
			FROM open WHERE retired OR EXISTS (SELECT FROM gone WHERE a = ANY (open.articles))
		)
		SELECT s.edition_id, coalesce(array_agg(DISTINCT g) FILTER (WHERE g IS NOT NULL), '{}') AS gone
		FROM stale s LEFT JOIN LATERAL unnest(s.gone) g ON true
		WHERE EXISTS (SELECT FROM mailer.deliveries d
		              WHERE d.edition_id = s.edition_id AND d.variant_id = s.id AND d.due_at IS NOT NULL AND d.state <> 'in_flight')
		GROUP BY s.edition_id ORDER BY s.edition_id`); err != nil {
		return 0, err
	}
	for _, f := range found {
		err = errors.Join(err, database.Transact(ctx, d.DB, func(tx *sqlx.Tx) error { return d.without(ctx, tx, f.Edition, f.Articles) }))
	}
	return len(found), err
}

// Withdrawn takes what was withdrawn of a translation group out of everything that is not sent yet, in the transaction of h that withdrew it.
func (d *Desk) Withdrawn(ctx context.Context, h handle, group int64) (err error) {
	defer errs.Wrap(&err, "edition.Withdrawn(group %d)", group)
	var found []struct {
		Edition  uuid.UUID     `db:"id"`
		Articles pq.Int64Array `db:"gone"`
	}
	if err := h.SelectContext(ctx, &found, `
		SELECT e.id, array_agg(DISTINCT a) AS gone
		FROM mailer.editions e JOIN mailer.variants v ON v.edition_id = e.id AND $1 = ANY (v.groups), unnest(v.articles || v.more) a
		WHERE e.state IN ('review', 'approved', 'sending', 'held')
		  AND NOT EXISTS (SELECT FROM articles.available WHERE article_id = a)
		  AND EXISTS (SELECT FROM mailer.deliveries d WHERE d.edition_id = e.id AND d.variant_id = v.id AND d.due_at IS NOT NULL)
		GROUP BY e.list_id, e.id ORDER BY e.list_id, e.id`, group); err != nil {
		return err
	}
	for _, f := range found {
		if err := d.without(ctx, h, f.Edition, f.Articles); err != nil {
			return err
		}
	}
	return nil
}

// without lays an edition out again without articles that are published no more.
func (d *Desk) without(ctx context.Context, h handle, id uuid.UUID, gone []int64) error {
	b, err := d.take(ctx, h, id)
	if err != nil {
		return err
	}
	if len(gone) > 0 {
		if err := b.retire(ctx, `(v.articles || v.more) && $2`, pq.Array(gone)); err != nil {
			return err
		}
		if err := b.note(ctx, "withdrawn: article "+idList(gone)); err != nil {
			return err
		}
	}
	return b.again(ctx)
}

// Translated lays out again what has not begun to go out of the editions that hold a translation group, in the transaction of h in which
// somebody translated it.
func (d *Desk) Translated(ctx context.Context, h handle, group int64) (err error) {
	defer errs.Wrap(&err, "edition.Translated(group %d)", group)
	var editions []uuid.UUID
	if err := h.SelectContext(ctx, &editions, `
		SELECT e.id FROM mailer.editions e
		WHERE e.state IN ('review', 'approved', 'held') AND (
			EXISTS (SELECT FROM mailer.variants v WHERE v.edition_id = e.id AND $1 = ANY (v.groups))
			OR EXISTS (SELECT FROM mailer.arrangements a WHERE a.edition_id = e.id AND a.group_id = $1 AND a.added))
		ORDER BY e.list_id, e.id`, group); err != nil {
		return err
	}
	for _, id := range editions {
		b, err := d.take(ctx, h, id)
		if err != nil {
			return err
		}
		where := `$2 = ANY (v.groups) OR EXISTS (SELECT FROM mailer.arrangements a WHERE a.edition_id = v.edition_id AND a.group_id = $2 AND a.added)`
		if err := b.retire(ctx, where, group); err != nil {
			return err
		}
		if err := b.again(ctx); err != nil {
			return err
		}
		if err := b.note(ctx, fmt.Sprintf("laid out again: translation of group %d", group)); err != nil {
			return err
		}
	}
	return nil
}

// Given reports whether a digest of any list was ever planned with one of some translation groups. It holds the lists' locks from then on until the
// transaction of h ends, so that none is being planned with them meanwhile.
func (d *Desk) Given(ctx context.Context, h handle, groups ...int64) (given bool, err error) {
	defer errs.Wrap(&err, "edition.Given(groups %v)", groups)
	lists, err := subscribers.Lists(ctx, h)
	if err != nil {
		return false, err
	}
	slices.SortFunc(lists, func(a, b subscribers.List) int { return cmp.Compare(a.ID, b.ID) })
	for _, list := range lists {
		if _, err := h.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1, $2)`, listLock, list.ID); err != nil {
			return false, err
		}
	}
	err = h.GetContext(ctx, &given, `
		SELECT EXISTS (SELECT FROM mailer.variants WHERE groups && $1) OR EXISTS (SELECT FROM mailer.arrangements WHERE group_id = ANY ($1))`,
		pq.Array(groups))
	return given, err
}
