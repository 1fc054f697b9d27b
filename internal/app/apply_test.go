package app_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/subscribers"
)

const declaration = list + `
[[source]]
slug = "site"
kind = "feed"
url = "https://www.example.org/feed.xml"
section = "News"
language = "en"
every = "30m"

[[feed]]
slug = "robotics"
title = { en = "Robotics", zh-Hans = "机器人" }
select = { tags = ["robotics"], sources = ["site"] }
content = "summary"
limit = 10
`

func TestApply(t *testing.T) {
	t.Parallel()
	h := open(t)
	apply := func(declaration string, dryRun bool) []app.Applied {
		t.Helper()
		applied, err := h.Apply(t.Context(), strings.NewReader(declaration), "silkpost.toml", dryRun)
		if err != nil {
			t.Fatal(err)
		}
		return applied
	}
	want := func(source, feed, list string) []app.Applied {
		return []app.Applied{{Kind: "source", Slug: "site", Change: source}, {Kind: "feed", Slug: "robotics", Change: feed}, {Kind: "list", Slug: "partners", Change: list}}
	}
	before := h.rows(t)
	for _, step := range []struct {
		name        string
		declaration string
		dryRun      bool
		want        []app.Applied
	}{
		{"a dry run", declaration, true, want("added", "added", "changed")},
		{"after the dry run", declaration, false, want("added", "added", "changed")},
		{"again", declaration, false, want("unchanged", "unchanged", "unchanged")},
		{"a dry run of a change", strings.Replace(declaration, "30m", "45m", 1), true, want("changed", "unchanged", "unchanged")},
		{"after that", declaration, false, want("unchanged", "unchanged", "unchanged")},
		{"one key changed", strings.Replace(declaration, "limit = 10", "limit = 20", 1), false, want("unchanged", "changed", "unchanged")},
		{"a key left out stays as it is", strings.Replace(declaration, "limit = 10", "", 1), false, want("unchanged", "unchanged", "unchanged")},
		{"and can be set back", declaration, false, want("unchanged", "changed", "unchanged")},
		{"a list is emptied by an empty one", strings.Replace(declaration, `tags = ["robotics"]`, `tags = []`, 1), false, want("unchanged", "changed", "unchanged")},
	} {
		if diff := cmp.Diff(step.want, apply(step.declaration, step.dryRun)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
		if now := h.rows(t); step.name == "a dry run" && cmp.Diff(before, now) != "" {
			t.Errorf("a dry run wrote:\n%s", cmp.Diff(before, now))
		}
	}
	shown, err := subscribers.ListBySlug(t.Context(), h.DB, "partners")
	if err != nil || shown.TimeZone != "Asia/Shanghai" || shown.Sender.ReplyTo != "office@example.org" || shown.DefaultRhythm != "weekly" {
		t.Errorf("the list became %+v, %v", shown, err)
	}
	if got := apply("", false); len(got) != 0 {
		t.Errorf("an empty file changed %v", got)
	}
}

// What is wrong is told in one line that names the file, the place or the thing, and nothing is applied.
func TestApplyRefuses(t *testing.T) {
	t.Parallel()
	h := open(t)
	before := h.rows(t)
	for name, tt := range map[string]struct {
		declaration string
		want        []string
	}{
		"an unknown key":               {"[[list]]\nslug = \"partners\"\nrythms = [\"daily\"]\n", []string{"line 3", `"rythms"`}},
		"an unknown key in a table":    {"[[feed]]\nslug = \"a\"\nselect = { tag = [\"x\"] }\n", []string{"line 3", `"tag"`}},
		"an unknown table":             {"[[lists]]\nslug = \"partners\"\n", []string{`"lists"`}},
		"a wrong type":                 {"[[feed]]\nslug = \"a\"\nlimit = \"many\"\n", []string{"line 3", "limit cannot be of the kind string"}},
		"a table for a text":           {"[[feed]]\nslug = { a = 1 }\n", []string{"line 2", "slug cannot be of the kind inline table"}},
		"a value left out":             {"[[feed]]\nslug =\n", []string{"line 2, column 7: a value is missing"}},
		"no TOML":                      {"[[feed]\nslug = \"a\"\n", []string{"line 1"}},
		"no text":                      {"\xff\xfe\x00", []string{"line 1"}},
		"no slug":                      {"[[list]]\npostal_address = \"x\"\n", []string{"[[list]] has no slug"}},
		"no slug of a feed":            {"[[feed]]\nlimit = 3\n", []string{"[[feed]] has no slug"}},
		"no slug of a source":          {"[[source]]\nkind = \"feed\"\n", []string{"[[source]] has no slug"}},
		"a list twice":                 {"[[list]]\nslug = \"partners\"\n[[list]]\nslug = \"partners\"\ntime_zone = \"Europe/Rome\"\n", []string{`list "partners" is declared twice`}},
		"a feed twice":                 {"[[feed]]\nslug = \"a\"\n[[list]]\nslug = \"a\"\n[[feed]]\nslug = \"a\"\n", []string{`feed "a" is declared twice`}},
		"a source twice":               {"[[source]]\nslug = \"a\"\nkind = \"folder\"\n[[source]]\nslug = \"a\"\nkind = \"folder\"\n", []string{`source "a" is declared twice`}},
		"a slug that is none":          {"[[list]]\nslug = \"Our Partners\"\n", []string{`"Our Partners"`, "slug"}},
		"a feed of an unknown source":  {"[[feed]]\nslug = \"a\"\nselect = { sources = [\"nowhere\"] }\n", []string{`feed "a"`, `source "nowhere"`}},
		"a list of an unknown source":  {"[[list]]\nslug = \"partners\"\nselect = { sources = [\"nowhere\"] }\n", []string{`list "partners"`, `source "nowhere"`}},
		"an unknown rhythm":            {"[[list]]\nslug = \"partners\"\nrhythms = [\"hourly\", \"weekly\"]\n", []string{`list "partners"`, `"hourly"`}},
		"a default that is not there":  {"[[list]]\nslug = \"partners\"\nrhythms = [\"daily\"]\n", []string{`list "partners"`, `default_rhythm "weekly"`}},
		"an unknown time zone":         {"[[list]]\nslug = \"partners\"\ntime_zone = \"Europe/Roma\"\n", []string{`list "partners"`, `"Europe/Roma"`}},
		"an hour that is none":         {"[[list]]\nslug = \"partners\"\neditorial_hour = \"25:00\"\n", []string{`list "partners"`, `"25:00"`}},
		"an unknown language":          {"[[list]]\nslug = \"partners\"\nfallback_language = \"english\"\n", []string{`list "partners"`, `"english"`}},
		"a sender without an address":  {"[[list]]\nslug = \"partners\"\nsender = { address = \"news\" }\n", []string{`list "partners"`, `"news"`}},
		"an unknown kind of source":    {"[[source]]\nslug = \"a\"\nkind = \"fax\"\n", []string{`source "a"`, `"fax"`}},
		"a kind left out":              {"[[source]]\nslug = \"a\"\nurl = \"https://example.org/\"\n", []string{`source "a"`, "kind"}},
		"a source without a URL":       {"[[source]]\nslug = \"a\"\nkind = \"feed\"\n", []string{`source "a"`, "url"}},
		"a source inside":              {"[[source]]\nslug = \"a\"\nkind = \"feed\"\nurl = \"http://127.0.0.1:9/feed.xml\"\n", []string{`source "a"`, "http://127.0.0.1:9/feed.xml lies on an internal address"}},
		"an interval that is none":     {"[[source]]\nslug = \"a\"\nkind = \"feed\"\nurl = \"https://example.org/\"\nevery = \"often\"\n", []string{`source "a"`, `"often"`}},
		"a feed's limit":               {"[[feed]]\nslug = \"a\"\nlimit = 5000\n", []string{`feed "a"`, "5000"}},
		"a feed's content":             {"[[feed]]\nslug = \"a\"\ncontent = \"some\"\n", []string{`feed "a"`, `"some"`}},
		"no address of a hub":          {"[[hub]]\nremove = true\n", []string{"[[hub]] has no url", "https://hub.example.org/"}},
		"a hub twice":                  {"[[hub]]\nurl = \"https://hub.example.org/\"\n[[hub]]\nurl = \"https://hub.example.org/\"\n", []string{`hub "https://hub.example.org/" is declared twice`}},
		"a hub that is none":           {"[[hub]]\nurl = \"hub.example.org\"\n", []string{`hub "hub.example.org"`, "needs http:// or https://"}},
		"a hub inside":                 {"[[hub]]\nurl = \"http://127.0.0.1:9/\"\n", []string{"http://127.0.0.1:9/ lies on an internal address"}},
		"a hub with a password":        {"[[hub]]\nurl = \"https://us:secret@hub.example.org/\"\n", []string{"user or password"}},
		"a hub's slug":                 {"[[hub]]\nslug = \"hub\"\n", []string{"line 2", `"slug"`}},
		"the last of many good things": {declaration + "[[list]]\nslug = \"guests\"\ntime_zone = \"Nowhere\"\n", []string{`list "guests"`, `"Nowhere"`}},
	} {
		applied, err := h.Apply(t.Context(), strings.NewReader(tt.declaration), "silkpost.toml", false)
		if err == nil || len(applied) > 0 {
			t.Errorf("%s: applied %v, %v", name, applied, err)
			continue
		}
		for _, want := range append(tt.want, "silkpost.toml: ") {
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: want one line with %q, got %v", name, want, err)
			}
		}
	}
	if diff := cmp.Diff(before, h.rows(t)); diff != "" {
		t.Errorf("something was applied (-before +after):\n%s", diff)
	}
	if zone := value[string](t, h, `SELECT time_zone FROM subscribers.lists WHERE slug = 'partners'`); zone != "UTC" {
		t.Errorf("the list's zone became %s", zone)
	}
}

// A refused file keeps the others out, unless it is to keep going; a dry run writes nothing.
func TestImportArticles(t *testing.T) {
	t.Parallel()
	h := open(t)
	before := h.rows(t)
	dir := write(t, relayEn, relayIt)
	if err := os.WriteFile(filepath.Join(dir, "budget.xlsx"), []byte("PK\x03\x04"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(o app.ArticleImport) (app.Imported, error) {
		o.Paths = []string{dir}
		return h.ImportArticles(t.Context(), o)
	}
	done, err := run(app.ArticleImport{})
	if err == nil || !strings.Contains(err.Error(), "budget.xlsx") || len(done.Refused) != 1 {
		t.Errorf("with a workbook in it: %+v, %v", done, err)
	}
	if done, err := run(app.ArticleImport{KeepGoing: true, DryRun: true}); err != nil || done.Added != 2 || len(done.Refused) != 1 {
		t.Errorf("a dry run: %+v, %v", done, err)
	}
	if diff := cmp.Diff(before, h.rows(t)); diff != "" {
		t.Fatalf("something was imported (-before +after):\n%s", diff)
	}
	if done, err := run(app.ArticleImport{KeepGoing: true, Archive: true}); err != nil || done.Added != 2 {
		t.Errorf("keeping going: %+v, %v", done, err)
	}
	h.apply(t, list)
	h.contacts(t, many(1, "weekly")...)
	if sent := h.send(t); sent.Editions[0].State != "skipped" {
		t.Errorf("archive is mailed: %+v", sent)
	}
	if _, err := h.ImportArticles(t.Context(), app.ArticleImport{Paths: []string{dir + "/nowhere.md"}}); err == nil || !strings.Contains(err.Error(), "nowhere.md") {
		t.Errorf("a file that is not there: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.ImportArticles(ended, app.ArticleImport{Paths: []string{dir}}); err == nil {
		t.Error("an import that was called off is told as done")
	}
}

// A source may lie inside when the settings say so of its host by name; and what is read of its items' pages is declared with it.
func TestApplySourceInside(t *testing.T) {
	t.Parallel()
	const inside = "[[source]]\nslug = \"inside\"\nkind = \"feed\"\nurl = \"http://127.0.0.1:9/feed.xml\"\nfull_text = \"never\"\n"
	databaseURL, post := testkit.FreshURL(t), catchertest.Start(t, catcher.Config{})
	for _, allowed := range []bool{false, true} {
		cfg := settings(databaseURL, post)
		if allowed {
			cfg.InternalHosts = []string{"127.0.0.1"}
		}
		a, err := app.Open(t.Context(), cfg, app.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Apply(t.Context(), strings.NewReader(inside), "x.toml", false); (err == nil) != allowed {
			t.Errorf("allowed: %t, error %v", allowed, err)
		}
		if allowed {
			source, err := a.Articles.SourceBySlug(t.Context(), a.DB, "inside")
			if err != nil || source.Settings.FullText != articles.FullTextNever {
				t.Errorf("%+v, %v", source, err)
			}
			_, err = a.Apply(t.Context(), strings.NewReader(strings.Replace(inside, "never", "sometimes", 1)), "x.toml", false)
			if err == nil || !strings.Contains(err.Error(), `full_text "sometimes": use auto, always or never`) {
				t.Errorf("error = %v", err)
			}
		}
		if err := a.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
