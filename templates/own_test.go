package templates

import (
	"os"
	"strings"
	"testing"
	"time"

	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

func ownTheme(t testing.TB) Theme {
	t.Helper()
	theme := Theme{Slug: "festival"}
	for file, to := range map[string]*string{"testdata/own.html": &theme.HTML, "testdata/own.txt": &theme.Text} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		*to = string(source)
	}
	return theme
}

func TestOwnTemplates(t *testing.T) {
	t.Parallel()
	set, theme := mustSet(t, files), ownTheme(t)
	if err := set.CheckTheme(theme); err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"en", "ar"} {
		mail, err := set.Digest(fullSample(tag, theme))
		if err != nil || mail.Warning != "" {
			t.Fatal(err, mail.Warning)
		}
		testkit.Golden(t, "testdata/own."+tag+".html", []byte(mail.HTML))
		testkit.Golden(t, "testdata/own."+tag+".txt", []byte(mail.Text))
	}
}

// What a template of a theme's own must not do is said with its place and with what to do. Each case changes a template that is right.
func TestOwnTemplatesAreRefused(t *testing.T) {
	t.Parallel()
	set := mustSet(t, files)
	for name, c := range map[string]struct{ kind, old, with, want string }{
		"no end":                   {"html", "{{- if gt (len .More) 0}}", "{{- if .More}}{{if .Title}", `line 30, column 15: bad character`},
		"unfinished":               {"html", "{{.ListName}}", "{{.ListName", "line 17, column 5: "},
		"no such field":            {"html", "{{.ListName}}", "{{.Listname}}", "line 17, column 7: there is no field .Listname here: there are .Address, .Articles,"},
		"no such field in a range": {"html", "{{.Label}}", "{{.Author}}", "line 22, column 6: there is no field .Author here: there are .Direction,"},
		"a field of a list":        {"html", "{{.Label}}", "{{$.Articles.Title}}", "line 22, column 7: .Title: that is a list"},
		"a field of a string":      {"text", "{{. | wrap}}", "{{.Length}}", "line 7, column 31: there is no field .Length here: this is one value"},
		"a list shown":             {"html", "{{.ListName}}", "{{.Articles}}", "line 17, column 7: {{.Articles}} is a list: write {{range .Articles}}…{{end}}"},
		"a struct shown":           {"html", "{{.ListName}}", "{{.Logo}}", "line 17, column 7: {{.Logo}} is not one value: name a field of it"},
		"a method":                 {"html", "{{.ListName}}", "{{.ListName.String}}", "line 17, column 16: there is no field .String"},
		"a call":                   {"html", "{{.ListName}}", "{{.ListName 1}}", "line 17, column 7: .ListName is not a function"},
		"printf":                   {"html", "{{.ListName}}", `{{printf "%1000000000d" 1}}`, "line 17, column 7: printf is no function of templates of your own: there are and,"},
		"printf in a pipe":         {"html", "{{.ListName}}", `{{.ListName | printf "%s"}}`, "line 17, column 19: printf is no function"},
		"an escaper":               {"html", "{{.ListName}}", `{{.ListName | html}}`, "html is no function"},
		"a function nobody knows":  {"text", "{{.ListName}}", `{{exec "rm"}}`, "line 1, column 3: exec is no function"},
		"a definition":             {"html", "{{.ListName}}", `{{define "a"}}{{template "a"}}{{end}}`, `line 17, column 19: {{define "a"}} is not for templates of your own`},
		"a block":                  {"html", "{{.ListName}}", `{{block "a" .}}x{{end}}`, `{{define "a"}} is not for templates of your own`},
		"an inclusion of itself":   {"html", "{{.ListName}}", `{{template "html" .}}`, `line 17, column 16: {{template "html" .}} is not for templates of your own`},
		"a count without end":      {"html", "{{.ListName}}", "{{range 5000000}}{{end}}", "line 17, column 13: {{range 5000000}}: that is no list"},
		"articles times articles":  {"html", "{{.Label}}", "{{range $.Articles}}{{end}}", "line 22, column 12: {{range $.Articles}} inside of another range"},
		"the same with with":       {"html", "{{.Label}}", "{{with $}}{{range .More}}{{end}}{{end}}", "{{range .More}} inside of another range"},
		"three ranges":             {"html", `<p dir="{{$article.Direction}}">{{.}}</p>`, "{{range $.Footer}}{{end}}", "inside of another range"},
		"a variable":               {"html", "{{.ListName}}", "{{$x := .ListName}}{{$x}}", "line 17, column 7: {{$x := .ListName}}: variables are set by range and with alone"},
		"eq of two kinds":          {"html", "{{.ListName}}", "{{if eq .ListName 1}}x{{end}}", `line 17, column 10: eq is used as in {{if eq .Language "it"}}`},
		"len of a struct":          {"html", "{{.ListName}}", "{{len .Logo}}", "len is used as in {{len .Articles}}"},
		"outlook of something":     {"html", `{{outlook "open"}}`, "{{outlook .ListName}}", `outlook is used as in {{outlook "open"}}`},
		"a tag closed too early":   {"html", "<h1>{{.ListName}}</h1>", "<h1>{{.ListName}}</td></h1>", "line 17, column 18: </td> comes before <h1> is closed: write </h1> first (it is opened in line 17, column 1)"},
		"a tag never closed":       {"html", "</html>", "", "line 2, column 1: <html> is never closed: write </html> where it ends"},
		"a tag closed twice":       {"html", "</html>", "</html></html>", "line 43, column 8: </html> closes nothing: no <html> is open"},
		"a tag open in a branch":   {"html", "{{with .Count}}, {{.}}{{end}}", "{{with .Count}}<b>{{.}}{{end}}", "line 18, column 43: </p> comes before <b> is closed: write </b> first (it is opened in line 18, column 28) (in a digest of "},
		"a tag that closes itself": {"html", "<h1>{{.ListName}}</h1>", "<b/>", "line 17, column 1: <b/> does not close itself: write <b></b>"},
		"</br>":                    {"html", "<h1>", "</br><h1>", "line 17, column 1: </br> closes nothing: leave it out"},
		"a script":                 {"html", "<h1>", "<script>alert(1)</script><h1>", "line 17, column 1: <script> has no place in a mail: leave it out"},
		"a script in an attribute": {"html", "<h1>", `<h1 onclick="x">`, "line 17, column 1: onclick=… is a script: leave it out"},
		"a stylesheet":             {"html", "<style>", `<link rel="stylesheet" href="https://example.org/a.css"><style>`, "line 6, column 1: <link> has no place in a mail"},
		"an import":                {"html", "<style>\n", "<style>\n@import 'https://example.org/a.css';", "line 6, column 1: <style> loads something"},
		"a background":             {"html", "<h1>", `<h1 style="background:url(https://example.org/a)">`, "line 17, column 1: <h1> loads a background"},
		"an odd address":           {"html", "<h1>", `<a href="javascript:alert(1)">x</a><h1>`, `line 17, column 1: href="javascript:alert(1)" leads nowhere in a mail`},
		"no quotation marks":       {"html", `<a href="{{.UnsubscribeURL}}">`, `<a href={{.UnsubscribeURL}}>`, "line 38, column "},
		"the address in a tag":     {"html", "<h1>", `<h1 title="{{.Address}}">`, "line 17, column 1: title=… holds the recipient's address: show that as text alone"},
		"a slot in a style":        {"html", "<h1>", `<h1 style="color:{{.Address}}">`, "style=… holds what differs per recipient"},
		"a picture that tells":     {"html", "<h1>", `<img alt="" src="{{.ViewURL}}"><h1>`, "line 17, column 1: src=\"SAMPLEVIEW\" tells somebody else who reads"},
		"a link that tells":        {"html", "<h1>", `<a href="https://tracker.example/?u={{.PreferencesURL}}">x</a><h1>`, "tells somebody else who reads"},
		"a ping":                   {"html", "<h1>", `<a href="https://example.org/" ping="https://tracker.example/">x</a><h1>`, "<a ping=…> has no place in a mail"},
		"an endless line":          {"html", "{{.Label}}", strings.Repeat("{{range $.Footer}}"+strings.Repeat("x", 300)+"{{end}}", 100), "it writes more than 512 kB: shorten it"},
		"too long":                 {"text", "{{.ListName}}", strings.Repeat("x", 65*1024), "it is longer than 64 kB: shorten it"},
		"not UTF-8":                {"text", "{{.ListName}}", "\xff", "it is not in UTF-8: save it as that"},
		"an ambiguous context":     {"html", `<h1>`, `<h1 {{if .Count}}title="{{end}}x">`, "line 17, column "},

		"no link to unsubscribe":     {"html", `<a href="{{.UnsubscribeURL}}">{{.Words.UnsubscribeFrom}}</a>`, "", `line 42, column 1: the link to unsubscribe is missing: write <a href="{{.UnsubscribeURL}}">{{.Words.Unsubscribe}}</a>`},
		"one that is nothing":        {"html", `{{.Words.UnsubscribeFrom}}`, "", "the link to unsubscribe is missing"},
		"one that is hidden":         {"html", `<a href="{{.UnsubscribeURL}}">`, `<a style="display:none" href="{{.UnsubscribeURL}}">`, "the link to unsubscribe is missing"},
		"one that hangs on articles": {"html", `<a href="{{.UnsubscribeURL}}">{{.Words.UnsubscribeFrom}}</a>`, `{{if .Articles}}<a href="{{.UnsubscribeURL}}">x</a>{{end}}`, "line 38, column "},
		"none in text":               {"text", `{{.UnsubscribeURL}}`, "", "line 19, column 27: the link to unsubscribe is missing: write {{.UnsubscribeURL}} on a line of its own"},
		"an end too few":             {"text", "{{end}}{{.URL}}", "{{.URL}}", "an {{end}} is missing: write one for each {{range}}, {{if}} and {{with}}"},
		"no postal address":          {"html", `{{range .PostalAddress}}<br>{{.}}{{end}}`, "", "the postal address is missing"},
		"half a postal address":      {"text", "{{range .PostalAddress}}{{.}}\n{{end}}", "{{range $i, $l := .PostalAddress}}{{if not $i}}{{$l}}{{end}}{{end}}", "the postal address is missing"},
		"no introduction":            {"text", `{{.Introduction}}`, "", "the introduction is missing: write {{.Introduction}}"},
		"no more":                    {"html", `{{- if gt (len .More) 0}}`, "{{- if gt (len .More) 7}}", "a title is missing: write {{range .More}}"},
		"no titles":                  {"text", `* {{wrap .Title}}`, "*", "a title is missing: write {{range .Articles}}"},
		"no mark":                    {"html", `{{.Label}} {{.Mark}}`, "{{.Label}}", "the mark of an article in another language is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			theme := ownTheme(t)
			part := map[string]*string{"html": &theme.HTML, "text": &theme.Text}[c.kind]
			if strings.Count(*part, c.old) == 0 {
				t.Fatalf("there is no %q", c.old)
			}
			*part = strings.Replace(*part, c.old, c.with, 1)
			err := set.CheckTheme(theme)
			if err == nil || errs.KindOf(err) != errs.Invalid || strings.Contains(err.Error(), "\n") ||
				!strings.Contains(err.Error(), `theme "festival", `+c.kind+": ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error\n%v\nwant one with\n%s", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "data-at") {
				t.Errorf("the error shows what was written in: %v", err)
			}
		})
	}
}

// A template that loses what must be in a mail only for some digests is found out when that is made: the usual one takes its place.
func TestOwnTemplatesThatFailLater(t *testing.T) {
	t.Parallel()
	set, theme := mustSet(t, files), ownTheme(t)
	theme.HTML = strings.Replace(theme.HTML, "{{.Words.UnsubscribeFrom}}", `{{if ne .ListName "Other"}}{{.Words.UnsubscribeFrom}}{{end}}`, 1)
	theme.Text = strings.Replace(theme.Text, "{{.UnsubscribeURL}}", `{{if ne .ListName "Other"}}{{.UnsubscribeURL}}{{end}}`, 1)
	if err := set.CheckTheme(theme); err != nil {
		t.Fatal(err)
	}
	d := fullSample("en", theme)
	d.ListName = "Other"
	got, err := set.Digest(d)
	if err != nil || got.Warning == "" || !strings.Contains(got.Warning, "the link to unsubscribe is missing") {
		t.Fatalf("%v, %q", err, got.Warning)
	}
	d.Theme.HTML, d.Theme.Text = "", ""
	want, err := set.Digest(d)
	if err != nil || got.HTML != want.HTML || got.Text != want.Text {
		t.Errorf("%v: not the usual mail:\n%s", err, got.HTML)
	}
}

// Whatever people write: it is refused, or what comes of it is whole, and soon.
func FuzzOwnTemplate(f *testing.F) {
	set, err := newSet(files)
	if err != nil {
		f.Fatal(err)
	}
	theme := ownTheme(f)
	f.Add(theme.HTML, theme.Text)
	f.Add(`<a href="{{.UnsubscribeURL}}">x</a>{{range .PostalAddress}}{{.}}{{end}}{{range .Articles}}{{.Title}}{{end}}`, "{{.UnsubscribeURL}}")
	f.Add(`{{range $i, $a := .Articles}}{{with $}}{{range .Footer}}{{end}}{{end}}{{end}}<b><i></b></i>`, `{{block "a" .}}{{template "a"}}{{end}}`)
	f.Add(`<!-- {{.Title}} --><p title={{.Address}}><style>a{b:url({{.ViewURL}})}</style>`, "{{len (len (wrap `x` | wrap))}}")
	f.Fuzz(func(t *testing.T, html, text string) {
		theme := Theme{Slug: "fuzz", HTML: html, Text: text}
		begun := time.Now()
		err := set.CheckTheme(theme)
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("the check takes %v", took)
		}
		if err != nil {
			if errs.KindOf(err) != errs.Invalid {
				t.Errorf("%v is of kind %v", err, errs.KindOf(err))
			}
			return
		}
		mail, err := set.Digest(fullSample("en", theme))
		if err != nil || mail.Warning != "" {
			t.Errorf("%v, %s", err, mail.Warning)
		}
		if !strings.Contains(mail.HTML, "SAMPLEUNSUBSCRIBE") || !strings.Contains(mail.Text, "SAMPLEUNSUBSCRIBE") || strings.Contains(mail.HTML, "<script") {
			t.Errorf("it loses the link, or runs:\n%s\n%s", mail.HTML, mail.Text)
		}
	})
}

func BenchmarkCheckTheme(b *testing.B) {
	set, theme := mustSet(b, files), ownTheme(b)
	for b.Loop() {
		if err := set.CheckTheme(theme); err != nil {
			b.Fatal(err)
		}
	}
}
