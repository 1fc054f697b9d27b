package main

import (
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/config"
	"silkpost/internal/testkit"
)

// shape returns JSON with every value replaced by its kind, and of each array its first element: the keys that others rely on.
func shape(value any) any {
	switch v := value.(type) {
	case map[string]any:
		kinds := map[string]any{}
		for key, inner := range v {
			kinds[key] = shape(inner)
		}
		return kinds
	case []any:
		if len(v) == 0 {
			return []any{}
		}
		return []any{shape(v[0])}
	case float64:
		return "number"
	case bool:
		return "bool"
	}
	return "text"
}

var (
	tallyShape  = map[string]any{"imported": "number", "unchanged": "number", "refused": "number"}
	countsShape = map[string]any{
		"recipients": "number", "pending": "number", "in_flight": "number", "deferred": "number", "sent": "number", "failed": "number",
		"suppressed": "number", "cancelled": "number", "in_doubt": "number",
	}
	editionShape = map[string]any{
		"id": "text", "list": "text", "rhythm": "text", "state": "text", "reason": "text", "articles": "number", "variants": "number",
		"recipients": "number",
	}
	summaryShape = map[string]any{
		"ok": "bool", "articles": tallyShape, "contacts": tallyShape,
		"feeds": []any{map[string]any{
			"slug": "text", "items": "number", "urls": map[string]any{"rss": "text", "atom": "text", "json": "text"},
		}},
		"editions": []any{editionShape}, "deliveries": countsShape, "mail_dir": "text",
		"steps": []any{map[string]any{"name": "text", "ms": "number"}},
	}
)

// summary is what the tests read of demo --once.
type summary struct {
	OK                 bool
	Articles, Contacts struct{ Imported, Unchanged, Refused int }
	Feeds              []struct {
		Slug  string
		Items int
	}
	Editions   []struct{ State, Reason, Rhythm string }
	Deliveries map[string]int
	MailDir    string `json:"mail_dir"`
	Steps      []struct{ Name string }
}

// addsUp wants recipients to be the sum of the eight states.
func addsUp(t *testing.T, deliveries map[string]int) {
	t.Helper()
	sum := 0
	for state, n := range deliveries {
		if state != "recipients" {
			sum += n
		}
	}
	if len(deliveries) != 9 || sum != deliveries["recipients"] {
		t.Errorf("eight states do not add up to the recipients: %v", deliveries)
	}
}

func TestDemoOnceTwice(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(testkit.Dir(t), "data") // made by the program
	with := settings{"DATA_DIR": dir}
	printed := good(t, with, "demo", "--once")
	if diff := cmp.Diff(any(summaryShape), shape(decode[any](t, printed))); diff != "" {
		t.Errorf("the shape of the summary (-want +got):\n%s", diff)
	}
	first := decode[summary](t, printed)
	addsUp(t, first.Deliveries)
	sent := first.Deliveries["sent"]
	if !first.OK || first.Articles.Imported < 6 || first.Contacts.Imported < 12 || sent == 0 || sent != first.Deliveries["recipients"] {
		t.Errorf("the first run: %+v", first)
	}
	if caught := mails(t, first.MailDir); caught != sent {
		t.Errorf("%d messages in %s, %d are sent", caught, first.MailDir, sent)
	}
	slugs := map[string]bool{}
	for _, feed := range first.Feeds {
		slugs[feed.Slug] = feed.Items > 0
	}
	for _, slug := range []string{"all", "section-news", "lang-en", "lang-zh-Hans", "lang-ar", "lang-it"} {
		if !slugs[slug] {
			t.Errorf("no feed %s with items among %v", slug, slices.Sorted(maps.Keys(slugs)))
		}
	}
	noServerLeft(t, dir)

	printed = good(t, with, "demo", "--once")
	if diff := cmp.Diff(any(summaryShape), shape(decode[any](t, printed))); diff != "" {
		t.Errorf("the shape of the second summary (-want +got):\n%s", diff)
	}
	second := decode[summary](t, printed)
	addsUp(t, second.Deliveries)
	if !second.OK || second.Articles.Imported+second.Contacts.Imported+second.Deliveries["recipients"] != 0 ||
		second.Articles.Unchanged != first.Articles.Imported || second.Contacts.Unchanged != first.Contacts.Imported {
		t.Errorf("the second run: %+v", second)
	}
	for _, e := range second.Editions {
		if e.State != "skipped" || e.Reason != "nothing new" {
			t.Errorf("the second run's edition %+v", e)
		}
	}
	if caught := mails(t, first.MailDir); caught != sent {
		t.Errorf("%d messages after the second run, %d after the first", caught, sent)
	}
	noServerLeft(t, dir)
}

func mails(t *testing.T, dir string) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

// newestMail returns the id of the message that the catcher took last.
func newestMail(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil || len(found) < 2 {
		t.Fatal(found, err)
	}
	return strings.TrimSuffix(filepath.Base(slices.Max(found)), ".eml")
}

var anyURL = regexp.MustCompile(`http://[^\s]+`)

// The demo stays, what it prints leads somewhere, every verb works beside it, a second one does not, and a signal ends it well.
func TestDemoStays(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	with := settings{"DATA_DIR": dir, "LISTEN": freePort(t)}
	sent := unsubscribeLinks(t, decode[summary](t, good(t, with, "demo", "--once")).MailDir)
	demo := start(t, with, "demo")
	printed := demo.await(t, &demo.stdout, "Running.")
	if demo.stderr.String() != "" {
		t.Errorf("beside the addresses it says %q", demo.stderr.String())
	}
	urls := anyURL.FindAllString(printed, -1)
	if len(urls) < 3 {
		t.Errorf("printed:\n%s", printed)
	}
	if len(sent) < 12 {
		t.Errorf("only %v lead to unsubscribing", sent)
	}
	for _, url := range append(append(urls, sent...), "http://"+with["LISTEN"]+"/healthz", "http://"+with["LISTEN"]+"/readyz") {
		if status, _ := get(t, url); status != 200 {
			t.Errorf("%s: %d", url, status)
		}
	}
	if newest := newestMail(t, filepath.Join(dir, "mail")); !strings.Contains(printed, mailPath+"/"+newest+"\n") {
		t.Errorf("the newest mail is %s; printed:\n%s", newest, printed)
	}
	for _, name := range []string{"sample/partners.csv", "sample/silkpost.toml", "sample/articles"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	checkBeside(t, with)
	silkpost(t, with, "demo").told(t, "a second demo", 1, "in use by another silkpost", dir)
	silkpost(t, with, "demo", "--once").told(t, "a second demo", 1, dir)

	demo.signal(t, syscall.SIGTERM)
	if status := demo.wait(t); status != 0 {
		t.Errorf("after SIGTERM the status is %d: %s", status, demo.stderr.String())
	}
	if demo.stderr.String() != "" {
		t.Errorf("while stopping it says %q", demo.stderr.String())
	}
	noServerLeft(t, dir)
}

// unsubscribeLinks returns the links of caught mails, made by a process that is gone: they go on working.
func unsubscribeLinks(t *testing.T, dir string) (links []string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		links = append(links, regexp.MustCompile(`(?m)^List-Unsubscribe: <(.*)>\r$`).FindStringSubmatch(string(raw))[1])
	}
	return links
}

// checkBeside runs verbs beside a running demo.
func checkBeside(t *testing.T, with settings) {
	t.Helper()
	status := decode[struct {
		Editions []struct {
			ID         string
			Recipients int
			Deliveries map[string]int
		}
		Deliveries map[string]int
		Workers    int
		Sources    []struct{ Slug, Kind string }
		Database   string
	}](t, good(t, with, "status", "--json"))
	addsUp(t, status.Deliveries)
	if status.Workers != 1 || len(status.Editions) == 0 {
		t.Errorf("status beside the demo: %+v", status)
	}
	if len(status.Sources) != 1 || status.Sources[0].Slug != "files" || !strings.HasPrefix(status.Database, "postgres://silkpost@/silkpost?host=%2F") {
		t.Errorf("sources and database beside the demo: %+v", status)
	}
	if printed := good(t, with, "status"); !strings.HasSuffix(printed, "\nThe database is at "+status.Database+"\n") { // a folder is not polled
		t.Errorf("status prints %s", printed)
	}
	for _, e := range status.Editions {
		addsUp(t, e.Deliveries)
		lines := decode[[]struct {
			Address, State string
			MessageID      string `json:"message_id"`
			Articles       []string
			Attempts       int
		}](t, good(t, with, "deliveries", "--edition", e.ID, "--json"))
		if len(lines) != e.Recipients || e.Deliveries["recipients"] != e.Recipients {
			t.Errorf("edition %+v has %d deliveries", e, len(lines))
		}
		for _, d := range lines {
			if d.State != "sent" || d.Attempts != 1 || len(d.Articles) == 0 || !strings.HasSuffix(d.MessageID, "@example.org>") {
				t.Errorf("delivery %+v", d)
			}
		}
		if shown := decode[map[string]any](t, good(t, with, "edition", "show", e.ID, "--json")); shown["id"] != e.ID {
			t.Errorf("edition show %s: %v", e.ID, shown)
		}
	}
	for _, slug := range []string{"all", "robotics", "section-events", "lang-zh-Hans"} {
		for _, format := range []string{"rss", "atom", "json"} {
			printed := good(t, with, "feed", "render", slug, "--format", format)
			if _, served := get(t, "http://"+with["LISTEN"]+"/feeds/"+slug+"."+format); served != printed {
				t.Errorf("%s.%s (-served +printed):\n%s", slug, format, cmp.Diff(served, printed))
			}
		}
	}
	plan := decode[struct{ Editions []map[string]any }](t, good(t, with, "digest", "plan", "--list", "partners", "--json"))
	if len(plan.Editions) != 4 {
		t.Errorf("digest plan: %v", plan)
	}
	for _, verb := range []string{"status", "edition list", "digest plan --list partners", "config", "version", "migrate"} {
		if printed := good(t, with, strings.Fields(verb)...); strings.TrimSpace(printed) == "" {
			t.Errorf("%s prints nothing", verb)
		}
	}
}

// The usual address may be taken by something else; a demo then takes any other. One that was asked for is another matter.
func TestDemoOnATakenAddress(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	usual := config.Defaults().Listen
	if taken, err := net.Listen("tcp", usual); err == nil { // else it is taken as it should be
		defer taken.Close()
	}
	silkpost(t, settings{"DATA_DIR": dir}, "demo", "--listen", usual+"0").told(t, "an address that cannot be", 1, usual+"0", "--listen")
	demo := start(t, settings{"DATA_DIR": dir}, "demo")
	for _, url := range anyURL.FindAllString(demo.await(t, &demo.stdout, "Running."), -1) {
		if status, _ := get(t, url); status != 200 || strings.HasPrefix(url, "http://"+usual+"/") {
			t.Errorf("%s: %d", url, status)
		}
	}
	demo.signal(t, syscall.SIGINT)
	if status := demo.wait(t); status != 0 {
		t.Errorf("after SIGINT the status is %d: %s", status, demo.stderr.String())
	}
	noServerLeft(t, dir)
}
