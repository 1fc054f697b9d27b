package adminpage

import (
	"html/template"
	"strings"

	"silkpost/internal/errs"
)

// The parts that many pages show are made by a function of its name, and put by the template of html/parts.html with that name:
//
//	{{template "heading" (heading (t "sources.title") "action" "/admin/sources/new" "label" (t "sources.add"))}}
//
// What comes first must be there; what else a part can have follows as names and values. A name that the part does not have, and a value of another
// kind, are errors, which the samples of the page's test bring to light.

// Heading is the head of a page.
type Heading struct {
	Title  string
	Lead   string // "lead": a sentence or two about what this page is for
	Above  string // "above" and "back": name and address of the page above
	Back   string
	Action string // "action" and "label": where the page's one primary button leads, and what it says; both "": it has none
	Label  string
	Badge  Badge // "badge": the state of what the page is about
}

func heading(title string, options ...any) (h Heading, err error) {
	h.Title = title
	return h, fill("heading", options, map[string]any{
		"lead": &h.Lead, "above": &h.Above, "back": &h.Back, "action": &h.Action, "label": &h.Label, "badge": &h.Badge,
	})
}

// Badge is a state: a word with a sign.
type Badge struct {
	Kind string // done, waiting, needs-you, or quiet for what is neither
	Word string
}

// signs stand before the words of badges.
var signs = map[string]string{"done": "✓", "waiting": "…", "needs-you": "!", "quiet": "–"}

// Sign returns the sign of the badge's kind.
func (b Badge) Sign() string { return signs[b.Kind] }

func badge(kind, word string) (Badge, error) {
	if signs[kind] == "" {
		return Badge{}, errs.New(errs.Internal, "adminpage: a badge is done, waiting, needs-you or quiet, not %q", kind)
	}
	return Badge{kind, word}, nil
}

// Field is one field of a form with its label, a hint and what is wrong with it. Its id is its name.
type Field struct {
	Name, Label string
	Type        string   // "type": of the input, or textarea, select, checkbox, radio; "": text
	Value       string   // "value"
	Hint        string   // "hint"
	Mistakes    Mistakes // "mistakes": of the form
	Options     []Option // "options": of a select or a group of radio buttons
	Rows        int      // "rows": of a textarea; 0: 5
	Required    bool     // "required": it is marked when others are not; what is missing the server says
	Optional    bool     // "optional": it says so
	Checked     bool     // "checked": of a checkbox
	Short       bool     // "short": for a number or an hour
	Code        bool     // "code": what is written is no prose
	Complete    string   // "complete": autocomplete, such as current-password; "": off
	Language    string   // "lang": of what is written; "": anything
	Accept      string   // "accept": of a file
}

// Option is one of several that can be chosen.
type Option struct {
	Value, Name string
	Hint        string
	Chosen      bool
}

func field(name, label string, options ...any) (f Field, err error) {
	f = Field{Name: name, Label: label, Type: "text", Rows: 5, Complete: "off"}
	return f, fill("field", options, map[string]any{
		"type": &f.Type, "value": &f.Value, "hint": &f.Hint, "mistakes": &f.Mistakes, "options": &f.Options, "rows": &f.Rows, "required": &f.Required,
		"optional": &f.Optional, "checked": &f.Checked, "short": &f.Short, "code": &f.Code, "complete": &f.Complete, "lang": &f.Language, "accept": &f.Accept,
	})
}

// Mistake returns what is wrong with the field, "" when nothing is.
func (f Field) Mistake() string { return f.Mistakes[f.Name] }

// DescribedBy returns the ids of what else is said about the field.
func (f Field) DescribedBy() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.Name+"-hint")
	}
	if f.Mistake() != "" {
		ids = append(ids, f.Name+"-mistake")
	}
	return strings.Join(ids, " ")
}

// Is reports whether the field is of a type.
func (f Field) Is(kind string) bool { return f.Type == kind }

// option is one of the options of a field: the one whose value is among chosen is the one that was chosen.
func option(value, name string, chosen ...string) (o Option) {
	o = Option{Value: value, Name: name}
	for _, c := range chosen {
		o.Chosen = o.Chosen || c == value
	}
	return o
}

// options puts options together.
func options(list ...Option) []Option { return list }

// Tab is one of several pages about the same.
type Tab struct {
	URL, Name string
	Current   bool
}

// tabs makes a line of tabs of addresses and names in turn. The current one is that with the longest address that the page is at or below.
func tabs(frame Frame, pairs ...string) (line []Tab) {
	current := -1
	for i := 0; i+1 < len(pairs); i += 2 {
		line = append(line, Tab{URL: pairs[i], Name: pairs[i+1]})
		at := frame.Path == pairs[i] || strings.HasPrefix(frame.Path, pairs[i]+"/")
		if at && (current < 0 || len(pairs[i]) > len(line[current].URL)) {
			current = i / 2
		}
	}
	if current >= 0 {
		line[current].Current = true
	}
	return line
}

// Empty is what stands where there is nothing yet: what this is, and the first step.
type Empty struct {
	Title  string
	Help   string // "help"
	Action string // "action" and "label": the first step
	Label  string
}

func empty(title string, options ...any) (e Empty, err error) {
	e.Title = title
	return e, fill("empty", options, map[string]any{"help": &e.Help, "action": &e.Action, "label": &e.Label})
}

// Search is the field above a table that finds something in it.
type Search struct {
	Label  string
	Name   string // "name": of the field; "": q
	Value  string // "value"
	Action string // "action": where the form leads; "": the same address
	Hint   string // "hint"
	Clear  string // "clear": where everything is shown again; "": the way back is not shown
}

func search(label string, options ...any) (s Search, err error) {
	s = Search{Label: label, Name: "q"}
	return s, fill("search", options, map[string]any{"name": &s.Name, "value": &s.Value, "action": &s.Action, "hint": &s.Hint, "clear": &s.Clear})
}

// Confirmation asks before something is done that cannot be undone easily: it names the object and what follows. The button says both.
type Confirmation struct {
	Action  string // where the form goes
	Button  string
	Back    string // "back": where one goes who would rather not
	Does    string // "does": what follows
	Danger  bool   // "danger": it destroys something
	Name    string // "name" and "value": what goes along with it
	Value   string
	Require string // "require": what must be written to make sure, such as a name; it comes as the field "sure"
	Ask     string // "ask": what says so
	Wrong   Mistakes
}

func confirmation(action, button string, options ...any) (c Confirmation, err error) {
	c = Confirmation{Action: action, Button: button}
	return c, fill("confirmation", options, map[string]any{
		"back": &c.Back, "does": &c.Does, "danger": &c.Danger, "name": &c.Name, "value": &c.Value, "require": &c.Require, "ask": &c.Ask, "mistakes": &c.Wrong,
	})
}

// Progress is how far something has come.
type Progress struct {
	Done, Total int
	Label       string
	Left        string // "left": the rate and the time that is left, in words
}

func progress(label string, done, total int, options ...any) (p Progress, err error) {
	p = Progress{Done: done, Total: total, Label: label}
	return p, fill("progress", options, map[string]any{"left": &p.Left})
}

// fill puts the values of options, which follow their names, where they belong.
func fill(part string, options []any, into map[string]any) error {
	if len(options)%2 != 0 {
		return errs.New(errs.Internal, "adminpage: %s has a name without a value", part)
	}
	for i := 0; i < len(options); i += 2 {
		name, _ := options[i].(string)
		if !set(into[name], options[i+1]) {
			return errs.New(errs.Internal, "adminpage: %s has no %q that a %T can be", part, name, options[i+1])
		}
	}
	return nil
}

// set puts a value where a pointer points to, and reports whether it fits.
func set(pointer, value any) bool {
	switch p := pointer.(type) {
	case *string:
		return put(p, value)
	case *bool:
		return put(p, value)
	case *int:
		return put(p, value)
	case *Mistakes:
		return put(p, value)
	case *[]Option:
		return put(p, value)
	case *Badge:
		return put(p, value)
	}
	return false
}

func put[T any](p *T, value any) bool {
	v, fits := value.(T)
	if fits {
		*p = v
	}
	return fits
}

// partFuncs make the parts.
var partFuncs = template.FuncMap{
	"heading": heading, "badge": badge, "field": field, "option": option, "options": options, "tabs": tabs, "empty": empty, "search": search,
	"confirmation": confirmation, "progress": progress, "people": people,
}
