package api_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// strange are values that a field of a body may be given in place of what it should have.
var strange = []string{
	`null`, `true`, `[]`, `{}`, `""`, `"a\u0000b"`, `"\ud800"`, `"\udfff\ud800"`, `"\u202e"`, `1e400`, `-1`, `9223372036854775808`, `0.1`, `-0`, `123456789012345678901234567890`,
	`"0000-01-01T00:00:00Z"`, `"9999-12-31T23:59:59+23:59"`, `"not a time"`, `"'; DROP TABLE x; --"`, `"javascript:alert(1)"`, `"//evil.example"`, `"http://[::1"`,
	`[null]`, `{"": null}`, `{"a": {"a": {"a": []}}}`, `["a", 1, true, null, {}, []]`, `"a@b", "list": "partners"`, `1 2`, `"`, `[`, "\"\xff\"", "\"\n\"",
	`"` + strings.Repeat("ü", 3000) + `"`, strings.Repeat("[", 5000) + strings.Repeat("]", 5000), strings.Repeat(`{"a":`, 20_000), `"` + strings.Repeat(`\u0000`, 50) + `"`,
}

// FuzzBodies sends every operation bodies that are nearly right: the one that TestEveryOperationIsForThoseWhoMay sends, with one field, or the whole of it,
// replaced. Whatever comes is taken or refused in the form of a problem: nothing of it breaks anything here.
func FuzzBodies(f *testing.F) {
	h := open(f)
	contact, subscription, edition := h.peopled()
	steps := slices.DeleteFunc(h.steps("own", contact, subscription, edition), func(s step) bool { return s.method == http.MethodGet })
	for i := range steps {
		for field := range 3 {
			f.Add(byte(i), byte(field), []byte(strange[(7*i+field)%len(strange)]))
			f.Add(byte(i), byte(field), []byte(`"a\u0000b"`)) // Postgres takes it for no text
		}
	}
	for i, value := range strange {
		f.Add(byte(i), byte(i/3), []byte(value))
	}
	f.Fuzz(func(t *testing.T, which, field byte, value []byte) {
		s := steps[int(which)%len(steps)]
		body := replaced(s.body, int(field), value)
		r, err := h.try(s.method, s.path, body, "If-Match", "*")
		if r.t = t; err != nil {
			t.Fatal(err)
		}
		switch {
		case r.status >= http.StatusInternalServerError:
			t.Fatalf("%s: %d %s", s.id, r.status, r.body)
		case r.status >= http.StatusBadRequest:
			r.problem(r.status)
		}
	})
}

// replaced puts a value in place of a field of a body, or of the whole of it when it has fewer.
func replaced(body string, field int, value []byte) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(body), &fields) != nil || field >= len(fields) {
		return value
	}
	names := slices.Sorted(maps.Keys(fields))
	var b strings.Builder
	for i, name := range names {
		content := []byte(fields[name])
		if i == field {
			content = value
		}
		quoted, _ := json.Marshal(name)
		b.WriteString(map[bool]string{true: "{", false: ","}[i == 0] + string(quoted) + ":" + string(content))
	}
	return []byte(b.String() + "}")
}
