package validate

import (
	"slices"
	"strconv"
	"strings"
)

// The namespaces that are known here.
const (
	nsXML     = "http://www.w3.org/XML/1998/namespace"
	nsXMLNS   = "http://www.w3.org/2000/xmlns/"
	nsXHTML   = "http://www.w3.org/1999/xhtml"
	nsAtom    = "http://www.w3.org/2005/Atom"
	nsContent = "http://purl.org/rss/1.0/modules/content/"
	nsDC      = "http://purl.org/dc/elements/1.1/"
	nsMedia   = "http://search.yahoo.com/mrss/"
	nsHistory = "http://purl.org/syndication/history/1.0"
	nsTomb    = "http://purl.org/atompub/tombstones/1.0"
)

// element is an element of an XML document.
type element struct {
	space    string // its namespace
	prefix   string // as the document writes it
	local    string
	line     int
	parent   *element
	number   int // among the children of its parent that have its name, from 1
	children []*element
	counts   map[[2]string]int // how many children it has of each namespace and name
	attrs    []*attribute
	text     string // its own, without that of its children
	raw      []byte // collects text while the element is open
}

// attribute is an attribute of an element, other than a declaration of a namespace.
type attribute struct {
	of     *element
	space  string
	prefix string
	local  string
	value  string
}

// written returns a name as the document writes it.
func written(prefix, local string) string {
	if prefix == "" {
		return clip(local, maxName)
	}
	return clip(prefix, maxName) + ":" + clip(local, maxName)
}

func (e *element) name() string   { return written(e.prefix, e.local) }
func (a *attribute) name() string { return written(a.prefix, a.local) }

func (e *element) at() (line int, where string) {
	line = e.line
	if e.parent == nil {
		return line, e.name()
	}
	var steps []string
	for ; e.parent != nil; e = e.parent {
		steps = append(steps, e.step())
	}
	slices.Reverse(steps)
	return line, strings.Join(steps, "/")
}

func (a *attribute) at() (line int, where string) {
	line, where = a.of.at()
	return line, where + "/@" + a.name()
}

// step returns the name of an element, with its number where others of its name stand beside it, or might.
func (e *element) step() string {
	if e.parent.counts[e.full()] < 2 && e.local != "item" && e.local != "entry" {
		return e.name()
	}
	return e.name() + "[" + strconv.Itoa(e.number) + "]"
}

// full returns an element's namespace and name.
func (e *element) full() [2]string { return [2]string{e.space, e.local} }

// adopt takes in a child, whose namespace is known by now.
func (e *element) adopt(child *element) {
	e.children = append(e.children, child)
	if e.counts == nil {
		e.counts = map[[2]string]int{}
	}
	e.counts[child.full()]++
	child.number = e.counts[child.full()]
}

// is reports whether an element has a name.
func (e *element) is(space, local string) bool { return e.space == space && e.local == local }

// all returns the children of a name.
func (e *element) all(space, local string) (found []*element) {
	for _, child := range e.children {
		if child.is(space, local) {
			found = append(found, child)
		}
	}
	return found
}

// first returns the first child of a name, or nil.
func (e *element) first(space, local string) *element {
	for _, child := range e.children {
		if child.is(space, local) {
			return child
		}
	}
	return nil
}

// attr returns an attribute that is in no namespace, or nil.
func (e *element) attr(local string) *attribute { return e.attrIn("", local) }

func (e *element) attrIn(space, local string) *attribute {
	for _, a := range e.attrs {
		if a.space == space && a.local == local {
			return a
		}
	}
	return nil
}

// get returns the value of an attribute that is in no namespace, "" when there is none.
func (e *element) get(local string) string {
	if a := e.attr(local); a != nil {
		return a.value
	}
	return ""
}

// trimmed returns an element's text without the blanks around it.
func (e *element) trimmed() string { return strings.Trim(e.text, " \t\r\n") }

// hasBase reports whether an xml:base says what relative addresses in an element are relative to.
func (e *element) hasBase() bool {
	for ; e != nil; e = e.parent {
		if base := e.attrIn(nsXML, "base"); base != nil && scheme.MatchString(base.value) {
			return true
		}
	}
	return false
}
