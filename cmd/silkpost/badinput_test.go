package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/database"
	"silkpost/internal/testkit"
)

// badFiles are files that cannot be what they are given for.
var badFiles = map[string]string{
	"noemail.csv":   "name,organisation\nAnna,Museum\n",
	"address.csv":   "email,name\nanna@museum.example,Anna\nnot-an-address,Bruno\n",
	"language.csv":  "email,languages\nanna@museum.example,klingonese\n",
	"zone.csv":      "email,time_zone\nanna@museum.example,Europe/Roma\n",
	"rhythm.csv":    "email,rhythm\nanna@museum.example,hourly\n",
	"three.csv":     "email,languages\na,en\nanna@museum.example,en\nb,en\nc,xx\n",
	"workbook.csv":  "PK\x03\x04\x14\x00",
	"latin1.csv":    "email,name\nanna@museum.example,Ren\xe9\n",
	"empty.csv":     "",
	"header.csv":    "email,name,email\n",
	"good.csv":      "email\nanna@museum.example\n",
	"picture.png":   "\x89PNG\r\n\x1a\n\x00\x00",
	"empty.md":      "",
	"untitled.md":   "---\ntitle: [unclosed\n---\nWords.\n",
	"textless.md":   "# A title alone\n",
	"binary.txt":    "\x00\x01\x02\x03",
	"good.md":       article,
	"unknown.toml":  "[[list]]\nslug = \"partners\"\nrythms = [\"daily\"]\n",
	"zone.toml":     "[[list]]\nslug = \"guests\"\n[[list]]\nslug = \"partners\"\ntime_zone = \"Europe/Roma\"\n",
	"broken.toml":   "[[list]\n",
	"slugs.toml":    "[[feed]]\nslug = \"new\"\n[[feed]]\nslug = \"fresh\"\nold_slugs = [\"taken\"]\n",
	"country.toml":  "[[organisation]]\nname = \"Academy\"\n[[organisation]]\nname = \"Museum\"\ncountry = \"UK\"\n",
	"nameless.toml": "[[organisation]]\ncountry = \"IT\"\n",
	"limits.toml":   "[[list]]\nslug = \"partners\"\nmin_articles = 5\nmax_articles = 3\n",
	"rate.toml":     "[[limit]]\nname = \"relay\"\nper_hour = -1\n",
	"reason.csv":    "address,reason\nanna@museum.example,manual\nbruno@centro.example,mood\n",
	"nobody.csv":    "reason\nmanual\n",
	"settings.toml": "lisen = \"127.0.0.1:80\"\n",
	"script.toml":   "[[rule]]\nverb = \"BOUNCE\"\nreply = \"550 no\"\n",
}

// badInput says what is typed and what comes of it.
type badInput struct {
	name   string
	with   settings // beside a database that works
	args   string
	status int
	words  []string
}

var badInputs = []badInput{
	{"a rate that is none", nil, "apply rate.toml", 1, []string{`limit "relay": per_hour -1: it is from 1 to a thousand million`}},
	{"no such mail", nil, "inbox show 5", 1, []string{"no mail 5 is kept: silkpost inbox list --all"}},
	{"a relay that stands in for itself", settings{"SMTP_URL": "smtp://mail.example.org:25?tls=none", "SMTP_FALLBACK_URL": "smtp://mail.example.org:25"}, "status", 1, []string{
		"SILKPOST_SMTP_FALLBACK_URL is mail.example.org:25, as SILKPOST_SMTP_URL",
	}},
	{"no such articles", nil, "import articles nowhere.md", 1, []string{"nothing imported: nowhere.md", "no such file"}},
	{"an unknown kind of article", nil, "import articles picture.png", 1, []string{"picture.png", "Markdown"}},
	{"an empty article", nil, "import articles empty.md", 1, []string{"empty.md", "empty"}},
	{"broken front matter", nil, "import articles untitled.md", 1, []string{"untitled.md", "front matter"}},
	{"an article without text", nil, "import articles textless.md", 1, []string{"textless.md", "text"}},
	{"a binary text", nil, "import articles binary.txt", 1, []string{"binary.txt", "binary"}},
	{"a folder without articles", nil, "import articles folder", 1, []string{"folder", "no articles"}},
	{"a good article with a bad one", nil, "import articles good.md picture.png", 1, []string{"nothing imported", "picture.png"}},
	{"two bad articles", nil, "import articles empty.md picture.png", 1, []string{"nothing imported: 2 of 2 files", "empty.md", "picture.png"}},
	{"a source that is none", nil, "import articles good.md --source Our_Files", 1, []string{`"Our_Files"`}},
	{"nothing to import", nil, "import articles", 2, []string{"<path>", "silkpost import articles --help"}},

	{"no such contacts", nil, "import contacts nowhere.csv --list partners", 1, []string{"nowhere.csv", "no such file"}},
	{"a folder of contacts", nil, "import contacts folder --list partners", 1, []string{"folder"}},
	{"no email column", nil, "import contacts noemail.csv --list partners", 1, []string{"noemail.csv", `"email"`, "name, organisation"}},
	{"a bad address", nil, "import contacts address.csv --list partners", 1, []string{"row 3", `"not-an-address"`, "@"}},
	{"three bad rows", nil, "import contacts three.csv --list partners", 1, []string{"three.csv: nothing imported: 3 rows refused, as listed above"}},
	{"a language that does not exist", nil, "import contacts language.csv --list partners", 1, []string{"row 2", `languages "klingonese"`}},
	{"a time zone that does not exist", nil, "import contacts zone.csv --list partners", 1, []string{"row 2", `time_zone "Europe/Roma"`, "Europe/Rome"}},
	{"a rhythm that does not exist", nil, "import contacts rhythm.csv --list partners", 1, []string{"row 2", `rhythm "hourly"`, "weekly"}},
	{"a workbook", nil, "import contacts workbook.csv --list partners", 1, []string{"workbook.csv", "CSV UTF-8"}},
	{"an old encoding", nil, "import contacts latin1.csv --list partners", 1, []string{"latin1.csv", "row 2", "UTF-8"}},
	{"an empty table", nil, "import contacts empty.csv --list partners", 1, []string{"empty.csv", "empty"}},
	{"a column twice", nil, "import contacts header.csv --list partners", 1, []string{"header.csv", `"email"`, "twice"}},
	{"contacts for an unknown list", nil, "import contacts good.csv --list partner", 1, []string{`"partner"`, "the lists are: partners"}},
	{"contacts for no list", nil, "import contacts good.csv", 2, []string{"--list", "silkpost import contacts --help"}},

	{"no such declaration", nil, "apply nowhere.toml", 1, []string{"nowhere.toml", "no such file"}},
	{"an unknown key", nil, "apply unknown.toml", 1, []string{"unknown.toml", "line 3", `"rythms"`}},
	{"a list in no time zone", nil, "apply zone.toml", 1, []string{"zone.toml", `list "partners"`, `"Europe/Roma"`}},
	{"no TOML", nil, "apply broken.toml", 1, []string{"broken.toml", "line 1"}},

	{"an organisation in no country", nil, "apply country.toml", 1, []string{"country.toml", `organisation "Museum", country "UK"`, "GB"}},
	{"an organisation without a name", nil, "apply nameless.toml", 1, []string{"nameless.toml", "[[organisation]] has no name"}},
	{"limits that contradict", nil, "apply limits.toml", 1, []string{"limits.toml", `list "partners", max_articles 3`, "min_articles"}},

	{"showing an unknown contact", nil, "contact show anna@museum.example --json", 1, []string{"no contact has the address anna@museum.example"}},
	{"showing no contact", nil, "contact show anna", 1, []string{`"anna": no @ sign`}},
	{"erasing an unknown contact", nil, "contact erase anna@museum.example --yes", 1, []string{"no contact has the address anna@museum.example"}},
	{"erasing nobody", nil, "contact erase", 2, []string{"<email>", "silkpost contact erase --help"}},
	{"suppressing nobody", nil, "suppress add news", 1, []string{`"news"`, "no dot"}},
	{"suppressing half an address", nil, "suppress add anna@", 1, []string{`"anna@": nothing after the @`}},
	{"suppressing for no reason", nil, "suppress add anna@museum.example --reason mood", 2, []string{"--reason", `"mood"`, "hard bounce, complaint or manual"}},
	{"suppressing as erased", nil, "suppress add anna@museum.example --reason erased", 2, []string{`"erased" is no reason`}},
	{"a complaint of a domain", nil, "suppress add museum.example --reason complaint", 1, []string{"complaint", "domain"}},
	{"removing no suppression", nil, "suppress remove anna@museum.example", 1, []string{"anna@museum.example is not suppressed"}},
	{"no such suppressions", nil, "suppress import nowhere.csv", 1, []string{"nowhere.csv", "no such file"}},
	{"suppressions without addresses", nil, "suppress import nobody.csv", 1, []string{"nobody.csv", `"address" or "email" or "domain"`}},
	{"suppressions for no reason", nil, "suppress import reason.csv", 1, []string{"reason.csv: nothing imported: row 3", `reason "mood"`}},
	{"exporting nothing", nil, "export", 2, []string{"<what>", "silkpost export --help"}},
	{"exporting what is not there", nil, "export people", 2, []string{"contacts", "consent", "suppressions"}},
	{"exporting in no format", nil, "export contacts --format xlsx", 2, []string{"--format", "csv", "jsonl"}},
	{"exporting an unknown list", nil, "export contacts --list partner", 1, []string{`"partner"`, "the lists are: partners"}},
	{"exporting suppressions of a list", nil, "export suppressions --list partners", 2, []string{"--list", "no list's"}},
	{"showing an unknown organisation", nil, "organisation show Academy --json", 1, []string{`no organisation "Academy"`, "silkpost organisation list"}},
	{"an unknown field", nil, "audience count nation = IT", 1, []string{`no field "nation"`, "attribute, country"}},
	{"a country that is none", nil, "audience count country = UK", 1, []string{`country: "UK"`, "GB"}},
	{"half a filter", nil, "audience list country = IT and", 1, []string{"a clause is missing behind the last and"}},
	{"a filter with an unknown list", nil, "audience count list = partner", 1, []string{`"partner"`, "the lists are: partners"}},
	{"a filter with an unknown organisation", nil, "audience list organisation = Academy --json", 1, []string{`no organisation "Academy"`}},

	{"sending an unknown list", nil, "digest send --list partner", 1, []string{`"partner"`, "the lists are: partners"}},
	{"planning an unknown list", nil, "digest plan --list partner", 1, []string{`"partner"`}},
	{"a list that is not set up", nil, "digest send --list partners", 1, []string{"partners", "sender address", "silkpost apply"}},
	{"sending at no rhythm", nil, "digest send --list partners --rhythm hourly", 2, []string{`"hourly"`, "immediate, daily, weekly, monthly"}},
	{"planning for no time", nil, "digest plan --list partners --at tomorrow", 2, []string{`"tomorrow"`, "2026-"}},
	{"waiting for no time", nil, "digest send --list partners --wait --timeout soon", 2, []string{"--timeout", `"soon"`, "30s"}},
	{"a test to nobody", nil, "digest test --to news", 1, []string{`"news"`}},
	{"sending without a public URL", settings{"PUBLIC_URL": ""}, "digest send --list partners", 1, []string{"SILKPOST_PUBLIC_URL"}},
	{"sending an unknown list without a public URL", settings{"PUBLIC_URL": ""}, "digest send --list partner", 1, []string{`"partner"`, "the lists are: partners"}},
	{"testing an unknown list without a public URL", settings{"PUBLIC_URL": ""}, "digest test --list partner --to anna@museum.example", 1, []string{`"partner"`}},
	{"waiting without a unit", nil, "digest send --list partners --wait --timeout 5", 2, []string{`--timeout: "5" is not a length of time such as 30s or 5m`}},
	{"waiting backwards", nil, "digest send --list partners --wait --timeout=-5s", 2, []string{`"-5s"`}},
	{"sending without a relay", settings{"SMTP_URL": ""}, "digest send --list partners", 1, []string{"SILKPOST_SMTP_URL"}},
	{"sending without a key", settings{"SECRET_KEY": ""}, "digest send --list partners", 1, []string{"SILKPOST_SECRET_KEY"}},

	{"an edition's id that is none", nil, "edition show 17", 2, []string{`"17"`, "silkpost edition list"}},
	{"an unknown edition", nil, "edition show 01a20339-b5ba-7f16-81d6-83a0645e7f4c", 1, []string{"01a20339-b5ba-7f16-81d6-83a0645e7f4c", "silkpost edition list"}},
	{"deliveries of an unknown edition", nil, "deliveries --edition 01a20339-b5ba-7f16-81d6-83a0645e7f4c --json", 1, []string{"01a20339-b5ba-7f16-81d6-83a0645e7f4c"}},
	{"an unknown feed", nil, "feed render robotic", 1, []string{`"robotic"`}},
	{"an unknown format", nil, "feed render all --format xml", 2, []string{"xml", "atom"}},
	{"renaming an unknown feed", nil, "feed rename robotic robots", 1, []string{`no feed "robotic"`}},
	{"renaming to a taken slug", nil, "feed rename fresh taken", 1, []string{`"taken" is taken by another feed`}},
	{"renaming to an old slug", nil, "feed rename taken stale", 1, []string{`"stale" is taken by the feed "fresh"`}},
	{"renaming to a removed feed's slug", nil, "feed rename taken removed", 1, []string{`"removed" is taken by a feed that was removed`}},
	{"renaming to no slug", nil, "feed rename taken Taken!", 1, []string{`"Taken!"`, "lower-case letters"}},
	{"renaming to a section's slug", nil, "feed rename taken section-news", 1, []string{`"section-news"`, "come with the articles"}},
	{"renaming all", nil, "feed rename all everything", 1, []string{`"all" comes with the articles and cannot be renamed`}},
	{"renaming a section's feed", nil, "feed rename section-events events", 1, []string{`"section-events" comes with the articles`}},
	{"renaming a removed feed", nil, "feed rename removed back", 1, []string{`"removed" was removed`}},
	{"renaming to nothing", nil, "feed rename taken", 2, []string{"<new>", "silkpost feed rename --help"}},
	{"removing an unknown feed", nil, "feed remove robotic", 1, []string{`no feed "robotic"`}},
	{"removing all", nil, "feed remove all", 1, []string{`"all" comes with the articles and cannot be removed`}},
	{"removing a language's feed", nil, "feed remove lang-en", 1, []string{`"lang-en" comes with the articles`}},
	{"removing twice", nil, "feed remove removed", 1, []string{`"removed" was removed`}},
	{"rendering a removed feed", nil, "feed render removed", 1, []string{`"removed" was removed`}},
	{"a private feed of nobody", nil, "feed private Nobody --list partners", 1, []string{`no organisation "Nobody"`}},
	{"a private feed of no text", nil, "feed private \xff --list partners", 1, []string{"no organisation"}},
	{"a private feed of no list", nil, "feed private Museum --list partner", 1, []string{`"partner"`, "the lists are: partners"}},
	{"a private feed without a list", nil, "feed private Museum", 2, []string{"--list", "silkpost feed private --help"}},
	{"revoking an unknown feed", nil, "feed revoke 99", 1, []string{"no private feed 99", "silkpost feed list --private"}},
	{"revoking an id that is none", nil, "feed revoke all", 2, []string{`"all" is not the id of a private feed`}},
	{"checking an unknown feed", nil, "feed validate all robotic", 1, []string{`no feed "robotic"`}},
	{"checking a removed feed", nil, "feed validate removed", 1, []string{`"removed" was removed`}},
	{"checking nothing", nil, "feed validate", 2, []string{"--all", "--file PATH"}},
	{"checking all and one", nil, "feed validate fresh --all", 2, []string{"--all", "--file PATH"}},
	{"checking in an unknown format", nil, "feed validate all --format opml", 2, []string{`"opml"`, "rss, atom or json"}},
	{"checking no file", nil, "feed validate --file nowhere.xml", 1, []string{"nowhere.xml", "no such file"}},
	{"checking a folder", nil, "feed validate --file folder", 1, []string{"folder"}},
	{"checking an article", nil, "feed validate --file good.md", 1, []string{"good.md", "neither RSS, Atom nor JSON Feed"}},
	{"withdrawing an unknown article", nil, "article withdraw robots", 1, []string{`article "robots"`, "slug, GUID or address"}},
	{"withdrawing no text", nil, "article withdraw \xff", 1, []string{"slug, GUID or address"}},
	{"withdrawing nothing", nil, "article withdraw", 2, []string{"<ref>", "silkpost article withdraw --help"}},
	{"restoring an unknown article", nil, "article restore robots", 1, []string{`article "robots"`, "slug, GUID or address"}},
	{"a file that takes another feed's slug", nil, "apply slugs.toml", 1, []string{"slugs.toml", `feed "fresh"`, `"taken" is taken by another feed`}},

	{"a database that is not there", settings{"DATABASE_URL": "postgres://user:hidden@127.0.0.1:1/silkpost"}, "status", 1, []string{"127.0.0.1:1/silkpost", "is Postgres running there"}},
	{"a database URL with a typo", settings{"DATABASE_URL": "postgre://127.0.0.1/silkpost"}, "status", 1, []string{"postgres://", `"postgre:"`}},
	{"an SMTP URL with a typo", settings{"SMTP_URL": "smpt://user:hidden@mail.example.org"}, "digest send --list partners", 1, []string{"SILKPOST_SMTP_URL", `"smpt"`, "smtp://"}},
	{"a slash in the SMTP password", settings{"SMTP_URL": "smtp://user:hid/den-hidden@mail.example.org"}, "serve", 1, []string{"SILKPOST_SMTP_URL", "%2F for /"}},
	{"a number and a slash in the SMTP password", settings{"SMTP_URL": "smtp://user:12/hidden@mail.example.org"}, "serve", 1, []string{"SILKPOST_SMTP_URL", "%XX"}},
	{"an SMTP port that is none", settings{"SMTP_URL": "smtp://user:hidden@mail.example.org:99999"}, "serve", 1, []string{"SILKPOST_SMTP_URL", `"99999"`}},
	{"an SMTP option with a typo", settings{"SMTP_URL": "smtp://mail.example.org?tsl=none"}, "serve", 1, []string{"SILKPOST_SMTP_URL", `"tsl"`}},
	{"a public URL without its scheme", settings{"PUBLIC_URL": "news.example.org"}, "serve", 1, []string{`"news.example.org"`, "https://"}},
	{"a secret that is none", settings{"SECRET_KEY": "hidden"}, "serve", 1, []string{"secret_key", "6 characters", "16"}},
	{"a secret with commas", settings{"SECRET_KEY": "hid,den-hidden-hidden"}, "serve", 1, []string{"key 1 of 2", "commas and spaces part keys"}},
	{"serving without a public URL", settings{"PUBLIC_URL": ""}, "serve", 1, []string{"SILKPOST_PUBLIC_URL"}},
	{"serving without a relay", settings{"SMTP_URL": ""}, "serve", 1, []string{"SILKPOST_SMTP_URL"}},
	{"serving nothing", nil, "serve --web=false --worker=false", 2, []string{"--web=false", "--worker=false"}},
	{"serving at no address", nil, "serve --listen 8080", 1, []string{`"8080"`, "127.0.0.1:8080"}},
	{"an unknown setting", nil, "--config settings.toml status", 1, []string{"settings.toml", `"lisen"`}},
	{"no settings file", nil, "--config nowhere.toml status", 1, []string{"nowhere.toml"}},
	{"a log level that is none", nil, "--log-level loud status", 1, []string{`"loud"`, "debug"}},

	{"catching by an unknown verb", nil, "catch --script script.toml", 1, []string{"script.toml", `"BOUNCE"`}},
	{"catching by no script", nil, "catch --script nowhere.toml", 1, []string{"nowhere.toml"}},
	{"catching at no address", nil, "catch --listen 1025", 1, []string{`"1025"`, "host:port"}},

	{"nothing said", nil, "", 2, []string{"silkpost --help"}},
	{"an unknown command", nil, "sent", 2, []string{"sent", "silkpost --help"}},
	{"half a command", nil, "digest", 2, []string{"plan", "send", "silkpost digest --help"}},
	{"an unknown flag", nil, "status --jsn", 2, []string{"--jsn", "silkpost status --help"}},
	{"a word too many", nil, "version please", 2, []string{"please"}},
}

// Each mistake gets one line that names the thing, a status that tells what kind of mistake it is, and leaves nothing half done.
func TestBadInput(t *testing.T) {
	t.Parallel()
	url := testkit.FreshURL(t)
	dir := t.TempDir()
	for name, content := range badFiles {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	stock(t, settings{"DATABASE_URL": url})
	before := everything(t, url)
	t.Run("inputs", func(t *testing.T) {
		for _, bad := range badInputs {
			t.Run(bad.name, func(t *testing.T) {
				t.Parallel()
				with := settings{
					"DATABASE_URL": url, "SECRET_KEY": "a-key-of-the-tests-alone", "PUBLIC_URL": "https://news.example.org",
					"SMTP_URL": "smtp://127.0.0.1:1?tls=none", "LISTEN": "127.0.0.1:0",
				}
				maps.Copy(with, bad.with)
				cmd := command(t.Context(), t, with, strings.Fields(bad.args)...)
				cmd.Dir = dir
				r := finish(t, cmd)
				r.told(t, "silkpost "+bad.args, bad.status, bad.words...)
				if strings.Contains(r.stderr, "hidden") {
					t.Errorf("a password is shown: %q", r.stderr)
				}
				if strings.Contains(bad.args, "--json") && r.stdout != "" {
					t.Errorf("a failure prints %q where JSON is awaited", r.stdout)
				}
			})
		}
	})
	if diff := cmp.Diff(before, everything(t, url)); diff != "" {
		t.Errorf("something is half written (-before +after):\n%s", diff)
	}
}

// stock makes what some of the mistakes are about: feeds that were renamed and removed, an article and an organisation.
func stock(t *testing.T, with settings) {
	t.Helper()
	good(t, with, "apply", file(t, "feeds.toml", "[[feed]]\nslug = \"stale\"\n[[feed]]\nslug = \"taken\"\n[[feed]]\nslug = \"removed\"\n"))
	good(t, with, "feed", "rename", "stale", "fresh")
	good(t, with, "feed", "remove", "removed")
	good(t, with, "import", "articles", file(t, "relay.md", article))
	good(t, with, "import", "contacts", file(t, "museum.csv", "email,organisation\nclara@museum.example,Museum\n"), "--list", "partners")
}

// everything returns the content of every table that people's input goes to.
func everything(t *testing.T, url string) map[string]string {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var tables []string
	if err := db.Select(&tables, `
		SELECT schemaname || '.' || tablename FROM pg_tables
		WHERE schemaname IN ('articles', 'feeds', 'subscribers', 'mailer') AND tablename !~ '_[0-9]{4}_[0-9]{2}$'`); err != nil {
		t.Fatal(err)
	}
	content := map[string]string{}
	for _, table := range tables {
		var rows string
		if err := db.Get(&rows, "SELECT coalesce(string_agg(t::text, E'\n' ORDER BY t::text), '') FROM "+table+" t"); err != nil {
			t.Fatal(err)
		}
		content[table] = rows
	}
	return content
}

// All refused rows are listed at once, so that a file need not be mended one run at a time; with --keep-going the rest goes in.
func TestRefusedRowsAreListed(t *testing.T) {
	t.Parallel()
	with := settings{"DATABASE_URL": testkit.FreshURL(t)}
	path := file(t, "three.csv", badFiles["three.csv"])
	run := func(flags ...string) result {
		return silkpost(t, with, append([]string{"import", "contacts", path, "--list", "partners", "--consent", "They asked"}, flags...)...)
	}
	for _, tt := range []struct {
		flags []string
		words string
		rest  string
	}{
		{nil, "nothing imported", ""},
		{[]string{"--keep-going", "--dry-run"}, "3 rows refused", "1 contact imported, 0 changed, 0 unchanged, 3 refused. Nothing was changed"},
		{[]string{"--keep-going"}, "the rest was imported", "1 contact imported, 0 changed, 0 unchanged, 3 refused."},
		{[]string{"--keep-going"}, "the rest was imported", "0 contacts imported, 0 changed, 1 unchanged, 3 refused."},
	} {
		r := run(tt.flags...)
		r.told(t, strings.Join(tt.flags, " "), 1, tt.words)
		if strings.Count(r.stdout, "refused: row ") != 4 || // the last row has two mistakes
			!strings.Contains(r.stdout, tt.rest) {
			t.Errorf("%v: %q", tt.flags, r.stdout)
		}
	}
}

// Who was imported without a statement of consent gets no mail; the result says so until there is one.
func TestImportSaysWhoStaysPending(t *testing.T) {
	t.Parallel()
	with := settings{"DATABASE_URL": testkit.FreshURL(t)}
	path := file(t, "good.csv", badFiles["good.csv"])
	const pending = "; 1 pending: no consent was given (--consent)."
	for _, tt := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--dry-run"}, "file: utf-8, columns parted by commas: email is email\nadded: row 2, anna@museum.example\n1 contact imported, 0 changed, 0 unchanged, 0 refused" + pending + " Nothing was changed: this was a dry run.\n"},
		{nil, "1 contact imported, 0 changed, 0 unchanged, 0 refused" + pending + "\n"},
		{[]string{"--consent", " "}, "0 contacts imported, 0 changed, 1 unchanged, 0 refused" + pending + "\n"},
		{[]string{"--consent", "They asked"}, "0 contacts imported, 1 changed, 0 unchanged, 0 refused.\n"},
		{nil, "0 contacts imported, 0 changed, 1 unchanged, 0 refused.\n"},
	} {
		if got := good(t, with, append([]string{"import", "contacts", path, "--list", "partners"}, tt.flags...)...); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.flags, got, tt.want)
		}
	}
}

// A data directory that belongs to somebody else is named, and so is a file that may not be read.
func TestWithoutPermission(t *testing.T) {
	t.Parallel()
	home := testkit.Dir(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(home, "silkpost") // where an account without rights can reach it
	// Copied by another process: were it open for writing here, a process that another test starts just then would keep it busy.
	if out, err := exec.Command("cp", self, program).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	locked, secret := filepath.Join(home, "locked"), filepath.Join(home, "secret.csv")
	if err := os.Mkdir(locked, 0o500); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secret, []byte("email\n"), 0); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		word string
	}{
		{"status --data-dir " + locked, locked},
		{"demo --once --data-dir " + locked, locked},
		{"demo --once --data-dir " + filepath.Join(locked, "deeper", "still"), locked},
		{"import contacts " + secret + " --list partners", secret},
		{"status --data-dir " + secret, secret},
	} {
		cmd := command(t.Context(), t, nil, strings.Fields(tt.args)...)
		cmd.Path, cmd.Dir = program, "/"
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		finish(t, cmd).told(t, tt.args, 1, tt.word)
	}
	if left, err := os.ReadDir(locked); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"--help", "-h", "demo --help", "serve --help", "import contacts --help", "digest send --help", "edition --help", "feed --help", "article --help"} {
		printed := good(t, nil, strings.Fields(args)...)
		if !strings.HasPrefix(printed, "Usage: silkpost") {
			t.Errorf("%s prints %q", args, printed)
		}
	}
	all := good(t, nil, "--help")
	for _, command := range []string{"demo", "serve", "apply", "import", "digest", "edition", "deliveries", "feed", "article", "contact", "suppress", "export", "organisation", "audience", "catch", "status", "config", "migrate", "version"} {
		if !strings.Contains(all, "\n  "+command+" ") {
			t.Errorf("--help does not tell of %s", command)
		}
	}
	if printed := good(t, nil, "version"); !strings.HasPrefix(printed, "silkpost ") {
		t.Errorf("version prints %q", printed)
	}
}

// What config prints can be read back, and tells no secret.
func TestConfigHidesSecrets(t *testing.T) {
	t.Parallel()
	with := settings{
		"SECRET_KEY": "hush-hush-hush-hush", "SMTP_URL": "smtp://user:hush@mail.example.org", "DATABASE_URL": "postgres://user:hush@db.example.org/x",
		"LISTEN": "127.0.0.1:4000", "PUBLIC_URL": "https://news.example.org/",
	}
	printed := good(t, with, "config", "--log-level", "debug")
	for _, want := range []string{`"127.0.0.1:4000"`, `"https://news.example.org"`, `"debug"`, `"(hidden)"`} {
		if !strings.Contains(printed, want) {
			t.Errorf("config lacks %s:\n%s", want, printed)
		}
	}
	if strings.Contains(printed, "hush") {
		t.Errorf("config shows a secret:\n%s", printed)
	}
}

// A typo in the name of a setting is seen, and ends nothing.
func TestUnknownVariables(t *testing.T) {
	t.Parallel()
	r := silkpost(t, settings{"PUBLIK_URL": "https://hidden.example.org", "CONFIG": file(t, "silkpost.toml", "")}, "config")
	if r.status != 0 || strings.Count(r.stderr, "\n") != 1 || strings.Contains(r.stderr, "hidden") {
		t.Errorf("status %d, %q", r.status, r.stderr)
	}
	for _, want := range []string{"level=WARN", "unknown=SILKPOST_PUBLIK_URL", "SILKPOST_PUBLIC_URL, "} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("%q lacks %q", r.stderr, want)
		}
	}
}
