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

// What came, or did not, is said as it was.
func TestSourceRunSaysWhatHappened(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /feed.xml", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<rss version="2.0"><channel><title>News</title><item><guid>1</guid><title>One</title><description>Text of it.</description></item></channel></rss>`)
	})
	mux.HandleFunc("GET /old.xml", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/feed.xml", http.StatusMovedPermanently)
	})
	mux.HandleFunc("GET /sitemap.xml", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<urlset><url><loc>http://%s/a</loc><lastmod>2020-05-11T08:00:00Z</lastmod></url></urlset>`, r.Host)
	})
	mux.HandleFunc("GET /both", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<link rel="alternate" type="application/rss+xml" href="/feed.xml"><p>Welcome</p>`)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	dir := t.TempDir()
	file := filepath.Join(dir, "silkpost.toml")
	declared := fmt.Sprintf("[[source]]\nslug = \"here\"\nkind = \"feed\"\nurl = \"%[1]s/feed.xml\"\ntime_zone = \"Asia/Shanghai\"\n"+
		"[[source]]\nslug = \"moved\"\nkind = \"feed\"\nurl = \"%[1]s/old.xml\"\n[[source]]\nslug = \"gone\"\nkind = \"feed\"\nurl = \"%[1]s/gone.xml\"\n"+
		"[[source]]\nslug = \"desk\"\nkind = \"folder\"\npath = %[2]q\n", srv.URL, t.TempDir())
	if err := os.WriteFile(file, []byte(declared), 0o600); err != nil {
		t.Fatal(err)
	}
	with := settings{"DATABASE_URL": testkit.FreshURL(t), "ALLOW_INTERNAL_HOSTS": "127.0.0.1"}
	for _, step := range []struct {
		args []string
		says string
	}{
		{[]string{"apply", file}, "added"},
		{[]string{"source", "run", "here"}, "1 article new"},
		{[]string{"source", "run", "here"}, "0 refused. The server sent the same as last time.\n"},
		{[]string{"source", "run", "desk"}, "0 articles new"},
		{[]string{"source", "run", "desk"}, "0 refused. No file came, went or was written since the last poll.\n"},
		{[]string{"source", "run", "moved"}, "1 article new"},
		{[]string{"source", "show", "moved"}, srv.URL + "/feed.xml (it says for good: write that address into its table)"},
		{[]string{"source", "run", "gone"}, "404 Not Found); silkpost source check " + srv.URL + "/ looks for where the site has its news now"},
		{[]string{"source", "list"}, "failures"},
		{[]string{"source", "check", srv.URL + "/sitemap.xml"}, "  " + srv.URL + "/a (2020-05-11 08:00 UTC)\n\n"},
	} {
		if got := silkpost(t, with, step.args...); !strings.Contains(got.stdout+got.stderr, step.says) {
			t.Errorf("%v: %q is not in %+v", step.args, step.says, got)
		}
	}
}
