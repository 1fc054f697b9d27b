package subscribers_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

func (b *bundle) importSuppressions(t testing.TB, file string) (subscribers.SuppressionResult, error) {
	t.Helper()
	return subscribers.ImportSuppressions(t.Context(), b.db, strings.NewReader(file), subscribers.SuppressionImport{Origin: "a file", Now: b.now})
}

// suppressed returns every suppression, lifted ones in brackets.
func (b *bundle) suppressed(t testing.TB) []string {
	t.Helper()
	return b.query(t, `
		SELECT CASE WHEN lifted_at IS NULL THEN text ELSE '(' || text || ')' END FROM (
			SELECT concat_ws(' ', coalesce(address_key, '@' || domain_key), reason, origin, at::date) AS text, lifted_at, id FROM subscribers.suppressions) x
		ORDER BY id`)
}

const suppressionFile = "Address,Reason,Origin,Date,Remark\r\n" +
	"A@Example.org,hard bounce,old system,2026-01-05,x\r\n" +
	"a@example.org,complaint,,2026-01-05T10:00:00+01:00,\r\n" +
	"@bücher.example,,'=formula,,\r\n" +
	"example.com,Manual,,2026-02-01,\r\n" +
	"b@example.org,HARD_BOUNCE,,,\r\n" +
	"a@EXAMPLE.org,hard-bounce,again,,\r\n"

func TestImportSuppressions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got, err := b.importSuppressions(t, suppressionFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(subscribers.SuppressionResult{Added: 5, Unchanged: 1}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	want := []string{
		"a@example.org hard bounce old system 2026-01-05", "a@example.org complaint a file 2026-01-05", "@xn--bcher-kva.example manual =formula 2026-03-02",
		"@example.com manual a file 2026-02-01", "b@example.org hard bounce a file 2026-03-02",
	}
	if diff := cmp.Diff(want, b.suppressed(t)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got, err = b.importSuppressions(t, suppressionFile); err != nil || got.Added != 0 || got.Unchanged != 6 {
		t.Errorf("again: %+v, %v", got, err)
	}
	if diff := cmp.Diff(want, b.suppressed(t)); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
	for header, file := range map[string]string{"email": "email,state\nz@example.org,CA\n", "domain": "domain\nz.example.org\n"} {
		if got, err := b.importSuppressions(t, file); err != nil || got.Added != 1 {
			t.Errorf("a column %s: %+v, %v", header, got, err)
		}
	}
}

// Who was let off since a row was written is not caught again by it; a newer row does.
func TestImportSuppressionsAfterLifting(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email\na@example.org\n")
	if _, err := b.importSuppressions(t, "address,reason,date\na@example.org,hard bounce,2026-03-01\nexample.org,manual,2026-03-01\n"); err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(time.Hour)
	if err := subscribers.Lift(t.Context(), b.db, "example.org", "a test", b.now); err != nil {
		t.Fatal(err)
	}
	id := b.subscriptionOf(t, "partners", "a@example.org")
	if err := subscribers.Confirm(t.Context(), b.db, id, subscribers.Evidence{At: b.now, Method: subscribers.ByConfirmation}); err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(time.Hour)
	got, err := b.importSuppressions(t, "address,reason,date\na@example.org,hard bounce,2026-03-01\nexample.org,manual,2026-03-01\n")
	if diff := cmp.Diff(subscribers.SuppressionResult{Unchanged: 2, Lifted: 2}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if len(b.mailable(t)) != 1 {
		t.Error("an old row caught somebody again")
	}
	if got, err := b.importSuppressions(t, "address,reason\na@example.org,hard bounce\n"); err != nil || got.Added != 1 || len(b.mailable(t)) != 0 {
		t.Errorf("a new row: %+v, %v", got, err)
	}
}

func TestImportSuppressionsRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, tt := range map[string]struct{ file, want string }{
		"no column":     {"name,reason\na,b\n", `row 1 names no column "address" or "email" or "domain"; the columns are: name, reason`},
		"empty":         {"", "the file is empty: its first row must name the columns, and address must be one of them"},
		"no address":    {"address\ngood@example.org\na@example.org,b\n", "row 3: 2 cells where the header names 1 columns"},
		"an empty cell": {"address,reason\n,manual\n", `nothing imported: row 2, address "": no address and no domain`},
		"no domain":     {"address\nnews\n", `row 2, address "news": the domain "news" has no dot`},
		"a bad address": {"email\na@\n", `row 2, email "a@": nothing after the @`},
		"a reason":      {"address,reason\na@example.org,mood\n", `row 2, reason "mood": "mood" is no reason: use hard bounce, complaint or manual`},
		"erased":        {"address,reason\na@example.org,erased\n", `"erased" is no reason`},
		"of a domain":   {"address,reason\nexample.org,complaint\n", "a complaint is an address's, not a domain's"},
		"a date":        {"address,date\na@example.org,1/2/2026\n", `row 2, date "1/2/2026": not a date in the past`},
		"the future":    {"address,date\na@example.org,2026-03-03\n", `row 2, date "2026-03-03": not a date in the past`},
		"an origin":     {"address,origin\na@example.org,\x01\n", `row 2, origin "\x01": a control character`},
		"several":       {"address,reason\na@,mood\nb@example.org,\nc,\n", `nothing imported: 2 rows are refused, the first: row 2, address "a@"`},
	} {
		got, err := b.importSuppressions(t, tt.file)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") || errs.KindOf(err) != errs.Invalid || got.Added > 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if left := b.suppressed(t); len(left) > 0 {
		t.Errorf("half of it was taken: %v", left)
	}
	o := subscribers.SuppressionImport{DryRun: true, Now: b.now}
	if got, err := subscribers.ImportSuppressions(t.Context(), b.db, strings.NewReader(suppressionFile), o); err != nil || got.Added != 5 || len(b.suppressed(t)) > 0 {
		t.Errorf("a dry run: %+v, %v, %v", got, err, b.suppressed(t))
	}
}

// What is exported can be imported elsewhere; imported again it changes nothing.
func TestExportSuppressions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.importSuppressions(t, suppressionFile); err != nil {
		t.Fatal(err)
	}
	b.mustImport(t, b.options(), "email\nerased@example.org\n")
	b.erase(t, "erased@example.org")
	if err := subscribers.Lift(t.Context(), b.db, "example.com", "a test", b.now); err != nil {
		t.Fatal(err)
	}
	file, n := b.exported(t, func(h database.Handle, w io.Writer) (int, error) {
		return subscribers.ExportSuppressions(t.Context(), h, w, subscribers.CSV)
	})
	want := "address,reason,origin,date\r\n" +
		"a@example.org,hard bounce,old system,2026-01-05T00:00:00Z\r\n" +
		"a@example.org,complaint,a file,2026-01-05T09:00:00Z\r\n" +
		"xn--bcher-kva.example,manual,'=formula,2026-03-02T09:00:00Z\r\n" +
		"b@example.org,hard bounce,a file,2026-03-02T09:00:00Z\r\n"
	if diff := cmp.Diff(want, file); diff != "" || n != 4 {
		t.Errorf("%d records (-want +got):\n%s", n, diff)
	}
	before := b.suppressed(t)
	if got, err := b.importSuppressions(t, file); err != nil || got.Unchanged != 4 || !cmp.Equal(before, b.suppressed(t)) {
		t.Errorf("again: %+v, %v", got, err)
	}
	elsewhere := setup(t)
	if got, err := elsewhere.importSuppressions(t, file); err != nil || got.Added != 4 {
		t.Errorf("elsewhere: %+v, %v", got, err)
	}
	lines, n := b.exported(t, func(h database.Handle, w io.Writer) (int, error) {
		return subscribers.ExportSuppressions(t.Context(), h, w, subscribers.JSONLines)
	})
	all := objects(t, lines)
	if n != 6 || len(all) != 6 || all[3]["lifted"] != "2026-03-02T09:00:00Z" || all[5]["reason"] != "erased" || all[5]["address"] != "" || all[0]["lifted"] != nil {
		t.Errorf("%d: %s", n, lines)
	}
}
