package api

import (
	"context"
	"net/http"

	"silkpost/feeds"
	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Selection says which articles are meant.
type Selection struct {
	Sections  []string `json:"sections,omitempty" maxItems:"100" doc:"Any of these; left out, whatever."`
	Tags      []string `json:"tags,omitempty" maxItems:"100"`
	Languages []string `json:"languages,omitempty" maxItems:"100" doc:"BCP 47."`
	Sources   []string `json:"sources,omitempty" maxItems:"100" doc:"Slugs of sources."`
}

func selectionOf(s articles.Selection) Selection {
	return Selection{Sections: s.Sections, Tags: s.Tags, Languages: s.Languages, Sources: s.Sources}
}

func (s Selection) articles() articles.Selection {
	return articles.Selection{Sections: s.Sections, Tags: s.Tags, Languages: s.Languages, Sources: s.Sources}
}

// Feed is a selection of articles that feed readers get.
type Feed struct {
	Slug    string            `json:"slug"`
	Kind    string            `json:"kind" enum:"declared,section,language,tag,source" doc:"Only a declared feed can be changed."`
	Title   map[string]string `json:"title" doc:"By language; und: of unknown language."`
	Select  Selection         `json:"select"`
	Content string            `json:"content" enum:"full,summary"`
	Limit   int               `json:"limit" doc:"How many of the newest articles it holds; the rest is in its archive."`
	URLs    FeedURLs          `json:"urls"`
}

// FeedURLs are a feed's addresses.
type FeedURLs struct {
	RSS  string `json:"rss"`
	Atom string `json:"atom"`
	JSON string `json:"json"`
}

// urlsAt returns the addresses of what is at a path below /feeds/.
func (s *site) urlsAt(path string) *FeedURLs {
	at := func(format feeds.Format) string { return feeds.URL(s.App.PublicURL(), path, format) }
	return &FeedURLs{RSS: at(feeds.RSS), Atom: at(feeds.Atom), JSON: at(feeds.JSON)}
}

func (s *site) feedOf(f *feeds.Feed) Feed {
	title := map[string]string(f.Title)
	if title == nil {
		title = map[string]string{}
	}
	return Feed{
		Slug: f.Slug, Kind: string(f.Kind), Title: title, Select: selectionOf(f.Selection), Content: string(f.Content), Limit: f.Limit,
		URLs: *s.urlsAt(f.Slug),
	}
}

// FeedInput is what a feed is declared to be.
type FeedInput struct {
	Title   map[string]string `json:"title,omitempty" maxProperties:"100" doc:"By language."`
	Select  *Selection        `json:"select,omitempty" doc:"Which articles; left out, all."`
	Content string            `json:"content,omitempty" enum:"full,summary" doc:"How much of each article; left out, full."`
	Limit   int               `json:"limit,omitempty" minimum:"1" maximum:"1000" doc:"How many of the newest articles; left out, 50."`
}

func (in *FeedInput) declare(slug string) feeds.Feed {
	f := feeds.Feed{Slug: slug, Title: in.Title, Content: feeds.Content(in.Content), Limit: in.Limit}
	if in.Select != nil {
		f.Selection = in.Select.articles()
	}
	return f
}

func (s *site) feedOperations() []operation {
	const group = "feeds"
	return []operation{
		{
			id: "list-feeds", on: "GET /feeds", needs: accounts.Read, group: group, title: "List feeds",
			says: "Those that were declared, and those that come with sections, languages, tags and sources.", register: does(s, s.listFeeds),
		},
		{
			id: "create-feed", on: "POST /feeds", needs: accounts.Edit, group: group, title: "Make a feed", status: http.StatusCreated,
			errors: []int{http.StatusConflict}, register: does(s, s.createFeed),
		},
		{
			id: "get-feed", on: "GET /feeds/{slug}", needs: accounts.Read, group: group, title: "Get a feed",
			errors: []int{http.StatusNotFound, http.StatusGone}, register: does(s, s.getFeed),
		},
		{
			id: "put-feed", on: "PUT /feeds/{slug}", needs: accounts.Edit, group: group, title: "Change a feed", match: true,
			says: "What is left out gets its default.", errors: []int{http.StatusNotFound, http.StatusGone, http.StatusConflict}, register: does(s, s.putFeed),
		},
		{
			id: "remove-feed", on: "DELETE /feeds/{slug}", needs: accounts.Edit, group: group, title: "Remove a feed", match: true, status: http.StatusNoContent,
			says: "Its addresses say that it is gone. Making a feed of that slug brings it back.", errors: []int{http.StatusNotFound, http.StatusGone},
			register: does(s, s.removeFeed),
		},
	}
}

func (s *site) listFeeds(ctx context.Context, in *struct{ Paging }) (*Listed[Feed], error) {
	var after string
	if err := in.after(&after); err != nil {
		return nil, err
	}
	found, err := s.App.Feeds.Served(ctx, s.App.DB, after, in.most())
	if err != nil {
		return nil, err
	}
	return page(in.Paging, found, s.feedOf, func(f *feeds.Feed) any { return f.Slug })
}

// feed returns the feed of a slug. One that is called otherwise now is not there.
func (s *site) feed(ctx context.Context, h database.Handle, slug string) (feeds.Feed, error) {
	f, err := s.App.Feeds.Find(ctx, h, slug)
	if err == nil && f.Slug != slug {
		err = errs.New(errs.NotFound, "this feed is called %q now", f.Slug)
	}
	return f, err
}

func (s *site) getFeed(ctx context.Context, in *AtSlug) (*Record[Feed], error) {
	f, err := s.feed(ctx, s.App.DB, in.Slug)
	if err != nil {
		return nil, err
	}
	return record(s.feedOf(&f))
}

func (s *site) showFeed(slug string, status int) func(ctx context.Context, h database.Handle) (*Answer[Feed], error) {
	return func(ctx context.Context, h database.Handle) (*Answer[Feed], error) {
		f, err := s.feed(ctx, h, slug)
		if err != nil {
			return nil, err
		}
		out, err := answer(status, s.feedOf(&f))
		if status == http.StatusCreated {
			out.Location = base + "/feeds/" + slug
		}
		return out, err
	}
}

type createFeedInput struct {
	Body struct {
		Slug string `json:"slug" maxLength:"100" pattern:"^[a-z0-9]+(-[a-z0-9]+)*$" patternDescription:"small letters, digits and single hyphens between them" doc:"Of its addresses."`
		FeedInput
	}
}

func (s *site) createFeed(ctx context.Context, in *createFeedInput) (*Answer[Feed], error) {
	slug := in.Body.Slug
	return change(ctx, s, func(ctx context.Context) error {
		return s.App.ChangeFeed(ctx, slug, func(_ context.Context, _ database.Handle, there *feeds.Feed) (app.FeedChange, error) {
			if there != nil {
				return app.FeedChange{}, errs.New(errs.Conflict, "There is a feed %q already.", slug)
			}
			return app.FeedChange{Declare: in.Body.declare(slug)}, nil
		})
	}, s.showFeed(slug, http.StatusCreated))
}

type putFeedInput struct {
	AtSlug
	IfMatch string `header:"If-Match" doc:"The ETag that the feed has."`
	Body    FeedInput
}

func (s *site) putFeed(ctx context.Context, in *putFeedInput) (*Answer[Feed], error) {
	return change(ctx, s, func(ctx context.Context) error {
		return s.App.ChangeFeed(ctx, in.Slug, func(_ context.Context, _ database.Handle, there *feeds.Feed) (app.FeedChange, error) {
			if err := s.seenFeed(ctx, there); err != nil {
				return app.FeedChange{}, err
			}
			return app.FeedChange{Declare: in.Body.declare(in.Slug)}, nil
		})
	}, s.showFeed(in.Slug, http.StatusOK))
}

// seenFeed refuses to change a feed that is not there, comes by itself, or has changed since.
func (s *site) seenFeed(ctx context.Context, there *feeds.Feed) error {
	if there == nil {
		return errs.New(errs.NotFound, "there is no such feed: make it with POST %s/feeds", base)
	}
	if there.Kind != feeds.Declared {
		return errs.New(errs.Conflict, "the feed %q comes with the articles and cannot be changed", there.Slug)
	}
	return callOf(ctx).unmoved(s.feedOf(there))
}

type removeFeedInput struct {
	AtSlug
	IfMatch string `header:"If-Match" doc:"The ETag that the feed has."`
}

func (s *site) removeFeed(ctx context.Context, in *removeFeedInput) (*struct{}, error) {
	return nil, s.App.ChangeFeed(ctx, in.Slug, func(_ context.Context, _ database.Handle, there *feeds.Feed) (app.FeedChange, error) {
		return app.FeedChange{Remove: true}, s.seenFeed(ctx, there)
	})
}
