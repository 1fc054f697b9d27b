package bounce

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"
)

// Bounds of what is looked at.
const (
	maxMessage = 1 << 20  // bytes of a message; what is beyond is another's business
	maxText    = 64 << 10 // bytes of one part's text
	maxParts   = 30       // of a message, whatever their depth
	maxDepth   = 6
	maxFields  = 300 // of a header
	maxValue   = 8 << 10
	maxLines   = 400 // of what a report says, and as many paragraphs
)

// Header is the fields of a message, the first one first. It takes what anybody may send.
type Header []Field

// Field is one header field, unfolded, not decoded.
type Field struct{ Name, Value string }

// Get returns the first field of that name, "" if there is none.
func (h Header) Get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// all returns every field of that name.
func (h Header) all(name string) (values []string) {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

// readHeader reads fields up to an empty line or to what is none, and returns the rest.
func readHeader(message []byte) (h Header, rest []byte) {
	if bytes.HasPrefix(message, []byte("From ")) { // a mailbox's own line
		_, message, _ = bytes.Cut(message, []byte("\n"))
	}
	for len(message) > 0 && len(h) < maxFields {
		line, after, _ := bytes.Cut(message, []byte("\n"))
		text := strings.TrimRight(string(line), "\r")
		name, value, isField := strings.Cut(text, ":")
		switch {
		case strings.TrimSpace(text) == "":
			return h, after
		case text[0] == ' ' || text[0] == '\t':
			if len(h) > 0 && len(h[len(h)-1].Value) < maxValue {
				h[len(h)-1].Value += " " + cut(strings.TrimSpace(text))
			}
		case !isField || strings.ContainsAny(strings.TrimSpace(name), " \t"):
			return h, message
		default:
			h = append(h, Field{strings.TrimSpace(name), cut(strings.TrimSpace(value))})
		}
		message = after
	}
	return h, message
}

func cut(value string) string { return value[:min(len(value), maxValue)] }

// part is a leaf of a message, with its text in UTF-8.
type part struct {
	kind string // media type, lower case
	text string
}

// walker takes a message apart.
type walker struct{ parts []part }

// walk adds the leaves of an entity. Attached messages are leaves: their header is what is looked for.
func (w *walker) walk(h Header, body []byte, depth int) {
	if len(w.parts) >= maxParts || depth > maxDepth {
		return
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil && kind == "" {
		kind = "text/plain"
	}
	if boundary := params["boundary"]; strings.HasPrefix(kind, "multipart/") && boundary != "" {
		w.walkParts(body, boundary, depth)
		return
	}
	text := decode(h.Get("Content-Transfer-Encoding"), body)
	if !strings.HasPrefix(kind, "message/") && kind != "text/rfc822-headers" {
		text = toUTF8(text, params["charset"])
	}
	if kind == "text/html" {
		text = []byte(visible(text))
	}
	w.parts = append(w.parts, part{kind, string(text)})
}

// walkParts walks through what stands between the boundaries, as far as it is whole.
func (w *walker) walkParts(body []byte, boundary string, depth int) {
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxParts {
		p, err := reader.NextRawPart()
		if err != nil {
			return
		}
		var h Header
		for name, values := range p.Header {
			for _, value := range values {
				h = append(h, Field{name, value})
			}
		}
		inner, _ := io.ReadAll(io.LimitReader(p, maxMessage)) // what came before an error counts
		w.walk(h, inner, depth+1)
	}
}

// decode undoes a transfer encoding, as far as it goes.
func decode(encoding string, body []byte) []byte {
	var r io.Reader = bytes.NewReader(body)
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	}
	text, _ := io.ReadAll(io.LimitReader(r, maxText))
	return text
}

// toUTF8 reads text in its character set. Without one, what is no UTF-8 is taken for GB18030: those who leave it out are mostly Chinese.
func toUTF8(text []byte, label string) []byte {
	valid := string(text) == strings.ToValidUTF8(string(text), "")
	if label == "" && valid {
		return text
	}
	if label == "" || strings.EqualFold(label, "us-ascii") && !valid {
		label = "gb18030"
	}
	r, err := charset.NewReaderLabel(label, bytes.NewReader(text))
	if err != nil {
		return []byte(strings.ToValidUTF8(string(text), "\uFFFD"))
	}
	read, _ := io.ReadAll(io.LimitReader(r, 4*maxText))
	return []byte(strings.ToValidUTF8(string(read), "\uFFFD"))
}

// visible returns what a page shows, a line for each piece of text.
func visible(page []byte) string {
	var b strings.Builder
	z := html.NewTokenizer(bytes.NewReader(page))
	for skip := 0; ; {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.StartTagToken:
			if name, _ := z.TagName(); string(name) == "style" || string(name) == "script" {
				skip++
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); skip > 0 && (string(name) == "style" || string(name) == "script") {
				skip--
			}
		case html.TextToken:
			if text := strings.TrimSpace(string(z.Text())); text != "" && skip == 0 {
				b.WriteString(text + "\n")
			}
		}
	}
}

// decoded returns a header's words (RFC 2047) on one line, or as they stand when they cannot be read.
func decoded(value string) string {
	decoder := mime.WordDecoder{CharsetReader: charset.NewReaderLabel}
	text, err := decoder.DecodeHeader(value)
	if err != nil {
		text = value
	}
	text = string(toUTF8([]byte(text), ""))
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)), " ")
}
