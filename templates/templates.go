// Package templates holds everything a person sees as text: digests, public pages, the mail catcher's pages, and the catalogue
// of the product's words in each language.
package templates

import (
	"io"
	"net/http"

	"silkpost/internal/errs"
)

// Set is every template, parsed. It may be used by any number of goroutines.
type Set struct{}

// New parses the embedded templates and catalogues.
func New() (*Set, error) { return &Set{}, nil }

// Digest renders a digest mail. The same Digest gives the same bytes.
func (s *Set) Digest(d Digest) (Mail, error) {
	return Mail{}, errs.New(errs.Internal, "not there yet")
}

// Page writes a page in a catalogue's language (see Language). It is rendered before the first byte is written, so after an
// error w is as it was. The caller sets status and headers.
func (s *Set) Page(w io.Writer, lang string, page Page) error {
	return errs.New(errs.Internal, "not there yet")
}

// Language returns the language of the product's words for a reader: the first of wanted that has a catalogue, else fallback
// if that has one, else "en".
func (s *Set) Language(wanted []string, fallback string) string { return "en" }

// StaticPath returns the address of an embedded file such as "silkpost.css", with its checksum in it.
func (s *Set) StaticPath(name string) (string, error) { return "", nil }

// StaticHandler serves the embedded files below /static/. Mount it beside any page of this package.
func (s *Set) StaticHandler() http.Handler { return http.NotFoundHandler() }
