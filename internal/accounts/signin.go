package accounts

import (
	"context"
	"errors"
	"strconv"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// ErrWrong is the answer to a sign-in that failed, whatever failed: the account is not there, may not be used, or has another password.
var ErrWrong = errs.New(errs.Invalid, "address and password do not belong together")

// SignIn begins a session for whoever knows an account's address and password. With a second factor the session waits for a code: see EnterCode.
//
// An account that is not there takes the same statements, the same hashing and the same answer as one with another password: ErrWrong, and TooManyError
// after the same number of attempts.
func (s *Store) SignIn(ctx context.Context, email, password string, from Visit) (t Ticket, err error) {
	whose, err := Normal(email)
	if err != nil {
		whose = oneLine(email, 300) // no account has that
	}
	if err := s.take(ctx, perNetwork, from.network()); err != nil {
		return t, err
	}
	row, err := byRow(ctx, s.DB, `a.email = $1`, whose)
	if err != nil && errs.KindOf(err) != errs.NotFound {
		return t, err
	}
	counted, by := s.counter(whose, row.ID, from)
	if err := s.take(ctx, counted, by); err != nil {
		return t, err
	}
	hash := row.Password
	if row.State != Active {
		hash = ""
	}
	ok, weak, err := s.matches(ctx, password, hash)
	if err != nil {
		return t, err
	}
	if !ok {
		return t, s.refused(ctx, counted, by, row.ID, from)
	}
	if weak {
		if hash, err = s.hash(ctx, password); err != nil {
			return t, err
		}
	}
	err = database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		now, err := byRow(ctx, tx, `a.id = $1 FOR UPDATE OF a`, row.ID)
		if err != nil {
			return err
		}
		if now.State != Active || now.Password != row.Password { // it was disabled, or its password changed, meanwhile
			return ErrWrong
		}
		err = errors.Join(clearAttempts(ctx, tx, counted, by), giveBack(ctx, tx, perNetwork, from.network()))
		if err == nil && weak {
			err = s.set(ctx, tx, row.ID, `password = $2`, hash)
		}
		if err == nil {
			t, err = s.admit(ctx, tx, now, now.TOTP != nil, "password", from)
		}
		return err
	})
	return t, err
}

// admit begins the session of somebody who was recognised by something.
func (s *Store) admit(ctx context.Context, tx *sqlx.Tx, row accountRow, waiting bool, by string, from Visit) (t Ticket, err error) {
	if t, err = s.newSession(ctx, tx, row.ID, waiting, from); err != nil || waiting {
		return t, err
	}
	t.Known = s.known(row.ID)
	if err := s.set(ctx, tx, row.ID, `signed_in_at = $2`, s.Clock.Now()); err != nil {
		return t, err
	}
	return t, s.note(ctx, tx, row.ID, row.ID, "signed_in", map[string]any{"by": by, "network": from.place()})
}

// refused writes down an attempt that failed. It takes one statement that writes, whether or not there is an account: the line for the log of one
// that is there comes with it.
func (s *Store) refused(ctx context.Context, l limit, by string, account int64, from Visit) error {
	_, err := s.DB.ExecContext(ctx, `
		WITH noted AS (
			INSERT INTO accounts.log (at, actor, thing, id, what, after)
			SELECT $2, '', 'accounts.accounts', $3::bigint::text, 'refused', jsonb_build_object('network', $4::text) WHERE $3::bigint <> 0
		)
		UPDATE accounts.attempts SET last_at = $2 WHERE subject = $1`, l.subject(by), s.Clock.Now(), account, from.place())
	if err != nil {
		return err
	}
	return ErrWrong
}

// counter says by what the attempts of a visitor at an account are counted: by the account, or by the browser that has been there before.
func (s *Store) counter(email string, account int64, from Visit) (l limit, by string) {
	if s.Keys != nil && from.Known != "" {
		if id, words, err := s.Keys.OpenWith(knownBrowser, from.Known); err == nil && id == account && account != 0 {
			return perBrowser, strconv.FormatInt(id, 10) + " " + words
		}
	}
	return perAccount, email
}

// knownBrowser is the purpose of what browsers are known by.
const knownBrowser = "silkpost: a browser that signed in before"

// known returns what a browser is known by from now on.
func (s *Store) known(account int64) string {
	if s.Keys == nil {
		return ""
	}
	return s.Keys.SignWith(knownBrowser, account, newSecret())
}

// Prove gives the session with a token a new one, after its password was given again: for what is dangerous.
func (s *Store) Prove(ctx context.Context, token, password string, from Visit) (t Ticket, err error) {
	row, err := s.session(ctx, s.DB, token, false)
	if err != nil {
		return t, err
	}
	if err := s.confirm(ctx, row, password, from); err != nil {
		return t, err
	}
	err = database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		if t, err = s.rotate(ctx, tx, row); err != nil {
			return err
		}
		return s.note(ctx, tx, row.ID, row.ID, "proved", nil)
	})
	return t, err
}

// confirm checks the password of somebody who is signed in.
func (s *Store) confirm(ctx context.Context, row sessionRow, password string, from Visit) error {
	by := "session of " + Name(row.ID)
	if err := s.take(ctx, perBrowser, by); err != nil {
		return err
	}
	ok, _, err := s.matches(ctx, password, row.Password)
	if err != nil {
		return err
	}
	if !ok {
		if err := s.refused(ctx, perBrowser, by, row.ID, from); !errors.Is(err, ErrWrong) {
			return err
		}
		return errs.New(errs.Invalid, "that is not the password of your account")
	}
	return clearAttempts(ctx, s.DB, perBrowser, by)
}

// ChangePassword gives the account of the session with a token another password, which whoever asks shows to be theirs with the old one. All other sessions
// end, and this one gets a new token. An account that has no password, since it came by a link for signing in, needs no old one.
func (s *Store) ChangePassword(ctx context.Context, token, old, password string, from Visit) (t Ticket, err error) {
	row, err := s.session(ctx, s.DB, token, false)
	if err != nil {
		return t, err
	}
	if err := CheckPassword(password, row.Email); err != nil {
		return t, err
	}
	if row.Password != "" {
		if err := s.confirm(ctx, row, old, from); err != nil {
			return t, err
		}
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return t, err
	}
	err = database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		if err := s.replacePassword(ctx, tx, row.ID, hash, row.Session); err != nil {
			return err
		}
		if t, err = s.rotate(ctx, tx, row); err != nil {
			return err
		}
		return s.note(ctx, tx, row.ID, row.ID, "password_changed", nil)
	})
	return t, err
}

// replacePassword stores a password's hash; every session of the account but one ends, and its links are good for nothing.
func (s *Store) replacePassword(ctx context.Context, tx *sqlx.Tx, account int64, hash string, but int64) error {
	if err := s.set(ctx, tx, account, `password = $2, state = CASE state WHEN 'invited' THEN 'active' ELSE state END`, hash); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM accounts.links WHERE account = $1`, account)
	return errors.Join(err, endSessions(ctx, tx, account, but))
}
