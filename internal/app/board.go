package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// BoardEdition is an edition as tables show it.
type BoardEdition struct {
	edition.Edition
	Counts ledger.Known
	Next   *time.Time // when the next of its open deliveries is due; nil when none is, or when it is over
	Last   *time.Time // when the last one is
	Nobody bool       // no process sends at the moment
}

// Open is how many deliveries have no outcome yet, or may be tried again.
func (b BoardEdition) Open() int {
	return b.Counts.Pending + b.Counts.InFlight + b.Counts.Deferred + b.Counts.InDoubt
}

// Done is how many need no more work.
func (b BoardEdition) Done() int { return b.Counts.Recipients - b.Open() }

// Board is what the table of editions shows.
type Board struct {
	Waiting []BoardEdition // for a person
	Going   []BoardEdition // on their way
	Coming  []Coming       // the next one first
	Past    []BoardEdition // the newest first
	Older   uuid.UUID      // to ask for what comes after Past; uuid.Nil: nothing does
	Pauses  []edition.Pause
	Lists   []subscribers.List // that may be chosen from
}

// BoardChoice says what of the board is asked for.
type BoardChoice struct {
	edition.Choice
	OlderThan uuid.UUID // of the past: what is older than this; uuid.Nil: from the newest on
}

// boardPast is how many editions of the past are shown at once.
const boardPast = 50

// Board returns what waits, goes and comes, and some of the past, in one snapshot.
func (a *App) Board(ctx context.Context, c BoardChoice) (b Board, err error) {
	err = a.snapshot(ctx, func(h database.Handle) error {
		if b.Lists, err = a.listsAmong(ctx, h, c.Lists); err != nil {
			return err
		}
		if b.Pauses, err = edition.Pauses(ctx, h); err != nil {
			return err
		}
		if err := a.boardDesk(ctx, h, c, &b); err != nil {
			return err
		}
		if b.Coming, err = a.boardComing(ctx, h, c.Choice); err != nil {
			return err
		}
		past, err := edition.Past(ctx, h, c.Choice, c.OlderThan, boardPast+1)
		if err != nil {
			return err
		}
		if len(past) > boardPast {
			past = past[:boardPast]
			b.Older = past[boardPast-1].ID
		}
		b.Past, err = a.onBoard(ctx, h, b.Lists, past)
		return err
	})
	return b, err
}

// listsAmong returns the lists of some ids, all for nil, by slug.
func (a *App) listsAmong(ctx context.Context, h database.Handle, ids []int64) ([]subscribers.List, error) {
	lists, err := subscribers.Lists(ctx, h)
	if ids != nil {
		lists = slices.DeleteFunc(lists, func(l subscribers.List) bool { return !slices.Contains(ids, l.ID) })
	}
	return lists, err
}

func (a *App) boardDesk(ctx context.Context, h database.Handle, c BoardChoice, b *Board) error {
	if c.OlderThan != uuid.Nil {
		return nil // somebody leafs through the past
	}
	open, err := edition.OnDesk(ctx, h, c.Choice)
	if err != nil {
		return err
	}
	shown, err := a.onBoard(ctx, h, b.Lists, open)
	if err != nil {
		return err
	}
	for _, e := range shown {
		if e.Needs() {
			b.Waiting = append(b.Waiting, e)
			continue
		}
		if err := a.due(ctx, h, &e); err != nil {
			return err
		}
		b.Going = append(b.Going, e)
	}
	slices.SortStableFunc(b.Waiting, soonest)
	return nil
}

// boardComing returns what comes of a choice: alerts have no time, and nothing that comes has a state yet.
func (a *App) boardComing(ctx context.Context, h database.Handle, c edition.Choice) (all []Coming, err error) {
	if c.State != "" {
		return nil, nil
	}
	all, err = a.Coming(ctx, h, c.Lists)
	return slices.DeleteFunc(all, func(next Coming) bool { return next.CutOff.IsZero() || c.Rhythm != "" && c.Rhythm != next.Rhythm }), err
}

// soonest puts what is approved too late first, then what is.
func soonest(a, b BoardEdition) int {
	switch {
	case a.ApproveBy == nil && b.ApproveBy == nil:
		return 0
	case a.ApproveBy == nil:
		return 1
	case b.ApproveBy == nil:
		return -1
	}
	return a.ApproveBy.Compare(*b.ApproveBy)
}

// onBoard gives editions their lists' slugs and what is known of their deliveries.
func (a *App) onBoard(ctx context.Context, h database.Handle, lists []subscribers.List, editions []edition.Edition) ([]BoardEdition, error) {
	ids := make([]uuid.UUID, len(editions))
	for i, e := range editions {
		ids[i] = e.ID
	}
	known, err := ledger.KnownCounts(ctx, h, a.Clock.Now(), ids...)
	if err != nil {
		return nil, err
	}
	shown := make([]BoardEdition, len(editions))
	for i, e := range editions {
		for _, l := range lists {
			if l.ID == e.ListID {
				e.List = l.Slug
			}
		}
		shown[i] = BoardEdition{Edition: e, Counts: known[e.ID]}
	}
	return shown, nil
}

// due finds out when the open deliveries of an edition may go, and whether anybody sends them.
func (a *App) due(ctx context.Context, h database.Handle, e *BoardEdition) (err error) {
	if e.Next, e.Last, err = ledger.Due(ctx, h, e.ID); err != nil || e.Next == nil {
		return err
	}
	senders, err := ledger.Senders(ctx, h, a.Clock.Now())
	e.Nobody = senders == 0
	return err
}

const (
	// countEvery is how often it is looked what is to be counted anew, and recountAtOnce how many editions are then. An audience is counted once in
	// audienceHolds.
	countEvery    = 3 * time.Second
	recountAtOnce = 50
	audienceHolds = time.Hour
)

// keepCounts counts anew what pages show of large editions and of those that are over, until ctx ends.
func (a *App) keepCounts(ctx context.Context) {
	for pause(ctx, countEvery) {
		stale, err := ledger.Stale(ctx, a.DB, a.Clock.Now(), recountAtOnce)
		for _, id := range stale {
			err = errors.Join(err, a.Recount(ctx, id))
		}
		now := a.Clock.Now()
		err = errors.Join(err, a.SumDestinations(ctx), subscribers.RecountAudience(ctx, a.DB, now.Add(-audienceHolds), now))
		if err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "deliveries could not be counted for the pages", slog.Any("error", err))
		}
	}
}

// Recount counts the deliveries of an edition anew, for pages that must not do so while somebody waits; unless somebody does already.
func (a *App) Recount(ctx context.Context, id uuid.UUID) error {
	begun := a.Clock.Now()
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		may, err := ledger.MayCount(ctx, tx, id)
		if err != nil || !may {
			return err
		}
		if err := ledger.Recount(ctx, tx, id, begun); err != nil {
			return err
		}
		return ledger.Took(ctx, tx, id, a.Clock.Now().Sub(begun))
	})
}
