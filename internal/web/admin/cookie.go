package admin

import (
	"net/http"
	"strings"
	"time"

	"silkpost/internal/accounts"
	"silkpost/internal/errs"
	"silkpost/internal/web/client"
)

// The cookies: the session's, and what the browser is known by for longer than that. Their prefix has browsers refuse them from anywhere but this very
// host over https (RFC 6265bis, 4.1.3.2). Over plain http, which only the demo allows, they have other names.
const (
	sessionCookie = "__Host-silkpost"
	knownCookie   = "__Host-silkpost-known"
	plainPrefix   = "plain-"
)

// knownFor is for how long a browser is known.
const knownFor = 180 * 24 * time.Hour

// secure reports whether whoever asks does so over https, as far as can be known: a proxy that is not named among the trusted ones cannot say so, but the
// public URL does.
func (s *site) secure(r *http.Request) bool {
	return strings.HasPrefix(s.App.PublicURL(), "https://") || s.proxies().Secure(r)
}

func (s *site) proxies() client.Proxies { return s.App.Config.Proxies() }

func (s *site) cookieName(r *http.Request, name string) string {
	if s.secure(r) || !s.Plain {
		return name
	}
	return plainPrefix + strings.TrimPrefix(name, "__Host-")
}

// cookie returns what a cookie of ours holds; "" when there is none.
func (s *site) cookie(r *http.Request, name string) string {
	cookie, err := r.Cookie(s.cookieName(r, name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// setCookie has the browser keep something for a while; "" has it forget. Links in mails lead here, so it is sent along with them (Lax); what changes something
// is refused when it comes from elsewhere, whatever is sent along.
func (s *site) setCookie(v *visit, name, value string, lifetime time.Duration) {
	age := int(lifetime / time.Second)
	if value == "" {
		age = -1
	}
	http.SetCookie(v.w, &http.Cookie{ //nolint:gosec // Secure but in the demo, over plain http
		Name: s.cookieName(v.Request, name), Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: s.secure(v.Request) || !s.Plain,
	})
}

// token returns the token of the browser's session, whether or not it is one.
func (s *site) token(r *http.Request) string { return s.cookie(r, sessionCookie) }

// signedIn returns who asks by the session of their browser.
func (s *site) signedIn(r *http.Request) (accounts.Actor, error) {
	return s.App.Accounts.Who(r.Context(), s.token(r))
}

// keep has the browser keep a ticket.
func (s *site) keep(v *visit, t accounts.Ticket) {
	s.setCookie(v, sessionCookie, t.Token, t.Ends.Sub(s.App.Clock.Now()))
	if t.Known != "" {
		s.setCookie(v, knownCookie, t.Known, knownFor)
	}
}

// renew has the browser keep a ticket, and the request go on with it.
func (s *site) renew(v *visit, t accounts.Ticket) (err error) {
	s.keep(v, t)
	cookies := v.Cookies()
	v.Header.Del("Cookie")
	for _, c := range cookies {
		if c.Name == s.cookieName(v.Request, sessionCookie) {
			c.Value = t.Token
		}
		v.AddCookie(c)
	}
	v.actor, err = s.Who(v.Request)
	return err
}

// from says where a visitor comes from who signs in.
func (s *site) from(v *visit) accounts.Visit {
	return accounts.Visit{
		Address: s.proxies().Address(v.Request), Agent: v.UserAgent(), Known: s.cookie(v.Request, knownCookie), Session: s.token(v.Request),
	}
}

// errPlain is what is told where a password would travel for all to read.
var errPlain = errs.New(errs.Invalid, "this is plain http, over which nobody may sign in: open the address that begins with https, and set SILKPOST_PUBLIC_URL to it")
