package templates

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/clipperhouse/displaywidth"
)

// Digest is what a digest mail shows. One is made per variant; what differs per recipient (Address, the two links) is given as
// placeholders that the mailer replaces in the finished bytes, so templates print both as they are, wherever they like.
type Digest struct {
	Language       string    // of the product's words; see Set.Language
	ListName       string    // in Language
	Date           time.Time // the edition's date, in the list's zone
	Articles       []DigestArticle
	SenderName     string
	PostalAddress  string // lines as they are to be printed
	Address        string // whom it is sent to
	PreferencesURL string // "" leaves it out
	UnsubscribeURL string
}

// DigestArticle is one article of a digest.
type DigestArticle struct {
	Title     string
	URL       string // absolute
	Section   string
	Summary   string // plain text, paragraphs parted by empty lines
	Language  string // of title and summary
	Fallback  bool   // in none of the reader's languages: said so
	ImageURL  string // "" for none
	ImageAlt  string
	Published time.Time // in the list's zone; zero: not shown
}

// Mail is a rendered mail.
type Mail struct {
	Subject string // one line, not yet encoded
	HTML    string
	Text    string // lines of at most 72 columns, addresses apart
}

// digestView is what both of the digest's templates execute on.
type digestView struct {
	Digest
	Subject   string
	Preheader string
}

const (
	headlineColumns  = 120 // of the subject's headline; what is longer no inbox shows
	preheaderColumns = 140
)

// Digest renders a digest mail in d.Language, or in English when it has no catalogue. The same Digest gives the same bytes. A
// web address that is not http or https is left out; placeholders made of ASCII letters and digits come out unchanged.
func (s *Set) Digest(d Digest) (Mail, error) {
	v := s.voice(d.Language)
	subject, err := v.words.subject(d)
	if err != nil {
		return Mail{}, fmt.Errorf("templates: digest in %s: %w", v.words.tag, err)
	}
	view := digestView{Digest: d, Subject: subject, Preheader: preheader(d.Articles)}
	var html, text bytes.Buffer
	if err := v.digest.Execute(&html, view); err != nil {
		return Mail{}, fmt.Errorf("templates: digest in %s: %w", v.words.tag, err)
	}
	if err := v.digestText.Execute(&text, view); err != nil {
		return Mail{}, fmt.Errorf("templates: digest in %s: %w", v.words.tag, err)
	}
	return Mail{Subject: subject, HTML: html.String(), Text: text.String()}, nil
}

// subject names the list, so that mail can be told apart and sorted, and the first headline, so that it is worth opening; the
// date stands on top of the mail itself.
func (w *words) subject(d Digest) (string, error) {
	if len(d.Articles) == 0 {
		return w.message("digest.subject_empty", "List", d.ListName, "Date", w.date(d.Date))
	}
	headline := displaywidth.TruncateString(line(d.Articles[0].Title), headlineColumns, "…")
	return w.message("digest.subject", "List", d.ListName, "Headline", headline)
}

// preheader is what an inbox shows behind the subject: the other headlines, or the beginning of the only article.
func preheader(articles []DigestArticle) string {
	var parts []string
	for i, a := range articles {
		if i > 0 {
			parts = append(parts, line(a.Title))
		}
	}
	if len(articles) == 1 {
		parts = append(parts, line(articles[0].Summary))
	}
	return displaywidth.TruncateString(strings.Join(parts, " · "), preheaderColumns, "…")
}

// label is the line above an article's title: its section and its day.
func (w *words) label(a DigestArticle) string {
	var parts []string
	if section := line(a.Section); section != "" {
		parts = append(parts, w.isolate(section))
	}
	if !a.Published.IsZero() {
		parts = append(parts, w.date(a.Published))
	}
	return strings.Join(parts, " · ")
}
