package subscribers

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// AmendOrganisation asks what is to become of an organisation as it stands, while nobody else can change it, and makes it so. A name that another one has is
// errs.Conflict.
func AmendOrganisation(ctx context.Context, tx *sqlx.Tx, id int64, ask func(there Organisation) (Organisation, error)) error {
	if _, err := tx.ExecContext(ctx, `SELECT FROM subscribers.organisations WHERE id = $1 FOR UPDATE`, id); err != nil {
		return err
	}
	there, err := OrganisationByID(ctx, tx, id)
	if err != nil {
		return err
	}
	want, err := ask(there)
	if err != nil {
		return err
	}
	s, err := want.canonical()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE subscribers.organisations
		SET (name_key, name, names, country, web_site, languages, kind, agreed_on, agreed_until, notes, tags)
		    = ($2, $3, $4, $5, $6, $7, $8, nullif($9, '')::date, nullif($10, '')::date, $11, $12)
		WHERE id = $1`,
		id, organisationKey(s.Name), s.Name, s.Names, s.Country, s.WebSite, s.Languages, s.Kind, s.AgreedOn, s.AgreedUntil, s.Notes, s.Tags)
	if database.SQLState(err) == uniqueViolation {
		return errs.New(errs.Conflict, "another organisation is called %q", s.Name)
	}
	return err
}

// MakeOrganisation adds an organisation and returns its id. A name that one has, however it is spaced and capitalised, is errs.Conflict.
func MakeOrganisation(ctx context.Context, h database.Handle, o Organisation, now time.Time) (id int64, err error) {
	if err = o.Validate(); err != nil {
		return 0, err
	}
	if _, err := OrganisationByName(ctx, h, o.Name); err == nil {
		return 0, errs.New(errs.Conflict, "there is an organisation %q already", o.Name)
	} else if errs.KindOf(err) != errs.NotFound {
		return 0, err
	}
	if _, err := DeclareOrganisation(ctx, h, o, now); err != nil {
		return 0, err
	}
	made, err := OrganisationByName(ctx, h, o.Name)
	return made.ID, err
}

// Amendment is what is to become of a contact; nil leaves a part as it is.
type Amendment struct {
	Name         *string
	Languages    *[]string
	TimeZone     *string
	DeliveryHour *string
	Attributes   map[string]*string // those that are named; nil takes one away
}

// AmendContact changes what is known of a contact, with the contact held. What is wrong with it is errs.Invalid, an erased contact errs.Gone.
func AmendContact(ctx context.Context, tx *sqlx.Tx, id int64, a Amendment) error {
	if _, err := Hold(ctx, tx, id); err != nil {
		return err
	}
	there, err := ContactByID(ctx, tx, id)
	if err != nil {
		return err
	}
	p := Preferences{Languages: there.Languages, TimeZone: there.TimeZone, DeliveryHour: there.DeliveryHour}
	if a.Languages != nil {
		p.Languages = *a.Languages
	}
	if a.TimeZone != nil {
		p.TimeZone = *a.TimeZone
	}
	if a.DeliveryHour != nil {
		p.DeliveryHour = *a.DeliveryHour
	}
	if a.Name != nil {
		there.Name = tidy(*a.Name)
		if err := CheckName(there.Name); err != nil {
			return amiss(id, "name", err)
		}
	}
	if there.Attributes, err = a.attributes(there); err != nil {
		return err
	}
	if err := checkPreferences(id, p); err != nil {
		return err
	}
	if err := SetPreferences(ctx, tx, id, p); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE subscribers.contacts SET name = $2, attributes = $3 WHERE id = $1`, id, there.Name, there.Attributes)
	return err
}

// maxAttributes is how many attributes a contact can have.
const maxAttributes = 100

func (a Amendment) attributes(there Contact) (database.StringMap, error) {
	all := database.StringMap{}
	for name, value := range there.Attributes {
		all[name] = value
	}
	for name, value := range a.Attributes {
		if value == nil {
			delete(all, name)
			continue
		}
		clean := tidy(*value)
		if tidy(name) != name || name == "" {
			return nil, amiss(there.ID, "attributes", errs.New(errs.Invalid, "%q is no name", name))
		}
		for _, text := range []string{name, clean} {
			if err := checkText(text, maxText); err != nil {
				return nil, amiss(there.ID, "attributes", err)
			}
		}
		all[name] = clean
	}
	if len(all) > maxAttributes {
		return nil, amiss(there.ID, "attributes", errs.New(errs.Invalid, "more than %d", maxAttributes))
	}
	return all, nil
}

// amiss says what is wrong with a field of a contact, as mistakes do.
func amiss(id int64, field string, err error) error {
	m := mistakes{of: fmt.Sprintf(`contact "%d"`, id)}
	m.check(err, "%s", field)
	return m.err()
}

func checkPreferences(id int64, p Preferences) error {
	m := mistakes{of: fmt.Sprintf(`contact "%d"`, id)}
	_, err := parseLanguages(p.Languages)
	m.check(err, "languages")
	if p.TimeZone != "" {
		m.check(checkTimeZone(p.TimeZone), "time_zone %q", p.TimeZone)
	}
	if p.DeliveryHour != "" {
		_, err := parseHour(p.DeliveryHour)
		m.check(err, "delivery_hour %q", p.DeliveryHour)
	}
	return m.err()
}

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

// OrganisationsAfter returns up to limit organisations by id, beginning after one. With lists only those that somebody on one of them belongs to.
func OrganisationsAfter(ctx context.Context, h database.Handle, lists []int64, after int64, limit int) (all []Organisation, err error) {
	err = h.SelectContext(ctx, &all, selectOrganisations+`
		WHERE o.id > $1 AND ($3::bigint[] IS NULL OR EXISTS (
			SELECT FROM subscribers.memberships m WHERE m.organisation_id = o.id AND `+within("m.contact_id", "$3")+`))
		ORDER BY o.id LIMIT $2`, after, limit, listsOrNull(lists))
	errs.Wrap(&err, "read organisations")
	return all, err
}

// IsWithin reports whether somebody on one of some lists belongs to an organisation; nil is every list.
func IsWithin(ctx context.Context, h database.Handle, organisation int64, lists []int64) (is bool, err error) {
	if lists == nil {
		return true, nil
	}
	err = h.GetContext(ctx, &is, `SELECT EXISTS (SELECT FROM subscribers.memberships m WHERE m.organisation_id = $1 AND `+within("m.contact_id", "$2")+`)`,
		organisation, listsOrNull(lists))
	return is, err
}

// ContactsAfter returns up to limit contacts by id, beginning after one, with where they belong and what they subscribed to: with lists only those on one
// of them, and of their subscriptions these alone. organisation 0 is any.
func ContactsAfter(ctx context.Context, h database.Handle, lists []int64, organisation, after int64, limit int) (all []ContactRecord, err error) {
	defer errs.Wrap(&err, "read contacts")
	if err := h.SelectContext(ctx, &all, `
		SELECT `+recordColumns+` FROM subscribers.contacts c
		WHERE c.id > $1 AND c.erased_at IS NULL AND `+within("c.id", "$3")+`
		  AND ($4 = 0 OR EXISTS (SELECT FROM subscribers.memberships m WHERE m.organisation_id = $4 AND m.contact_id = c.id))
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

// keepTo leaves out what is of other lists.
func keepTo(ctx context.Context, h database.Handle, all []ContactRecord, lists []int64) error {
	if lists == nil {
		return nil
	}
	var slugs []string
	if err := h.SelectContext(ctx, &slugs, `SELECT slug FROM subscribers.lists WHERE id = ANY ($1)`, pq.Array(lists)); err != nil {
		return err
	}
	mine := map[string]bool{}
	for _, slug := range slugs {
		mine[slug] = true
	}
	for i := range all {
		kept := []SubscriptionRecord{}
		for _, s := range all[i].Subscriptions {
			if mine[s.List] {
				kept = append(kept, s)
			}
		}
		all[i].Subscriptions = kept
	}
	return nil
}

// ListsOf returns the ids of the lists that a contact has a subscription of, whatever its state; none for a contact who is on none, or is not there.
func ListsOf(ctx context.Context, h database.Handle, contact int64) (lists []int64, err error) {
	err = h.SelectContext(ctx, &lists, `SELECT list_id FROM subscribers.subscriptions WHERE contact_id = $1 ORDER BY list_id`, contact)
	return lists, err
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
SELECT s.contact_id, s.id, l.slug AS list, s.state, s.rhythm, s.topics, s.paused_until, s.created_at
FROM subscribers.subscriptions s JOIN subscribers.lists l ON l.id = s.list_id`
