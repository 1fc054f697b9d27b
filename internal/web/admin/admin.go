// Package admin answers for the administrators' pages, below /admin/. It is an end of the program, as a command is: each page loads, calls
// what the program can do, and answers.
//
// Every address stands in a table (routes) with what it needs: an act, and the lists that the record at the address belongs to. One place
// asks whether who comes may do that (serve), so no handler can forget to. GET changes nothing; whatever changes something is a POST from our own
// pages, which net/http's CrossOriginProtection sees to, and is answered with a redirect to a page that says what was done.
package admin

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/errs"
	"silkpost/templates/adminpage"
)

// Config is what the pages need beside the program.
type Config struct {
	App *app.App
	// Who says who asks: errs.NotFound when nobody is signed in. nil: the session of the browser says.
	Who func(r *http.Request) (accounts.Actor, error)
	// Plain allows plain http, with a warning on every page: for the demo.
	Plain bool
}

// site holds the handlers.
type site struct {
	Config
	pages   *adminpage.Set
	log     *slog.Logger
	streams streams
	needs   needsKept
	rates   rates
}

// handler returns the page that answers a request; nil when it has answered by itself.
type handler func(v *visit) (adminpage.Page, error)

// route is an address with what it needs.
type route struct {
	pattern string // "GET /admin/sources/{slug}"
	needs   accounts.Act
	open    bool // for everybody, who is not signed in too: needs is nothing then
	// of returns the lists that the record at the address belongs to, whatever it is; errs.NotFound when there is none. nil: it is of no
	// list in particular, and the handler itself leaves out what an actor who is confined to lists may not see.
	of func(ctx context.Context, v *visit) (lists []int64, err error)
	// whole: it is about all lists together, or about what is of none. Who is confined to some finds nothing there.
	whole bool
	do    handler
	// proved asks those whose password was last given long ago to give it again first: for what is dangerous.
	proved bool
	// form names the fields that our own form always sends, be they empty: a form without one of them did not arrive whole, and nothing is done. What is
	// missing must never pass for what somebody emptied.
	form []string
	// limit is how large what is sent may be, in bytes; 0: formLimit.
	limit int64
}

// routes are the addresses of all areas; each area has a file with its own.
func (s *site) routes() (all []route) {
	for _, area := range [][]route{
		s.homeRoutes(),
		s.sessionRoutes(),
		s.accountsRoutes(),
		s.sourcesRoutes(),
		s.articlesRoutes(),
		s.feedsRoutes(),
		s.organisationsRoutes(),
		s.contactsRoutes(),
		s.listsRoutes(),
		s.audiencesRoutes(),
		s.importsRoutes(),
		s.editionsRoutes(),
		s.themesRoutes(),
		s.settingsRoutes(),
		s.destinationsRoutes(),
	} {
		all = append(all, area...)
	}
	return all
}

// New returns the handler of everything below /admin/. It is safe for concurrent use.
func New(cfg Config) (http.Handler, error) {
	pages, err := adminpage.New()
	if err != nil {
		return nil, err
	}
	s := &site{Config: cfg, pages: pages, log: cfg.App.Log}
	if s.Who == nil {
		s.Who = s.signedIn
	}
	mux := http.NewServeMux()
	known := map[string][]string{} // methods by path
	for _, r := range s.routes() {
		mux.Handle(r.pattern, s.serve(r))
		method, path, _ := strings.Cut(r.pattern, " ")
		known[path] = append(known[path], method)
	}
	for path, methods := range known {
		for _, other := range otherMethods(methods) { // one by one: /admin/x/new for every method would clash with GET /admin/x/{slug}
			mux.Handle(other+" "+path, s.only(methods))
		}
	}
	mux.Handle("/admin/", s.serve(route{needs: accounts.Own, do: nothing}))
	return s.guarded(mux), nil
}

// guarded sets the headers of every answer, and refuses what another site has a browser send. What is foreign is served under a policy of its own.
func (s *site) guarded(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.write(&visit{Request: r, w: w}, http.StatusForbidden, adminpage.Message{Status: http.StatusForbidden})
	}))
	next = guard.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "SAMEORIGIN")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		h.Set("Vary", "Cookie, Accept-Language")
		next.ServeHTTP(w, r)
	})
}

func nothing(*visit) (adminpage.Page, error) { return nil, errs.New(errs.NotFound, "no such page") }

// otherMethods returns the methods that a path which takes some does not take.
func otherMethods(known []string) []string {
	return slices.DeleteFunc([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, func(method string) bool {
		return slices.Contains(known, method)
	})
}

// only answers for the methods that a known address does not take.
func (s *site) only(methods []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		s.write(&visit{Request: r, w: w}, http.StatusMethodNotAllowed, adminpage.Message{Status: http.StatusMethodNotAllowed})
	})
}
