package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/database"
	"silkpost/internal/testkit"
)

const feedDeclaration = `
[[feed]]
slug = "robotics"
title = { en = "Robotics" }
select = { tags = ["robotics"] }
`

// published is a new database with three articles, a feed and an organisation.
func published(t *testing.T) settings {
	t.Helper()
	with := settings{"DATABASE_URL": testkit.FreshURL(t), "PUBLIC_URL": "https://news.example.org"}
	dir := t.TempDir()
	for id, language := range map[string]string{"relay": "en", "staffetta": "it", "seats": "en"} {
		content := fmt.Sprintf("---\nid: %s\ntitle: About %[1]s\nlanguage: %s\nsection: Events\ntags: [robotics]\ndate: 2026-05-18\n---\n\nForty-one teams met.\n", id, language)
		if err := os.WriteFile(dir+"/"+id+".md", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good(t, with, "apply", file(t, "feeds.toml", feedDeclaration))
	good(t, with, "import", "articles", dir)
	good(t, with, "import", "contacts", file(t, "partners.csv", "email,organisation,languages\nanna@elbe.example,Elbmuseum der Technik,it\n"), "--list", "partners", "--consent", "They asked")
	return with
}

// columns returns a table's rows without their blanks.
func columns(printed string) (rows []string) {
	for line := range strings.Lines(printed) {
		rows = append(rows, strings.Join(regexp.MustCompile(`\s{2,}`).Split(strings.TrimSpace(line), -1), "|"))
	}
	return rows
}

func TestFeedList(t *testing.T) {
	t.Parallel()
	with := published(t)
	want := []string{
		"feed|kind|articles|items|title",
		"all|declared|3|3|All articles",
		"robotics|declared|3|3|Robotics",
		"section-events|section|3|3|Events",
		"lang-en|language|2|2|English",
		"lang-it|language|1|1|italiano",
		"tag-robotics|tag|3|3|robotics",
		"source-files|source|3|3|files",
	}
	if diff := cmp.Diff(want, columns(good(t, with, "feed", "list"))); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
	type listed struct {
		Slug, Kind, Title string
		Articles, Items   int
		URLs              map[string]string
	}
	all := decode[struct{ Feeds []listed }](t, good(t, with, "feed", "list", "--json")).Feeds
	robotics := listed{"robotics", "declared", "Robotics", 3, 3, map[string]string{
		"rss": "https://news.example.org/feeds/robotics.rss", "atom": "https://news.example.org/feeds/robotics.atom", "json": "https://news.example.org/feeds/robotics.json",
	}}
	if len(all) != 7 || cmp.Diff(robotics, all[1]) != "" {
		t.Errorf("listed as JSON: %+v", all)
	}
}

func TestFeedRenameAndRemove(t *testing.T) {
	t.Parallel()
	with := published(t)
	printed := good(t, with, "feed", "rename", "robotics", "robots")
	for _, want := range []string{"called robots", `slug = "robots" and old_slugs = ["robotics"]`} {
		if !strings.Contains(printed, want) {
			t.Errorf("renaming prints %q, without %q", printed, want)
		}
	}
	for _, slug := range []string{"robots", "robotics"} {
		if body := good(t, with, "feed", "render", slug); !strings.Contains(body, "https://news.example.org/feeds/robots.rss") {
			t.Errorf("%s renders\n%s", slug, body)
		}
	}
	// The file that it advises changes nothing more.
	declaration := strings.Replace(feedDeclaration, `slug = "robotics"`, "slug = \"robots\"\nold_slugs = [\"robotics\"]", 1)
	if got := columns(good(t, with, "apply", file(t, "feeds.toml", declaration))); !slices.Equal(got, []string{"feed|robots|unchanged"}) {
		t.Errorf("applied %q", got)
	}
	if printed := good(t, with, "feed", "remove", "robotics"); !strings.Contains(printed, "The feed robots is removed") {
		t.Errorf("removing prints %q", printed)
	}
	for _, slug := range []string{"robots", "robotics"} {
		silkpost(t, with, "feed", "render", slug).told(t, slug, 1, `the feed "`+slug+`" was removed`)
	}
	if listed := good(t, with, "feed", "list"); strings.Contains(listed, "robots") {
		t.Errorf("it is still listed:\n%s", listed)
	}
	if got := columns(good(t, with, "apply", file(t, "feeds.toml", declaration))); !slices.Equal(got, []string{"feed|robots|changed"}) {
		t.Errorf("applied again %q", got)
	}
	good(t, with, "feed", "render", "robotics")
}

func TestPrivateFeedVerbs(t *testing.T) {
	t.Parallel()
	with := published(t)
	if printed := good(t, with, "feed", "list", "--private"); !strings.HasPrefix(printed, "No private feeds yet.") {
		t.Errorf("without any: %q", printed)
	}
	if printed := good(t, with, "feed", "list", "--private", "--json"); strings.Join(strings.Fields(printed), "") != `{"private":[]}` {
		t.Errorf("without any, as JSON: %q", printed)
	}
	printed := good(t, with, "feed", "private", "elbmuseum  der technik", "--list", "partners")
	lines := strings.Split(printed, "\n")
	address := regexp.MustCompile(`^https://news\.example\.org/feeds/p/([A-Z2-7]{26})\.(rss|atom|json)$`)
	token := ""
	for i, format := range []string{"rss", "atom", "json"} {
		found := address.FindStringSubmatch(lines[i])
		if found == nil || found[2] != format || i > 0 && found[1] != token {
			t.Fatalf("line %d is %q", i+1, lines[i])
		}
		token = found[1]
	}
	for _, want := range []string{"Private feed 1 holds what the list partners sends Elbmuseum der Technik.", "cannot be shown again", "silkpost feed revoke 1"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q lacks %q", printed, want)
		}
	}

	serve := start(t, settings{
		"DATABASE_URL": with["DATABASE_URL"], "PUBLIC_URL": with["PUBLIC_URL"], "SECRET_KEY": "a-key-of-the-tests-alone", "LISTEN": "127.0.0.1:0", "LOG_LEVEL": "debug",
	}, "serve", "--worker=false")
	host := "http://" + regexp.MustCompile(`listen=(\S+)`).FindStringSubmatch(serve.await(t, &serve.stderr, "silkpost is running"))[1]
	path := strings.TrimPrefix(lines[2], with["PUBLIC_URL"])
	if status, body := get(t, host+path); status != 200 || !strings.Contains(body, `"title":"News for our partners · Elbmuseum der Technik"`) || strings.Count(body, `"date_published"`) != 3 {
		t.Errorf("it answers %d %s", status, body)
	}
	if revoked := good(t, with, "feed", "revoke", "1"); !strings.Contains(revoked, "Private feed 1, of Elbmuseum der Technik and the list partners, is revoked") {
		t.Errorf("revoking prints %q", revoked)
	}
	if status, _ := get(t, host+path); status != 410 {
		t.Errorf("revoked, it answers %d", status)
	}
	if log := serve.stderr.String(); strings.Contains(log, token) || !strings.Contains(log, "/feeds/p/{file}") {
		t.Errorf("logged:\n%s", log)
	}

	rows := columns(good(t, with, "feed", "list", "--private"))
	if len(rows) != 2 || !regexp.MustCompile(`^1\|Elbmuseum der Technik\|partners\|\d{4}-\d\d-\d\d \d\d:\d\d UTC\|\d{4}-\d\d-\d\d \d\d:\d\d UTC$`).MatchString(rows[1]) {
		t.Errorf("listed %q", rows)
	}
	shown := decode[any](t, good(t, with, "feed", "list", "--private", "--json"))
	want := map[string]any{"private": []any{map[string]any{"id": "number", "organisation": "text", "list": "text", "created_at": "text", "revoked_at": "text"}}}
	if diff := cmp.Diff(any(want), shape(shown)); diff != "" {
		t.Errorf("as JSON (-want +got):\n%s", diff)
	}
}

// Findings stand one to a line, as compilers print theirs; errors are a failure.
func TestFeedValidate(t *testing.T) {
	t.Parallel()
	with := published(t)
	good(t, with, "apply", file(t, "small.toml", "[[feed]]\nslug = \"robotics\"\nlimit = 1\n"))
	if printed := good(t, with, "feed", "validate", "robotics", "--format", "atom"); printed != "3 documents checked: 0 errors, 0 warnings.\n" {
		t.Errorf("a feed with its archive: %q", printed)
	}
	if printed := good(t, with, "feed", "validate", "--all"); printed != "27 documents checked: 0 errors, 0 warnings.\n" {
		t.Errorf("all feeds: %q", printed)
	}

	db, err := database.Open(t.Context(), with["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.MustExec(`INSERT INTO feeds.hubs VALUES ('hub', 0)`)
	r := silkpost(t, with, "feed", "validate", "all", "--format", "json")
	r.told(t, "a hub without an address", 1, "1 error, as listed above")
	want := `^all\.json:1: error: hubs\[1\]/url: url "hub" is relative: .+ \(JSON Feed 1\.1, [^)]+\)\n1 document checked: 1 error, 0 warnings\.\n$`
	if !regexp.MustCompile(want).MatchString(r.stdout) {
		t.Errorf("printed %q", r.stdout)
	}
}

func TestFeedValidateFile(t *testing.T) {
	t.Parallel()
	none := settings{"DATABASE_URL": "postgres://127.0.0.1:1/none"} // nothing is asked of it
	for _, tt := range []struct {
		name, content, format, want string
		status                      int
	}{
		{"good.json", `{"version":"https://jsonfeed.org/version/1.1","title":"A","items":[]}`, "", "0 errors", 0},
		{"bad.json", "\n{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[]}", "", "bad.json:2: error: ", 1},
		{"bad.xml", "<rss version=\"2.0\">\n</rss>\n", "", "bad.xml:1: error: ", 1},
		{"other.xml", "<rss version=\"2.0\"/>\n", "atom", "other.xml:1: error: document: this is a document of RSS, not of Atom", 1},
		{"torn.xml", "no feed at all", "rss", "torn.xml:1: error: ", 1},
		{"empty.json", "", "json", "empty.json:1: error: ", 1},
	} {
		path := file(t, tt.name, tt.content)
		for _, given := range []string{path, "-"} {
			args := []string{"feed", "validate", "--file", given}
			if tt.format != "" {
				args = append(args, "--format", tt.format)
			}
			cmd := command(t.Context(), t, none, args...)
			if given == "-" {
				cmd.Stdin = strings.NewReader(tt.content)
			}
			checkFileResult(t, cmd, tt.status, strings.Replace(tt.want, tt.name, given, 1))
		}
	}
	silkpost(t, none, "feed", "validate", "--file", file(t, "page.html", "<html></html>")).told(t, "a page", 1, "page.html", "neither RSS, Atom nor JSON Feed", "--format")
}

func checkFileResult(t *testing.T, cmd *exec.Cmd, status int, want string) {
	t.Helper()
	r := finish(t, cmd)
	if r.status != status || !strings.Contains(r.stdout, want) || !strings.Contains(r.stdout, "1 document checked: ") {
		t.Errorf("%v: status %d, want %d, printed %q and %q, want %q", cmd.Args[1:], r.status, status, r.stdout, r.stderr, want)
	}
	if status > 0 {
		r.told(t, want, status, "as listed above")
	}
}

func TestArticleVerbs(t *testing.T) {
	t.Parallel()
	with := published(t)
	for _, step := range []struct {
		args  string
		words []string
		items int // of the feed of all articles afterwards
	}{
		{"withdraw about-relay", []string{`"About relay" is withdrawn.`, "leaves every feed at once", "what was mailed stays mailed", "silkpost article restore about-relay"}, 2},
		{"withdraw about-relay", []string{`"About relay" was withdrawn before, at 20`, "Nothing was changed."}, 2},
		{"restore about-relay", []string{`"About relay" is published again`, "No digest brings it to anybody a second time."}, 3},
		{"restore about-relay", []string{`"About relay" was not withdrawn. Nothing was changed.`}, 3},
	} {
		printed := good(t, with, append([]string{"article"}, strings.Fields(step.args)...)...)
		for _, want := range step.words {
			if !strings.Contains(printed, want) {
				t.Errorf("%s prints %q, without %q", step.args, printed, want)
			}
		}
		if body := good(t, with, "feed", "render", "all", "--format", "json"); strings.Count(body, `"date_published"`) != step.items {
			t.Errorf("after %s:\n%s", step.args, body)
		}
	}
	guid := regexp.MustCompile(`"id":"(urn:uuid:[0-9a-f-]+)","url":"[^"]+about-seats"`).FindStringSubmatch(good(t, with, "feed", "render", "all", "--format", "json"))[1]
	if printed := good(t, with, "article", "withdraw", guid); !strings.Contains(printed, `"About seats" is withdrawn.`) {
		t.Errorf("by its GUID: %q", printed)
	}
}
