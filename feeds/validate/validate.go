// Package validate checks feed documents against what is written of them: RSS 2.0 with the profile of the RSS Advisory Board and
// the modules content, dc, media and atom; Atom 1.0 (RFC 4287) with paging and archives (RFC 5005) and tombstones (RFC 6721);
// JSON Feed 1.1. What the W3C's feed validator says beyond the specifications is said here, too.
//
// An error is what a specification forbids, or what cannot be meant; a warning is what it advises against, or what readers are
// known to stumble over. Each finding says where it stands, what to do, and which section it rests on.
//
// The package shares no code with package feeds, whose mistakes it is there to catch. Documents may come from anyone: size, depth
// and the number of findings have limits, and no input makes it panic. There is no clock in it: the same bytes give the same
// findings.
package validate

import (
	"fmt"
	"strings"

	"silkpost/internal/errs"
)

// The formats.
const (
	rss      = "rss"
	atom     = "atom"
	jsonFeed = "json"
)

// What is read of a document at most.
const (
	maxBytes    = 64 << 20
	maxDepth    = 100     // elements within elements, or arrays and objects within such
	maxParts    = 1 << 20 // elements, or JSON values
	maxFindings = 200     // how many are listed; the rest is counted
)

// Severity says how much a finding matters.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // a specification forbids it
	Warning Severity = "warning" // it is advised against, or readers stumble over it
)

// Finding is one thing that is wrong with a document.
type Finding struct {
	Line     int      // where it begins, from 1
	Severity Severity // how much it matters
	Where    string   // the way to it from below the root, such as channel/item[3]/guid or items[3]/url; numbers begin at 1
	What     string   // one sentence that names the thing and what to do
	Rule     string   // the specification and its section, such as "RFC 4287, 4.1.1"
}

// String returns the finding as one line.
func (f Finding) String() string {
	return fmt.Sprintf("line %d: %s: %s: %s (%s)", f.Line, f.Severity, f.Where, f.What, f.Rule)
}

// checks says how each format is checked.
var checks = map[string]func(*report, []byte){rss: checkRSS, atom: checkAtom, jsonFeed: checkJSON}

// called says what people call each format.
var called = map[string]string{rss: "RSS", atom: "Atom", jsonFeed: "JSON Feed"}

// Check returns what is wrong with a document of a format (rss, atom or json), in the order of its lines. An empty result is a
// valid document. Of more than 200 findings the first are listed and the last says how many more there are. An unknown format is
// errs.Invalid; whatever body holds, it is a finding, never an error.
func Check(format string, body []byte) ([]Finding, error) {
	check := checks[format]
	if check == nil {
		return nil, errs.New(errs.Invalid, "feed format %q is unknown: use rss, atom or json", clip(format, maxQuote))
	}
	r := &report{}
	switch is, ok := Detect(body); {
	case len(body) > maxBytes:
		r.err(document(1), "this checker", "the document is larger than %d MiB: divide it into pages or archives", maxBytes>>20)
	case ok && is != format:
		r.err(document(1), "this checker", "this is a document of %s, not of %s: check it as %s", called[is], called[format], is)
	default:
		check(r, body)
	}
	return r.findings(), nil
}

// Detect returns which of the formats a document is of, by its first character or its root element alone: it may still be wrong
// in every other way. ok is false when it is of none.
func Detect(body []byte) (format string, ok bool) {
	text := strings.TrimLeft(string(body[:min(len(body), 64)]), "\ufeff \t\r\n")
	if strings.HasPrefix(text, "{") {
		return jsonFeed, true
	}
	switch rootName(body) {
	case "rss":
		return rss, true
	case "feed":
		return atom, true
	}
	return "", false
}
