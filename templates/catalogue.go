package templates

import (
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/pelletier/go-toml/v2"
	xlanguage "golang.org/x/text/language"

	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// reference is the language whose catalogue says which messages there are.
const reference = "en"

// words are the messages, dates and numbers of one language.
type words struct {
	tag       string
	siblings  []string          // tags of all catalogues
	ownNames  map[string]string // of all catalogues, by tag
	messages  map[string]*i18n.Message
	bundle    *i18n.Bundle
	localizer *i18n.Localizer
	said      *phrasebook
	calendar
	numerals
}

// readCatalogues reads every catalogue and checks that it holds the messages of the reference, no fewer and no more.
func readCatalogues(fsys fs.FS) ([]*words, error) {
	found, err := fs.Glob(fsys, "catalogues/*.toml")
	if err != nil {
		return nil, err
	}
	var all []*words
	var model *words
	for _, file := range found {
		w, err := readCatalogue(fsys, file)
		if err != nil {
			return nil, fmt.Errorf("templates: %s: %w", file, err)
		}
		if w.tag == reference {
			model = w
		}
		all = append(all, w)
	}
	if model == nil {
		return nil, errs.New(errs.Internal, "templates: catalogues/%s.toml is missing", reference)
	}
	for _, w := range all {
		if err := w.compare(model); err != nil {
			return nil, err
		}
		if err := w.readDates(); err != nil {
			return nil, fmt.Errorf("templates: catalogues/%s.toml: %w", w.tag, err)
		}
	}
	return all, nil
}

// readCatalogue reads one. Each language has a bundle of its own, so that no message ever comes from another language.
func readCatalogue(fsys fs.FS, file string) (*words, error) {
	tag, err := language.Parse(tagOf(file))
	if err != nil {
		return nil, err
	}
	raw, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, err
	}
	var sentences struct {
		Said map[string]string `toml:"said"`
	}
	if err := toml.Unmarshal(raw, &sentences); err != nil {
		return nil, err
	}
	bundle := i18n.NewBundle(xlanguage.Make(tag))
	bundle.RegisterUnmarshalFunc("toml", unmarshalMessages)
	parsed, err := bundle.ParseMessageFileBytes(raw, file)
	if err != nil {
		return nil, err
	}
	w := &words{tag: tag, messages: map[string]*i18n.Message{}, bundle: bundle, localizer: i18n.NewLocalizer(bundle, tag), said: readPhrases(sentences.Said)}
	for _, m := range parsed.Messages {
		w.messages[m.ID] = m
	}
	return w, nil
}

// unmarshalMessages reads a catalogue without what the program says in English, which are no messages: see said.go.
func unmarshalMessages(raw []byte, into any) error {
	err := toml.Unmarshal(raw, into)
	if tables, ok := into.(*any); ok {
		if all, ok := (*tables).(map[string]any); ok {
			delete(all, "said")
		}
	}
	return err
}

// bundleTag is the language that the bundle's messages are in.
func (w *words) bundleTag() xlanguage.Tag { return xlanguage.Make(w.tag) }

// compare tells the first message that w lacks or has too many.
func (w *words) compare(model *words) error {
	for _, key := range slices.Sorted(maps.Keys(model.messages)) {
		if w.messages[key] == nil {
			return errs.New(errs.Internal, "templates: catalogues/%s.toml: message %s is missing", w.tag, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(w.messages)) {
		if model.messages[key] == nil {
			return errs.New(errs.Internal, "templates: catalogues/%s.toml: message %s is not one of %s", w.tag, key, reference)
		}
	}
	return nil
}

// funcs are what templates call.
func (w *words) funcs() template.FuncMap {
	return template.FuncMap{
		"t":           w.message,
		"n":           w.plural,
		"lang":        func() string { return w.tag },
		"dir":         func() string { return direction(w.tag) },
		"start":       func() string { return start(w.tag) },
		"directionOf": direction,
		"startOf":     start,
		"language":    w.language,
		"languages":   w.languages,
		"list":        w.list,
		"introduce":   w.introduction,
		"date":        w.date,
		"weekday":     w.weekday,
		"moment":      w.moment,
		"hour":        w.hour,
		"number":      func(n int) string { return w.number(float64(n), 0) },
		"feedGroup":   w.feedGroup,
		"subscribe":   subscribeAddress,
		"machine":     func(t time.Time) string { return t.Format(time.RFC3339) },
		"size":        w.size,
		"label":       w.label,
		"catalogues":  func() []string { return w.siblings },
		"ownName":     w.ownName,
		"rhythm":      w.rhythm,
		"pause":       w.pause,
		"pauses":      func() []string { return Pauses },
		"line":        line,
		"lines":       lines,
		"paragraphs":  paragraphs,
		"web":         webAddress,
		"filler":      filler,
		"tag":         languageTag,
		"outlook":     outlook,
		"wrap":        func(s string) string { return wrap(s, columns) },
		"next":        func(i int) int { return i + 1 },
	}
}

// message returns the words of a message. arguments are names and values in turn: "List", "News for our partners".
func (w *words) message(key string, arguments ...string) (string, error) {
	data, err := w.arguments(arguments)
	if err != nil {
		return "", fmt.Errorf("message %s: %w", key, err)
	}
	return w.localizer.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data})
}

// plural returns the words of a message for a count, which the message calls Count.
func (w *words) plural(key string, count int, arguments ...string) (string, error) {
	data, err := w.arguments(arguments)
	if err != nil {
		return "", fmt.Errorf("message %s: %w", key, err)
	}
	data["Count"] = w.number(float64(count), 0)
	return w.localizer.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data, PluralCount: count})
}

// feedGroup returns what the feeds of a kind are called together.
func (w *words) feedGroup(kind string) (string, error) {
	switch kind {
	case "section":
		return w.message("groups.section")
	case "language":
		return w.message("groups.language")
	case "tag":
		return w.message("groups.tag")
	case "source":
		return w.message("groups.source")
	}
	return w.message("groups.declared")
}

func (w *words) arguments(pairs []string) (map[string]string, error) {
	if len(pairs)%2 != 0 {
		return nil, errs.New(errs.Internal, "%q has no value", pairs[len(pairs)-1])
	}
	data := map[string]string{}
	for name := range slices.Chunk(pairs, 2) {
		data[name[0]] = w.isolate(line(name[1]))
	}
	return data, nil
}

// isolate keeps a name that runs against the sentence it stands in from mixing with it (Unicode Annex 9: FSI and PDI).
func (w *words) isolate(s string) string {
	if !runsAgainst(s, language.RightToLeft(w.tag)) {
		return s
	}
	return "\u2068" + s + "\u2069"
}

// list joins names as the language does.
func (w *words) list(names []string) (string, error) {
	separator, err := w.message("list_separator")
	if err != nil {
		return "", err
	}
	clean := make([]string, len(names))
	for i, name := range names {
		clean[i] = line(name)
	}
	return strings.Join(clean, separator), nil
}

// languageTag returns a tag as a lang attribute takes it, "" (unknown) for what is none.
func languageTag(tag string) string {
	canonical, err := language.Parse(tag)
	if err != nil {
		return ""
	}
	return canonical
}

// direction returns the direction of a language's script, "ltr" or "rtl".
func direction(tag string) string {
	if language.RightToLeft(tag) {
		return "rtl"
	}
	return "ltr"
}

// start returns the side where a line of the language begins, for mail programs that know no logical properties.
func start(tag string) string {
	if language.RightToLeft(tag) {
		return "right"
	}
	return "left"
}

// end returns the other side.
func end(tag string) string {
	if language.RightToLeft(tag) {
		return "left"
	}
	return "right"
}
