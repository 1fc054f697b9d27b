package sources

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

var (
	errEmpty  = errors.New("the file is empty")
	errBinary = errors.New("the file is binary, not text; " + accepted + " read")
)

// decodeText returns a text file's text: UTF-8, or UTF-16 with a byte order mark.
func decodeText(body []byte) (string, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return "", errEmpty
	}
	text, _, err := transform.Bytes(unicode.BOMOverride(unicode.UTF8.NewDecoder()), body)
	utf16 := bytes.HasPrefix(body, []byte("\xfe\xff")) || bytes.HasPrefix(body, []byte("\xff\xfe"))
	switch {
	case err != nil || bytes.IndexByte(text, 0) >= 0 || !strings.HasPrefix(http.DetectContentType(body), "text/"):
		return "", errBinary
	case !utf16 && !utf8.Valid(body):
		return "", errors.New("the text is not in UTF-8; save it as UTF-8")
	}
	return string(text), nil
}

// decodeHTML returns an HTML file's text, in whatever character set it names.
func decodeHTML(body []byte) (string, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return "", errEmpty
	}
	if !strings.HasPrefix(http.DetectContentType(body), "text/") {
		return "", errBinary
	}
	text := decodePage(body, "")
	if strings.IndexByte(text, 0) >= 0 {
		return "", errBinary
	}
	return text, nil
}
