package admin

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/mailer/edition"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

// askMake shows the form for an edition that is made by hand.
func (s *site) askMake(v *visit) (adminpage.Page, error) {
	return s.makeForm(v, adminpage.Fields{
		"when": {"hours"}, "had": {"nothing"}, "list": {v.query("list")}, "people": {v.query("people")}, "audience": {v.query("audience")}, "article": v.URL.Query()["article"],
	})
}

// makeForm is the form with what was put into it: articles that are ticked stay, and those that are looked for come after them.
func (s *site) makeForm(v *visit, f adminpage.Fields) (page adminpage.EditionMake, err error) {
	page.Fields = f
	lists, err := subscribers.Lists(v.Context(), s.App.DB)
	if err != nil {
		return page, err
	}
	for _, list := range lists {
		if v.may(accounts.Edit, list.ID) {
			page.Lists = append(page.Lists, adminpage.EditionChoice{Value: list.Slug, Name: list.NameIn(s.words(v))})
		}
	}
	if page.Saved, err = s.savedAudiences(v, f.Get("people")); err != nil {
		return page, err
	}
	var has []app.DeskItem
	for _, slug := range f["article"] {
		a, err := s.App.Articles.ByReference(v.Context(), s.App.DB, slug)
		if err != nil {
			continue // withdrawn, or made up
		}
		has = append(has, app.DeskItem{Slug: a.Slug})
		page.Articles = append(page.Articles, adminpage.EditionItem{Slug: a.Slug, Title: a.Title, Language: a.Language, Published: a.PublishedAt})
	}
	page.Found, err = s.findArticles(v, strings.TrimSpace(f.Get("find")), has)
	return page, err
}

// makeEdition makes an edition that waits for approval, or looks for articles for it.
func (s *site) makeEdition(v *visit) (adminpage.Page, error) {
	f := v.fields()
	if f.Get("do") == "find" {
		return s.makeForm(v, f)
	}
	made, err := s.make(v, f)
	if kind := errs.KindOf(err); err != nil && (kind == errs.Invalid || kind == errs.Conflict || kind == errs.NotFound) {
		page, failed := s.makeForm(v, f)
		if failed != nil {
			return nil, failed
		}
		page.Mistakes = adminpage.Mistakes{fieldOf(err): err.Error()}
		return v.again(page)
	}
	if err != nil {
		return nil, err
	}
	return v.leave(editionsPath+"/"+made.ID.String(), "edition_made")
}

func (s *site) make(v *visit, f adminpage.Fields) (*edition.Edition, error) {
	list, err := subscribers.ListBySlug(v.Context(), s.App.DB, f.Get("list"))
	if err != nil || !v.may(accounts.Edit, list.ID) {
		return nil, errs.New(errs.NotFound, "list %q: there is none", f.Get("list"))
	}
	audience, err := s.audienceOf(v, f)
	if err != nil {
		return nil, errs.New(errs.Invalid, "audience: %w", err)
	}
	return s.App.MakeEdition(v.Context(), v.actor.Name, app.MakeOptions{
		List: list.Slug, Articles: f["article"], Texts: written(f), Audience: audience, Repeat: f.Get("had") == "again", WordsAlone: f.Get("had") == string(edition.WordsAlone), AtOnce: f.Get("when") == "once",
	})
}

// audienceOf is whom a form chooses: an audience by its name, narrowed by a filter.
func (s *site) audienceOf(v *visit, f adminpage.Fields) (subscribers.Audience, error) {
	audience, err := subscribers.ParseAudience(f.Get("audience"))
	if err != nil || f.Get("people") == "" {
		return audience, err
	}
	saved, err := subscribers.SavedAudienceByID(v.Context(), s.App.DB, number(f.Get("people")))
	if err != nil {
		return audience, err
	}
	chosen, err := subscribers.ParseAudience(saved.Filter)
	return subscribers.Audience{Clauses: append(chosen.Clauses, audience.Clauses...)}, err
}

// written are the words of a form, none when nothing was written.
func written(f adminpage.Fields) edition.Texts {
	t := textsOf(f)
	if *t.Subject == "" && *t.Preheader == "" && *t.Introduction == "" {
		return edition.Texts{}
	}
	return t
}

// askCorrection shows the form for a notice to those who got an edition.
func (s *site) askCorrection(v *visit) (adminpage.Page, error) {
	id, err := editionID(v)
	if err != nil {
		return nil, err
	}
	return s.correctionForm(v, id, adminpage.Fields{})
}

func (s *site) correctionForm(v *visit, id uuid.UUID, f adminpage.Fields) (page adminpage.EditionMake, err error) {
	p, err := s.App.EditionPage(v.Context(), id)
	if err != nil {
		return page, err
	}
	page = adminpage.EditionMake{Corrects: s.editionRow(v, p.Of, p.BoardEdition), Fields: f}
	page.Articles, _, _ = itemsShown(p.Items)
	page.Articles = slices.DeleteFunc(page.Articles, func(i adminpage.EditionItem) bool { return i.Slug == "" })
	return page, nil
}

// correctEdition makes that notice. It waits for approval, like any edition.
func (s *site) correctEdition(v *visit) (adminpage.Page, error) {
	id, err := editionID(v)
	if err != nil {
		return nil, err
	}
	f := v.fields()
	made, err := s.App.CorrectEdition(v.Context(), v.actor.Name, id, f["article"], written(f), false)
	if kind := errs.KindOf(err); err != nil && (kind == errs.Invalid || kind == errs.Conflict || kind == errs.Gone || kind == errs.NotFound) {
		page, failed := s.correctionForm(v, id, f)
		if failed != nil {
			return nil, failed
		}
		page.Mistakes = adminpage.Mistakes{fieldOf(err): err.Error()}
		return v.again(page)
	}
	if err != nil {
		return nil, err
	}
	return v.leave(editionsPath+"/"+made.ID.String(), "edition_made")
}
