package templates

import (
	"fmt"
	"html/template"
	"io/fs"
	"maps"

	"silkpost/internal/errs"
)

// Extend returns, by language, what templates outside this package call: the functions of its own, with the messages of the catalogues in
// fsys (catalogues/TAG.toml) beside the product's. Those catalogues may be of fewer languages; like the product's they must all have the
// messages of the English one, and none that the product has.
func (s *Set) Extend(fsys fs.FS) (map[string]template.FuncMap, error) {
	found, err := fs.Glob(fsys, "catalogues/*.toml")
	if err != nil {
		return nil, err
	}
	more := map[string]*words{}
	for _, file := range found {
		w, err := readCatalogue(fsys, file)
		if err != nil {
			return nil, fmt.Errorf("templates: %s: %w", file, err)
		}
		more[w.tag] = w
	}
	if more[reference] == nil {
		return nil, errs.New(errs.Internal, "templates: catalogues/%s.toml is missing", reference)
	}
	funcs := map[string]template.FuncMap{}
	for tag, w := range more {
		if err := w.compare(more[reference]); err != nil {
			return nil, err
		}
		both, err := s.extended(tag, w)
		if err != nil {
			return nil, err
		}
		funcs[tag] = both.funcs()
		funcs[tag]["static"] = s.assets.path
		maps.Copy(funcs[tag], both.saying())
	}
	return funcs, nil
}

// extended returns the product's words of a language with more of them.
func (s *Set) extended(tag string, more *words) (*words, error) {
	if !s.Speaks(tag) {
		return nil, errs.New(errs.Internal, "templates: catalogues/%s.toml: the product does not speak this language", tag)
	}
	known := s.voices[tag].words
	both, err := readCatalogue(s.files, "catalogues/"+tag+".toml")
	if err != nil {
		return nil, err
	}
	both.siblings, both.ownNames, both.calendar, both.numerals = known.siblings, known.ownNames, known.calendar, known.numerals
	both.said = more.said
	for key, message := range more.messages {
		if both.messages[key] != nil {
			return nil, errs.New(errs.Internal, "templates: catalogues/%s.toml: message %s is one of the product's", tag, key)
		}
		both.messages[key] = message
		if err := both.bundle.AddMessages(both.bundleTag(), message); err != nil {
			return nil, fmt.Errorf("templates: message %s: %w", key, err)
		}
	}
	return both, nil
}
