package templates

import "slices"

// Catalogues returns the languages that there are words in, sorted.
func (s *Set) Catalogues() []string { return slices.Clone(s.tags) }

// StaticPath returns the address of an embedded file.
func (s *Set) StaticPath(name string) (string, error) { return s.assets.path(name) }

// Examples are the words of examples, by language.
var Examples = examples
