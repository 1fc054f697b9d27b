package adminpage

// Themes are all themes.
type Themes struct{ Themes []ThemeLine }

// ThemeLine is a theme in a table.
type ThemeLine struct {
	Slug   string
	Lists  []string
	Colour string // its accent; "": the usual one
	Own    bool   // it has templates of its own
}

// ThemeForm makes or changes a theme, with a preview beside it.
type ThemeForm struct {
	Slug      string // "": a new one
	Lists     []string
	Sections  []Section
	Mistakes  Mistakes
	Languages []FormChoice
	Articles  []FormChoice // of which list they are shown; "" is an example
	Example   struct{ HTML, Text string }
}

// ThemeProblem is what the preview of a theme says that cannot be shown.
type ThemeProblem struct{ Problems []Problem }

// Problem is what is wrong with a theme's key, or with what is to be shown, in English.
type Problem struct {
	Key, Says string
	Excerpt   []CodeLine
}

func (Themes) template() string       { return "themes-list" }
func (ThemeForm) template() string    { return "themes-form" }
func (ThemeProblem) template() string { return "themes-problem" }
