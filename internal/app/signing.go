package app

import (
	"context"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/mailer/compose"
	"silkpost/mailer/dkim"
	"silkpost/subscribers"
)

// furnishSigning has messages signed for the domains that have keys.
func (a *App) furnishSigning() {
	ring := &dkim.Ring{DB: a.DB, Secrets: a.keys, Clock: a.Clock, Log: a.Log}
	a.Composer.Sign, a.Composer.Signs = ring.Sign, ring.Signs
}

// MakeKey makes a DKIM key for a domain. It does not sign until UseKey, for its record has to be published first. selector is "" for one that says when it was
// made.
func (a *App) MakeKey(ctx context.Context, domain, selector string, algorithm dkim.Algorithm) (dkim.Key, error) {
	if a.keys == nil {
		return dkim.Key{}, noSecretKey()
	}
	domain, err := asciiDomain(domain)
	if err != nil {
		return dkim.Key{}, err
	}
	var made dkim.Key
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		made, err = dkim.Create(ctx, tx, a.keys, domain, selector, algorithm, a.Clock.Now())
		return err
	})
	return made, err
}

// Keys returns all DKIM keys there are, and with what each can be opened.
func (a *App) Keys(ctx context.Context) ([]dkim.Lock, error) { return dkim.Locks(ctx, a.DB, a.keys) }

// Key returns a DKIM key, or errs.NotFound.
func (a *App) Key(ctx context.Context, domain, selector string) (dkim.Key, error) {
	domain, err := asciiDomain(domain)
	if err != nil {
		return dkim.Key{}, err
	}
	return dkim.ByName(ctx, a.DB, domain, selector)
}

// UseKey lets a DKIM key sign, instead of the one of its domain and algorithm that did, and returns those that it retired.
func (a *App) UseKey(ctx context.Context, k dkim.Key) (retired []dkim.Key, err error) {
	return dkim.Use(ctx, a.DB, a.keys, k, a.Clock.Now())
}

// RetireKey ends a DKIM key's signing.
func (a *App) RetireKey(ctx context.Context, k dkim.Key) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error { return dkim.Retire(ctx, tx, k, a.Clock.Now()) })
}

// RemoveKey deletes a DKIM key that does not sign.
func (a *App) RemoveKey(ctx context.Context, k dkim.Key) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error { return dkim.Remove(ctx, tx, k) })
}

// Reseal seals everything that is kept sealed, DKIM keys and second factors, with the first of the secret keys, and returns how many of each had another one.
// After that the others are needed for links in mails alone. What none of them opens is an error, and nothing is changed.
func (a *App) Reseal(ctx context.Context) (keys, factors int, err error) {
	if a.keys == nil {
		return 0, 0, noSecretKey()
	}
	err = database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		if keys, err = dkim.Reseal(ctx, tx, a.keys); err != nil {
			return err
		}
		factors, err = a.Accounts.Reseal(ctx, tx)
		return err
	})
	return keys, factors, err
}

// asciiDomain returns a domain as A-labels.
func asciiDomain(domain string) (string, error) {
	envelope, err := subscribers.Envelope("a@" + domain)
	if err != nil {
		return "", errs.New(errs.Invalid, "domain %q: it should be the one that mail is from, such as example.org", domain)
	}
	return compose.Domain(envelope), nil
}

// LockedKey is a DKIM key that signs and cannot be opened: nothing is sent from its domain until it can.
type LockedKey struct {
	Domain   string `json:"domain"`
	Selector string `json:"selector"`
	Failure  string `json:"failure"`
}

// lockedKeys returns those that are to sign.
func (a *App) lockedKeys(ctx context.Context, h database.Handle) ([]LockedKey, error) {
	locks, err := dkim.Locks(ctx, h, a.keys)
	locked := []LockedKey{}
	for _, l := range locks {
		if l.State == dkim.Active && l.Failure != "" {
			locked = append(locked, LockedKey{Domain: l.Domain, Selector: l.Selector, Failure: l.Failure})
		}
	}
	return locked, err
}
