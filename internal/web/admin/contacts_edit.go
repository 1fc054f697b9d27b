package admin

import (
	"maps"
	"slices"
	"strings"

	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

func (s *site) editContact(v *visit) (adminpage.Page, error) {
	contact, err := s.contactInAddress(v)
	if err != nil {
		return nil, err
	}
	var houses, attributes []string
	for _, o := range contact.Organisations {
		houses = append(houses, o.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(contact.Attributes)) {
		attributes = append(attributes, name+": "+contact.Attributes[name])
	}
	return contactEdit(&contact, adminpage.Fields{
		"name": {contact.Name}, "organisations": {strings.Join(houses, "\n")}, "languages": {strings.Join(contact.Languages, "; ")},
		"time_zone": {contact.TimeZone}, "delivery_hour": {contact.DeliveryHour}, "attributes": {strings.Join(attributes, "\n")},
	}, nil), nil
}

// contactInAddress returns the contact whose id stands in the address, unless it was erased.
func (s *site) contactInAddress(v *visit) (c subscribers.Contact, err error) {
	id, err := v.id()
	if err != nil {
		return c, err
	}
	c, err = subscribers.ContactByID(v.Context(), s.App.DB, id)
	if err == nil && c.ErasedAt != nil {
		err = errs.New(errs.NotFound, "contact %d was erased", id)
	}
	return c, err
}

func contactEdit(c *subscribers.Contact, fields adminpage.Fields, mistakes adminpage.Mistakes) adminpage.ContactEdit {
	return adminpage.ContactEdit{
		ID: c.ID, Email: c.Email, Fields: fields, Mistakes: mistakes, Zones: zoneOptions(fields.Get("time_zone")),
	}
}

func (s *site) changeContact(v *visit) (adminpage.Page, error) {
	contact, err := s.contactInAddress(v)
	if err != nil {
		return nil, err
	}
	f := v.fields()
	attributes := map[string]string{}
	for _, line := range entered(f.Get("attributes"), "\n") {
		name, value, _ := strings.Cut(line, ":")
		attributes[name] = value
	}
	err = s.App.ChangeContact(v.Context(), contact.ID,
		subscribers.ContactFacts{Name: f.Get("name"), Attributes: attributes, Organisations: entered(f.Get("organisations"), "\n")},
		subscribers.Preferences{Languages: entered(f.Get("languages"), ";,"), TimeZone: f.Get("time_zone"), DeliveryHour: strings.TrimSpace(f.Get("delivery_hour"))})
	if errs.KindOf(err) == errs.Invalid && err != nil {
		return v.again(contactEdit(&contact, f, adminpage.Mistakes{"": err.Error()}))
	}
	if err != nil {
		return nil, err
	}
	return v.leave(contactPath(contact.ID), "saved")
}

// entered returns the values that somebody put into one field, parted by any of some signs.
func entered(text, signs string) (values []string) {
	for _, value := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(signs, r) }) {
		if value = strings.TrimSpace(value); value != "" {
			values = append(values, value)
		}
	}
	return values
}

func (s *site) askNewAddress(v *visit) (adminpage.Page, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	if err := s.App.AskNewAddress(v.Context(), id, v.PostFormValue("address")); err != nil {
		switch kind := errs.KindOf(err); {
		case kind == errs.Conflict && v.actor.Lists != nil: // that somebody has the address is not theirs to know
		case kind == errs.Invalid || kind == errs.Conflict || kind == errs.Unavailable:
			page, failed := s.editContact(v)
			if failed != nil {
				return nil, failed
			}
			edit := page.(adminpage.ContactEdit)
			edit.Mistakes = adminpage.Mistakes{"address": err.Error()}
			edit.Fields["address"] = []string{v.PostFormValue("address")}
			return v.again(edit)
		default:
			return nil, err
		}
	}
	return v.leave(contactPath(id), "contact_address_asked")
}

func (s *site) askErase(v *visit) (adminpage.Page, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	file, err := s.App.ContactFileOf(v.Context(), id, nil)
	if err != nil {
		return nil, err
	}
	return erasePage(file), nil
}

func erasePage(f app.ContactFile) adminpage.ContactErase {
	page := adminpage.ContactErase{
		ID: f.ID, Email: f.Email, Name: f.Name, Attributes: len(f.Attributes), Organisations: len(f.Organisations), Subscriptions: len(f.Subscriptions),
		Deliveries: len(f.Deliveries), Notices: len(f.Notices), Consents: len(f.Consents),
	}
	for _, x := range f.Suppressions {
		if strings.Contains(x.Address, "@") { // those of the domain are not the contact's
			page.Suppressions++
		}
	}
	for _, sub := range f.Subscriptions {
		if sub.State != subscribers.Unsubscribed {
			page.Consents++ // its end is a line of the log
		}
	}
	return page
}

func (s *site) eraseContact(v *visit) (adminpage.Page, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	erased, err := s.App.EraseContactOf(v.Context(), id, v.actor.Name)
	if err != nil {
		return nil, err
	}
	page := erasePage(erased.Before)
	page.Erased, page.Mentions = true, erased.Mentions
	return page, nil
}
