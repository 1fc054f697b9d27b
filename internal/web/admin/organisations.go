package admin

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/accounts"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

func (s *site) organisationsRoutes() []route {
	return []route{
		{pattern: "GET /admin/organisations", needs: accounts.ReadPeople, do: s.organisations},
		{pattern: "GET /admin/organisations/new", needs: accounts.People, whole: true, do: s.newOrganisation},
		{pattern: "POST /admin/organisations/new", needs: accounts.People, whole: true, do: s.addOrganisation},
		{pattern: "GET /admin/organisations/{id}", needs: accounts.ReadPeople, do: s.organisation},
		{pattern: "GET /admin/organisations/{id}/edit", needs: accounts.People, whole: true, do: s.editOrganisation},
		{pattern: "POST /admin/organisations/{id}/edit", needs: accounts.People, whole: true, do: s.changeOrganisation, form: []string{"name", "names", "country", "kind", "web_site", "languages", "agreed_on", "agreed_until", "tags", "notes"}},
		{pattern: "GET /admin/organisations/{id}/merge", needs: accounts.People, whole: true, do: s.askMerge},
		{pattern: "POST /admin/organisations/{id}/merge", needs: accounts.People, whole: true, do: s.mergeOrganisation},
		{pattern: "GET /admin/organisations/{id}/remove", needs: accounts.People, whole: true, do: s.askRemoveOrganisation},
		{pattern: "POST /admin/organisations/{id}/remove", needs: accounts.People, whole: true, do: s.removeOrganisation},
	}
}

func organisationPath(id int64) string { return "/admin/organisations/" + strconv.FormatInt(id, 10) }

func (s *site) organisations(v *visit) (adminpage.Page, error) {
	fields := adminpage.Fields(v.URL.Query())
	f := subscribers.OrganisationFilter{
		Text: strings.TrimSpace(fields.Get("q")), Country: strings.TrimSpace(fields.Get("country")), Unreached: fields.Has("unreached", "on"), Within: v.actor.Lists,
	}
	page := adminpage.Organisations{Fields: fields, Confined: v.actor.Lists != nil, Filtered: f.Text != "" || f.Country != "" || f.Unreached}
	found, next, err := subscribers.FindOrganisations(v.Context(), s.App.DB, f, v.query("after"), peoplePage)
	if errs.KindOf(err) == errs.Invalid && err != nil {
		page.Mistakes = adminpage.Mistakes{"": err.Error()}
		return v.again(page)
	}
	if err != nil {
		return nil, err
	}
	for i := range found {
		page.Organisations = append(page.Organisations, listedOrganisation(&found[i]))
	}
	page.Further, page.Pager = next != "", v.onward(next)
	return page, nil
}

func listedOrganisation(o *subscribers.ListedOrganisation) adminpage.ListedOrganisation {
	return adminpage.ListedOrganisation{
		ID: o.ID, Name: o.Name, Country: o.Country, Kind: o.Kind, Contacts: o.Contacts, Most: o.Contacts == subscribers.CountedPeople, Reached: o.Reached,
		Suppressed: o.Suppressed, Unsubscribed: o.Unsubscribed, Pending: o.Pending, OnNoList: o.OnNoList,
	}
}

// standing returns the organisation whose id stands in the address, as far as the visitor may see it.
func (s *site) standing(v *visit) (o subscribers.ListedOrganisation, err error) {
	id, err := v.id()
	if err != nil {
		return o, err
	}
	return subscribers.StandingOf(v.Context(), s.App.DB, id, v.actor.Lists)
}

func (s *site) organisation(v *visit) (adminpage.Page, error) {
	o, err := s.standing(v)
	if err != nil {
		return nil, err
	}
	page := adminpage.Organisation{
		ListedOrganisation: listedOrganisation(&o), Confined: v.actor.Lists != nil, WebSite: o.WebSite, Languages: o.Languages, AgreedOn: string(o.AgreedOn),
		AgreedUntil: string(o.AgreedUntil), Tags: o.Tags, Notes: o.Notes,
	}
	for _, tag := range slices.Sorted(maps.Keys(o.Names)) {
		page.Names = append(page.Names, adminpage.NamedValue{Name: tag, Value: o.Names[tag]})
	}
	members, next, err := subscribers.OrganisationMembers(v.Context(), s.App.DB, o.ID, v.actor.Lists, v.number("after"), peoplePage)
	if err != nil {
		return nil, err
	}
	titles, err := s.titles(v)
	if err != nil {
		return nil, err
	}
	page.Members, page.Pager = listedContacts(members, titles), v.onward(nextID(next))
	if page.LastSent, err = subscribers.LastSentTo(v.Context(), s.App.DB, o.ID, v.actor.Lists); err != nil {
		return nil, err
	}
	if v.actor.Lists != nil {
		page.Notes = "" // they may be about anything
	}
	page.Feeds, err = s.organisationFeeds(v, o.ID, titles)
	return page, err
}

// organisationFeeds returns the private feeds of an organisation that the visitor may know of.
func (s *site) organisationFeeds(v *visit, id int64, titles map[string]string) (shown []adminpage.OrganisationFeed, err error) {
	lists, err := s.ownLists(v, accounts.ReadPeople)
	if err != nil {
		return nil, err
	}
	all, err := s.App.PrivateFeedsOf(v.Context(), id)
	for _, f := range all {
		if slices.ContainsFunc(lists, func(l subscribers.List) bool { return l.Slug == f.List }) {
			shown = append(shown, adminpage.OrganisationFeed{ListName: titles[f.List], CreatedAt: f.CreatedAt, RevokedAt: f.RevokedAt})
		}
	}
	return shown, err
}

func (s *site) newOrganisation(*visit) (adminpage.Page, error) {
	return adminpage.OrganisationEdit{}, nil
}

// enteredOrganisation reads the form for an organisation.
func enteredOrganisation(f adminpage.Fields) (o subscribers.Organisation, mistakes adminpage.Mistakes) {
	names := database.StringMap{}
	for _, line := range entered(f.Get("names"), "\n") {
		tag, name, found := strings.Cut(line, ":")
		if !found {
			return o, adminpage.Mistakes{"names": strconv.Quote(line) + " has no language before it, as in it: Centro delle scienze"}
		}
		names[strings.TrimSpace(tag)] = strings.TrimSpace(name)
	}
	return subscribers.Organisation{
		Name: f.Get("name"), Names: names, Country: strings.TrimSpace(f.Get("country")), WebSite: strings.TrimSpace(f.Get("web_site")), Languages: entered(f.Get("languages"), ";,"),
		Kind: f.Get("kind"), AgreedOn: subscribers.Date(f.Get("agreed_on")), AgreedUntil: subscribers.Date(f.Get("agreed_until")), Notes: f.Get("notes"),
		Tags: entered(f.Get("tags"), ";,"),
	}, nil
}

// organisationAgain shows the form anew with what is wrong; errors that are not about it stay.
func organisationAgain(v *visit, id int64, mistakes adminpage.Mistakes, err error) (adminpage.Page, error) {
	if kind := errs.KindOf(err); err != nil && kind != errs.Invalid && kind != errs.Conflict {
		return nil, err
	}
	if err != nil {
		mistakes = adminpage.Mistakes{"": err.Error()}
	}
	return v.again(adminpage.OrganisationEdit{ID: id, Fields: v.fields(), Mistakes: mistakes})
}

func (s *site) addOrganisation(v *visit) (adminpage.Page, error) {
	o, mistakes := enteredOrganisation(v.fields())
	if mistakes != nil {
		return organisationAgain(v, 0, mistakes, nil)
	}
	var id int64
	err := database.Transact(v.Context(), s.App.DB, func(tx *sqlx.Tx) (err error) {
		id, err = subscribers.MakeOrganisation(v.Context(), tx, o, s.App.Clock.Now())
		return err
	})
	if err != nil {
		return organisationAgain(v, 0, nil, err)
	}
	return v.leave(organisationPath(id), "organisation_made")
}

func (s *site) editOrganisation(v *visit) (adminpage.Page, error) {
	o, err := s.standing(v)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, tag := range slices.Sorted(maps.Keys(o.Names)) {
		names = append(names, tag+": "+o.Names[tag])
	}
	return adminpage.OrganisationEdit{ID: o.ID, Fields: adminpage.Fields{
		"name": {o.Name}, "names": {strings.Join(names, "\n")}, "country": {o.Country}, "kind": {o.Kind}, "web_site": {o.WebSite},
		"languages": {strings.Join(o.Languages, "; ")}, "agreed_on": {string(o.AgreedOn)}, "agreed_until": {string(o.AgreedUntil)},
		"tags": {strings.Join(o.Tags, "; ")}, "notes": {o.Notes},
	}}, nil
}

func (s *site) changeOrganisation(v *visit) (adminpage.Page, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	o, mistakes := enteredOrganisation(v.fields())
	if mistakes != nil {
		return organisationAgain(v, id, mistakes, nil)
	}
	o.ID = id
	err = database.Transact(v.Context(), s.App.DB, func(tx *sqlx.Tx) error { return subscribers.ChangeOrganisation(v.Context(), tx, o) })
	if err != nil {
		return organisationAgain(v, id, nil, err)
	}
	return v.leave(organisationPath(id), "saved")
}

func (s *site) askMerge(v *visit) (adminpage.Page, error) {
	o, err := s.standing(v)
	if err != nil {
		return nil, err
	}
	page := adminpage.OrganisationMerge{ListedOrganisation: listedOrganisation(&o), Fields: adminpage.Fields(v.URL.Query())}
	name := strings.TrimSpace(v.query("into"))
	if name == "" {
		return page, nil
	}
	into, err := s.mergeInto(v, o.ID, name)
	if err != nil {
		page.Mistakes = adminpage.Mistakes{"into": err.Error()}
		return v.again(page)
	}
	shown := listedOrganisation(&into)
	page.Into = &shown
	return page, nil
}

// mergeInto returns the organisation of a name that another one is to be merged into.
func (s *site) mergeInto(v *visit, from int64, name string) (o subscribers.ListedOrganisation, err error) {
	into, err := subscribers.OrganisationByName(v.Context(), s.App.DB, name)
	if err != nil {
		return o, errs.New(errs.Invalid, "there is no organisation %q", name)
	}
	if into.ID == from {
		return o, errs.New(errs.Invalid, "that is the same organisation")
	}
	return subscribers.StandingOf(v.Context(), s.App.DB, into.ID, nil)
}

func (s *site) mergeOrganisation(v *visit) (adminpage.Page, error) {
	o, err := s.standing(v)
	if err != nil {
		return nil, err
	}
	into, err := s.mergeInto(v, o.ID, v.PostFormValue("into"))
	if err != nil {
		return nil, err
	}
	if err := s.App.MergeOrganisations(v.Context(), o.ID, into.ID); err != nil {
		return nil, err
	}
	return v.leave(organisationPath(into.ID), "organisation_merged")
}

func (s *site) askRemoveOrganisation(v *visit) (adminpage.Page, error) {
	o, err := s.standing(v)
	if err != nil {
		return nil, err
	}
	page := adminpage.OrganisationRemove{ListedOrganisation: listedOrganisation(&o)}
	feeds, err := s.App.PrivateFeedsOf(v.Context(), o.ID)
	for _, f := range feeds {
		if f.RevokedAt == nil {
			page.Feeds++
		}
	}
	return page, err
}

func (s *site) removeOrganisation(v *visit) (adminpage.Page, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	if err := s.App.RemoveOrganisation(v.Context(), id); err != nil {
		return nil, err
	}
	return v.leave("/admin/organisations", "removed")
}
