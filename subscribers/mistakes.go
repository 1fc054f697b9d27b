package subscribers

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// mistakes collects what is wrong with a record. Its methods that check a field return it in its stored form.
type mistakes struct {
	of    string // the record: list "partners"
	found []error
}

// err returns nil or an error of kind Invalid with one line for each mistake.
func (m *mistakes) err() error {
	if len(m.found) == 0 {
		return nil
	}
	return errs.New(errs.Invalid, "%w", errors.Join(m.found...))
}

func (m *mistakes) add(field, format string, args ...any) {
	m.found = append(m.found, &Mistake{m.of, field, fmt.Sprintf(format, args...)})
}

// Mistake is what is wrong with one field of a record.
type Mistake struct { //nolint:errname // it is read as one
	Of    string // the record, such as list "partners"; "": whoever hands the mistake on says it
	Field string // with its value, where that helps: opt_in "maybe"
	Says  string
}

// Error says all of it in one line.
func (m *Mistake) Error() string {
	if m.Of == "" {
		return m.Field + ": " + m.Says
	}
	return m.Of + ", " + m.Field + ": " + m.Says
}

// Key is the field as a declaration names it, without its value: opt_in, name, sender.address, select.tags.
func (m *Mistake) Key() string {
	key, _ := m.parts()
	return strings.Join(key, ".")
}

// AtField says it where the field has a name already, in words: the value, if there is one, and what is wrong.
func (m *Mistake) AtField() string {
	if _, value := m.parts(); len(value) > 0 {
		return strings.Join(value, " ") + ": " + m.Says
	}
	return m.Says
}

func (m *Mistake) parts() (key, value []string) {
	words := strings.Fields(m.Field)
	for i, word := range words {
		if word == "in" || strings.ContainsAny(word[:1], "\"-0123456789") {
			return words[:i], words[i:]
		}
	}
	return words, nil
}

// check adds a mistake when err, the reason alone, is not nil.
func (m *mistakes) check(err error, field string, args ...any) {
	if err != nil {
		m.add(fmt.Sprintf(field, args...), "%v", err)
	}
}

// line checks a text that may become part of a mail header.
func (m *mistakes) line(field, text string) string {
	text = strings.TrimSpace(text)
	m.check(checkText(text, maxName), "%s %q", field, text)
	return text
}

// text checks a text that may have several lines.
func (m *mistakes) text(field, text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\r\n", "\n")
	m.check(checkText(strings.ReplaceAll(text, "\n", " "), maxText), "%s %q", field, text)
	return text
}

// words checks a text in several languages, each with m.line or m.text.
func (m *mistakes) words(field string, words database.StringMap, check func(field, text string) string) database.StringMap {
	out := database.StringMap{}
	for _, given := range slices.Sorted(maps.Keys(words)) {
		tag, in := m.language(field, given), fmt.Sprintf("%s in %s", field, given)
		if _, twice := out[tag]; twice {
			m.add(field, "%s is given twice", tag)
		}
		out[tag] = check(in, words[given])
		if out[tag] == "" {
			m.add(in, "empty")
		}
	}
	return out
}

func (m *mistakes) language(field, given string) string {
	tag, err := language.Parse(given)
	m.check(err, "%s", field)
	return tag
}
