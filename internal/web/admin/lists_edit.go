package admin

import (
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

func (s *site) newList(v *visit) (adminpage.Page, error) {
	list := subscribers.NewList("")
	list.TimeZone = v.actor.Location().String()
	return s.listForm(v, &list, nil, true)
}

func (s *site) makeList(v *visit) (adminpage.Page, error) {
	list := subscribers.NewList("")
	return s.saveList(v, &list, true)
}

func (s *site) editList(v *visit) (adminpage.Page, error) {
	list, err := subscribers.ListBySlug(v.Context(), s.App.DB, v.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	return s.listForm(v, &list, nil, false)
}

func (s *site) changeList(v *visit) (adminpage.Page, error) {
	list, err := subscribers.ListBySlug(v.Context(), s.App.DB, v.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	return s.saveList(v, &list, false)
}

// saveList takes a form in, or shows it again with what is wrong at its fields.
func (s *site) saveList(v *visit, list *subscribers.List, anew bool) (adminpage.Page, error) {
	slug := list.Slug
	mistakes := readForm(listFields, list, v.PostForm)
	if !anew {
		list.Slug = slug
	} else if reserved(list.Slug) {
		mistakes["slug"] = errReserved(list.Slug).Error()
	}
	if len(mistakes) == 0 {
		err := s.App.SaveList(v.Context(), *list, anew)
		if err == nil {
			return v.leave("/admin/lists/"+list.Slug, "saved")
		}
		if mistakes = listMistakes(err); len(mistakes) == 0 {
			return nil, err
		}
	}
	page, err := s.listForm(v, list, mistakes, anew)
	if err != nil {
		return nil, err
	}
	return v.again(page)
}

// listMistakes says at which field of the form what is wrong; none when the error is nobody's mistake.
func listMistakes(err error) adminpage.Mistakes {
	mistakes := adminpage.Mistakes{}
	for _, m := range errs.All[*subscribers.Mistake](err) {
		mistakes.Add(fieldName(m.Key()), m.AtField())
	}
	if kind := errs.KindOf(err); len(mistakes) == 0 && (kind == errs.Invalid || kind == errs.NotFound || kind == errs.Conflict) {
		mistakes[""] = err.Error()
	}
	return mistakes
}

func (s *site) listForm(v *visit, list *subscribers.List, mistakes adminpage.Mistakes, anew bool) (adminpage.Page, error) {
	page := adminpage.ListForm{Name: list.NameIn(s.tongue(v)), Mistakes: mistakes}
	if !anew {
		page.Slug = list.Slug
	}
	offers, err := s.listOffers(v, list)
	if err != nil {
		return nil, err
	}
	fields := listFields
	if !anew {
		fields = fields[1:] // a list keeps its slug: addresses hold it
	}
	page.Sections = sectionsOf("lists", fields, list, v, mistakes, offers)
	return page, nil
}
