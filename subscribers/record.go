package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// ContactRecord is a contact with where it belongs and what it subscribed to.
type ContactRecord struct {
	ID            int64                        `db:"id" json:"id"`
	Email         string                       `db:"email" json:"email"`
	Name          string                       `db:"name" json:"name"`
	Languages     jsonList[string]             `db:"languages" json:"languages"` // canonical BCP 47, the first is the best
	TimeZone      string                       `db:"time_zone" json:"time_zone"`
	DeliveryHour  string                       `db:"delivery_hour" json:"delivery_hour"`
	Attributes    database.StringMap           `db:"attributes" json:"attributes"`
	CreatedAt     time.Time                    `db:"created_at" json:"created_at"`
	Organisations jsonList[MemberRecord]       `db:"organisations" json:"organisations"` // by name
	Subscriptions jsonList[SubscriptionRecord] `db:"subscriptions" json:"subscriptions"` // by list
}

// MemberRecord is an organisation that a contact belongs to.
type MemberRecord struct {
	Name    string `json:"name"`
	Country string `json:"country"`
}

// SubscriptionRecord is a contact's subscription to a list.
type SubscriptionRecord struct {
	ID          int64      `json:"id"`
	List        string     `json:"list"` // slug
	State       State      `json:"state"`
	Rhythm      string     `json:"rhythm"`
	Topics      []string   `json:"topics"`
	PausedUntil *time.Time `json:"paused_until"`
	CreatedAt   time.Time  `json:"created_at"`
}

// ConsentRecord is a line of the log of consents with whom and what it is about.
type ConsentRecord struct {
	At        time.Time `db:"at" json:"at"`
	ContactID int64     `db:"contact_id" json:"contact"`
	Email     string    `db:"email" json:"email"` // "": erased
	List      string    `db:"list" json:"list"`
	State     State     `db:"state" json:"state"` // what the subscription became
	Method    Method    `db:"method" json:"method"`
	Statement string    `db:"statement" json:"statement"`
	Origin    string    `db:"origin" json:"origin"`
	Network   string    `db:"network" json:"network"`
	Actor     string    `db:"actor" json:"actor"`
}

const selectConsents = `
SELECT g.at, s.contact_id, coalesce(c.email, '') AS email, l.slug AS list, g.state, g.method, g.statement, g.origin, g.network, g.actor
FROM subscribers.consents g
JOIN subscribers.subscriptions s ON s.id = g.subscription_id
JOIN subscribers.lists l ON l.id = s.list_id
JOIN subscribers.contacts c ON c.id = s.contact_id`

// SuppressionRecord is a suppression, in force or lifted.
type SuppressionRecord struct {
	Address string     `db:"address" json:"address"` // or domain; "": it was erased
	Reason  Reason     `db:"reason" json:"reason"`
	Origin  string     `db:"origin" json:"origin"`
	At      time.Time  `db:"at" json:"date"`
	Lifted  *time.Time `db:"lifted_at" json:"lifted"` // null: in force
}

const selectSuppressions = `
SELECT coalesce(x.address_key, x.domain_key, '') AS address, x.reason, x.origin, x.at, x.lifted_at
FROM subscribers.suppressions x`

// Record is everything that this room holds of a contact.
type Record struct {
	ContactRecord
	Consents     []ConsentRecord     `json:"consents"`     // the oldest first
	Suppressions []SuppressionRecord `json:"suppressions"` // of the address and its domain, the oldest first
}

// RecordOf returns all that is held of a contact, or errs.NotFound when there is none or it was erased. Give it a handle whose statements all
// see the same moment.
func RecordOf(ctx context.Context, h database.Handle, contact int64) (r Record, err error) {
	r = Record{Consents: []ConsentRecord{}, Suppressions: []SuppressionRecord{}}
	err = h.GetContext(ctx, &r.ContactRecord, selectRecords+` WHERE c.id = $2 AND c.erased_at IS NULL`, 0, contact)
	if errors.Is(err, sql.ErrNoRows) {
		return r, errs.New(errs.NotFound, "no contact %d", contact)
	}
	defer errs.Wrap(&err, "read what is held of contact %d", contact)
	if err == nil {
		err = h.SelectContext(ctx, &r.Consents, selectConsents+` WHERE s.contact_id = $1 ORDER BY g.id`, contact)
	}
	if err == nil {
		err = h.SelectContext(ctx, &r.Suppressions, selectSuppressions+`
			JOIN subscribers.contacts c ON c.email_key = x.address_key OR c.domain_key = x.domain_key WHERE c.id = $1 ORDER BY x.id`, contact)
	}
	return r, err
}
