package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// Image is a picture of an article.
type Image struct {
	URL string `json:"url" maxLength:"2000" doc:"Web address."`
	Alt string `json:"alt,omitempty" maxLength:"1000" doc:"What the picture shows."`
}

// ArticleInput is an article as a program brings it.
type ArticleInput struct {
	Title          string     `json:"title" minLength:"1" maxLength:"2000" doc:"Plain text. What is beyond 300 characters is cut."`
	HTML           string     `json:"html,omitempty" doc:"The text as HTML. It is cleaned: scripts, styles, forms and tracking pixels go."`
	Text           string     `json:"text,omitempty" doc:"The text when there is no HTML: paragraphs parted by blank lines."`
	Summary        string     `json:"summary,omitempty" maxLength:"10000" doc:"Plain text. Left out, the first sentences of the text."`
	URL            string     `json:"url,omitempty" maxLength:"2000" doc:"The article's own page. Links in the HTML are relative to it. Left out, readers are sent to our page of it."`
	GUID           string     `json:"guid,omitempty" maxLength:"500" doc:"The permanent id in feeds. Left out, one is derived from source and key."`
	Language       string     `json:"language,omitempty" maxLength:"35" example:"en" doc:"BCP 47. Left out, the source's; without one it is detected."`
	TranslationKey string     `json:"translation_key,omitempty" maxLength:"500" doc:"Articles of a source with the same one are translations of one another: a reader gets one of them."`
	Section        string     `json:"section,omitempty" maxLength:"200" doc:"Left out, the source's."`
	Tags           []string   `json:"tags,omitempty" maxItems:"50" doc:"In no order."`
	Authors        []string   `json:"authors,omitempty" maxItems:"50"`
	Image          *Image     `json:"image,omitempty"`
	PublishedAt    *time.Time `json:"published_at,omitempty" doc:"Left out or in the future: the time at which it comes. For later publication use not_before."`
	UpdatedAt      *time.Time `json:"updated_at,omitempty"`
	NotBefore      *time.Time `json:"not_before,omitempty" doc:"An embargo: it is published then, as if it had come at that time."`
	Unfinished     bool       `json:"unfinished,omitempty" doc:"A draft: it waits until it is brought without this."`
	Urgent         bool       `json:"urgent,omitempty" doc:"First in digests, and at once to those who get alerts. Taken back with mark-article."`
	Pinned         bool       `json:"pinned,omitempty" doc:"Before the others in digests. Taken back with mark-article."`
}

// KeyedInput is an article with its key.
type KeyedInput struct {
	ExternalKey string `json:"external_key" minLength:"1" maxLength:"500" doc:"What you call it. The same article always has the same key: that makes bringing it again change nothing."`
	ArticleInput
}

// PushedArticle says what became of an article that was brought.
type PushedArticle struct {
	ExternalKey string     `json:"external_key"`
	Change      string     `json:"change" enum:"added,changed,unchanged,removed,refused" doc:"What that did. Refused only where others go on without it."`
	State       string     `json:"state" enum:"published,withdrawn,unfinished,embargoed,held,discarded,unknown" doc:"What it is now. A withdrawn article stays so however often it is brought."`
	Slug        string     `json:"slug,omitempty" doc:"Of its page, once it is published."`
	GUID        string     `json:"guid,omitempty"`
	URL         string     `json:"page,omitempty" doc:"Our page of it."`
	Waits       string     `json:"waits,omitempty" enum:"unfinished,embargoed,held,discarded" doc:"A newer version of a published article waits for this."`
	PublishAt   *time.Time `json:"publish_at,omitempty" doc:"When the embargo ends."`
	Errors      []Mistake  `json:"errors,omitempty" doc:"Why it was refused."`
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

// list returns a list that is never null.
func list(all []string) []string { return append([]string{}, all...) }

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
			says: "All or none, unless `keep_going` is set: then the good ones are taken and the others told.", most: bulkBody, errors: []int{http.StatusConflict},
			register: does(s, s.createArticles),
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

// AtSlug is an address with a slug in it. It is exported, for huma fills in no other embedded structs.
type AtSlug struct {
	Slug string `path:"slug" maxLength:"200"`
}

// Record is one record with the tag of its state.
type Record[T any] struct {
	ETag string `header:"ETag" doc:"Of the state that the record is in."`
	Body T
}

// record answers with one record.
func record[T any](body T) (*Record[T], error) {
	tag, err := tagOf(body)
	return &Record[T]{ETag: tag, Body: body}, err
}

// answer is record for what a change made of it.
func answer[T any](status int, body T) (*Answer[T], error) {
	tag, err := tagOf(body)
	return &Answer[T]{Status: status, ETag: tag, Body: body}, err
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

// draft returns what the program is given of an article, and what is wrong with it. at is where it stands in the body.
func (in *ArticleInput) draft(key, keyAt, at string) (d articles.Draft, found []Mistake) {
	add := func(field, message string) { found = append(found, Mistake{at + field, message}) }
	d = articles.Draft{
		ExternalKey: key, GUID: in.GUID, TranslationKey: in.TranslationKey, URL: in.URL, Title: in.Title, Summary: in.Summary, HTML: in.HTML, Text: in.Text,
		Language: in.Language, Section: in.Section, Tags: in.Tags, Authors: in.Authors, Urgent: in.Urgent, Pinned: in.Pinned, Unfinished: in.Unfinished,
	}
	for _, t := range []struct {
		given *time.Time
		to    *time.Time
	}{{in.PublishedAt, &d.Published}, {in.UpdatedAt, &d.Updated}, {in.NotBefore, &d.NotBefore}} {
		if t.given != nil {
			*t.to = *t.given
		}
	}
	if in.Image != nil {
		d.ImageURL, d.ImageAlt = in.Image.URL, in.Image.Alt
		if articles.WebAddress(in.Image.URL, in.URL) == "" {
			add(".image.url", "must be a web address with http:// or https://")
		}
	}
	if strings.TrimSpace(key) != key || articles.OneLine(key) != key {
		found = append(found, Mistake{keyAt, "must be one line without blanks around it or doubled, and without characters that nobody sees"})
	}
	if in.URL != "" && articles.WebAddress(in.URL, "") == "" {
		add(".url", "must be a web address with http:// or https://")
	}
	if in.HTML != "" && in.Text != "" {
		add(".text", "must be left out where there is html")
	}
	if _, err := language.Parse(in.Language); err != nil && in.Language != "" {
		add(".language", err.Error())
	}
	for i, tag := range in.Tags {
		if len([]rune(tag)) > 100 {
			add(fmt.Sprintf(".tags[%d]", i), "must have 100 characters or less")
		}
	}
	if articles.OneLine(in.Title) == "" {
		add(".title", "must be there")
	} else if len(found) == 0 {
		if err := d.Check(); err != nil {
			add(".html", "must show something: words or a picture, or give a url where they are")
		}
	}
	return d, found
}

// pushed says what became of an article.
func (s *site) pushed(st articles.Standing, change database.Change) PushedArticle {
	p := PushedArticle{
		ExternalKey: st.ExternalKey, Change: string(change), State: string(st.Waits), Slug: st.Slug, GUID: st.GUID, URL: s.pageOf(st.Slug), PublishAt: st.PublishAt,
	}
	switch {
	case st.Withdrawn:
		p.State, p.Waits = "withdrawn", string(st.Waits)
	case st.ArticleID != 0:
		p.State, p.Waits = "published", string(st.Waits)
	case st.Waits == "":
		p.State = "unknown"
	}
	return p
}

// push brings articles and answers with what became of them.
func push[T any](ctx context.Context, s *site, source, at string, drafts []articles.Draft, show func(done []app.Pushed) (*Answer[T], error)) (*Answer[T], error) {
	var done []app.Pushed
	out, err := change(ctx, s, func(ctx context.Context) error {
		if len(drafts) == 0 {
			return nil
		}
		return s.App.PushArticles(ctx, source, drafts, func(all []app.Pushed) { done = all })
	}, func(context.Context, database.Handle) (*Answer[T], error) { return show(done) })
	if kind := errs.KindOf(err); err != nil && at != "" && (kind == errs.NotFound || kind == errs.Conflict) {
		return nil, wrongAt(at, err.Error())
	}
	return out, err
}

type createArticleInput struct {
	Body struct {
		Source string `json:"source" maxLength:"100" doc:"Slug of a source of kind api."`
		KeyedInput
	}
}

func (s *site) createArticle(ctx context.Context, in *createArticleInput) (*Answer[PushedArticle], error) {
	draft, found := in.Body.draft(in.Body.ExternalKey, "body.external_key", "body")
	if len(found) > 0 {
		return nil, wrong(found...)
	}
	return push(ctx, s, in.Body.Source, "body.source", []articles.Draft{draft}, func(done []app.Pushed) (*Answer[PushedArticle], error) {
		return s.broughtOne(in.Body.Source, done[0])
	})
}

func (s *site) broughtOne(source string, done app.Pushed) (*Answer[PushedArticle], error) {
	status := http.StatusOK
	if done.Change == database.Added {
		status = http.StatusCreated
	}
	out := &Answer[PushedArticle]{Status: status, Body: s.pushed(done.Standing, done.Change)}
	out.Location = base + "/sources/" + source + "/articles/" + url.PathEscape(done.ExternalKey)
	return out, nil
}

type createArticlesInput struct {
	Body struct {
		Source    string       `json:"source" maxLength:"100" doc:"Slug of a source of kind api."`
		KeepGoing bool         `json:"keep_going,omitempty" doc:"Take the good ones when there are others."`
		Articles  []KeyedInput `json:"articles" minItems:"1" maxItems:"500"`
	}
}

// PushedArticles says what became of many.
type PushedArticles struct {
	Added     int             `json:"added"`
	Changed   int             `json:"changed"`
	Unchanged int             `json:"unchanged"`
	Refused   int             `json:"refused"`
	Articles  []PushedArticle `json:"articles" doc:"In the order given."`
}

func (s *site) createArticles(ctx context.Context, in *createArticlesInput) (*Answer[PushedArticles], error) {
	refused := make([][]Mistake, len(in.Body.Articles))
	var drafts []articles.Draft
	var all []Mistake
	first := map[string]int{}
	for i := range in.Body.Articles {
		given := &in.Body.Articles[i]
		at := fmt.Sprintf("body.articles[%d]", i)
		draft, found := given.draft(given.ExternalKey, at+".external_key", at)
		if earlier, twice := first[given.ExternalKey]; twice {
			found = append(found, Mistake{at + ".external_key", fmt.Sprintf("is that of articles[%d], too", earlier)})
		} else {
			first[given.ExternalKey] = i
		}
		if refused[i] = found; len(found) == 0 {
			drafts = append(drafts, draft)
		}
		all = append(all, found...)
	}
	if len(all) > 0 && !in.Body.KeepGoing {
		return nil, wrong(all...)
	}
	return push(ctx, s, in.Body.Source, "body.source", drafts, func(done []app.Pushed) (*Answer[PushedArticles], error) {
		out := PushedArticles{Articles: make([]PushedArticle, 0, len(refused))}
		for i, found := range refused {
			if len(found) > 0 {
				out.Refused++
				out.Articles = append(out.Articles, PushedArticle{ExternalKey: in.Body.Articles[i].ExternalKey, Change: "refused", State: "unknown", Errors: found})
				continue
			}
			switch done[0].Change {
			case database.Added:
				out.Added++
			case database.Changed:
				out.Changed++
			default:
				out.Unchanged++
			}
			out.Articles = append(out.Articles, s.pushed(done[0].Standing, done[0].Change))
			done = done[1:]
		}
		return &Answer[PushedArticles]{Status: http.StatusOK, Body: out}, nil
	})
}

// AtKey is the address of what a source calls so.
type AtKey struct {
	Source string `path:"source" maxLength:"100" doc:"Slug of a source of kind api."`
	Key    string `path:"key" maxLength:"500" doc:"What you call the article, percent-encoded."`
}

type putArticleInput struct {
	AtKey
	IfNoneMatch string `header:"If-None-Match" doc:"* takes only an article whose key is new."`
	Body        ArticleInput
}

func (s *site) putArticle(ctx context.Context, in *putArticleInput) (*Answer[PushedArticle], error) {
	if _, err := s.App.PushSource(ctx, s.App.DB, in.Source); err != nil {
		return nil, err
	}
	draft, found := in.Body.draft(in.Key, "path.key", "body")
	if len(found) > 0 {
		return nil, wrong(found...)
	}
	return push(ctx, s, in.Source, "", []articles.Draft{draft}, func(done []app.Pushed) (*Answer[PushedArticle], error) {
		if in.IfNoneMatch == "*" && done[0].Change != database.Added {
			return nil, problem(http.StatusPreconditionFailed, "There is an article with this key already.")
		}
		return s.broughtOne(in.Source, done[0])
	})
}

func (s *site) findArticle(ctx context.Context, in *AtKey) (*Record[PushedArticle], error) {
	st, err := s.standing(ctx, s.App.DB, in)
	if err != nil {
		return nil, err
	}
	return record(s.pushed(st, database.Unchanged))
}

func (s *site) standing(ctx context.Context, h database.Handle, in *AtKey) (articles.Standing, error) {
	source, err := s.App.Articles.SourceBySlug(ctx, h, in.Source)
	if err != nil {
		return articles.Standing{}, err
	}
	all, err := s.App.Articles.Standings(ctx, h, source, in.Key)
	st, there := all[in.Key]
	if err == nil && !there {
		err = errs.New(errs.NotFound, "source %q never gave anything under this key", in.Source)
	}
	return st, err
}

func (s *site) takeBackArticle(ctx context.Context, in *AtKey) (*Answer[PushedArticle], error) {
	return change(ctx, s, func(ctx context.Context) error {
		return s.App.WithdrawPushed(ctx, actorOf(ctx).Name, in.Source, in.Key)
	}, func(ctx context.Context, h database.Handle) (*Answer[PushedArticle], error) {
		st, err := s.standing(ctx, h, in)
		if errs.KindOf(err) == errs.NotFound && err != nil { // it only waited
			st, err = articles.Standing{ExternalKey: in.Key}, nil
		}
		return &Answer[PushedArticle]{Status: http.StatusOK, Body: s.pushed(st, database.Removed)}, err
	})
}
