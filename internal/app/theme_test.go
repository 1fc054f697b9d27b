package app_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"silkpost/mailer/compose"
)

const festival = `
[[theme]]
slug = "festival"
logo = { url = "https://www.example.org/logo.png", width = 200, alt = "Science festival" }
colours = { accent = "#9C1C3F", paper = "#fdf3f0" }
footer = { en = "The festival is a project of twelve museums.", it = "Il festival è un progetto di dodici musei." }
order = ["articles", "more", "introduction"]
`

const worn = list + "theme = \"festival\"\n"

// A theme that is declared is what the next digest of its lists looks like, and one that a list names must be there.
func TestThemes(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, want := range []string{"added", "unchanged"} {
		if got := h.apply(t, worn+festival); got[0].Kind != "theme" || got[0].Slug != "festival" || got[0].Change != want {
			t.Errorf("%+v, want %s", got, want)
		}
	}
	const more = "[[theme]]\nslug = \"festival\"\n"
	for declaration, want := range map[string]string{
		more:                                    "unchanged", // what is left out stays
		more + "colours = { ink = \"#222\" }\n": "changed",
	} {
		if got := h.apply(t, declaration); got[0].Change != want {
			t.Errorf("%s: %+v", declaration, got)
		}
	}
	theme, err := compose.ThemeBySlug(t.Context(), h.DB, "festival")
	if err != nil || theme.Colours.Ink != "#222222" || theme.Colours.Accent != "" || theme.Logo.Width != 200 || theme.Footer["it"] == "" {
		t.Errorf("%+v, %v", theme, err)
	}
	h.apply(t, festival)
	h.contacts(t, "anna@museum.example,Anna,en,daily", "bruno@centro.example,Bruno,it,daily")
	h.articles(t, relayEn, relayIt)
	h.send(t)
	for address, l := range h.letters(t) {
		if images := attributes(t, l.HTML, "img", "src"); !slices.Contains(images, "https://www.example.org/logo.png") {
			t.Errorf("%s: pictures %q", address, images)
		}
		footer := map[string]string{"anna@museum.example": "The festival is a project", "bruno@centro.example": "Il festival è un progetto"}[address]
		if !strings.Contains(l.HTML, "#9c1c3f") || strings.Contains(l.HTML, "#14606b") || !strings.Contains(l.HTML, footer) || !strings.Contains(l.Text, footer) {
			t.Errorf("%s got\n%s\n%s", address, l.HTML, l.Text)
		}
		if !strings.Contains(l.Text, "office@example.org") {
			t.Errorf("%s is not told where answers go:\n%s", address, l.Text)
		}
	}
}

// Templates of a theme's own stand in the file or beside it.
func TestThemesWithTemplates(t *testing.T) {
	t.Parallel()
	h, dir := open(t), t.TempDir()
	html, err := os.ReadFile("../../templates/testdata/own.html")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../templates/testdata/own.txt")
	if err != nil {
		t.Fatal(err)
	}
	write := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "digest.html"), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	declaration := list + "theme = \"own\"\n[[theme]]\nslug = \"own\"\nhtml_file = \"digest.html\"\ntext = '''\n" + string(text) + "'''\n"
	apply := func(declaration string) error {
		_, err := h.Apply(t.Context(), strings.NewReader(declaration), filepath.Join(dir, "silkpost.toml"), false)
		return err
	}
	before := h.rows(t)
	for name, tt := range map[string]struct{ html, declaration, want string }{
		"no file":    {string(html), strings.Replace(declaration, "digest.html", "gone.html", 1), "html_file: there is no file " + filepath.Join(dir, "gone.html")},
		"both":       {string(html), declaration + "html = \"<p></p>\"\n", "html and html_file: give one of them"},
		"a field":    {strings.Replace(string(html), ".ListName", ".Listname", 1), declaration, `theme "own", html: line 17, column 7: there is no field .Listname here`},
		"no address": {string(html), strings.Replace(declaration, "{{range .PostalAddress}}{{.}}", "{{range .PostalAddress}}", 1), `theme "own", text: line 17, column 9: the postal address is missing`},
	} {
		write([]byte(tt.html))
		if err := apply(tt.declaration); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	if diff := cmp.Diff(before, h.rows(t)); diff != "" {
		t.Errorf("something was applied (-before +after):\n%s", diff)
	}
	write(html)
	if err := apply(declaration); err != nil {
		t.Fatal(err)
	}
	h.contacts(t, "anna@museum.example,Anna,en,daily")
	h.articles(t, relayEn)
	h.send(t)
	l := h.letters(t)["anna@museum.example"]
	if !strings.Contains(l.HTML, `<body class="page"`) || !strings.Contains(l.HTML, "anna@museum.example") || !strings.Contains(l.Text, "* Robots pass the water on") ||
		!slices.Contains(attributes(t, l.HTML, "a", "href"), l.link()) || !strings.Contains(l.Text, l.link()) {
		t.Errorf("she got\n%s\n%s", l.HTML, l.Text)
	}
}

func TestApplyRefusesThemes(t *testing.T) {
	t.Parallel()
	h := open(t)
	before := h.rows(t)
	const theme = "[[theme]]\nslug = \"a\"\n"
	for name, tt := range map[string]struct{ declaration, want string }{
		"a list's theme that is not there": {worn, `list "partners": no theme "festival": declare it in a table [[theme]]`},
		"an unknown key":                   {theme + "colors = {}\n", `line 3: there is no key "colors"`},
		"an unknown colour":                {theme + "colours = { accnt = \"#000\" }\n", `line 3: there is no key "accnt"`},
		"no colour":                        {theme + "colours = { accent = \"teal\" }\n", `theme "a", colours.accent: "teal" is no colour; write it like #14606b`},
		"a pale accent":                    {theme + "colours = { accent = \"#ffcc00\" }\n", `theme "a", colours.accent: #ffcc00 on #ffffff (sheet) has a contrast of 1.51, and text needs 4.5: choose a darker accent, or another sheet`},
		"a dark accent in dark":            {theme + "dark = { accent = \"#14606b\" }\n", `theme "a", dark.accent: #14606b on #1d1f23 (sheet) has a contrast of 2.29, and text needs 4.5: choose a lighter accent`},
		"a dark paper":                     {theme + "colours = { paper = \"#333333\" }\n", `colours.soft: #5c5a55 on #333333 (paper) has a contrast of 1.83, and text needs 4.5: choose a lighter soft`},
		"a logo without TLS":               {theme + "logo = { url = \"http://www.example.org/a.png\", width = 10, alt = \"x\" }\n", `logo.url: "http://www.example.org/a.png" is no address that begins with https://`},
		"a logo without width":             {theme + "logo = { url = \"https://www.example.org/a.png\", alt = \"x\" }\n", "logo.width: 0: give the width"},
		"a logo without words":             {theme + "logo = { url = \"https://www.example.org/a.png\", width = 10 }\n", "logo.alt: write what it shows"},
		"words that vanish on the plate":   {theme + "logo = { url = \"https://www.example.org/a.png\", width = 10, alt = \"x\", background = \"#000\" }\n", "logo.background: #000000 has a contrast of 1."},
		"a block twice":                    {theme + "order = [\"articles\", \"articles\", \"more\"]\n", "order: name each of introduction, articles, more once"},
		"a block too few":                  {theme + "order = [\"articles\"]\n", "order: name each of introduction, articles, more once"},
		"a footer in no language":          {theme + "footer = { english = \"x\" }\n", `theme "a", footer: `},
		"a slug":                           {"[[theme]]\nslug = \"A theme\"\n", `theme "A theme", slug`},
		"a theme twice":                    {theme + theme, `theme "a" is declared twice`},
		"a broken template":                {theme + "html = \"<p>\"\n", `theme "a", html: line 1, column 1: <p> is never closed`},
	} {
		applied, err := h.Apply(t.Context(), strings.NewReader(tt.declaration), "silkpost.toml", false)
		if err == nil || len(applied) > 0 || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: applied %v, %v", name, applied, err)
		}
	}
	if diff := cmp.Diff(before, h.rows(t)); diff != "" {
		t.Errorf("something was applied (-before +after):\n%s", diff)
	}
}
