package admin

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	xlanguage "golang.org/x/text/language"

	"silkpost/internal/accounts"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

// policy is the Content-Security-Policy of the pages: our own style sheets and script, frames of our own addresses (which what is foreign is served
// at under a policy of its own), pictures from where articles have them.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' https: data:; frame-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// foreignPolicy is for what is foreign, such as an article's HTML or a mail, and for what is framed in a page: it loads pictures at most, runs nothing, and
// is nobody's origin.
const foreignPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; " +
	"sandbox allow-popups allow-popups-to-escape-sandbox"

// formLimit is how large a form may be, in bytes, unless its route says otherwise.
const formLimit = 4 << 20

// visit is one request with who makes it.
type visit struct {
	*http.Request
	w     http.ResponseWriter
	actor accounts.Actor
}

// may reports whether the visitor may do something with records of the given lists, or with those of none.
func (v *visit) may(act accounts.Act, lists ...int64) bool { return v.actor.MayOn(act, lists...) }

// query returns a parameter of the address.
func (v *visit) query(name string) string { return v.URL.Query().Get(name) }

// fields returns the form that was sent, without a file.
func (v *visit) fields() adminpage.Fields { return adminpage.Fields(v.PostForm) }

// leave answers with a redirect to a page that says what was done: done is a key below "done." of the catalogue.
func (v *visit) leave(path, done string) (adminpage.Page, error) {
	if done != "" {
		at, err := url.Parse(path)
		if err != nil {
			return nil, err
		}
		query := at.Query()
		query.Set("done", done)
		at.RawQuery = query.Encode()
		path = at.String()
	}
	http.Redirect(v.w, v.Request, path, http.StatusSeeOther)
	return nil, nil
}

// again answers with a form that has mistakes in it.
func (v *visit) again(page adminpage.Page) (adminpage.Page, error) {
	return refused{page, http.StatusUnprocessableEntity}, nil
}

// refused is a page whose status says that something was not taken.
type refused struct {
	adminpage.Page

	status int
}

// serve asks who comes and whether they may, has the route's handler work, and answers.
func (s *site) serve(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		v := &visit{Request: req, w: w}
		page, err := s.admit(v, r)
		if page == nil && err == nil {
			page, err = r.do(v)
		}
		if req.Method == http.MethodPost {
			s.needs.forget() // it may be what was needed
		}
		s.answer(v, page, err)
	})
}

// admit reads the form and finds out who comes. It returns a page when that is the answer.
func (s *site) admit(v *visit, r route) (page adminpage.Page, err error) {
	v.actor, err = s.Who(v.Request)
	switch unknown := errs.KindOf(err) == errs.NotFound && err != nil; {
	case unknown && !r.open:
		return nil, errSignIn
	case err != nil && !unknown:
		return nil, err
	case !unknown:
		v.Request = v.WithContext(database.As(v.Context(), v.actor.Name, s.App.Clock.Now()))
	}
	if !r.open && !v.actor.May(r.needs) {
		return nil, errForbidden
	}
	if r.whole && v.actor.Lists != nil {
		return nil, errs.New(errs.NotFound, "that is of all lists")
	}
	if r.of != nil {
		lists, err := r.of(v.Context(), v)
		if err != nil {
			return nil, err
		}
		if !v.actor.MayOn(r.needs, lists...) {
			return nil, errs.New(errs.NotFound, "that is of a list which is not yours") // whether it is there is not told either
		}
	}
	if v.Method == http.MethodPost {
		v.Body = http.MaxBytesReader(v.w, v.Body, cmp.Or(r.limit, formLimit))
	}
	if err := v.form(); err != nil {
		return nil, err
	}
	for _, name := range r.form {
		if !v.PostForm.Has(name) {
			return nil, errs.New(errs.Invalid, "the form came without its field %q: nothing was done", name)
		}
	}
	if r.proved && s.stale(v) {
		return s.proof(v)
	}
	return nil, nil //nolint:nilnil // there is no answer yet
}

// provedFor is for how long a password that was given counts as just given.
const provedFor = 15 * time.Minute

// stale reports whether the visitor's password was given too long ago for what is dangerous.
func (s *site) stale(v *visit) bool { return s.App.Clock.Now().Sub(v.actor.Proved) > provedFor }

// form reads the form of a POST; those with files are read by their handlers.
func (v *visit) form() error {
	if v.Method != http.MethodPost {
		return storable(v.URL.Query())
	}
	if err := v.ParseForm(); err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return err
		}
		return errs.New(errs.Invalid, "the form could not be read: %w", err)
	}
	return storable(v.Form)
}

// storable refuses what the database takes for no text: a NUL, and what is not UTF-8. Browsers send neither.
func storable(form url.Values) error {
	for name, values := range form {
		for _, value := range values {
			if !utf8.ValidString(value) || strings.Contains(value, "\x00") {
				return errs.New(errs.Invalid, "%q: that is not text", name)
			}
		}
	}
	return nil
}

var (
	errSignIn    = errors.New("nobody is signed in")
	errForbidden = errors.New("not allowed")
	errProve     = errors.New("the password must be given again")
)

// answer writes a page, or the one that says what went wrong.
func (s *site) answer(v *visit, page adminpage.Page, err error) {
	status := http.StatusOK
	switch {
	case errors.Is(err, errSignIn) && v.Method == http.MethodGet:
		http.Redirect(v.w, v.Request, "/admin/sign-in?"+url.Values{"to": {v.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
		return
	case errors.Is(err, errProve):
		http.Redirect(v.w, v.Request, "/admin/prove?"+url.Values{"to": {cameFrom(v.Request)}}.Encode(), http.StatusSeeOther)
		return
	case err != nil:
		page, status = s.failure(v, err)
	}
	if again, ok := page.(refused); ok {
		page, status = again.Page, again.status
	}
	if page != nil {
		s.write(v, status, page)
	}
}

// cameFrom returns the page of ours that a form was sent from, to go back to.
func cameFrom(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	from, err := url.Parse(r.Referer())
	if err != nil || from.Host != r.Host {
		return "/admin/"
	}
	return from.RequestURI()
}

// failure turns an error into what a person is told. What went wrong inside is for the log.
func (s *site) failure(v *visit, err error) (adminpage.Page, int) {
	status := map[errs.Kind]int{
		errs.Invalid: http.StatusUnprocessableEntity, errs.NotFound: http.StatusNotFound, errs.Gone: http.StatusGone, errs.Conflict: http.StatusConflict,
		errs.Unavailable: http.StatusServiceUnavailable,
	}[errs.KindOf(err)]
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return adminpage.Message{Status: http.StatusRequestEntityTooLarge}, http.StatusRequestEntityTooLarge
	}
	switch {
	case errors.Is(err, errForbidden), errors.Is(err, errSignIn):
		return adminpage.Message{Status: http.StatusForbidden}, http.StatusForbidden
	case status == 0:
		status = http.StatusInternalServerError
		if database.IsAway(err) {
			status = http.StatusServiceUnavailable
		}
		s.log.ErrorContext(v.Context(), "request failed", slog.String("pattern", v.Pattern), slog.Any("error", err))
		return adminpage.Message{Status: status}, status
	case status == http.StatusNotFound:
		return adminpage.Message{Status: status}, status
	}
	return adminpage.Message{Status: status, Detail: err.Error()}, status
}

// write renders a page whole before its first byte goes out.
func (s *site) write(v *visit, status int, page adminpage.Page) {
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	frame := s.frame(v, page)
	if frame.Who != "" {
		frame.Waiting, frame.Held = s.waiting(v.Context(), v.actor)
	}
	v.w.Header().Set("Content-Language", s.pages.Language(frame.Language))
	buffer := &statusWriter{ResponseWriter: v.w, status: status}
	if err := s.pages.Write(buffer, frame); err != nil && !buffer.begun {
		s.log.ErrorContext(v.Context(), "page could not be made", slog.String("pattern", v.Pattern), slog.Any("error", err))
		http.Error(v.w, "This page could not be made.", http.StatusInternalServerError)
	}
}

// frame is what stands around a page.
func (s *site) frame(v *visit, page adminpage.Page) adminpage.Frame {
	f := adminpage.Frame{
		Page: page, Language: v.actor.Language, Zone: v.actor.Location(), Path: v.URL.Path, Plain: s.Plain,
		Who: v.actor.Email, Confined: v.actor.Lists != nil, Can: func(act string) bool { return v.actor.May(accounts.Act(act)) },
	}
	if f.Language == "" {
		f.Language = s.pages.Language(accepted(v.Request)...)
	}
	if done := v.query("done"); doneKey(done) {
		f.Done = done
	}
	return f
}

// doneKey reports whether a word can be a key of the catalogue: addresses come from anywhere.
func doneKey(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && r != '_' {
			return false
		}
	}
	return s != "" && len(s) < 40
}

// accepted returns the languages that a browser asks for, best first.
func accepted(r *http.Request) (wanted []string) {
	tags, _, err := xlanguage.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return nil
	}
	for _, tag := range tags {
		wanted = append(wanted, tag.String())
	}
	return wanted
}

// statusWriter writes a status before the first byte.
type statusWriter struct {
	http.ResponseWriter
	status int
	begun  bool
}

// Write writes the status first.
func (w *statusWriter) Write(b []byte) (int, error) {
	if !w.begun {
		w.begun = true
		w.WriteHeader(w.status)
	}
	return w.ResponseWriter.Write(b)
}

// foreign answers with what is foreign, to be shown in a sandboxed frame.
func (s *site) foreign(v *visit, html []byte) (adminpage.Page, error) {
	v.w.Header().Set("Content-Security-Policy", foreignPolicy)
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = v.w.Write(html) // a visitor who went away is no fault
	return nil, nil
}

// listIn returns the list whose slug stands in an address, for routes that are about a list.
func (s *site) listIn(name string) func(ctx context.Context, v *visit) ([]int64, error) {
	return func(ctx context.Context, v *visit) ([]int64, error) {
		list, err := subscribers.ListBySlug(ctx, s.App.DB, v.PathValue(name))
		if err != nil {
			return nil, err
		}
		return []int64{list.ID}, nil
	}
}
