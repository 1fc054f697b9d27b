package adminpage

// FormField is one field of a form that is made of many: see "field" in html/parts.html. Its words are in the catalogue: "{area}.label.{name}", and
// "{area}.help.{name}" below it.
type FormField struct {
	Area, Name string
	Kind       FieldKind
	Values     []string // one, or those that are chosen or listed
	Options    []FormChoice
	Rows       []WordsRow
	Mistake    string
	NoHelp     bool // the label says it all

	Excerpt []CodeLine // of code in which something is wrong: the lines around it
}

// CodeLine is a line of a template.
type CodeLine struct {
	Number int
	Text   string
	Marked bool // something is wrong here
}

// FieldKind says how a field is filled in.
type FieldKind string

// The kinds.
const (
	LineField    FieldKind = "line"
	NumberField  FieldKind = "number"
	HourField    FieldKind = "hour"
	ColourField  FieldKind = "colour"
	LinesField   FieldKind = "lines"   // several, one a line
	TextField    FieldKind = "text"    // of several lines
	CheckField   FieldKind = "check"   // yes or no
	ChoiceField  FieldKind = "choice"  // one of Options
	ChoicesField FieldKind = "choices" // any of Options
	OpenField    FieldKind = "open"    // any of Options, and another one
	WordsField   FieldKind = "words"   // a line in each of some languages
	CodeField    FieldKind = "code"    // a template
	TextsField   FieldKind = "texts"   // a text in each of some languages
)

// FormChoice is something to choose.
type FormChoice struct {
	Value  string
	Key    string // of its words in the catalogue; "": Label says it
	Label  string
	Chosen bool
}

// WordsRow is a text in one language.
type WordsRow struct{ Language, Words string }

// Value returns the only value.
func (f FormField) Value() string {
	if len(f.Values) == 0 {
		return ""
	}
	return f.Values[0]
}

// Section is a part of a long form, which explains itself: "{area}.section.{name}" and "{area}.section.{name}_help".
type Section struct {
	Area, Name string
	Open       bool
	Fields     []FormField
}
