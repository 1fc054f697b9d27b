package admin

import (
	"bytes"
	"html"
	"slices"
	"strings"

	"silkpost/internal/errs"
	"silkpost/templates"
	"silkpost/templates/adminpage"
)

// previewTheme answers with the digest that a form's theme makes, for the frame beside the form: or with what is wrong with it.
func (s *site) previewTheme(v *visit) (adminpage.Page, error) {
	theme := templates.Theme{}
	mistakes := readForm(themeFields, &theme, v.PostForm)
	list := v.PostFormValue("preview_list")
	if mine, err := s.listsOf(v); err != nil || list != "" && !slices.Contains(mine, list) {
		return nil, errs.New(errs.NotFound, "no such list: %w", err)
	}
	mail, err := s.App.PreviewTheme(v.Context(), theme, list, v.PostFormValue("preview_language"))
	if problems := problemsOf(&theme, mistakes, err); len(problems) > 0 {
		return s.bare(v, adminpage.ThemeProblem{Problems: problems})
	}
	if err != nil {
		return nil, err
	}
	switch v.PostFormValue("preview_show") {
	case "text":
		return s.foreign(v, []byte("<!doctype html><meta charset=\"utf-8\"><title>"+html.EscapeString(mail.Subject)+"</title><pre dir=\"auto\">"+html.EscapeString(mail.Text)+"</pre>"))
	case "dark":
		return s.foreign(v, []byte(inScheme(mail.HTML, true)))
	}
	return s.foreign(v, []byte(inScheme(mail.HTML, false)))
}

// problemsOf are what is wrong with a theme, or with what is to be shown in it; none when the error is nobody's mistake.
func problemsOf(theme *templates.Theme, mistakes adminpage.Mistakes, err error) (problems []adminpage.Problem) {
	for field, says := range mistakes {
		problems = append(problems, adminpage.Problem{Key: field, Says: says})
	}
	for _, m := range errs.All[*templates.ThemeMistake](err) {
		problems = append(problems, adminpage.Problem{Key: m.Key, Says: m.Says, Excerpt: excerpt(theme, m)})
	}
	if kind := errs.KindOf(err); err != nil && len(problems) == 0 && (kind == errs.NotFound || kind == errs.Invalid) {
		problems = append(problems, adminpage.Problem{Says: err.Error()})
	}
	return problems
}

// around is how many lines are shown before and after one in which something is wrong.
const around = 3

// excerpt returns the lines around what is wrong with a template.
func excerpt(theme *templates.Theme, m *templates.ThemeMistake) (shown []adminpage.CodeLine) {
	source := map[string]string{"html": theme.HTML, "text": theme.Text}[m.Key]
	lines := strings.Split(source, "\n")
	if m.Line < 1 || m.Line > len(lines) {
		return nil
	}
	for n := max(1, m.Line-around); n <= min(len(lines), m.Line+around); n++ {
		shown = append(shown, adminpage.CodeLine{Number: n, Text: lines[n-1], Marked: n == m.Line})
	}
	return shown
}

// bare answers with a page that stands in a frame.
func (s *site) bare(v *visit, page adminpage.Page) (adminpage.Page, error) {
	var document bytes.Buffer
	if err := s.pages.WritePart(&document, s.frame(v, page), "bare"); err != nil {
		return nil, err
	}
	return s.foreign(v, document.Bytes())
}
