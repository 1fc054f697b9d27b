package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// apart is a body that its operation takes apart by itself, so that what is wrong with a part of it need not refuse all. The document has it as
// T. Of an operation that is apart nothing checks the body but check.
type apart[T any] struct{ text json.RawMessage }

// UnmarshalJSON keeps the text.
func (a *apart[T]) UnmarshalJSON(text []byte) error {
	a.text = slices.Clone(text)
	return nil
}

// Schema is for huma.
func (apart[T]) Schema(r huma.Registry) *huma.Schema { return r.Schema(reflect.TypeFor[T](), true, "") }

// check returns what is wrong with the form of the body, each at its place.
func (a apart[T]) check(r huma.Registry) (all []Mistake) {
	var body any
	text := json.NewDecoder(bytes.NewReader(a.text))
	text.UseNumber() // one that is too large would refuse all; T has no numbers
	if err := text.Decode(&body); err != nil {
		return []Mistake{{"body", err.Error()}}
	}
	at := huma.NewPathBuffer(nil, 0)
	at.Push("body")
	var found huma.ValidateResult
	huma.Validate(r, a.Schema(r), at, huma.ModeWriteToServer, body, &found)
	for _, err := range found.Errors {
		all = append(all, mistakeOf(err))
	}
	return all
}
