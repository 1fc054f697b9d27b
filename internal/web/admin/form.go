package admin

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

// formField is a field of a form of many, with what of a record it is.
type formField[T any] struct {
	section string
	name    string // as fieldName has it
	kind    adminpage.FieldKind
	words   []string // the values of a choice, whose words are in the catalogue
	of      func(*T) binding
	noHelp  bool
}

// binding reads and writes one thing of a record as a form has it.
type binding struct {
	get func() []string
	set func(values []string) error // what is wrong with them is said at the field
}

// fieldName is the name of a field in a form, made of its key in a declaration. Catalogues have a use of their own for "description".
func fieldName(key string) string {
	if key == "description" {
		return "about"
	}
	return strings.ReplaceAll(key, ".", "_")
}

// readForm writes into a record what a form gives, and returns what could not be read. A field that the form does not have stays as it is.
func readForm[T any](fields []formField[T], record *T, form url.Values) adminpage.Mistakes {
	mistakes := adminpage.Mistakes{}
	for _, f := range fields {
		values, given := form[f.name]
		if !given {
			continue
		}
		switch f.kind {
		case adminpage.WordsField, adminpage.TextsField:
			values = pairs(form[f.name+".language"], form[f.name+".words"])
		case adminpage.LinesField:
			values = strings.Split(strings.Join(values, "\n"), "\n")
		case adminpage.CodeField: // browsers end lines with CRLF
			values = []string{strings.ReplaceAll(strings.Join(values, ""), "\r\n", "\n")}
		case adminpage.LineField, adminpage.TextField, adminpage.NumberField, adminpage.HourField, adminpage.ColourField, adminpage.ChoiceField,
			adminpage.ChoicesField, adminpage.OpenField, adminpage.CheckField:
		}
		if f.kind != adminpage.WordsField && f.kind != adminpage.TextsField && f.kind != adminpage.CodeField {
			values = filled(values)
		}
		if err := f.of(record).set(values); err != nil {
			mistakes[f.name] = err.Error()
		}
	}
	return mistakes
}

// filled returns the values that are not empty, without space around them.
func filled(values []string) (full []string) {
	for _, value := range values {
		if value = strings.TrimSpace(value); value != "" {
			full = append(full, value)
		}
	}
	return full
}

// pairs puts languages and words together, in turn. A row without words is none.
func pairs(languages, words []string) (both []string) {
	for i := range min(len(languages), len(words)) {
		if tag, said := strings.TrimSpace(languages[i]), strings.TrimSpace(words[i]); said != "" {
			both = append(both, tag, said)
		}
	}
	return both
}

// sectionsOf shows a record as a form; those of its sections in which something is wrong are open. offers are the options of fields that depend on what there is.
func sectionsOf[T any](area string, fields []formField[T], record *T, v *visit, mistakes adminpage.Mistakes, offers map[string][]string) (sections []adminpage.Section) {
	for _, f := range fields {
		shown := adminpage.FormField{Area: area, Name: f.name, Kind: f.kind, Values: f.of(record).get(), Mistake: mistakes[f.name], NoHelp: f.noHelp}
		if len(mistakes) > 0 && (shown.Mistake != "") && f.kind != adminpage.WordsField && f.kind != adminpage.TextsField && f.kind != adminpage.CodeField {
			shown.Values = v.PostForm[f.name] // as it was written
			if f.kind != adminpage.LineField && f.kind != adminpage.TextField {
				shown.Values = filled(shown.Values)
			}
		}
		shown.Rows = wordRows(&shown)
		shown.Options = options(area, f.name, f.words, offers[f.name], shown.Values)
		if len(sections) == 0 || sections[len(sections)-1].Name != f.section {
			sections = append(sections, adminpage.Section{Area: area, Name: f.section})
		}
		last := &sections[len(sections)-1]
		last.Fields = append(last.Fields, shown)
		last.Open = last.Open || shown.Mistake != ""
	}
	return sections
}

// spareRows are how many empty rows a field of words ends with.
const spareRows = 2

func wordRows(f *adminpage.FormField) (rows []adminpage.WordsRow) {
	if f.Kind != adminpage.WordsField && f.Kind != adminpage.TextsField {
		return nil
	}
	for i := 0; i+1 < len(f.Values); i += 2 {
		rows = append(rows, adminpage.WordsRow{Language: f.Values[i], Words: f.Values[i+1]})
	}
	if len(rows) == 0 {
		rows = append(rows, adminpage.WordsRow{Language: "en"})
	}
	return append(rows, make([]adminpage.WordsRow, spareRows)...)
}

// options are those that the catalogue has words for, and those that are called as they are.
func options(area, name string, words, offered, chosen []string) (all []adminpage.FormChoice) {
	for _, value := range words {
		key := area + ".choice." + name + "_" + value
		if slices.Contains(subscribers.Weekdays, value) {
			key = "form.weekday." + value
		}
		if value == "" {
			key = area + ".choice." + name + "_usual"
		}
		all = append(all, adminpage.FormChoice{Value: value, Key: key, Chosen: slices.Contains(chosen, value) || value == "" && len(filled(chosen)) == 0})
	}
	for _, value := range offered {
		all = append(all, adminpage.FormChoice{Value: value, Label: value, Chosen: slices.Contains(chosen, value)})
	}
	return all
}

// The bindings of usual kinds.

func bindText[S ~string](at *S) binding {
	return binding{
		get: func() []string { return []string{string(*at)} },
		set: func(values []string) error { *at = S(strings.Join(values, "\n")); return nil },
	}
}

func bindFlag(at *bool) binding {
	return binding{
		get: func() []string {
			if *at {
				return []string{"yes"}
			}
			return nil
		},
		set: func(values []string) error { *at = len(values) > 0; return nil },
	}
}

func bindNumber(at *int) binding {
	return binding{
		get: func() []string { return []string{strconv.Itoa(*at)} },
		set: func(values []string) error {
			if len(values) == 0 {
				*at = 0
				return nil
			}
			n, err := strconv.Atoi(values[0])
			if err != nil {
				return errNumber(values[0])
			}
			*at = n
			return nil
		},
	}
}

func bindLength(at *subscribers.Duration) binding {
	return binding{
		get: func() []string {
			written := strings.TrimSuffix(at.String(), "m0s")
			if written != at.String() {
				written += "m"
			}
			return []string{strings.Replace(written, "h0m", "h", 1)}
		},
		set: func(values []string) error {
			if len(values) == 0 {
				*at = 0
				return nil
			}
			return at.UnmarshalText([]byte(values[0]))
		},
	}
}

func bindSet[S ~[]string](at *S) binding {
	return binding{
		get: func() []string { return *at },
		set: func(values []string) error { *at = append(S{}, values...); return nil },
	}
}

func bindWords[M ~map[string]string](at *M) binding {
	return binding{
		get: func() (both []string) {
			for _, tag := range slices.Sorted(maps.Keys(*at)) {
				both = append(both, tag, (*at)[tag])
			}
			return both
		},
		set: func(both []string) error {
			*at = M{}
			for i := 0; i+1 < len(both); i += 2 {
				if _, twice := (*at)[both[i]]; twice {
					return errTwice(both[i])
				}
				(*at)[both[i]] = both[i+1]
			}
			return nil
		},
	}
}

func errNumber(given string) error {
	return errs.New(errs.Invalid, "%q is no whole number such as 20", given)
}

func errTwice(tag string) error {
	return errs.New(errs.Invalid, "the language %q is given twice: keep one of them", tag)
}
