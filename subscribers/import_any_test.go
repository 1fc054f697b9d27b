package subscribers_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/subscribers/sheet"
)

// cellsOf are what the cells of a column may hold, good and bad.
var cellsOf = map[string][]string{
	"email":                  {"a@example.org", "A@Example.org", "b@example.org", "c@bücher.example", `"odd one"@example.org`, "", "broken", "x@y@example.org"},
	"name":                   {"Anna", "anna", " ", "Ö;,\"'\t", strings.Repeat("x", 300), "\u202e"},
	"Vorname":                {"伟", "Anna", "", "1E+05"},
	"Nachname":               {"王", "Rossi", "", "#NAME?"},
	"languages":              {"it", "it;en", "zh-hans, ja", "xx", "en;en", "hu"},
	"time zone":              {"Europe/Rome", "Asia/Tokyo", "Local", "../etc"},
	"delivery hour":          {"8:00", "23:59:00", "24:00"},
	"rhythm":                 {"daily", "Wöchentlich", "每月", "hourly"},
	"topics":                 {"a;b", "a", ";;", "\u00a0"},
	"status":                 {"active", "unsubscribed", "cleaned", "blocklisted", "Lazio", "spam", "pending"},
	"unsubscribed":           {"yes", "no", "2024-01-01 10:00", "perhaps"},
	"opted in":               {"2024-01-01", "no", "x"},
	"organisation":           {"Centre", "CENTRE", "Academy", "\ufdfa", "..."},
	"organisation_fr":        {"Centre", "Académie"},
	"country":                {"IT", "de", "UK"},
	"website":                {"www.example.org", "http://example.org/a?b=c", "nowhere", "javascript:alert(1)"},
	"organisation languages": {"it;en", "fr", "?"},
	"organisation kind":      {"museum", "x"},
	"organisation notes":     {"Met in\nTurin", "\x00"},
	"organisation tags":      {"a;b", "c"},
	"phone":                  {"=\"0123\"", "'+39", "8.6E+12", "\\N", "\\", "{}", "\u0000", "\ufffd"},
	"a.b->'c'":               {"$1", "%s", "NULL", "\\x00", "\U0001f600"},
}

// Whatever a table holds: it is imported or told in one line, what is told of its rows adds up, and importing it again changes nothing.
func TestAnySheetIsImportedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	columns := []string{"email"}
	for column := range cellsOf {
		if column != "email" {
			columns = append(columns, column)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		header := append([]string{"email"}, rapid.SliceOfNDistinct(rapid.SampledFrom(columns[1:]), 0, 8, rapid.ID[string]).Draw(rt, "columns")...)
		var file bytes.Buffer
		w, err := sheet.NewWriter(&file, rapid.SampledFrom([]byte{',', ';', '\t'}).Draw(rt, "comma"))
		if err != nil {
			rt.Fatal(err)
		}
		_ = w.Write(header...)
		rows := rapid.IntRange(1, 8).Draw(rt, "rows")
		for range rows {
			var cells []string
			for _, column := range header {
				cells = append(cells, rapid.SampledFrom(append(cellsOf[column], "")).Draw(rt, column))
			}
			_ = w.Write(cells...)
		}
		if err := w.Flush(); err != nil {
			rt.Fatal(err)
		}
		o := b.options()
		o.KeepGoing, o.Refused = rapid.Bool().Draw(rt, "keep going"), (&memoryFile{}).open
		if rapid.Bool().Draw(rt, "without consent") {
			o.Consent = ""
		}
		told := map[string]int{}
		o.Each = func(r subscribers.ImportedRow) error { told[r.Outcome]++; return nil }
		first, err := b.importText(t, o, file.String())
		if err != nil {
			if errs.KindOf(err) != errs.Invalid || strings.ContainsAny(err.Error(), "\n\x00") || first.Refused == 0 || o.KeepGoing {
				rt.Fatalf("%+v, %q\n%s", first, err, file.String())
			}
			return
		}
		if told["added"] != first.Imported || told["changed"] != first.Changed || told["unchanged"] != first.Unchanged || told["refused"] != first.Refused ||
			told["added"]+told["changed"]+told["unchanged"]+told["refused"]+told["joined"] > rows {
			rt.Fatalf("%+v, told %v", first, told)
		}
		before := everything(t, b)
		o.Now = o.Now.AddDate(0, 1, 0)
		again, err := b.importText(t, o, file.String())
		if err != nil || again.Imported+again.Changed != 0 || again.Unchanged != first.Imported+first.Changed+first.Unchanged || again.Refused != first.Refused {
			rt.Fatalf("%+v, again %+v, %v\n%s", first, again, err, file.String())
		}
		if diff := cmp.Diff(before, everything(t, b)); diff != "" {
			rt.Fatalf("importing again changed\n%s", diff)
		}
	})
}

// everything is all that an import could touch.
func everything(t *testing.T, b *bundle) (all []string) {
	t.Helper()
	for _, table := range []string{"contacts", "organisations", "memberships", "subscriptions", "consents", "suppressions"} {
		all = append(all, b.query(t, fmt.Sprintf(`SELECT t::text FROM subscribers.%s t ORDER BY t::text`, table))...)
	}
	return all
}
