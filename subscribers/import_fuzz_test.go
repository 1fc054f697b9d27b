package subscribers

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"silkpost/internal/errs"
)

// Whatever the file holds: an error about it is one line, a refusal names a row of it, and what is accepted can be stored.
func FuzzReadPeople(f *testing.F) {
	for _, seed := range []string{
		"email\na@example.org\n", "\xef\xbb\xbfEmail,Name\r\n\"a@example.org\",\"two\r\nlines\"\r\n", "email,organisation,country\na@b.example,X,IT\nA@b.example,x,DE\n",
		"email,languages,time_zone,rhythm,topics,delivery_hour,x\na@b.example,sr;en,Asia/Tokyo,daily,a;b,8:00,y\n", "email\n\"", "email,email\n", "name\n", "",
		"\xff\xfee\x00", "email,\n,\na@b.example,x\n", "email\na\xff@b.example\n", "email\r\n\r\n\r\nx\r\n", "email,a\x00\n",
	} {
		f.Add([]byte(seed))
	}
	list := NewList("partners")
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := readPeople(t.Context(), bytes.NewReader(file), &list)
		if err != nil {
			if errs.KindOf(err) != errs.Invalid || strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Fatalf("%q", err)
			}
			return
		}
		lines := bytes.Count(file, []byte("\n")) + 1
		for _, refusal := range p.refusals {
			if refusal.Row < 2 || refusal.Row > lines || strings.ContainsAny(refusal.String(), "\r\n\x00") {
				t.Fatalf("%q in %d lines", refusal, lines)
			}
		}
		for _, one := range p.all {
			checkStorable(t, contactValues(p.columns, one))
		}
		for key, partner := range p.organisations {
			checkStorable(t, []any{key, partner.name, partner.country})
			if key == "" || key != organisationKey(key) {
				t.Fatalf("%q is not its own key", key)
			}
		}
	})
}

// checkStorable fails for what Postgres would not take as text.
func checkStorable(t *testing.T, values []any) {
	t.Helper()
	for _, value := range values {
		text, ok := value.(string)
		if ok && (!utf8.ValidString(text) || strings.Contains(text, "\x00")) {
			t.Fatalf("%q", text)
		}
	}
}
