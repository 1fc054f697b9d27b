package admin

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

func (s *site) contactsRoutes() []route {
	whole, one := s.contactLists, s.listIn("list")
	return []route{
		{pattern: "GET /admin/contacts", needs: accounts.ReadPeople, do: s.contacts},
		{pattern: "GET /admin/contacts/new", needs: accounts.People, do: s.newContact},
		{pattern: "POST /admin/contacts/new", needs: accounts.People, do: s.addContact},
		{pattern: "GET /admin/contacts/export.csv", needs: accounts.People, whole: true, do: s.export(app.ExportContacts)},
		{pattern: "GET /admin/contacts/suppressions", needs: accounts.ReadPeople, whole: true, do: s.suppressions},
		{pattern: "POST /admin/contacts/suppressions", needs: accounts.People, whole: true, do: s.suppress},
		{pattern: "POST /admin/contacts/suppressions/lift", needs: accounts.People, whole: true, do: s.liftSuppression},
		{pattern: "GET /admin/contacts/suppressions/export.csv", needs: accounts.People, whole: true, do: s.export(app.ExportSuppressions)},
		{pattern: "GET /admin/contacts/{id}", needs: accounts.ReadPeople, do: s.contact},
		{pattern: "GET /admin/contacts/{id}/edit", needs: accounts.People, of: whole, do: s.editContact},
		{pattern: "POST /admin/contacts/{id}/edit", needs: accounts.People, of: whole, do: s.changeContact, form: []string{"name", "organisations", "languages", "time_zone", "delivery_hour", "attributes"}},
		{pattern: "POST /admin/contacts/{id}/address", needs: accounts.People, of: whole, do: s.askNewAddress},
		{pattern: "GET /admin/contacts/{id}/export.json", needs: accounts.People, of: whole, do: s.exportContact},
		{pattern: "GET /admin/contacts/{id}/erase", needs: accounts.Administer, of: whole, do: s.askErase, proved: true},
		{pattern: "POST /admin/contacts/{id}/erase", needs: accounts.Administer, of: whole, do: s.eraseContact, proved: true},
		{pattern: "POST /admin/contacts/{id}/subscribe", needs: accounts.People, do: s.subscribeContact},
		{pattern: "POST /admin/contacts/{id}/suppress", needs: accounts.People, of: whole, do: s.suppressContact},
		{pattern: "POST /admin/contacts/{id}/editions/{edition}/resend", needs: accounts.Send, of: s.editionList, do: s.resendEdition},
		{pattern: "POST /admin/contacts/{id}/{list}/unsubscribe", needs: accounts.People, of: one, do: s.unsubscribeContact},
		{pattern: "POST /admin/contacts/{id}/{list}/pause", needs: accounts.People, of: one, do: s.pauseContact, form: []string{"days"}},
		{pattern: "POST /admin/contacts/{id}/{list}/resume", needs: accounts.People, of: one, do: s.resumeContact},
		{pattern: "POST /admin/contacts/{id}/{list}/delivery", needs: accounts.People, of: one, do: s.changeDelivery, form: []string{"rhythm", "topics"}},
		{pattern: "POST /admin/contacts/{id}/{list}/ask", needs: accounts.People, of: one, do: s.askToConfirm},
	}
}

// contactLists returns the lists of the contact whose id stands in the address: what concerns all of them is for whom all of them are.
func (s *site) contactLists(ctx context.Context, v *visit) ([]int64, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	return subscribers.ListsOf(ctx, s.App.DB, id)
}

// id returns the number that stands in the address as {id}.
func (v *visit) id() (int64, error) {
	id, err := strconv.ParseInt(v.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, errs.New(errs.NotFound, "%.20q is no number of anything", v.PathValue("id"))
	}
	return id, nil
}

// number returns a number of the address's query, 0 when there is none.
func (v *visit) number(name string) int64 {
	n, err := strconv.ParseInt(v.query(name), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// peoplePage is how many people a page shows.
const peoplePage = 50

// onward returns the way through a table: from here to the part that begins after what next says, "" when this is the last.
func (v *visit) onward(next string) (p adminpage.Pager) {
	to := func(after string) string {
		query := v.URL.Query()
		query.Del("after")
		query.Del("done")
		if after != "" {
			query.Set("after", after)
		}
		return (&url.URL{Path: v.URL.Path, RawQuery: query.Encode()}).String()
	}
	if v.query("after") != "" {
		p.FirstURL = to("")
	}
	if next != "" {
		p.NextURL = to(next)
	}
	return p
}

// nextID is where a part begins, as onward wants it.
func nextID(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

// listOptions are lists to be chosen from, by their slugs.
func (s *site) listOptions(v *visit, lists []subscribers.List, chosen string) (options []adminpage.Option) {
	for i := range lists {
		l := &lists[i]
		options = append(options, adminpage.Option{Value: l.Slug, Name: l.NameIn(s.words(v)), Chosen: l.Slug == chosen})
	}
	return options
}

// titles returns what the lists are called for the visitor, by slug.
func (s *site) titles(v *visit) (map[string]string, error) {
	lists, err := subscribers.Lists(v.Context(), s.App.DB)
	titles := map[string]string{}
	for i := range lists {
		titles[lists[i].Slug] = lists[i].NameIn(s.words(v))
	}
	return titles, err
}

func (s *site) contacts(v *visit) (adminpage.Page, error) {
	fields := adminpage.Fields(v.URL.Query())
	page := adminpage.Contacts{Fields: fields, Confined: v.actor.Lists != nil, Mistakes: adminpage.Mistakes{}}
	f := subscribers.ContactFilter{
		Text: fields.Get("q"), List: fields.Get("list"), State: subscribers.State(fields.Get("state")), Suppressed: fields.Has("suppressed", "on"),
		Country: strings.TrimSpace(fields.Get("country")), Language: fields.Get("language"), Within: v.actor.Lists,
	}
	page.Filtered = strings.TrimSpace(f.Text) != "" || f.List != "" || f.State != "" || f.Suppressed || f.Country != "" || f.Language != ""
	lists, err := s.ownLists(v, accounts.ReadPeople)
	if err != nil {
		return nil, err
	}
	page.Lists = s.listOptions(v, lists, f.List)
	found, err := subscribers.FindContacts(v.Context(), s.App.DB, f, v.number("after"), peoplePage)
	if kind := errs.KindOf(err); err != nil && (kind == errs.Invalid || kind == errs.NotFound) {
		page.Mistakes[""] = err.Error()
		return v.again(page)
	}
	if err != nil {
		return nil, err
	}
	titles, err := s.titles(v)
	if err != nil {
		return nil, err
	}
	page.Contacts, page.Further = listedContacts(found.Contacts, titles), found.Next != 0
	page.Pager = v.onward(nextID(found.Next))
	return page, nil
}

func listedContacts(found []subscribers.ListedContact, titles map[string]string) (all []adminpage.ListedContact) {
	for _, c := range found {
		shown := adminpage.ListedContact{ID: c.ID, Email: c.Email, Name: c.Name, Languages: c.Languages}
		for _, o := range c.Organisations {
			shown.Organisations = append(shown.Organisations, o.Name)
		}
		for _, sub := range c.Subscriptions {
			shown.Lists = append(shown.Lists, adminpage.ContactStanding{ListName: titles[sub.List], State: string(sub.State)})
		}
		for _, reason := range c.Suppressed {
			shown.Suppressed = append(shown.Suppressed, key(string(reason)))
		}
		all = append(all, shown)
	}
	return all
}

// key returns a word as the keys of the catalogue have it.
func key(word string) string { return strings.NewReplacer(" ", "_", "-", "_").Replace(word) }

// export has records downloaded as a table, in which no cell is a formula.
func (s *site) export(what app.Exports) handler {
	return func(v *visit) (adminpage.Page, error) {
		if v.query("list") != "" {
			if _, err := subscribers.ListBySlug(v.Context(), s.App.DB, v.query("list")); err != nil {
				return nil, err
			}
		}
		s.download(v, string(what)+".csv", "text/csv; charset=utf-8")
		out := bufio.NewWriterSize(v.w, 1<<16)
		if _, err := s.App.Export(v.Context(), out, what, subscribers.CSV, v.query("list")); err != nil {
			panic(http.ErrAbortHandler) // part of it is out: whoever downloads sees that it was cut off
		}
		_ = out.Flush() // a visitor who went away is no fault
		return nil, nil
	}
}

// download sets the headers of a file that is saved.
func (s *site) download(v *visit, name, kind string) {
	v.w.Header().Set("Content-Type", kind)
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
}

func (s *site) newContact(v *visit) (adminpage.Page, error) {
	return s.contactForm(v, adminpage.Fields(v.URL.Query()), nil)
}

// contactForm is the form for somebody new.
func (s *site) contactForm(v *visit, fields adminpage.Fields, mistakes adminpage.Mistakes) (adminpage.Page, error) {
	lists, err := s.ownLists(v, accounts.ReadPeople)
	if err != nil {
		return nil, err
	}
	return adminpage.ContactNew{
		Fields: fields, Lists: s.listOptions(v, lists, fields.Get("list")), Rhythms: subscribers.Rhythms, Zones: zoneOptions(fields.Get("time_zone")),
		Mistakes: mistakes,
	}, nil
}

// zoneOptions are the time zones to be chosen from.
func zoneOptions(chosen string) (options []adminpage.Option) {
	zones := subscribers.TimeZones()
	if chosen != "" && !slices.Contains(zones, chosen) {
		options = append(options, adminpage.Option{Value: chosen, Name: chosen, Chosen: true})
	}
	for _, zone := range zones {
		options = append(options, adminpage.Option{Value: zone, Name: zone, Chosen: zone == chosen})
	}
	return options
}

// ownList returns the list that a form names, which must be one that the visitor may work with.
func (s *site) ownList(v *visit) (list subscribers.List, err error) {
	list, err = subscribers.ListBySlug(v.Context(), s.App.DB, v.PostFormValue("list"))
	if err == nil && !v.may(accounts.People, list.ID) {
		err = errs.New(errs.NotFound, "that is of a list which is not yours")
	}
	return list, err
}

func (s *site) addContact(v *visit) (adminpage.Page, error) {
	list, err := s.ownList(v)
	if err != nil {
		return nil, err
	}
	f := v.fields()
	added := app.NewContact{
		Email: f.Get("email"), Name: f.Get("name"), Organisation: f.Get("organisation"), Languages: f.Get("languages"), TimeZone: f.Get("time_zone"),
		DeliveryHour: f.Get("delivery_hour"), List: list.Slug, Rhythm: f.Get("rhythm"), Consent: f.Get("consent"), Within: v.actor.Lists,
	}
	id, row, refused, err := s.App.AddContact(v.Context(), v.actor.Name, added)
	switch {
	case errs.KindOf(err) == errs.Invalid && err != nil:
		refused = map[string]string{"": err.Error()}
	case err != nil:
		return nil, err
	case row.Outcome == "unchanged" && row.State == subscribers.Unsubscribed:
		refused = map[string]string{"email": haveLeft}
	}
	if len(refused) > 0 {
		page, err := s.contactForm(v, f, refused)
		if err != nil {
			return nil, err
		}
		return v.again(page)
	}
	if row.Outcome == "added" && strings.TrimSpace(added.Consent) == "" {
		return v.leave(contactPath(id), "contact_pending")
	}
	return v.leave(contactPath(id), "contact_"+row.Outcome)
}

// haveLeft is what an administrator is told who puts somebody on a list that they left.
const haveLeft = "they have left this list: only they can come back, by subscribing themselves"

func contactPath(id int64) string { return "/admin/contacts/" + strconv.FormatInt(id, 10) }
