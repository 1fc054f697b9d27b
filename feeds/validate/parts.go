package validate

import (
	"cmp"
	"slices"
	"strings"
)

// part is what a specification says of an element inside of another.
type part struct {
	required bool
	many     bool                    // it may be there more than once
	attrs    string                  // the attributes that it may have, of those in no namespace
	holds    bool                    // it may hold elements
	check    func(*report, *element) // what else there is to see
	rule     string                  // where its attributes and content are written of, when not where its siblings are
}

// anything stands for attributes that are looked at elsewhere.
const anything = "*"

// parts checks the children of an element that are in its own namespace against what is known of them: that each is known, there
// no more often than it may be, and has what belongs to it.
func (r *report) parts(e *element, rule string, known map[string]part) {
	seen := map[string]bool{}
	for _, child := range e.children {
		if child.space != e.space {
			continue
		}
		p, ok := known[child.local]
		if !ok {
			r.err(child, rule, "<%s> is not an element of <%s>: leave it out, or put it into a namespace of its own", child.name(), e.name())
			continue
		}
		if seen[child.local] && !p.many {
			r.err(child, rule, "<%s> is there more than once in <%s>: leave one", child.name(), e.name())
		}
		seen[child.local] = true
		own := cmp.Or(p.rule, rule)
		r.attributes(child, own, p.attrs)
		if !p.holds {
			r.leaf(child, own)
		}
		if p.check != nil {
			p.check(r, child)
		}
	}
	var missing []string
	for local, p := range known {
		if p.required && !seen[local] {
			missing = append(missing, written(e.prefix, local))
		}
	}
	slices.Sort(missing)
	for _, name := range missing {
		r.err(e, rule, "<%s> has no <%s>: add one", e.name(), name)
	}
}

// attributes sees whether an element has attributes that nobody knows.
func (r *report) attributes(e *element, rule, known string) {
	for _, a := range e.attrs {
		if a.space == "" && known != anything && !slices.Contains(strings.Fields(known), a.local) {
			r.err(a, rule, "attribute %s is not one of <%s>: leave it out", a.name(), e.name())
		}
	}
}

// leaf sees that an element holds text alone.
func (r *report) leaf(e *element, rule string) {
	if len(e.children) > 0 {
		child := e.children[0]
		r.err(child, rule, "<%s> stands in <%s>, which holds text alone: escape it, or leave it out", child.name(), e.name())
	}
}

// noText sees that an element that is there for others holds no text of its own.
func (r *report) noText(e *element, rule string) {
	if text := e.trimmed(); text != "" {
		r.err(e, rule, "<%s> holds the text %s, where elements are expected: leave it out", e.name(), quote(text))
	}
}

// needs returns the value of an attribute that an element must have. ok is false when it is missing or empty; then that is told.
func (r *report) needs(e *element, rule, local string) (a *attribute, ok bool) {
	a = e.attr(local)
	if a == nil || a.value == "" {
		r.err(e, rule, "<%s> has no attribute %s: add it", e.name(), local)
		return nil, false
	}
	return a, true
}

const ruleBlank = "W3C feed validator, NotBlank"

// filled warns of an element without text.
func (r *report) filled(e *element, rule string) {
	if e.trimmed() == "" && len(e.children) == 0 {
		r.warn(e, rule, "<%s> is empty: fill it, or leave it out", e.name())
	}
}
