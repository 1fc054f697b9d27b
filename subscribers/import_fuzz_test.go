package subscribers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers/sheet"
)

// Whatever the file holds and however its columns are called: an error about it is one line, a refusal names a row of it, and what is accepted
// can be stored and says the same when it is read again.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{
		"email\na@example.org\n", "\xef\xbb\xbfEmail,Name\r\n\"a@example.org\",\"two\r\nlines\"\r\n", "email,organisation,country\na@b.example,X,IT\nA@b.example,x,DE\n",
		"email,languages,time_zone,rhythm,topics,delivery_hour,x\na@b.example,sr;en,Asia/Tokyo,daily,a;b,8:00,y\n", "email\n\"", "email,email\n", "name\n", "",
		"\xff\xfee\x00", "email,\n,\na@b.example,x\n", "email\na\xff@b.example\n", "email\r\n\r\n\r\nx\r\n", "email,a\x00\n",
		"Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,EUID,UNSUB_TIME\na@b.example,A,B,2,2024-01-02 03:04:05,,x,2025-01-01 00:00:00\n",
		"uuid,email,name,attributes,status,created_at,updated_at\nx,a@b.example,A,\"{\"\"city\"\":\"\"Rom\"\",\"\"n\"\":[1]}\",blocklisted,,\n",
		"邮箱;姓;名;单位;organisation_zh-Hans;organisation kind;web site;status;opted in\na@b.example;王;伟;A;甲;museum;b.example;bounced;yes\n",
		"email,Nom,Prénom,x\na@b.example,N,P,1.0E+05\n",
	} {
		f.Add([]byte(seed), "")
	}
	f.Add([]byte("a;b;c\nx@b.example;1;2\n"), "a=email,b=attribute:b,c=-")
	list := NewList("partners")
	f.Fuzz(func(t *testing.T, file []byte, mapped string) {
		i := &importing{file: bytes.NewReader(file), list: &list}
		if mapped != "" {
			var err error
			if i.options.Map, err = ParseColumnMap(mapped); err != nil {
				checkOneLine(t, err)
				return
			}
		}
		s, _, err := i.open()
		r, last := newRowReader(i.columns, &list, []byte("secret")), 0
		for err == nil {
			var row sheet.Row
			if row, err = s.Next(); err != nil {
				break
			}
			a := r.read(row)
			if a.row <= last {
				t.Fatalf("row %d after row %d", a.row, last)
			}
			last = a.row
			checkArrival(t, a)
		}
		if !errors.Is(err, io.EOF) {
			checkOneLine(t, err)
		}
	})
}

func checkOneLine(t *testing.T, err error) {
	t.Helper()
	if errs.KindOf(err) != errs.Invalid || strings.ContainsAny(err.Error(), "\r\n\x00") {
		t.Fatalf("%q", err)
	}
}

func checkArrival(t *testing.T, a *arrival) {
	t.Helper()
	for _, refusal := range a.refusals {
		if strings.ContainsAny(refusal.String(), "\r\n\x00") {
			t.Fatalf("%q", refusal)
		}
	}
	values, err := a.values()
	if err != nil || len(values) != len(incomingColumns) {
		t.Fatalf("%v, %v", values, err)
	}
	checkStorable(t, values)
	if len(a.refusals) > 0 {
		return
	}
	if a.orgKey != organisationKey(a.orgKey) {
		t.Fatalf("%q is not its own key", a.orgKey)
	}
	if address, err := ParseAddress(a.email); err != nil || address.Key != a.key {
		t.Fatalf("%q becomes %q, %v", a.email, address.Key, err)
	}
	if (a.organisation == "") != (len(a.about) == 0) && a.organisation == "" {
		t.Fatalf("%v is said of no organisation", a.about)
	}
	for _, evidence := range a.evidence {
		if strings.ContainsAny(evidence, "@\"'<>;") {
			t.Fatalf("the log of consents would keep %q", evidence)
		}
	}
}

// checkStorable fails for what Postgres would not take as text.
func checkStorable(t *testing.T, values []any) {
	t.Helper()
	storable := func(text string) {
		if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
			t.Fatalf("%q", text)
		}
	}
	for _, value := range values {
		switch value := value.(type) {
		case string:
			storable(value)
		case pq.StringArray:
			slices.Values(value)(func(text string) bool { storable(text); return true })
		case database.StringMap:
			for key, text := range value {
				storable(key)
				storable(text)
			}
			if encoded, err := value.Value(); err != nil || !json.Valid([]byte(encoded.(string))) || strings.Contains(encoded.(string), `\u0000`) {
				t.Fatalf("%v, %v", encoded, err)
			}
		}
	}
}
