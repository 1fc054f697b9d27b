package admin

import (
	"slices"
	"strings"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/templates/adminpage"
)

func (s *site) sourcesRoutes() []route {
	return []route{
		{pattern: "GET /admin/sources", needs: accounts.Read, do: s.sources},
		{pattern: "GET /admin/sources/new", needs: accounts.Edit, do: s.sourceNew},
		{pattern: "POST /admin/sources/new", needs: accounts.Edit, do: s.sourceLook},
		{pattern: "POST /admin/sources", needs: accounts.Edit, do: s.sourceAdd},
		{pattern: "GET /admin/sources/{slug}", needs: accounts.Read, do: s.source},
		{pattern: "GET /admin/sources/{slug}/edit", needs: accounts.Edit, do: s.sourceEdit},
		{pattern: "POST /admin/sources/{slug}/edit", needs: accounts.Edit, do: s.sourceChange, form: []string{"section", "language", "every", "images"}},
		{pattern: "POST /admin/sources/{slug}/poll", needs: accounts.Edit, do: s.sourcePoll},
		{pattern: "POST /admin/sources/{slug}/pause", needs: accounts.Edit, do: s.sourcePause},
		{pattern: "POST /admin/sources/{slug}/resume", needs: accounts.Edit, do: s.sourceResume},
		{pattern: "POST /admin/sources/{slug}/release", needs: accounts.Edit, do: s.sourceRelease},
		{pattern: "POST /admin/sources/{slug}/discard", needs: accounts.Edit, do: s.sourceDiscard},
		{pattern: "GET /admin/sources/{slug}/remove", needs: accounts.Edit, do: s.sourceRemove},
		{pattern: "POST /admin/sources/{slug}/remove", needs: accounts.Edit, do: s.sourceRemoved},
	}
}

// rows is how many rows a table shows.
const rows = 50

func (s *site) sources(v *visit) (adminpage.Page, error) {
	all, err := s.App.SourceList(v.Context())
	if err != nil {
		return nil, err
	}
	page := adminpage.Sources{}
	from, _ := slices.BinarySearchFunc(all, v.query("after")+"\x00", func(a app.SourceStatus, slug string) int { return strings.Compare(a.Slug, slug) })
	if v.query("after") == "" {
		from = 0
	}
	to := min(from+rows, len(all))
	for _, one := range all[from:to] {
		page.All = append(page.All, sourceRow(one))
	}
	if from > 0 {
		page.Pager.FirstURL = "/admin/sources"
	}
	if to < len(all) {
		page.Pager.NextURL = address("/admin/sources", "after", all[to-1].Slug)
	}
	return page, nil
}

func sourceRow(one app.SourceStatus) adminpage.SourceRow {
	return adminpage.SourceRow{
		Slug: one.Slug, Kind: one.Kind, URL: one.URL, Articles: one.Articles, Held: one.Held, Failure: one.Failure, Remark: one.Remark, HeldWhy: one.HeldWhy,
		PolledAt: one.PolledAt, NextPollAt: one.NextPollAt, FailingSince: one.FailingSince, LastArticle: one.LastArticle, QuietSince: one.QuietSince,
		PausedAt: one.PausedAt,
	}
}

func (s *site) source(v *visit) (adminpage.Page, error) {
	status, waiting, err := s.App.SourceShow(v.Context(), v.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	source, err := s.App.Articles.SourceBySlug(v.Context(), s.App.DB, status.Slug)
	if err != nil {
		return nil, err
	}
	page := adminpage.Source{
		SourceRow: sourceRow(status), Section: source.Section, Language: source.Language, Every: source.Every, MovedURL: status.MovedURL,
		Due: source.Settings.FirstPoll == articles.FirstPollDue, ChangedAt: status.ChangedAt, Added: status.Added, Changed: status.Changed,
		Failures: status.Failures, Can: source.Polled(),
	}
	for _, w := range waiting[:min(len(waiting), rows)] {
		page.Waiting = append(page.Waiting, waitingRow(w))
	}
	page.WaitingMore = len(waiting) > rows
	return page, nil
}

func waitingRow(w articles.Waiting) adminpage.WaitingRow {
	return adminpage.WaitingRow{ID: w.ID, Source: w.Source, Title: w.Title, State: string(w.State), ArrivedAt: w.ArrivedAt, PublishAt: w.PublishAt}
}

func (s *site) sourcePoll(v *visit) (adminpage.Page, error) {
	slug := v.PathValue("slug")
	if err := s.App.PollSoon(v.Context(), slug); err != nil {
		return nil, err
	}
	return v.leave("/admin/sources/"+slug, "source_polled")
}

func (s *site) sourcePause(v *visit) (adminpage.Page, error) {
	return s.setSourcePause(v, true, "source_paused")
}

func (s *site) sourceResume(v *visit) (adminpage.Page, error) {
	return s.setSourcePause(v, false, "source_resumed")
}

func (s *site) setSourcePause(v *visit, pause bool, done string) (adminpage.Page, error) {
	slug := v.PathValue("slug")
	if err := s.App.PauseSource(v.Context(), slug, pause); err != nil {
		return nil, err
	}
	return v.leave("/admin/sources/"+slug, done)
}

func (s *site) sourceRelease(v *visit) (adminpage.Page, error) {
	slug := v.PathValue("slug")
	if _, err := s.App.ReleaseSource(v.Context(), slug); err != nil {
		return nil, err
	}
	return v.leave("/admin/sources/"+slug, "source_released")
}

func (s *site) sourceDiscard(v *visit) (adminpage.Page, error) {
	slug := v.PathValue("slug")
	if _, err := s.App.DiscardSource(v.Context(), slug); err != nil {
		return nil, err
	}
	return v.leave("/admin/sources/"+slug, "source_discarded")
}

func (s *site) sourceRemove(v *visit) (adminpage.Page, error) {
	status, _, err := s.App.SourceShow(v.Context(), v.PathValue("slug"))
	return adminpage.SourceRemove{Slug: status.Slug, Articles: status.Articles, Held: status.Held + status.Waiting}, err
}

func (s *site) sourceRemoved(v *visit) (adminpage.Page, error) {
	if err := s.App.RemoveSource(v.Context(), v.PathValue("slug")); err != nil {
		return nil, err
	}
	return v.leave("/admin/sources", "source_removed")
}

// interval reads how often a source is polled; 0 for what is none.
func interval(text string) time.Duration {
	every, err := time.ParseDuration(text)
	if err != nil {
		return 0
	}
	return every
}
