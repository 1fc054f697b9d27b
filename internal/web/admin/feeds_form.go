package admin

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"silkpost/feeds"
	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/templates/adminpage"
)

func (s *site) feedNew(v *visit) (adminpage.Page, error) {
	return s.feedForm(v, "", adminpage.Fields{"title_language": {v.actor.Language}, "title": {""}}, nil)
}

// feedForm shows the form of a feed with what stands in its fields.
func (s *site) feedForm(v *visit, slug string, fields adminpage.Fields, mistakes adminpage.Mistakes) (page adminpage.FeedForm, err error) {
	page = adminpage.FeedForm{Slug: slug, Fields: fields, Mistakes: mistakes}
	for i, text := range fields["title"] {
		tag := ""
		if i < len(fields["title_language"]) {
			tag = fields["title_language"][i]
		}
		page.Titles = append(page.Titles, adminpage.FeedTitle{Language: tag, Text: text})
	}
	if last := len(page.Titles) - 1; last < 0 || page.Titles[last].Text != "" {
		page.Titles = append(page.Titles, adminpage.FeedTitle{}) // room for one more
	}
	all, err := s.App.Feeds.List(v.Context(), s.App.DB)
	if err != nil {
		return page, err
	}
	sel := selection(fields)
	for _, p := range []struct {
		name   string
		kind   feeds.Kind
		chosen []string
		values func(f *feeds.Feed) []string
	}{
		{"sections", feeds.OfSection, sel.Sections, func(f *feeds.Feed) []string { return f.Sections }},
		{"tags", feeds.OfTag, sel.Tags, func(f *feeds.Feed) []string { return f.Tags }},
		{"languages", feeds.OfLanguage, sel.Languages, func(f *feeds.Feed) []string { return f.Languages }},
		{"sources", feeds.OfSource, sel.Sources, func(f *feeds.Feed) []string { return f.Sources }},
	} {
		page.Picks = append(page.Picks, picks(p.name, all, p.kind, p.values, p.chosen))
	}
	return page, nil
}

// picks are the values of a kind that most articles have; what was chosen beyond these stands in the field for others.
func picks(name string, all []feeds.Feed, kind feeds.Kind, values func(*feeds.Feed) []string, chosen []string) adminpage.Picks {
	const most = 24
	p := adminpage.Picks{Name: name}
	for i := range all {
		if f := &all[i]; f.Kind == kind && len(values(f)) > 0 {
			p.All = append(p.All, adminpage.Pick{Value: values(f)[0], Count: f.Articles})
		}
	}
	slices.SortStableFunc(p.All, func(a, b adminpage.Pick) int { return b.Count - a.Count })
	p.All = p.All[:min(len(p.All), most)]
	var more []string
	for _, value := range chosen {
		at := slices.IndexFunc(p.All, func(pick adminpage.Pick) bool { return pick.Value == value })
		if at < 0 {
			more = append(more, value)
			continue
		}
		p.All[at].Chosen = true
	}
	p.More = strings.Join(more, "\n")
	return p
}

// feedOf reads the form of a feed.
func feedOf(slug string, form adminpage.Fields) (f feeds.Feed, err error) {
	f = feeds.Feed{Slug: slug, Title: database.StringMap{}, Selection: selection(form), Content: feeds.Content(form.Get("content"))}
	for i, text := range form["title"] {
		if text = strings.TrimSpace(text); text != "" && i < len(form["title_language"]) {
			f.Title[strings.TrimSpace(form["title_language"][i])] = text
		}
	}
	if limit := strings.TrimSpace(form.Get("limit")); limit != "" {
		if f.Limit, err = strconv.Atoi(limit); err != nil || f.Limit < 1 {
			return f, errs.New(errs.Invalid, "limit is %q: use 1 to 1000", limit)
		}
	}
	if slug == "new" {
		return f, errs.New(errs.Invalid, `slug "new" is an address of these pages: choose another slug`)
	}
	return f, nil
}

func (s *site) feedAdd(v *visit) (adminpage.Page, error) {
	return s.feedSet(v, "", strings.TrimSpace(v.PostForm.Get("slug")), s.App.AddFeed)
}

func (s *site) feedEdit(v *visit) (adminpage.Page, error) {
	f, err := s.declaredFeed(v)
	if err != nil {
		return nil, err
	}
	fields := adminpage.Fields{
		"slug": {f.Slug}, "content": {string(f.Content)}, "limit": {strconv.Itoa(f.Limit)},
		"sections": f.Sections, "tags": f.Tags, "languages": f.Languages, "sources": f.Sources,
	}
	for _, tag := range slices.Sorted(maps.Keys(f.Title)) {
		fields["title_language"], fields["title"] = append(fields["title_language"], tag), append(fields["title"], f.Title[tag])
	}
	return s.feedForm(v, f.Slug, fields, nil)
}

// declaredFeed returns the feed of the address, if it is one that was declared.
func (s *site) declaredFeed(v *visit) (feeds.Feed, error) {
	f, err := s.App.Feeds.Find(v.Context(), s.App.DB, v.PathValue("slug"))
	if err == nil && f.Kind != feeds.Declared {
		err = errs.New(errs.Conflict, "the feed %q comes with the articles and cannot be changed", f.Slug)
	}
	return f, err
}

func (s *site) feedChange(v *visit) (adminpage.Page, error) {
	f, err := s.declaredFeed(v)
	if err != nil {
		return nil, err
	}
	return s.feedSet(v, f.Slug, f.Slug, s.App.UpdateFeed)
}

// feedSet takes the form of a feed, or shows what it would hold. was is its slug; "": it is new.
func (s *site) feedSet(v *visit, was, slug string, set func(context.Context, feeds.Feed) error) (adminpage.Page, error) {
	form := v.fields()
	preview := form.Get("do") == "preview"
	want, err := feedOf(slug, form)
	switch {
	case err == nil && preview:
		return s.feedPreview(v, was, want.Selection)
	case err == nil:
		err = set(v.Context(), want)
	}
	if err == nil {
		return v.leave("/admin/feeds/"+slug, map[bool]string{true: "feed_added", false: "saved"}[was == ""])
	}
	if !told(err) {
		return nil, err
	}
	page, failed := s.feedForm(v, was, form, feedMistakes(err))
	if failed != nil {
		return nil, failed
	}
	return v.again(page)
}

// feedPreview shows the form again, with what the selection in it finds.
func (s *site) feedPreview(v *visit, was string, sel articles.Selection) (adminpage.Page, error) {
	const shown = 10
	page, err := s.feedForm(v, was, v.fields(), nil)
	if err != nil {
		return nil, err
	}
	newest, count, err := s.App.PreviewFeed(v.Context(), sel, shown)
	if err != nil {
		return nil, err
	}
	page.Previewed, page.Count, page.Many = true, min(count, app.FoundMost), count > app.FoundMost
	page.Newest, err = s.articleRows(v, newest)
	return page, err
}

// feedMistakes puts an error to the field that it is about.
func feedMistakes(err error) adminpage.Mistakes {
	text := err.Error()
	for _, f := range []struct{ field, says string }{
		{"title-0", "title: "}, {"limit", "limit is"}, {"sources_more", "select sources"}, {"languages_more", "select: "}, {"slug", "slug"},
	} {
		if strings.Contains(text, f.says) {
			return adminpage.Mistakes{f.field: text}
		}
	}
	return adminpage.Mistakes{"": text}
}
