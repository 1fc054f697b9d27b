package limit

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/clock"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Limiter reserves room for the messages of one process. It is safe for concurrent use.
type Limiter struct {
	DB    *sqlx.DB
	Clock clock.Clock

	known atomic.Pointer[declared]
	read  sync.Mutex // held by whoever reads what is declared

	mu     sync.Mutex
	purses map[purseKey]*purse
	tidyAt int // so many purses are looked through for those that say nothing any more
}

// declared is what was declared a moment ago.
type declared struct {
	limits []Limit
	at     time.Time
}

// reread is how old what a process knows of declared limits may be.
const reread = time.Second

type purseKey struct{ limit, about string }

// purse is what this process has reserved of a limit and not used yet.
type purse struct {
	asking sync.Mutex // held by whoever asks the database for more

	// Below, the limiter's mutex is to be held.
	left   int
	at     time.Time // when it was reserved
	until  time.Time // when it can no longer be used
	closed Wait      // what the last asking came to

	line     Wait // what messages wait for in a line
	lineEnds time.Time
}

// Wait says that a message may not go now. The zero Wait says that it may.
type Wait struct {
	Limit  *Limit
	About  string    // which relay, destination or sender; "" for all
	Period string    // the one that is full
	Until  time.Time // there is no room before
}

// Line names the line in which messages wait that wait for the same.
func (w Wait) Line() string { return w.Limit.Name + "/" + w.Period + "/" + w.About }

// OfAll reports whether nothing else could go meanwhile over the same relay either.
func (w Wait) OfAll() bool {
	return w.Limit != nil && w.Limit.Destination == "" && w.Limit.Sender == ""
}

// Limits returns the declared limits, as they were a second ago at most. Who gets them while another reads gets those of before.
func (l *Limiter) Limits(ctx context.Context) ([]Limit, error) {
	known := l.known.Load()
	now := l.Clock.Now()
	if known != nil && now.Sub(known.at) < reread && !now.Before(known.at) {
		return known.limits, nil
	}
	if known != nil && !l.read.TryLock() {
		return known.limits, nil
	}
	if known == nil {
		l.read.Lock()
	}
	defer l.read.Unlock()
	limits, err := All(ctx, l.DB)
	if err != nil {
		return nil, err
	}
	if known != nil && !slices.EqualFunc(known.limits, limits, func(a, b Limit) bool { return a.same(&b) }) {
		l.forget()
	}
	l.known.Store(&declared{limits: limits, at: now})
	return limits, nil
}

// forget forgets what was learned of limits that have changed.
func (l *Limiter) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.purses {
		p.closed, p.line, p.lineEnds = Wait{}, Wait{}, time.Time{}
	}
}

// Closed reports which of the limits a message would have to wait for, as far as this process knows without asking: there is no room, or others wait
// in a line in which it has not stood yet.
func (l *Limiter) Closed(limits []Limit, m *Message, stood bool) Wait {
	now := l.Clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range limits {
		about, is := limits[i].about(m, limits)
		if !is {
			continue
		}
		switch p := l.purses[purseKey{limits[i].Name, about}]; {
		case p == nil:
		case p.empty(now) && now.Before(p.closed.Until):
			return p.closed
		case !stood && now.Before(p.lineEnds):
			return p.line
		}
	}
	return Wait{}
}

// Stand notes that messages wait in a line until a time: others stand behind them.
func (l *Limiter) Stand(w Wait, last time.Time) {
	p := l.purse(purseKey{w.Limit.Name, w.About})
	l.mu.Lock()
	defer l.mu.Unlock()
	if last.After(p.lineEnds) {
		p.line, p.lineEnds = w, last
	}
}

// Reserve reserves room for one message, which is to go at once, under all limits that are about it; or it says for what the message has to wait,
// and reserves nothing.
func (l *Limiter) Reserve(ctx context.Context, m *Message) (Wait, error) {
	limits, err := l.Limits(ctx)
	if err != nil || len(limits) == 0 {
		return Wait{}, err
	}
	if wait := l.Closed(limits, m, true); wait.Limit != nil {
		return wait, nil
	}
	var taken []token
	for i := range limits {
		about, is := limits[i].about(m, limits)
		if !is {
			continue
		}
		one, wait, err := l.take(ctx, &limits[i], about)
		if err != nil || wait.Limit != nil {
			l.putBack(taken)
			return wait, err
		}
		taken = append(taken, one)
	}
	return Wait{}, nil
}

// token is room for one message of one limit. Whoever took it may use it at once, also when the time for which it was reserved has just passed: a
// database that answers slowly must not keep everything from going.
type token struct {
	purse *purse
	at    time.Time
}

// take takes room for one message, asking the database when this process has none left. One asks for all who wait for the same.
func (l *Limiter) take(ctx context.Context, limit *Limit, about string) (token, Wait, error) {
	p := l.purse(purseKey{limit.Name, about})
	if one, ok := l.takeOwn(p); ok {
		return one, Wait{}, nil
	}
	p.asking.Lock()
	defer p.asking.Unlock()
	if one, ok := l.takeOwn(p); ok {
		return one, Wait{}, nil
	}
	now := l.Clock.Now()
	l.mu.Lock()
	left, at, closed := p.left, p.at, p.closed
	p.left = 0 // it is given back below, or lost: then less goes, never more
	l.mu.Unlock()
	if now.Before(closed.Until) {
		return token{}, closed, nil
	}
	grant, err := reserve(ctx, l.DB, limit, about, now, left, at)
	if err != nil {
		return token{}, Wait{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p.left, p.at, p.until, p.closed = max(0, grant.N-1), grant.At, grant.Until, Wait{}
	if grant.N == 0 {
		p.closed = Wait{Limit: limit, About: about, Period: grant.Period, Until: grant.Next}
	}
	return token{p, grant.At}, p.closed, nil
}

// takeOwn takes room that this process has.
func (l *Limiter) takeOwn(p *purse) (token, bool) {
	now := l.Clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.empty(now) {
		return token{}, false
	}
	p.left--
	return token{p, p.at}, true
}

// putBack returns what was taken for a message that does not go.
func (l *Limiter) putBack(taken []token) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range taken {
		if t.purse.at.Equal(t.at) {
			t.purse.left++
		}
	}
}

func (l *Limiter) purse(key purseKey) *purse {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.purses == nil {
		l.purses = map[purseKey]*purse{}
	}
	p := l.purses[key]
	if p == nil {
		if len(l.purses) >= max(l.tidyAt, fewPurses) {
			l.tidy()
		}
		p = &purse{}
		l.purses[key] = p
	}
	return p
}

// fewPurses are kept without a look: a limit of each destination has one for every domain that was ever sent to.
const fewPurses = 10_000

// tidy forgets purses that say nothing any more. Whoever has one in hand goes on with it: at worst less goes, never more. The mutex is to be held.
func (l *Limiter) tidy() {
	now := l.Clock.Now()
	maps.DeleteFunc(l.purses, func(_ purseKey, p *purse) bool {
		return p.empty(now) && !now.Before(p.closed.Until) && !now.Before(p.lineEnds)
	})
	l.tidyAt = 2 * len(l.purses)
}

func (p *purse) empty(now time.Time) bool { return p.left == 0 || !now.Before(p.until) }

// block is how many messages a process reserves at once: few enough that others are not kept waiting for what it does not use.
func (l *Limit) block(now time.Time) int {
	block := most
	for i := range periods {
		if n, limited := l.allows(i, now); limited {
			block = min(block, n/100)
		}
	}
	return min(max(block, 1), 100)
}

// reserve reserves a block in the database and gives back what is left of the one before.
func reserve(ctx context.Context, db *sqlx.DB, l *Limit, about string, now time.Time, left int, at time.Time) (g Grant, err error) {
	defer errs.Wrap(&err, "limit.Reserve(%s)", l.Name)
	err = change(ctx, db, l.Name, about, func(b *Book) {
		if left > 0 {
			b.Return(l, at, left)
		}
		g = b.Take(l, now, l.block(now))
	})
	return g, err
}

// change lets fn change a book that nobody else has in hand.
func change(ctx context.Context, db *sqlx.DB, name, about string, fn func(b *Book)) error {
	return database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		b, err := Open(ctx, tx, name, about)
		if err != nil {
			return err
		}
		fn(&b)
		_, err = tx.ExecContext(ctx, `UPDATE mailer.reservations SET book = $3 WHERE limit_name = $1 AND about = $2`, name, about, b)
		return err
	})
}

// Open returns the book of a limit and keeps it from others until the transaction ends.
func Open(ctx context.Context, tx *sqlx.Tx, name, about string) (b Book, err error) {
	const locked = `SELECT book FROM mailer.reservations WHERE limit_name = $1 AND about = $2 FOR UPDATE`
	err = tx.GetContext(ctx, &b, locked, name, about)
	if !errors.Is(err, sql.ErrNoRows) {
		return b, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO mailer.reservations (limit_name, about, book) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, name, about, b); err != nil {
		return b, err
	}
	err = tx.GetContext(ctx, &b, locked, name, about)
	return b, err
}

// GiveBack gives back all that was reserved and not used: for when a process stops.
func (l *Limiter) GiveBack(ctx context.Context) error {
	l.mu.Lock()
	purses := l.purses
	l.purses = nil
	l.mu.Unlock()
	if len(purses) == 0 {
		return nil
	}
	limits, err := l.Limits(ctx)
	if err != nil {
		return err
	}
	var failed error
	for key, p := range purses {
		for i := range limits {
			if limits[i].Name == key.limit && p.left > 0 {
				failed = cmp.Or(failed, change(ctx, l.DB, key.limit, key.about, func(b *Book) { b.Return(&limits[i], p.at, p.left) }))
			}
		}
	}
	return failed
}
