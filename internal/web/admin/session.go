package admin

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/errs"
	"silkpost/templates/adminpage"
)

func (s *site) sessionRoutes() []route {
	return []route{
		{pattern: "GET /admin/sign-in", open: true, do: s.askSignIn},
		{pattern: "POST /admin/sign-in", open: true, do: s.signIn},
		{pattern: "GET /admin/sign-in/code", open: true, do: s.askCode},
		{pattern: "POST /admin/sign-in/code", open: true, do: s.enterCode},
		{pattern: "GET /admin/link/{secret}", open: true, do: s.showLink},
		{pattern: "POST /admin/link/{secret}", open: true, do: s.useLink},
		{pattern: "POST /admin/sign-out", needs: accounts.Own, do: s.signOut},
		{pattern: "GET /admin/prove", needs: accounts.Own, do: s.askProof},
		{pattern: "POST /admin/prove", needs: accounts.Own, do: s.prove},
	}
}

// within returns where to go on to, as an address asks for it: a page of ours, and of nobody else. What browsers take for a host, such as //evil or /\evil,
// is none.
func within(to string) string {
	const home = "/admin/"
	at, err := url.Parse(to)
	if err != nil || at.Scheme != "" || at.Opaque != "" || at.Host != "" || at.User != nil || strings.ContainsAny(to, "\\\r\n\t") {
		return home
	}
	if !strings.HasPrefix(at.Path, home) || !strings.HasPrefix(path.Clean(at.Path)+"/", home) || strings.ContainsAny(at.Path, "\\\r\n\t") {
		return home
	}
	return (&url.URL{Path: path.Clean(at.Path) + map[bool]string{true: "/"}[path.Clean(at.Path) == "/admin"], RawQuery: at.RawQuery}).String()
}

// safe refuses to have a password travel for all to read.
func (s *site) safe(v *visit) error {
	if s.Plain || s.secure(v.Request) {
		return nil
	}
	return errPlain
}

func (s *site) askSignIn(v *visit) (adminpage.Page, error) {
	to := within(v.query("to"))
	if v.actor.Account != 0 {
		return v.leave(to, "")
	}
	return adminpage.SignIn{To: to}, s.safe(v)
}

func (s *site) signIn(v *visit) (adminpage.Page, error) {
	if err := s.safe(v); err != nil {
		return nil, err
	}
	to, email := within(v.PostFormValue("to")), v.PostFormValue("email")
	t, err := s.App.Accounts.SignIn(v.Context(), email, v.PostFormValue("password"), s.from(v))
	if err != nil {
		return v.deny(err, func(d adminpage.Denial) adminpage.Page { return adminpage.SignIn{To: to, Email: email, Denial: d} })
	}
	return s.letIn(v, t, to)
}

// letIn has the browser keep a ticket and leads on, to the second step if one is due.
func (s *site) letIn(v *visit, t accounts.Ticket, to string) (adminpage.Page, error) {
	s.keep(v, t)
	if t.NeedsCode {
		to = "/admin/sign-in/code?" + url.Values{"to": {to}}.Encode()
	}
	return v.leave(to, "")
}

func (s *site) askCode(v *visit) (adminpage.Page, error) {
	return adminpage.Code{To: within(v.query("to"))}, s.safe(v)
}

func (s *site) enterCode(v *visit) (adminpage.Page, error) {
	if err := s.safe(v); err != nil {
		return nil, err
	}
	to := within(v.PostFormValue("to"))
	t, err := s.App.Accounts.EnterCode(v.Context(), s.token(v.Request), v.PostFormValue("code"), s.from(v))
	if errs.KindOf(err) == errs.NotFound && err != nil { // it took too long
		return v.leave("/admin/sign-in?"+url.Values{"to": {to}}.Encode(), "")
	}
	if err != nil {
		return v.deny(err, func(d adminpage.Denial) adminpage.Page { return adminpage.Code{To: to, Denial: d} })
	}
	return s.letIn(v, t, to)
}

func (s *site) signOut(v *visit) (adminpage.Page, error) {
	if err := s.App.Accounts.SignOut(v.Context(), s.token(v.Request)); err != nil {
		return nil, err
	}
	s.setCookie(v, sessionCookie, "", 0)
	return v.leave("/admin/sign-in", "signed_out")
}

func (s *site) askProof(v *visit) (adminpage.Page, error) {
	to := within(v.query("to"))
	if !s.stale(v) {
		return v.leave(to, "")
	}
	return adminpage.Prove{To: to, Unset: v.actor.NoPassword}, s.safe(v)
}

func (s *site) prove(v *visit) (adminpage.Page, error) {
	if err := s.safe(v); err != nil {
		return nil, err
	}
	to := within(v.PostFormValue("to"))
	t, err := s.App.Accounts.Prove(v.Context(), s.token(v.Request), v.PostFormValue("password"), s.from(v))
	if err != nil {
		return v.deny(err, func(d adminpage.Denial) adminpage.Page { return adminpage.Prove{To: to, Denial: d} })
	}
	return s.letIn(v, t, to)
}

// secretFields are what a form is not asked to be sent again with.
var secretFields = []string{"password", "old", "again", "code"}

// proof asks for the password before what is dangerous. What a form holds goes along and comes back with it, to the same address and from a page of ours, so
// that nothing that was typed is lost; unless it holds a secret: then the way leads back to its page. Once the password is right, the request goes on.
func (s *site) proof(v *visit) (adminpage.Page, error) {
	if v.Method != http.MethodPost || slices.ContainsFunc(secretFields, v.PostForm.Has) || s.safe(v) != nil {
		return nil, errProve
	}
	password, given := v.PostForm.Get("proof"), v.PostForm.Has("proof")
	v.PostForm.Del("proof")
	page := adminpage.Prove{Form: v.URL.RequestURI(), Fields: v.fields(), Unset: v.actor.NoPassword}
	if !given {
		return refused{page, http.StatusForbidden}, nil
	}
	t, err := s.App.Accounts.Prove(v.Context(), s.token(v.Request), password, s.from(v))
	if err != nil {
		return v.deny(err, func(d adminpage.Denial) adminpage.Page { page.Denial = d; return page })
	}
	return nil, s.renew(v, t)
}

// showLink shows where a link leads, and does not use it up: what looks at mails before people do opens links, too.
func (s *site) showLink(v *visit) (adminpage.Page, error) {
	link, err := s.App.Accounts.Link(v.Context(), v.PathValue("secret"))
	if err != nil {
		return goneLink(err)
	}
	return linkPage(link, nil), s.safe(v)
}

func (s *site) useLink(v *visit) (adminpage.Page, error) {
	if err := s.safe(v); err != nil {
		return nil, err
	}
	link, err := s.App.Accounts.Link(v.Context(), v.PathValue("secret"))
	if err != nil {
		return goneLink(err)
	}
	if v.PostFormValue("again") != v.PostFormValue("password") {
		return v.again(linkPage(link, adminpage.Mistakes{"again": twice}))
	}
	t, err := s.App.Accounts.UseLink(v.Context(), v.PathValue("secret"), v.PostFormValue("password"), s.from(v))
	tooMany := (*accounts.TooManyError)(nil)
	switch {
	case errs.KindOf(err) == errs.Gone:
		return goneLink(err)
	case errors.As(err, &tooMany):
		return v.tooMany(linkPage(link, adminpage.Mistakes{"": err.Error()}), tooMany.Wait)
	case errs.KindOf(err) == errs.Invalid && err != nil:
		return v.again(linkPage(link, adminpage.Mistakes{"password": err.Error()}))
	case err != nil:
		return nil, err
	}
	return s.letIn(v, t, "/admin/")
}

// twice is said when a new password was not typed the same way twice.
const twice = "the two passwords differ: type the new one twice"

func linkPage(link accounts.Link, mistakes adminpage.Mistakes) adminpage.LinkPage {
	return adminpage.LinkPage{
		Email: link.Account.Email, SignsIn: link.Purpose == accounts.ToSignIn, First: !link.Account.Password, Shortest: accounts.ShortestPassword, Mistakes: mistakes,
	}
}

// goneLink says that a link does not work any more.
func goneLink(err error) (adminpage.Page, error) {
	if errs.KindOf(err) != errs.Gone {
		return nil, err
	}
	return refused{adminpage.LinkPage{GoneAlone: true}, http.StatusGone}, nil
}

// deny answers who was not let in with the page that says why.
func (v *visit) deny(err error, page func(adminpage.Denial) adminpage.Page) (adminpage.Page, error) {
	tooMany := (*accounts.TooManyError)(nil)
	switch {
	case errors.As(err, &tooMany):
		return v.tooMany(page(adminpage.Denial{Wait: tooMany.Wait}), tooMany.Wait)
	case errors.Is(err, accounts.ErrWrong):
		return v.again(page(adminpage.Denial{Wrong: true}))
	case errs.KindOf(err) == errs.Invalid:
		return v.again(page(adminpage.Denial{Said: err.Error()}))
	}
	return nil, err
}

// tooMany answers with a page that says when to try again.
func (v *visit) tooMany(page adminpage.Page, wait time.Duration) (adminpage.Page, error) {
	v.w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	return refused{page, http.StatusTooManyRequests}, nil
}
