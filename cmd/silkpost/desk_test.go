package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// atTheDesk is a database with an edition that waits for approval.
func atTheDesk(t *testing.T) (with settings, id string) {
	t.Helper()
	with, _ = ready(t, "")
	good(t, with, "apply", file(t, "silkpost.toml", list+"approval = true\napproval_within = \"4h\"\nunapproved = \"cancel\"\n"))
	good(t, with, "import", "articles", file(t, "seats.md", strings.NewReplacer("relay", "seats", "Robots pass the water on", "Thirty seats").Replace(article)))
	good(t, with, "digest", "send", "--list", "partners")
	editions := decode[struct{ Editions []struct{ ID, State string } }](t, good(t, with, "edition", "list", "--json")).Editions
	if len(editions) != 1 || editions[0].State != "review" {
		t.Fatalf("%+v", editions)
	}
	return with, editions[0].ID
}

func TestDeskVerbs(t *testing.T) {
	t.Parallel()
	with, id := atTheDesk(t)
	hello := file(t, "hello.md", "Dear **friends**,\n\nwe moved.\n")
	out := t.TempDir()
	for _, step := range []struct {
		args  []string
		words []string
	}{
		{[]string{"show", id}, []string{"2 recipients; review", "It must be approved by 20", "robots-pass-the-water-on", "not yet translated"}},
		{[]string{"pin", id, "thirty-seats"}, []string{"place 1", "Thirty seats"}},
		{[]string{"drop", id, "robots-pass-the-water-on"}, []string{"1 article", "dropped (later)"}},
		{[]string{"add", id, "robots-pass-the-water-on"}, []string{"2 articles", "added"}},
		{[]string{"order", id, "robots-pass-the-water-on", "thirty-seats"}, []string{"place 1", "place 2"}},
		{[]string{"text", id, "--language", "en", "--subject", "We moved", "--introduction", hello}, []string{"We moved", "Dear **friends**,"}},
		{[]string{"preview", id, "--out", out}, []string{"1 variant written", "weekly-en-1.html .txt .eml", "2 recipients"}},
		{[]string{"test", id, "--to", "editor@example.org"}, []string{"A test mail in en to editor@example.org was accepted: 250"}},
		{[]string{"pause", id}, []string{"2 pending"}},
		{[]string{"show", id}, []string{"It is paused", "command line", "text in en", "We moved"}},
		{[]string{"resume", id}, nil},
		{[]string{"hold", id, "--reason", "let me see"}, []string{"held, let me see"}},
		{[]string{"release", id}, []string{"approved"}},
		{[]string{"cancel", id}, []string{"cancelled by hand", "2 cancelled"}},
		{[]string{"make", "--list", "partners", "--article", "thirty-seats", "--subject", "Seats, again", "--audience", "list = partners"}, []string{"partners, once: 1 article", "edition approve"}},
	} {
		printed := good(t, with, append([]string{"edition"}, step.args...)...)
		wants(t, strings.Join(step.args, " "), printed, step.words...)
	}
	text, err := os.ReadFile(filepath.Join(out, "weekly-en-1.txt"))
	if err != nil || !strings.Contains(string(text), "we moved") {
		t.Errorf("the preview's text, %v:\n%s", err, text)
	}
	index, err := os.ReadFile(filepath.Join(out, "index.txt"))
	if err != nil || !strings.Contains(string(index), "We moved") {
		t.Errorf("the preview's index, %v:\n%s", err, index)
	}
	wants(t, "pause", good(t, with, "pause", "--list", "partners"), "Nothing more is sent of list partners")
	wants(t, "pause again", good(t, with, "pause", "--list", "partners"), "It was paused before")
	wants(t, "resume", good(t, with, "resume", "--list", "partners"), "Sending goes on")
	wants(t, "translate", good(t, with, "article", "translate", "thirty-seats", "--language", "it", "--title", "Trenta posti", "--summary", "Riapre."),
		`"Trenta posti" is its translation in it`)
}

// Who wonders why nothing goes out finds in the status, and while they watch, what is paused.
func TestStatusTellsWhatIsPaused(t *testing.T) {
	t.Parallel()
	with, id := atTheDesk(t)
	good(t, with, "edition", "approve", id)
	now := func() string { return good(t, with, "status") }
	if s := now(); strings.Contains(s, "paused") || strings.Contains(s, "PAUSED") {
		t.Errorf("nothing is paused yet:\n%s", s)
	}
	wants(t, "pause all", good(t, with, "pause", "--all"), "Nothing more is sent of any list")
	wants(t, "all", now(), "PAUSED since 20", "nothing is sent of any list until silkpost resume --all.", "approved, paused")
	good(t, with, "pause", "--list", "partners")
	good(t, with, "resume", "--all")
	wants(t, "a list", now(), "nothing is sent of list partners until silkpost resume --list partners.", "approved, paused")
	if s := now(); strings.Contains(s, "any list") {
		t.Errorf("one list alone is paused:\n%s", s)
	}
	type paused struct {
		Lists    []struct{ List string } `json:"paused_lists"`
		Editions []struct{ Stopped bool }
	}
	told := decode[paused](t, good(t, with, "status", "--json"))
	if len(told.Lists) != 1 || told.Lists[0].List != "partners" || !told.Editions[0].Stopped {
		t.Errorf("as JSON: %+v", told)
	}
	good(t, with, "resume", "--list", "partners")
	good(t, with, "edition", "pause", id)
	if s := now(); !strings.Contains(s, "approved, paused") || strings.Contains(s, "PAUSED") {
		t.Errorf("one edition alone is paused:\n%s", s)
	}
}

func TestDeskRefuses(t *testing.T) {
	t.Parallel()
	with, id := atTheDesk(t)
	good(t, with, "import", "articles", file(t, "sky.md", strings.NewReplacer("relay", "sky", "Robots pass the water on", "Sky").Replace(article)))
	for _, tt := range []struct {
		args   string
		status int
		words  []string
	}{
		{"show 01900000-0000-7000-8000-000000000000", 1, []string{"no edition", "silkpost edition list"}},
		{"show hello", 2, []string{"silkpost edition list"}},
		{"pin " + id + " sky", 1, []string{`"sky" is not in edition`, "add it first"}},
		{"drop " + id + " nothing", 1, []string{`"nothing"`, "there is none"}},
		{"release " + id, 1, []string{"is review", "to release it, it must be held"}},
		{"text " + id + " --language tlh --subject x", 1, []string{"no digest is in tlh"}},
		{"text " + id + " --language en", 1, []string{"nothing to set"}},
		{"text " + id + " --language en --introduction missing.md", 1, []string{"missing.md"}},
		{"correct " + id, 1, []string{"a --subject and an --introduction"}},
		{"make --list partners", 1, []string{"nothing in it", "--article"}},
		{"make --list partners --article thirty-seats", 1, []string{"everybody was given", "--repeat"}},
		{"make --list nobody --article thirty-seats", 1, []string{`no list "nobody"`}},
		{"test " + id + " --to nobody", 1, []string{"nobody"}},
	} {
		silkpost(t, with, append([]string{"edition"}, strings.Fields(tt.args)...)...).told(t, tt.args, tt.status, tt.words...)
	}
	silkpost(t, with, "edition", "make", "--list", "partners", "--audience", "country is IT").told(t, "a filter", 2, "country")
	silkpost(t, with, "pause").told(t, "pause", 2, "--list")
}
