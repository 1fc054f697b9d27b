package edition

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

const immediate = subscribers.Immediate

// Once is the rhythm of editions that are made by hand.
const Once = "once"

// lastCutOff returns the latest cut-off of a rhythm at or before now: on one of the list's days, at its hour, on its own wall.
func lastCutOff(list *subscribers.List, rhythm string, now time.Time) (time.Time, error) {
	return cutOffFrom(list, rhythm, now, -1)
}

// nextCutOff returns the first one after now.
func nextCutOff(list *subscribers.List, rhythm string, now time.Time) (time.Time, error) {
	return cutOffFrom(list, rhythm, now, +1)
}

// cutOffFrom goes from today by steps of a day, back or ahead, until it finds a cut-off.
func cutOffFrom(list *subscribers.List, rhythm string, now time.Time, step int) (time.Time, error) {
	where, err := zoneOf(list.TimeZone)
	if err != nil {
		return time.Time{}, err
	}
	hour, err := time.Parse("15:04", list.CutOffHour(rhythm))
	if err != nil {
		return time.Time{}, errs.New(errs.Invalid, "list %s: the hour of %s editions: %w", list.Slug, rhythm, err)
	}
	today := now.In(where)
	for days := 0; ; days += step {
		at := onWall(today.Year(), today.Month(), today.Day()+days, hour.Hour(), hour.Minute(), where)
		if at.After(now) == (step > 0) && list.MadeOn(rhythm, at) {
			return at.UTC(), nil
		}
	}
}

// Next says when a list's next scheduled edition of a rhythm is cut off, on the list's own wall, and when it comes to a reader whose hour it is in a
// zone, on theirs. Immediate editions have no such time: then both are zero.
func Next(list subscribers.List, rhythm, zone, hour string, now time.Time) (cutOff, comes time.Time, err error) {
	if rhythm == immediate {
		return cutOff, comes, nil
	}
	if cutOff, err = nextCutOff(&list, rhythm, now); err != nil {
		return cutOff, comes, err
	}
	listWall, err := zoneOf(list.TimeZone)
	if err != nil {
		return cutOff, comes, err
	}
	readerWall, err := zoneOf(zone)
	if err != nil {
		return cutOff, comes, err
	}
	comes, err = nextHour(cutOff, zone, hour, list.Open)
	return cutOff.In(listWall), comes.In(readerWall), err
}

// busyFor is when to look again at a list that another planner is at.
const busyFor = time.Second

// PlanDue plans every edition of a list that has come due, each in a transaction of its own: a scheduled one when its cut-off has
// passed, an immediate one when the first of its articles has waited for others as long as the list wants. Of several cut-offs that passed
// unseen only the last is planned; its edition holds what all would have held. A list's first sight only starts its clock. A rhythm that
// fails does not keep the others from being planned, and a list that another planner is at is left to that one. next is when to look
// again, unless something is published before; zero: no need.
func (p *Planner) PlanDue(ctx context.Context, db *sqlx.DB, list subscribers.List) (planned []*Edition, next time.Time, err error) {
	for _, rhythm := range list.Rhythms {
		e, again, failed := p.planDue(ctx, db, list, rhythm)
		err = errors.Join(err, failed)
		if e != nil {
			planned = append(planned, e)
		}
		next = Earlier(next, again)
	}
	return planned, next, err
}

// Earlier returns the earlier of two times; zero is never.
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (p *Planner) planDue(ctx context.Context, db *sqlx.DB, list subscribers.List, rhythm string) (made *Edition, next time.Time, err error) {
	now := p.Clock.Now()
	if err := ledger.Prepare(ctx, db, now); err != nil {
		return nil, next, err
	}
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		made = nil
		r := Request{List: list, Rhythm: rhythm}
		if next, err = p.due(ctx, tx, r, now); err != nil || next.IsZero() || next.After(now) {
			return err
		}
		r.CutOff = next
		if made, err = p.Plan(ctx, tx, r); err != nil || rhythm == immediate {
			next = time.Time{}
			return err
		}
		next, err = nextCutOff(&list, rhythm, now)
		return err
	})
	return made, next, err
}

// due returns the cut-off of a rhythm's next edition: one that is not after now is to be planned. Zero says that there is none to wait for.
// It holds the list's lock from here on, or says when to look again because another planner does.
func (p *Planner) due(ctx context.Context, tx handle, r Request, now time.Time) (cutOff time.Time, err error) {
	r.CutOff = now
	pl := p.begin(tx, r, now, nil)
	if free, err := pl.tryLock(ctx); err != nil || !free {
		return now.Add(busyFor), err
	}
	if err := pl.notice(ctx); err != nil {
		return cutOff, err
	}
	if r.Rhythm == immediate {
		return pl.alert(ctx)
	}
	if cutOff, err = lastCutOff(&r.List, r.Rhythm, now); err != nil {
		return cutOff, err
	}
	if due, err := pl.unseen(ctx, cutOff); err != nil || due {
		return cutOff, err
	}
	return nextCutOff(&r.List, r.Rhythm, now)
}

// unseen finds out whether a cut-off was not dealt with yet. One that was moved to later on a day that has its edition is.
func (p *plan) unseen(ctx context.Context, cutOff time.Time) (due bool, err error) {
	date, err := localDate(cutOff, p.List.TimeZone)
	if err != nil {
		return false, err
	}
	err = p.GetContext(ctx, &due, `
		WITH planned AS (
			SELECT EXISTS (SELECT 1 FROM mailer.editions WHERE list_id = $1 AND rhythm = $2 AND local_date = $4 AND origin = 'schedule') AS today
		)
		SELECT cut_off < $3 AND NOT today FROM mailer.plans, planned WHERE list_id = $1 AND rhythm = $2`,
		p.List.ID, p.Rhythm, cutOff, date)
	return due, err
}

// alert gives out positions and returns when an immediate edition of what lies behind the rhythm's last one is cut off: as long after the first of
// its articles came as the list wants to wait for others; at once when one of them is urgent. Zero: there is nothing, or nobody to tell. Then the rhythm just moves on: an edition for
// each import would only be noise. What a failed delivery gave back does not count: it goes with the next edition, else a dead address would
// be tried for ever.
func (p *plan) alert(ctx context.Context) (cutOff time.Time, err error) {
	if err := p.position(ctx); err != nil {
		return cutOff, err
	}
	var is struct {
		First  *time.Time `db:"first"`
		Urgent *time.Time `db:"urgent"` // when the first of those came that do not wait for others
		New    bool       `db:"new"`
		Read   bool       `db:"read"`
	}
	if err := p.GetContext(ctx, &is, `
		SELECT $3 > plan.position AS new, EXISTS (SELECT 1 FROM subscribers.mailable WHERE list_id = $1 AND rhythm = $2) AS read,
		       behind.first, behind.urgent
		FROM mailer.plans plan, LATERAL (
			SELECT min(a.first_seen_at) AS first, min(a.first_seen_at) FILTER (WHERE a.urgent) AS urgent
			FROM mailer.positions pos JOIN articles.available a USING (group_id)
			WHERE pos.list_id = $1 AND pos.position > plan.position AND NOT a.archive) behind
		WHERE plan.list_id = $1 AND plan.rhythm = $2`,
		p.List.ID, p.Rhythm, p.last); err != nil || !is.New {
		return cutOff, err
	}
	if is.Read && is.Urgent != nil {
		return is.Urgent.UTC(), nil
	}
	if is.Read && is.First != nil {
		return is.First.UTC().Add(p.List.ImmediateAfter.Std()), nil
	}
	if err := p.enrol(ctx); err != nil { // those of other rhythms begin before this one moves
		return cutOff, err
	}
	return cutOff, p.run(ctx, `UPDATE mailer.plans SET position = $3 WHERE list_id = $1 AND rhythm = $2`, p.List.ID, p.Rhythm, p.last)
}
