package templates

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/clipperhouse/displaywidth"
)

// Digest is what a digest mail shows. One is made per variant; what differs per recipient (Address, the three links) is given as
// placeholders that the mailer replaces in the finished bytes, so templates print them as they are, wherever they like.
type Digest struct {
	Language       string    // of the product's words; see Set.Language
	ListName       string    // in Language
	Date           time.Time // the edition's date, in the list's zone
	Subject        string    // "": the list's name and the first headline
	Preheader      string    // what an inbox shows behind the subject; "": the other headlines
	Introduction   string    // Markdown; "": none
	IntroducedIn   string    // language of Introduction; "": Language
	Articles       []DigestArticle
	More           []DigestArticle // shown as titles with links
	SenderName     string
	PostalAddress  string // lines as they are to be printed
	ReplyAddress   string // where answers go; "" leaves it out
	Address        string // whom it is sent to
	ViewURL        string // the digest as a page; "" leaves it out
	PreferencesURL string // likewise
	UnsubscribeURL string
	Theme          Theme
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
	Brief     bool      // in HTML only the title and where to read on; so are those after it
}

// Mail is a rendered mail.
type Mail struct {
	Subject string // one line, not yet encoded
	HTML    string
	Text    string // lines of at most 72 columns, addresses apart
	Warning string // why a theme's own template was not used; "": it was, or there is none
}

// digestView is what both of the digest's templates execute on.
type digestView struct {
	Digest
	looks
	Blocks       []string
	Logo         *shownLogo
	Footer       footerWords
	Whole        []DigestArticle // the articles up to the first brief one
	Brief        []DigestArticle // the others, which stand closer together
	Single       bool            // there is one article, so where to read on is a button
	Subject      string
	Preheader    string
	Introduction introduction
	links        int // that the text has counted so far
}

// Number counts a link of the text.
func (v *digestView) Number() int {
	v.links++
	return v.links
}

const (
	headlineColumns  = 120 // of the subject's headline; what is longer no inbox shows
	preheaderColumns = 140
)

// IntroductionText returns the introduction as text and counts its links.
func (v *digestView) IntroductionText() (text string) {
	text, v.links = v.Introduction.text(v.links)
	return text
}

// Digest renders a digest mail in d.Language, or in English when it has no catalogue. The same Digest gives the same bytes. A
// web address that is not http or https is left out; placeholders made of ASCII letters and digits come out unchanged.
func (s *Set) Digest(d Digest) (Mail, error) {
	v := s.voice(d.Language)
	view, err := v.words.digest(d)
	if err != nil {
		return Mail{}, fmt.Errorf("templates: digest in %s: %w", v.words.tag, err)
	}
	var html, text bytes.Buffer
	if err := v.digest.Execute(&html, view); err != nil {
		return Mail{}, fmt.Errorf("templates: digest in %s: %w", v.words.tag, err)
	}
	if err := v.digestText.Execute(&text, view); err != nil {
		return Mail{}, fmt.Errorf("templates: digest in %s: %w", v.words.tag, err)
	}
	return v.words.own(view, Mail{Subject: view.Subject, HTML: html.String(), Text: squeezed(text.String())}), nil
}

// squeezed leaves one empty line where there are more, and none at the beginning.
func squeezed(text string) string {
	return strings.TrimLeft(severalEmpty.ReplaceAllString(text, "\n\n"), "\n")
}

var severalEmpty = regexp.MustCompile(`\n(?:[ \t]*\n){2,}`)

// digest fills in what was left to the product's own words.
func (w *words) digest(d Digest) (view *digestView, err error) {
	view = &digestView{
		Digest: d, looks: newLooks(d.Theme), Blocks: d.Theme.blocks(), Logo: d.Theme.logo(), Footer: d.Theme.footer(w.tag),
		Single: len(d.Articles) == 1, Subject: line(d.Subject), Preheader: line(d.Preheader),
	}
	whole := slices.IndexFunc(d.Articles, func(a DigestArticle) bool { return a.Brief })
	if whole < 0 {
		whole = len(d.Articles)
	}
	view.Whole, view.Brief = d.Articles[:whole], d.Articles[whole:]
	if view.Introduction, err = introduce(d.Introduction, w.tag, cmp.Or(d.IntroducedIn, w.tag), &view.looks); err != nil {
		return nil, err
	}
	if view.Preheader == "" {
		view.Preheader = preheader(d.Articles)
	}
	if view.Subject == "" {
		view.Subject, err = w.subject(d)
	}
	return view, err
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
