package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"silkpost/internal/testkit"
)

const partnersFile = "email,name,organisation,country,languages,topics,phone\n" +
	"anna@museum.example,Anna,Museum,IT,it;en,robotics,+39 000\n" +
	"bruno@centro.example,Bruno,Centro,CH,de,,\n" +
	"carla@museum.example,,Museum,IT,it,,\n"

// peopled is a new database with three people of two organisations.
func peopled(t *testing.T) settings {
	t.Helper()
	with := settings{"DATABASE_URL": testkit.FreshURL(t), "PUBLIC_URL": "https://news.example.org", "SECRET_KEY": "a-key-of-the-tests-alone", "LISTEN": "127.0.0.1:0"}
	good(t, with, "import", "contacts", file(t, "partners.csv", partnersFile), "--list", "partners", "--consent", "They asked for it")
	return with
}

// wants checks that a text has words.
func wants(t *testing.T, what, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%s: want %q in\n%s", what, word, text)
		}
	}
}

func TestContactShow(t *testing.T) {
	t.Parallel()
	with, _ := ready(t, "[[rule]]\nverb = \"RCPT\"\nto = \"anna@*\"\nreply = \"550 5.1.1 No such user\"\n")
	silkpost(t, with, "digest", "send", "--list", "partners", "--wait") // Anna's is refused
	good(t, with, "import", "contacts", file(t, "more.csv", partnersFile), "--list", "partners")
	good(t, with, "suppress", "add", "anna@museum.example", "--reason", "complaint", "--origin", "ticket 17")
	shown := good(t, with, "contact", "show", "ANNA@museum.example")
	wants(t, "contact show", shown, "Anna <anna@museum.example>\n", "organisations  Museum (IT)", "phone          +39 000", "Subscriptions\n", "partners  active  weekly",
		"Consents\n", "They asked for it", "Suppressions\n", "hard bounce", "complaint", "ticket 17", "\nSent\n", "partners, weekly: failed", "    Robots pass the water on\n", "550 5.1.1 No such user")
	held := decode[struct {
		Email         string
		Organisations []map[string]string
		Consents      []map[string]any
		Deliveries    []struct {
			State    string
			Articles []map[string]string
			Attempts []map[string]any
		}
	}](t, good(t, with, "contact", "show", "anna@museum.example", "--json"))
	if held.Email != "anna@museum.example" || len(held.Consents) != 1 || held.Organisations[0]["name"] != "Museum" || len(held.Deliveries) != 1 ||
		held.Deliveries[0].State != "failed" || held.Deliveries[0].Articles[0]["title"] != "Robots pass the water on" || held.Deliveries[0].Attempts[0]["code"] != 550. {
		t.Errorf("%+v", held)
	}
}

func TestContactErase(t *testing.T) {
	t.Parallel()
	with := peopled(t)
	good(t, with, "suppress", "add", "guests.example", "--origin", "as Anna@museum.example wished")
	silkpost(t, with, "contact", "erase", "anna@museum.example").told(t, "without a terminal", 1, "nothing was erased", "--yes")
	good(t, with, "contact", "show", "anna@museum.example")
	erased := good(t, with, "contact", "erase", "Anna@museum.example", "--yes")
	wants(t, "contact erase", erased, "Erased: address, name, languages and times, 1 attribute, 1 membership, 1 subscription", "0 deliveries in the account of messages and 2 lines in the log",
		"The address still stands in the origin of a suppression, in somebody's own words.\n")
	silkpost(t, with, "contact", "show", "anna@museum.example").told(t, "afterwards", 1, "no contact has the address anna@museum.example")
	wants(t, "the log", good(t, with, "export", "consent"), "erasure", "command line")
	if kept := good(t, with, "export", "contacts", "--format", "jsonl"); strings.Contains(strings.ToLower(kept), "anna") {
		t.Errorf("still there: %s", kept)
	}
}

// On a terminal it says what goes and what stays, and does nothing without a yes.
func TestContactEraseAsks(t *testing.T) {
	t.Parallel()
	with := peopled(t)
	for _, answer := range []string{"no\n", "\n", "\x04", " YES \n"} {
		ours, theirs := terminal(t)
		cmd := command(t.Context(), t, with, "contact", "erase", "anna@museum.example")
		cmd.Stdin = theirs
		if _, err := ours.WriteString(answer); err != nil {
			t.Fatal(err)
		}
		r := finish(t, cmd)
		wants(t, "the question", r.stdout, "Erasing Anna <anna@museum.example> cannot be undone.", "Goes: address, name", "Stays, under the number", "Write yes to erase: ")
		if answer != " YES \n" {
			r.told(t, answer, 1, "nothing was erased")
			good(t, with, "contact", "show", "anna@museum.example")
		} else if r.status != 0 || !strings.Contains(r.stdout, "Erased: ") {
			t.Errorf("%q: %+v", answer, r)
		}
	}
}

// terminal opens a pseudo-terminal and returns both its ends.
func terminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("this machine has no pseudo-terminals: ", err)
	}
	var number, unlock uint32
	for request, arg := range map[uintptr]*uint32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &unlock} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, ours.Fd(), request, uintptr(unsafe.Pointer(arg))); errno != 0 {
			t.Fatal(errno)
		}
	}
	theirs, err = os.OpenFile("/dev/pts/"+strconv.Itoa(int(number)), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ours.Close(); _ = theirs.Close() })
	return ours, theirs
}

func TestSuppress(t *testing.T) {
	t.Parallel()
	with := peopled(t)
	wants(t, "an empty list", good(t, with, "suppress", "list"), "Nobody is suppressed.")
	wants(t, "add", good(t, with, "suppress", "add", "Anna@museum.example"), "Anna@museum.example is suppressed: no mail to it is begun from now on (manual).")
	wants(t, "add again", good(t, with, "suppress", "add", "anna@museum.example"), "is suppressed already (manual).")
	good(t, with, "suppress", "add", "centro.example", "--origin", "their wish")
	rows := file(t, "more.csv", "address,reason,date\ncarla@museum.example,complaint,2026-01-02\ncentro.example,,\n")
	wants(t, "a dry run", good(t, with, "suppress", "import", rows, "--dry-run"), "1 suppression added, 1 unchanged. Nothing was changed: this was a dry run.")
	wants(t, "import", good(t, with, "suppress", "import", rows), "1 suppression added, 1 unchanged.")
	wants(t, "import again", good(t, with, "suppress", "import", rows), "0 suppressions added, 2 unchanged.")
	listed := good(t, with, "suppress", "list")
	wants(t, "list", listed, "carla@museum.example  complaint", "2026-01-02 00:00 UTC  more.csv", "centro.example", "their wish")
	shown := decode[struct{ Suppressions []map[string]any }](t, good(t, with, "suppress", "list", "--json"))
	if len(shown.Suppressions) != 3 || shown.Suppressions[0]["address"] != "carla@museum.example" || shown.Suppressions[0]["reason"] != "complaint" {
		t.Errorf("%+v", shown)
	}
	if exported := good(t, with, "export", "suppressions"); strings.Count(exported, "\r\n") != 4 {
		t.Errorf("%q", exported)
	}
	wants(t, "remove", good(t, with, "suppress", "remove", "@CENTRO.example"), "is no longer suppressed")
	silkpost(t, with, "suppress", "remove", "centro.example").told(t, "again", 1, "centro.example is not suppressed")
	silkpost(t, with, "suppress", "remove", "carla@museum.example").told(t, "a complaint", 1, "carla@museum.example is suppressed for a complaint: only they can lift that")
	bad := silkpost(t, with, "suppress", "import", file(t, "bad.csv", "address\na@\nb@example.org\nc@\n"))
	bad.told(t, "two bad rows", 1, "bad.csv: nothing imported: rows are refused, as listed above")
	wants(t, "two bad rows", bad.stdout, `refused: row 2, address "a@": nothing after the @`, `refused: row 4, address "c@"`)
}

func TestExportAndImportAgain(t *testing.T) {
	t.Parallel()
	with := peopled(t)
	exported := good(t, with, "export", "contacts", "--list", "partners")
	if !strings.HasPrefix(exported, "email,name,organisation,country,languages,time_zone,delivery_hour,rhythm,topics,subscription,phone\r\n") {
		t.Errorf("%q", exported)
	}
	wants(t, "a number", exported, ",'+39 000\r\n")
	again := good(t, with, "import", "contacts", file(t, "again.csv", exported), "--list", "partners")
	if again != "0 contacts imported, 0 changed, 3 unchanged, 0 refused.\n" {
		t.Errorf("imported again: %q", again)
	}
	if lines := good(t, with, "export", "contacts", "--format", "jsonl"); strings.Count(lines, "\n") != 3 || !strings.Contains(lines, `"phone":"+39 000"`) {
		t.Errorf("%q", lines)
	}
}

func TestOrganisation(t *testing.T) {
	t.Parallel()
	with := settings{"DATABASE_URL": testkit.FreshURL(t)}
	wants(t, "an empty list", good(t, with, "organisation", "list"), "No organisations yet.")
	with = peopled(t)
	good(t, with, "apply", file(t, "museum.toml", "[[organisation]]\nname = \"museum\"\nkind = \"museum\"\nagreed_on = 2026-03-01\nnotes = \"\"\"One\nTwo\"\"\"\n"))
	good(t, with, "suppress", "add", "bruno@centro.example")
	listed := good(t, with, "organisation", "list")
	wants(t, "list", listed, "organisation  country  kind    contacts  reached  last sent  note", "museum        IT       museum  2         2        never",
		"Centro        CH               1         0        never      nobody reachable left")
	wants(t, "status", good(t, with, "status"), "1 organisation with nobody reachable left: silkpost organisation list shows which.")
	status := decode[struct {
		Unreached []string `json:"unreached_organisations"`
	}](t, good(t, with, "status", "--json"))
	if len(status.Unreached) != 1 || status.Unreached[0] != "Centro" {
		t.Errorf("%+v", status)
	}
	wants(t, "show", good(t, with, "organisation", "show", "MUSEUM"), "museum\n", "country    IT", "agreement  since 2026-03-01", "notes      One / Two",
		"2 contacts, 2 of them reached.\n", "anna@museum.example   Anna  partners, weekly: active  never")
	wants(t, "show nobody", good(t, with, "organisation", "show", "Centro"), "There is nobody reachable left.\n", "suppressed (manual)")
	shown := decode[struct {
		Name              string
		Contacts, Reached int
		People            []struct {
			Email         string
			Subscriptions []map[string]any
		}
	}](t, good(t, with, "organisation", "show", "Museum", "--json"))
	if shown.Name != "museum" || shown.Contacts != 2 || shown.Reached != 2 || len(shown.People) != 2 || shown.People[0].Subscriptions[0]["list"] != "partners" {
		t.Errorf("%+v", shown)
	}
	all := decode[struct{ Organisations []map[string]any }](t, good(t, with, "organisation", "list", "--json"))
	if len(all.Organisations) != 2 || all.Organisations[1]["kind"] != "museum" || all.Organisations[0]["reached"] != 0. {
		t.Errorf("%+v", all)
	}
}

func TestAudience(t *testing.T) {
	t.Parallel()
	with := peopled(t)
	for filter, want := range map[string]string{
		"":                                     "3 contacts\n",
		"country = IT":                         "2 contacts\n",
		"country = IT and language = en":       "1 contact\n",
		`organisation = "museum" and mailable`: "2 contacts\n",
		"attribute phone exists":               "1 contact\n",
		"sent never and not country = IT, DE":  "1 contact\n",
		"state = unsubscribed":                 "0 contacts\n",
	} {
		if got := good(t, with, "audience", "count", filter); got != want {
			t.Errorf("%s: %q, want %q", filter, got, want)
		}
		if got := good(t, with, append([]string{"audience", "count"}, strings.Fields(filter)...)...); got != want {
			t.Errorf("%s in words: %q, want %q", filter, got, want)
		}
	}
	if got := good(t, with, "audience", "list", "language", "=", "it"); got != "Anna <anna@museum.example>  partners, weekly: active\ncarla@museum.example  partners, weekly: active\n" {
		t.Errorf("%q", got)
	}
	if got := good(t, with, "audience", "list", "language = de", "--json"); got != `{"email":"bruno@centro.example","name":"Bruno","list":"partners","state":"active","rhythm":"weekly"}`+"\n" {
		t.Errorf("%q", got)
	}
}
