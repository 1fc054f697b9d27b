package catcher

import (
	"bytes"
	"strings"

	"github.com/jhillyerd/enmime/v2"

	"silkpost/templates"
)

// maxShown is how many bytes of a raw message stand on its page; the file has all.
const maxShown = 1 << 20

// parts are what a message has for people to read; "" for what it has not, or what cannot be made out.
type parts struct{ html, text string }

func partsOf(raw []byte) parts {
	// Without conversion, so that a message without text shows that it has none.
	parser := enmime.NewParser(enmime.DisableTextConversion(true), enmime.SkipMalformedParts(true))
	e, err := parser.ReadEnvelope(bytes.NewReader(raw))
	if err != nil {
		return parts{}
	}
	return parts{html: clean(e.HTML), text: clean(e.Text)}
}

func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// headersOf returns every field in its order, read as far as it can be.
func headersOf(raw []byte) []templates.CatcherHeader {
	var headers []templates.CatcherHeader
	for _, f := range header(raw) {
		headers = append(headers, templates.CatcherHeader{Name: clean(f.name), Value: decoded(f.value)})
	}
	return headers
}

func shown(raw []byte) string {
	if len(raw) > maxShown {
		return clean(string(raw[:maxShown])) + "\n…"
	}
	return clean(string(raw))
}
