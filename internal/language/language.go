// Package language compares language tags (BCP 47) the way readers do: by language and script. A reader of Ukrainian is
// never given Russian, nor a reader of Serbian in Latin letters Cyrillic, however near a matcher may think they are.
package language

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"silkpost/internal/errs"
)

// noLanguages are codes of ISO 639 that name no language: several, none, and not coded.
var noLanguages = []string{"mul", "zxx", "mis"}

// Parse returns the canonical form of a tag ("zh-hans" gives "zh-Hans"). An unknown or undetermined language is an error.
func Parse(tag string) (string, error) {
	t, err := language.Parse(strings.TrimSpace(tag))
	if base, said := t.Base(); err != nil || said != language.Exact || slices.Contains(noLanguages, base.String()) {
		return "", errs.New(errs.Invalid, "%q is not a language tag such as en, zh-Hans or sr-Latn", tag)
	}
	return t.String(), nil
}

// Key returns language and script of a canonical tag, with the usual script filled in: "en-GB" gives "en-Latn", "zh" gives
// "zh-Hans", "sr" gives "sr-Cyrl". Tags with equal keys can stand for one another.
func Key(tag string) string {
	t, err := language.Parse(tag)
	if err != nil {
		return tag
	}
	base, _ := t.Base()
	script, _ := t.Script()
	return fmt.Sprintf("%s-%s", usual(base.String()), script)
}

// usual gives one code to what has two: Norwegian is Bokmål unless Nynorsk is said.
func usual(base string) string {
	if base == "no" {
		return "nb"
	}
	return base
}

// Keys returns the key of each tag.
func Keys(tags []string) []string {
	keys := make([]string, len(tags))
	for i, tag := range tags {
		keys[i] = Key(tag)
	}
	return keys
}

// Choose returns the first of wanted that is among available: for each wanted tag in order first the very tag, then one with
// the same key. It returns "" when there is none.
func Choose(wanted, available []string) string {
	for _, want := range wanted {
		for _, have := range available {
			if have == want {
				return have
			}
		}
		for _, have := range available {
			if Key(have) == Key(want) {
				return have
			}
		}
	}
	return ""
}

// In returns what a thing is called in the first of the wanted languages that names, by tag, has; else in English; else in the
// first it has in the order of the tags. tag says in which; both are "" when there are no names.
func In(names map[string]string, wanted ...string) (name, tag string) {
	have := slices.Sorted(maps.Keys(names))
	if len(have) == 0 {
		return "", ""
	}
	tag = Choose(append(slices.Clone(wanted), "en"), have)
	if tag == "" {
		tag = have[0]
	}
	return names[tag], tag
}

// RightToLeft reports whether a tag's script runs from right to left.
func RightToLeft(tag string) bool {
	_, script, _ := strings.Cut(Key(tag), "-")
	switch script {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Mand", "Samr":
		return true
	}
	return false
}
