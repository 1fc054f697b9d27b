package admin

import (
	"strings"

	"silkpost/internal/errs"
	"silkpost/templates"
	"silkpost/templates/adminpage"
)

// themeFields are all that can be said of a theme, in the order of its form.
var themeFields = []formField[templates.Theme]{
	{section: "colours", name: "slug", kind: adminpage.LineField, of: func(t *templates.Theme) binding { return bindText(&t.Slug) }},
	{section: "colours", name: "colours_accent", kind: adminpage.ColourField, of: func(t *templates.Theme) binding { return bindText(&t.Colours.Accent) }},
	{section: "colours", name: "colours_ink", kind: adminpage.ColourField, noHelp: true, of: func(t *templates.Theme) binding { return bindText(&t.Colours.Ink) }},
	{section: "colours", name: "colours_soft", kind: adminpage.ColourField, noHelp: true, of: func(t *templates.Theme) binding { return bindText(&t.Colours.Soft) }},
	{section: "colours", name: "colours_mark", kind: adminpage.ColourField, noHelp: true, of: func(t *templates.Theme) binding { return bindText(&t.Colours.Mark) }},
	{section: "colours", name: "colours_line", kind: adminpage.ColourField, noHelp: true, of: func(t *templates.Theme) binding { return bindText(&t.Colours.Line) }},
	{section: "colours", name: "colours_sheet", kind: adminpage.ColourField, noHelp: true, of: func(t *templates.Theme) binding { return bindText(&t.Colours.Sheet) }},
	{section: "colours", name: "colours_paper", kind: adminpage.ColourField, noHelp: true, of: func(t *templates.Theme) binding { return bindText(&t.Colours.Paper) }},

	{section: "logo", name: "logo_url", kind: adminpage.LineField, of: func(t *templates.Theme) binding { return bindText(&t.Logo.URL) }},
	{section: "logo", name: "logo_width", kind: adminpage.NumberField, of: func(t *templates.Theme) binding { return bindNumber(&t.Logo.Width) }},
	{section: "logo", name: "logo_alt", kind: adminpage.LineField, of: func(t *templates.Theme) binding { return bindText(&t.Logo.Alt) }},
	{section: "logo", name: "logo_background", kind: adminpage.ColourField, of: func(t *templates.Theme) binding { return bindText(&t.Logo.Background) }},

	{section: "texts", name: "footer", kind: adminpage.TextsField, of: func(t *templates.Theme) binding { return bindWords(&t.Footer) }},
	{section: "texts", name: "order", kind: adminpage.ChoiceField, words: orders, of: func(t *templates.Theme) binding { return bindOrder(&t.Order) }},

	{section: "dark", name: "dark_accent", kind: adminpage.ColourField, of: func(t *templates.Theme) binding { return bindText(&t.Dark.Accent) }},
	{section: "dark", name: "dark_ink", kind: adminpage.ColourField, noHelp: true, of: func(t *templates.Theme) binding { return bindText(&t.Dark.Ink) }},
	{section: "dark", name: "dark_soft", kind: adminpage.ColourField, noHelp: true, of: func(t *templates.Theme) binding { return bindText(&t.Dark.Soft) }},
	{section: "dark", name: "dark_mark", kind: adminpage.ColourField, noHelp: true, of: func(t *templates.Theme) binding { return bindText(&t.Dark.Mark) }},
	{section: "dark", name: "dark_line", kind: adminpage.ColourField, noHelp: true, of: func(t *templates.Theme) binding { return bindText(&t.Dark.Line) }},
	{section: "dark", name: "dark_sheet", kind: adminpage.ColourField, noHelp: true, of: func(t *templates.Theme) binding { return bindText(&t.Dark.Sheet) }},
	{section: "dark", name: "dark_paper", kind: adminpage.ColourField, noHelp: true, of: func(t *templates.Theme) binding { return bindText(&t.Dark.Paper) }},

	{section: "templates", name: "html", kind: adminpage.CodeField, of: func(t *templates.Theme) binding { return bindText(&t.HTML) }},
	{section: "templates", name: "text", kind: adminpage.CodeField, of: func(t *templates.Theme) binding { return bindText(&t.Text) }},
}

// orders are all in which the blocks of a digest can stand; "" is the usual one.
var orders = []string{
	"", "introduction-more-articles", "articles-introduction-more", "articles-more-introduction", "more-introduction-articles", "more-articles-introduction",
}

// bindOrder has the usual order as none.
func bindOrder(at *[]string) binding {
	const usual = "introduction-articles-more"
	return binding{
		get: func() []string {
			if order := strings.Join(*at, "-"); order != usual {
				return []string{order}
			}
			return []string{""}
		},
		set: func(values []string) error {
			*at = nil
			if len(values) > 0 {
				*at = strings.Split(values[0], "-")
			}
			return nil
		},
	}
}

// reserved reports a short name that an address of these pages has.
func reserved(slug string) bool { return slug == "new" || slug == "preview" }

func errReserved(slug string) error {
	return errs.New(errs.Invalid, "%q is a word of these pages: choose another name", slug)
}
