package validate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Sizes of what a finding says, in bytes.
const (
	maxQuote = 80 // of the document
	maxText  = 400
	maxName  = 40 // a name within Where
)

// report collects findings.
type report struct {
	found      []Finding
	more       int // findings that are counted alone
	moreErrors int // how many of those are errors
}

// place is what a finding is about: an element, an attribute, a JSON value or a line.
type place interface {
	// at returns the line and the way to the place. It is asked of findings that are kept alone, so it may take its time.
	at() (line int, where string)
	// name returns what the place is called by itself.
	name() string
}

// document is the document as a whole, at one of its lines.
type document int

func (d document) at() (line int, where string) { return int(d), d.name() }
func (d document) name() string                 { return "document" }

// err adds an error.
func (r *report) err(p place, rule, format string, args ...any) {
	r.add(Error, p, rule, format, args...)
}

// warn adds a warning.
func (r *report) warn(p place, rule, format string, args ...any) {
	r.add(Warning, p, rule, format, args...)
}

func (r *report) add(severity Severity, p place, rule, format string, args ...any) {
	if len(r.found) >= maxFindings {
		r.more++
		if severity == Error {
			r.moreErrors++
		}
		return
	}
	line, where := p.at()
	r.found = append(r.found, Finding{
		Line: line, Severity: severity, Where: oneLine(where), What: oneLine(fmt.Sprintf(format, args...)), Rule: rule,
	})
}

// oneLine makes a text fit for a line of its own, whatever it holds of the document.
func oneLine(text string) string {
	return clip(strings.Map(func(c rune) rune {
		if !strconv.IsPrint(c) {
			return '?'
		}
		return c
	}, text), maxText)
}

// fault is what is wrong with a value; the zero one is nothing. Its text goes on after the value: "is relative: write …".
type fault struct {
	severity Severity
	text     string
}

func wrong(format string, args ...any) fault  { return fault{Error, fmt.Sprintf(format, args...)} }
func unwise(format string, args ...any) fault { return fault{Warning, fmt.Sprintf(format, args...)} }

// value adds what is wrong with a value at a place, and reports whether it cannot be used.
func (r *report) value(p place, rule, value string, f fault) (bad bool) {
	if f != (fault{}) {
		r.add(f.severity, p, rule, "%s %s %s", p.name(), quote(value), f.text)
	}
	return f.severity == Error
}

// findings returns what was found in the order of the lines; what stands in one line stays as it was found.
func (r *report) findings() []Finding {
	slices.SortStableFunc(r.found, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	if r.more > 0 {
		severity := Warning
		if r.moreErrors > 0 {
			severity = Error
		}
		r.found = append(r.found, Finding{
			Line: r.found[len(r.found)-1].Line, Severity: severity, Where: "document", Rule: "this checker",
			What: fmt.Sprintf("%d more findings are not listed, %d of them errors: mend these first", r.more, r.moreErrors),
		})
	}
	return r.found
}

// quote shows a value of the document on one line, its beginning when it is long.
func quote(value string) string {
	return strconv.Quote(clip(value, maxQuote))
}

// clip returns the beginning of a text that is longer than limit bytes.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
