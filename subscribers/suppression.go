package subscribers

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Reason is why an address must not be mailed.
type Reason string

// The reasons. Who may lift a suppression follows from it: a hard bounce or a complaint that person alone, by confirming a
// subscription; a manual one an administrator; an erased address is free for somebody new who confirms.
const (
	HardBounce Reason = "hard bounce"
	Complaint  Reason = "complaint"
	Manual     Reason = "manual"
	Erased     Reason = "erased"
)

// Suppression keeps an address or a whole domain from being mailed by any list.
type Suppression struct {
	ID      int64      `db:"id"`
	Address string     `db:"address_key"` // to compare by; "" when it is a domain's, or of an address that was erased
	Domain  string     `db:"domain_key"`  // in A-labels; its subdomains are not meant
	Reason  Reason     `db:"reason"`
	Origin  string     `db:"origin"` // the message, the file or the person that it comes from
	At      time.Time  `db:"at"`
	Lifted  *time.Time `db:"lifted_at"` // nil: in force
}

// target is an address or a domain as they are compared.
type target struct{ address, domain string }

// parseTarget reads what a person names: an address, or a domain with or without an @ before it. The error is the reason alone.
func parseTarget(s string) (target, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return target{}, errs.New(errs.Invalid, "no address and no domain")
	}
	if name, isDomain := strings.CutPrefix(s, "@"); isDomain || !strings.Contains(s, "@") {
		key, err := domainKey(name)
		return target{domain: key}, err
	}
	a, err := ParseAddress(s)
	return target{address: a.Key}, err
}

// Suppress keeps an address ("a@example.org") or a domain ("example.org") from being mailed from now on. It is there when the function
// returns nil and h's transaction has ended: a message to it is begun no later than two seconds after. Doing it again for the same reason
// changes nothing. Erased is not for this: see Erase.
func Suppress(ctx context.Context, h database.Handle, whom string, reason Reason, origin string, now time.Time) (database.Change, error) {
	t, err := parseTarget(whom)
	if err != nil {
		return "", errs.New(errs.Invalid, "%q: %w", whom, err)
	}
	if err := checkReason(t, reason); err != nil {
		return "", err
	}
	if err := checkText(origin, maxText); err != nil {
		return "", errs.New(errs.Invalid, "origin: %w", err)
	}
	made, err := execCount(ctx, h, `
		INSERT INTO subscribers.suppressions (address_key, domain_key, reason, origin, at)
		VALUES (nullif($1, ''), nullif($2, ''), $3, $4, $5) ON CONFLICT DO NOTHING`, t.address, t.domain, reason, origin, now)
	if err != nil {
		return "", err
	}
	if made == 0 {
		return database.Unchanged, nil
	}
	return database.Added, nil
}

// TakeBackBounces lifts the hard bounces that were noted since a time for one of these origins, because they turned out to say nothing about the addresses. No
// other suppression of the same addresses is touched. It returns how many those are.
func TakeBackBounces(ctx context.Context, h database.Handle, origins []string, since, now time.Time) (n int, err error) {
	n64, err := execCount(ctx, h, `
		UPDATE subscribers.suppressions SET lifted_at = $3, lifted_by = 'the brake'
		WHERE lifted_at IS NULL AND reason = 'hard bounce' AND origin = ANY ($1) AND at >= $2`, pq.Array(origins), since, now)
	return int(n64), err
}

// checkReason refuses what is no reason to give, or none for a domain. The error is the reason alone.
func checkReason(t target, reason Reason) error {
	switch {
	case reason != HardBounce && reason != Complaint && reason != Manual:
		return errs.New(errs.Invalid, "%q is no reason: use hard bounce, complaint or manual", reason)
	case t.domain != "" && reason != Manual:
		return errs.New(errs.Invalid, "a %s is an address's, not a domain's", reason)
	}
	return nil
}

// Lift ends what an administrator may end: the manual suppression of an address or a domain. Other reasons are errs.Conflict and stay; where
// there is none it is errs.NotFound.
func Lift(ctx context.Context, h database.Handle, whom, by string, now time.Time) error {
	t, err := parseTarget(whom)
	if err != nil {
		return errs.New(errs.Invalid, "%q: %w", whom, err)
	}
	lifted, err := execCount(ctx, h, `
		UPDATE subscribers.suppressions SET lifted_at = $3, lifted_by = $4
		WHERE lifted_at IS NULL AND reason = 'manual' AND (address_key = $1 OR domain_key = $2)`, t.address, t.domain, now, by)
	if err != nil {
		return err
	}
	reasons, err := suppressedFor(ctx, h, t)
	switch {
	case err != nil:
		return err
	case len(reasons) > 0:
		return errs.New(errs.Conflict, "%s is suppressed for a %s: only they can lift that, by confirming a subscription", whom, reasons[0])
	case lifted == 0:
		return errs.New(errs.NotFound, "%s is not suppressed", whom)
	}
	return nil
}

// PersonLifts reports whether the person of an address lifts a suppression for this reason by confirming a subscription: the mail that asks them
// whether they do still goes to them.
func (r Reason) PersonLifts() bool { return r == HardBounce || r == Complaint }

// ReasonsAgainst returns why an address must not be mailed, itself or its domain; none when it may be.
func ReasonsAgainst(ctx context.Context, h database.Handle, address string) (reasons []Reason, err error) {
	a, err := ParseAddress(address)
	if err != nil {
		return nil, errs.New(errs.Invalid, "%q: %w", address, err)
	}
	defer errs.Wrap(&err, "read the suppressions of an address")
	return suppressedFor(ctx, h, target{address: a.Key, domain: a.Key[strings.LastIndexByte(a.Key, '@')+1:]})
}

func suppressedFor(ctx context.Context, h database.Handle, t target) (reasons []Reason, err error) {
	err = h.SelectContext(ctx, &reasons, `
		SELECT reason FROM subscribers.suppressions WHERE lifted_at IS NULL AND (address_key = $1 OR domain_key = $2)
		ORDER BY reason`, t.address, t.domain)
	return reasons, err
}

// liftForPerson lifts what the person of a subscription may lift by confirming it. Whoever comes with an address that was erased is somebody new,
// and the hash of that address goes.
func liftForPerson(ctx context.Context, h database.Handle, subscription int64, e Evidence) error {
	var key string
	err := h.GetContext(ctx, &key, `
		SELECT c.email_key FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id
		WHERE s.id = $1 AND c.erased_at IS NULL`, subscription)
	if errors.Is(err, sql.ErrNoRows) {
		return errs.New(errs.Gone, "the person of subscription %d was erased", subscription)
	}
	if err != nil {
		return err
	}
	return liftAddress(ctx, h, key, e.At)
}

// liftAddress lifts what the owner of an address may lift.
func liftAddress(ctx context.Context, h database.Handle, key string, now time.Time) error {
	hash, err := addressHash(ctx, h, key)
	if err != nil {
		return err
	}
	_, err = h.ExecContext(ctx, `
		UPDATE subscribers.suppressions SET lifted_at = $3, lifted_by = 'person'
		WHERE lifted_at IS NULL AND (address_key = $1 AND reason IN ('hard bounce', 'complaint') OR address_hash = $2)`, key, hash, now)
	return err
}

// addressHash returns what is left of an address that was erased: enough to know it again, if somebody brings it, and no more.
func addressHash(ctx context.Context, h database.Handle, key string) ([]byte, error) {
	var secret []byte
	if err := h.GetContext(ctx, &secret, `SELECT key FROM subscribers.erasure_key`); err != nil {
		return nil, err
	}
	return hashWith(secret, key), nil
}

func hashWith(secret []byte, key string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(key))
	return mac.Sum(nil)
}

// Suppressions returns those in force, the newest first, at most limit; before is the id of the last one that was seen, 0 for the first page.
func Suppressions(ctx context.Context, h database.Handle, before int64, limit int) (all []Suppression, err error) {
	err = h.SelectContext(ctx, &all, `
		SELECT id, coalesce(address_key, '') AS address_key, coalesce(domain_key, '') AS domain_key, reason, origin, at, lifted_at
		FROM subscribers.suppressions WHERE lifted_at IS NULL AND ($1 = 0 OR id < $1) ORDER BY id DESC LIMIT $2`, before, limit)
	return all, err
}

// SuppressionsOf returns all suppressions that there are, or were, of an address or a domain, and of an address' domain, the newest first. What is neither
// is errs.Invalid.
func SuppressionsOf(ctx context.Context, h database.Handle, whom string) (all []Suppression, err error) {
	t, err := parseTarget(whom)
	if err != nil {
		return nil, errs.New(errs.Invalid, "%q: %w", whom, err)
	}
	if t.address != "" {
		t.domain = t.address[strings.LastIndexByte(t.address, '@')+1:]
	}
	err = h.SelectContext(ctx, &all, `
		SELECT id, coalesce(address_key, '') AS address_key, coalesce(domain_key, '') AS domain_key, reason, origin, at, lifted_at
		FROM subscribers.suppressions WHERE address_key = $1 OR domain_key = $2 ORDER BY id DESC LIMIT 200`, t.address, t.domain)
	errs.Wrap(&err, "read the suppressions of %q", whom)
	return all, err
}
