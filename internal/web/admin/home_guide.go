package admin

import (
	"net/url"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/templates/adminpage"
)

// guide shows what is done of the way from nothing to the first digest, and what comes next.
func (s *site) guide(v *visit) (adminpage.Page, error) {
	steps, err := s.App.FirstSteps(v.Context())
	if err != nil {
		return nil, err
	}
	return adminpage.Guide{Steps: guideSteps(&steps), Done: steps.LetGo}, nil
}

func guideSteps(is *app.Steps) []adminpage.GuideStep {
	list, desk := "/admin/lists", "/admin/editions"
	if is.List != "" {
		list += "/" + url.PathEscape(is.List)
	}
	if is.Edition != nil {
		desk += "/" + is.Edition.String()
	}
	byHand := "" // what comes by itself may take a day
	if is.Partners && !is.LetGo && is.Edition == nil {
		byHand = "/admin/editions/new"
	}
	steps := []adminpage.GuideStep{
		{Key: "source", Done: is.Source, URL: "/admin/sources/new", Act: string(accounts.Edit)},
		{Key: "articles", Done: is.Articles, URL: "/admin/articles", Act: string(accounts.Read)},
		{Key: "list", Done: is.Ready, URL: list, Act: string(accounts.Lists)},
		{Key: "partners", Done: is.Partners, URL: "/admin/import", Also: "/admin/contacts", Act: string(accounts.People)},
		{Key: "preview", Done: is.LetGo, URL: desk, Also: byHand, Act: string(accounts.Edit)},
		{Key: "approve", Done: is.LetGo, URL: desk, Act: string(accounts.Send)},
		{Key: "watch", Done: is.LetGo, URL: "/admin/editions", Act: string(accounts.Read)},
	}
	for i := range steps {
		if !steps[i].Done {
			steps[i].Next = true
			break
		}
	}
	return steps
}
