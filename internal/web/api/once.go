package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/calls"
	"silkpost/internal/database"
)

// maxCallName is how long an Idempotency-Key may be.
const maxCallName = 200

// Answer is what a change is answered with: the record as it is now.
type Answer[T any] struct {
	Status   int
	ETag     string `header:"ETag" doc:"Of the state that the record is in now."`
	Location string `header:"Location" doc:"Where the record is."`
	Body     T
}

// answered is an answer as it is written down.
type answered struct {
	Status   int             `json:"status"`
	ETag     string          `json:"etag,omitempty"`
	Location string          `json:"location,omitempty"`
	Body     json.RawMessage `json:"body"`
}

// once lets a POST that names itself be done once. It reports true when the same was done before, and answered with that.
func (s *site) once(w http.ResponseWriter, r *http.Request, c *call, body []byte) (done bool, err error) {
	name := r.Header.Get("Idempotency-Key")
	if name == "" || r.Method != http.MethodPost {
		return false, nil
	}
	for _, char := range name {
		if char < ' ' || char > '~' || len(name) > maxCallName {
			return false, wrongAt("header.Idempotency-Key", "must be printable ASCII, 200 characters or less")
		}
	}
	claim, before, err := calls.Begin(r.Context(), s.App.DB, calls.Call{Actor: c.actor.Name, Name: name, Request: requestHash(r, body)}, s.App.Clock.Now())
	switch {
	case errors.Is(err, calls.ErrBusy):
		return false, problem(http.StatusConflict, sentence(err.Error())+".").with("Retry-After", "1")
	case errors.Is(err, calls.ErrOther):
		return false, wrongAt("header.Idempotency-Key", err.Error())
	case err != nil:
		return false, err
	case before != nil:
		return true, replay(w, before)
	}
	c.claim = claim
	return false, nil
}

func requestHash(r *http.Request, body []byte) []byte {
	hash := sha256.New()
	hash.Write([]byte(r.Method + " " + r.URL.RequestURI() + "\n" + r.Header.Get("If-Match") + "\n"))
	hash.Write(body)
	return hash.Sum(nil)
}

func replay(w http.ResponseWriter, before json.RawMessage) error {
	var a answered
	if err := json.Unmarshal(before, &a); err != nil {
		return err
	}
	for name, value := range map[string]string{"ETag": a.ETag, "Location": a.Location} {
		if value != "" {
			w.Header().Set(name, value)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Idempotency-Replayed", "true")
	w.WriteHeader(a.Status)
	_, _ = w.Write(append(a.Body, '\n')) // a caller who went away is no fault
	return nil
}

// drop gives the claim of a call back that was not answered: it did nothing, and may come again.
func (s *site) drop(ctx context.Context, c *call) {
	if c.kept {
		return
	}
	if err := c.claim.Drop(context.WithoutCancel(ctx), s.App.DB); err != nil {
		s.log.WarnContext(ctx, "a call keeps its name for a while although it was refused")
	}
}

// change does something in one transaction and answers with the record as it is at its end. Of a call that names itself the answer is written down in
// that very transaction. do must do all that it does in one transaction of the context that it is given, or in none; show sees what it did.
func change[T any](ctx context.Context, s *site, do func(ctx context.Context) error, show func(ctx context.Context, h database.Handle) (*Answer[T], error)) (*Answer[T], error) {
	c := callOf(ctx)
	var out *Answer[T]
	end := func(h database.Handle) (err error) {
		if out, err = show(ctx, h); err != nil {
			return err
		}
		return c.keep(ctx, h, out.Status, out.ETag, out.Location, out.Body)
	}
	if err := do(database.Ending(ctx, func(tx *sqlx.Tx) error { return end(tx) })); err != nil {
		return nil, err
	}
	if out == nil { // it had nothing to do
		if err := end(s.App.DB); err != nil {
			return nil, err
		}
	}
	c.kept = true
	return out, nil
}

// keep writes an answer down when the call names itself.
func (c *call) keep(ctx context.Context, h database.Handle, status int, etag, location string, body any) error {
	if c.claim == nil {
		return nil
	}
	text, err := encode(body)
	if err != nil {
		return err
	}
	whole, err := encode(answered{Status: status, ETag: etag, Location: location, Body: text})
	if err != nil {
		return err
	}
	return c.claim.Keep(ctx, h, whole)
}
