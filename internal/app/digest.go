package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// SendOptions say what to send now, ignoring hours.
type SendOptions struct {
	List     string               // slug
	Rhythm   string               // "": each in which the list has active subscriptions, else its default
	Audience subscribers.Audience // zero: everybody
	Approve  bool                 // let it go although the list wants approval
	Wait     bool                 // until nothing is open any more, also what is tried again later
}

// Sent is what SendDigest made.
type Sent struct {
	Editions   []edition.Edition
	Deliveries ledger.Counts // of these editions
	Working    bool          // a worker runs and goes on with what is open
}

// Open is how many deliveries have no outcome yet.
func (s Sent) Open() int {
	return s.Deliveries.Pending + s.Deliveries.InFlight + s.Deliveries.Deferred + s.Deliveries.InDoubt
}

// SendDigest plans an edition for each rhythm asked for and sends it at once. When a worker runs, that one sends; else this
// process does and returns when every delivery was tried. It returns what came of it also when ctx ends while waiting.
func (a *App) SendDigest(ctx context.Context, o SendOptions) (Sent, error) {
	list, rhythms, err := a.rhythms(ctx, o.List, o.Rhythm)
	if err != nil {
		return Sent{}, err
	}
	working, err := a.workerRuns(ctx)
	if err != nil {
		return Sent{}, err
	}
	if !working {
		if err := a.maySend(ctx); err != nil {
			return Sent{}, errs.New(errs.KindOf(err), "%w; or start silkpost serve with it", err)
		}
	}
	ids, err := a.planNow(ctx, list, rhythms, o)
	if err != nil {
		return Sent{}, err
	}
	if working && o.Wait {
		working, err = a.awaitWorker(ctx, ids)
	}
	if err == nil && !working {
		err = a.sendMyself(ctx, ids, o.Wait)
	}
	sent, reportErr := a.sent(context.WithoutCancel(ctx), ids)
	sent.Working = working
	return sent, errors.Join(err, reportErr)
}

// maySend says what is missing before this process may send: a message without a working unsubscribe link must not leave.
func (a *App) maySend(ctx context.Context) error {
	if a.Config.PublicURL == "" {
		return errs.New(errs.Invalid, "no public URL is set: set SILKPOST_PUBLIC_URL, such as https://news.example.org")
	}
	if _, err := a.sender(); err != nil {
		return err
	}
	return a.refuseIfHeld(ctx)
}

// workerRuns reports whether any process sends.
func (a *App) workerRuns(ctx context.Context) (bool, error) {
	n, err := ledger.Senders(ctx, a.DB, a.Clock.Now())
	return n > 0, err
}

// planNow plans the editions, each in a transaction of its own.
func (a *App) planNow(ctx context.Context, list subscribers.List, rhythms []string, o SendOptions) (ids []uuid.UUID, err error) {
	now := a.Clock.Now()
	if err := ledger.Prepare(ctx, a.DB, now); err != nil {
		return nil, err
	}
	for _, rhythm := range rhythms {
		var made *edition.Edition
		if err := database.Transact(ctx, a.DB, func(tx *sqlx.Tx) (err error) {
			made, err = a.Planner.Plan(ctx, tx, edition.Request{
				List: list, Rhythm: rhythm, CutOff: now, AtOnce: true, ByHand: true, Approve: o.Approve, Audience: o.Audience,
			})
			return err
		}); err != nil {
			return ids, err
		}
		ids = append(ids, made.ID)
	}
	return ids, nil
}

// rhythms returns a list and the rhythms that are meant: the given one, else those in use, else the default.
func (a *App) rhythms(ctx context.Context, slug, rhythm string) (list subscribers.List, rhythms []string, err error) {
	if list, err = subscribers.ListBySlug(ctx, a.DB, slug); err != nil {
		return list, nil, err
	}
	if rhythm != "" {
		if !slices.Contains(list.Rhythms, rhythm) {
			return list, nil, errs.New(errs.Invalid, "list %s has no rhythm %q: it offers %s", slug, rhythm, strings.Join(list.Rhythms, ", "))
		}
		return list, []string{rhythm}, nil
	}
	used, err := subscribers.RhythmsInUse(ctx, a.DB, list.ID)
	if len(used) == 0 {
		used = []string{list.DefaultRhythm}
	}
	return list, used, err
}

// sendMyself sends what is due until these editions were tried, or with settled until nothing of them is open.
func (a *App) sendMyself(ctx context.Context, ids []uuid.UUID, settled bool) error {
	waiting, err := ledger.Waiting(ctx, a.DB, ids, settled, a.Clock.Now())
	if err != nil || !waiting {
		return err
	}
	if err := a.maySend(ctx); err != nil { // also when it was a worker's to send, and the worker is gone
		return err
	}
	sender, err := a.sender()
	if err != nil {
		return err
	}
	group, sending := errgroup.WithContext(ctx)
	sending, stop := context.WithCancel(sending)
	group.Go(func() error { return a.send(sending, sender) })
	group.Go(func() error {
		defer stop()
		return a.poll(sending, func() (over bool, err error) {
			waiting, err := ledger.Waiting(sending, a.DB, ids, settled, a.Clock.Now())
			return !waiting, err
		})
	})
	return group.Wait()
}

// awaitWorker waits until nothing of the editions is open, or until no worker is alive any more, and reports whether one is.
func (a *App) awaitWorker(ctx context.Context, ids []uuid.UUID) (alive bool, err error) {
	err = a.poll(ctx, func() (bool, error) {
		waiting, err := ledger.Waiting(ctx, a.DB, ids, true, a.Clock.Now())
		if err != nil || !waiting {
			alive = true
			return true, err
		}
		alive, err = a.workerRuns(ctx)
		return !alive, err
	})
	return alive, err
}

// look is how often waiting for other processes looks at the database.
const look = 50 * time.Millisecond

// poll asks whether it is over, again and again, until it is. When ctx ends first, the error is the cause of that.
func (a *App) poll(ctx context.Context, over func() (bool, error)) error {
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		done, err := over()
		if err != nil && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil || done {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// sent reads what came of editions; those of which nothing is open are closed first.
func (a *App) sent(ctx context.Context, ids []uuid.UUID) (sent Sent, err error) {
	if _, err := ledger.Finish(ctx, a.DB, a.Clock.Now()); err != nil {
		return sent, err
	}
	for _, id := range ids {
		e, err := a.Edition(ctx, id)
		if err != nil {
			return sent, err
		}
		sent.Editions = append(sent.Editions, e)
	}
	sent.Deliveries, err = ledger.CountOf(ctx, a.DB, ids...)
	return sent, err
}
