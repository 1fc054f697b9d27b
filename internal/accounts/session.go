package accounts

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// How long sessions last.
const (
	sessionIdle  = 12 * time.Hour     // without a request
	sessionLong  = 7 * 24 * time.Hour // in all
	codeDue      = 10 * time.Minute   // from the password to the code
	seenPace     = time.Minute        // how exactly the last request is known
	longestAgent = 200
)

// Ticket is what somebody gets who has signed in, for their browser to keep.
type Ticket struct {
	Token     string    // of the session; only its hash is stored
	Ends      time.Time // at the latest
	NeedsCode bool      // the password was right, and a code is due: until then the session is good for nothing else
	Known     string    // what the browser is known by from now on; "": it is not to be known
}

// Session is a browser that is signed in.
type Session struct {
	ID      int64     `db:"id"`
	MadeAt  time.Time `db:"made_at"`
	SeenAt  time.Time `db:"seen_at"` // to the minute
	EndsAt  time.Time `db:"ends_at"`
	Network string    `db:"network"`
	Agent   string    `db:"agent"`
}

// newSession begins a session. The one that the browser had before ends, whosever it was: no token outlives a sign-in, and none is taken over.
func (s *Store) newSession(ctx context.Context, tx *sqlx.Tx, account int64, waiting bool, from Visit) (t Ticket, err error) {
	now := s.Clock.Now()
	t = Ticket{Token: newSecret(), Ends: now.Add(sessionLong), NeedsCode: waiting}
	if waiting {
		t.Ends = now.Add(codeDue)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM accounts.sessions WHERE hash = $1`, hashOf(from.Session)); err != nil {
		return t, err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO accounts.sessions (hash, account, waiting, made_at, seen_at, proved_at, ends_at, network, agent) VALUES ($1, $2, $3, $4, $4, $4, $5, $6, $7)`,
		hashOf(t.Token), account, waiting, now, t.Ends, from.place(), oneLine(from.Agent, longestAgent))
	return t, err
}

// sessionRow is a session that can be used, with its account.
type sessionRow struct {
	accountRow

	Session  int64     `db:"session"`
	SeenAt   time.Time `db:"seen_at"`
	ProvedAt time.Time `db:"proved_at"`
	EndsAt   time.Time `db:"ends_at"`
}

// session returns the session with a token; errs.NotFound when there is none, or it has ended.
func (s *Store) session(ctx context.Context, h database.Handle, token string, waiting bool) (row sessionRow, err error) {
	now := s.Clock.Now()
	err = h.GetContext(ctx, &row, `
		SELECT s.id AS session, s.seen_at, s.proved_at, s.ends_at, `+accountColumns+` FROM accounts.sessions s JOIN accounts.accounts a ON a.id = s.account
		WHERE s.hash = $1 AND s.waiting = $2 AND a.state = 'active' AND s.ends_at > $3 AND s.seen_at > $4`, hashOf(token), waiting, now, now.Add(-sessionIdle))
	if errors.Is(err, sql.ErrNoRows) {
		return row, errs.New(errs.NotFound, "nobody is signed in")
	}
	return row, err
}

// Who returns whose session a token is. errs.NotFound when nobody is signed in with it.
func (s *Store) Who(ctx context.Context, token string) (Actor, error) {
	if token == "" {
		return Actor{}, errs.New(errs.NotFound, "nobody is signed in")
	}
	row, err := s.session(ctx, s.DB, token, false)
	if err != nil {
		return Actor{}, err
	}
	if now := s.Clock.Now(); now.Sub(row.SeenAt) >= seenPace {
		if _, err := s.DB.ExecContext(ctx, `UPDATE accounts.sessions SET seen_at = $2 WHERE id = $1`, row.Session, now); err != nil {
			return Actor{}, err
		}
	}
	who := row.actor()
	who.NoPassword = row.Password == ""
	who.Proved, who.Session = row.ProvedAt, strconv.FormatInt(row.Session, 10)
	return who, nil
}

// rotate gives a session another token: the old one is good for nothing from then on.
func (s *Store) rotate(ctx context.Context, tx *sqlx.Tx, row sessionRow) (Ticket, error) {
	t := Ticket{Token: newSecret(), Ends: row.EndsAt}
	_, err := tx.ExecContext(ctx, `UPDATE accounts.sessions SET hash = $2, proved_at = $3, seen_at = $3 WHERE id = $1`, row.Session, hashOf(t.Token), s.Clock.Now())
	return t, err
}

// Sessions returns the sessions of an account, the one seen last first.
func (s *Store) Sessions(ctx context.Context, account int64) (all []Session, err error) {
	now := s.Clock.Now()
	err = s.DB.SelectContext(ctx, &all, `
		SELECT id, made_at, seen_at, ends_at, network, agent FROM accounts.sessions
		WHERE account = $1 AND NOT waiting AND ends_at > $2 AND seen_at > $3 ORDER BY seen_at DESC, id DESC LIMIT 100`, account, now, now.Add(-sessionIdle))
	return all, err
}

// EndSession ends a session of an account; one that has ended already, or is another's, stays as it is.
func (s *Store) EndSession(ctx context.Context, account, session int64) error {
	return s.end(ctx, account, `account = $1 AND id = $2`, account, session)
}

// EndOthers ends all sessions of an account but one; 0 spares none.
func (s *Store) EndOthers(ctx context.Context, account, but int64) error {
	return s.end(ctx, account, `account = $1 AND id <> $2`, account, but)
}

func (s *Store) end(ctx context.Context, account int64, where string, args ...any) error {
	return database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM accounts.sessions WHERE `+where, args...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.note(ctx, tx, account, account, "sessions_ended", nil)
	})
}

// SignOut ends the session with a token, if there is one.
func (s *Store) SignOut(ctx context.Context, token string) error {
	return database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		var account int64
		err := tx.GetContext(ctx, &account, `DELETE FROM accounts.sessions WHERE hash = $1 RETURNING account`, hashOf(token))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return s.note(ctx, tx, account, account, "signed_out", nil)
	})
}

// endSessions ends the sessions of an account, all but one; 0 spares none.
func endSessions(ctx context.Context, tx *sqlx.Tx, account, but int64) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM accounts.sessions WHERE account = $1 AND id <> $2`, account, but)
	return err
}

// note writes into the log what an account did, or what was done to it.
func (s *Store) note(ctx context.Context, h database.Handle, actor, account int64, what string, after map[string]any) error {
	return s.noteBy(ctx, h, Name(actor), account, what, after)
}

func (s *Store) noteBy(ctx context.Context, h database.Handle, actor string, account int64, what string, after map[string]any) error {
	n := Note{At: s.Clock.Now(), Actor: actor, Thing: "accounts.accounts", ID: strconv.FormatInt(account, 10), What: what, After: after}
	return n.Write(ctx, h)
}

// Tidy forgets sessions and links that have ended, and attempts of long ago.
func (s *Store) Tidy(ctx context.Context) error {
	now := s.Clock.Now()
	for _, tidy := range []struct {
		statement string
		before    time.Time
	}{
		{`DELETE FROM accounts.sessions WHERE ends_at < $1`, now},
		{`DELETE FROM accounts.sessions WHERE seen_at < $1`, now.Add(-sessionIdle)},
		{`DELETE FROM accounts.links WHERE ends_at < $1`, now.Add(-30 * 24 * time.Hour)},
		{`DELETE FROM accounts.attempts WHERE last_at < $1`, now.Add(-forgotten)},
	} {
		if _, err := s.DB.ExecContext(ctx, tidy.statement, tidy.before); err != nil {
			return err
		}
	}
	return nil
}
