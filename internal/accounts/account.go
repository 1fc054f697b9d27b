package accounts

import (
	"context"
	"database/sql"
	"errors"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// State is whether an account can be used.
type State string

// The states.
const (
	Invited  State = "invited" // nobody has used its link yet
	Active   State = "active"
	Disabled State = "disabled"
)

// Account is one administrator.
type Account struct {
	ID         int64
	Email      string // in the form to compare by
	Name       string
	Roles      []Role
	Lists      []int64 // the only ones it may touch; nil: all
	Language   string  // "": what the browser asks for
	Zone       string  // "": UTC
	State      State
	Password   bool // it has one
	Factor     bool // it has a second factor
	Recovery   int  // how many recovery codes are left
	MadeAt     time.Time
	SignedInAt *time.Time // null: never
}

// Name is what the log calls an account: an id, never an address.
func Name(account int64) string { return "account " + strconv.FormatInt(account, 10) }

// accountRow is an account as it is stored.
type accountRow struct {
	ID         int64          `db:"id"`
	Email      string         `db:"email"`
	Name       string         `db:"name"`
	Roles      pq.StringArray `db:"roles"`
	Lists      pq.Int64Array  `db:"lists"`
	Language   string         `db:"language"`
	Zone       string         `db:"zone"`
	State      State          `db:"state"`
	Password   string         `db:"password"`
	TOTP       []byte         `db:"totp"`
	TOTPNew    []byte         `db:"totp_new"`
	TOTPStep   int64          `db:"totp_step"`
	Recovery   int            `db:"recovery"`
	MadeAt     time.Time      `db:"made_at"`
	SignedInAt *time.Time     `db:"signed_in_at"`
}

const accountColumns = `a.id, a.email, a.name, a.roles, a.lists, a.language, a.zone, a.state, a.password, a.totp, a.totp_new, a.totp_step,
	cardinality(a.recovery) AS recovery, a.made_at, a.signed_in_at`

func (r *accountRow) account() Account {
	return Account{
		ID: r.ID, Email: r.Email, Name: r.Name, Roles: roles(r.Roles), Lists: r.Lists, Language: r.Language, Zone: r.Zone, State: r.State,
		Password: r.Password != "", Factor: r.TOTP != nil, Recovery: r.Recovery, MadeAt: r.MadeAt, SignedInAt: r.SignedInAt,
	}
}

func roles(names []string) []Role {
	all := make([]Role, len(names))
	for i, name := range names {
		all[i] = Role(name)
	}
	return all
}

func (r *accountRow) actor() Actor {
	return Actor{Account: r.ID, Name: Name(r.ID), Email: r.Email, Roles: roles(r.Roles), Lists: r.Lists, Language: r.Language, Zone: r.Zone}
}

// Normal returns the form of an address that accounts are compared by, and kind Invalid when it is none.
func Normal(email string) (string, error) {
	email = norm.NFC.String(strings.TrimSpace(email))
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > 254 {
		return "", errs.New(errs.Invalid, "%s is no email address: write it as name@example.org", strconv.Quote(oneLine(email, 80)))
	}
	at := strings.LastIndexByte(email, '@')
	domain, err := idna.Lookup.ToASCII(email[at+1:])
	if err != nil {
		return "", errs.New(errs.Invalid, "%s: its domain cannot be: %w", oneLine(email, 80), err)
	}
	return strings.ToLower(email[:at]) + "@" + domain, nil
}

// byRow reads one account. where is about a.
func byRow(ctx context.Context, h database.Handle, where string, args ...any) (row accountRow, err error) {
	err = h.GetContext(ctx, &row, `SELECT `+accountColumns+` FROM accounts.accounts a WHERE `+where, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return row, errs.New(errs.NotFound, "there is no such account")
	}
	return row, err
}

// Get returns an account.
func (s *Store) Get(ctx context.Context, id int64) (Account, error) {
	row, err := byRow(ctx, s.DB, `a.id = $1`, id)
	return row.account(), err
}

// ByEmail returns the account with an address, however that is written.
func (s *Store) ByEmail(ctx context.Context, email string) (Account, error) {
	normal, err := Normal(email)
	if err != nil {
		return Account{}, err
	}
	row, err := byRow(ctx, s.DB, `a.email = $1`, normal)
	if errs.KindOf(err) == errs.NotFound && err != nil {
		err = errs.New(errs.NotFound, "there is no account %s", normal)
	}
	return row.account(), err
}

// All returns all accounts by address: there are few, they are those who work here.
func (s *Store) All(ctx context.Context) ([]Account, error) {
	var rows []accountRow
	if err := s.DB.SelectContext(ctx, &rows, `SELECT `+accountColumns+` FROM accounts.accounts a ORDER BY a.email`); err != nil {
		return nil, err
	}
	all := make([]Account, len(rows))
	for i := range rows {
		all[i] = rows[i].account()
	}
	return all, nil
}

// check says what is wrong with what an account is to be, and puts it into its stored form.
func (a *Account) check() (err error) {
	if a.Email, err = Normal(a.Email); err != nil {
		return err
	}
	if err = checkScope(a.Roles, a.Lists); err != nil {
		return err
	}
	return a.checkProfile()
}

func (a *Account) checkProfile() (err error) {
	a.Name = oneLine(a.Name, 200)
	if a.Language != "" {
		if a.Language, err = language.Parse(a.Language); err != nil {
			return errs.New(errs.Invalid, "language %q: write a tag, such as en or zh-Hans", oneLine(a.Language, 40))
		}
	}
	if _, err := time.LoadLocation(a.Zone); err != nil || a.Zone == "Local" {
		return errs.New(errs.Invalid, "time zone %q: write it as Europe/Rome", oneLine(a.Zone, 60))
	}
	return nil
}

// checkScope says what is wrong with roles and the lists that they are confined to.
func checkScope(given []Role, lists []int64) error {
	for _, role := range given {
		if !slices.Contains(Roles, role) {
			return errs.New(errs.Invalid, "role %q: the roles are %s", role, strings.Join(roleNames(Roles), ", "))
		}
	}
	switch {
	case len(given) == 0:
		return errs.New(errs.Invalid, "no role is given: the roles are %s", strings.Join(roleNames(Roles), ", "))
	case slices.Contains(given, Owner) && lists != nil:
		return errs.New(errs.Invalid, "an owner cannot be confined to some lists: choose another role, or all lists")
	case slices.Contains(given, Manager) && !slices.Contains(given, Owner) && len(lists) == 0:
		return errs.New(errs.Invalid, "a manager is one of given lists: choose at least one")
	}
	return nil
}

func roleNames(given []Role) []string {
	names := make([]string, len(given))
	for i, role := range given {
		names[i] = string(role)
	}
	return names
}

// stored returns roles as they are kept: each once, the mightiest first.
func stored(given []Role) pq.StringArray {
	var names pq.StringArray
	for _, role := range Roles {
		if slices.Contains(given, role) {
			names = append(names, string(role))
		}
	}
	return names
}

// Create makes an account that nobody can use before they have chosen a password by a link. It takes address, name, roles, lists, language and zone
// from a. An address that has an account is errs.Conflict.
func (s *Store) Create(ctx context.Context, a Account) (id int64, err error) {
	if err := a.check(); err != nil {
		return 0, err
	}
	err = database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &id, `
			INSERT INTO accounts.accounts (email, name, roles, lists, language, zone, state, made_at) VALUES ($1, $2, $3, $4, $5, $6, 'invited', $7)
			ON CONFLICT (email) DO NOTHING RETURNING id`, a.Email, a.Name, stored(a.Roles), pq.Int64Array(a.Lists), a.Language, a.Zone, s.Clock.Now())
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = errs.New(errs.Conflict, "there is an account %s already", a.Email)
	}
	return id, err
}

// SetScope gives an account other roles and lists. errs.Conflict when no owner would be left.
func (s *Store) SetScope(ctx context.Context, id int64, given []Role, lists []int64) error {
	if err := checkScope(given, lists); err != nil {
		return err
	}
	return database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		if !slices.Contains(given, Owner) {
			if err := keepAnOwner(ctx, tx, id); err != nil {
				return err
			}
		}
		return s.set(ctx, tx, id, `roles = $2, lists = $3`, stored(given), pq.Int64Array(lists))
	})
}

// SetProfile changes what an account says of itself: name, language, zone.
func (s *Store) SetProfile(ctx context.Context, a Account) error {
	if err := a.checkProfile(); err != nil {
		return err
	}
	return database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		return s.set(ctx, tx, a.ID, `name = $2, language = $3, zone = $4`, a.Name, a.Language, a.Zone)
	})
}

// Disable keeps an account from being used: its sessions end, its links and the keys that it made are good for nothing. errs.Conflict when it is
// the last owner.
func (s *Store) Disable(ctx context.Context, id int64) error {
	return database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		if err := keepAnOwner(ctx, tx, id); err != nil {
			return err
		}
		if err := s.set(ctx, tx, id, `state = 'disabled'`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM accounts.links WHERE account = $1`, id)
		return errors.Join(err, endSessions(ctx, tx, id, 0))
	})
}

// Enable lets a disabled account be used again: with its password if it has one, else with a new link.
func (s *Store) Enable(ctx context.Context, id int64) error {
	return database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		return s.set(ctx, tx, id, `state = CASE WHEN state <> 'disabled' THEN state WHEN password = '' THEN 'invited' ELSE 'active' END`)
	})
}

// ResetFactor takes an account's second factor away: whoever has lost it signs in with the password alone and can set up another. Its sessions end.
func (s *Store) ResetFactor(ctx context.Context, id int64) error {
	return database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		if err := s.set(ctx, tx, id, `totp = NULL, totp_new = NULL, recovery = '{}'`); err != nil {
			return err
		}
		return endSessions(ctx, tx, id, 0)
	})
}

// set changes columns of an account, whose id is $1.
func (s *Store) set(ctx context.Context, tx *sqlx.Tx, id int64, columns string, args ...any) error {
	done, err := tx.ExecContext(ctx, `UPDATE accounts.accounts SET `+columns+` WHERE id = $1`, append([]any{id}, args...)...)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errs.New(errs.NotFound, "there is no account %d", id))
	}
	return nil
}

// keepAnOwner refuses to go on when an account is the last owner that can be used. It locks all owners: of two who would take one another's role
// away at once, the second is refused.
func keepAnOwner(ctx context.Context, tx *sqlx.Tx, id int64) error {
	var owners []int64
	if err := tx.SelectContext(ctx, &owners, `SELECT id FROM accounts.accounts WHERE 'owner' = ANY (roles) AND state = 'active' ORDER BY id FOR UPDATE`); err != nil {
		return err
	}
	if slices.Equal(owners, []int64{id}) {
		return errs.New(errs.Conflict, "account %d is the last owner: make another one first", id)
	}
	return nil
}
