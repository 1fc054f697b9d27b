package adminpage

import (
	"bytes"
	"flag"
	"fmt"
	"html/template"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"silkpost/templates"
)

var galleryDir = flag.String("gallery", "", "write every page to this directory, to be looked at in a browser")

// sampler shows every part in all its states. It is no page of the program.
const sampler = `
{{define "title"}}Parts{{end}}
{{define "main"}}
{{template "heading" (heading "Museum news of the north" "above" "Sources" "back" "/admin/sources" "action" "/admin/sources/new" "label" "Add a source"
	"lead" "What this page is for, in a sentence or two, so that nobody has to guess." "badge" (badge "waiting" "Waiting"))}}
{{template "tabs" (tabs . "/admin/sources/site" "Overview" "/admin/sources/site/articles" "Articles" "/admin/sources/site/history" "What was changed")}}
<p class="told">12 rows were refused. Nothing was imported.</p>
{{template "mistakes" .Page.Mistakes}}
{{template "search" (search "Find an article" "value" "光" "clear" "/admin/articles" "hint" "By words of its title or text")}}
<form class="filters" method="get">
{{template "field" (field "list" "List" "type" "select" "options" (options (option "" "All") (option "partners" "News for our partners" "partners")))}}
{{template "field" (field "from" "From" "type" "date")}}
<button class="second">Show</button>
</form>
<table class="listing">
<thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col" class="number">Articles</th></tr></thead>
<tbody>
<tr><td class="name" data-label="Name"><a href="/x">Museum site</a></td><td data-label="State">{{template "badge" (badge "done" "Polled 3 minutes ago")}}</td><td class="number" data-label="Articles">1,204</td></tr>
<tr><td class="name" data-label="Name"><a href="/x">A site with a name that goes on for longer than anybody would think that it could</a></td><td data-label="State">{{template "badge" (badge "needs-you" "Failing")}}</td><td class="number" data-label="Articles">7</td></tr>
<tr><td class="name" data-label="Name"><a href="/x">科学节新闻</a></td><td data-label="State">{{template "badge" (badge "waiting" "Waiting")}}</td><td class="number" data-label="Articles">0</td></tr>
<tr><td class="name" data-label="Name"><a href="/x">Folder</a></td><td data-label="State">{{template "badge" (badge "quiet" "Off")}}</td><td class="number" data-label="Articles">0</td></tr>
</tbody>
</table>
{{template "pager" .Page.Pager}}
<h2>Facts</h2>
<dl class="facts"><dt>Address</dt><dd>https://www.example.org/news/feed.xml</dd><dt>Next poll</dt><dd>24 November 2026, 08:00</dd></dl>
{{template "empty" (empty "No partners yet" "help" "Partners are organisations whose people get the digests." "action" "/admin/import" "label" "Import partners")}}
<h2>A form</h2>
<form method="post" action="/x">
{{template "field" (field "url" "Address" "type" "url" "value" "ftp://example.org" "hint" "Of a page, a feed or a sitemap" "mistakes" .Page.Mistakes "required" true)}}
{{template "field" (field "hour" "Hour" "value" "08:00" "short" true "optional" true)}}
{{template "field" (field "text" "Introduction" "type" "textarea" "value" "Dear partners," "rows" 3)}}
{{template "field" (field "rhythm" "Rhythm" "type" "radio" "options" (options (option "weekly" "Weekly" "weekly") (option "daily" "Daily")))}}
{{template "field" (field "public" "Everybody may subscribe" "type" "checkbox" "checked" true "hint" "The form is at /s/partners.")}}
<p class="actions"><button>Save</button> <a class="button second" href="/x">Cancel</a></p>
</form>
<h2>What is asked before</h2>
{{template "confirmation" (confirmation "/x" "Cancel 1,204 unsent deliveries" "does" "Those who have not got the edition yet will not get it." "danger" true "back" "/y" "require" "partners" "ask" "Write partners to make sure" "name" "to" "value" "1")}}
<h2>How far it is</h2>
<div data-from="/admin/x/live"><div data-live="progress">{{template "progress" (progress "Sent" 3204 10000 "left" "85 a second, 80 seconds left")}}</div></div>
{{template "refresh" "/admin/x"}}
{{end}}`

// samplerPage is what the sampler shows.
type samplerPage struct {
	Mistakes Mistakes
	Pager    Pager
}

func (samplerPage) template() string { return "sampler" }

// showSampler returns the page with every part, in a language.
func showSampler(t *testing.T, tag string) string {
	t.Helper()
	words, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	funcs, err := words.Extend(files)
	if err != nil {
		t.Fatal(err)
	}
	f := funcs[tag]
	for name, do := range own(f) {
		f[name] = do
	}
	page, err := template.New("layout.html").Funcs(f).ParseFS(files, "html/layout.html", "html/parts.html")
	if err == nil {
		page, err = page.Parse(sampler)
	}
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	frame := Frame{
		Page:     samplerPage{Mistakes{"url": `"ftp://example.org" is no address of a web page: it begins with https://`, "": "Nothing else."}, Pager{"/x", "/x?after=7"}},
		Language: tag, Path: "/admin/sources/site/articles", Who: "owner@example.org", Can: func(string) bool { return true }, Done: "saved", Waiting: 3,
	}
	if err := page.Execute(&b, frame); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPartsHoldWhatTheyAreGiven(t *testing.T) {
	t.Parallel()
	page := showSampler(t, "en")
	for _, wanted := range []string{
		`aria-describedby="url-hint url-mistake"`, `id="url-mistake"`, `href="#url"`, `class="badge needs-you"`, `<option value="partners" selected>`,
		`value="weekly" checked`, `<a href="/admin/sources/site/articles" aria-current="page">`, `3,204 of 10,000`, `max="10000"`,
	} {
		if !strings.Contains(page, wanted) {
			t.Errorf("there is no %s", wanted)
		}
	}
	if strings.Contains(page, `<a href="/admin/sources/site" aria-current`) {
		t.Error("a tab above the current one is current, too")
	}
}

func TestPartsRefuseWhatTheyDoNotHave(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"unknown name":  second(field("url", "Address", "colour", "red")),
		"another kind":  second(field("url", "Address", "required", "yes")),
		"markup":        second(heading("x", "lead", template.HTML("<b>"))),
		"no value":      second(empty("x", "help")),
		"unknown state": second(badge("red", "x")),
	} {
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestGallery writes what there is to see: go test ./templates/adminpage -run Gallery -gallery DIR, then serve DIR as it is. Pages ending in -rtl are the
// English ones from right to left.
func TestGallery(t *testing.T) {
	if *galleryDir == "" {
		t.Skip("no -gallery directory given")
	}
	s := newSet(t)
	for _, tag := range s.Languages() {
		keep(t, tag+"/parts.html", []byte(showSampler(t, tag)))
		for i, page := range samples {
			var b bytes.Buffer
			frame := Frame{Page: page, Language: tag, Who: "owner@example.org", Path: "/admin/", Can: func(string) bool { return true }, Waiting: 3}
			if err := s.Write(&b, frame); err != nil {
				t.Error(err)
			}
			keep(t, fmt.Sprintf("%s/%s-%d.html", tag, page.template(), i), b.Bytes())
		}
	}
	keep(t, "en/parts-rtl.html", []byte(strings.Replace(showSampler(t, "en"), `dir="ltr"`, `dir="rtl"`, 1)))
	words, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range regexp.MustCompile(`/static/[^"]+`).FindAllString(showSampler(t, "en"), -1) {
		answer := httptest.NewRecorder()
		words.StaticHandler().ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
		keep(t, path, answer.Body.Bytes())
	}
}

func keep(t *testing.T, name string, content []byte) {
	t.Helper()
	path := filepath.Join(*galleryDir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
