package admin

import (
	"slices"

	"silkpost/internal/accounts"
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates"
	"silkpost/templates/adminpage"
)

func (s *site) themesRoutes() []route {
	return []route{
		{pattern: "GET /admin/themes", needs: accounts.Edit, do: s.themes},
		{pattern: "GET /admin/themes/new", needs: accounts.Edit, do: s.newTheme},
		{pattern: "POST /admin/themes/new", needs: accounts.Edit, do: s.makeTheme},
		{pattern: "POST /admin/themes/preview", needs: accounts.Edit, do: s.previewTheme},
		{pattern: "GET /admin/themes/{slug}", needs: accounts.Edit, do: s.editTheme},
		{pattern: "POST /admin/themes/{slug}", needs: accounts.Edit, do: s.changeTheme},
		{pattern: "POST /admin/themes/{slug}/reset", needs: accounts.Edit, do: s.resetTheme},
		{pattern: "POST /admin/themes/{slug}/remove", needs: accounts.Edit, do: s.removeTheme},
	}
}

func (s *site) themes(v *visit) (adminpage.Page, error) {
	all, err := s.App.ThemeStatuses(v.Context())
	if err != nil {
		return nil, err
	}
	page := adminpage.Themes{}
	mine, err := s.listsOf(v)
	for i := range all {
		page.Themes = append(page.Themes, adminpage.ThemeLine{
			Slug: all[i].Slug, Lists: both(all[i].Lists, mine), Colour: all[i].Colours.Accent, Own: all[i].HTML != "" || all[i].Text != "",
		})
	}
	return page, err
}

// listsOf returns the slugs of the lists that a visitor may see.
func (s *site) listsOf(v *visit) (slugs []string, err error) {
	lists, err := subscribers.Lists(v.Context(), s.App.DB)
	for i := range lists {
		if v.actor.MayOn(accounts.Read, lists[i].ID) {
			slugs = append(slugs, lists[i].Slug)
		}
	}
	return slugs, err
}

// both returns what is in a and in b.
func both(a, b []string) (in []string) {
	for _, one := range a {
		if slices.Contains(b, one) {
			in = append(in, one)
		}
	}
	return in
}

func (s *site) newTheme(v *visit) (adminpage.Page, error) {
	return s.themeForm(v, &templates.Theme{}, nil, nil, true)
}

func (s *site) makeTheme(v *visit) (adminpage.Page, error) {
	return s.saveTheme(v, &templates.Theme{}, nil, true)
}

func (s *site) editTheme(v *visit) (adminpage.Page, error) {
	status, err := s.App.ThemeStatus(v.Context(), v.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	return s.themeForm(v, &status.Theme, status.Lists, nil, false)
}

func (s *site) changeTheme(v *visit) (adminpage.Page, error) {
	status, err := s.App.ThemeStatus(v.Context(), v.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	return s.saveTheme(v, &status.Theme, status.Lists, false)
}

// saveTheme takes a form in, or shows it again with what is wrong at its fields.
func (s *site) saveTheme(v *visit, theme *templates.Theme, lists []string, anew bool) (adminpage.Page, error) {
	slug := theme.Slug
	mistakes := readForm(themeFields, theme, v.PostForm)
	if !anew {
		theme.Slug = slug
	} else if reserved(theme.Slug) {
		mistakes["slug"] = errReserved(theme.Slug).Error()
	}
	var failed error
	if len(mistakes) == 0 {
		failed = s.App.SaveTheme(v.Context(), *theme, anew)
		if failed == nil {
			return v.leave("/admin/themes/"+theme.Slug, "saved")
		}
		if mistakes = s.themeMistakes(v, failed); len(mistakes) == 0 {
			return nil, failed
		}
	}
	page, err := s.themeForm(v, theme, lists, mistakes, anew)
	if err != nil {
		return nil, err
	}
	mark(page.Sections, theme, failed)
	return v.again(page)
}

// themeMistakes says at which field of the form what is wrong, and calls it as the form does.
func (s *site) themeMistakes(v *visit, err error) adminpage.Mistakes {
	mistakes := adminpage.Mistakes{}
	for _, m := range errs.All[*templates.ThemeMistake](err) {
		label, unknown := s.pages.Say(s.tongue(v), "themes.label."+fieldName(m.Key))
		if unknown != nil { // a footer has its language in the key
			label = m.Key
		}
		mistakes.Add(fieldName(m.Key), label+": "+m.Says)
	}
	return mistakes
}

// mark shows in the fields of templates the lines around what is wrong.
func mark(sections []adminpage.Section, theme *templates.Theme, err error) {
	for _, m := range errs.All[*templates.ThemeMistake](err) {
		for i := range sections {
			for j := range sections[i].Fields {
				if f := &sections[i].Fields[j]; f.Name == m.Key {
					f.Excerpt = excerpt(theme, m)
				}
			}
		}
	}
}

func (s *site) themeForm(v *visit, theme *templates.Theme, lists []string, mistakes adminpage.Mistakes, anew bool) (page adminpage.ThemeForm, err error) {
	mine, err := s.listsOf(v)
	if err != nil {
		return page, err
	}
	page = adminpage.ThemeForm{Lists: both(lists, mine), Mistakes: mistakes, Articles: []adminpage.FormChoice{{Key: "themes.sample"}}}
	page.Example.HTML, page.Example.Text = templates.ExampleHTML, templates.ExampleText
	fields := themeFields
	if !anew {
		page.Slug, fields = theme.Slug, fields[1:]
	}
	page.Sections = sectionsOf("themes", fields, theme, v, mistakes, usualColours())
	for _, tag := range s.App.Templates.Tags() {
		page.Languages = append(page.Languages, adminpage.FormChoice{Value: tag, Chosen: tag == s.tongue(v)})
	}
	for _, list := range mine {
		page.Articles = append(page.Articles, adminpage.FormChoice{Value: list, Label: list})
	}
	return page, nil
}

func (s *site) resetTheme(v *visit) (adminpage.Page, error) {
	status, err := s.App.ThemeStatus(v.Context(), v.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	theme := status.Theme
	switch v.PostFormValue("part") {
	case "colours":
		theme.Colours, theme.Dark = templates.Colours{}, templates.Colours{}
	case "templates":
		theme.HTML, theme.Text = "", ""
	case "all":
		theme = templates.Theme{Slug: theme.Slug}
	}
	if err := s.App.SaveTheme(v.Context(), theme, false); err != nil {
		return nil, err
	}
	return v.leave("/admin/themes/"+theme.Slug, "saved")
}

func (s *site) removeTheme(v *visit) (adminpage.Page, error) {
	if err := s.App.RemoveTheme(v.Context(), v.PathValue("slug")); err != nil {
		return nil, err
	}
	return v.leave("/admin/themes", "removed")
}

// usualColours are shown where a theme has none of its own.
func usualColours() map[string][]string {
	light, dark := templates.UsualColours()
	offers := map[string][]string{}
	for name, colours := range map[string]templates.Colours{"colours": light, "dark": dark} {
		for key, colour := range colours.Each() {
			offers[name+"_"+key] = []string{colour}
		}
	}
	return offers
}
