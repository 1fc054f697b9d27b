package templates

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"reflect"
	"slices"
	"strings"
	texttemplate "text/template"

	"silkpost/internal/errs"
)

// Own is what a theme's own templates may name: the fields of a digest, all of it finished words. Dates are written out, addresses checked,
// and what there is none of is "" or empty. In the template for HTML an introduction is HTML, in that for text it is text with its links below.
//
// Templates that people write are data. Set.CheckTheme refuses all but fields, {{range}}, {{if}}, {{with}} and a few functions; there are no
// methods to call, nothing is defined or included, and only a range over articles may hold another one, over strings. So the work is bounded by
// the digest, and what is written by a limit.
type Own struct {
	Language       string // a tag
	Direction      string // ltr or rtl
	Start, End     string // left and right, or the other way round
	Subject        string
	Preheader      string
	ListName       string
	Date           string
	Count          string // "3 articles"
	Introduction   template.HTML
	Articles       []OwnArticle
	More           []OwnArticle // for which there is only room for title and address
	Logo           OwnLogo
	Light, Dark    OwnColours
	Footer         []string // paragraphs
	Why            string   // why this comes to Address
	Address        string
	SentBy         string
	PostalAddress  []string // lines
	ReplyAddress   string
	ViewURL        string
	PreferencesURL string
	UnsubscribeURL string
	Words          OwnWords
}

// OwnArticle is an article as Own has it.
type OwnArticle struct {
	Title      string
	URL        string
	Label      string // section and date
	Section    string
	Published  string
	Mark       string   // "In Arabic", where it is in none of the reader's languages
	Paragraphs []string // none in an article for which the HTML had no room; the text has them all
	Language   string
	Direction  string
	Start, End string
	ImageURL   string
	ImageAlt   string
}

// OwnLogo is a theme's logo as Own has it.
type OwnLogo struct {
	URL, Alt, Background string
	Width                int
}

// OwnColours are a theme's colours as Own has them.
type OwnColours struct {
	Paper, Sheet, Ink, Soft, Accent, Mark, Line string
	OnAccent                                    string // text on Accent
}

// OwnWords are the product's words, in the digest's language.
type OwnWords struct {
	ReadOn, View, Preferences, Unsubscribe, UnsubscribeFrom, More, Nothing string
	Reply                                                                  string // goes before ReplyAddress
}

// maxOwn is how many bytes a template of a theme's own may write.
const maxOwn = 512 * 1024

// ownFuncs are the functions that own templates may call, besides and, or, not, len and comparisons.
var ownFuncs = map[string]any{
	"outlook": outlook,                                           // what only Outlook reads: settings, open, close
	"wrap":    func(s string) string { return wrap(s, columns) }, // to 72 columns
}

// own renders a theme's own templates over a mail that the usual ones made. What a template of its own cannot say stays as it is, and Mail.Warning
// says why: a mail that must go out is not held up by a theme.
func (w *words) own(view *digestView, usual Mail) Mail {
	if view.Theme.HTML != "" {
		if html, err := w.ownHTML(view, view.Theme.HTML); err != nil {
			usual.Warning = fmt.Sprintf("theme %s, html: %v", view.Theme.Slug, err)
		} else {
			usual.HTML = html
		}
	}
	if view.Theme.Text != "" {
		if text, err := w.ownText(view, view.Theme.Text); err != nil {
			usual.Warning = fmt.Sprintf("theme %s, text: %v", view.Theme.Slug, err)
		} else {
			usual.Text = text
		}
	}
	return usual
}

func (w *words) ownHTML(view *digestView, source string) (string, error) {
	fields, err := w.fields(view, view.Introduction.HTML)
	if err != nil {
		return "", err
	}
	rendered, err := executeHTML(source, fields)
	if err != nil {
		return "", err
	}
	seen, err := inspect(rendered, fields)
	if err != nil {
		return "", err
	}
	return rendered, seen.lacks(fields)
}

func executeHTML(source string, fields *Own) (string, error) {
	t, err := template.New("html").Funcs(ownFuncs).Parse(source)
	if err != nil {
		return "", err
	}
	var out limited
	if err := t.Execute(&out, fields); err != nil {
		return "", err
	}
	return out.String(), nil
}

func (w *words) ownText(view *digestView, source string) (string, error) {
	introduction, _ := view.Introduction.text(0)
	everything := *view
	everything.Articles = slices.Clone(view.Articles)
	for i := range everything.Articles {
		everything.Articles[i].Brief = false
	}
	fields, err := w.fields(&everything, template.HTML(introduction)) //nolint:gosec // shown as text
	if err != nil {
		return "", err
	}
	t, err := texttemplate.New("text").Funcs(ownFuncs).Parse(source)
	if err != nil {
		return "", err
	}
	var out limited
	if err := t.Execute(&out, fields); err != nil {
		return "", err
	}
	text := squeezed(strings.ReplaceAll(out.String(), "\r\n", "\n"))
	return text, inspectText(text).lacks(fields)
}

// limited is a buffer that takes no more than maxOwn.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxOwn {
		return 0, errs.New(errs.Invalid, "it writes more than %d kB: shorten it", maxOwn/1024)
	}
	return l.Buffer.Write(p)
}

var _ io.Writer = (*limited)(nil)

// fields fills in what own templates may name.
func (w *words) fields(v *digestView, introduction template.HTML) (*Own, error) {
	p := &phrases{words: w}
	own := &Own{
		Language: w.tag, Direction: direction(w.tag), Start: start(w.tag), End: end(w.tag), Subject: v.Subject, Preheader: v.Preheader,
		ListName: line(v.ListName), Date: w.weekday(v.Date), Introduction: introduction, Light: v.Light.own(), Dark: v.Dark.own(),
		Footer: v.Footer.Paragraphs, Address: line(v.Address), PostalAddress: lines(v.PostalAddress), ReplyAddress: line(v.ReplyAddress),
		ViewURL: v.ViewURL, PreferencesURL: v.PreferencesURL, UnsubscribeURL: v.UnsubscribeURL,
		Why: p.message("digest.why", "List", v.ListName),
		Words: OwnWords{
			ReadOn:          p.message("digest.read_on"),
			View:            p.message("digest.view"),
			Preferences:     p.message("digest.preferences"),
			Unsubscribe:     p.message("digest.unsubscribe"),
			UnsubscribeFrom: p.message("digest.unsubscribe_from", "List", v.ListName),
			More:            p.message("digest.more"),
			Nothing:         p.message("digest.nothing"),
			Reply:           p.message("digest.reply"),
		},
	}
	if v.Logo != nil {
		own.Logo = OwnLogo{URL: v.Logo.URL, Alt: v.Logo.Alt, Background: v.Logo.Background, Width: v.Logo.Width}
	}
	if v.SenderName != "" {
		own.SentBy = p.message("digest.sent_by", "Sender", v.SenderName)
	}
	for _, articles := range []struct {
		from []DigestArticle
		to   *[]OwnArticle
	}{{v.Articles, &own.Articles}, {v.More, &own.More}} {
		for _, a := range articles.from {
			*articles.to = append(*articles.to, p.article(a))
		}
	}
	if len(v.Articles) > 0 {
		count, err := w.plural("digest.count", len(v.Articles))
		if err != nil {
			return nil, err
		}
		own.Count = count
	}
	return own, p.err
}

func (p *phrases) article(a DigestArticle) OwnArticle {
	own := OwnArticle{
		Title: line(a.Title), URL: webAddress(a.URL), Label: p.words.label(a), Section: line(a.Section), Language: languageTag(a.Language),
		Direction: direction(a.Language), Start: start(a.Language), End: end(a.Language),
	}
	if !a.Brief {
		own.Paragraphs, own.ImageURL, own.ImageAlt = paragraphs(a.Summary), webAddress(a.ImageURL), line(a.ImageAlt)
	}
	if !a.Published.IsZero() {
		own.Published = p.words.date(a.Published)
	}
	if a.Fallback {
		own.Mark = p.message("digest.in_language", "Language", p.words.language(a.Language))
	}
	return own
}

func (p palette) own() OwnColours {
	return OwnColours{p.Paper, p.Sheet, p.Ink, p.Soft, p.Accent, p.Mark, p.Line, p.OnAccent}
}

// ownType is what own templates execute on.
var ownType = reflect.TypeFor[Own]()
