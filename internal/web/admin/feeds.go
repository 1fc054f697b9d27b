package admin

import (
	"slices"
	"strings"
	"time"

	"silkpost/feeds"
	"silkpost/internal/accounts"
	"silkpost/internal/articles"
	"silkpost/templates/adminpage"
)

func (s *site) feedsRoutes() []route {
	return []route{
		{pattern: "GET /admin/feeds", needs: accounts.Read, do: s.feeds},
		{pattern: "GET /admin/feeds/new", needs: accounts.Edit, do: s.feedNew},
		{pattern: "POST /admin/feeds", needs: accounts.Edit, do: s.feedAdd},
		{pattern: "GET /admin/feeds/{slug}", needs: accounts.Read, do: s.feed},
		{pattern: "GET /admin/feeds/{slug}/edit", needs: accounts.Edit, do: s.feedEdit},
		{pattern: "POST /admin/feeds/{slug}/edit", needs: accounts.Edit, do: s.feedChange, form: []string{"title", "title_language", "sections_more", "tags_more", "languages_more", "sources_more", "limit"}},
		{pattern: "POST /admin/feeds/{slug}/rename", needs: accounts.Edit, do: s.feedRename},
		{pattern: "GET /admin/feeds/{slug}/remove", needs: accounts.Edit, do: s.feedRemove},
		{pattern: "POST /admin/feeds/{slug}/remove", needs: accounts.Edit, do: s.feedRemoved},

		{pattern: "GET /admin/hubs", needs: accounts.Read, do: s.hubs},
		{pattern: "POST /admin/hubs", needs: accounts.Edit, do: s.hubAdd},
		{pattern: "POST /admin/hubs/remove", needs: accounts.Edit, do: s.hubRemove},

		{pattern: "GET /admin/private-feeds", needs: accounts.ReadPeople, do: s.privateFeeds},
		{pattern: "POST /admin/private-feeds", needs: accounts.People, do: s.privateFeedMake},
		{pattern: "POST /admin/private-feeds/{id}/revoke", needs: accounts.People, of: s.privateFeedLists, do: s.privateFeedRevoke},
	}
}

var feedKinds = []feeds.Kind{feeds.Declared, feeds.OfSection, feeds.OfLanguage, feeds.OfTag, feeds.OfSource}

func (s *site) feeds(v *visit) (adminpage.Page, error) {
	kind := feeds.Kind(v.query("kind"))
	if !slices.Contains(feedKinds, kind) {
		kind = feeds.Declared
	}
	page := adminpage.Feeds{Kind: string(kind), Query: strings.TrimSpace(v.query("q"))}
	all, err := s.App.Feeds.List(v.Context(), s.App.DB)
	if err != nil {
		return nil, err
	}
	wanted := strings.ToLower(page.Query)
	after := v.query("after")
	for i := range all {
		row := s.feedRow(v, &all[i])
		switch {
		case all[i].Kind != kind || !strings.Contains(strings.ToLower(row.Title+" "+row.Slug), wanted):
		case after != "": // they are in the order of the list, and the last one that was shown is passed over
			if row.Slug == after {
				after = ""
			}
		case len(page.Rows) == rows:
			page.Pager.NextURL = address("/admin/feeds", "kind", v.query("kind"), "q", page.Query, "after", page.Rows[rows-1].Slug)
		default:
			page.Rows = append(page.Rows, row)
		}
	}
	if v.query("after") != "" {
		page.Pager.FirstURL = address("/admin/feeds", "kind", v.query("kind"), "q", page.Query)
	}
	return page, nil
}

func (s *site) feedRow(v *visit, f *feeds.Feed) adminpage.FeedRow {
	title, tag := f.Name(v.actor.Language)
	if tag == "und" {
		tag = ""
	}
	public := s.App.PublicURL()
	return adminpage.FeedRow{
		Slug: f.Slug, Title: title, Language: tag, Articles: f.Articles, Items: f.Items(),
		RSS: feeds.URL(public, f.Slug, feeds.RSS), Atom: feeds.URL(public, f.Slug, feeds.Atom), JSON: feeds.URL(public, f.Slug, feeds.JSON),
	}
}

func (s *site) feed(v *visit) (adminpage.Page, error) {
	f, err := s.App.Feeds.Find(v.Context(), s.App.DB, v.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	if f.Slug != v.PathValue("slug") { // it is called otherwise now
		return v.leave("/admin/feeds/"+f.Slug, "")
	}
	return s.feedPage(v, &f, nil)
}

// feedPage shows a feed; mistakes are those of the form that renames it.
func (s *site) feedPage(v *visit, f *feeds.Feed, mistakes adminpage.Mistakes) (page adminpage.Feed, err error) {
	const shown = 10
	page = adminpage.Feed{
		FeedRow: s.feedRow(v, f), Kind: string(f.Kind), Summary: f.Content == feeds.Summary, Limit: f.Limit, PageURL: s.App.PublicURL() + "/feeds/",
		Selection: adminpage.FeedSelection{Sections: f.Sections, Tags: f.Tags, Languages: f.Languages, Sources: f.Sources},
		Fixed:     f.Slug == "all" || f.Kind != feeds.Declared, Mistakes: mistakes, Fields: v.fields(),
	}
	if f.ChangedAt.Year() > time.Unix(0, 0).Year() {
		page.ChangedAt = &f.ChangedAt
	}
	newest, err := s.App.Articles.Newest(v.Context(), s.App.DB, f.Selection, shown)
	if err != nil {
		return page, err
	}
	page.Newest, err = s.articleRows(v, newest)
	return page, err
}

func (s *site) feedRename(v *visit) (adminpage.Page, error) {
	f, err := s.App.RenameFeed(v.Context(), v.PathValue("slug"), strings.TrimSpace(v.PostForm.Get("slug")))
	if err != nil && told(err) {
		there, failed := s.App.Feeds.Find(v.Context(), s.App.DB, v.PathValue("slug"))
		if failed != nil {
			return nil, failed
		}
		page, failed := s.feedPage(v, &there, adminpage.Mistakes{"slug": err.Error()})
		if failed != nil {
			return nil, failed
		}
		return v.again(page)
	}
	if err != nil {
		return nil, err
	}
	return v.leave("/admin/feeds/"+f.Slug, "feed_renamed")
}

func (s *site) feedRemove(v *visit) (adminpage.Page, error) {
	f, err := s.App.Feeds.Find(v.Context(), s.App.DB, v.PathValue("slug"))
	title, _ := f.Name(v.actor.Language)
	return adminpage.FeedRemove{Slug: f.Slug, Title: title}, err
}

func (s *site) feedRemoved(v *visit) (adminpage.Page, error) {
	if _, err := s.App.RemoveFeed(v.Context(), v.PathValue("slug")); err != nil {
		return nil, err
	}
	return v.leave("/admin/feeds", "feed_removed")
}

func (s *site) hubs(v *visit) (adminpage.Page, error) { return s.hubsPage(v, nil) }

func (s *site) hubsPage(v *visit, mistakes adminpage.Mistakes) (page adminpage.Hubs, err error) {
	page = adminpage.Hubs{Fields: v.fields(), Mistakes: mistakes}
	all, err := s.App.Feeds.HubStates(v.Context(), s.App.DB)
	for _, hub := range all {
		page.Rows = append(page.Rows, adminpage.HubRow{URL: hub.URL, ToldAt: hub.ToldAt, Waiting: hub.Waiting, Failures: hub.Failures, Failure: hub.Failure})
	}
	return page, err
}

func (s *site) hubAdd(v *visit) (adminpage.Page, error) {
	err := s.App.SetHub(v.Context(), v.PostForm.Get("url"), true)
	if err != nil && told(err) {
		page, failed := s.hubsPage(v, adminpage.Mistakes{"url": err.Error()})
		if failed != nil {
			return nil, failed
		}
		return v.again(page)
	}
	if err != nil {
		return nil, err
	}
	return v.leave("/admin/hubs", "saved")
}

func (s *site) hubRemove(v *visit) (adminpage.Page, error) {
	if err := s.App.SetHub(v.Context(), v.PostForm.Get("url"), false); err != nil {
		return nil, err
	}
	return v.leave("/admin/hubs", "removed")
}

// selection reads which articles are chosen in a form.
func selection(form adminpage.Fields) articles.Selection {
	chosen := func(name string) (all []string) {
		for _, value := range slices.Concat(form[name], lined(form.Get(name+"_more"))) {
			if value = strings.TrimSpace(value); value != "" && !slices.Contains(all, value) {
				all = append(all, value)
			}
		}
		return all
	}
	return articles.Selection{Sections: chosen("sections"), Tags: chosen("tags"), Languages: chosen("languages"), Sources: chosen("sources")}
}
