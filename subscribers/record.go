package subscribers

import (
	"context"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// ContactRecord is a contact with where it belongs and what it subscribed to.
type ContactRecord struct {
	ID            int64                `db:"id" json:"id"`
	Email         string               `db:"email" json:"email"`
	Name          string               `db:"name" json:"name"`
	Languages     pq.StringArray       `db:"languages" json:"languages"` // canonical BCP 47, the first is the best
	TimeZone      string               `db:"time_zone" json:"time_zone"`
	DeliveryHour  string               `db:"delivery_hour" json:"delivery_hour"`
	Attributes    database.StringMap   `db:"attributes" json:"attributes"`
	CreatedAt     time.Time            `db:"created_at" json:"created_at"`
	Organisations []MemberRecord       `db:"-" json:"organisations"` // by name
	Subscriptions []SubscriptionRecord `db:"-" json:"subscriptions"` // by list
	// Partly says that it is on other lists, too, which whoever asked is not for: of these, and of what is not theirs to see, it holds nothing.
	Partly bool `db:"-" json:"-"`
}

// MemberRecord is an organisation that a contact belongs to.
type MemberRecord struct {
	ContactID int64  `db:"contact_id" json:"-"`
	ID        int64  `db:"id" json:"-"`
	Name      string `db:"name" json:"name"`
	Country   string `db:"country" json:"country"`
}

// SubscriptionRecord is a contact's subscription to a list.
type SubscriptionRecord struct {
	ContactID   int64          `db:"contact_id" json:"-"`
	ID          int64          `db:"id" json:"id"`
	ListID      int64          `db:"list_id" json:"-"`
	List        string         `db:"list" json:"list"` // slug
	State       State          `db:"state" json:"state"`
	Rhythm      string         `db:"rhythm" json:"rhythm"`
	Topics      pq.StringArray `db:"topics" json:"topics"`
	PausedUntil *time.Time     `db:"paused_until" json:"paused_until"`
	CreatedAt   time.Time      `db:"created_at" json:"created_at"`
}

const recordColumns = `c.id, c.email, c.name, c.languages, c.time_zone, coalesce(to_char(c.delivery_hour, 'HH24:MI'), '') AS delivery_hour,
       c.attributes, c.created_at`

// recordPage is how many contacts are read at once.
const recordPage = 5000

// recordsAfter returns the next contacts, on a list or with 0 on any, with what they subscribed to there, by id.
func recordsAfter(ctx context.Context, h database.Handle, list, after int64) (page []ContactRecord, err error) {
	query := `SELECT ` + recordColumns + ` FROM subscribers.contacts c WHERE c.id > $1 AND c.erased_at IS NULL ORDER BY c.id LIMIT $2`
	args := []any{after, recordPage}
	if list != 0 {
		query = `SELECT ` + recordColumns + ` FROM subscribers.subscriptions s JOIN subscribers.contacts c ON c.id = s.contact_id
			WHERE s.list_id = $3 AND s.contact_id > $1 AND c.erased_at IS NULL ORDER BY s.contact_id LIMIT $2`
		args = append(args, list)
	}
	if err := h.SelectContext(ctx, &page, query, args...); err != nil {
		return nil, err
	}
	return page, complete(ctx, h, page, list)
}

// complete adds to contacts, who are in the order of their ids, what they belong to and subscribed to.
func complete(ctx context.Context, h database.Handle, page []ContactRecord, list int64) error {
	ids, place := make([]int64, len(page)), make(map[int64]*ContactRecord, len(page))
	for i := range page {
		page[i].Organisations, page[i].Subscriptions = []MemberRecord{}, []SubscriptionRecord{}
		ids[i], place[page[i].ID] = page[i].ID, &page[i]
	}
	var members []MemberRecord
	if err := h.SelectContext(ctx, &members, `
		SELECT m.contact_id, o.id, o.name, o.country
		FROM subscribers.memberships m JOIN subscribers.organisations o ON o.id = m.organisation_id
		WHERE m.contact_id = ANY ($1) ORDER BY o.name_key`, pq.Array(ids)); err != nil {
		return err
	}
	for _, m := range members {
		c := place[m.ContactID]
		c.Organisations = append(c.Organisations, m)
	}
	var subscriptions []SubscriptionRecord
	if err := h.SelectContext(ctx, &subscriptions, `
		SELECT s.contact_id, s.id, s.list_id, l.slug AS list, s.state, s.rhythm, s.topics, s.paused_until, s.created_at
		FROM subscribers.subscriptions s JOIN subscribers.lists l ON l.id = s.list_id
		WHERE s.contact_id = ANY ($1) AND ($2 = 0 OR s.list_id = $2) ORDER BY l.slug`, pq.Array(ids), list); err != nil {
		return err
	}
	for _, s := range subscriptions {
		c := place[s.ContactID]
		c.Subscriptions = append(c.Subscriptions, s)
	}
	return nil
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

// RecordOf returns what is held of a contact: all of it, or with lists what who is confined to them may see, which of suppressions is that there is one, and
// of which kind. There being none, or none of these lists, or it being erased, is errs.NotFound. Give it a handle whose statements all see the same moment.
func RecordOf(ctx context.Context, h database.Handle, contact int64, lists []int64) (r Record, err error) {
	r = Record{Consents: []ConsentRecord{}, Suppressions: []SuppressionRecord{}}
	if r.ContactRecord, err = ContactRecordOf(ctx, h, contact, lists); err != nil {
		return r, err
	}
	defer errs.Wrap(&err, "read what is held of contact %d", contact)
	if err := h.SelectContext(ctx, &r.Consents, selectConsents+` WHERE s.contact_id = $1 AND ($2::bigint[] IS NULL OR s.list_id = ANY ($2)) ORDER BY g.id`,
		contact, listsOrNull(lists)); err != nil {
		return r, err
	}
	err = h.SelectContext(ctx, &r.Suppressions, selectSuppressions+`
		JOIN subscribers.contacts c ON c.email_key = x.address_key OR c.domain_key = x.domain_key
		WHERE c.id = $1 AND ($2 OR x.lifted_at IS NULL) ORDER BY x.id`, contact, lists == nil)
	if lists != nil {
		for i, x := range r.Suppressions {
			r.Suppressions[i] = SuppressionRecord{Address: x.Address, Reason: x.Reason}
		}
	}
	return r, err
}
