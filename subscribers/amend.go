package subscribers

import (
	"context"
	"fmt"
	"time"

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
