package subscribers

import (
	"context"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// OrganisationFilter narrows a list of organisations. What is empty does not.
type OrganisationFilter struct {
	Text      string // in the name
	Country   string
	Unreached bool    // only those of which nobody can be reached
	Within    []int64 // ids of the only lists that count, by whom they know, and organisations without any are left out; nil: all
}

// ListedOrganisation is an organisation in a list of many. Numbers stop at CountedPeople: there may be more.
type ListedOrganisation struct {
	Organisation
	NameKey  string `db:"name_key"` // what the next part begins after
	Contacts int    `db:"contacts"`
	Reached  int    `db:"reached"`
	// Of those who are not reached: what keeps mail from them.
	Suppressed   int `db:"suppressed"`
	Unsubscribed int `db:"unsubscribed"` // from all lists
	Pending      int `db:"pending"`      // have not confirmed, or gave no consent
	OnNoList     int `db:"on_no_list"`
}

// CountedPeople is how many people of an organisation are counted in a list of organisations.
const CountedPeople = 1000

// manyOrganisations is how many are looked through for one part of the list.
const manyOrganisations = 2000

// What is asked of one contact m of an organisation: whether it is on any of the lists, and how.
var standingOfMember = `
	SELECT m.contact_id, barred.there AS barred, coalesce(s.active, false) AS active, coalesce(s.pending, false) AS pending, s.active IS NULL AS on_no_list
	FROM (SELECT m.contact_id FROM subscribers.memberships m
		WHERE m.organisation_id = o.id AND ` + known("m.contact_id", "$1") + `
		LIMIT $2) m
	JOIN subscribers.contacts c ON c.id = m.contact_id
	LEFT JOIN LATERAL (
		SELECT bool_or(s.state IN ('active', 'paused')) AS active, bool_or(s.state = 'pending') AS pending
		FROM subscribers.subscriptions s WHERE s.contact_id = c.id AND ($1::bigint[] IS NULL OR s.list_id = ANY ($1))
	) s ON true
	CROSS JOIN LATERAL (
		SELECT EXISTS (SELECT FROM subscribers.suppressions x WHERE x.lifted_at IS NULL AND x.address_key = c.email_key)
		    OR EXISTS (SELECT FROM subscribers.suppressions x WHERE x.lifted_at IS NULL AND x.domain_key = c.domain_key) AS there
	) barred`

var findOrganisations = `
SELECT ` + organisationColumns + `, o.name_key, whole.*
FROM (
	SELECT * FROM subscribers.organisations o
	WHERE o.name_key COLLATE "C" > $3 AND ($4 = '' OR strpos(o.name_key, $4) > 0) AND ($5 = '' OR o.country = $5)
	ORDER BY o.name_key COLLATE "C" LIMIT $6
) o
CROSS JOIN LATERAL (
	SELECT count(*) AS contacts, count(*) FILTER (WHERE p.active AND NOT p.barred) AS reached, count(*) FILTER (WHERE p.barred) AS suppressed,
	       count(*) FILTER (WHERE NOT p.barred AND NOT p.active AND NOT p.pending AND NOT p.on_no_list) AS unsubscribed,
	       count(*) FILTER (WHERE NOT p.barred AND NOT p.active AND p.pending) AS pending, count(*) FILTER (WHERE NOT p.barred AND p.on_no_list) AS on_no_list
	FROM (` + standingOfMember + `) p
) whole
WHERE ($1::bigint[] IS NULL OR whole.contacts > 0) AND NOT ($7 AND whole.reached > 0)
ORDER BY o.name_key COLLATE "C" LIMIT $8`

// FindOrganisations returns up to limit organisations that a filter leaves, by name, after the one whose NameKey is given, "" for the first part.
// next is where the next part begins, "" when this is the last; as with FindContacts there can be fewer than limit and yet a next part.
func FindOrganisations(ctx context.Context, h database.Handle, f OrganisationFilter, after string, limit int) (all []ListedOrganisation, next string, err error) {
	defer errs.Wrap(&err, "find organisations")
	text := tidy(f.Text)
	if err := checkText(text+after, 2*maxName); err != nil {
		return nil, "", errs.New(errs.Invalid, "the text to look for: %w", err)
	}
	if f.Country != "" {
		if f.Country, err = parseCountry(f.Country); err != nil {
			return nil, "", errs.New(errs.Invalid, "country: %w", err)
		}
	}
	within := pq.Array(f.Within)
	err = h.SelectContext(ctx, &all, findOrganisations, within, CountedPeople, after, organisationKey(text), f.Country, manyOrganisations, f.Unreached, limit+1)
	if err != nil {
		return nil, "", err
	}
	if len(all) > limit {
		all = all[:limit]
		return all, all[limit-1].NameKey, nil
	}
	err = h.GetContext(ctx, &next, `
		SELECT CASE WHEN count(*) < $4 THEN '' ELSE max(name_key) END FROM (
			SELECT o.name_key COLLATE "C" AS name_key FROM subscribers.organisations o
			WHERE o.name_key COLLATE "C" > $1 AND ($2 = '' OR strpos(o.name_key, $2) > 0) AND ($3 = '' OR o.country = $3)
			ORDER BY o.name_key COLLATE "C" LIMIT $4) seen`, after, organisationKey(text), f.Country, manyOrganisations)
	return all, next, err
}

// OrganisationMember is a contact of an organisation with what it receives.
type OrganisationMember = ListedContact

// OrganisationMembers returns up to limit contacts of an organisation, the newest first, after the one that is given, 0 for the first part; within are
// as in ContactFilter. next is 0 when these are the last.
func OrganisationMembers(ctx context.Context, h database.Handle, organisation int64, within []int64, after int64, limit int) (all []OrganisationMember, next int64, err error) {
	defer errs.Wrap(&err, "read who belongs to organisation %d", organisation)
	var ids []int64
	err = h.SelectContext(ctx, &ids, `
		SELECT m.contact_id FROM subscribers.memberships m
		WHERE m.organisation_id = $1 AND ($2 = 0 OR m.contact_id < $2) AND `+known("m.contact_id", "$3")+`
		ORDER BY m.contact_id DESC LIMIT $4`, organisation, after, pq.Array(within), limit+1)
	if err != nil {
		return nil, 0, err
	}
	if len(ids) > limit {
		ids = ids[:limit]
		next = ids[limit-1]
	}
	all, err = listed(ctx, h, ids, within)
	return all, next, err
}

// StandingOf returns an organisation with its numbers, as FindOrganisations does, or errs.NotFound: also when none of its people is on the lists
// that within names.
func StandingOf(ctx context.Context, h database.Handle, organisation int64, within []int64) (o ListedOrganisation, err error) {
	if o.Organisation, err = OrganisationByID(ctx, h, organisation); err != nil {
		return o, err
	}
	key := organisationKey(o.Name)
	defer errs.Wrap(&err, "read what reaches organisation %d", organisation)
	var found []ListedOrganisation
	err = h.SelectContext(ctx, &found, `
		SELECT `+organisationColumns+`, o.name_key, whole.*
		FROM subscribers.organisations o
		CROSS JOIN LATERAL (
			SELECT count(*) AS contacts, count(*) FILTER (WHERE p.active AND NOT p.barred) AS reached, count(*) FILTER (WHERE p.barred) AS suppressed,
			       count(*) FILTER (WHERE NOT p.barred AND NOT p.active AND NOT p.pending AND NOT p.on_no_list) AS unsubscribed,
			       count(*) FILTER (WHERE NOT p.barred AND NOT p.active AND p.pending) AS pending, count(*) FILTER (WHERE NOT p.barred AND p.on_no_list) AS on_no_list
			FROM (`+standingOfMember+`) p
		) whole
		WHERE o.name_key = $3`, pq.Array(within), CountedPeople, key)
	if err == nil && (len(found) == 0 || within != nil && found[0].Contacts == 0) {
		return o, errs.New(errs.NotFound, "no organisation %d", organisation)
	}
	if err == nil {
		o = found[0]
	}
	return o, err
}

// LastSentTo returns when a message to anybody of an organisation was last accepted, nil when none was; within are the ids of the only lists that count,
// nil: all. It asks about no more than CountedPeople.
func LastSentTo(ctx context.Context, h database.Handle, organisation int64, within []int64) (at *time.Time, err error) {
	err = h.GetContext(ctx, &at, `
		SELECT max(r.sent_at)
		FROM (SELECT m.contact_id FROM subscribers.memberships m WHERE m.organisation_id = $1 AND `+known("m.contact_id", "$2")+` LIMIT $3) m
		JOIN subscribers.subscriptions s ON s.contact_id = m.contact_id AND ($2::bigint[] IS NULL OR s.list_id = ANY ($2))
		JOIN mailer.last_sent r ON r.subscription_id = s.id`, organisation, pq.Array(within), CountedPeople)
	errs.Wrap(&err, "read when organisation %d was last sent anything", organisation)
	return at, err
}
