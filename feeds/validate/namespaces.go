package validate

import (
	"encoding/xml"
	"maps"
	"strings"
)

const ruleNamespaces = "Namespaces in XML 1.0"

// declaration returns the prefix that an attribute declares, if it is a declaration of a namespace.
func declaration(a xml.Attr) (prefix string, ok bool) {
	if a.Name.Space == "" && a.Name.Local == "xmlns" {
		return "", true
	}
	return a.Name.Local, a.Name.Space == "xmlns"
}

// declare takes in the namespaces that a tag declares, and returns what gives them up again.
func (x *xmlReader) declare(attrs []xml.Attr) (undo func()) {
	var before map[string]string
	for _, a := range attrs {
		prefix, ok := declaration(a)
		if !ok || prefix == "xml" || prefix == "xmlns" {
			continue
		}
		if before == nil {
			before = map[string]string{}
		}
		if _, done := before[prefix]; !done {
			before[prefix] = x.spaces[prefix]
		}
		x.spaces[prefix] = a.Value
	}
	return func() { maps.Copy(x.spaces, before) }
}

// declarations checks the namespaces that a tag declares.
func (x *xmlReader) declarations(e *element, attrs []xml.Attr) {
	for _, a := range attrs {
		switch prefix, ok := declaration(a); {
		case !ok:
		case prefix == "xmlns", prefix == "xml" && a.Value != nsXML:
			x.err(e, ruleNamespaces+", 3", "prefix %s has its meaning already: leave its declaration out", prefix)
		case prefix != "" && a.Value == "":
			x.err(e, ruleNamespaces+", 5", "prefix %s is declared as nothing: name its namespace", quote(prefix))
		default:
			x.knownPrefix(e, prefix, a.Value)
		}
	}
}

// usual says what readers expect of a prefix.
var usual = map[string]string{
	"atom": nsAtom, "content": nsContent, "dc": nsDC, "media": nsMedia, "fh": nsHistory, "at": nsTomb,
	"slash": "http://purl.org/rss/1.0/modules/slash/", "sy": "http://purl.org/rss/1.0/modules/syndication/",
	"itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd", "thr": "http://purl.org/syndication/thread/1.0",
}

func (x *xmlReader) knownPrefix(e *element, prefix, space string) {
	plain := func(s string) string {
		_, rest, _ := strings.Cut(s, "://")
		return strings.ToLower(strings.TrimRight(rest, "/#"))
	}
	expected := usual[prefix]
	switch {
	case expected == "" || space == expected:
	case plain(space) == plain(expected):
		x.err(e, ruleNamespaces+", 2.2", "prefix %s is declared as %s, which is not the namespace: write %s",
			prefix, quote(space), quote(expected))
	default:
		x.warn(e, "W3C feed validator, ReservedPrefix", "prefix %s is declared as %s, readers know it as %s: take another prefix",
			prefix, quote(space), quote(expected))
	}
}

// spaceOf returns the namespace that a prefix stands for, or something that is none.
func (x *xmlReader) spaceOf(prefix string) string {
	if space := x.spaces[prefix]; space != "" || prefix == "" {
		return space
	}
	return "undeclared " + prefix
}

// declared sees that a prefix of an element or its attribute stands for something.
func (x *xmlReader) declared(e *element, prefix string) {
	if prefix != "" && x.spaces[prefix] == "" {
		x.err(e, ruleNamespaces+", 5", "prefix %s is not declared: add xmlns:%s to <%s>",
			quote(prefix), clip(prefix, maxName), x.root.name())
	}
}

func (x *xmlReader) attributes(e *element, attrs []xml.Attr) {
	type name struct{ space, local string }
	seen := make(map[name]bool, len(attrs))
	for _, a := range attrs {
		n := name{local: a.Name.Local}
		switch _, is := declaration(a); {
		case is:
			n.space = nsXMLNS
		case a.Name.Space != "":
			n.space = x.spaceOf(a.Name.Space)
			x.declared(e, a.Name.Space)
		}
		if seen[n] {
			x.err(e, ruleTags, "attribute %s of <%s> is there twice: leave one out", written(a.Name.Space, n.local), e.name())
			continue
		}
		seen[n] = true
		x.noColon(e, n.local)
		if n.space != nsXMLNS {
			e.attrs = append(e.attrs, &attribute{of: e, space: n.space, prefix: a.Name.Space, local: n.local, value: a.Value})
		}
	}
	x.noColon(e, e.local)
	for _, a := range e.attrs {
		x.undamaged(a, a.value)
		switch {
		case a.space != nsXML:
		case a.local == "lang" && a.value != "":
			x.value(a, "XML 1.0, 2.12", a.value, languageFault(a.value))
		case a.local == "base":
			x.value(a, "XML Base, 3.1", a.value, addressFault(a.value, reference))
		}
	}
}

// noColon sees names that are nothing but a prefix or have none before their colon.
func (x *xmlReader) noColon(e *element, local string) {
	if strings.Contains(local, ":") {
		x.err(e, ruleNamespaces+", 4", "name %s has a colon without a name on both sides: mend it", quote(local))
	}
}
