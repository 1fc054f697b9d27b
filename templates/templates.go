// Package templates holds everything a person sees as text: digests and notices, public pages, the mail catcher's pages, and the catalogue
// of the product's words in each language.
//
// Each template has one Go struct; New refuses a file that none is declared for. Foreign text (titles, names, addresses) is
// passed in as it came and stays text: it is escaped, laid on one line and freed of control characters and of bidirectional
// overrides, so that it cannot reach beyond its own place. Nothing here knows the time or the reader: the same values give the
// same bytes.
//
// A language is one file in catalogues/, named after its tag: nothing else knows which languages there are. Its words must be those of
// catalogues/en.toml, with the plural forms that the language has; that file says how.
package templates

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	texttemplate "text/template"

	"silkpost/internal/errs"
	"silkpost/internal/language"
)

//go:embed catalogues html text static
var files embed.FS

// pageNames are the pages below html/; each is parsed together with layout.html. digest.html stands alone.
var pageNames = []string{
	"feeds", "feed", "article", "subscribe", "subscribed", "confirm", "change", "unsubscribe", "preferences", "again", "links", "dropped", "archive", "edition", "error", "catcher-list",
	"catcher-message",
}

// parts says which files a page shares with others.
var parts = map[string][]string{
	"feeds": {feedParts}, "feed": {feedParts},
	"subscribe": {peopleParts, choiceParts}, "subscribed": {peopleParts}, "confirm": {peopleParts}, "change": {peopleParts},
	"unsubscribe": {peopleParts}, "preferences": {peopleParts, choiceParts}, "again": {peopleParts},
	"links": {peopleParts}, "dropped": {peopleParts}, "archive": {archiveParts}, "edition": {archiveParts},
}

const (
	feedParts    = "html/feed-parts.html"
	peopleParts  = "html/people-parts.html"
	choiceParts  = "html/choice-parts.html"
	archiveParts = "html/archive-parts.html"
	mailParts    = "html/mail-parts.html" // of the mails
)

// Set is every template, parsed once per catalogue. It may be used by any number of goroutines.
type Set struct {
	files  fs.FS
	tags   []string // of the catalogues, sorted
	voices map[string]*voice
	assets assets
}

// voice is the product speaking one language. Its templates are parsed when they are first needed: few processes speak all languages.
type voice struct {
	words      *words
	parsed     func() error
	pages      map[string]*template.Template
	digest     *template.Template
	digestText *texttemplate.Template
	notice     *template.Template
	noticeText *texttemplate.Template
}

// New returns the embedded templates and catalogues, which are parsed once. An error names the file and what is wrong with it.
func New() (*Set, error) { return embedded() }

var embedded = sync.OnceValues(func() (*Set, error) { return newSet(files) })

func newSet(fsys fs.FS) (*Set, error) {
	if err := refuseUndeclared(fsys); err != nil {
		return nil, err
	}
	catalogues, err := readCatalogues(fsys)
	if err != nil {
		return nil, err
	}
	s := &Set{files: fsys, voices: map[string]*voice{}}
	if s.assets, err = readAssets(fsys); err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, c := range catalogues {
		s.tags = append(s.tags, c.tag)
		names[c.tag] = c.plain("name")
	}
	for _, c := range catalogues {
		c.siblings, c.ownNames = s.tags, names
		s.voices[c.tag] = newVoice(fsys, c, s.assets)
	}
	if err := s.voices[reference].parsed(); err != nil {
		return nil, err
	}
	return s, nil
}

// refuseUndeclared finds files that no struct is declared for: they would never be checked.
func refuseUndeclared(fsys fs.FS) error {
	declared := []string{
		"html/layout.html", "html/digest.html", "text/digest.txt", "html/notice.html", "text/notice.txt", mailParts, feedParts, peopleParts, choiceParts, archiveParts,
	}
	for _, name := range pageNames {
		declared = append(declared, "html/"+name+".html")
	}
	found, err := fs.Glob(fsys, "*/*")
	if err != nil {
		return err
	}
	for _, file := range found {
		dir := path.Dir(file)
		if (dir == "html" || dir == "text") && !slices.Contains(declared, file) {
			return errs.New(errs.Internal, "templates: %s: no struct is declared for this file", file)
		}
	}
	return nil
}

func newVoice(fsys fs.FS, w *words, a assets) *voice {
	v := &voice{words: w, pages: map[string]*template.Template{}}
	funcs := w.funcs()
	funcs["static"] = a.path
	v.parsed = sync.OnceValue(func() error { return v.parse(fsys, funcs) })
	return v
}

func (v *voice) parse(fsys fs.FS, funcs template.FuncMap) error {
	for _, name := range pageNames {
		names := append([]string{"html/layout.html", "html/" + name + ".html"}, parts[name]...)
		t, err := template.New("layout.html").Funcs(funcs).ParseFS(fsys, names...)
		if err != nil {
			return fmt.Errorf("templates: %w", err)
		}
		v.pages[name] = t
	}
	var err error
	for name, mail := range map[string]struct {
		html **template.Template
		text **texttemplate.Template
	}{"digest": {&v.digest, &v.digestText}, "notice": {&v.notice, &v.noticeText}} {
		if *mail.html, err = template.New(name+".html").Funcs(funcs).ParseFS(fsys, "html/"+name+".html", mailParts); err != nil {
			return fmt.Errorf("templates: %w", err)
		}
		if *mail.text, err = texttemplate.New(name+".txt").Funcs(texttemplate.FuncMap(funcs)).ParseFS(fsys, "text/"+name+".txt"); err != nil {
			return fmt.Errorf("templates: %w", err)
		}
	}
	return nil
}

// Page writes a page in a catalogue's language (see Language). It is rendered before the first byte is written, so after an
// error of rendering nothing has reached w. The caller sets status and headers; the pages need no more of a
// Content-Security-Policy than style-src 'self', script-src 'self' where Scripted says so, img-src for the articles' pictures,
// frame-src 'self' for the mail catcher and form-action 'self'.
func (s *Set) Page(w io.Writer, lang string, page Page) error {
	name := page.template()
	var buf bytes.Buffer
	if err := s.voice(lang).pages[name].Execute(&buf, page); err != nil {
		return fmt.Errorf("templates: page %s in %s: %w", name, lang, err)
	}
	_, err := buf.WriteTo(w)
	return err
}

// Tags returns the languages that there are catalogues of, sorted.
func (s *Set) Tags() []string { return slices.Clone(s.tags) }

// Speaks reports whether there is a catalogue of exactly that tag.
func (s *Set) Speaks(tag string) bool { return s.voices[tag] != nil }

// Language returns the language of the product's words for a reader: the first of wanted that has a catalogue, else fallback
// if that has one, else "en".
func (s *Set) Language(wanted []string, fallback string) string {
	for _, tags := range [][]string{wanted, {fallback}} {
		if tag := language.Choose(tags, s.tags); tag != "" {
			return tag
		}
	}
	return reference
}

// voice returns the voice for a language, ready to speak.
func (s *Set) voice(lang string) *voice {
	v := s.voices[s.Language([]string{lang}, reference)]
	if err := v.parsed(); err != nil {
		panic(err) // newSet has parsed the very same files in the language of reference
	}
	return v
}

// tagOf returns the tag that a catalogue's file is named after.
func tagOf(file string) string { return strings.TrimSuffix(path.Base(file), ".toml") }
