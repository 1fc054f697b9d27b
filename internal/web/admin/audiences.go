package admin

import (
	"net/url"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/accounts"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

func (s *site) audiencesRoutes() []route {
	return []route{
		{pattern: "GET /admin/audiences", needs: accounts.ReadPeople, do: s.audiences},
		{pattern: "POST /admin/audiences", needs: accounts.People, whole: true, do: s.saveAudience, form: []string{"filter", "name"}},
		{pattern: "POST /admin/audiences/{id}/remove", needs: accounts.People, whole: true, do: s.removeAudience},
	}
}

func (s *site) audiences(v *visit) (adminpage.Page, error) {
	_, asked := v.URL.Query()["filter"]
	return s.audiencePage(v, adminpage.Fields(v.URL.Query()), asked, nil)
}

// audiencePage shows whom a filter finds, if it was asked, and the filters that have a name.
func (s *site) audiencePage(v *visit, fields adminpage.Fields, asked bool, mistakes adminpage.Mistakes) (adminpage.Page, error) {
	page := adminpage.Audiences{Fields: fields, Confined: v.actor.Lists != nil, Mistakes: mistakes}
	var err error
	if page.Saved, err = s.savedAudiences(v, ""); err != nil {
		return nil, err
	}
	if asked {
		err = s.askAudience(v, &page)
	}
	if v.may(accounts.Edit) {
		page.WriteURL = writeTo(page.Saved, fields.Get("filter"))
	}
	if kind := errs.KindOf(err); err != nil && (kind == errs.Invalid || kind == errs.NotFound) {
		page.Mistakes = adminpage.Mistakes{"filter": err.Error()}
	} else if err != nil {
		return nil, err
	}
	if len(page.Mistakes) > 0 {
		return v.again(page)
	}
	return page, nil
}

// savedAudiences are the filters that have a name, of which one may be chosen by its id. How many they find is told to those alone who see all lists.
func (s *site) savedAudiences(v *visit, chosen string) (shown []adminpage.SavedAudience, err error) {
	saved, err := subscribers.SavedAudiences(v.Context(), s.App.DB)
	for _, a := range saved {
		one := adminpage.SavedAudience{ID: a.ID, Name: a.Name, Filter: a.Filter, URL: "/admin/audiences?" + url.Values{"filter": {a.Filter}}.Encode()}
		if v.actor.Lists == nil {
			one.People = a.People
		}
		one.Chosen = one.Value() == chosen
		shown = append(shown, one)
	}
	return shown, err
}

// writeTo is where an edition is made for whom a filter finds: by the name that it has, if it has one.
func writeTo(saved []adminpage.SavedAudience, filter string) string {
	query := url.Values{"audience": {filter}}
	if i := slices.IndexFunc(saved, func(a adminpage.SavedAudience) bool { return a.Filter == filter }); i >= 0 {
		query = url.Values{"people": {saved[i].Value()}}
	}
	return editionsPath + "/new?" + query.Encode()
}

// askAudience counts whom a filter finds and reads the first of them.
func (s *site) askAudience(v *visit, page *adminpage.Audiences) error {
	a, err := subscribers.ParseAudience(page.Fields.Get("filter"))
	if err != nil {
		return err
	}
	a.Within = v.actor.Lists
	if page.Count, err = subscribers.CountAudience(v.Context(), s.App.DB, a); err != nil {
		return err
	}
	members, err := subscribers.FirstMembers(v.Context(), s.App.DB, a, peoplePage)
	if err != nil {
		return err
	}
	titles, err := s.titles(v)
	for _, m := range members {
		page.Members = append(page.Members, adminpage.AudienceMember{ID: m.ID, Email: m.Email, Name: m.Name, ListName: titles[m.List], State: string(m.State), Rhythm: m.Rhythm})
	}
	page.Asked = err == nil
	return err
}

func (s *site) saveAudience(v *visit) (adminpage.Page, error) {
	filter := v.PostFormValue("filter")
	a, err := subscribers.ParseAudience(filter)
	if err == nil && strings.TrimSpace(filter) == "" {
		err = errs.New(errs.Invalid, "filter: empty")
	}
	if err != nil {
		return s.audiencePage(v, v.fields(), true, nil)
	}
	err = database.Transact(v.Context(), s.App.DB, func(tx *sqlx.Tx) error {
		return subscribers.SaveAudience(v.Context(), tx, v.PostFormValue("name"), a, v.actor.Name, s.App.Clock.Now())
	})
	if errs.KindOf(err) == errs.Invalid && err != nil {
		return s.audiencePage(v, v.fields(), true, adminpage.Mistakes{"name": err.Error()})
	}
	if err != nil {
		return nil, err
	}
	return v.leave("/admin/audiences?"+url.Values{"filter": {a.String()}}.Encode(), "saved")
}

func (s *site) removeAudience(v *visit) (adminpage.Page, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	err = database.Transact(v.Context(), s.App.DB, func(tx *sqlx.Tx) error { return subscribers.RemoveAudience(v.Context(), tx, id) })
	if err != nil {
		return nil, err
	}
	return v.leave("/admin/audiences", "removed")
}
