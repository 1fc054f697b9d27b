package validate

import (
	"encoding/base64"
	"strings"
)

const (
	ruleText        = "RFC 4287, 3.1.1"
	rulePlainText   = "RFC 4287, 3.1.1.1"
	ruleHTMLText    = "RFC 4287, 3.1.1.2"
	ruleXHTMLText   = "RFC 4287, 3.1.1.3"
	rulePerson      = "RFC 4287, 3.2"
	ruleDate        = "RFC 4287, 3.3"
	ruleContentType = "RFC 4287, 4.1.3.1"
	ruleContentSrc  = "RFC 4287, 4.1.3.2"
	ruleContentBody = "RFC 4287, 4.1.3.3"
	ruleCategory    = "RFC 4287, 4.2.2"
	ruleGenerator   = "RFC 4287, 4.2.4"
	ruleID          = "RFC 4287, 4.2.6"
)

func atomID(r *report, id *element) {
	r.value(id, ruleID, id.text, addressFault(id.text, wholeIRI))
}

func atomReference(r *report, e *element) {
	r.value(e, ruleAtom, e.text, addressFault(e.text, reference))
}

func atomDate(r *report, e *element) { r.netTime(e, ruleDate, e.text) }

func atomGenerator(r *report, e *element) {
	r.filled(e, ruleGenerator)
	if a := e.attr("uri"); a != nil {
		r.value(a, ruleGenerator, a.value, addressFault(a.value, reference))
	}
}

func atomCategory(r *report, e *element) {
	r.needs(e, "RFC 4287, 4.2.2.1", "term")
	if a := e.attr("scheme"); a != nil {
		r.value(a, "RFC 4287, 4.2.2.2", a.value, addressFault(a.value, wholeIRI))
	}
	if a := e.attr("label"); a != nil {
		r.plain(a, "RFC 4287, 4.2.2.3", a.value)
	}
}

// atomPerson checks an author, a contributor, or who removed an entry. Its parts are Atom's, in whatever namespace it is itself.
func atomPerson(r *report, person *element) {
	r.noText(person, rulePerson)
	names := person.all(nsAtom, "name")
	switch {
	case len(names) == 0:
		r.err(person, rulePerson, "<%s> has no <name>: add one", person.name())
	case len(names) > 1:
		r.err(names[1], rulePerson, "<%s> is there more than once in <%s>: leave one", names[1].name(), person.name())
	}
	for _, child := range person.children {
		if child.space != nsAtom {
			continue
		}
		r.leaf(child, rulePerson)
		r.attributes(child, rulePerson, "")
		switch child.local {
		case "name":
			r.filled(child, ruleBlank)
			r.plain(child, "RFC 4287, 3.2.1", child.text)
		case "uri":
			r.value(child, "RFC 4287, 3.2.2", child.text, addressFault(child.text, reference))
		case "email":
			if !email.MatchString(child.text) {
				r.value(child, "RFC 4287, 3.2.3", child.text, wrong("is not an address of mail: write one such as office@example.org, or leave it out"))
			}
		default:
			r.err(child, rulePerson, "<%s> is not an element of <%s>: leave it out", child.name(), person.name())
		}
	}
	for _, local := range []string{"uri", "email"} {
		if again := person.all(nsAtom, local); len(again) > 1 {
			r.err(again[1], rulePerson, "<%s> is there more than once in <%s>: leave one", again[1].name(), person.name())
		}
	}
}

// atomText checks a title, a summary and the like.
func atomText(r *report, e *element) {
	if a := e.attr("type"); a != nil && r.value(a, ruleText, a.value, oneOfFault(a.value, "text", "html", "xhtml")) {
		return
	}
	r.filled(e, ruleBlank)
	r.inline(e)
}

// inline checks what an element of type text, html or xhtml holds.
func (r *report) inline(e *element) {
	switch mediaKind(e) {
	case "text":
		r.leaf(e, rulePlainText)
		r.plain(e, rulePlainText, e.text)
	case "html":
		r.leaf(e, ruleHTMLText)
		r.html(e, e.text, e.hasBase())
	case "xhtml":
		if len(e.children) != 1 || !e.children[0].is(nsXHTML, "div") || e.trimmed() != "" {
			r.err(e, ruleXHTMLText, "<%s> of type xhtml holds something other than one <div> of XHTML: put everything into one", e.name())
			return
		}
		r.xhtml(e.children[0])
	}
}

func atomContent(r *report, e *element) {
	kind := mediaKind(e)
	inline := kind == "text" || kind == "html" || kind == "xhtml"
	if a := e.attr("type"); a != nil && !inline {
		switch {
		case r.value(a, ruleContentType, a.value, mediaTypeFault(a.value)):
			return
		case strings.HasPrefix(kind, "multipart/"), strings.HasPrefix(kind, "message/"):
			r.value(a, ruleContentType, a.value, wrong("is made of parts: write a simple media type"))
		}
	}
	switch {
	case e.attr("src") != nil:
		r.contentElsewhere(e, inline)
	case inline:
		r.inline(e)
	case isXMLType(kind): // any element may be in it
	case strings.HasPrefix(kind, "text/"):
		r.leaf(e, ruleContentBody)
		if kind == "text/html" {
			r.html(e, e.text, e.hasBase())
		}
	default:
		r.leaf(e, ruleContentBody)
		if _, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(e.text), "")); err != nil {
			r.err(e, ruleContentBody, "<%s> of type %s is not in Base64: encode it", e.name(), quote(e.get("type")))
		}
	}
}

// contentElsewhere checks content that is named by its address alone.
func (r *report) contentElsewhere(e *element, inline bool) {
	src := e.attr("src")
	if !r.value(src, ruleContentSrc, src.value, addressFault(src.value, reference)) {
		r.whole(src)
	}
	if e.trimmed() != "" || len(e.children) > 0 {
		r.err(e, ruleContentSrc, "<%s> has an attribute src and holds something: leave one of them out", e.name())
	}
	switch {
	case e.attr("type") == nil:
		r.warn(e, ruleContentSrc, "<%s> has an attribute src and no type: add the media type", e.name())
	case inline:
		r.err(e.attr("type"), ruleContentSrc, "type %s does not go with src: write a media type such as text/html", quote(e.get("type")))
	}
}

func isXMLType(kind string) bool {
	return strings.HasSuffix(kind, "+xml") || strings.HasSuffix(kind, "/xml")
}

// isBase64 reports whether content is to be encoded in Base64.
func isBase64(content *element) bool {
	kind := mediaKind(content)
	return strings.Contains(kind, "/") && !strings.HasPrefix(kind, "text/") && !isXMLType(kind)
}
