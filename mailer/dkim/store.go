package dkim

import (
	"context"
	"crypto"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/seal"
	"silkpost/internal/token"
)

const columns = `domain, selector, algorithm, state, public, made_at, used_at, retired_at`

// Create makes a key for a domain in A-labels and stores it, sealed. It does not sign yet: its record has to be published first. selector is "" for one
// that says when it was made. A selector that the domain had before is errs.Conflict: somewhere its old record may still be known.
func Create(ctx context.Context, h database.Handle, secrets token.Keys, domain, selector string, a Algorithm, now time.Time) (k Key, err error) {
	k = Key{Domain: strings.ToLower(domain), Selector: strings.ToLower(selector), Algorithm: a, State: Made, MadeAt: now}
	if selector == "" {
		if k.Selector, err = freeSelector(ctx, h, k.Domain, a, now); err != nil {
			return k, err
		}
	}
	if err := k.check(); err != nil {
		return k, err
	}
	private, public, err := generate(a)
	if err != nil {
		return k, err
	}
	k.Public = public
	sealed, err := sealKey(secrets, k.row(), private)
	if err != nil {
		return k, err
	}
	res, err := h.ExecContext(ctx, `
		INSERT INTO mailer.dkim_keys (domain, selector, algorithm, state, public, sealed, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT DO NOTHING`, k.Domain, k.Selector, k.Algorithm, k.State, k.Public, sealed, now)
	if err != nil {
		return k, err
	}
	if rows, err := res.RowsAffected(); err != nil || rows == 0 {
		return k, errs.New(errs.Conflict, "%s has a key with the selector %s already: choose another one with --selector", k.Domain, k.Selector)
	}
	return k, nil
}

// freeSelector returns one that says when the key was made, with a number when there are several.
func freeSelector(ctx context.Context, h database.Handle, domain string, a Algorithm, now time.Time) (string, error) {
	var taken []string
	if err := h.SelectContext(ctx, &taken, `SELECT selector FROM mailer.dkim_keys WHERE domain = $1`, domain); err != nil {
		return "", err
	}
	known := map[string]bool{}
	for _, one := range taken {
		known[one] = true
	}
	selector := selectorFor(a, now)
	for n := 2; known[selector]; n++ {
		selector = selectorFor(a, now) + "-" + strconv.Itoa(n)
	}
	return selector, nil
}

// Keys returns all keys there are.
func Keys(ctx context.Context, h database.Handle) (all []Key, err error) {
	err = h.SelectContext(ctx, &all, `SELECT `+columns+` FROM mailer.dkim_keys ORDER BY domain, made_at, selector`)
	errs.Wrap(&err, "dkim.Keys")
	return all, err
}

// ByName returns a key, or errs.NotFound.
func ByName(ctx context.Context, h database.Handle, domain, selector string) (k Key, err error) {
	err = h.GetContext(ctx, &k, `SELECT `+columns+` FROM mailer.dkim_keys WHERE domain = $1 AND selector = $2`,
		strings.ToLower(domain), strings.ToLower(selector))
	if errors.Is(err, sql.ErrNoRows) {
		return k, errs.New(errs.NotFound, "%s has no key with the selector %s: silkpost dkim list shows what there is", domain, selector)
	}
	errs.Wrap(&err, "dkim.ByName(%s, %s)", domain, selector)
	return k, err
}

// Use lets a key sign from now on, and retires the one of its domain and algorithm that did. A key that cannot be opened is refused: nothing could be sent
// with it. It returns the keys that it retired.
func Use(ctx context.Context, db *sqlx.DB, secrets token.Keys, k Key, now time.Time) (retired []Key, err error) {
	defer errs.Wrap(&err, "key %s of %s", k.Selector, k.Domain)
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		if _, _, err := openStored(ctx, tx, secrets, &k); err != nil {
			return err
		}
		retired = nil
		if err := tx.SelectContext(ctx, &retired, `
			UPDATE mailer.dkim_keys SET state = 'retired', retired_at = $4
			WHERE domain = $1 AND algorithm = $2 AND state = 'active' AND selector <> $3
			RETURNING `+columns, k.Domain, k.Algorithm, k.Selector, now); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			UPDATE mailer.dkim_keys SET state = 'active', used_at = CASE WHEN state = 'active' THEN used_at ELSE $3 END, retired_at = NULL
			WHERE domain = $1 AND selector = $2`, k.Domain, k.Selector, now)
		return err
	})
	return retired, err
}

// openStored returns the private key of a key, and by which of the secret keys it was opened.
func openStored(ctx context.Context, h database.Handle, secrets token.Keys, k *Key) (crypto.Signer, int, error) {
	var sealed []byte
	if err := h.GetContext(ctx, &sealed, `SELECT sealed FROM mailer.dkim_keys WHERE domain = $1 AND selector = $2`, k.Domain, k.Selector); err != nil {
		return nil, 0, err
	}
	return openKey(secrets, k.row(), sealed)
}

// Retire ends a key's signing; errs.Conflict when it does not sign.
func Retire(ctx context.Context, h database.Handle, k Key, now time.Time) error {
	return change(ctx, h, k, "it does not sign", `
		UPDATE mailer.dkim_keys SET state = 'retired', retired_at = $3 WHERE domain = $1 AND selector = $2 AND state = 'active'`,
		k.Domain, k.Selector, now)
}

// Remove deletes a key that does not sign; errs.Conflict when it does.
func Remove(ctx context.Context, h database.Handle, k Key) error {
	return change(ctx, h, k, "it signs: retire it first, or let another one take its place", `
		DELETE FROM mailer.dkim_keys WHERE domain = $1 AND selector = $2 AND state <> 'active'`, k.Domain, k.Selector)
}

func change(ctx context.Context, h database.Handle, k Key, otherwise, statement string, args ...any) error {
	res, err := h.ExecContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	if rows, err := res.RowsAffected(); err != nil || rows == 0 {
		return errs.New(errs.Conflict, "key %s of %s: %s", k.Selector, k.Domain, otherwise)
	}
	return nil
}

// Lock says with what a key can be opened.
type Lock struct {
	Key
	Secret  int    // which of the secret keys opens it: 0 is the first
	Failure string // why none does; "" when one does
}

// Locks tries every key there is. It reads them as they are at one moment.
func Locks(ctx context.Context, h database.Handle, secrets token.Keys) (locks []Lock, err error) {
	defer errs.Wrap(&err, "dkim.Locks")
	all, err := stored(ctx, h, Made, Active, Retired)
	for _, s := range all {
		lock := Lock{Key: s.Key}
		if _, lock.Secret, err = openKey(secrets, s.row(), s.Sealed); err != nil {
			lock.Failure, err = err.Error(), nil
		}
		locks = append(locks, lock)
	}
	return locks, err
}

// Reseal seals every key with the first of the secret keys, in h's transaction, and returns how many had another one. After that the others are needed for
// keys no more. One that none of them opens is an error.
func Reseal(ctx context.Context, h database.Handle, secrets token.Keys) (changed int, err error) {
	defer errs.Wrap(&err, "seal the keys anew")
	all, err := stored(ctx, h, Made, Active, Retired)
	if err != nil {
		return 0, err
	}
	for _, s := range all {
		sealed, err := seal.Again(secrets, sealing, s.row(), s.Sealed)
		if err != nil {
			return 0, errs.New(errs.KindOf(err), "key %s of %s: %w", s.Selector, s.Domain, err)
		}
		if sealed == nil {
			continue
		}
		if _, err := h.ExecContext(ctx, `UPDATE mailer.dkim_keys SET sealed = $3 WHERE domain = $1 AND selector = $2`, s.Domain, s.Selector, sealed); err != nil {
			return 0, err
		}
		changed++
	}
	return changed, nil
}

// storedKey is a key with its sealed private one.
type storedKey struct {
	Key
	Sealed []byte `db:"sealed"`
}

func stored(ctx context.Context, h database.Handle, states ...State) (all []storedKey, err error) {
	words := make(pq.StringArray, len(states))
	for i, state := range states {
		words[i] = string(state)
	}
	err = h.SelectContext(ctx, &all, `
		SELECT `+columns+`, sealed FROM mailer.dkim_keys WHERE state = ANY ($1) ORDER BY domain, algorithm DESC, made_at, selector`, words)
	return all, err
}
