package templates

import (
	"slices"
	"strings"
	"time"
)

// sample is a digest that templates are tried with.
type sample struct {
	Digest
	shape string
}

// samples returns digests of every shape, and a full one in each language.
func (s *Set) samples(theme Theme) []sample {
	var all []sample
	for name, change := range shapes {
		d := fullSample(reference, theme)
		change(&d)
		all = append(all, sample{d, name})
	}
	slices.SortFunc(all, func(a, b sample) int { return strings.Compare(a.shape, b.shape) })
	for _, tag := range s.tags {
		all = append(all, sample{fullSample(tag, theme), "in " + tag})
	}
	return all
}

// shapes take something away from a full digest.
var shapes = map[string]func(*Digest){
	"with everything":                          func(*Digest) {},
	"without articles":                         func(d *Digest) { d.Articles, d.More = nil, nil },
	"with one article":                         func(d *Digest) { d.Articles = d.Articles[:1] },
	"with nothing in it":                       func(d *Digest) { d.Articles, d.More, d.Introduction = nil, nil, "" },
	"without more":                             func(d *Digest) { d.More = nil },
	"without introduction":                     func(d *Digest) { d.Introduction = "" },
	"with an introduction in another language": func(d *Digest) { d.IntroducedIn = "ar" },
	"without sender":                           func(d *Digest) { d.SenderName, d.ReplyAddress = "", "" },
	"without other links":                      func(d *Digest) { d.ViewURL, d.PreferencesURL = "", "" },
	"of a theme without logo and footer": func(d *Digest) {
		d.Theme.Logo, d.Theme.Footer = Logo{}, nil
	},
	"of bare articles": func(d *Digest) {
		d.Articles = []DigestArticle{{Title: "Brief", URL: "https://example.org/brief", Language: "en", Brief: true}, {Title: "Bare", Language: "en"}}
	},
	"of forty articles": func(d *Digest) {
		for len(d.Articles) < 40 {
			d.Articles = append(d.Articles, d.Articles[:2]...)
		}
	},
}

func fullSample(tag string, theme Theme) Digest {
	day := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	if theme.Logo.URL == "" {
		theme.Logo = Logo{URL: "https://example.org/logo.png", Alt: "Logo", Width: 200}
	}
	if len(theme.Footer) == 0 {
		theme.Footer = map[string]string{"en": "Footer\n\nSecond paragraph"}
	}
	return Digest{
		Language: tag, ListName: "News & <more>", Date: day, Subject: "Subject", Preheader: "Preheader",
		Introduction: "Introduction with [link](https://example.org/link) & <signs>",
		Articles: []DigestArticle{
			{
				Title: "First & “best” <title>", URL: "https://example.org/first?a=1&b=2", Section: "Section", Summary: "One & <two>\n\nThree", Language: tag,
				ImageURL: "https://example.org/picture.jpg", ImageAlt: "Picture", Published: day,
			},
			{Title: "العنوان", URL: "https://example.org/second", Summary: "نص", Language: "ar", Fallback: true},
			{Title: "Third", URL: "https://example.org/third", Language: "de", Summary: "Drei"},
		},
		More:       []DigestArticle{{Title: "Fourth", URL: "https://example.org/fourth", Language: "fr", Fallback: true}},
		SenderName: "Sender & Sons", PostalAddress: "1 Sample Street & Square\n00000 Sampletown", ReplyAddress: "reply@example.org",
		Address: "SAMPLEADDRESS", ViewURL: "SAMPLEVIEW", PreferencesURL: "SAMPLEPREFERENCES", UnsubscribeURL: "SAMPLEUNSUBSCRIBE", Theme: theme,
	}
}
