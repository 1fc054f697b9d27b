package accounts

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// KeyPrefix is what API keys begin with: whoever finds one knows what it is, and so do scanners of repositories.
const KeyPrefix = "sp_"

// Key is an API key, without what is secret of it.
type Key struct {
	ID        int64
	Name      string
	Hint      string // its last characters
	MadeBy    int64  // an account; 0: the command line
	Maker     string // the account's address
	Roles     []Role
	Lists     []int64 // the only ones it may touch; nil: all
	MadeAt    time.Time
	EndsAt    *time.Time // null: never
	UsedAt    *time.Time // to the minute; null: never
	RevokedAt *time.Time // null: it was not
	Works     bool
}

type keyRow struct {
	ID        int64          `db:"id"`
	Name      string         `db:"name"`
	Hint      string         `db:"hint"`
	MadeBy    int64          `db:"made_by"`
	Maker     string         `db:"maker"`
	Roles     pq.StringArray `db:"roles"`
	Lists     pq.Int64Array  `db:"lists"`
	MadeAt    time.Time      `db:"made_at"`
	EndsAt    *time.Time     `db:"ends_at"`
	UsedAt    *time.Time     `db:"used_at"`
	RevokedAt *time.Time     `db:"revoked_at"`
	Works     bool           `db:"works"`
}

// keys selects keys; $1 is the present. The keys of an account that was disabled do not work: whoever made them knows them.
const keys = `
	SELECT k.id, k.name, k.hint, coalesce(k.made_by, 0) AS made_by, coalesce(a.email, '') AS maker, k.roles, k.lists, k.made_at, k.ends_at, k.used_at, k.revoked_at,
		k.revoked_at IS NULL AND (k.ends_at IS NULL OR k.ends_at > $1) AND coalesce(a.state, 'active') = 'active' AS works
	FROM accounts.api_keys k LEFT JOIN accounts.accounts a ON a.id = k.made_by `

func (r *keyRow) key() Key {
	return Key{
		ID: r.ID, Name: r.Name, Hint: r.Hint, MadeBy: r.MadeBy, Maker: r.Maker, Roles: roles(r.Roles), Lists: r.Lists, MadeAt: r.MadeAt, EndsAt: r.EndsAt,
		UsedAt: r.UsedAt, RevokedAt: r.RevokedAt, Works: r.Works,
	}
}

// MakeKey makes an API key with the name, roles, lists, maker and end of k, and returns what it is: it is not to be had again.
func (s *Store) MakeKey(ctx context.Context, k Key) (secret string, id int64, err error) {
	now := s.Clock.Now()
	k.Name = oneLine(k.Name, 200)
	switch err := checkScope(k.Roles, k.Lists); {
	case err != nil:
		return "", 0, err
	case k.Name == "":
		return "", 0, errs.New(errs.Invalid, "the key has no name: say what it is for")
	case k.EndsAt != nil && !k.EndsAt.After(now):
		return "", 0, errs.New(errs.Invalid, "the key would end before it begins")
	}
	secret = KeyPrefix + newSecret()
	err = database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &id, `
			INSERT INTO accounts.api_keys (hash, name, hint, made_by, roles, lists, made_at, ends_at) VALUES ($1, $2, $3, nullif($4, 0), $5, $6, $7, $8) RETURNING id`,
			hashOf(secret), k.Name, secret[len(secret)-4:], k.MadeBy, stored(k.Roles), pq.Int64Array(k.Lists), now, k.EndsAt)
	})
	return secret, id, err
}

// APIKeys returns all keys, those that were revoked and those that ended too, the newest first.
func (s *Store) APIKeys(ctx context.Context) ([]Key, error) {
	var rows []keyRow
	if err := s.DB.SelectContext(ctx, &rows, keys+`ORDER BY k.id DESC LIMIT 1000`, s.Clock.Now()); err != nil {
		return nil, err
	}
	all := make([]Key, len(rows))
	for i := range rows {
		all[i] = rows[i].key()
	}
	return all, nil
}

// RevokeKey makes a key good for nothing, for good.
func (s *Store) RevokeKey(ctx context.Context, id int64) error {
	return database.Transact(ctx, s.DB, func(tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE accounts.api_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1`, id, s.Clock.Now())
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errs.New(errs.NotFound, "there is no key %d", id))
		}
		return nil
	})
}

// KeyActor returns who a key stands for; errs.NotFound when it is none that works.
func (s *Store) KeyActor(ctx context.Context, secret string) (Actor, error) {
	none := errs.New(errs.NotFound, "this is no API key that works")
	if !strings.HasPrefix(secret, KeyPrefix) {
		return Actor{}, none
	}
	now := s.Clock.Now()
	var row keyRow
	err := s.DB.GetContext(ctx, &row, keys+`WHERE k.hash = $2`, now, hashOf(secret))
	if errors.Is(err, sql.ErrNoRows) || err == nil && !row.Works {
		return Actor{}, none
	}
	if err != nil {
		return Actor{}, err
	}
	if row.UsedAt == nil || now.Sub(*row.UsedAt) >= seenPace {
		if _, err := s.DB.ExecContext(ctx, `UPDATE accounts.api_keys SET used_at = $2 WHERE id = $1`, row.ID, now); err != nil {
			return Actor{}, err
		}
	}
	return Actor{Key: row.ID, Name: "key " + strconv.FormatInt(row.ID, 10), Roles: roles(row.Roles), Lists: row.Lists, Proved: now}, nil
}
