package edition

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"silkpost/internal/errs"
)

// Choice is which editions of a table are meant.
type Choice struct {
	Lists  []int64 // their ids; nil: of every list
	Rhythm string  // "": any
	State  State   // "": any
}

// where are the choice's conditions, with $1 to $3 as its args.
// where
const where = `($1::bigint[] IS NULL OR list_id = ANY ($1)) AND ($2 = '' OR rhythm = $2) AND ($3 = '' OR state = $3)`

func (c Choice) args() []any {
	var lists any
	if c.Lists != nil {
		lists = pq.Array(c.Lists)
	}
	return []any{lists, c.Rhythm, c.State}
}

// OnDesk returns the editions that wait for a person or are on their way, the oldest first.
func OnDesk(ctx context.Context, h handle, c Choice) (editions []Edition, err error) {
	defer errs.Wrap(&err, "edition.OnDesk")
	err = h.SelectContext(ctx, &editions, `
		SELECT `+columns+` FROM mailer.editions WHERE state IN ('review', 'approved', 'sending', 'held') AND `+where+` ORDER BY id`, c.args()...)
	return editions, err
}

// Past returns up to limit editions that are over and older than another one, the newest first; uuid.Nil is older than none.
func Past(ctx context.Context, h handle, c Choice, olderThan uuid.UUID, limit int) (editions []Edition, err error) {
	defer errs.Wrap(&err, "edition.Past")
	if olderThan == uuid.Nil {
		olderThan = uuid.Max
	}
	err = h.SelectContext(ctx, &editions, `
		SELECT `+columns+` FROM mailer.editions
		WHERE state IN ('sent', 'cancelled', 'skipped') AND `+where+` AND id < $4 ORDER BY id DESC LIMIT $5`, append(c.args(), olderThan, limit)...)
	return editions, err
}

// LastTime is the last scheduled edition of a list and rhythm.
type LastTime struct {
	ListID     int64     `db:"list_id"`
	Rhythm     string    `db:"rhythm"`
	ID         uuid.UUID `db:"id"`
	State      State     `db:"state"`
	Recipients int       `db:"recipients"`
	CutOff     time.Time `db:"cut_off"`
}

// LastTimes returns the last scheduled edition of each list and rhythm, immediate ones left out.
func LastTimes(ctx context.Context, h handle) (all []LastTime, err error) {
	defer errs.Wrap(&err, "edition.LastTimes")
	err = h.SelectContext(ctx, &all, `
		SELECT p.list_id, p.rhythm, last.id, last.state, last.recipients, last.cut_off
		FROM mailer.plans p CROSS JOIN LATERAL (
			SELECT id, state, recipients, cut_off FROM mailer.editions e
			WHERE e.list_id = p.list_id AND e.rhythm = p.rhythm AND e.origin = 'schedule' AND e.rhythm <> 'immediate'
			ORDER BY e.local_date DESC LIMIT 1) last
		ORDER BY p.list_id, p.rhythm`)
	return all, err
}

// Needs reports whether an edition waits for a person: for approval, or because it is held, or because some of its deliveries are too late.
func (e Edition) Needs() bool {
	return e.State == Review || e.State == Held || (e.State == Approved || e.State == Sending) && e.Reason != ""
}
