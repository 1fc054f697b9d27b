package subscribers

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

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
	want.ID = id
	return ChangeOrganisation(ctx, tx, want)
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
