package accounts

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Purpose is what a link that works once is for.
type Purpose string

// The purposes.
const (
	ToSetPassword Purpose = "password" // whoever has it chooses the account's password: for invitations and those who forgot
	ToSignIn      Purpose = "sign_in"  // whoever has it is signed in: for the demo
)

// How long links work.
const (
	InvitationFor = 7 * 24 * time.Hour
	LinkFor       = 24 * time.Hour
)

var errLink = errs.New(errs.Gone, "this link was used, or it is too old: ask for a new one")

// Link is a link that still works.
type Link struct {
	Account Account
	Purpose Purpose
	Ends    time.Time
}

// MakeLink makes a link that works once, within some time, and returns what stands in it; only its hash is stored. The account's earlier links are good
// for nothing from then on. errs.Conflict when the account is disabled.
func (s *Store) MakeLink(ctx context.Context, account int64, purpose Purpose, lifetime time.Duration) (secret string, err error) {
	err = database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		secret, err = s.MakeLinkIn(ctx, tx, account, purpose, lifetime)
		return err
	})
	return secret, err
}

// MakeLinkIn is MakeLink in a transaction.
func (s *Store) MakeLinkIn(ctx context.Context, tx *sqlx.Tx, account int64, purpose Purpose, lifetime time.Duration) (secret string, err error) {
	row, err := byRow(ctx, tx, `a.id = $1 FOR UPDATE OF a`, account)
	if err != nil {
		return "", err
	}
	if row.State == Disabled {
		return "", errs.New(errs.Conflict, "the account is disabled: enable it first")
	}
	secret = newSecret()
	now := s.Clock.Now()
	if _, err := tx.ExecContext(ctx, `DELETE FROM accounts.links WHERE account = $1`, account); err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO accounts.links (hash, account, purpose, made_at, ends_at) VALUES ($1, $2, $3, $4, $5)`,
		hashOf(secret), account, purpose, now, now.Add(lifetime))
	return secret, err
}

// Link returns what a link is for, and does not use it up. errs.Gone when it does not work any more, or never did.
func (s *Store) Link(ctx context.Context, secret string) (Link, error) {
	return s.link(ctx, s.DB, secret, "")
}

// link looks a link up; lock is added to the statement.
func (s *Store) link(ctx context.Context, h database.Handle, secret, lock string) (Link, error) {
	var row struct {
		accountRow

		Purpose Purpose   `db:"purpose"`
		EndsAt  time.Time `db:"ends_at"`
	}
	err := h.GetContext(ctx, &row, `
		SELECT l.purpose, l.ends_at, `+accountColumns+` FROM accounts.links l JOIN accounts.accounts a ON a.id = l.account
		WHERE l.hash = $1 AND l.ends_at > $2 AND a.state <> 'disabled' `+lock, hashOf(secret), s.Clock.Now())
	if errors.Is(err, sql.ErrNoRows) {
		return Link{}, errLink
	}
	return Link{Account: row.account(), Purpose: row.Purpose, Ends: row.EndsAt}, err
}

// UseLink uses a link up. With one ToSetPassword the account gets the password, and all its sessions end; with one ToSignIn password must be "". Either way a new session
// begins, which waits for a code if the account has a second factor: a link in a mailbox does not stand in for that.
func (s *Store) UseLink(ctx context.Context, secret, password string, from Visit) (t Ticket, err error) {
	if err := s.take(ctx, perLink, from.network()); err != nil {
		return t, err
	}
	link, err := s.Link(ctx, secret)
	if err != nil {
		return t, err
	}
	var hash string
	if link.Purpose == ToSetPassword {
		if err := CheckPassword(password, link.Account.Email); err != nil {
			return t, err
		}
		if hash, err = s.hash(ctx, password); err != nil {
			return t, err
		}
	}
	err = database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		link, err := s.link(ctx, tx, secret, `FOR UPDATE`)
		if err != nil {
			return err // somebody was faster
		}
		if err := s.open(ctx, tx, link, hash); err != nil {
			return err
		}
		row, err := byRow(ctx, tx, `a.id = $1`, link.Account.ID)
		if err != nil {
			return err
		}
		if err := giveBack(ctx, tx, perLink, from.network()); err != nil {
			return err
		}
		if hash != "" {
			if err := s.note(ctx, tx, row.ID, row.ID, "password_changed", nil); err != nil {
				return err
			}
		}
		t, err = s.admit(ctx, tx, row, row.TOTP != nil, "link", from)
		return err
	})
	return t, err
}

// open does what a link is for, and uses it up.
func (s *Store) open(ctx context.Context, tx *sqlx.Tx, link Link, hash string) error {
	if link.Purpose == ToSetPassword {
		return s.replacePassword(ctx, tx, link.Account.ID, hash, 0)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM accounts.links WHERE account = $1`, link.Account.ID); err != nil {
		return err
	}
	return s.set(ctx, tx, link.Account.ID, `state = 'active'`)
}
