package subscribers

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// limit says how often something may be asked for within a window, which begins with the first time.
type limit struct {
	times  int
	within time.Duration
}

// A house behind one address may have many who subscribe at once; one address has one person, who may mistype or not find the mail.
var (
	perNetwork = limit{times: 100, within: time.Hour}
	perAddress = limit{times: 5, within: 24 * time.Hour}
)

// Admission is what Admit says of a request.
type Admission struct {
	Network bool // the network may go on asking
	Address bool // a mail may go to the address
}

// Admit counts a request from a network (see Network) that leads to a mail to an address, whoever's it is, and says whether it is one too
// many. Addresses that differ after a + count as one. The counts are in the database, so any number of processes keep one limit, and hold the address as a keyed hash. For a
// form it is to be called outside the transaction of what was asked for: what fails counts, too.
func Admit(ctx context.Context, h database.Handle, to Address, network string, now time.Time) (a Admission, err error) {
	defer errs.Wrap(&err, "subscribers.Admit")
	hash, err := addressHash(ctx, h, mailbox(to.Key))
	if err != nil {
		return a, err
	}
	if a.Network, err = perNetwork.admits(ctx, h, "network "+network, now); err != nil {
		return a, err
	}
	a.Address, err = perAddress.admits(ctx, h, "address "+hex.EncodeToString(hash), now)
	return a, err
}

// mailbox cuts what stands after a + off the local part of an address: in very many houses that is the same mailbox, and a stranger could fill it by
// forms with one tag after the other.
func mailbox(key string) string {
	at := strings.LastIndexByte(key, '@')
	if local, _, tagged := strings.Cut(key[:at], "+"); tagged && local != "" {
		return local + key[at:]
	}
	return key
}

func (l limit) admits(ctx context.Context, h database.Handle, key string, now time.Time) (bool, error) {
	var times int
	err := h.GetContext(ctx, &times, `
		INSERT INTO subscribers.limits AS l (key, since, times) VALUES ($1, $2, 1)
		ON CONFLICT (key) DO UPDATE
		SET since = CASE WHEN l.since <= $3 THEN $2 ELSE l.since END,
		    times = CASE WHEN l.since <= $3 THEN 1 ELSE l.times + 1 END
		RETURNING times`, key, now, now.Add(-l.within))
	return times <= l.times, err
}

// ForgetLimits drops the counts whose windows are over.
func ForgetLimits(ctx context.Context, h database.Handle, now time.Time) error {
	_, err := h.ExecContext(ctx, `DELETE FROM subscribers.limits WHERE since <= $1`, now.Add(-max(perNetwork.within, perAddress.within)))
	return err
}
