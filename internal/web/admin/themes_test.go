package admin_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"silkpost/mailer/compose"
	"silkpost/templates"
)

func TestAThemeIsMade(t *testing.T) {
	t.Parallel()
	h := open(t)
	if page := h.get("/admin/themes"); page.Find(".empty").Length() != 1 {
		t.Errorf("%s", page.text("main"))
	}
	got := h.send("/admin/themes/new", wholeForm(h.get("/admin/themes/new"), "slug", "festival", "colours_accent", "#9C1C3F", "logo_url", "https://www.example.org/logo.png",
		"logo_width", "200", "logo_alt", "Festival", "footer", "", "footer.language", "en", "footer.words", "A project\r\n\r\nof museums", "order", "articles-more-introduction")...)
	if got.location != "/admin/themes/festival?done=saved" {
		t.Fatalf("%d %s", got.status, got.text(".mistakes"))
	}
	theme, err := compose.ThemeBySlug(t.Context(), h.DB, "festival")
	want := templates.Theme{
		Slug: "festival", Colours: templates.Colours{Accent: "#9c1c3f"}, Logo: templates.Logo{URL: "https://www.example.org/logo.png", Width: 200, Alt: "Festival"},
		Footer: map[string]string{"en": "A project\n\nof museums"}, Order: []string{"articles", "more", "introduction"},
	}
	if err != nil || !reflect.DeepEqual(theme, want) {
		t.Errorf("%v\n%+v\n%+v", err, theme, want)
	}
	h.declare("[[list]]\nslug = \"partners\"\ntheme = \"festival\"\n")
	if page := h.get("/admin/themes"); page.text("tbody") != "festival #9c1c3f partners The usual one" {
		t.Errorf("%s", page.text("tbody"))
	}
	if got := h.send("/admin/themes/festival/remove"); got.status != http.StatusConflict || !strings.Contains(got.text(".detail"), "worn by partners") {
		t.Errorf("%d %s", got.status, got.text("main"))
	}
	if got := h.send("/admin/themes/festival/reset", "part", "all"); got.status != http.StatusSeeOther {
		t.Errorf("%d", got.status)
	}
	if theme, _ := compose.ThemeBySlug(t.Context(), h.DB, "festival"); theme.Colours.Accent != "" || theme.Logo.URL != "" {
		t.Errorf("%+v", theme)
	}
}

// A form of a theme that is sent as it came changes nothing, its templates included.
func TestAThemeSentAsItCameChangesNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	theme := templates.Theme{Slug: "own", HTML: "\n" + templates.ExampleHTML, Text: templates.ExampleText, Colours: templates.Colours{Ink: "#222222"}, Footer: map[string]string{"ar": "تذييل"}}
	if err := h.SaveTheme(t.Context(), theme, true); err != nil {
		t.Fatal(err)
	}
	fields := wholeForm(h.get("/admin/themes/own"))
	for i := range fields { // as browsers do
		if strings.Contains(fields[i], "{{") {
			fields[i] = strings.ReplaceAll(fields[i], "\n", "\r\n")
		}
	}
	got := h.send("/admin/themes/own", fields...)
	after, err := compose.ThemeBySlug(t.Context(), h.DB, "own")
	if got.status != http.StatusSeeOther || err != nil || !reflect.DeepEqual(after, theme) {
		t.Errorf("%d %s %v\n%q\n%q", got.status, got.text(".mistakes"), err, after.HTML[:40], theme.HTML[:40])
	}
}

func TestMistakesOfAThemeStandAtTheirFields(t *testing.T) {
	t.Parallel()
	h := open(t)
	got := h.send("/admin/themes/new", "slug", "Bad Slug", "colours_ink", "#999", "colours_soft", "blue", "logo_url", "http://example.org/x.png", "logo_width", "wide")
	if got.status != http.StatusUnprocessableEntity || got.Find("#logo_width-mistake").Length() != 1 {
		t.Errorf("%d %s", got.status, got.text(".mistakes"))
	}
	got = h.send("/admin/themes/new", "slug", "a", "colours_ink", "#999", "colours_mark", "#aaa", "logo_url", "http://example.org/x.png", "html", "<p>\n<b>{{.Password}}\n</p>", "text", "{{range 5000000}}{{end}}")
	for field, says := range map[string]string{
		"colours_ink": "contrast of 2.84", "colours_mark": "contrast", "logo_url": "https://", "logo_alt": "write what it shows", "html": "line 2, column 6: there is no field .Password", "text": "line 1",
	} {
		if said := got.text("#" + field + "-mistake"); !strings.Contains(said, says) {
			t.Errorf("%s: %q, not %q", field, said, says)
		}
	}
	if marked := got.text(".excerpt .marked code"); !strings.Contains(marked, "<b>{{.Password}}") {
		t.Errorf("marked is %q", marked)
	}
	if got.Find("#html").Text() == "" || !strings.Contains(got.Find("#html").Text(), "<b>{{.Password}}") {
		t.Error("what was written is gone")
	}
}

// preview asks for what stands in the frame beside the form.
func (h *house) preview(fields ...string) answer { return h.send("/admin/themes/preview", fields...) }

func TestAThemeIsPreviewed(t *testing.T) {
	t.Parallel()
	h := open(t)
	got := h.preview("colours_accent", "#9c1c3f", "preview_language", "ar", "preview_show", "dark")
	whole, _ := got.Html()
	if got.status != http.StatusOK || got.Find("html").AttrOr("dir", "") != "rtl" || !strings.Contains(whole, "#9c1c3f") || strings.Contains(whole, "prefers-color-scheme") {
		t.Errorf("%d %s", got.status, whole)
	}
	if !strings.Contains(whole, "@media (min-width:0)") {
		t.Error("dark is not shown as dark")
	}
	if light, _ := h.preview("preview_language", "en").Html(); !strings.Contains(light, "@media (max-width:0)") {
		t.Error("light is not shown as light")
	}
	policy := got.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "sandbox") || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src") {
		t.Errorf("policy %s", policy)
	}
	if text := h.preview("preview_language", "zh-Hans", "preview_show", "text").text("pre"); !strings.Contains(text, "合作伙伴通讯") {
		t.Errorf("text %s", text)
	}
	if got := h.preview("preview_list", "partners", "preview_language", "it").text("body"); !strings.Contains(got, "no article in it") {
		t.Errorf("a list without articles: %s", got)
	}
	if got := h.preview("preview_list", "nowhere"); got.status != http.StatusNotFound {
		t.Errorf("a list that is not there: %d", got.status)
	}
	if frame := h.get("/admin/themes/new").Find("iframe"); frame.Length() != 1 || frame.AttrOr("sandbox", "none") != "" {
		t.Error("the preview's frame is not closed off")
	}
}

// What is written into a theme stays text in its preview, and a template can reach nothing but its fields.
func TestThemesCannotReachOut(t *testing.T) {
	t.Parallel()
	h := open(t)
	const script = `<script>alert(1)</script>`
	got := h.preview("footer", "", "footer.language", "en", "footer.words", script, "logo_url", "https://www.example.org/a.png?\"><script>alert(1)</script>", "logo_alt", script, "logo_width", "10")
	if got.Find("script").Length() != 0 || !strings.Contains(got.text("body"), "alert(1)") {
		t.Errorf("a script came of words: %s", got.text("body"))
	}
	for _, template := range []string{
		`{{.}}`, `{{printf "%s" .}}`, `{{.Articles}}`, `{{call .Subject}}`, `{{index .Articles 0}}`, `{{template "x"}}`, `{{define "x"}}{{end}}`, `{{block "x" .}}{{end}}`,
		`{{range 5000000}}{{end}}`, `{{range .Articles}}{{range $.Articles}}{{range $.Articles}}x{{end}}{{end}}{{end}}`, `{{html .Subject}}`, `{{js .Subject}}`, `{{$x := .Subject}}{{$x}}`,
		`<script>alert({{.Subject}})</script>`, `<p onclick="{{.Subject}}">`, `<iframe src="https://example.org"></iframe>`, `{{.Words.Error}}`, `{{slice .Subject 1}}`,
		`{{break}}`, `{{`, `{{end}}`, `{{if}}`, strings.Repeat("x", 70_000), `<a href="javascript:alert(1)">x</a>`, `{{with $}}{{.Secret}}{{end}}`, script,
	} {
		begun := time.Now()
		got := h.preview("html", template+templates.ExampleHTML, "preview_language", "en")
		if strings.Contains(template, "break") {
			continue // outside of a range it does not parse, inside it is harmless
		}
		if got.status != http.StatusOK || got.Find("script, iframe, [onclick]").Length() != 0 || got.text("h1") != "This cannot be shown yet" {
			t.Errorf("%.60q: %d %.200s", template, got.status, got.text("body"))
		}
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("%.60q took %s", template, took)
		}
		if got := h.send("/admin/themes/new", "slug", "bad", "html", template+templates.ExampleHTML); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%.60q was saved: %d", template, got.status)
		}
	}
}
