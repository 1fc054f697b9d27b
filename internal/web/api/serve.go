package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/calls"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// defaultLimit is how often one key may call.
var defaultLimit = calls.Limit{Times: 600, Within: time.Minute}

// keysOf asks the program's accounts whose key a request carries: Authorization: Bearer sp_… (RFC 6750).
func keysOf(a *app.App) func(r *http.Request) (accounts.Actor, error) {
	return func(r *http.Request) (accounts.Actor, error) {
		scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			key = ""
		}
		return a.Accounts.KeyActor(r.Context(), strings.TrimSpace(key))
	}
}

// call is a request that was let in.
type call struct {
	actor accounts.Actor
	claim *calls.Claim // nil: the call does not name itself
	kept  bool         // its answer is written down
	match string       // If-Match
}

type callKey struct{}

// callOf returns the call that a context is of.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// actorOf returns who calls.
func actorOf(ctx context.Context) accounts.Actor { return callOf(ctx).actor }

// serve asks who calls, how often, and whether they may, then has the operation work.
func (s *site) serve(hctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(hctx)
	op := s.ops[hctx.Operation().OperationID]
	c := &call{match: r.Header.Get("If-Match")}
	r, done, err := s.admit(w, r, op, c)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if done {
		return
	}
	if c.claim != nil {
		defer s.drop(r.Context(), c)
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		w = &conditional{ResponseWriter: w, known: r.Header.Get("If-None-Match")}
	}
	next(humago.NewContext(hctx.Operation(), r, w))
}

// admit lets a call in, or says why not. It reports true when it has answered by itself.
func (s *site) admit(w http.ResponseWriter, r *http.Request, op *operation, c *call) (_ *http.Request, done bool, err error) {
	ctx := r.Context()
	if c.actor, err = s.Who(r); err != nil {
		return r, false, unknownKey(r, err)
	}
	ctx = database.As(context.WithValue(ctx, callKey{}, c), c.actor.Name, s.App.Clock.Now())
	r = r.WithContext(ctx)
	if err := s.count(ctx, w, c.actor); err != nil {
		return r, false, err
	}
	if err := s.allow(ctx, r, op, c.actor); err != nil {
		return r, false, err
	}
	if op.match && c.match == "" {
		return r, false, problem(http.StatusPreconditionRequired, "Say with If-Match which state of it you have seen: the ETag that GET gives.")
	}
	if err := checkQuery(r.URL); err != nil {
		return r, false, err
	}
	if !op.takesBody(r.Method) {
		return r, false, nil
	}
	body, err := s.body(w, r, op)
	if err != nil {
		return r, false, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	done, err = s.once(w, r, c, body)
	return r, done, err
}

// unknownKey says how to prove who one is.
func unknownKey(r *http.Request, err error) error {
	if errs.KindOf(err) != errs.NotFound {
		return err
	}
	challenge, detail := `Bearer realm="silkpost"`, "Send an API key: Authorization: Bearer sp_…"
	if r.Header.Get("Authorization") != "" {
		challenge, detail = challenge+`, error="invalid_token"`, "This key is not known, has expired or was revoked."
	}
	return problem(http.StatusUnauthorized, detail).with("WWW-Authenticate", challenge)
}

// count refuses who calls too often, and tells everybody how often they still may (draft-ietf-httpapi-ratelimit-headers).
func (s *site) count(ctx context.Context, w http.ResponseWriter, actor accounts.Actor) error {
	use, err := s.Limit.Count(ctx, s.App.DB, actor.Name, s.App.Clock.Now())
	if err != nil {
		return err
	}
	left := int((use.Ends + time.Second - 1) / time.Second)
	w.Header().Set("RateLimit-Policy", fmt.Sprintf(`"calls";q=%d;w=%d`, s.Limit.Times, int(s.Limit.Within/time.Second)))
	w.Header().Set("RateLimit", fmt.Sprintf(`"calls";r=%d;t=%d`, use.Left, left))
	if use.Over {
		return problem(http.StatusTooManyRequests, fmt.Sprintf("This key has called more than %d times within %s.", s.Limit.Times, s.Limit.Within)).
			with("Retry-After", fmt.Sprint(left))
	}
	return nil
}

// allow asks whether the actor may do something with the record at the address.
func (s *site) allow(ctx context.Context, r *http.Request, op *operation, actor accounts.Actor) error {
	if !actor.May(op.needs) {
		return problem(http.StatusForbidden, fmt.Sprintf("This key may not do that: it needs the act %q.", op.needs))
	}
	if op.whole && !actor.MayOn(op.needs) {
		return problem(http.StatusForbidden, "This key is confined to some lists, and that concerns all.")
	}
	if op.of == nil {
		return nil
	}
	lists, err := op.of(ctx, r)
	if err != nil {
		return err
	}
	if !actor.MayOn(op.needs, lists...) {
		return errNotThere // whether it is there is not told either
	}
	return nil
}

var errNotThere = errs.New(errs.NotFound, "there is none, or it is of a list that this key is not for")

// checkQuery refuses what Postgres would not take for text.
func checkQuery(u *url.URL) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return wrongAt("query", "cannot be read")
	}
	for name, values := range query {
		if value := strings.Join(values, ""); !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
			return wrongAt("query."+name, "must be UTF-8 text without NUL")
		}
		if len(values) > 1 {
			return wrongAt("query."+name, "must be there once")
		}
	}
	return nil
}

// body reads a request's body: JSON, and not too much of it.
func (s *site) body(w http.ResponseWriter, r *http.Request, op *operation) ([]byte, error) {
	most := op.most
	if most == 0 {
		most = usualBody
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body has more than %d octets, which is the most that this operation takes.", most))
	}
	if err != nil {
		return nil, problem(http.StatusBadRequest, "The body could not be read to its end.")
	}
	if len(body) == 0 {
		return nil, nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil || kind != "application/json":
		return nil, problem(http.StatusUnsupportedMediaType, "Send the body as Content-Type: application/json.").with("Accept", "application/json")
	case !utf8.Valid(body):
		return nil, problem(http.StatusBadRequest, "The body is not UTF-8.")
	}
	if err := readable(body); err != nil {
		return nil, problem(http.StatusBadRequest, "The body is not JSON: "+err.Error()+".")
	}
	return body, nil
}

// readable returns what is wrong with JSON.
func readable(body []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	var all json.RawMessage
	if err := decoder.Decode(&all); err != nil {
		if wrong := (*json.SyntaxError)(nil); errors.As(err, &wrong) {
			return fmt.Errorf("%w, at octet %d", err, wrong.Offset)
		}
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after its end")
	}
	if bytes.Contains(body, []byte(`\u0000`)) && holdsNUL(body) {
		return errors.New("a text in it holds the character NUL")
	}
	return nil
}

// holdsNUL reports whether a text in JSON holds what Postgres takes for no text.
func holdsNUL(body []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if err != nil {
			return false
		}
		if text, ok := token.(string); ok && strings.ContainsRune(text, 0) {
			return true
		}
	}
}
