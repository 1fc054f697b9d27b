package admin

import (
	"context"
	"html/template"
	"strconv"
	"strings"
	"sync"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/plot"
	"silkpost/mailer/edition"
	"silkpost/templates/adminpage"
)

func (s *site) homeRoutes() []route {
	return []route{
		{pattern: "GET /admin/{$}", needs: accounts.Own, do: s.home},
		{pattern: "GET /admin/stream", needs: accounts.Own, do: s.homeLive},
		{pattern: "GET /admin/guide", needs: accounts.Own, do: s.guide},
		{pattern: "GET /admin/account/mails", needs: accounts.Own, do: s.mails},
		{pattern: "POST /admin/account/mails", needs: accounts.Own, do: s.chooseMails, form: []string{"kinds"}},
	}
}

const (
	homeDays   = 30 // that are shown
	homeLatest = 5  // editions that were sent
	homeEvery  = 5 * time.Second
)

// home shows what needs a person, what goes out next, and what went out. A manager of some lists sees theirs alone.
func (s *site) home(v *visit) (adminpage.Page, error) {
	page, err := s.homeNow(v)
	if err != nil {
		return nil, err
	}
	steps, err := s.App.FirstSteps(v.Context())
	if err != nil {
		return nil, err
	}
	page.Empty = !steps.Articles && !steps.Partners
	if err := s.homeOut(v, &page); err != nil {
		return nil, err
	}
	return page, nil
}

// homeNow is what changes from one moment to the next.
func (s *site) homeNow(v *visit) (page adminpage.Home, err error) {
	ctx, lists := v.Context(), v.actor.Lists
	names, err := s.listNames(v)
	if err != nil {
		return page, err
	}
	needs, err := s.App.Needs(ctx)
	if err != nil {
		return page, err
	}
	s.needs.keep(needs, s.App.Clock.Now())
	for i := range needs {
		if sees(v.actor, &needs[i]) {
			page.Needs = append(page.Needs, homeNeed(&needs[i], names))
		}
	}
	going, err := s.App.GoingOut(ctx, lists)
	page.Going = homeEditions(going, names)
	return page, err
}

// homeOut is what goes out next, and what went out.
func (s *site) homeOut(v *visit, page *adminpage.Home) error {
	ctx, zone, lists := v.Context(), v.actor.Location(), v.actor.Lists
	names, err := s.listNames(v)
	if err != nil {
		return err
	}
	next, err := s.App.Coming(ctx, s.App.DB, lists)
	if err != nil {
		return err
	}
	for i := range next {
		if next[i].Lacks != "" {
			continue
		}
		page.Next = append(page.Next, adminpage.HomeNext{
			URL: "/admin/lists/" + next[i].List.Slug, List: names[next[i].List.ID], Rhythm: next[i].Rhythm, CutOff: next[i].CutOff, Comes: next[i].Comes,
			Approval: next[i].List.Approval, Paused: next[i].Paused,
		})
	}
	days, err := s.App.Days(ctx, homeDays, zone, lists)
	if err != nil {
		return err
	}
	if page.Plots, page.Days, err = s.plots(v, days); err != nil {
		return err
	}
	sent, err := s.App.WentOut(ctx, days[0].Date, lists, homeLatest)
	page.Sent = homeEditions(sent, names)
	return err
}

// sees reports whether somebody is shown what waits for a person, whoever decides it.
func sees(a accounts.Actor, n *app.Need) bool {
	if n.Act == accounts.People && !a.May(accounts.ReadPeople) {
		return false
	}
	return n.Of(a.Lists)
}

// reachedShown is how many organisations of which nobody can be reached are named.
const reachedShown = 5

func homeNeed(n *app.Need, names map[int64]string) adminpage.HomeNeed {
	shown := adminpage.HomeNeed{
		Kind: string(n.Kind), URL: n.Path(), List: names[n.List], Name: n.Name, Rhythm: n.Rhythm, Date: n.Date,
		Count: n.Count, Since: n.Since, Deadline: n.Deadline, Why: n.Why, Act: string(n.Act),
	}
	if n.List != 0 && n.Rhythm == "" {
		shown.Name = names[n.List]
	}
	for _, o := range n.Unreached[:min(len(n.Unreached), reachedShown)] {
		shown.Some = append(shown.Some, adminpage.HomeLink{URL: "/admin/organisations/" + strconv.FormatInt(o.ID, 10), Name: o.Name})
	}
	return shown
}

func homeEditions(editions []edition.Edition, names map[int64]string) (shown []adminpage.HomeEdition) {
	for i := range editions {
		e := &editions[i]
		line := adminpage.HomeEdition{
			URL: "/admin/editions/" + e.ID.String(), List: names[e.ListID], Rhythm: e.Rhythm, Date: e.LocalDate, Recipients: e.Recipients, State: string(e.State),
		}
		if e.FinishedAt != nil {
			line.At = *e.FinishedAt
		}
		shown = append(shown, line)
	}
	return shown
}

// plots draws the days, and has them as a table, the latest first.
func (s *site) plots(v *visit, days []app.Day) (plots []adminpage.HomePlot, table []adminpage.HomeDay, err error) {
	for _, row := range []struct {
		what string
		of   func(app.Day) int
	}{
		{"sent", func(d app.Day) int { return d.Sent }},
		{"deferred", func(d app.Day) int { return d.Deferred }},
		{"bounced", func(d app.Day) int { return d.Bounced }},
		{"unsubscribed", func(d app.Day) int { return d.Unsubscribed }},
	} {
		p := adminpage.HomePlot{What: row.what, First: days[0].Date, Last: days[len(days)-1].Date}
		values := make([]int, len(days))
		for i, d := range days {
			values[i] = row.of(d)
			p.Sum += values[i]
		}
		svg, err := plot.Bars(values, s.pages.Words(s.frame(v, nil).Language).Number)
		if err != nil {
			return nil, nil, err
		}
		p.SVG = template.HTML(strings.Replace(svg, "<svg ", `<svg aria-hidden="true" focusable="false" `, 1)) //nolint:gosec // it holds our numbers alone
		plots = append(plots, p)
	}
	for i := len(days) - 1; i >= 0; i-- {
		d := days[i]
		table = append(table, adminpage.HomeDay{Date: d.Date, Sent: d.Sent, Deferred: d.Deferred, Bounced: d.Bounced, Unsubscribed: d.Unsubscribed})
	}
	return plots, table, nil
}

// homeLive follows what changes on Home.
func (s *site) homeLive(v *visit) (adminpage.Page, error) {
	return s.stream(v, func(ctx context.Context, send func(string, any) error) error {
		said := map[string]string{}
		for {
			page, err := s.homeNow(v)
			if err != nil {
				return err
			}
			for _, part := range []string{"needs", "going"} {
				now, err := s.liven(v, page, part)
				if err != nil {
					return err
				}
				if now == said[part] {
					continue
				}
				if said[part] = now; send(part, now) != nil {
					return errGone
				}
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(homeEvery):
			}
		}
	})
}

// waitingFor is for how long a count of what needs a person stands on the other pages.
const waitingFor = 5 * time.Second

// needsKept are what needed a person a moment ago: every page says how many things these are.
type needsKept struct {
	mu    sync.Mutex
	needs []app.Need
	until time.Time
}

func (k *needsKept) keep(needs []app.Need, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.needs, k.until = needs, now.Add(waitingFor)
}

// forget has the next page look anew.
func (k *needsKept) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.until = time.Time{}
}

// waiting returns how many things need somebody, and whether the database is held. What cannot be read counts as none: the page that was asked for is
// more important.
func (s *site) waiting(ctx context.Context, who accounts.Actor) (n int, held bool) {
	now := s.App.Clock.Now()
	s.needs.mu.Lock()
	defer s.needs.mu.Unlock()
	if !now.Before(s.needs.until) {
		needs, err := s.App.Needs(ctx)
		if err != nil {
			return 0, false
		}
		s.needs.needs, s.needs.until = needs, now.Add(waitingFor)
	}
	for i := range s.needs.needs {
		need := &s.needs.needs[i]
		held = held || need.Kind == app.NeedAdopt
		if need.DecidedBy(who) {
			n++
		}
	}
	return n, held
}
