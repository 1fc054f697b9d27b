package validate_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"silkpost/feeds/validate"
)

// Whatever a document holds: there is no panic, findings are in order, short, whole and repeatable, and what is said to be valid can
// be read by the standard library.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		inChannel(""), inItem("<link>/</link>"), inHTML(`<img srcset="a, b 2x" onerror=a() style="width:1px"><script>`), inFeed(entry + entry),
		inEntry(`<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p style="">a</p></div></content>`),
		inFeed(`<fh:archive/><at:deleted-entry ref="urn:example:1" when="2026-03-05T18:30:15Z"/>` + entry), withContent(`<content type="a/b">QQ</content>`),
		inJSON(`"_a": {"b": [1, {"c": null}]}`, `{"id": 1}`), inJSONItem(`"tags": ["\ud83d"], "attachments": [{}]`), `{"a": 1, "a": 2}`, `{"": {"": 0}}`,
		"<?xml version='1.0' encoding='windows-1252'?><rss/>", string(inUTF16("<feed/>")), "<rss a='1'b='2' xmlns:c=''><c:d/>&nbsp;", "\xff<", "",
		"<!DOCTYPE rss [<!ENTITY a 'b'>]><rss>&a;</rss>", strings.Repeat("<a>", 200), strings.Repeat("[", 200), `{"items":` + strings.Repeat(`[`, 200),
	} {
		f.Add([]byte(seed))
	}
	for _, path := range ourFeeds(f) {
		body, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		detected, _ := validate.Detect(body)
		for _, format := range []string{"rss", "atom", "json"} {
			findings, err := validate.Check(format, body)
			if err != nil {
				t.Fatal(err)
			}
			examine(t, body, findings)
			again, _ := validate.Check(format, body)
			if !slices.Equal(findings, again) {
				t.Errorf("the second time it says\n%v\nnot\n%v", again, findings)
			}
			if format == detected && !slices.ContainsFunc(findings, func(f validate.Finding) bool { return f.Severity == validate.Error }) {
				readable(t, format, body)
			}
		}
	})
}

// ourFeeds returns the documents that package feeds writes.
func ourFeeds(tb testing.TB) (paths []string) {
	tb.Helper()
	for _, format := range []string{"rss", "atom", "json"} {
		found, err := filepath.Glob("../testdata/*." + format)
		if err != nil || len(found) == 0 {
			tb.Fatalf("no documents of %s in ../testdata (%v)", format, err)
		}
		paths = append(paths, found...)
	}
	return paths
}

func examine(t *testing.T, body []byte, findings []validate.Finding) {
	if len(findings) > 201 {
		t.Errorf("%d findings", len(findings))
	}
	lines := 1 + bytes.Count(body, []byte("\n"))
	before := 1
	for _, f := range findings {
		text := f.String()
		if f.Line < before || f.Line > lines {
			t.Errorf("after line %d of %d: %s", before, lines, text)
		}
		before = f.Line
		if f.Where == "" || f.What == "" || f.Rule == "" || f.Severity != validate.Error && f.Severity != validate.Warning {
			t.Errorf("not whole: %#v", f)
		}
		if len(text) > 1000 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
			t.Errorf("not fit for a line: %q", text)
		}
	}
}

// readable sees that the standard library reads a document, too.
func readable(t *testing.T, format string, body []byte) {
	if format == "json" {
		if !json.Valid(body) {
			t.Errorf("not JSON: %q", body)
		}
		return
	}
	tokens := xml.NewDecoder(bytes.NewReader(body))
	tokens.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errOther }
	for {
		_, err := tokens.Token()
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, errOther) || bytes.IndexByte(body, 0) >= 0: // or in UTF-16
			return
		case err != nil:
			t.Fatalf("%v in %q", err, body)
		}
	}
}

var errOther = errors.New("in another encoding")
