package subscribers

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Reach says of an organisation as a whole whether anything reaches it. Reached is a contact who can be mailed now, or could but for a pause:
// one with a subscription that is active or paused and an address that is not suppressed.
type Reach struct {
	Organisation
	Contacts int        `db:"contacts" json:"contacts"`
	Reached  int        `db:"reached" json:"reached"`     // of the contacts; 0: nobody is left who can be reached
	LastSent *time.Time `db:"last_sent" json:"last_sent"` // when a message to any of them was last accepted; nil: none was
}

// ReachedContact is a contact of an organisation with what it receives.
type ReachedContact struct {
	ID            int64               `json:"id"`
	Email         string              `json:"email"`
	Name          string              `json:"name"`
	Reached       bool                `json:"reached"`
	Suppressed    []Reason            `json:"suppressed"`    // why its address must not be mailed
	LastSent      *time.Time          `json:"last_sent"`     // null: never
	Subscriptions []SubscriptionReach `json:"subscriptions"` // by list
}

// SubscriptionReach is what a contact receives of a list.
type SubscriptionReach struct {
	List        string     `json:"list"` // slug
	State       State      `json:"state"`
	Rhythm      string     `json:"rhythm"`
	PausedUntil *time.Time `json:"paused_until"`
	LastSent    *time.Time `json:"last_sent"`
}

// suppressedNow finds the suppressions in force of a contact c.
const suppressedNow = `
    SELECT x.reason FROM subscribers.suppressions x WHERE x.lifted_at IS NULL AND x.address_key = c.email_key
    UNION SELECT x.reason FROM subscribers.suppressions x WHERE x.lifted_at IS NULL AND x.domain_key = c.domain_key`

// One statement for the whole organisation: who belongs to it, what each receives, when it was last sent anything, and what that comes to.
const organisationReach = `
SELECT ` + organisationColumns + `, whole.contacts, whole.reached, whole.last_sent, whole.people
FROM subscribers.organisations o
CROSS JOIN LATERAL (
    SELECT count(*) AS contacts, count(*) FILTER (WHERE p.reached) AS reached, max(p.last_sent) AS last_sent,
           coalesce(json_agg(p ORDER BY p.email), '[]') AS people
    FROM (
        SELECT c.id, c.email, c.name, coalesce(s.subscribed, false) AND cardinality(w.reasons) = 0 AS reached, w.reasons AS suppressed,
               s.last_sent, coalesce(s.subscriptions, '[]') AS subscriptions
        FROM subscribers.memberships m
        JOIN subscribers.contacts c ON c.id = m.contact_id
        CROSS JOIN LATERAL (SELECT ARRAY(` + suppressedNow + ` ORDER BY 1) AS reasons) w
        LEFT JOIN LATERAL (
            SELECT bool_or(s.state IN ('active', 'paused')) AS subscribed, max(r.sent_at) AS last_sent,
                   json_agg(json_build_object('list', l.slug, 'state', s.state, 'rhythm', s.rhythm, 'paused_until', s.paused_until,
                                              'last_sent', r.sent_at) ORDER BY l.slug) AS subscriptions
            FROM subscribers.subscriptions s
            JOIN subscribers.lists l ON l.id = s.list_id
            LEFT JOIN mailer.last_sent r ON r.subscription_id = s.id
            WHERE s.contact_id = c.id
        ) s ON true
        WHERE m.organisation_id = o.id
    ) p
) whole
WHERE o.name_key = $1`

// OrganisationReach returns the organisation of a name with everybody who belongs to it, by address, or errs.NotFound.
func OrganisationReach(ctx context.Context, h database.Handle, name string) (r Reach, people []ReachedContact, err error) {
	if !askable(name) {
		return r, nil, noOrganisation(name)
	}
	var row struct {
		Reach
		People jsonList[ReachedContact] `db:"people"`
	}
	err = h.GetContext(ctx, &row, organisationReach, organisationKey(name))
	if errors.Is(err, sql.ErrNoRows) {
		return r, nil, noOrganisation(name)
	}
	errs.Wrap(&err, "read what reaches the organisation %q", name)
	return row.Reach, row.People, err
}

// OrganisationsReached returns every organisation with what reaches it, by name.
func OrganisationsReached(ctx context.Context, h database.Handle) (all []Reach, err error) {
	defer errs.Wrap(&err, "read what reaches the organisations")
	err = h.SelectContext(ctx, &all, `
		WITH barred AS (
			SELECT c.id FROM subscribers.suppressions x JOIN subscribers.contacts c ON c.email_key = x.address_key WHERE x.lifted_at IS NULL
			UNION SELECT c.id FROM subscribers.suppressions x JOIN subscribers.contacts c ON c.domain_key = x.domain_key WHERE x.lifted_at IS NULL
		), person AS (
			SELECT s.contact_id, bool_or(s.state IN ('active', 'paused')) AND NOT EXISTS (SELECT FROM barred b WHERE b.id = s.contact_id) AS reached,
			       max(r.sent_at) AS last_sent
			FROM subscribers.subscriptions s LEFT JOIN mailer.last_sent r ON r.subscription_id = s.id
			GROUP BY s.contact_id
		)
		SELECT `+organisationColumns+`, coalesce(whole.contacts, 0) AS contacts, coalesce(whole.reached, 0) AS reached, whole.last_sent
		FROM subscribers.organisations o
		LEFT JOIN (
			SELECT m.organisation_id AS id, count(*) AS contacts, count(*) FILTER (WHERE p.reached) AS reached, max(p.last_sent) AS last_sent
			FROM subscribers.memberships m LEFT JOIN person p USING (contact_id)
			GROUP BY m.organisation_id
		) whole USING (id)
		ORDER BY o.name_key COLLATE "C"`)
	return all, err
}

// someoneReached finds one person of the organisation o who can be reached.
const someoneReached = `(
		SELECT true AS found
		FROM subscribers.memberships m
		JOIN subscribers.contacts c ON c.id = m.contact_id
		JOIN subscribers.subscriptions s ON s.contact_id = c.id AND s.state IN ('active', 'paused')
		WHERE m.organisation_id = o.id
		  AND NOT EXISTS (SELECT FROM subscribers.suppressions x WHERE x.lifted_at IS NULL AND x.address_key = c.email_key)
		  AND NOT EXISTS (SELECT FROM subscribers.suppressions x WHERE x.lifted_at IS NULL AND x.domain_key = c.domain_key)
		LIMIT 1
	)`

// Unreachable returns the names of the organisations of which nobody can be reached, in order. Each is looked at only until somebody is found, so
// it may be asked often.
func Unreachable(ctx context.Context, h database.Handle) (names []string, err error) {
	defer errs.Wrap(&err, "read whom nothing reaches")
	names = []string{}
	err = h.SelectContext(ctx, &names, `
		SELECT o.name
		FROM subscribers.organisations o
		LEFT JOIN LATERAL `+someoneReached+` someone ON true
		WHERE someone.found IS NULL
		ORDER BY o.name_key COLLATE "C"`)
	return names, err
}

// jsonList is a column of JSON that is read into a list. It is never null in JSON.
type jsonList[E any] []E

// Scan reads the column.
func (l *jsonList[E]) Scan(src any) error {
	data, ok := src.([]byte)
	if !ok {
		return errs.New(errs.Internal, "a column of JSON is read as %T", src)
	}
	*l = nil // what was there must not shine through
	return json.Unmarshal(data, (*[]E)(l))
}
