package validate

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

const (
	ruleWellFormed = "XML 1.0, 2.1"
	ruleTags       = "XML 1.0, 3.1"
	ruleProlog     = "XML 1.0, 2.8"
)

// xmlReader makes elements of a document. encoding/xml finds the tokens; what it does not look at is looked at here: which element
// a tag closes, that attributes are there once, what prefixes stand for, and what may stand outside of the root.
type xmlReader struct {
	*report
	body    []byte
	tokens  *xml.Decoder
	offset  int               // up to where lines are counted
	line    int               // at offset
	spaces  map[string]string // the namespaces of the prefixes in scope
	undo    []func()          // one for each open element: gives up the prefixes that it declared
	root    *element
	open    *element // the innermost element that is open
	parts   int
	depth   int
	stopped bool // what follows cannot be read
}

// readXML returns the root of a document, or nil when it cannot be read; then findings say why.
func (r *report) readXML(body []byte) *element {
	text, ok := r.decodeXML(body)
	if !ok {
		return nil
	}
	text = r.readableXML(text)
	x := &xmlReader{report: r, body: text, tokens: newTokens(text), line: 1, spaces: map[string]string{"xml": nsXML, "xmlns": nsXMLNS}}
	for !x.stopped {
		x.next()
	}
	return x.root
}

// newTokens returns a decoder for text that is in UTF-8 whatever it says of itself.
func newTokens(text []byte) *xml.Decoder {
	tokens := xml.NewDecoder(bytes.NewReader(text))
	tokens.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	return tokens
}

// rootName returns the local name of a document's root element, "" when it cannot be read.
func rootName(body []byte) string {
	text, ok := (&report{}).decodeXML(body)
	if !ok {
		return ""
	}
	for tokens := newTokens(text); ; {
		switch token, err := tokens.RawToken(); t := token.(type) {
		case xml.StartElement:
			return t.Name.Local
		default:
			if err != nil {
				return ""
			}
		}
	}
}

// stop adds an error after which nothing more can be read.
func (x *xmlReader) stop(rule, format string, args ...any) {
	x.err(document(x.line), rule, format, args...)
	x.stopped, x.root = true, nil
}

// next reads one token.
func (x *xmlReader) next() {
	begin := int(x.tokens.InputOffset())
	token, err := x.tokens.RawToken()
	x.countLines(begin)
	if err != nil {
		x.end(err)
		return
	}
	switch t := token.(type) {
	case xml.StartElement:
		x.start(t, x.body[begin:x.tokens.InputOffset()])
	case xml.EndElement:
		x.close(t)
	case xml.CharData:
		x.characters(t)
	case xml.ProcInst:
		x.instruction(t, begin)
	case xml.Directive:
		x.warn(document(x.line), ruleProlog, "the document has a DOCTYPE: leave it out, feeds have none and readers may refuse it")
	}
}

func (x *xmlReader) countLines(offset int) {
	x.line += bytes.Count(x.body[x.offset:offset], []byte("\n"))
	x.offset = offset
}

func (x *xmlReader) end(err error) {
	syntax := &xml.SyntaxError{}
	switch {
	case errors.As(err, &syntax):
		x.line = max(x.line, syntax.Line)
		x.stop(ruleWellFormed, "the document is not well-formed, %s: mend this first, nothing was read beyond it",
			explain(clip(syntax.Msg, maxQuote)))
	case !errors.Is(err, io.EOF):
		x.stop(ruleWellFormed, "the document cannot be read, %s: mend this first",
			clip(strings.TrimPrefix(err.Error(), "xml: "), maxQuote))
	case x.open != nil:
		x.stop(ruleWellFormed, "the document ends within <%s> of line %d: close it", x.open.name(), x.open.line)
	case x.root == nil:
		x.stop(ruleWellFormed, "the document has no element: a feed begins with <rss> or <feed>")
	}
	x.stopped = true
}

// explain adds what to do to the one complaint that every author of a feed meets.
func explain(complaint string) string {
	if strings.HasPrefix(complaint, "invalid character entity") {
		complaint += " (XML knows &amp;, &lt;, &gt;, &quot; and &apos; alone; write other characters as they are, and & as &amp;)"
	}
	return complaint
}

func (x *xmlReader) start(t xml.StartElement, tag []byte) {
	e := &element{prefix: t.Name.Space, local: t.Name.Local, line: x.line, parent: x.open}
	x.parts++
	x.depth++
	switch {
	case x.open == nil && x.root != nil:
		x.stop(ruleWellFormed, "the document goes on after its root with <%s>: leave that out", e.name())
		return
	case x.depth > maxDepth:
		x.stop("this checker", "elements stand more than %d deep in one another: nothing was read beyond", maxDepth)
		return
	case x.parts > maxParts:
		x.stop("this checker", "the document has more than %d elements: divide it into pages or archives", maxParts)
		return
	case x.root == nil:
		x.root = e
	}
	x.open = e
	x.undo = append(x.undo, x.declare(t.Attr))
	e.space = x.spaceOf(e.prefix)
	if e.parent != nil {
		e.parent.adopt(e)
	}
	if !spaced(tag) {
		x.err(e, ruleTags, "attributes of <%s> stand without a blank between them: put one", e.name())
	}
	x.declarations(e, t.Attr)
	x.declared(e, e.prefix)
	x.attributes(e, t.Attr)
}

// spaced reports whether there is a blank between the attributes of a tag.
func spaced(tag []byte) bool {
	var quoted byte
	for i, c := range tag {
		switch {
		case quoted == 0 && (c == '"' || c == '\''):
			quoted = c
		case c == quoted && c != 0:
			quoted = 0
			if i+1 < len(tag) && !strings.ContainsRune(" \t\r\n/>", rune(tag[i+1])) {
				return false
			}
		}
	}
	return true
}

func (x *xmlReader) close(t xml.EndElement) {
	e, tag := x.open, written(t.Name.Space, t.Name.Local)
	switch {
	case e == nil:
		x.stop(ruleTags, "</%s> closes nothing: leave it out, nothing was read beyond it", tag)
		return
	case e.prefix != t.Name.Space || e.local != t.Name.Local:
		x.stop(ruleTags, "</%s> stands where </%s> is expected, which line %d opens: mend this first, nothing was read beyond it",
			tag, e.name(), e.line)
		return
	}
	e.text, e.raw = string(e.raw), nil
	x.undamaged(e, e.text)
	x.undo[len(x.undo)-1]()
	x.undo = x.undo[:len(x.undo)-1]
	x.open = e.parent
	x.depth--
}

func (x *xmlReader) characters(text []byte) {
	if x.open != nil {
		x.open.raw = append(x.open.raw, text...)
		return
	}
	if outside := bytes.TrimSpace(text); len(outside) > 0 {
		x.stop(ruleWellFormed, "text %s stands outside of the root: leave it out", quote(string(outside[:min(len(outside), maxQuote+1)])))
	}
}

func (x *xmlReader) instruction(t xml.ProcInst, offset int) {
	switch {
	case t.Target != "xml":
	case offset != 0:
		x.stop(ruleProlog, "something stands before <?xml: let the document begin with it")
	case !bytes.Contains(t.Inst, []byte("version")):
		x.err(document(x.line), ruleProlog, `the XML declaration names no version: write version="1.0"`)
	}
}
