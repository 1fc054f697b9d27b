package admin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/mailer/destination"
	"silkpost/templates/adminpage"
)

// destinationsRoutes are for who is confined to no list: most partners have a domain of their own, so its name tells who is on the others.
func (s *site) destinationsRoutes() []route {
	return []route{
		{pattern: "GET /admin/destinations", needs: accounts.Read, whole: true, do: s.destinations},
		{pattern: "GET /admin/destinations/{name}", needs: accounts.Read, whole: true, do: s.destination},
		{pattern: "POST /admin/destinations/{name}/pause", needs: accounts.Stop, whole: true, do: s.pauseDestination},
		{pattern: "POST /admin/destinations/{name}/resume", needs: accounts.Send, whole: true, do: s.resumeDestination},
	}
}

// pageOf is how many lines a page shows.
const pageOf = 50

func (s *site) destinations(v *visit) (adminpage.Page, error) {
	find := strings.TrimSpace(v.query("q"))
	days, paused, err := s.App.Destinations(v.Context(), find, afterDay(v), pageOf+1)
	if err != nil {
		return nil, err
	}
	page := adminpage.Destinations{Days: app.DestinationDays, Find: find}
	pauses := map[string]bool{}
	for i := range paused {
		pauses[paused[i].Destination] = true
		page.Paused = append(page.Paused, pausedLine(&paused[i]))
	}
	if v.query("after") != "" {
		page.Pager.FirstURL = "/admin/destinations?" + url.Values{"q": {find}}.Encode()
	}
	for i := range days {
		if i == pageOf {
			last := &days[i-1]
			page.Pager.NextURL = "/admin/destinations?" + url.Values{"q": {find}, "after": {last.Name}, "total": {strconv.Itoa(last.Total())}}.Encode()
			break
		}
		line := destinationLine(&days[i])
		line.Paused = pauses[line.Name]
		page.Lines = append(page.Lines, line)
	}
	return page, nil
}

// afterDay is the last line that was shown before, as the address says.
func afterDay(v *visit) destination.Day {
	total, err := strconv.Atoi(v.query("total"))
	if err != nil || v.query("after") == "" {
		return destination.Day{}
	}
	return destination.Day{Name: v.query("after"), Sent: total}
}

func destinationLine(d *destination.Day) adminpage.DestinationLine {
	line := adminpage.DestinationLine{Name: d.Name, Sent: d.Sent, Deferred: d.Deferred, Failed: d.Failed, InDoubt: d.InDoubt}
	if habit := destination.HabitOf(d.Name); habit != nil {
		line.Who = habit.Who
	}
	return line
}

func pausedLine(p *app.PausedStatus) adminpage.PausedLine {
	return adminpage.PausedLine{Name: p.Destination, Since: p.Since, Until: p.Until, ByHand: p.ByHand, Code: p.Code, Reply: p.Reply}
}

// noDestination says why a name is no destination's.
func noDestination(err error) (adminpage.Page, error) {
	if errs.KindOf(err) != errs.NotFound {
		return nil, err
	}
	return refused{adminpage.Message{Status: http.StatusNotFound, Detail: err.Error()}, http.StatusNotFound}, nil
}

func (s *site) destination(v *visit) (adminpage.Page, error) {
	status, err := s.App.Destination(v.Context(), v.PathValue("name"))
	if err != nil {
		return noDestination(err)
	}
	page := adminpage.DestinationShow{Name: status.Name}
	for i := range status.Days {
		page.Days = append(page.Days, adminpage.DestinationDay{Day: status.Days[i].Day, DestinationLine: destinationLine(&status.Days[i])})
	}
	for _, d := range status.Domains {
		page.Domains = append(page.Domains, adminpage.DestinationDomain{Name: d.Name, Hosts: d.Hosts})
	}
	if status.Paused != nil {
		line := pausedLine(status.Paused)
		page.Paused = &line
	}
	if h := status.Habit; h != nil {
		page.Habit = &adminpage.Habit{
			Who: h.Who, Connections: h.Connections, PerConnection: h.PerConnection, Rate: h.Rate, Asks: h.Asks, Answers: h.Answers, Seen: h.Seen, Pages: h.Pages, Others: h.Others,
		}
	}
	return page, nil
}

func (s *site) pauseDestination(v *visit) (adminpage.Page, error) {
	p, err := s.App.PauseDestination(v.Context(), v.PathValue("name"))
	switch {
	case err != nil:
		return noDestination(err)
	case !p.Used:
		return v.leave("/admin/destinations/"+url.PathEscape(p.Name), "destination_paused_unused")
	}
	return v.leave("/admin/destinations/"+url.PathEscape(p.Name), "destination_paused")
}

func (s *site) resumeDestination(v *visit) (adminpage.Page, error) {
	name := v.PathValue("name")
	if err := s.App.ResumeDestination(v.Context(), name); err != nil {
		return noDestination(err)
	}
	return v.leave("/admin/destinations/"+url.PathEscape(name), "destination_resumed")
}
