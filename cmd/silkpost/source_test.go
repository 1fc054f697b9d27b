package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"silkpost/internal/testkit"
)

// museum is a site without a feed: a page of news and two articles.
func museum(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /news/{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<html lang="en"><title>News</title><ul class="list">`)
		for i := 3; i > 0; i-- {
			fmt.Fprintf(w, `<li><a href="/news/hall-%d">Hall number %d opens to the public</a> <i>2020-05-0%d</i></li>`, i, i, i)
		}
		fmt.Fprint(w, `</ul></html>`)
	})
	mux.HandleFunc("GET /news/{name}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("name") == "hall-1" {
			fmt.Fprint(w, `<html><body><div id="app"></div><script src="/app.js"></script></body></html>`)
			return
		}
		fmt.Fprintf(w, `<html lang="en"><title>Hall - Museum</title><h1>Hall number %s opens to the public</h1><p>The director opened the hall in front of many guests from museums abroad.</p></html>`,
			strings.TrimPrefix(r.PathValue("name"), "hall-"))
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL
}

// What source check suggests can be applied as it is, and source run then says what came.
func TestSourceCheckAndRun(t *testing.T) {
	t.Parallel()
	root := museum(t)
	with := settings{"DATABASE_URL": testkit.FreshURL(t), "ALLOW_INTERNAL_HOSTS": "127.0.0.1"}
	got := silkpost(t, with, "source", "check", root+"/news/", "--json")
	var found struct {
		Found []struct {
			Kind, Settings string
			Articles       []struct{ Title, Published, Language, Words string }
		}
	}
	if err := json.Unmarshal([]byte(got.stdout), &found); err != nil || got.status != 0 || len(found.Found) == 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	best := found.Found[0]
	if first := best.Articles[0]; best.Kind != "html" || first.Title != "Hall number 3 opens to the public" || first.Published != "2020-05-03T00:00:00Z" ||
		first.Language != "en" || !strings.HasPrefix(first.Words, "The director opened") {
		t.Errorf("found %+v", best)
	}
	file := filepath.Join(t.TempDir(), "silkpost.toml")
	if err := os.WriteFile(file, []byte(best.Settings), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := silkpost(t, with, "apply", file); got.status != 0 || !strings.Contains(got.stdout, "source") {
		t.Fatalf("apply: %+v", got)
	}
	got = silkpost(t, with, "source", "run", "127-0-0-1")
	for _, says := range []string{
		"2 articles new, 0 changed, 0 unchanged, 1 refused.", "As this was the first poll", "hall-1: the text of this page is made by scripts, which are not run",
	} {
		if got.status != 0 || !strings.Contains(got.stdout, says) {
			t.Errorf("%q is not in %+v", says, got)
		}
	}
	got = silkpost(t, with, "source", "run", "127-0-0-1", "--json")
	var again struct {
		New, Changed, Unchanged, Waiting int
		Refused                          []any
	}
	if err := json.Unmarshal([]byte(got.stdout), &again); err != nil || again.New+again.Changed+len(again.Refused) != 0 {
		t.Errorf("again: %+v, %v", got, err)
	}
}

func TestSourceRefuses(t *testing.T) {
	t.Parallel()
	root := museum(t)
	with := settings{"DATABASE_URL": testkit.FreshURL(t)}
	for says, args := range map[string][]string{
		"only what is on the public Internet is fetched": {"source", "check", root + "/news/"},
		`there is no source "nowhere"`:                   {"source", "run", "nowhere"},
	} {
		if got := silkpost(t, with, args...); got.status != 1 || !strings.Contains(got.stderr, says) || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%v: %+v", args, got)
		}
	}
	with["ALLOW_INTERNAL_HOSTS"] = "127.0.0.1"
	got := silkpost(t, with, "source", "check", root+"/news/hall-1")
	for _, says := range []string{"filled by scripts", "try the address of the page on which the site lists its news"} {
		if got.status != 1 || got.stdout != "" || !strings.Contains(got.stderr, says) || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%q is not in %+v", says, got)
		}
	}
}
