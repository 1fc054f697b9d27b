package validate

import (
	"bytes"
	"regexp"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

var (
	bomUTF8 = []byte("\ufeff")
	// encodingNamed matches an XML declaration that names an encoding.
	encodingNamed = regexp.MustCompile(`^<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([^"'>]{1,40})["']`)
)

const (
	ruleEncoding   = "XML 1.0, 4.3.3"
	ruleCharacters = "XML 1.0, 2.2"
	writeUTF8      = "write the document in UTF-8, which every reader knows"
)

// decodeXML returns an XML document in UTF-8, without the mark that may stand before it. false: its encoding is not known.
func (r *report) decodeXML(body []byte) ([]byte, bool) {
	if bytes.HasPrefix(body, []byte("\xfe\xff")) || bytes.HasPrefix(body, []byte("\xff\xfe")) {
		r.warn(document(1), ruleEncoding, "the document is in UTF-16: %s", writeUTF8)
		text, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Bytes(body)
		return bytes.TrimPrefix(text, bomUTF8), err == nil
	}
	body = bytes.TrimPrefix(body, bomUTF8)
	said := encodingNamed.FindSubmatch(body)
	if said == nil || bytes.EqualFold(said[1], []byte("utf-8")) {
		return body, true
	}
	encoding, err := htmlindex.Get(string(said[1]))
	if err != nil || bytes.HasPrefix(bytes.ToLower(said[1]), []byte("utf-16")) { // such a document would not be readable here
		r.err(document(1), ruleEncoding, "the document is said to be in %s, which it is not, or nobody knows: %s",
			quote(string(said[1])), writeUTF8)
		return nil, false
	}
	r.warn(document(1), ruleEncoding, "the document is in %s: %s", quote(string(said[1])), writeUTF8)
	text, err := encoding.NewDecoder().Bytes(body)
	return text, err == nil
}

// readableXML says which bytes are not UTF-8 and which characters XML cannot carry, and returns the text with blanks instead.
func (r *report) readableXML(text []byte) []byte {
	line, mended := 1, false
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf && (c >= ' ' || c == '\n' || c == '\t' || c == '\r') {
			if c == '\n' {
				line++
			}
			i++
			continue
		}
		c, size := utf8.DecodeRune(text[i:])
		bad := true
		switch {
		case c == utf8.RuneError && size == 1:
			r.err(document(line), ruleEncoding, "byte 0x%02X is not UTF-8: write it as UTF-8 or leave it out", text[i])
		case !inXML(c):
			r.err(document(line), ruleCharacters, "character U+%04X cannot be in XML: leave it out", c)
		default:
			bad = false
		}
		if bad {
			if !mended {
				text, mended = bytes.Clone(text), true
			}
			copy(text[i:], "    "[:size])
		}
		i += size
	}
	return text
}

// inXML reports whether XML 1.0 allows a character, by section 2.2.
func inXML(c rune) bool {
	switch {
	case c < 0x20:
		return c == '\t' || c == '\n' || c == '\r'
	case c <= 0xD7FF:
		return true
	}
	return c >= 0xE000 && c <= 0xFFFD || c >= 0x10000 && c <= utf8.MaxRune
}

// damaged returns a character that says that a text was broken on its way: U+FFFD stands for what could not be read, the C1
// controls are mostly Windows' quotation marks read as Latin 1, and C0 controls have no business in text. 0: none.
func damaged(text string) rune {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c >= utf8.RuneSelf && c != 0xC2 && c != 0xEF: // neither C1 nor U+FFFD begins like this
		case c < 0x20 && c != '\n' && c != '\t' && c != '\r', c == 0x7F:
			return rune(c)
		case c >= utf8.RuneSelf:
			if found, _ := utf8.DecodeRuneInString(text[i:]); found == utf8.RuneError || found >= 0x80 && found <= 0x9F {
				return found
			}
		}
	}
	return 0
}

const ruleDamaged = "W3C feed validator, BadCharacters"

// undamaged warns of text that was broken on its way.
func (r *report) undamaged(p place, text string) {
	if c := damaged(text); c != 0 {
		r.warn(p, ruleDamaged, "%s holds U+%04X, a sign of text that was read in a wrong encoding: look at where it comes from",
			p.name(), c)
	}
}
