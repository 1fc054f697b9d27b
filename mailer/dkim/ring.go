package dkim

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/clock"
	"silkpost/internal/errs"
	"silkpost/internal/token"
)

// Ring signs with the keys that are in the database. It may be used by any number of goroutines; its exported fields are set before use.
type Ring struct {
	DB      *sqlx.DB
	Secrets token.Keys
	Clock   clock.Clock
	Log     *slog.Logger

	last    atomic.Pointer[reading]
	reading sync.Mutex // of one at a time
}

// reading is what was known at a time.
type reading struct {
	known   map[string]held // by domain
	at      time.Time
	triedAt time.Time // when it was last tried to read more: later, while the database does not answer
}

// held is what a domain is signed for with.
type held struct {
	signers []signer
	failure error // a key cannot be opened
}

// What is known of the keys holds for fresh; while the database does not answer it may be as old as stale.
const (
	fresh       = 2 * time.Second
	stale       = 10 * time.Minute
	readTimeout = 5 * time.Second
)

// Sign returns the DKIM-Signature fields for a message from an address, none where neither its domain nor a parent of it has a key that signs. The message
// has CRLF line ends and is not dot-stuffed. A key that cannot be opened is errs.Unavailable.
func (r *Ring) Sign(from string, message []byte) ([]byte, error) {
	now := r.Clock.Now()
	known, err := r.read(now)
	if err != nil {
		return nil, err
	}
	keys, domain := keysFor(known, from[strings.LastIndexByte(from, '@')+1:])
	if keys.failure != nil {
		return nil, errs.New(errs.Unavailable, "a message from %s cannot be signed: %w", domain, keys.failure)
	}
	if len(keys.signers) == 0 {
		return nil, nil
	}
	return sign(keys.signers, message, now)
}

// keysFor returns the keys of a domain, or else of its nearest parent that has any.
func keysFor[T any](known map[string]T, domain string) (found T, of string) {
	for of = strings.ToLower(domain); of != ""; _, of, _ = strings.Cut(of, ".") {
		if found, ok := known[of]; ok {
			return found, of
		}
	}
	return found, ""
}

// SigningDomain returns for which domain a message from an address is signed, with the keys that are given; "": for none.
func SigningDomain(keys []Key, from string) string {
	active := map[string]bool{}
	for i := range keys {
		if keys[i].State == Active {
			active[keys[i].Domain] = true
		}
	}
	_, of := keysFor(active, from[strings.LastIndexByte(from, '@')+1:])
	return of
}

// Signs reports whether a message from an address is to be signed. Where that is not known Sign says why.
func (r *Ring) Signs(from string) bool {
	known, err := r.read(r.Clock.Now())
	_, domain := keysFor(known, from[strings.LastIndexByte(from, '@')+1:])
	return err != nil || domain != ""
}

// read returns what is known of the keys, and reads them anew now and then. One goroutine reads while others use what there is.
func (r *Ring) read(now time.Time) (map[string]held, error) {
	last := r.last.Load()
	if last != nil && now.Sub(last.triedAt) < fresh {
		return last.known, nil
	}
	if last == nil {
		r.reading.Lock()
	} else if !r.reading.TryLock() {
		return last.known, nil
	}
	defer r.reading.Unlock()
	if last = r.last.Load(); last != nil && now.Sub(last.triedAt) < fresh {
		return last.known, nil // another one has read them meanwhile
	}
	return r.readAnew(last, now)
}

// readAnew reads the keys. The caller holds the lock. While the database does not answer what was known before goes on, for a while.
func (r *Ring) readAnew(last *reading, now time.Time) (map[string]held, error) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	all, err := stored(ctx, r.DB, Active)
	switch {
	case err == nil:
		next := &reading{known: r.opened(ctx, last, all), at: now, triedAt: now}
		r.last.Store(next)
		return next.known, nil
	case last == nil || now.Sub(last.at) >= stale:
		return nil, errs.New(errs.Unavailable, "the keys for DKIM cannot be read: %w", err)
	}
	r.last.Store(&reading{known: last.known, at: last.at, triedAt: now})
	return last.known, nil
}

// opened opens the keys. What could not be opened is told once for as long as it is so.
func (r *Ring) opened(ctx context.Context, last *reading, all []storedKey) map[string]held {
	known := map[string]held{}
	for _, s := range all {
		of := known[s.Domain]
		if private, _, err := openKey(r.Secrets, s.row(), s.Sealed); err == nil {
			of.signers = append(of.signers, signer{s.Domain, s.Selector, private})
		} else {
			of.failure = errs.New(errs.Unavailable, "key %s: %w", s.Selector, err)
			if last == nil || last.known[s.Domain].failure == nil {
				r.Log.ErrorContext(ctx, "nothing is sent from a domain: its DKIM key cannot be opened", slog.String("domain", s.Domain),
					slog.String("selector", s.Selector), slog.Any("error", err))
			}
		}
		known[s.Domain] = of
	}
	return known
}
