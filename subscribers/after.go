package subscribers

import (
	"context"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// within says in SQL that a contact is on one of some lists; NULL is any contact.
func within(contact, lists string) string {
	return `(` + lists + `::bigint[] IS NULL OR EXISTS (
		SELECT FROM subscribers.subscriptions w WHERE w.contact_id = ` + contact + ` AND w.list_id = ANY (` + lists + `)))`
}

// listsOrNull is a parameter for within; nil is every list.
func listsOrNull(lists []int64) any {
	if lists == nil {
		return nil
	}
	return pq.Array(lists)
}

// OrganisationsAfter returns up to limit organisations by id, beginning after one. With lists only those of somebody whom one of them knows.
func OrganisationsAfter(ctx context.Context, h database.Handle, lists []int64, after int64, limit int) (all []Organisation, err error) {
	err = h.SelectContext(ctx, &all, selectOrganisations+`
		WHERE o.id > $1 AND ($3::bigint[] IS NULL OR EXISTS (
			SELECT FROM subscribers.memberships m WHERE m.organisation_id = o.id AND `+known("m.contact_id", "$3")+`))
		ORDER BY o.id LIMIT $2`, after, limit, listsOrNull(lists))
	errs.Wrap(&err, "read organisations")
	return all, err
}

// IsWithin reports whether somebody whom one of some lists knows belongs to an organisation; nil is every list.
func IsWithin(ctx context.Context, h database.Handle, organisation int64, lists []int64) (is bool, err error) {
	if lists == nil {
		return true, nil
	}
	err = h.GetContext(ctx, &is, `SELECT EXISTS (SELECT FROM subscribers.memberships m WHERE m.organisation_id = $1 AND `+known("m.contact_id", "$2")+`)`,
		organisation, listsOrNull(lists))
	return is, err
}

// ContactsAfter returns up to limit contacts by id, beginning after one, with where they belong and what they subscribed to: with lists only those on one
// of them, and of these what who is confined to them may see. organisation 0 is any.
func ContactsAfter(ctx context.Context, h database.Handle, lists []int64, organisation, after int64, limit int) (all []ContactRecord, err error) {
	defer errs.Wrap(&err, "read contacts")
	if err := h.SelectContext(ctx, &all, `
		SELECT `+recordColumns+` FROM subscribers.contacts c
		WHERE c.id > $1 AND c.erased_at IS NULL AND `+within("c.id", "$3")+`
		  AND ($4 = 0 OR EXISTS (SELECT FROM subscribers.memberships m WHERE m.organisation_id = $4 AND m.contact_id = c.id) AND `+known("c.id", "$3")+`)
		ORDER BY c.id LIMIT $2`, after, limit, listsOrNull(lists), organisation); err != nil {
		return nil, err
	}
	if err := complete(ctx, h, all, 0); err != nil {
		return nil, err
	}
	return all, keepTo(ctx, h, all, lists)
}

// ContactRecordOf returns a contact as ContactsAfter does, or errs.NotFound when there is none, it was erased or is on none of the lists.
func ContactRecordOf(ctx context.Context, h database.Handle, id int64, lists []int64) (ContactRecord, error) {
	all, err := ContactsAfter(ctx, h, lists, 0, id-1, 1)
	if err == nil && (len(all) == 0 || all[0].ID != id) {
		err = errs.New(errs.NotFound, "no contact %d", id)
	}
	if err != nil {
		return ContactRecord{}, err
	}
	return all[0], nil
}

// SubscriptionsAfter returns up to limit subscriptions by id, beginning after one: of a list, 0 for any, among lists, nil for all, and in a state, "" for any.
func SubscriptionsAfter(ctx context.Context, h database.Handle, lists []int64, list int64, state State, after int64, limit int) (all []SubscriptionRecord, err error) {
	err = h.SelectContext(ctx, &all, selectSubscriptionRecords+`
		WHERE s.id > $1 AND ($3::bigint[] IS NULL OR s.list_id = ANY ($3)) AND ($4 = 0 OR s.list_id = $4) AND ($5 = '' OR s.state = $5)
		ORDER BY s.id LIMIT $2`, after, limit, listsOrNull(lists), list, state)
	errs.Wrap(&err, "read subscriptions")
	return all, err
}

// SubscriptionRecordOf returns a subscription, or errs.NotFound.
func SubscriptionRecordOf(ctx context.Context, h database.Handle, id int64) (SubscriptionRecord, error) {
	all, err := SubscriptionsAfter(ctx, h, nil, 0, "", id-1, 1)
	if err == nil && (len(all) == 0 || all[0].ID != id) {
		err = noSubscription(id)
	}
	if err != nil {
		return SubscriptionRecord{}, err
	}
	return all[0], nil
}

const selectSubscriptionRecords = `
SELECT s.contact_id, s.id, s.list_id, l.slug AS list, s.state, s.rhythm, s.topics, s.paused_until, s.created_at
FROM subscribers.subscriptions s JOIN subscribers.lists l ON l.id = s.list_id`

// ContactIDByKey returns the id of the contact of an address, 0 when nobody has it.
func ContactIDByKey(ctx context.Context, h database.Handle, a Address) (id int64, err error) {
	err = h.GetContext(ctx, &id, `SELECT coalesce((SELECT id FROM subscribers.contacts WHERE email_key = $1), 0)`, a.Key)
	return id, err
}
