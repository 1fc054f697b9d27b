package subscribers

import (
	"context"
	"slices"

	"github.com/lib/pq"

	"silkpost/internal/database"
)

// Who is confined to some lists sees who is on them, by their addresses, and what is of these lists. What else is known of a person is theirs to see when
// one of the lists knows that person: it had them before any list that is not theirs, or they have said themselves that they want it. So putting somebody
// on a list tells nothing of them.

// known says in SQL that one of some lists knows a contact; NULL is every list, and knows everybody.
func known(contact, lists string) string {
	return `(` + lists + `::bigint[] IS NULL OR EXISTS (
		SELECT FROM subscribers.subscriptions k WHERE k.contact_id = ` + contact + ` AND k.list_id = ANY (` + lists + `) AND (
			NOT EXISTS (SELECT FROM subscribers.subscriptions o WHERE o.contact_id = k.contact_id AND o.id < k.id AND o.list_id <> ALL (` + lists + `))
			OR EXISTS (SELECT FROM subscribers.consents g WHERE g.subscription_id = k.id AND g.method IN ('page', 'confirmation') AND g.actor = '' AND g.state <> 'unsubscribed'))))`
}

// alone says in SQL that a contact is on no other list than some; NULL is every list.
func alone(contact, lists string) string {
	return `(` + lists + `::bigint[] IS NULL OR NOT EXISTS (
		SELECT FROM subscribers.subscriptions o WHERE o.contact_id = ` + contact + ` AND o.list_id <> ALL (` + lists + `)))`
}

// keepTo leaves of contacts what who is confined to some lists may see; nil is every list.
func keepTo(ctx context.Context, h database.Handle, all []ContactRecord, lists []int64) error {
	if lists == nil || len(all) == 0 {
		return nil
	}
	ids := make([]int64, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	var found []struct {
		ID           int64
		Known, Alone bool
	}
	if err := h.SelectContext(ctx, &found, `
		SELECT c.id, `+known("c.id", "$2")+` AS known, `+alone("c.id", "$2")+` AS alone FROM subscribers.contacts c WHERE c.id = ANY ($1)`,
		pq.Array(ids), pq.Array(lists)); err != nil {
		return err
	}
	for _, f := range found {
		all[slices.Index(ids, f.ID)].keepTo(lists, f.Known, f.Alone)
	}
	return nil
}

func (c *ContactRecord) keepTo(lists []int64, known, alone bool) {
	c.Subscriptions = slices.DeleteFunc(c.Subscriptions, func(s SubscriptionRecord) bool { return !slices.Contains(lists, s.ListID) })
	if c.Partly = !alone; !c.Partly {
		return
	}
	c.TimeZone, c.DeliveryHour, c.Attributes = "", "", database.StringMap{}
	for i, s := range c.Subscriptions {
		if i == 0 || s.CreatedAt.Before(c.CreatedAt) {
			c.CreatedAt = s.CreatedAt
		}
	}
	if !known {
		c.Name, c.Languages, c.Organisations = "", pq.StringArray{}, []MemberRecord{}
	}
}
