package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/language"
)

// Image is a picture of an article.
type Image struct {
	URL string `json:"url" maxLength:"2000" doc:"Web address."`
	Alt string `json:"alt,omitempty" maxLength:"1000" doc:"What the picture shows."`
}

// Article is an article as it stands.
type Article struct {
	ID          int64      `json:"id"`
	Slug        string     `json:"slug"`
	Source      string     `json:"source"`
	ExternalKey string     `json:"external_key"`
	GUID        string     `json:"guid"`
	URL         string     `json:"url" doc:"The source's own page; empty: it has none."`
	Page        string     `json:"page" doc:"Our page of it."`
	Title       string     `json:"title"`
	Summary     string     `json:"summary"`
	HTML        string     `json:"html,omitempty" doc:"Clean. Left out of lists."`
	Text        string     `json:"text,omitempty" doc:"Left out of lists."`
	Language    string     `json:"language"`
	Group       int64      `json:"group" doc:"Articles with the same one are translations of one another."`
	Section     string     `json:"section"`
	Tags        []string   `json:"tags"`
	Authors     []string   `json:"authors"`
	Image       *Image     `json:"image,omitempty"`
	Urgent      bool       `json:"urgent"`
	Pinned      bool       `json:"pinned"`
	Archive     bool       `json:"archive" doc:"In feeds, never due for a digest."`
	PublishedAt time.Time  `json:"published_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	FirstSeenAt time.Time  `json:"first_seen_at"`
	WithdrawnAt *time.Time `json:"withdrawn_at" doc:"Null: it is published."`
}

func (s *site) articleOf(e *articles.Entry) Article {
	a := Article{
		ID: e.ID, Slug: e.Slug, Source: e.Source, ExternalKey: e.ExternalKey, GUID: e.GUID, URL: e.URL, Page: s.pageOf(e.Slug), Title: e.Title, Summary: e.Summary,
		HTML: e.HTML, Text: e.Text, Language: e.Language, Group: e.GroupID, Section: e.Section, Tags: list(e.Tags), Authors: list(e.Authors),
		Urgent: e.Urgent, Pinned: e.Pinned, Archive: e.Archive, PublishedAt: e.PublishedAt, UpdatedAt: e.UpdatedAt, FirstSeenAt: e.FirstSeenAt,
		WithdrawnAt: e.WithdrawnAt,
	}
	if e.ImageURL != "" {
		a.Image = &Image{URL: e.ImageURL, Alt: e.ImageAlt}
	}
	return a
}

func (s *site) pageOf(slug string) string {
	if slug == "" {
		return ""
	}
	return s.App.PublicURL() + "/articles/" + slug
}

func (s *site) articleOperations() []operation {
	const group = "articles"
	withdrawn := "It leaves every feed, its page and every digest that is not sent yet."
	return []operation{
		{
			id: "list-articles", on: "GET /articles", needs: accounts.Read, group: group, title: "List articles",
			says: "Those that came last first.", register: does(s, s.listArticles),
		},
		{
			id: "get-article", on: "GET /articles/{slug}", needs: accounts.Read, group: group, title: "Get an article",
			errors: []int{http.StatusNotFound}, register: does(s, s.getArticle),
		},
		{
			id: "create-article", on: "POST /articles", needs: accounts.Edit, group: group, title: "Bring an article",
			says: "The source must be of kind `api`. Bringing the same key again changes the article; bringing the same content again changes nothing.",
			most: articleBody, errors: []int{http.StatusConflict}, register: does(s, s.createArticle),
		},
		{
			id: "create-articles", on: "POST /articles/bulk", needs: accounts.Edit, group: group, title: "Bring many articles",
			says: "All or none, unless `keep_going` is set: then each is judged by itself, the good ones are taken and the others told, " +
				"also of what this document does not allow in them.",
			most: bulkBody, errors: []int{http.StatusConflict},
			apart: true, register: does(s, s.createArticles),
		},
		{
			id: "withdraw-article", on: "POST /articles/{slug}/withdraw", needs: accounts.Edit, group: group, title: "Withdraw an article", says: withdrawn,
			errors: []int{http.StatusNotFound, http.StatusConflict}, register: does(s, s.withdrawArticle),
		},
		{
			id: "restore-article", on: "POST /articles/{slug}/restore", needs: accounts.Edit, group: group, title: "Publish a withdrawn article again",
			errors: []int{http.StatusNotFound, http.StatusConflict}, register: does(s, s.restoreArticle),
		},
		{
			id: "mark-article", on: "POST /articles/{slug}/mark", needs: accounts.Edit, group: group, title: "Mark an article urgent or pinned, or take that back",
			errors: []int{http.StatusNotFound, http.StatusConflict}, register: does(s, s.markArticle),
		},
		{
			id: "put-article", on: "PUT /sources/{source}/articles/{key}", needs: accounts.Edit, group: group, title: "Bring an article under its key",
			says: "As `create-article`. With `If-None-Match: *` only when the key is new.", most: articleBody,
			errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed}, register: does(s, s.putArticle),
		},
		{
			id: "find-article", on: "GET /sources/{source}/articles/{key}", needs: accounts.Read, group: group, title: "See what became of an article that was brought",
			errors: []int{http.StatusNotFound, http.StatusConflict}, register: does(s, s.findArticle),
		},
		{
			id: "take-back-article", on: "DELETE /sources/{source}/articles/{key}", needs: accounts.Edit, group: group, title: "Take an article back",
			says:   "A published article is withdrawn: " + strings.ToLower(withdrawn[:1]) + withdrawn[1:] + " What waits under the key is dropped.",
			errors: []int{http.StatusNotFound, http.StatusConflict}, register: does(s, s.takeBackArticle),
		},
	}
}

type listArticlesInput struct {
	Paging
	Source      string    `query:"source" maxLength:"100" doc:"Of this source."`
	ExternalKey string    `query:"external_key" maxLength:"500" doc:"Which the source calls so."`
	Section     string    `query:"section" maxLength:"200"`
	Tag         string    `query:"tag" maxLength:"200"`
	Language    string    `query:"language" maxLength:"35" doc:"BCP 47; compared by language and script."`
	State       string    `query:"state" enum:"published,withdrawn" doc:"Left out, either."`
	Since       time.Time `query:"since" doc:"Changed, first seen or withdrawn at this time or later."`
}

func (s *site) listArticles(ctx context.Context, in *listArticlesInput) (*Listed[Article], error) {
	var before int64
	if err := in.after(&before); err != nil {
		return nil, err
	}
	f := articles.Filter{Source: in.Source, ExternalKey: in.ExternalKey, Section: in.Section, Tag: in.Tag, Since: in.Since}
	if in.Language != "" {
		tag, err := language.Parse(in.Language)
		if err != nil {
			return nil, wrongAt("query.language", err.Error())
		}
		f.Language = tag
	}
	if in.State != "" {
		withdrawn := in.State == "withdrawn"
		f.Withdrawn = &withdrawn
	}
	found, err := s.App.Articles.Entries(ctx, s.App.DB, f, before, in.most())
	if err != nil {
		return nil, err
	}
	return page(in.Paging, found, func(e *articles.Entry) Article { return s.articleOf(e) }, func(e *articles.Entry) any { return e.ID })
}

func (s *site) getArticle(ctx context.Context, in *AtSlug) (*Record[Article], error) {
	e, err := s.App.Articles.EntryBySlug(ctx, s.App.DB, in.Slug)
	if err != nil {
		return nil, err
	}
	return record(s.articleOf(&e))
}

// showArticle shows an article as a change left it.
func (s *site) showArticle(slug string) func(ctx context.Context, h database.Handle) (*Answer[Article], error) {
	return func(ctx context.Context, h database.Handle) (*Answer[Article], error) {
		e, err := s.App.Articles.EntryBySlug(ctx, h, slug)
		if err != nil {
			return nil, err
		}
		return answer(http.StatusOK, s.articleOf(&e))
	}
}

// articleChange does something with the article of a slug. A GUID or an address, which commands take as well, is none.
func (s *site) articleChange(ctx context.Context, slug string, do func(ctx context.Context) error) (*Answer[Article], error) {
	if _, err := s.App.Articles.EntryBySlug(ctx, s.App.DB, slug); err != nil {
		return nil, err
	}
	return change(ctx, s, do, s.showArticle(slug))
}

func (s *site) withdrawArticle(ctx context.Context, in *AtSlug) (*Answer[Article], error) {
	return s.articleChange(ctx, in.Slug, func(ctx context.Context) error {
		_, _, err := s.App.WithdrawArticle(ctx, actorOf(ctx).Name, in.Slug)
		return err
	})
}

func (s *site) restoreArticle(ctx context.Context, in *AtSlug) (*Answer[Article], error) {
	return s.articleChange(ctx, in.Slug, func(ctx context.Context) error {
		_, _, err := s.App.RestoreArticle(ctx, in.Slug)
		return err
	})
}

type markInput struct {
	AtSlug
	Body struct {
		Urgent *bool `json:"urgent,omitempty" doc:"Left out, as it is."`
		Pinned *bool `json:"pinned,omitempty" doc:"Left out, as it is."`
	}
}

func (s *site) markArticle(ctx context.Context, in *markInput) (*Answer[Article], error) {
	if in.Body.Urgent == nil && in.Body.Pinned == nil {
		return nil, wrongAt("body", "must say urgent or pinned")
	}
	return s.articleChange(ctx, in.Slug, func(ctx context.Context) error {
		_, _, err := s.App.MarkArticle(ctx, in.Slug, in.Body.Urgent, in.Body.Pinned)
		return err
	})
}
