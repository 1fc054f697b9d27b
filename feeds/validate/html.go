package validate

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

const (
	ruleRisk     = "W3C feed validator, SecurityRisk"
	ruleRiskAttr = "W3C feed validator, SecurityRiskAttr"
	ruleStyle    = "W3C feed validator, DangerousStyleAttr"
	ruleRelative = "W3C feed validator, ContainsRelRef"
	ruleTracking = "privacy: no open tracking"
)

// unfit are elements that do not belong into the content of an article, with the reason.
var unfit = map[string]string{
	"applet": "readers do not run it", "base": "it changes what all addresses mean", "button": "readers drop forms",
	"embed": "readers do not run it", "form": "readers drop forms", "frame": "readers drop frames", "frameset": "readers drop frames",
	"iframe": "readers drop frames, and they load pages of others", "input": "readers drop forms",
	"link": "it is for the head of a page", "meta": "it is for the head of a page", "object": "readers do not run it", "select": "readers drop forms",
	"style": "readers drop it, or it changes theirs", "textarea": "readers drop forms", "title": "it is for the head of a page",
	"html": "content is a part of a page, not a page", "head": "content is a part of a page, not a page",
	"body": "content is a part of a page, not a page", "plaintext": "what follows is no longer read as HTML",
}

// addresses are the attributes whose value is an address.
var addresses = map[string]bool{
	"action": true, "background": true, "cite": true, "data": true, "formaction": true, "href": true, "longdesc": true, "poster": true,
	"src": true, "xlink:href": true,
}

// content is what was seen of one piece of HTML. What is wrong is told once for each rule, with the number of further cases.
type content struct {
	based bool // something says what relative addresses are relative to
	found []caseOf
}

// caseOf is something that is wrong, and how often.
type caseOf struct {
	severity Severity
	rule     string
	first    string
	times    int
}

func (c *content) add(severity Severity, rule, format string, args ...any) {
	for i := range c.found {
		if f := &c.found[i]; f.rule == rule && f.severity == severity {
			f.times++
			return
		}
	}
	c.found = append(c.found, caseOf{severity: severity, rule: rule, first: fmt.Sprintf(format, args...)})
}

// tell adds what is wrong with a piece of HTML to a report.
func (c *content) tell(r *report, p place) {
	for _, f := range c.found {
		more := ""
		if f.times > 0 {
			more = fmt.Sprintf(" (and %d more of the kind)", f.times)
		}
		r.add(f.severity, p, f.rule, "%s%s", f.first, more)
	}
}

// html checks HTML that stands in a document as text.
func (r *report) html(p place, text string, based bool) {
	c := &content{based: based}
	for tokens := html.NewTokenizer(strings.NewReader(text)); ; {
		switch tokens.Next() {
		case html.ErrorToken:
			c.tell(r, p)
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			attrs := make(map[string]string, len(token.Attr))
			for _, a := range token.Attr {
				if _, twice := attrs[a.Key]; !twice { // browsers take the first
					attrs[a.Key] = a.Val
				}
			}
			c.tag(token.Data, token.Attr, attrs)
		}
	}
}

// xhtml checks HTML that stands in a document as elements.
func (r *report) xhtml(e *element) {
	c := &content{based: e.hasBase()}
	c.elements(e)
	c.tell(r, e)
}

func (c *content) elements(e *element) {
	list, attrs := make([]html.Attribute, len(e.attrs)), make(map[string]string, len(e.attrs))
	for i, a := range e.attrs {
		list[i] = html.Attribute{Key: strings.ToLower(a.name()), Val: a.value}
		attrs[list[i].Key] = a.value
	}
	c.tag(strings.ToLower(e.local), list, attrs)
	for _, child := range e.children {
		c.elements(child)
	}
}

// tag checks a start tag. attrs holds the values of list by name.
func (c *content) tag(name string, list []html.Attribute, attrs map[string]string) {
	tag := clip(name, maxName)
	if why := unfit[name]; why != "" {
		c.add(Warning, ruleRisk, "<%s> does not belong into a feed, %s: leave it out", tag, why)
	}
	if name == "script" {
		c.add(Error, ruleRisk, "<script> does not belong into a feed: leave it out")
	}
	for _, a := range list {
		c.attribute(tag, a.Key, a.Val)
	}
	if name == "img" && (tiny("width", attrs) && tiny("height", attrs)) {
		c.add(Warning, ruleTracking, "<img> of one pixel from %s looks like a means of tracking readers: leave it out",
			quote(attrs["src"]))
	}
}

func (c *content) attribute(tag, name, value string) {
	switch key := clip(name, maxName); {
	case strings.HasPrefix(name, "on"):
		c.add(Error, ruleRiskAttr, "attribute %s of <%s> runs a script: leave it out", key, tag)
	case name == "style":
		c.add(Warning, ruleStyle, "attribute style of <%s> is dropped or refused by readers: leave it out", tag)
	case name == "srcset":
		for _, address := range sources(value) {
			c.address(tag, key, address)
		}
	case addresses[name]:
		c.address(tag, key, value)
	}
}

// blanks are what browsers take out of an address before they look at its scheme.
var blanks = strings.NewReplacer("\t", "", "\n", "", "\r", "")

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`)

func (c *content) address(tag, name, value string) {
	address := strings.TrimLeftFunc(blanks.Replace(value), func(r rune) bool { return r <= ' ' })
	lower := strings.ToLower(address[:min(len(address), 20)])
	switch {
	case strings.HasPrefix(lower, "javascript:"), strings.HasPrefix(lower, "vbscript:"), strings.HasPrefix(lower, "data:text/html"):
		c.add(Error, ruleRisk, "address %s in %s of <%s> runs a script: leave it out", quote(value), name, tag)
	case !scheme.MatchString(address) && !c.based:
		c.add(Warning, ruleRelative, "address %s in %s of <%s> is relative: write the whole address", quote(value), name, tag)
	}
}

// sources returns the addresses of a srcset. They may hold commas, but not at their end (HTML, 4.8.4.2.1).
func sources(srcset string) (found []string) {
	for rest := srcset; ; {
		rest = strings.TrimLeft(rest, ", \t\n\f\r")
		if rest == "" {
			return found
		}
		end := strings.IndexAny(rest, " \t\n\f\r")
		if end < 0 {
			end = len(rest)
		}
		address := rest[:end]
		rest = rest[end:]
		if trimmed := strings.TrimRight(address, ","); trimmed != address {
			address = trimmed // no descriptor follows
		} else if _, after, more := strings.Cut(rest, ","); more {
			rest = after
		} else {
			rest = ""
		}
		found = append(found, address)
	}
}

// tiny reports whether an image is at most one pixel wide, or high.
func tiny(dimension string, attrs map[string]string) bool {
	size := attrs[dimension]
	for _, declaration := range strings.Split(attrs["style"], ";") {
		if name, value, _ := strings.Cut(declaration, ":"); strings.EqualFold(strings.TrimSpace(name), dimension) {
			size = value
		}
	}
	size = strings.TrimSuffix(strings.TrimSpace(size), "px")
	pixels, err := strconv.Atoi(size)
	return err == nil && pixels <= 1
}
