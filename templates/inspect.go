package templates

import (
	"html/template"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"silkpost/internal/errs"
)

// seen is what a reader finds in a rendering of a theme's own template.
type seen struct {
	kind  string   // html or text
	text  string   // that is shown, without white space: lines may be broken between any words
	links []string // with something to press
}

// place is an error with where in a source it is: offsets, -1 when that is not known.
type place struct {
	at    int
	begun int // where the element stands that it is about
	error error
}

func (p *place) Error() string { return p.error.Error() }

func (p *place) Unwrap() error { return p.error }

func placedAt(at int, format string, args ...any) error {
	return &place{at: at, begun: -1, error: errs.New(errs.Invalid, format, args...)}
}

// void are the elements that have no end tag.
var void = strings.Fields("area base br col embed hr img input link meta param source track wbr")

// forbidden are elements that mail programs drop, that load what a reader did not ask for, or that do something by themselves.
var forbidden = strings.Fields("script iframe frame frameset object embed applet form input button select textarea base link video audio svg math template noscript xmp plaintext")

// inspect reads a rendering as a browser's tokenizer does. It wants every tag to be closed in its turn, and nothing in it that does things or
// loads anything but pictures. What differs per recipient is spliced in later, escaped as text: it must not stand where that means something else.
func inspect(rendered string, own *Own) (s seen, err error) {
	s.kind = "html"
	w := &walker{}
	if own != nil {
		w.address = own.Address
		w.slots = slices.DeleteFunc([]string{own.Address, own.ViewURL, own.PreferencesURL, own.UnsubscribeURL}, func(s string) bool { return s == "" })
	}
	z := html.NewTokenizer(strings.NewReader(rendered))
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			s.text, s.links = unspaced(w.text.String()), w.links
			return s, w.end()
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			raw := string(z.Raw())
			at := placeOf(raw)
			if w.holdsSlot(quoted.ReplaceAllString(raw, "")) {
				return s, placedAt(at, "a value stands without quotation marks: write them around it")
			}
			if err := w.tag(kind, z.Token(), at); err != nil {
				return s, err
			}
		case html.TextToken:
			if err := w.words(z.Token().Data); err != nil {
				return s, err
			}
		}
	}
}

// walker follows the tags of a rendering.
type walker struct {
	open  []element
	text  strings.Builder
	links []string

	address string
	slots   []string // what a recipient's own replaces
}

func (w *walker) holdsSlot(s string) bool {
	return slices.ContainsFunc(w.slots, func(slot string) bool { return strings.Contains(s, slot) })
}

// quoted are the values of attributes that stand in quotation marks.
var quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// placeOf returns the offset in the source that marked has written into a tag, else -1.
func placeOf(raw string) int {
	if found := markedAt.FindStringSubmatch(raw); found != nil {
		if at, err := strconv.Atoi(found[1]); err == nil {
			return at
		}
	}
	return -1
}

var markedAt = regexp.MustCompile(`^</?[a-zA-Z][a-zA-Z0-9:-]* data-at=(\d+)`)

type element struct {
	name   string
	at     int
	hidden bool // or inside of what is hidden
	href   string
	text   int // how much text there was before
}

func (w *walker) top() element {
	if len(w.open) == 0 {
		return element{at: -1}
	}
	return w.open[len(w.open)-1]
}

func (w *walker) tag(kind html.TokenType, t html.Token, at int) error {
	if slices.Contains(forbidden, t.Data) {
		return placedAt(at, "<%s> has no place in a mail: leave it out", t.Data)
	}
	if kind == html.EndTagToken {
		return w.close(t.Data, at)
	}
	for _, a := range t.Attr {
		if err := w.attribute(t.Data, a, at); err != nil {
			return err
		}
	}
	if t.Data == "img" && !w.top().hidden {
		w.text.WriteString(" " + attributeIn(t, "alt") + " ")
	}
	if slices.Contains(void, t.Data) {
		return nil
	}
	if kind == html.SelfClosingTagToken {
		return placedAt(at, "<%s/> does not close itself: write <%s></%s>", t.Data, t.Data, t.Data)
	}
	w.open = append(w.open, element{
		name: t.Data, at: at, hidden: w.top().hidden || hides(t), href: attributeIn(t, "href"), text: w.text.Len(),
	})
	return nil
}

func (w *walker) close(name string, at int) error {
	top := w.top()
	switch {
	case slices.Contains(void, name):
		return placedAt(at, "</%s> closes nothing: leave it out", name)
	case top.name == "":
		return placedAt(at, "</%s> closes nothing: no <%s> is open", name, name)
	case top.name != name:
		return &place{at: at, begun: top.at, error: errs.New(errs.Invalid, "</%s> comes before <%s> is closed: write </%s> first", name, top.name, top.name)}
	}
	w.open = w.open[:len(w.open)-1]
	if top.name == "a" && !top.hidden && strings.TrimSpace(w.text.String()[top.text:]) != "" {
		w.links = append(w.links, top.href)
	}
	return nil
}

func (w *walker) words(data string) error {
	switch top := w.top(); {
	case top.name == "style":
		if w.holdsSlot(data) {
			return placedAt(top.at, "<style> holds what differs per recipient: leave it out there")
		}
		if lower := strings.ToLower(data); strings.Contains(lower, "@import") || strings.Contains(lower, "url(") {
			return placedAt(top.at, "<style> loads something: leave out @import and url(…)")
		}
	case !top.hidden:
		w.text.WriteString(data)
	}
	return nil
}

func (w *walker) end() error {
	if top := w.top(); top.name != "" {
		return placedAt(top.at, "<%s> is never closed: write </%s> where it ends", top.name, top.name)
	}
	return nil
}

// attribute refuses what runs or loads. Addresses are web or mail addresses, or the placeholders that links are spliced into.
func (w *walker) attribute(element string, a html.Attribute, at int) error {
	value := strings.ToLower(strings.TrimSpace(a.Val))
	switch {
	case a.Key == "style" && w.holdsSlot(a.Val):
		return placedAt(at, "style=… holds what differs per recipient: leave it out there")
	case w.address != "" && strings.Contains(a.Val, w.address) && !strings.HasPrefix(value, "mailto:"):
		return placedAt(at, "%s=… holds the recipient's address: show that as text alone", a.Key)
	case strings.HasPrefix(a.Key, "on"):
		return placedAt(at, "%s=… is a script: leave it out", a.Key)
	case a.Key == "style" && strings.Contains(value, "url("), a.Key == "background":
		return placedAt(at, "<%s> loads a background: leave it out", element)
	case a.Key == "srcset" || a.Key == "src" && element != "img" || a.Key == "http-equiv" && value == "refresh":
		return placedAt(at, "<%s %s=…> has no place in a mail: leave it out", element, a.Key)
	case a.Key == "href" || a.Key == "src":
		scheme, _, found := strings.Cut(value, ":")
		if found && scheme != "https" && scheme != "http" && (scheme != "mailto" || a.Key == "src") {
			return placedAt(at, "%s=%q leads nowhere in a mail: write an address that begins with https://", a.Key, a.Val)
		}
	}
	return nil
}

// hides reports whether a mail program shows nothing of an element.
func hides(t html.Token) bool {
	if slices.Contains([]string{"head", "title", "style"}, t.Data) {
		return true
	}
	for _, a := range t.Attr {
		if a.Key == "hidden" || a.Key == "style" && hiding.MatchString(a.Val) {
			return true
		}
	}
	return false
}

var hiding = regexp.MustCompile(`(?i)display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0|opacity\s*:\s*0(?:\.0*)?\s*(?:;|$)`)

func attributeIn(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// inspectText reads a rendering as text.
func inspectText(rendered string) seen {
	return seen{kind: "text", text: unspaced(rendered), links: strings.Fields(rendered)}
}

// missing is what a rendering lacks.
type missing struct {
	field string // that would show it
	error error
}

func (m *missing) Error() string { return m.error.Error() }

func (m *missing) Unwrap() error { return m.error }

// lacks says the first thing that no digest may be without and that a reader does not find.
func (s seen) lacks(own *Own) error {
	lack := func(field, what, write string) error {
		return &missing{field: field, error: errs.New(errs.Invalid, "%s is missing: write %s", what, write)}
	}
	if !slices.Contains(s.links, own.UnsubscribeURL) {
		if s.kind == "html" {
			return lack("UnsubscribeURL", "the link to unsubscribe", `<a href="{{.UnsubscribeURL}}">{{.Words.Unsubscribe}}</a>, outside of {{if}} and {{range}}`)
		}
		return lack("UnsubscribeURL", "the link to unsubscribe", "{{.UnsubscribeURL}} on a line of its own, outside of {{if}} and {{range}}")
	}
	for _, l := range own.PostalAddress {
		if !s.shows(l) {
			return lack("PostalAddress", "the postal address", "{{range .PostalAddress}}{{.}}<br>{{end}}, outside of {{if}}")
		}
	}
	if introduction := wordsOf(own.Introduction, s.kind); !s.shows(introduction) {
		return lack("Introduction", "the introduction", "{{.Introduction}}")
	}
	for _, part := range []struct {
		name     string
		articles []OwnArticle
	}{{"Articles", own.Articles}, {"More", own.More}} {
		for _, a := range part.articles {
			switch {
			case !s.shows(a.Title):
				return lack(part.name, "a title", "{{range ."+part.name+"}}…{{.Title}}…{{end}}: who gets an article in a digest never gets it again")
			case a.URL != "" && !slices.Contains(s.links, a.URL):
				return lack(part.name, "the address of an article", `{{range .`+part.name+`}}…{{.URL}}…{{end}}, in HTML as <a href="{{.URL}}">{{.Title}}</a>`)
			case a.Mark != "" && !s.shows(a.Mark):
				return lack(part.name, "the mark of an article in another language", "{{range ."+part.name+"}}…{{.Mark}}…{{end}}")
			}
		}
	}
	return nil
}

// shows reports whether words are there.
func (s seen) shows(words string) bool { return strings.Contains(s.text, unspaced(words)) }

func unspaced(s string) string { return strings.Join(strings.Fields(s), "") }

// wordsOf returns the words of an introduction as the own templates of a kind have it.
func wordsOf(introduction template.HTML, kind string) string {
	if kind == "text" {
		return string(introduction)
	}
	s, _ := inspect(string(introduction), nil)
	return s.text
}
