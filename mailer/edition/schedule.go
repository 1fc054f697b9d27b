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

// Weekly and monthly digests are cut off on a Monday, so that they are read on a Tuesday: weekly on each, monthly on the first.
const cutOffDay = time.Monday

// lastCutOff returns the latest cut-off of a rhythm at or before now: the list's editorial hour, on the list's own wall.
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
	hour, err := time.Parse("15:04", list.EditorialHour)
	if err != nil {
		return time.Time{}, errs.New(errs.Invalid, "list %s: editorial hour %q: %w", list.Slug, list.EditorialHour, err)
	}
	today := now.In(where)
	for days := 0; ; days += step {
		at := onWall(today.Year(), today.Month(), today.Day()+days, hour.Hour(), hour.Minute(), where)
		if at.After(now) == (step > 0) && isDay(rhythm, at) {
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
	comes, err = nextHour(cutOff, zone, hour)
	return cutOff.In(listWall), comes.In(readerWall), err
}

// isDay reports whether a rhythm has a cut-off on a day.
func isDay(rhythm string, day time.Time) bool {
	switch rhythm {
	case subscribers.Weekly:
		return day.Weekday() == cutOffDay
	case subscribers.Monthly:
		return day.Weekday() == cutOffDay && day.Day() <= 7
	}
	return true
}

// PlanDue plans every edition of a list that has come due, each in a transaction of its own: a scheduled one when its cut-off has
// passed, an immediate one as soon as there is anything new. Of several cut-offs that passed unseen only the last is planned; its
// edition holds what all would have held. A list's first sight only starts its clock. A rhythm that fails does not keep the others
// from being planned.
func (p *Planner) PlanDue(ctx context.Context, db *sqlx.DB, list subscribers.List) (planned []*Edition, err error) {
	for _, rhythm := range list.Rhythms {
		e, failed := p.planDue(ctx, db, list, rhythm)
		err = errors.Join(err, failed)
		if e != nil {
			planned = append(planned, e)
		}
	}
	return planned, err
}

func (p *Planner) planDue(ctx context.Context, db *sqlx.DB, list subscribers.List, rhythm string) (made *Edition, err error) {
	now := p.Clock.Now()
	if err := ledger.Prepare(ctx, db, now); err != nil {
		return nil, err
	}
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		made = nil
		r := Request{List: list, Rhythm: rhythm}
		var due bool
		if r.CutOff, due, err = p.due(ctx, tx, r, now); err != nil || !due {
			return err
		}
		made, err = p.Plan(ctx, tx, r)
		return err
	})
	return made, err
}

// due reports whether a rhythm has an edition to plan now, and its cut-off. It holds the list's lock from here on.
func (p *Planner) due(ctx context.Context, tx handle, r Request, now time.Time) (cutOff time.Time, due bool, err error) {
	pl := p.begin(tx, r, now, nil)
	pl.CutOff = now
	if err := pl.lock(ctx); err != nil {
		return cutOff, false, err
	}
	if r.Rhythm == immediate {
		due, err = pl.somethingNew(ctx)
		return now, due, err
	}
	if cutOff, err = lastCutOff(&r.List, r.Rhythm, now); err != nil {
		return cutOff, false, err
	}
	due, err = pl.unseen(ctx, cutOff)
	return cutOff, due, err
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

// somethingNew gives out positions and reports whether any lies behind the rhythm's last edition and there is anybody to tell. With
// nobody the rhythm just moves on: an edition for each import would only be noise. What a failed delivery gave back does not count:
// it goes with the next edition, else a dead address would be tried for ever.
func (p *plan) somethingNew(ctx context.Context) (bool, error) {
	if err := p.position(ctx); err != nil {
		return false, err
	}
	var is struct {
		New  bool `db:"new"`
		Read bool `db:"read"`
	}
	if err := p.GetContext(ctx, &is, `
		SELECT $3 > position AS new, EXISTS (SELECT 1 FROM subscribers.mailable WHERE list_id = $1 AND rhythm = $2) AS read
		FROM mailer.plans WHERE list_id = $1 AND rhythm = $2`,
		p.List.ID, p.Rhythm, p.last); err != nil || is.Read || !is.New {
		return is.New, err
	}
	if err := p.enrol(ctx); err != nil { // those of other rhythms begin before this one moves
		return false, err
	}
	return false, p.run(ctx, `UPDATE mailer.plans SET position = $3 WHERE list_id = $1 AND rhythm = $2`, p.List.ID, p.Rhythm, p.last)
}
