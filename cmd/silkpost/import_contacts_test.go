package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"

	"silkpost/internal/testkit"
	"silkpost/subscribers"
)

const partners = "E-Mail;Vorname;Name;Firma;Telefon\r\n" +
	"anna@museum.example;Anna;Rossi;Museum;\r\n" +
	"bruno@museum.example;Bruno;Verdi;Museum;=\"0123\"\r\n" +
	"ANNA@museum.example;;;Akademie;\r\n" +
	"kein-postfach;Carla;;;\r\n" +
	"dora@museum.example;Dora;;;1.5E+12\r\n"

func TestImportContactsTellsWhatItWouldDo(t *testing.T) {
	t.Parallel()
	with := settings{"DATABASE_URL": testkit.FreshURL(t)}
	good(t, with, "import", "contacts", file(t, "first.csv", "email,name\nbruno@museum.example,B\nleft@museum.example,L\n"), "--list", "partners", "--consent", "They asked")
	r := silkpost(t, with, "import", "contacts", file(t, "partners.csv", partners), "--list", "partners", "--consent", "They asked", "--dry-run", "--keep-going")
	r.told(t, "dry run", 1, "2 rows refused")
	const want = "file: utf-8, columns parted by semicolons: E-Mail is email, Vorname is first_name, Name is last_name, Firma is organisation, Telefon is attribute:telefon\n" +
		"added: row 2, anna@museum.example\n" +
		"changed: row 3, bruno@museum.example: name, organisation, telefon\n" +
		"joined: row 4, anna@museum.example: with row 2\n" +
		"refused: row 5, E-Mail \"kein-postfach\": no @ sign\n" +
		"refused: row 6, Telefon \"1.5E+12\": the spreadsheet has spoilt this value: make the column text there, write it anew and save again\n" +
		"1 contact imported, 1 changed, 0 unchanged, 2 refused. Nothing was changed: this was a dry run.\n"
	if diff := cmp.Diff(want, r.stdout); diff != "" {
		t.Error(diff)
	}
	var rows strings.Builder
	for i := range 30 {
		fmt.Fprintf(&rows, "new%d@museum.example\n", i)
	}
	many := good(t, with, "import", "contacts", file(t, "many.csv", "email\n"+rows.String()), "--list", "partners", "--dry-run")
	if strings.Count(many, "\nadded: row ") != 10 || !strings.Contains(many, "\nadded: 20 rows more; --json lists them all\n30 contacts imported") {
		t.Error(many)
	}
}

func TestImportContactsAsJSON(t *testing.T) {
	t.Parallel()
	with := settings{"DATABASE_URL": testkit.FreshURL(t)}
	path := file(t, "partners.csv", partners)
	type row struct {
		Row      int
		Outcome  string
		Email    string
		With     int
		State    string
		Refusals []struct{ Field, Value, Reason string }
	}
	read := func(flags ...string) (all struct {
		Imported, Refused int
		DryRun            bool `json:"dry_run"`
		Encoding          string
		Columns           []subscribers.Column
		Rows              []row
	},
	) {
		t.Helper()
		r := silkpost(t, with, append([]string{"import", "contacts", path, "--list", "partners", "--consent", "They asked", "--json"}, flags...)...)
		r.told(t, fmt.Sprint(flags), 1, "2 rows refused")
		if err := json.Unmarshal([]byte(r.stdout), &all); err != nil {
			t.Fatalf("%v\n%s", err, r.stdout)
		}
		return all
	}
	if all := read(); all.Imported != 0 || all.Refused != 2 || len(all.Rows) != 2 || all.Rows[1].Refusals[0].Field != "Telefon" {
		t.Errorf("all or nothing: %+v", all)
	}
	for _, flags := range [][]string{{"--dry-run"}, {"--dry-run", "--keep-going"}, {"--keep-going"}} {
		all := read(flags...)
		want := []row{{Row: 2, Outcome: "added", Email: "anna@museum.example", State: "active"}, {Row: 3, Outcome: "added", Email: "bruno@museum.example", State: "active"}, {Row: 4, Outcome: "joined", Email: "anna@museum.example", With: 2}}
		if diff := cmp.Diff(want, all.Rows[:3]); diff != "" || len(all.Rows) != 5 || all.Imported != 2 || all.Refused != 2 || all.Encoding != "utf-8" || len(all.Columns) != 5 ||
			all.DryRun != (flags[0] == "--dry-run") {
			t.Errorf("%v: %+v\n%s", flags, all, diff)
		}
	}
	if r := silkpost(t, with, "import", "contacts", file(t, "bad.csv", "name\n"), "--list", "partners", "--json"); r.stdout != "" || r.status != 1 {
		t.Errorf("of a file that is no table: %+v", r)
	}
}

// The refused rows go beside the file, and never over another file.
func TestImportContactsKeepsRefusedRows(t *testing.T) {
	t.Parallel()
	with := settings{"DATABASE_URL": testkit.FreshURL(t)}
	path := file(t, "partners.csv", partners)
	run := func(flags ...string) result {
		return silkpost(t, with, append([]string{"import", "contacts", path, "--list", "partners", "--keep-going"}, flags...)...)
	}
	beside := func(name string) string { return filepath.Join(filepath.Dir(path), name) }
	run("--dry-run").told(t, "dry run", 1, "2 rows refused")
	run().told(t, "once", 1, "2 rows refused; the rest was imported; the refused rows are in "+beside("partners.refused.csv"))
	run().told(t, "twice", 1, beside("partners.refused-2.csv"))
	elsewhere := filepath.Join(t.TempDir(), "refused.csv")
	run("--refused", elsewhere).told(t, "elsewhere", 1, elsewhere)
	run("--refused", elsewhere).told(t, "again", 1, elsewhere+", which is there already: name another file with --refused")
	run("--refused", filepath.Join(elsewhere, "x")).told(t, "nowhere", 1, "the refused rows cannot be written")
	content, err := os.ReadFile(beside("partners.refused.csv"))
	if err != nil {
		t.Fatal(err)
	}
	const want = "\ufeffE-Mail;Vorname;Name;Firma;Telefon;refused row;refused because\r\nkein-postfach;Carla;;;;5;\"E-Mail \"\"kein-postfach\"\": no @ sign\"\r\n" +
		"dora@museum.example;Dora;;;1.5E+12;6;\"Telefon \"\"1.5E+12\"\": the spreadsheet has spoilt this value: make the column text there, write it anew and save again\"\r\n"
	if diff := cmp.Diff(want, string(content)); diff != "" {
		t.Error(diff)
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 3 {
		t.Errorf("%v, %v", files, err)
	}
}

func TestImportContactsOfOtherFiles(t *testing.T) {
	t.Parallel()
	with := settings{"DATABASE_URL": testkit.FreshURL(t)}
	latin, err := charmap.Windows1252.NewEncoder().String("Mail,Label\nrene@museum.example,René\n")
	if err != nil {
		t.Fatal(err)
	}
	path := file(t, "latin.csv", latin)
	silkpost(t, with, "import", "contacts", path, "--list", "partners", "--map", "Label=name").told(t, "not UTF-8", 1, "row 2 is not UTF-8 text", "--encoding")
	good(t, with, "import", "contacts", path, "--list", "partners", "--map", "Label=name", "--encoding", "windows-1252")
	printed := good(t, with, "import", "contacts", path, "--list", "partners", "--map", "Label=-", "--map", "mail=email", "--encoding", "latin1", "--dry-run")
	if !strings.HasPrefix(printed, "file: windows-1252, columns parted by commas: Mail is email, Label is left out\n") || !strings.Contains(printed, "1 unchanged") {
		t.Error(printed)
	}
	silkpost(t, with, "import", "contacts", path, "--list", "partners", "--map", "Label=nane").told(t, "a typo", 2, `a column cannot be "nane"`, "silkpost import contacts --help")
	silkpost(t, with, "import", "contacts", path, "--list", "partners", "--encoding", "latin").told(t, "no encoding", 1, `"latin" is no encoding`)
	// A pipe can be read only once, and has no place for refused rows beside it.
	for want, flags := range map[string][]string{"nothing imported": nil, "name a file for them with --refused": {"--keep-going"}} {
		cmd := command(t.Context(), t, with, append([]string{"import", "contacts", "/dev/stdin", "--list", "partners"}, flags...)...)
		cmd.Stdin = io.MultiReader(strings.NewReader(partners))
		finish(t, cmd).told(t, want, 1, want)
	}
	cmd := command(t.Context(), t, with, "import", "contacts", "/dev/stdin", "--list", "partners", "--keep-going", "--refused", filepath.Join(t.TempDir(), "x.csv"))
	cmd.Stdin = io.MultiReader(strings.NewReader(partners))
	if r := finish(t, cmd); !strings.Contains(r.stdout, "2 contacts imported") {
		t.Errorf("%+v", r)
	}
}

// On a terminal a bar shows how far it is, and at the end how fast it was; elsewhere nothing does.
func TestProgressBar(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	b := newProgressBar(&out)
	b.show(subscribers.ImportProgress{Rows: 10, Read: 5, Size: 10})
	b.end(true)
	if out.Len() > 0 {
		t.Errorf("no terminal: %q", out.String())
	}
	b = &progressBar{out: &out, begun: time.Now().Add(-2 * time.Second)}
	b.show(subscribers.ImportProgress{Rows: 1000, Read: 5, Size: 10})
	b.show(subscribers.ImportProgress{Rows: 1200, Read: 6, Size: 10}) // too soon to be drawn
	b.show(subscribers.ImportProgress{Writing: true, Read: 10, Size: 10})
	if want := "\r\x1b[K[###############               ] reading 1,000 rows\r\x1b[K[##############################] writing 1,200 rows"; out.String() != want {
		t.Errorf("%q", out.String())
	}
	out.Reset()
	b.end(true)
	if !strings.HasPrefix(out.String(), "\r\x1b[K1,200 rows in 2.") || !strings.HasSuffix(out.String(), " rows/s\n") {
		t.Errorf("%q", out.String())
	}
}
