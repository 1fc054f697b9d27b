package adminpage

import "time"

const hostile = `<script>alert(1)</script>"'&`

var listsSamples = []Page{
	Lists{},
	Lists{AllPaused: true, Lists: []ListLine{sampleLine, {Slug: "empty", Name: hostile, Lacks: []string{"sender"}}}},
	ListShow{ListLine: sampleLine, Public: true, Archive: true, OptIn: "double", FormURL: "https://news.example.org/s/partners", Embed: `<a href="x">` + hostile, Topics: []string{"News", hostile}},
	ListShow{ListLine: ListLine{Slug: "empty", Name: hostile, Lacks: []string{"postal_address"}}, OptIn: "single", AllPaused: true},
	ListForm{Sections: sampleSections("lists")},
	ListForm{Slug: "partners", Name: "Partners", Sections: sampleSections("lists"), Mistakes: Mistakes{"slug": hostile, "": "no"}},
}

var sampleLine = ListLine{
	Slug: "partners", Name: "News for our partners", People: People{Active: 1204, Pending: 3, Paused: 2, Unsubscribed: 40}, Paused: true,
	Next: []NextEdition{{Rhythm: "daily", At: time.Date(2026, 11, 23, 17, 0, 0, 0, time.UTC), Hour: "17:00"}},
}

// sampleSections have a field of each kind. Their words are those of lists.
func sampleSections(area string) (sections []Section) {
	for i, kind := range []FieldKind{LineField, NumberField, HourField, ColourField, LinesField, TextField, CheckField, ChoiceField, ChoicesField, OpenField, WordsField, TextsField} {
		name := []string{"slug", "name", "theme"}[i%3]
		sections = append(sections, Section{Area: area, Name: "basics", Open: i%2 == 0, Fields: []FormField{{
			Area: area, Name: name, Kind: kind, Values: []string{hostile}, Options: []FormChoice{{Value: "a", Label: hostile, Chosen: true}, {Value: "monday", Key: "form.weekday.monday"}},
			Rows: []WordsRow{{"ar", hostile}, {}}, Mistake: []string{"", "mistaken"}[i%2], NoHelp: i%5 == 0,
		}}})
	}
	return sections
}
