package api

import (
	"encoding/base64"
	"encoding/json"
)

// Paging is how a list is gone through.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at most."`
	Cursor string `query:"cursor" maxLength:"500" doc:"Where to go on: next of the page before. Left out, the beginning."`
}

// Page is part of a list.
type Page[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next" doc:"The cursor of the next page; null: this is the last."`
}

// Listed is a page as it is answered with.
type Listed[T any] struct{ Body Page[T] }

// after reads a cursor into a place; without one the place stays as it is, which is the beginning.
func (p Paging) after(place any) error {
	if p.Cursor == "" {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err == nil {
		err = json.Unmarshal(text, place)
	}
	if err != nil {
		return wrongAt("query.cursor", "must be what next of the page before was")
	}
	return nil
}

// most is how many to ask for: one more shows whether there is another page.
func (p Paging) most() int { return p.Limit + 1 }

// page makes a page of what was found with most, and shows each. place is where to go on after one.
func page[F, T any](p Paging, found []F, show func(*F) T, place func(*F) any) (*Listed[T], error) {
	out := &Listed[T]{Body: Page[T]{Items: make([]T, 0, len(found))}}
	more := len(found) > p.Limit
	for i := range found[:min(len(found), p.Limit)] {
		out.Body.Items = append(out.Body.Items, show(&found[i]))
	}
	if !more {
		return out, nil
	}
	text, err := json.Marshal(place(&found[p.Limit-1]))
	next := base64.RawURLEncoding.EncodeToString(text)
	out.Body.Next = &next
	return out, err
}
