package validate

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"unicode/utf8"
)

// What a JSON value is.
const (
	isObject  = "an object"
	isArray   = "an array"
	isString  = "a string"
	isNumber  = "a number"
	isBoolean = "true or false"
	isNull    = "null"
)

const (
	ruleJSON       = "RFC 8259, 2"
	ruleJSONUTF8   = "RFC 8259, 8.1"
	ruleJSONNames  = "RFC 8259, 4"
	ruleSurrogates = "RFC 8259, 8.2"
)

// node is a value of a JSON document.
type node struct {
	kind    string
	line    int
	parent  *node
	key     string // its name in an object
	number  int    // its place in an array, from 1
	members []*node
	text    string // of a string or number
	again   bool   // its object has a member of this name already
}

func (n *node) at() (line int, where string) {
	line = n.line
	if n.parent == nil {
		return line, n.name()
	}
	for ; n.parent != nil; n = n.parent {
		switch {
		case n.number > 0:
			where = "[" + strconv.Itoa(n.number) + "]" + where
		case n.parent.parent == nil:
			where = n.label() + where
		default:
			where = "/" + n.label() + where
		}
	}
	return line, where
}

func (n *node) name() string {
	for ; n.parent != nil; n = n.parent {
		if n.number == 0 {
			return n.label()
		}
	}
	return "document"
}

// label returns the name of a member of an object.
func (n *node) label() string {
	if n.key == "" {
		return `""`
	}
	return clip(n.key, maxName)
}

// member returns the first member of an object with a name, or nil.
func (n *node) member(key string) *node {
	for _, m := range n.members {
		if m.key == key && n.kind == isObject {
			return m
		}
	}
	return nil
}

// get returns the text of a member that is a string, else "".
func (n *node) get(key string) string {
	if m := n.member(key); m != nil && m.kind == isString {
		return m.text
	}
	return ""
}

// jsonReader makes nodes of a document.
type jsonReader struct {
	*report
	body   []byte
	tokens *json.Decoder
	offset int // up to where lines are counted
	line   int // at offset
	parts  int
}

// errStop ends reading after a finding that says why.
var errStop = errors.New("stop")

// readJSON returns the document's value, or nil when it cannot be read; then findings say why.
func (r *report) readJSON(body []byte) *node {
	if bytes.HasPrefix(body, bomUTF8) {
		r.err(document(1), ruleJSONUTF8, "the document begins with a byte order mark, which JSON must not: leave it out")
		body = body[len(bomUTF8):]
	}
	r.readableJSON(body)
	syntax := &json.SyntaxError{}
	if err := json.Unmarshal(body, &json.RawMessage{}); errors.As(err, &syntax) {
		line := 1 + bytes.Count(body[:min(int(syntax.Offset), len(body))], []byte("\n"))
		r.err(document(line), ruleJSON, "the document is not JSON, %s: mend this first", clip(syntax.Error(), maxQuote))
		return nil
	}
	j := &jsonReader{report: r, body: body, tokens: json.NewDecoder(bytes.NewReader(body)), line: 1}
	j.tokens.UseNumber()
	root := &node{}
	if err := j.read(root, 0); err != nil {
		return nil
	}
	return root
}

// readableJSON says which bytes are not UTF-8.
func (r *report) readableJSON(body []byte) {
	line := 1
	for len(body) > 0 {
		c, size := utf8.DecodeRune(body)
		switch {
		case c == '\n':
			line++
		case c == utf8.RuneError && size == 1:
			r.err(document(line), ruleJSONUTF8, "byte 0x%02X is not UTF-8: write it as UTF-8 or leave it out", body[0])
		}
		body = body[size:]
	}
}

// next returns a token and the bytes it was made of.
func (j *jsonReader) next() (json.Token, []byte, error) {
	before := int(j.tokens.InputOffset())
	token, err := j.tokens.Token()
	after := int(j.tokens.InputOffset())
	raw := bytes.TrimLeft(j.body[before:after], " \t\r\n,:")
	begin := after - len(raw)
	j.line += bytes.Count(j.body[j.offset:begin], []byte("\n"))
	j.offset = begin
	return token, raw, err
}

// read reads the value that comes next into n, with all it holds.
func (j *jsonReader) read(n *node, depth int) error {
	token, raw, err := j.next()
	if err != nil {
		return err
	}
	n.line = j.line
	j.parts++
	switch {
	case depth > maxDepth:
		j.err(n, "this checker", "values stand more than %d deep in one another: nothing was read beyond", maxDepth)
		return errStop
	case j.parts > maxParts:
		j.err(document(j.line), "this checker", "the document has more than %d values: divide it into pages", maxParts)
		return errStop
	}
	switch t := token.(type) {
	case json.Delim:
		n.kind = isArray
		if t == '{' {
			n.kind = isObject
		}
		return j.fill(n, depth)
	case string:
		n.kind, n.text = isString, t
		j.surrogates(raw)
	case json.Number:
		n.kind, n.text = isNumber, t.String()
	case bool:
		n.kind = isBoolean
	default:
		n.kind = isNull
	}
	return nil
}

// fill reads the members of an object or array up to its end.
func (j *jsonReader) fill(n *node, depth int) error {
	keys := map[string]bool{}
	for j.tokens.More() {
		member := &node{parent: n}
		n.members = append(n.members, member)
		if n.kind == isArray {
			member.number = len(n.members)
		} else if err := j.key(member, keys); err != nil {
			return err
		}
		if err := j.read(member, depth+1); err != nil {
			return err
		}
	}
	_, _, err := j.next()
	return err
}

// key reads the name of a member of an object that has those of keys already.
func (j *jsonReader) key(member *node, keys map[string]bool) error {
	token, raw, err := j.next()
	if err != nil {
		return err
	}
	j.surrogates(raw)
	member.key, _ = token.(string)
	member.line = j.line
	if keys[member.key] {
		member.again = true
		j.err(member, ruleJSONNames, "%s is there more than once, and readers differ in which they take: leave one", quote(member.key))
	}
	keys[member.key] = true
	return nil
}

var surrogate = regexp.MustCompile(`\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)`)

// surrogates sees halves of characters that stand alone.
func (j *jsonReader) surrogates(raw []byte) {
	if !bytes.Contains(raw, []byte(`\u`)) {
		return
	}
	for _, m := range surrogate.FindAll(raw, -1) {
		if len(m) == 6 {
			j.err(document(j.line), ruleSurrogates, "%s is half a character: write both halves, or the character itself", m)
		}
	}
}
