package sources

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"regexp"
	"slices"
	"strings"

	jsonfeed "github.com/mmcdole/gofeed/json"
)

// maxDepth is how deeply elements may lie within one another in a feed. Those of feeds that people read lie ten deep.
const maxDepth = 200

var (
	errDeep = errors.New("its elements are nested too deeply")
	errCut  = errors.New("it ends before its first item does")
)

// feedRoot is the beginning of a feed in XML, wherever it stands.
var feedRoot = regexp.MustCompile(`(?i)<(?:[\w-]+:)?(?:rss|rdf|feed)[\s>]`)

// tidyXML returns a feed as XML that a parser takes: as it is when it is well-formed, else mended. What stands before it is cut off.
func tidyXML(text string) (string, error) {
	root := feedRoot.FindStringIndex(text)
	if root == nil {
		return text, nil // no feed; the parser says so
	}
	switch err := wellFormed(text); {
	case err == nil:
		return text, nil
	case errors.Is(err, errDeep):
		return "", err
	}
	m := &mender{in: text[root[0]:], item: -1}
	return m.mend()
}

// wellFormed returns what is wrong with a document as XML.
func wellFormed(text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	depth, roots := 0, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = tagError(token, &depth, &roots)
		}
		if err != nil {
			return err
		}
	}
	if roots != 1 {
		return errors.New("it has several roots, or none")
	}
	return nil
}

func tagError(token xml.Token, depth, roots *int) error {
	switch token.(type) {
	case xml.StartElement:
		if *depth == 0 {
			*roots++
		}
		if *depth++; *depth > maxDepth {
			return errDeep
		}
	case xml.EndElement:
		*depth--
	}
	return nil
}

// mender writes what is nearly XML as XML: tags that lack their end get one where it is missed, ends that nobody waits for go, and what is
// no markup is text. It stops where its first root element ends. An item that is cut off is left out.
type mender struct {
	in   string
	at   int // in in
	out  strings.Builder
	open []string // elements, as they were written
	item int      // where in out the item began that is open; -1: none is
	done int      // items that are whole
	deep bool
}

func (m *mender) mend() (string, error) {
	for m.at < len(m.in) && !m.deep && (m.at == 0 || len(m.open) > 0) {
		rest := m.in[m.at:]
		if rest[0] != '<' {
			next := strings.IndexByte(rest, '<')
			if next < 0 {
				next = len(rest)
			}
			m.text(rest[:next])
			m.at += next
			continue
		}
		m.markup(rest)
	}
	if m.deep {
		return "", errDeep
	}
	text := m.out.String()
	if !strings.HasPrefix(text, "<") { // not even its first tag is whole
		return "", errCut
	}
	if m.item >= 0 {
		if m.done == 0 {
			return "", errCut
		}
		text = text[:m.item]
		for len(m.open) > 0 && !isItem(m.open[len(m.open)-1]) {
			m.open = m.open[:len(m.open)-1]
		}
		m.open = m.open[:max(0, len(m.open)-1)]
	}
	var ends strings.Builder
	for _, name := range slices.Backward(m.open) {
		ends.WriteString("</" + name + ">")
	}
	return text + ends.String(), nil
}

// markup takes in what begins with <.
func (m *mender) markup(rest string) {
	switch {
	case strings.HasPrefix(rest, "<![CDATA["):
		inside, _, ok := strings.Cut(rest[len("<![CDATA["):], "]]>")
		if !ok { // cut off
			m.at = len(m.in)
			return
		}
		m.out.WriteString("<![CDATA[" + xmlText(inside) + "]]>")
		m.at += len("<![CDATA[") + len(inside) + len("]]>")
	case strings.HasPrefix(rest, "<!--"):
		m.skip(rest, "-->")
	case strings.HasPrefix(rest, "<!"):
		m.skip(rest, ">")
	case strings.HasPrefix(rest, "<?"):
		// an instruction without an end goes as far as the next markup
		if next := strings.IndexByte(rest[1:], '<'); next >= 0 && !strings.Contains(rest[:next+1], "?>") {
			m.at += next + 1
			return
		}
		m.skip(rest, "?>")
	case strings.HasPrefix(rest, "</"):
		m.skip(rest, ">")
		if name := tagName.FindString(strings.TrimLeft(rest[2:min(len(rest), 2+maxName)], " \t\r\n")); name != "" {
			m.end(name)
		}
	default:
		m.start(rest)
	}
}

// skip goes on behind an end; without it nothing more follows.
func (m *mender) skip(rest, end string) {
	if at := strings.Index(rest, end); at >= 0 {
		m.at += at + len(end)
	} else {
		m.at = len(m.in)
	}
}

const maxName = 200 // bytes of an element's name that are looked at

// tagName finds a name. Feeds have none but of ASCII, encoding/xml does not know all others, and what a text has between such signs, <新闻>, is no tag.
var tagName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*(?::[A-Za-z_][A-Za-z0-9_.-]*)?`)

// start takes in a start tag; what is none is a less-than sign.
func (m *mender) start(rest string) {
	name := tagName.FindString(rest[1:min(len(rest), 1+maxName)])
	attributes, length, empty := "", 0, false
	ok := name != ""
	if ok {
		attributes, length, empty, ok = readAttributes(rest[1+len(name):])
	}
	if !ok {
		m.out.WriteString("&lt;")
		m.at++
		return
	}
	m.at += 1 + len(name) + length
	m.closeBefore(name)
	if isItem(name) && m.item < 0 {
		m.item = m.out.Len()
	}
	m.out.WriteString("<" + name + attributes)
	if empty || slices.Contains(voidNames, strings.ToLower(name)) {
		m.out.WriteString("/>")
		if empty && isItem(name) {
			m.item = -1
		}
		return
	}
	m.out.WriteString(">")
	m.open = append(m.open, name)
	m.deep = len(m.open) > maxDepth
}

// voidNames are elements of HTML, in markup that was not escaped, that never have an end.
var voidNames = []string{"br", "img", "hr", "wbr", "input"}

// siblings are elements of an item or channel that hold text alone, but for description: what is one of these ends the other.
var siblings = []string{
	"title", "link", "guid", "pubdate", "category", "author", "comments", "description", "enclosure", "content:encoded", "dc:date", "dc:creator",
}

// closeBefore writes the ends that a start tag shows to be missing.
func (m *mender) closeBefore(name string) {
	lower := strings.ToLower(name)
	if isItem(name) && m.item >= 0 {
		for len(m.open) > 0 && !isItem(m.open[len(m.open)-1]) {
			m.pop()
		}
		m.pop()
		return
	}
	if len(m.open) == 0 || !slices.Contains(siblings, lower) {
		return
	}
	if last := strings.ToLower(m.open[len(m.open)-1]); slices.Contains(siblings, last) && last != "description" && last != "content:encoded" {
		m.pop()
	}
}

// end takes in an end tag. One that nobody waits for, or that would end what lies around an item, is passed over; that of an item, a channel or
// the feed ends whatever is open within.
func (m *mender) end(name string) {
	for i, open := range slices.Backward(m.open) {
		if strings.EqualFold(open, name) {
			for len(m.open) > i {
				m.pop()
			}
			return
		}
		if isItem(open) && !isFrame(name) {
			return
		}
	}
}

func (m *mender) pop() {
	if len(m.open) == 0 {
		return
	}
	name := m.open[len(m.open)-1]
	m.open = m.open[:len(m.open)-1]
	m.out.WriteString("</" + name + ">")
	if isItem(name) {
		m.item = -1
		m.done++
	}
}

func isItem(name string) bool { return slices.Contains([]string{"item", "entry"}, localName(name)) }

func isFrame(name string) bool {
	return slices.Contains([]string{"channel", "rss", "feed", "rdf"}, localName(name))
}

func localName(name string) string {
	return strings.ToLower(name[strings.LastIndexByte(name, ':')+1:])
}

// text writes text, with what is markup in it escaped.
func (m *mender) text(s string) { m.out.WriteString(escaped(s)) }

// escaped returns text as XML has it. Entities are taken for what HTML takes them.
func escaped(s string) string {
	if !strings.ContainsAny(s, "&<>\"") {
		return xmlText(s)
	}
	return xmlEscaper.Replace(xmlText(html.UnescapeString(s)))
}

var xmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// xmlText returns text without the characters that XML cannot have, and without marks of byte order.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == '\ufeff' || r == 0xfffe || r == 0xffff || r >= 0x7f && r < 0xa0 && r != 0x85 {
			return -1
		}
		return r
	}, s)
}

// readAttributes reads what follows the name of a start tag up to its end: the attributes as XML, how long all of it is, whether the
// element is empty; false when this is no tag.
func readAttributes(s string) (attributes string, length int, empty, ok bool) {
	var out strings.Builder
	seen := map[string]bool{}
	i := 0
	for {
		blanks := len(s[i:]) - len(strings.TrimLeft(s[i:], " \t\r\n"))
		i += blanks
		switch {
		case i >= len(s) || s[i] == '<':
			return "", 0, false, false
		case s[i] == '>':
			return out.String(), i + 1, empty, true
		case s[i] == '/':
			empty = true
			i++
			continue
		case blanks == 0 && !empty && i == 0:
			return "", 0, false, false // the name went on
		}
		empty = false
		name := attributeName.FindString(s[i:min(len(s), i+maxName)])
		if name == "" { // a stray sign
			i++
			continue
		}
		i += len(name)
		value, used, ok := readValue(s[i:])
		if !ok {
			return "", 0, false, false
		}
		i += used
		if tagName.FindString(name) == name && !seen[name] {
			out.WriteString(" " + name + `="` + escaped(value) + `"`)
		}
		seen[name] = true
	}
}

var (
	attributeName = regexp.MustCompile(`^[^\s=/<>"']+`)
	equals        = regexp.MustCompile(`^\s*=\s*`)
	unquoted      = regexp.MustCompile(`^(?:[^\s<>"'/]|/[^\s<>"'])*`)
)

// maxOdd is how much an attribute may hold behind a less-than sign, which it may not hold.
const maxOdd = 200

// readValue reads = and the value of an attribute; without = the value is "".
func readValue(s string) (value string, used int, ok bool) {
	used = len(equals.FindString(s[:min(len(s), maxName)]))
	if used == 0 {
		return "", 0, true
	}
	rest := s[used:]
	if rest == "" {
		return "", 0, false
	}
	if quote := rest[0]; quote == '"' || quote == '\'' {
		end := strings.IndexByte(rest[1:], quote)
		if end < 0 {
			return "", 0, false
		}
		value = rest[1 : 1+end]
		if less := strings.IndexByte(value, '<'); less >= 0 && end-less > maxOdd {
			return "", 0, false
		}
		return value, used + end + 2, true
	}
	value = unquoted.FindString(rest)
	return value, used + len(value), true
}

// tidyJSON returns what is nearly a JSON feed as one: control characters in strings are escaped, commas that nothing follows go, and so do
// items that cannot be read.
func tidyJSON(text string) (string, error) {
	var feed map[string]json.RawMessage
	if err := json.Unmarshal([]byte(strictJSON(text)), &feed); err != nil {
		return "", err
	}
	var items, kept []json.RawMessage
	if err := json.Unmarshal(feed["items"], &items); err != nil {
		return "", err
	}
	for _, item := range items {
		if json.Unmarshal(item, &jsonfeed.Item{}) == nil {
			kept = append(kept, item)
		}
	}
	var err error
	if feed["items"], err = json.Marshal(kept); err != nil {
		return "", err
	}
	whole, err := json.Marshal(feed)
	return string(whole), err
}

// strictJSON mends what lies between the tokens of JSON and within its strings.
func strictJSON(text string) string {
	var out strings.Builder
	inString, comma := false, false // comma: one is held back until something follows
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case inString && c == '\\' && i+1 < len(text):
			out.WriteString(text[i : i+2])
			i++
			continue
		case inString && c < ' ':
			if c == '\n' || c == '\t' {
				out.WriteByte(' ')
			}
			continue
		case inString:
			inString = c != '"'
		case c == ',':
			if comma {
				out.WriteByte(',')
			}
			comma = true
			continue
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			continue
		default:
			if comma && c != '}' && c != ']' {
				out.WriteByte(',')
			}
			comma = false
			inString = c == '"'
		}
		out.WriteByte(c)
	}
	return out.String()
}
