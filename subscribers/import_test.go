package subscribers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/errs"
	"silkpost/subscribers"
)

func (b *bundle) importText(t testing.TB, o subscribers.ImportOptions, file string) (subscribers.ImportResult, error) {
	t.Helper()
	return subscribers.ImportContacts(t.Context(), b.db, strings.NewReader(file), o)
}

func (b *bundle) mustImport(t testing.TB, o subscribers.ImportOptions, file string) subscribers.ImportResult {
	t.Helper()
	result, err := b.importText(t, o, file)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// state is everything that an import could touch, in an order that does not depend on ids.
const state = `
	SELECT concat_ws(' | ', c.email, c.name, c.languages, c.language_keys, c.time_zone, c.delivery_hour, c.attributes,
	       (SELECT string_agg(o.name || ' ' || o.country, ', ' ORDER BY o.name_key) FROM subscribers.memberships m
	        JOIN subscribers.organisations o ON o.id = m.organisation_id WHERE m.contact_id = c.id),
	       (SELECT string_agg(concat_ws(' ', l.slug, s.state, s.rhythm, s.topics, s.activation,
	              (SELECT string_agg(concat_ws(' ', g.state, g.method, g.statement, g.at), ', ' ORDER BY g.id)
	               FROM subscribers.consents g WHERE g.subscription_id = s.id)), ', ' ORDER BY l.slug)
	        FROM subscribers.subscriptions s JOIN subscribers.lists l ON l.id = s.list_id WHERE s.contact_id = c.id))
	FROM subscribers.contacts c ORDER BY c.email_key`

const fullFile = "\xef\xbb\xbfEmail,Name,Organisation,Country,Languages,Time_zone,Rhythm,Topics,Delivery_hour,Kind\r\n" +
	"office@centre.example,Front Office,Science Centre,it,it;en,Europe/Rome,Daily,robotics;Events,07:30,centre\r\n" +
	"\"press@academy.example\",\"Office, Press\r\nand Media\",Academy of Sciences,CZ,cs,,,,,academy\r\n" +
	"\r\n" +
	",,,,,,,,,\r\n" +
	"联系@例子.example,,,,zh-hans;ja,Asia/Shanghai,immediate,,,\r\n"

func TestImportContacts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	want := subscribers.ImportResult{Imported: 3}
	if diff := cmp.Diff(want, b.mustImport(t, b.options(), fullFile)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	const consent = "active import Agreed in the partnership contract 2026-03-02 09:00:00+00"
	records := []string{
		`office@centre.example | Front Office | {it,en} | {it-Latn,en-Latn} | Europe/Rome | 07:30:00 | {"kind": "centre"} | ` +
			`Science Centre IT | partners active daily {robotics,Events} 1 ` + consent,
		`press@academy.example | Office, Press and Media | {cs} | {cs-Latn} |  | {"kind": "academy"} | ` +
			`Academy of Sciences CZ | partners active weekly {} 1 ` + consent,
		`联系@例子.example |  | {zh-Hans,ja} | {zh-Hans,ja-Jpan} | Asia/Shanghai | {} | partners active immediate {} 1 ` + consent,
	}
	if diff := cmp.Diff(records, b.query(t, state)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestImportContactsAgainChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), fullFile)
	before := b.query(t, state)
	b.now = b.now.AddDate(0, 1, 0)
	again := b.mustImport(t, b.options(), fullFile)
	if diff := cmp.Diff(subscribers.ImportResult{Unchanged: 3}, again); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	without := b.options()
	without.Consent = ""
	b.mustImport(t, without, strings.ToUpper("email\noffice@centre.example\n")) // another form, no consent, empty cells
	if diff := cmp.Diff(before, b.query(t, state)); diff != "" {
		t.Errorf("the records (-before +after):\n%s", diff)
	}
}

func TestImportContactsChanges(t *testing.T) {
	t.Parallel()
	const first = "email,name,organisation,country,languages,time_zone,rhythm,topics,delivery_hour,kind,phone\n" +
		"a@example.org,A,Centre,IT,it,Europe/Rome,daily,robotics,07:30,x,1\n"
	for column, file := range map[string]string{
		"name":          "email,name\na@example.org,B\n",
		"organisation":  "email,organisation\na@example.org,Academy\n",
		"country":       "email,organisation,country\na@example.org,CENTRE,DE\n",
		"languages":     "email,languages\na@example.org,it;en\n",
		"time_zone":     "email,time_zone\na@example.org,Europe/Berlin\n",
		"rhythm":        "email,rhythm\na@example.org,monthly\n",
		"topics":        "email,topics\na@example.org,Events\n",
		"delivery_hour": "email,delivery_hour\na@example.org,08:00\n",
		"attribute":     "email,kind\na@example.org,y\n",
		"new attribute": "email,fax\na@example.org,2\n",
		"own country":   "email,country\na@example.org,DE\n",
	} {
		t.Run(column, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.mustImport(t, b.options(), first)
			before := b.query(t, state)
			if diff := cmp.Diff(subscribers.ImportResult{Changed: 1}, b.mustImport(t, b.options(), file)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			after := b.query(t, state)
			if len(after) != 1 || cmp.Equal(before, after) {
				t.Errorf("not changed: %v", after)
			}
			if got := b.mustImport(t, b.options(), file); got.Unchanged != 1 || got.Changed != 0 {
				t.Errorf("again: %+v", got)
			}
			if !cmp.Equal(after, b.query(t, state)) {
				t.Errorf("changed by importing again: %v", b.query(t, state))
			}
		})
	}
}

// Who has no consent yet is pending, and becomes active by an import that has one; the log tells both.
func TestImportContactsWithoutConsent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	without := b.options()
	without.Consent = ""
	b.mustImport(t, without, "email\na@example.org\n")
	if got := b.mailable(t); len(got) != 0 {
		t.Fatalf("mailable without consent: %v", got)
	}
	if got := b.mustImport(t, without, "email\na@example.org\n"); got.Unchanged != 1 {
		t.Errorf("again without: %+v", got)
	}
	if got := b.mustImport(t, b.options(), "email\na@example.org\n"); got.Changed != 1 {
		t.Errorf("with consent: %+v", got)
	}
	id := b.subscriptionOf(t, "partners", "a@example.org")
	want := []string{"pending/import//2026-03-02", "active/import/Agreed in the partnership contract/2026-03-02"}
	if diff := cmp.Diff(want, b.query(t, consentLog, id)); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
	if got := b.mailable(t); !cmp.Equal(got, []string{"a@example.org"}) {
		t.Errorf("mailable: %v", got)
	}
}

func TestImportContactsLeavesTheUnsubscribed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email,rhythm\nA@Example.org,daily\n")
	id := b.subscriptionOf(t, "partners", "a@example.org")
	b.unsubscribe(t, fmt.Sprint(id))
	before := b.query(t, state)
	got := b.mustImport(t, b.options(), "email,rhythm,topics\na@example.org,weekly,Events\n")
	if diff := cmp.Diff(subscribers.ImportResult{Unchanged: 1, Left: 1}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(before, b.query(t, state)); diff != "" {
		t.Errorf("the records (-before +after):\n%s", diff)
	}
	if got := b.mailable(t); len(got) != 0 {
		t.Errorf("mailable: %v", got)
	}
}

func TestImportContactsJoinsRowsOfOnePerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.mustImport(t, b.options(), "email,name,organisation,country,time_zone\n"+
		"Office@example.org,,Science Centre,IT,\n"+
		"office@EXAMPLE.org,Office,SCIENCE  centre,,Europe/Rome\n"+
		"office@example.org,Office,Academy,CZ,\n")
	if diff := cmp.Diff(subscribers.ImportResult{Imported: 1}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	want := `Office@example.org | Office | {} | {} | Europe/Rome | {} | Academy CZ, Science Centre IT | `
	if got := b.query(t, state); len(got) != 1 || !strings.HasPrefix(got[0], want) {
		t.Errorf("got %v\nwant %s…", got, want)
	}
}

func TestImportContactsRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	list := subscribers.NewList("partners")
	list.Rhythms = []string{"weekly", "monthly"}
	if _, err := subscribers.DeclareList(t.Context(), b.db, list); err != nil {
		t.Fatal(err)
	}
	const header = "email,name,organisation,country,languages,time_zone,rhythm,topics,delivery_hour,note\n"
	for name, c := range map[string]struct{ rows, want string }{
		"address":        {"not-an-address,,,,,,,,,", `row 2, email "not-an-address": no @ sign`},
		"no address":     {",Somebody,,,,,,,,", `row 2, email "": no address`},
		"country":        {"a@example.org,,Centre,UK,,,,,,", `row 2, country "UK": not a country code of ISO 3166-1`},
		"language":       {"a@example.org,,,,it;xx,,,,,", `row 2, languages "it;xx": "xx" is not a language tag`},
		"time zone":      {"a@example.org,,,,,Europe/Atlantis,,,,", `row 2, time_zone "Europe/Atlantis": not a time zone`},
		"own time zone":  {"a@example.org,,,,,Local,,,,", `row 2, time_zone "Local": not a time zone`},
		"rhythm":         {"a@example.org,,,,,,daily,,,", `row 2, rhythm "daily": not offered by the list partners; it offers: weekly, monthly`},
		"hour":           {"a@example.org,,,,,,,,24:00,", `row 2, delivery_hour "24:00": not an hour of the day`},
		"control":        {"a@example.org,A\x00B,,,,,,,,", `row 2, name "A\x00B": a control character (U+0000)`},
		"long":           {"a@example.org," + strings.Repeat("x", 201) + ",,,,,,,,", `x": 201 characters, more than 200`},
		"long note":      {"a@example.org,,,,,,,,," + strings.Repeat("x", 2001), `x": 2001 characters, more than 2000`},
		"swelling name":  {"a@example.org,," + strings.Repeat("\ufdfa", 200) + ",,,,,,,", "too long or without a letter"},
		"too many cells": {"a@example.org,Smith, John,,,,,,,,", "row 2: 11 cells where the header names 10 columns; a text with a comma"},
		"cut off":        {"a@example.org,A", "row 2: 2 cells where the header names 10 columns; a text with a comma"},
		"contradiction": {
			"a@example.org,A,,,it,,,,,\nb@example.org,,,,,,,,,\nA@example.org,A,,,en,,,,,",
			`row 4, languages "en": row 2 says "it" of the same address`,
		},
		"contradiction of a later cell": {
			"a@example.org,A,,,,,,,,\na@example.org,,,,it,,,,,\na@example.org,,,,en,,,,,",
			`row 4, languages "en": row 3 says "it" of the same address`,
		},
		"contradicting attribute": {"a@example.org,,,,,,,,,x\na@example.org,,,,,,,,,y", `row 3, note "y": row 2 says "x" of the same address`},
		"contradicting country": {
			"a@example.org,,Centre,IT,,,,,,\nb@example.org,,centre,DE,,,,,,",
			`row 3, country "DE": row 2 says "IT" of the same organisation`,
		},
		"row after blank lines and line breaks": {
			"\n\na@example.org,\"two\r\n\nlines\",,,,,,,,\n\nb@example,,,,,,,,,",
			`row 6, email "b@example": the domain "example" has no dot`,
		},
		"several": {"a@example.org,,,,,,,,,\nb,,,XX,,,,,,\nc,,,,,,,,,", `2 rows are refused, the first: row 3, email "b": no @ sign`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, err := b.importText(t, b.options(), header+c.rows)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "nothing imported: ") ||
				errs.KindOf(err) != errs.Invalid {
				t.Fatalf("got  %v\nwant %s", err, c.want)
			}
			if result.Imported != 0 || result.Refused == 0 || len(result.Refusals) < result.Refused {
				t.Errorf("%+v", result)
			}
		})
	}
	t.Cleanup(func() {
		var records int
		err := b.db.GetContext(context.Background(), &records, `SELECT (SELECT count(*) FROM subscribers.contacts)
			+ (SELECT count(*) FROM subscribers.organisations) + (SELECT count(*) FROM subscribers.consents)`)
		if err != nil || records != 0 {
			t.Errorf("%d records were written, %v", records, err)
		}
	})
}

func TestImportContactsKeepGoing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.options()
	o.KeepGoing = true
	got := b.mustImport(t, o, "email,country,rhythm\n"+
		"a@example.org,,\n"+
		"bad,XX,hourly\n"+
		"b@example.org,,daily\n"+
		"B@example.org,,weekly\n")
	want := subscribers.ImportResult{Imported: 2, Refused: 2, Refusals: []subscribers.Refusal{
		{Row: 3, Field: "email", Value: "bad", Reason: "no @ sign"},
		{
			Row: 3, Field: "country", Value: "XX",
			Reason: "not a country code of ISO 3166-1, which has two letters such as IT or RS (the United Kingdom is GB)",
		},
		{
			Row: 3, Field: "rhythm", Value: "hourly",
			Reason: "not offered by the list partners; it offers: immediate, daily, weekly, monthly",
		},
		{Row: 5, Field: "rhythm", Value: "weekly", Reason: `row 4 says "daily" of the same address`},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := b.mailable(t); !cmp.Equal(got, []string{"a@example.org", "b@example.org"}) {
		t.Errorf("mailable: %v", got)
	}
}

func TestImportContactsDryRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email,name\na@example.org,A\nb@example.org,B\nc@example.org,C\n")
	b.unsubscribe(t, fmt.Sprint(b.subscriptionOf(t, "partners", "c@example.org")))
	before := b.query(t, state)
	o := b.options()
	o.DryRun = true
	got := b.mustImport(t, o, "email,name,organisation\na@example.org,A,\nb@example.org,New,\nc@example.org,C,\nd@example.org,D,Centre\n")
	if diff := cmp.Diff(subscribers.ImportResult{Imported: 1, Changed: 1, Unchanged: 2, Left: 1}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(before, b.query(t, state)); diff != "" {
		t.Errorf("the records (-before +after):\n%s", diff)
	}
}

func TestImportContactsOfABadFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		file io.ReadSeeker
		want string
		kind errs.Kind
	}{
		"empty": {strings.NewReader(""), "the file is empty: its first row must name the columns, and email must be one of them", errs.Invalid},
		"blank": {strings.NewReader("\xef\xbb\xbf\n\n"), "the file is empty", errs.Invalid},
		"no email": {
			strings.NewReader("name,organisation\na,b\n"),
			`row 1 names no column "email"; the columns are: name, organisation`, errs.Invalid,
		},
		"twice":      {strings.NewReader("email,Name,name\n"), `row 1: the column "name" is there twice`, errs.Invalid},
		"nameless":   {strings.NewReader("email,\na@example.org,x\n"), `row 2, column 2 "x": the header gives this column no name`, errs.Invalid},
		"bad column": {strings.NewReader("email,a\x00b\n"), "row 1, column 2: the name has a control character (U+0000)", errs.Invalid},
		"workbook":   {strings.NewReader("PK\x03\x04rest"), "the file is a workbook, not CSV", errs.Invalid},
		"Latin-1": {
			strings.NewReader("email,name\na@example.org,A\nb@example.org,B\xfcro\n"),
			`row 3 is not UTF-8 text: save the file as "CSV UTF-8"`, errs.Invalid,
		},
		"open quote": {
			strings.NewReader("email,name\na@example.org,\"a\n\nb\"\nc@example.org,\"C\n"),
			"row 3 cannot be read: a quotation mark is not closed", errs.Invalid,
		},
		"bare quote": {
			strings.NewReader("email,name\n\na@example.org,a\"b\"\n"),
			"row 3 cannot be read: a quotation mark stands inside a cell", errs.Invalid,
		},
		"reading fails at once": {atEnd("", func() error { return errors.New("disk on fire") }), "cannot read the file: disk on fire", errs.Unavailable},
		"reading fails": {
			atEnd("email\na@example.org\n"+strings.Repeat("\n", 100_000), func() error { return errors.New("disk on fire") }),
			"cannot read the file after row 100002: disk on fire", errs.Unavailable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := subscribers.ImportContacts(t.Context(), b.db, c.file, b.options())
			if err == nil || !strings.Contains(err.Error(), c.want) || errs.KindOf(err) != c.kind || strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestImportContactsOfAnUnknownList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.options()
	o.List = "x"
	if _, err := b.importText(t, o, "email\n"); err == nil || err.Error() != `no list "x"; the lists are: partners` {
		t.Errorf("got %v", err)
	}
	o = b.options()
	o.Consent = "a\x00b"
	if _, err := b.importText(t, o, "email\n"); err == nil || err.Error() != "the statement of consent: a control character (U+0000)" {
		t.Errorf("got %v", err)
	}
}

func TestImportContactsStopsWithItsContext(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	file := atEnd("email\na@example.org\n", func() error { cancel(); return io.EOF })
	if _, err := subscribers.ImportContacts(ctx, b.db, file, b.options()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := b.mailable(t); len(got) != 0 {
		t.Errorf("mailable: %v", got)
	}
}

// A rhythm must still be offered when the rows that chose it are written.
// A file that somebody saves anew in the midst is not imported by halves, and no wrong rows are told to be refused.
func TestImportOfAFileThatChanges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, writing := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "people.csv")
		if err := os.WriteFile(path, []byte("email\na@example.org\nbroken\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		o := b.options()
		o.KeepGoing, o.Refused = true, (&memoryFile{}).open
		o.Progress = func(p subscribers.ImportProgress) {
			if p.Writing == writing {
				if err := os.WriteFile(path, []byte("email\nsomebody-else@example.org\nb@example.org\nbroken\n"), 0o600); err != nil {
					t.Error(err)
				}
			}
		}
		_, err = subscribers.ImportContacts(t.Context(), b.db, file, o)
		if errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "the file was changed while it was being read") {
			t.Errorf("%v", err)
		}
	}
	if people := b.query(t, `SELECT email FROM subscribers.contacts`); len(people) > 0 {
		t.Errorf("%q", people)
	}
}

func TestImportContactsSeesTheListChange(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := atEnd("email,rhythm\na@example.org,daily\n", func() error {
		list := subscribers.NewList("partners")
		list.Rhythms = []string{"weekly"}
		if _, err := subscribers.DeclareList(t.Context(), b.db, list); err != nil {
			t.Error(err)
		}
		return io.EOF
	})
	_, err := subscribers.ImportContacts(t.Context(), b.db, file, b.options())
	if errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "the rhythms of the list partners were changed meanwhile") {
		t.Errorf("got %v", err)
	}
}

// tampered is a file that does something whenever it is read to its end.
type tampered struct {
	*strings.Reader
	end func() error
}

func atEnd(text string, end func() error) tampered { return tampered{strings.NewReader(text), end} }

func (f tampered) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil {
		err = f.end()
	}
	return n, err
}
