package templates

import (
	_ "embed"
	"time"
)

// The templates that somebody who writes their own may begin with.
var (
	//go:embed testdata/own.html
	ExampleHTML string
	//go:embed testdata/own.txt
	ExampleText string
)

// Example returns a digest that shows what a theme looks like in a language: three articles of which one is in none of the reader's languages, and one that
// there is only room for the title of. It is of no list.
func (s *Set) Example(tag string, theme Theme, day time.Time) Digest {
	words, foreign := ExampleOf(tag), ExampleOf("ar")
	other := "ar"
	if tag == "ar" {
		foreign, other = ExampleOf(reference), reference
	}
	const site = "https://www.example.org/"
	return Digest{
		Language: tag, ListName: words.List, Date: day, SenderName: "Example Association", PostalAddress: "1 Example Street\n00000 Exampletown",
		ReplyAddress: "office@example.org", Address: "reader@example.org", ViewURL: site + "view", PreferencesURL: site + "preferences",
		UnsubscribeURL: site + "unsubscribe", Theme: theme,
		Articles: []DigestArticle{
			{Title: words.Title, Summary: words.Summary, Section: words.Section, Language: tag, URL: site + "river", Published: day},
			{Title: foreign.OtherTitle, Summary: foreign.OtherSummary, Language: other, Fallback: true, URL: site + "night"},
			{Title: words.OtherTitle, Summary: words.OtherSummary, Language: tag, URL: site + "square"},
		},
		More: []DigestArticle{{Title: words.OtherTitle, Language: tag, URL: site + "more"}},
	}
}
