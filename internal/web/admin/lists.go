package admin

import (
	"errors"
	"html"

	"silkpost/feeds"
	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/mailer/edition"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

func (s *site) listsRoutes() []route {
	one := s.listIn("slug")
	return []route{
		{pattern: "GET /admin/lists", needs: accounts.Read, do: s.lists},
		{pattern: "GET /admin/lists/new", needs: accounts.Lists, do: s.newList},
		{pattern: "POST /admin/lists/new", needs: accounts.Lists, do: s.makeList},
		{pattern: "GET /admin/lists/{slug}", needs: accounts.Read, of: one, do: s.list},
		{pattern: "GET /admin/lists/{slug}/edit", needs: accounts.Lists, of: one, do: s.editList},
		{pattern: "POST /admin/lists/{slug}/edit", needs: accounts.Lists, of: one, do: s.changeList},
		{pattern: "POST /admin/lists/{slug}/pause", needs: accounts.Stop, of: one, do: s.pauseList},
		{pattern: "POST /admin/lists/{slug}/resume", needs: accounts.Send, of: one, do: s.resumeList},
	}
}

func (s *site) lists(v *visit) (adminpage.Page, error) {
	all, err := s.App.ListStatuses(v.Context(), v.actor.Lists)
	if err != nil {
		return nil, err
	}
	page := adminpage.Lists{}
	for i := range all {
		page.Lists = append(page.Lists, s.listLine(v, &all[i]))
		page.AllPaused = all[i].AllPaused
	}
	return page, nil
}

func (s *site) listLine(v *visit, l *app.ListStatus) adminpage.ListLine {
	line := adminpage.ListLine{
		Slug: l.Slug, Name: l.NameIn(s.tongue(v)), Paused: l.Paused,
		People: adminpage.People{
			Active: l.People[subscribers.Active], Pending: l.People[subscribers.Pending], Paused: l.People[subscribers.Paused],
			Unsubscribed: l.People[subscribers.Unsubscribed],
		},
	}
	for _, next := range l.Next {
		line.Next = append(line.Next, adminpage.NextEdition{Rhythm: next.Rhythm, At: next.CutOff, Hour: next.CutOff.Format("15:04")})
	}
	var lacking *edition.Lacking
	if errors.As(l.Lacks, &lacking) {
		line.Lacks = []string{lacking.What}
	}
	return line
}

// tongue returns the language of the pages that a visitor sees.
func (s *site) tongue(v *visit) string {
	if v.actor.Language != "" {
		return s.pages.Language(v.actor.Language)
	}
	return s.pages.Language(accepted(v.Request)...)
}

// mostTopics is how many topics a page shows.
const mostTopics = 40

func (s *site) list(v *visit) (adminpage.Page, error) {
	l, err := s.App.ListStatus(v.Context(), v.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	page := adminpage.ListShow{
		ListLine: s.listLine(v, &l), AllPaused: l.AllPaused, Description: l.Description[l.FallbackLanguage], Sender: l.Sender.Name, Address: l.Sender.Address,
		ReplyTo: l.Sender.ReplyTo, Postal: l.PostalAddress, Rhythms: l.Rhythms, Theme: l.Theme, Public: l.Public, Archive: l.Archive, OptIn: l.OptIn,
		FormURL: s.App.PublicURL() + "/s/" + l.Slug, ArchiveURL: s.App.PublicURL() + "/archive/" + l.Slug + "/",
		DeliveryHour: l.DeliveryHour, TimeZone: l.TimeZone,
	}
	page.Embed = `<a href="` + html.EscapeString(page.FormURL) + `">` + html.EscapeString(page.Name) + `</a>`
	page.Topics = append(append(page.Topics, l.Selection.Sections...), l.Selection.Tags...)
	if len(page.Topics) == 0 {
		page.Topics, err = s.App.Feeds.Values(v.Context(), s.App.DB, feeds.OfSection, mostTopics)
	}
	return page, err
}

func (s *site) pauseList(v *visit) (adminpage.Page, error) {
	_, err := s.App.PauseLists(v.Context(), v.actor.Name, v.PathValue("slug"), true)
	if err != nil {
		return nil, err
	}
	return v.leave("/admin/lists/"+v.PathValue("slug"), "list_paused")
}

func (s *site) resumeList(v *visit) (adminpage.Page, error) {
	_, err := s.App.PauseLists(v.Context(), v.actor.Name, v.PathValue("slug"), false)
	if err != nil {
		return nil, err
	}
	return v.leave("/admin/lists/"+v.PathValue("slug"), "list_resumed")
}
