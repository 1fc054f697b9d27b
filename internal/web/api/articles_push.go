package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

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
		add(".title", mustBeThere)
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
