package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"silkpost/internal/database"
)

// TooManyError says that somebody has tried too often in vain, and when they may try again. It is the same for accounts that are there and those
// that are not.
type TooManyError struct{ Wait time.Duration }

// Error says how long to wait.
func (e *TooManyError) Error() string {
	return fmt.Sprintf("too many attempts: try again in %s", e.Wait.Round(time.Second))
}

// limit is how often something may be tried: free times at once, then with delays that double from a second to longest. None grows beyond
// that: whoever tries on behalf of somebody else cannot keep them out for good.
type limit struct {
	name    string
	free    int
	longest time.Duration
}

// The limits. A browser that has signed in to an account before has one of its own, which strangers' attempts do not touch.
var (
	perAccount = limit{"account", 5, 5 * time.Minute}
	perBrowser = limit{"browser", 5, 5 * time.Minute}
	perNetwork = limit{"network", 20, 15 * time.Minute}
	perCode    = limit{"code", 5, 15 * time.Minute}
	perLink    = limit{"link", 30, 15 * time.Minute}
)

// forgotten is after how long without an attempt the earlier ones count no more.
const forgotten = 24 * time.Hour

// subject is what attempts are counted for. It is a hash: what people type into a form is not to be kept.
func (l limit) subject(whose string) []byte { return hashOf(l.name + "\x00" + whose) }

// take counts an attempt before it is made, so that many at once count as many. It returns TooManyError when it must not be made.
func (s *Store) take(ctx context.Context, l limit, whose string) error {
	now := s.Clock.Now()
	var next time.Time
	err := s.DB.GetContext(ctx, &next, `
		INSERT INTO accounts.attempts AS a (subject, tries, last_at, next_at) VALUES ($1, 1, $2, $2)
		ON CONFLICT (subject) DO UPDATE SET
			tries = CASE WHEN a.last_at < $3 THEN 1 ELSE a.tries + 1 END, last_at = $2,
			next_at = CASE WHEN a.last_at < $3 OR a.tries + 1 < $4 THEN $2
				ELSE $2::timestamptz + least(power(2, least(a.tries + 1 - $4, 20)), $5) * interval '1 second' END
		WHERE a.next_at <= $2
		RETURNING next_at`, l.subject(whose), now, now.Add(-forgotten), l.free, l.longest.Seconds())
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err := s.DB.GetContext(ctx, &next, `SELECT next_at FROM accounts.attempts WHERE subject = $1`, l.subject(whose)); err != nil {
		return err
	}
	return &TooManyError{max(next.Sub(now), time.Second)}
}

// giveBack takes back an attempt that was none: a right one.
func giveBack(ctx context.Context, h database.Handle, l limit, whose string) error {
	_, err := h.ExecContext(ctx, `UPDATE accounts.attempts SET tries = tries - 1, next_at = last_at WHERE subject = $1 AND tries > 0`, l.subject(whose))
	return err
}

// clear forgets the attempts for something.
func clearAttempts(ctx context.Context, h database.Handle, l limit, whose string) error {
	_, err := h.ExecContext(ctx, `DELETE FROM accounts.attempts WHERE subject = $1`, l.subject(whose))
	return err
}

// Visit is where somebody comes from who signs in.
type Visit struct {
	Address netip.Addr
	Agent   string // what the browser calls itself
	Known   string // what the browser was given when it signed in before; "": it was not
	Session string // the token that it has; whatever it is, it ends
}

// network is what the attempts of a visitor are counted by: of IPv6 the /64, since whoever has one address there has them all.
func (v Visit) network() string { return networkOf(v.Address, 32, 64) }

// place is what of an address is kept: enough to recognise, and no more than the log of consents has.
func (v Visit) place() string { return networkOf(v.Address, 24, 48) }

func networkOf(address netip.Addr, four, six int) string {
	bits := six
	if address = address.Unmap(); address.Is4() {
		bits = four
	}
	network, err := address.WithZone("").Prefix(bits)
	if err != nil {
		return ""
	}
	return network.String()
}
