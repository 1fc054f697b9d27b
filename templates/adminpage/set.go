// Package adminpage holds the administrators' pages: one Go struct per page, its template below html/, and their words in catalogues/.
//
// A language is one file in catalogues/, named after its tag, with the messages of en.toml; it must be one that the product speaks. What is
// said of package templates about foreign text holds here, too: it is passed in as it came and stays text.
//
// A template's dot is the Frame with the page in it: {{.Page.Title}}, {{$.May "send"}}, {{when $.Zone .At}}. It defines "title" and "main",
// and may define "head" for what is its own there. What many pages show is in html/parts.html, and
// what several of an area do in a file whose name ends with it.
package adminpage

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"silkpost/internal/language"
	"silkpost/templates"
)

//go:embed catalogues html
var files embed.FS

// Page is what one page shows.
type Page interface {
	template() string // the page's file below html/, without its ending
}

// Set is every page in every language of the administrators' pages. It may be used by any number of goroutines.
type Set struct {
	tags   []string
	voices map[string]func() (map[string]*template.Template, error)
	words  map[string]Words
}

// New returns the embedded pages and catalogues, which are parsed once. An error names the file and what is wrong with it.
func New() (*Set, error) { return embedded() }

var embedded = sync.OnceValues(readSet)

func readSet() (*Set, error) {
	words, err := templates.New()
	if err != nil {
		return nil, err
	}
	funcs, err := words.Extend(files)
	if err != nil {
		return nil, err
	}
	s := &Set{tags: slices.Sorted(maps.Keys(funcs)), voices: map[string]func() (map[string]*template.Template, error){}, words: map[string]Words{}}
	for tag, f := range funcs {
		maps.Copy(f, own(f))
		s.words[tag] = wordsOf(f)
		s.voices[tag] = sync.OnceValues(func() (map[string]*template.Template, error) { return parse(f) })
	}
	_, err = s.voices["en"]()
	return s, err
}

// own are the functions that these pages have beside those of package templates.
func own(words template.FuncMap) template.FuncMap {
	hour := words["hour"].(func(time.Time) string)
	weekday := words["weekday"].(func(time.Time) string)
	message := words["t"].(func(string, ...string) (string, error))
	day := words["date"].(func(time.Time) string)
	funcs := template.FuncMap{
		"when": func(zone *time.Location, at time.Time) (string, error) {
			return message("moment", "Date", day(at.In(zone)), "Time", hour(at.In(zone)))
		},
		"ahead": func(zone *time.Location, at time.Time) (string, error) { // what is planned is known by its weekday
			return message("moment", "Date", weekday(at.In(zone)), "Time", hour(at.In(zone)))
		},
		"day": func(zone *time.Location, at time.Time) string { return day(at.In(zone)) },
		"done": func(key string) (said string) { // the key comes from an address: an unknown one says nothing
			said, _ = message("done." + key)
			return said
		},
		"maybe": func(key string) (said string) { // for what may be something that there is no message for
			said, _ = message(key)
			return said
		},
		"address": func(address string) template.HTML { // it is broken between its parts, not within a word
			shown := template.HTMLEscapeString(words["line"].(func(string) string)(address))
			return template.HTML(strings.NewReplacer("@", "<wbr>@", ".", ".<wbr>").Replace(shown)) //nolint:gosec // it is escaped
		},
		"pair": func(frame, value any) Pair { return Pair{frame, value} },
	}
	maps.Copy(funcs, partFuncs)
	maps.Copy(funcs, contentFuncs(words))
	return funcs
}

// Pair is the dot of a part that needs the frame and something else.
type Pair struct{ Frame, Value any }

func parse(funcs template.FuncMap) (map[string]*template.Template, error) {
	pages, err := fs.Glob(files, "html/*.html")
	if err != nil {
		return nil, err
	}
	parsed := map[string]*template.Template{}
	for _, file := range pages {
		if file == "html/layout.html" || strings.HasSuffix(file, "parts.html") {
			continue
		}
		t, err := template.New("layout.html").Funcs(funcs).ParseFS(files, "html/layout.html", "html/*parts.html", file)
		if err != nil {
			return nil, fmt.Errorf("adminpage: %w", err)
		}
		parsed[file] = t
	}
	return parsed, nil
}

// Languages returns the tags of the languages that the pages are in.
func (s *Set) Languages() []string { return s.tags }

// Language returns the language of the pages for somebody who reads wanted: the first of them that there is, else "en".
func (s *Set) Language(wanted ...string) string {
	if tag := language.Choose(wanted, s.tags); tag != "" {
		return tag
	}
	return "en"
}

// Words returns the words of the nearest language that there is to those that somebody reads, for what is no page, such as a mail.
func (s *Set) Words(wanted ...string) Words { return s.words[s.Language(wanted...)] }

// Say returns a message in the nearest language that there is. arguments are names and values in turn. A key that there is not is an error.
func (s *Set) Say(lang, key string, arguments ...string) (string, error) {
	return s.Words(lang).Say(key, arguments...)
}

// Write writes a page in the frame's language. It is rendered before the first byte is written.
func (s *Set) Write(w io.Writer, frame Frame) error {
	return s.execute(w, frame, "layout.html")
}

// WritePart writes what a template that the page's file defines makes of it: what stands in the page with the attribute data-live of that name,
// when something new is to be shown there.
func (s *Set) WritePart(w io.Writer, frame Frame, part string) error {
	return s.execute(w, frame, part)
}

// execute writes what the page's file, or the layout, defines under a name.
func (s *Set) execute(w io.Writer, frame Frame, what string) error {
	frame.Language = s.Language(frame.Language)
	frame.Languages = s.tags
	if frame.Zone == nil {
		frame.Zone = time.UTC
	}
	pages, err := s.voices[frame.Language]()
	if err != nil {
		return err
	}
	name := frame.Page.template()
	page, ok := pages["html/"+name+".html"]
	if !ok {
		return fmt.Errorf("adminpage: there is no html/%s.html", name)
	}
	var buf bytes.Buffer
	if err := page.ExecuteTemplate(&buf, what, frame); err != nil {
		return fmt.Errorf("adminpage: %s in %s: %w", name, frame.Language, err)
	}
	_, err = buf.WriteTo(w)
	return err
}
