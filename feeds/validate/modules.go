package validate

import (
	"slices"
	"strings"
)

const (
	ruleContent = "RDF Site Summary 1.0, content module"
	ruleDC      = "Dublin Core 1.1"
)

// names are the elements that each module has.
var names = map[string]string{
	nsContent: "encoded items",
	nsDC:      "contributor coverage creator date description format identifier language publisher relation rights source subject title type",
	nsHistory: "archive complete",
	nsTomb:    "by comment deleted-entry",
	nsAtom: "author category content contributor email entry feed generator icon id link logo name published rights source subtitle " +
		"summary title updated uri",
	nsMedia: "adult backLinks category comment comments community content copyright credit description embed group hash keywords license " +
		"location param peerLink player price rating responses restriction rights scene scenes starRating statistics status subTitle " +
		"tags text thumbnail title",
}

// extensions checks the children of an element that belong to modules.
func (r *report) extensions(e *element) {
	for _, child := range e.children {
		if child.space == e.space || !r.known(child) {
			continue
		}
		switch child.space {
		case nsContent:
			r.encoded(e, child)
		case nsDC:
			r.dublinCore(child)
		case nsMedia:
			r.media(child)
		}
	}
}

// known reports whether an element is one of those that its namespace has, and says so when it is not.
func (r *report) known(e *element) bool {
	known := names[e.space]
	ok := known == "" || slices.Contains(strings.Fields(known), e.local)
	if !ok {
		r.err(e, ruleNamespaces, "<%s> is not an element of %s: leave it out", e.name(), e.space)
	}
	return ok
}

// encoded checks content:encoded, the whole content of an item as HTML.
func (r *report) encoded(item, e *element) {
	if e.local != "encoded" {
		return
	}
	if e != item.first(nsContent, "encoded") {
		r.err(e, ruleContent, "<%s> is there more than once in <%s>: leave one", e.name(), item.name())
	}
	r.leaf(e, ruleContent)
	r.html(e, e.text, e.hasBase())
}

func (r *report) dublinCore(e *element) {
	r.leaf(e, ruleDC)
	switch value := e.trimmed(); e.local {
	case "date":
		r.value(e, ruleDC, value, w3cDateFault(value))
	case "language":
		r.value(e, ruleDC, value, languageFault(value))
	case "creator", "contributor", "publisher", "subject", "title":
		r.filled(e, ruleDC)
		r.plain(e, ruleDC, value)
	}
}

// overlap is an element of RSS and one of a module that say the same.
type overlap struct{ core, space, local string }

var (
	itemOverlaps = []overlap{
		{"author", nsDC, "creator"},
		{"category", nsDC, "subject"},
		{"pubDate", nsDC, "date"},
		{"source", nsDC, "source"},
		{"pubDate", nsAtom, "published"},
		{"guid", nsAtom, "id"},
	}
	channelOverlaps = []overlap{
		{"managingEditor", nsDC, "creator"},
		{"webMaster", nsDC, "publisher"},
		{"category", nsDC, "subject"},
		{"pubDate", nsDC, "date"},
		{"language", nsDC, "language"},
		{"copyright", nsDC, "rights"},
	}
)

// overlaps warns of what an element says twice.
func (r *report) overlaps(e *element, pairs []overlap) {
	for _, p := range pairs {
		if again := e.first(p.space, p.local); again != nil && e.first("", p.core) != nil {
			r.warn(again, "W3C feed validator, DuplicateSemantics", "<%s> says what <%s> says: leave one of them out", again.name(), p.core)
		}
	}
}
