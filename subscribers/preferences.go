package subscribers

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// Preferences are what a contact chooses for all lists.
type Preferences struct {
	Languages    []string // BCP 47, the best first; none is each list's fallback
	TimeZone     string   // IANA; "" is each list's
	DeliveryHour string   // "15:04"; "" is each list's
}

// SetPreferences makes a contact's preferences be as given. What is wrong with them is errs.Invalid.
func SetPreferences(ctx context.Context, h database.Handle, contact int64, p Preferences) (err error) {
	defer errs.Wrap(&err, "preferences of contact %d", contact)
	if p.Languages, err = parseLanguages(p.Languages); err != nil {
		return err
	}
	if len(p.Languages) > MaxLanguages {
		return errs.New(errs.Invalid, "more than %d languages", MaxLanguages)
	}
	if p.TimeZone != "" {
		if err := checkTimeZone(p.TimeZone); err != nil {
			return errs.New(errs.Invalid, "%q: %w", p.TimeZone, err)
		}
	}
	if p.DeliveryHour != "" {
		if p.DeliveryHour, err = parseHour(p.DeliveryHour); err != nil {
			return err
		}
	}
	_, err = h.ExecContext(ctx, `
		UPDATE subscribers.contacts
		SET languages = $2, language_keys = $3, time_zone = $4, delivery_hour = nullif($5, '')::time
		WHERE id = $1 AND erased_at IS NULL`,
		contact, present(p.Languages), pq.StringArray(language.Keys(p.Languages)), p.TimeZone, p.DeliveryHour)
	return err
}

// SetDelivery makes a subscription have a rhythm, which its list has to offer, and topics (sections or tags; none is all). It does not
// change its state.
func SetDelivery(ctx context.Context, tx *sqlx.Tx, subscription int64, rhythm string, topics []string) (err error) {
	defer errs.Wrap(&err, "delivery of subscription %d", subscription)
	if topics, err = parseTopics(topics); err != nil {
		return err
	}
	var list List
	if err := tx.GetContext(ctx, &list, selectLists+`
		WHERE id = (SELECT list_id FROM subscribers.subscriptions WHERE id = $1) FOR SHARE`, subscription); err != nil {
		return err
	}
	if err := list.offers(rhythm); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE subscribers.subscriptions SET rhythm = $2, topics = $3 WHERE id = $1`, subscription, rhythm, present(topics))
	return err
}

const uniqueViolation = "23505" // SQLSTATE

// ChangeAddress makes a contact's mail go to another address from now on, because that one's owner says so, and lifts what only they may lift. An
// import of the former address is refused: it would make two of one person. An address that another contact has is errs.Conflict; somebody else's
// word is errs.Invalid.
func ChangeAddress(ctx context.Context, tx *sqlx.Tx, contact int64, to Address, e Evidence) (err error) {
	if err := fromPerson(e); err != nil {
		return err
	}
	if err := leaveAddress(ctx, tx, contact, to, e.At); err != nil {
		return err
	}
	changed, err := execCount(ctx, tx, `
		UPDATE subscribers.contacts SET email = $2, email_key = $3 WHERE id = $1 AND erased_at IS NULL`, contact, to.Given, to.Key)
	switch {
	case database.SQLState(err) == uniqueViolation:
		return errs.New(errs.Conflict, "another contact has that address")
	case err != nil:
		return err
	case changed == 0:
		return errs.New(errs.NotFound, "no contact %d", contact)
	}
	return liftAddress(ctx, tx, to.Key, e.At)
}

// leaveAddress keeps a hash of the address that a contact leaves for another one, and none of the one they come to.
func leaveAddress(ctx context.Context, tx *sqlx.Tx, contact int64, to Address, now time.Time) error {
	if _, err := tx.ExecContext(ctx, keepTurnsAway); err != nil { // an import must not look for the address before, and add it after
		return err
	}
	var from string
	err := tx.GetContext(ctx, &from, `SELECT email_key FROM subscribers.contacts WHERE id = $1 AND erased_at IS NULL FOR UPDATE`, contact)
	if errors.Is(err, sql.ErrNoRows) || from == to.Key {
		return nil
	}
	if err != nil {
		return err
	}
	left, err := addressHash(ctx, tx, from)
	if err != nil {
		return err
	}
	comes, err := addressHash(ctx, tx, to.Key)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO subscribers.former_addresses (address_hash, contact_id, left_at) VALUES ($1, $2, $3)
		ON CONFLICT (address_hash) DO UPDATE SET contact_id = excluded.contact_id, left_at = excluded.left_at`, left, contact, now); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM subscribers.former_addresses WHERE address_hash = $1`, comes)
	return err
}

// SubscriptionsOf returns the subscriptions of a contact in the order of their lists' slugs.
func SubscriptionsOf(ctx context.Context, h database.Handle, contact int64) (all []Subscription, err error) {
	defer errs.Wrap(&err, "read the subscriptions of contact %d", contact)
	var ids []int64
	if err := h.SelectContext(ctx, &ids, `
		SELECT s.id FROM subscribers.subscriptions s JOIN subscribers.lists l ON l.id = s.list_id
		WHERE s.contact_id = $1 ORDER BY l.slug`, contact); err != nil {
		return nil, err
	}
	for _, id := range ids {
		one, err := SubscriptionByID(ctx, h, id)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// zones are the names in zone.tab of the IANA time zone database, which is in the public domain, and UTC.
//
//go:embed zones.txt
var zones string

// TimeZones returns the names of time zones that people choose from, sorted. A contact may have another one, by an import.
var TimeZones = sync.OnceValue(func() []string { return strings.Fields(zones) })
