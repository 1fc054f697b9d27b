package web

import (
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
	"silkpost/subscribers"
	"silkpost/templates"
)

// The form to subscribe is for anybody, also on a page of another site: nothing in a request speaks for the visitor (no cookie, no login), so
// there is nothing that a foreign page could misuse, and the form asks for no nonce and looks at no Origin.

// askJoin shows the form of a public list.
func (s *site) askJoin(_ http.ResponseWriter, r *http.Request) (templates.Page, error) {
	list, err := s.publicList(r, r.PathValue("list"))
	if err != nil {
		return nil, err
	}
	return s.joinPage(r, &list, nil)
}

// publicList returns a list that visitors may ask for. One that is not public is unknown to them. Whether a list can be sent is looked at before
// anything is known of who asks, so that the answer tells nothing of them.
func (s *site) publicList(r *http.Request, slug string) (subscribers.List, error) {
	list, err := subscribers.ListBySlug(r.Context(), s.DB, slug)
	switch {
	case err != nil:
		return list, err
	case !list.Public:
		return list, errs.New(errs.NotFound, "the list %q is not public", list.Slug)
	case !s.canBeSent(list):
		return list, errs.New(errs.Unavailable, "the list %q cannot be sent yet", list.Slug)
	}
	return list, nil
}

func (s *site) canBeSent(list subscribers.List) bool {
	return s.MayBeSent == nil || s.MayBeSent(list) == nil
}

// joinPage shows the form, with what was posted when form is not nil.
func (s *site) joinPage(r *http.Request, list *subscribers.List, form url.Values) (page templates.SubscribePage, err error) {
	tag := s.language(r)
	page = templates.SubscribePage{
		ListName: list.NameIn(tag), Sender: list.Sender.Name, Email: form.Get("email"), Name: form.Get("name"),
		Rhythm: templates.RhythmChoice{Field: "rhythm", Offered: list.Rhythms, Chosen: list.DefaultRhythm},
	}
	if rhythm := form.Get("rhythm"); rhythm != "" {
		page.Rhythm.Chosen = rhythm
	}
	chosen := tags(form["language"])
	if page.Languages, err = s.languages(r, chosen); err != nil {
		return page, err
	}
	if here := language.Choose([]string{tag}, page.Languages.Offered); form == nil && here != "" {
		page.Languages.Chosen[0] = here
	}
	if page.Topics, err = s.topics(r, list, form["topic"]); err != nil {
		return page, err
	}
	lists, err := subscribers.Lists(r.Context(), s.DB)
	for _, other := range lists {
		if other.Public && other.ID != list.ID && s.canBeSent(other) {
			page.Others = append(page.Others, templates.Choice{Value: other.Slug, Label: other.NameIn(tag), Chosen: slices.Contains(form["list"], other.Slug)})
		}
	}
	return page, err
}

// join takes the form in. Whoever's address is in it, the answer is the same and takes about the same time.
func (s *site) join(w http.ResponseWriter, r *http.Request) (templates.Page, error) {
	pace := time.NewTimer(s.Pace)
	defer pace.Stop()
	if err := readForm(w, r); err != nil {
		return nil, err
	}
	list, err := s.publicList(r, r.PathValue("list"))
	if err != nil {
		return nil, err
	}
	request, err := s.joinRequest(r, &list)
	if err != nil {
		return s.mistaken(w, r, &list, err)
	}
	status, err := s.takeIn(r, request)
	if status == http.StatusTooManyRequests {
		s.write(w, r, status, templates.ErrorPage{Status: status})
		return nil, nil
	}
	if err != nil {
		return s.mistaken(w, r, &list, err)
	}
	select {
	case <-pace.C:
	case <-r.Context().Done():
	}
	return templates.SubscribedPage{ListName: list.NameIn(s.language(r))}, nil
}

// fieldError is a mistake that the form shows beside its field.
type fieldError struct {
	field string
	error
}

// mistaken shows the form again with what is to be mended; other errors it passes on.
func (s *site) mistaken(w http.ResponseWriter, r *http.Request, list *subscribers.List, err error) (templates.Page, error) {
	bad, ok := err.(fieldError) //nolint:errorlint // it is never wrapped
	if !ok {
		return nil, err
	}
	page, err := s.joinPage(r, list, r.PostForm)
	if err != nil {
		return nil, err
	}
	page.BadEmail, page.BadName = bad.field == "email", bad.field == "name"
	s.write(w, r, http.StatusBadRequest, page)
	return nil, nil
}

// joinRequest reads the form.
func (s *site) joinRequest(r *http.Request, list *subscribers.List) (request subscribers.JoinRequest, err error) {
	form := r.PostForm
	if request.Address, err = subscribers.ParseAddress(strings.TrimSpace(form.Get("email"))); err != nil {
		return request, fieldError{"email", err}
	}
	request.Name = form.Get("name")
	if err := subscribers.CheckName(request.Name); err != nil {
		return request, fieldError{"name", err}
	}
	request.Languages = tags(form["language"])
	if !form.Has("language") {
		request.Languages = tags(accepted(r))
	}
	words, err := s.formWords(r, list)
	if err != nil {
		return request, err
	}
	request.Wants = []subscribers.Want{{List: list.Slug, Rhythm: form.Get("rhythm"), Topics: form["topic"], Words: words}}
	for _, slug := range form["list"] {
		if !slices.ContainsFunc(request.Wants, func(w subscribers.Want) bool { return w.List == slug }) {
			want, err := s.alsoWanted(r, slug, form.Get("rhythm"))
			if err != nil {
				return request, err
			}
			request.Wants = append(request.Wants, want)
		}
	}
	request.Evidence, err = s.formEvidence(r)
	return request, err
}

// alsoWanted returns another list that the form asks for, at the same rhythm if it offers that.
func (s *site) alsoWanted(r *http.Request, slug, rhythm string) (subscribers.Want, error) {
	list, err := s.publicList(r, slug)
	if err != nil {
		return subscribers.Want{}, err
	}
	want := subscribers.Want{List: slug}
	if slices.Contains(list.Rhythms, rhythm) {
		want.Rhythm = rhythm
	}
	want.Words, err = s.formWords(r, &list)
	return want, err
}

// formWords returns the words with which a form asked for a list. Our own says in which language it was shown; which words a form on another site
// had, nobody knows.
func (s *site) formWords(r *http.Request, list *subscribers.List) (string, error) {
	tag := r.PostFormValue("shown")
	if !s.Templates.Speaks(tag) {
		return "", nil
	}
	words, err := s.Templates.Words(tag, templates.DoSubscribe, "")
	return words + ": " + list.NameIn(tag), err
}

// formEvidence is what is kept of a form for all its lists: of one on another site, which site it was.
func (s *site) formEvidence(r *http.Request) (subscribers.Evidence, error) {
	e, err := s.evidence(r, subscribers.ByForm, templates.DoSubscribe, "")
	if err != nil || s.Templates.Speaks(r.PostFormValue("shown")) {
		return e, err
	}
	e.Statement = ""
	if site := siteOf(r.Header.Get("Origin")); site != "" {
		e.Origin += " on " + site
	}
	return e, nil
}

// siteOf returns an Origin that names a site, and "" for anything else.
func siteOf(origin string) string {
	const longest = 200
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || len(origin) > longest || origin != u.Scheme+"://"+u.Host {
		return ""
	}
	return origin
}

// takeIn counts the request and, where nothing is against it, makes the subscriptions and has the mails sent.
func (s *site) takeIn(r *http.Request, request subscribers.JoinRequest) (status int, err error) {
	admitted, err := subscribers.Admit(r.Context(), s.DB, request.Address, request.Evidence.Network, request.Evidence.At)
	switch {
	case err != nil:
		return 0, err
	case !admitted.Network:
		s.Log.WarnContext(r.Context(), "a network subscribes too often", slog.String("network", request.Evidence.Network))
		return http.StatusTooManyRequests, nil
	case !admitted.Address || r.PostFormValue("homepage") != "": // a field that people do not see: a program filled it in
		return 0, nil
	}
	return 0, database.Transact(r.Context(), s.DB, func(tx *sqlx.Tx) error {
		joined, err := subscribers.Join(r.Context(), tx, request)
		if err != nil {
			return err
		}
		for _, one := range joined {
			if !one.Mail || s.SendConfirmation == nil {
				continue
			}
			if err := s.SendConfirmation(r.Context(), tx, one.Subscription); err != nil {
				return err
			}
		}
		return nil
	})
}
