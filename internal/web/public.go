package web

import (
	"html/template"
	"net/http"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/templates"
)

// article shows one article on a page of its own.
func (s *site) article(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
	a, err := s.Articles.BySlug(r.Context(), s.DB, r.PathValue("slug"))
	if err != nil {
		return nil, err
	}
	if a.WithdrawnAt != nil {
		return nil, errs.New(errs.Gone, "the article %q was withdrawn", a.Slug)
	}
	group, err := s.Articles.Translations(r.Context(), s.DB, a.GroupID)
	if err != nil {
		return nil, err
	}
	page := templates.ArticlePage{
		Title: a.Title, Language: a.Language, Section: a.Section, Published: a.PublishedAt, Authors: a.Authors,
		Body: template.HTML(a.HTML), //nolint:gosec // cleaned by articles.Clean when it was taken in
		Tags: a.Tags, SourceURL: a.URL, URL: s.PublicURL + "/articles/" + a.Slug, FeedsURL: s.PublicURL + "/feeds/",
	}
	for _, t := range group {
		if t.ID != a.ID {
			page.Translations = append(page.Translations, translation(&t, s.PublicURL))
		}
	}
	page.Feeds, err = s.feedLinks(r, feedsOf(&a)...)
	return page, err
}

// feedsOf returns the slugs of feeds that an article is in: of all articles, of its section and of its language.
func feedsOf(a *articles.Article) []string {
	slugs := []string{allFeed}
	if a.Section != "" {
		slugs = append(slugs, feeds.SectionSlug(a.Section))
	}
	return append(slugs, feeds.LanguageSlug(a.Language))
}

func translation(a *articles.Article, publicURL string) templates.Translation {
	return templates.Translation{Language: a.Language, Title: a.Title, URL: publicURL + "/articles/" + a.Slug}
}
