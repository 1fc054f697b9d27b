package templates

import (
	"bytes"
	"fmt"
	"time"
)

// ArchivePage lists the editions of a list that went out, as read in one language.
type ArchivePage struct {
	ListName     string
	Editions     []ArchiveEdition // newest first
	URL          string           // of this page, absolute: the canonical one
	OlderURL     string           // "": there are none
	Newest       bool             // there are no newer ones
	SubscribeURL string           // "" leaves it out
	Languages    []ArchiveLanguage
	Feeds        []FeedLink
}

// ArchiveEdition is one edition in few words.
type ArchiveEdition struct {
	URL      string
	Rhythm   string    // immediate, daily, weekly, monthly; any other is not told
	Date     time.Time // in the list's zone
	Articles []DigestArticle
}

// ArchiveLanguage is the same page in another language.
type ArchiveLanguage struct{ Language, URL string }

// EditionPage shows one edition.
type EditionPage struct {
	ListName     string
	Date         time.Time // in the list's zone
	Subject      string    // that an editor gave it; "": none
	Introduction string    // Markdown; "": none
	IntroducedIn string    // language of Introduction; "": that of the page
	Articles     []DigestArticle
	URL          string // of this page, absolute: the canonical one
	ArchiveURL   string
	SubscribeURL string // "" leaves it out
	Languages    []ArchiveLanguage
	Feeds        []FeedLink
}

func (ArchivePage) template() string { return "archive" }
func (EditionPage) template() string { return "edition" }

// Edition returns what feeds say of an edition: a title, and its introduction and articles as HTML. The same page gives the same bytes.
func (s *Set) Edition(lang string, p EditionPage) (title string, html string, err error) {
	v := s.voice(lang)
	var b bytes.Buffer
	if err := v.pages["edition"].ExecuteTemplate(&b, "edition-body", p); err != nil {
		return "", "", fmt.Errorf("templates: edition in %s: %w", lang, err)
	}
	headline := line(p.Subject)
	if headline == "" && len(p.Articles) > 0 {
		headline = p.Articles[0].Title
	}
	title, err = v.words.message("archive.item", "Date", v.words.date(p.Date), "Headline", headline)
	return title, b.String(), err
}
