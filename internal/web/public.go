package web

import (
	"errors"
	"html/template"
	"log/slog"
	"net/http"

	"silkpost/feeds"
	"silkpost/internal/articles"
	"silkpost/internal/errs"
	"silkpost/mailer/compose"
	"silkpost/subscribers"
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

// subscription returns whom an unsubscribe link is for. A link that is not ours and one whose subscription is gone look alike.
func (s *site) subscription(r *http.Request) (subscribers.Subscription, error) {
	if s.Keys == nil {
		return subscribers.Subscription{}, errs.New(errs.NotFound, "no secret key is set")
	}
	id, err := s.Keys.Open(compose.UnsubscribePurpose, r.PathValue("token"))
	if err != nil {
		return subscribers.Subscription{}, err
	}
	return subscribers.SubscriptionByID(r.Context(), s.DB, id)
}

// askUnsubscribe shows a button and changes nothing: mail scanners follow every link.
func (s *site) askUnsubscribe(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Robots-Tag", "noindex")
	return s.unsubscribePage(r, false)
}

// unsubscribePage shows the address masked: digests are forwarded.
func (s *site) unsubscribePage(r *http.Request, done bool) (templates.Page, error) {
	sub, err := s.subscription(r)
	if err != nil {
		return nil, err
	}
	return templates.UnsubscribePage{
		ListName: sub.List.NameIn(s.language(r)), Address: subscribers.Mask(sub.Contact.Email),
		Done: done || sub.State == subscribers.Unsubscribed,
	}, nil
}

// oneClick is the field that a mail program posts (RFC 8058, 3.2), and our page as well.
const (
	oneClickField = "List-Unsubscribe"
	oneClickValue = "One-Click"
)

// largestForm bounds what is read of a form.
const largestForm = 64 << 10

// unsubscribe ends the subscription at once: no cookie, no redirect, nothing further to press.
func (s *site) unsubscribe(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
	w.Header().Set("Cache-Control", "no-store")
	// One reads the one encoding, one the other.
	r.Body = http.MaxBytesReader(w, r.Body, largestForm)
	broken := errors.Join(r.ParseForm(), r.ParseMultipartForm(largestForm)) //nolint:gosec // the line above bounds both
	if r.PostFormValue(oneClickField) != oneClickValue {
		return nil, errors.Join(errs.New(errs.Invalid, "the form lacks %s=%s", oneClickField, oneClickValue), broken)
	}
	sub, err := s.subscription(r)
	if err != nil {
		return nil, err
	}
	method, wording, err := s.request(r, sub.List)
	if err != nil {
		return nil, err
	}
	if err := subscribers.Unsubscribe(r.Context(), s.DB, sub.ID, subscribers.Evidence{At: s.Clock.Now(), Method: method, Statement: wording}); err != nil {
		return nil, err
	}
	s.Log.InfoContext(r.Context(), "unsubscribed", slog.Any("subscription", sub.ID), slog.Any("method", method))
	return s.unsubscribePage(r, true)
}

// request returns how an unsubscription was asked for and in which words: the field that a mail program posted, or what stood
// on our page's button.
func (s *site) request(r *http.Request, list subscribers.List) (method subscribers.Method, wording string, err error) {
	if r.PostFormValue("from") != "page" {
		return subscribers.ByOneClick, oneClickField + "=" + oneClickValue, nil
	}
	tag := s.language(r)
	wording, err = s.Templates.UnsubscribeButton(tag, list.NameIn(tag))
	return subscribers.ByPage, wording, err
}
