// Package api answers machines, below /api/. It is an end of the program, as a command is: each operation reads what it is given, calls what the
// program can do, and answers in JSON.
//
// Every operation stands in a table (operations) with the act that it needs and the lists that the record at its address belongs to; what it takes and
// gives are Go types, of which huma makes the OpenAPI document and by which it checks what comes in. One place asks who calls, how often, and whether
// they may (serve), so no operation can forget to.
//
// Its manners, in words. GET changes nothing. What can be changed has an ETag; a change that would overwrite somebody else's is refused when it says
// If-Match, and some want to be told (428). A POST that names itself with Idempotency-Key is done once, whatever breaks: its answer is written down in the transaction of
// the change, see internal/calls. Lists go on from a cursor, a place in an order that never changes. Errors are problems (RFC 9457) that name the field.
package api

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/calls"
	"silkpost/internal/errs"
)

// Config is what the API needs beside the program.
type Config struct {
	App *app.App
	// Who says whose key a request carries: errs.NotFound when it carries none that is good. nil asks the program's accounts. A cookie is no key: a page of
	// somebody else's could have a browser send it.
	Who func(r *http.Request) (accounts.Actor, error)
	// Limit is how often one key may call; its zero value is 600 times a minute.
	Limit calls.Limit
}

// site holds the handlers.
type site struct {
	Config
	log *slog.Logger
	doc *huma.OpenAPI
	ops map[string]*operation // by id
}

// speak puts huma's errors and words into ours. They are variables of its package.
var speak sync.Once

// New returns the handler of everything below /api/. It is safe for concurrent use.
func New(cfg Config) (http.Handler, error) {
	if cfg.Limit == (calls.Limit{}) {
		cfg.Limit = defaultLimit
	}
	if cfg.Who == nil {
		cfg.Who = keysOf(cfg.App)
	}
	speak.Do(ownWords)
	s := &site{Config: cfg, log: cfg.App.Log, ops: map[string]*operation{}}
	mux := http.NewServeMux()
	api := humago.New(mux, s.configure())
	s.doc = api.OpenAPI()
	api.UseMiddleware(s.serve)
	known := map[string][]string{} // methods by path
	for _, op := range s.operations() {
		s.ops[op.id] = &op
		method, path, _ := strings.Cut(op.on, " ")
		op.register(api, op.describe(method, base+path))
		known[base+path] = append(known[base+path], method)
	}
	for _, path := range s.documents(mux) {
		known[path] = []string{http.MethodGet}
	}
	others := http.NewServeMux() // of its own, for a path of all methods would be at odds with one method's less special path
	for path, methods := range known {
		others.Handle(path, s.only(methods))
	}
	others.Handle("/", http.HandlerFunc(s.unknown))
	mux.Handle("/api/", others)
	return s.framed(mux), nil
}

// base is what the addresses of operations begin with.
const base = "/api/v1"

// framed sets the headers that all answers have.
func (s *site) framed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func (s *site) unknown(w http.ResponseWriter, r *http.Request) {
	s.refuse(w, r, errs.New(errs.NotFound, "there is no such operation: /api/docs lists those there are"))
}

// only answers for the methods that a known address does not take.
func (s *site) only(methods []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		s.refuse(w, r, problem(http.StatusMethodNotAllowed, "this address takes "+strings.Join(methods, ", ")))
	})
}
