package adminpage

var themesSamples = []Page{
	Themes{},
	Themes{Themes: []ThemeLine{{Slug: "red", Lists: []string{"partners", hostile}, Colour: "#9c1c3f", Own: true}, {Slug: "plain"}}},
	ThemeForm{Sections: themeSections(), Languages: []FormChoice{{Value: "en", Chosen: true}, {Value: "ar"}}, Articles: []FormChoice{{Key: "themes.sample"}, {Value: "x", Label: hostile}}},
	ThemeForm{
		Slug: "red", Lists: []string{"partners"}, Mistakes: Mistakes{"html": hostile},
		Sections: []Section{{Area: "themes", Name: "templates", Fields: []FormField{{
			Area: "themes", Name: "html", Kind: CodeField, Values: []string{"</textarea>" + hostile}, Mistake: "line 1", Excerpt: sampleExcerpt,
		}}}},
	},
	ThemeProblem{Problems: []Problem{{Key: "html", Says: hostile, Excerpt: sampleExcerpt}}},
}

var sampleExcerpt = []CodeLine{{Number: 1, Text: "<p>"}, {Number: 2, Text: hostile, Marked: true}}

// themeSections are those of lists with words of themes.
func themeSections() []Section {
	sections := sampleSections("themes")
	for i := range sections {
		sections[i].Name, sections[i].Fields[0].Name = "logo", []string{"slug", "html", "footer"}[i%3]
	}
	return sections
}
