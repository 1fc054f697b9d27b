package subscribers_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
	"pgregory.net/rapid"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
)

// exported returns what an export writes, and how many records it says that was.
func (b *bundle) exported(t testing.TB, export func(h database.Handle, w io.Writer) (int, error)) (string, int) {
	t.Helper()
	var out bytes.Buffer
	n, err := export(b.db, &out)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), n
}

func (b *bundle) exportedContacts(t testing.TB, format subscribers.ExportFormat, list string) (string, int) {
	t.Helper()
	return b.exported(t, func(h database.Handle, w io.Writer) (int, error) {
		return subscribers.ExportContacts(t.Context(), h, w, format, list)
	})
}

// objects reads JSON Lines.
func objects(t testing.TB, lines string) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, one)
	}
	return all
}

const exportFile = "email,name,organisation,country,languages,time_zone,rhythm,topics,delivery_hour,phone,note\n" +
	"Office@Example.org,\"Office, Front\",Science Centre,IT,it;en,Europe/Rome,daily,robotics;Events,07:30,+39 000,=1+1\n" +
	"office@example.org,,Academy,CZ,,,,,,,\n" +
	"office@example.org,,,CH,,,,,,,\n" +
	"b@bücher.example,@b,,DE,,,,,,,\n" +
	"gone@example.org,Gone,Academy,,,,monthly,,,,\n"

func TestExportContacts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), exportFile)
	if _, err := subscribers.DeclareList(t.Context(), b.db, subscribers.NewList("guests")); err != nil {
		t.Fatal(err)
	}
	guests := b.options()
	guests.List, guests.Consent = "guests", ""
	b.mustImport(t, guests, "email\nb@bücher.example\n")
	b.unsubscribe(t, fmt.Sprint(b.subscriptionOf(t, "partners", "gone@example.org")))
	list := subscribers.NewList("partners")
	list.Rhythms = []string{"daily", "weekly"} // the one who has left had another
	if _, err := subscribers.DeclareList(t.Context(), b.db, list); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ list, want string }{
		{"partners", "email,name,organisation,country,languages,time_zone,delivery_hour,rhythm,topics,subscription,note,phone\r\n" +
			"b@bücher.example,'@b,,DE,,,,weekly,,active,,\r\n" +
			"gone@example.org,Gone,Academy,CZ,,,,,,unsubscribed,,\r\n" +
			"Office@Example.org,\"Office, Front\",Academy,CZ,it;en,Europe/Rome,07:30,daily,robotics;Events,active,'=1+1,'+39 000\r\n" +
			"Office@Example.org,\"Office, Front\",Science Centre,IT,it;en,Europe/Rome,07:30,daily,robotics;Events,active,'=1+1,'+39 000\r\n" +
			"Office@Example.org,\"Office, Front\",,CH,it;en,Europe/Rome,07:30,daily,robotics;Events,active,'=1+1,'+39 000\r\n"},
		{"guests", "email,name,organisation,country,languages,time_zone,delivery_hour,rhythm,topics,subscription\r\n" +
			"b@bücher.example,'@b,,DE,,,,weekly,,pending\r\n"},
		{"", "email,name,organisation,country,languages,time_zone,delivery_hour,subscriptions,note,phone\r\n" +
			"b@bücher.example,'@b,,DE,,,,guests:pending;partners:active,,\r\n" +
			"gone@example.org,Gone,Academy,CZ,,,,partners:unsubscribed,,\r\n" +
			"Office@Example.org,\"Office, Front\",Academy,CZ,it;en,Europe/Rome,07:30,partners:active,'=1+1,'+39 000\r\n" +
			"Office@Example.org,\"Office, Front\",Science Centre,IT,it;en,Europe/Rome,07:30,partners:active,'=1+1,'+39 000\r\n" +
			"Office@Example.org,\"Office, Front\",,CH,it;en,Europe/Rome,07:30,partners:active,'=1+1,'+39 000\r\n"},
	} {
		got, n := b.exportedContacts(t, subscribers.CSV, tt.list)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.list, diff)
		}
		if want := map[string]int{"partners": 3, "guests": 1, "": 3}[tt.list]; n != want {
			t.Errorf("%q: %d records, want %d", tt.list, n, want)
		}
	}
	before := b.query(t, state)
	file, _ := b.exportedContacts(t, subscribers.CSV, "partners")
	if result := b.mustImport(t, b.options(), file); result.Unchanged != 3 || result.Left != 1 {
		t.Errorf("imported again: %+v", result)
	}
	if diff := cmp.Diff(before, b.query(t, state)); diff != "" {
		t.Errorf("a round trip changed something (-before +after):\n%s", diff)
	}
	if _, err := subscribers.ExportContacts(t.Context(), b.db, io.Discard, subscribers.CSV, "nobody"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("an unknown list: %v", err)
	}
}

// JSON Lines has everything.
func TestExportContactsAsJSONLines(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), exportFile)
	lines, n := b.exportedContacts(t, subscribers.JSONLines, "")
	all := objects(t, lines)
	if n != 3 || len(all) != 3 {
		t.Fatalf("%d records, %d objects", n, len(all))
	}
	delete(all[2], "id")
	delete(all[2]["subscriptions"].([]any)[0].(map[string]any), "id")
	want := map[string]any{
		"email": "Office@Example.org", "name": "Office, Front", "languages": []any{"it", "en"}, "time_zone": "Europe/Rome", "delivery_hour": "07:30",
		"attributes": map[string]any{"phone": "+39 000", "note": "=1+1", "country": "CH"}, "created_at": "2026-03-02T09:00:00Z",
		"organisations": []any{map[string]any{"name": "Academy", "country": "CZ"}, map[string]any{"name": "Science Centre", "country": "IT"}},
		"subscriptions": []any{map[string]any{
			"list": "partners", "state": "active", "rhythm": "daily", "topics": []any{"robotics", "Events"}, "paused_until": nil,
			"created_at": "2026-03-02T09:00:00Z",
		}},
	}
	if diff := cmp.Diff(want, all[2]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !strings.Contains(lines, `"languages":[],`) || !strings.Contains(lines, `"organisations":[],`) || strings.Contains(lines, "null,\"languages") {
		t.Errorf("what is empty is no array:\n%s", lines)
	}
}

// What is read in pages is whole: nobody is left out and nobody is there twice.
func TestExportContactsInPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, statement := range []string{
		`INSERT INTO subscribers.contacts (email, email_key, created_at)
			SELECT 'r' || i || '@example.org', 'r' || i || '@example.org', '2026-01-01' FROM generate_series(1, 10001) i`,
		`INSERT INTO subscribers.subscriptions (list_id, contact_id, state, rhythm, created_at)
			SELECT 1, id, 'active', 'weekly', '2026-01-01' FROM subscribers.contacts WHERE id <> 7`,
	} {
		if _, err := b.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for list, want := range map[string]int{"": 10_001, "partners": 10_000} {
		file, n := b.exportedContacts(t, subscribers.CSV, list)
		rows, err := csv.NewReader(strings.NewReader(file)).ReadAll()
		seen := map[string]bool{}
		for _, row := range rows[1:] {
			seen[row[0]] = true
		}
		if err != nil || n != want || len(rows) != want+1 || len(seen) != want {
			t.Errorf("%q: %d records, %d rows, %d addresses, %v", list, n, len(rows), len(seen), err)
		}
	}
}

// Nobody who was erased is exported, but what happened is.
func TestExportConsents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mustImport(t, b.options(), "email\na@example.org\nb@example.org\n")
	b.erase(t, "a@example.org")
	got, n := b.exported(t, func(h database.Handle, w io.Writer) (int, error) {
		return subscribers.ExportConsents(t.Context(), h, w, subscribers.CSV, "partners")
	})
	rows, err := csv.NewReader(strings.NewReader(got)).ReadAll()
	if err != nil || n != 3 || len(rows) != 4 {
		t.Fatalf("%d records, %v:\n%s", n, err, got)
	}
	var told []string
	for _, row := range rows[1:] {
		told = append(told, strings.Join(slices.Concat(row[:1], row[2:]), "|"))
	}
	want := []string{
		"2026-03-02T09:00:00Z||partners|active|import|Agreed in the partnership contract|||",
		"2026-03-02T09:00:00Z|b@example.org|partners|active|import|Agreed in the partnership contract|||",
		"2026-03-02T09:00:00Z||partners|unsubscribed|erasure||||a test",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	lines, _ := b.exported(t, func(h database.Handle, w io.Writer) (int, error) {
		return subscribers.ExportConsents(t.Context(), h, w, subscribers.JSONLines, "")
	})
	if all := objects(t, lines); len(all) != 3 || all[2]["method"] != "erasure" || all[2]["email"] != "" || all[1]["email"] != "b@example.org" {
		t.Errorf("%s", lines)
	}
	if contacts, n := b.exportedContacts(t, subscribers.JSONLines, ""); n != 1 || strings.Contains(contacts, "a@example.org") {
		t.Errorf("%d contacts: %s", n, contacts)
	}
}

// erase erases the contact of an address.
func (b *bundle) erase(t testing.TB, email string) {
	t.Helper()
	contact, err := subscribers.ContactByEmail(t.Context(), b.db, email)
	if err == nil {
		err = database.Transact(t.Context(), b.db, func(tx *sqlx.Tx) error {
			return subscribers.Erase(t.Context(), tx, contact.ID, b.now, "a test")
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What an export says of people holds where it is imported, on one list or all: who has left or has not confirmed is not mailed.
func TestAnExportSaysWhoHasLeft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, slug := range []string{"events", "elsewhere"} {
		if _, err := subscribers.DeclareList(t.Context(), b.db, subscribers.NewList(slug)); err != nil {
			t.Fatal(err)
		}
	}
	b.mustImport(t, b.options(), "email,status\nactive@example.org,\npending@example.org,pending\nleft@example.org,unsubscribed\npaused@example.org,\n")
	e := subscribers.Evidence{At: b.now, Method: subscribers.ByPage}
	if err := subscribers.Pause(t.Context(), b.db, b.subscriptionOf(t, "partners", "paused@example.org"), nil, true, e); err != nil {
		t.Fatal(err)
	}
	one, _ := b.exportedContacts(t, subscribers.CSV, "partners")
	all, _ := b.exportedContacts(t, subscribers.CSV, "")
	for _, again := range []struct{ list, file, want string }{
		{"partners", one, "active@example.org active, left@example.org unsubscribed, paused@example.org paused, pending@example.org pending"},
		{"partners", all, "active@example.org active, left@example.org unsubscribed, paused@example.org paused, pending@example.org pending"},
		{"events", one, "active@example.org active, left@example.org unsubscribed, paused@example.org pending, pending@example.org pending"},
		{"elsewhere", all, "active@example.org active, left@example.org active, paused@example.org active, pending@example.org active"}, // of partners alone
	} {
		o := b.options()
		o.List = again.list
		b.mustImport(t, o, again.file)
		got := b.query(t, `SELECT string_agg(c.email || ' ' || s.state, ', ' ORDER BY c.email) FROM subscribers.subscriptions s
			JOIN subscribers.contacts c ON c.id = s.contact_id JOIN subscribers.lists l ON l.id = s.list_id WHERE l.slug = $1`, again.list)
		if got[0] != again.want {
			t.Errorf("%s: %s", again.list, got[0])
		}
	}
}

// Whatever people are called, an export that is imported again changes nothing, and no cell of it is a formula.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	b := setup(t)
	text := rapid.OneOf(rapid.StringMatching(`['=+@a-c;," -]{0,5}`), rapid.StringMatching(`[\p{L}\p{N}\p{P}\p{S} ]{0,8}`))
	lists := 0
	rapid.Check(t, func(rt *rapid.T) {
		lists++
		list := subscribers.NewList(fmt.Sprintf("trip-%d", lists))
		if _, err := subscribers.DeclareList(t.Context(), b.db, list); err != nil {
			rt.Fatal(err)
		}
		var file strings.Builder
		sheet := csv.NewWriter(&file)
		_ = sheet.Write([]string{"email", "name", "organisation", "country", "languages", "rhythm", "topics", "note", "=own"})
		for i := range rapid.IntRange(1, 6).Draw(rt, "rows") {
			_ = sheet.Write([]string{
				fmt.Sprintf("%sp%d@example.org", rapid.SampledFrom([]string{"", "+", "-", "=", "'="}).Draw(rt, "sign"), i%4),
				text.Draw(rt, "name"), text.Draw(rt, "organisation"), rapid.SampledFrom([]string{"", "IT", "CZ"}).Draw(rt, "country"),
				rapid.SampledFrom([]string{"", "it;en", "zh-Hans"}).Draw(rt, "languages"),
				rapid.SampledFrom([]string{"", "daily", "monthly"}).Draw(rt, "rhythm"), text.Draw(rt, "topics"), text.Draw(rt, "note"), text.Draw(rt, "own"),
			})
		}
		sheet.Flush()
		o := b.options()
		o.List, o.KeepGoing = list.Slug, true
		if rapid.Bool().Draw(rt, "pending") {
			o.Consent = ""
		}
		if _, err := b.importText(t, o, file.String()); err != nil {
			rt.Fatal(err)
		}
		b.db.MustExec(`UPDATE subscribers.subscriptions SET state = 'unsubscribed' WHERE list_id = (SELECT id FROM subscribers.lists WHERE slug = $1)
			AND contact_id % 3 = 0`, list.Slug)
		out, n := b.exportedContacts(t, subscribers.CSV, list.Slug)
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		if err != nil {
			rt.Fatal(err)
		}
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.Contains("=+-@\t\r", cell[:1]) {
					rt.Fatalf("the cell %q is a formula", cell)
				}
			}
		}
		before := b.query(t, state)
		o.KeepGoing, o.Consent = false, rapid.SampledFrom([]string{"", "They agreed"}).Draw(rt, "consent again")
		again, err := b.importText(t, o, out)
		if err != nil || again.Unchanged != n {
			rt.Fatalf("%d contacts came back as %+v, %v:\n%s", n, again, err, out)
		}
		if diff := cmp.Diff(before, b.query(t, state)); diff != "" {
			rt.Fatalf("something changed (-before +after):\n%s", diff)
		}
	})
}
