package subscribers

import (
	"slices"
	"strings"
	"time"

	"silkpost/internal/errs"
	"silkpost/internal/language"
	"silkpost/internal/slug"
)

// Audience is a choice among people, without SQL: all of its clauses must hold. One without clauses is everybody. As text it is
//
//	country = IT, CH and language = it and not organisation contains academy
//	list = partners and rhythm = weekly and state = active and joined before 2026-01-01
//	attribute role = director and sent after 2026-05-01 and mailable
//
// Clauses about lists, rhythms, states, joining and sending are about one and the same subscription. Several values mean any of them. A value
// with a comma, an equals sign or the word and in it stands in quotation marks.
type Audience struct {
	Clauses []Clause
	// Within are the ids of the only lists that are meant, for who is confined to them: clauses about a person count for whom one of these knows. nil: all.
	Within []int64
}

// Clause is one condition. ParseAudience makes it, in canonical form.
type Clause struct {
	Not       bool
	Field     Field
	Attribute string // its name, of a clause about an attribute
	Op        Op
	Values    []string // any of them will do
	At        Moment   // of Before and After
}

// Field is what a clause is about.
type Field string

// The fields.
const (
	ByAttribute    Field = "attribute"    // of the contact, by name, in small letters
	ByCountry      Field = "country"      // of one of its organisations, or its own: ISO 3166-1
	ByLanguage     Field = "language"     // one that the contact reads, by language and script
	ByOrganisation Field = "organisation" // one that it belongs to, by name
	ByList         Field = "list"         // slug
	ByRhythm       Field = "rhythm"
	ByState        Field = "state"
	ByJoining      Field = "joined"   // when the subscription was made
	BySending      Field = "sent"     // when something was last sent to the subscription
	ByMailing      Field = "mailable" // it may be mailed: active, and not suppressed
)

// Op is how a clause compares.
type Op string

// The operators.
const (
	Is       Op = "="
	Contains Op = "contains" // anywhere in it, whatever the case
	Exists   Op = "exists"
	Before   Op = "before" // earlier than the whole of a day, or than a moment
	After    Op = "after"  // later than the whole of a day, or than a moment
	Never    Op = "never"
	Holds    Op = "" // of a field that needs no operator
)

// Moment is a day in UTC or a point in time, from From until before To; of a point they are the same.
type Moment struct{ From, To time.Time }

// String returns a day as 2026-05-01, a point in time as RFC 3339 has it.
func (m Moment) String() string {
	if m.From.Equal(m.To) {
		return m.From.Format(time.RFC3339Nano)
	}
	return m.From.Format(time.DateOnly)
}

func readMoment(s string) (Moment, error) {
	at, err := parseMoment(s)
	if err != nil {
		return Moment{}, errs.New(errs.Invalid, "%q is not a day such as 2026-05-01 or a time such as 2026-05-01T09:00:00Z", s)
	}
	if len(s) == len(time.DateOnly) {
		return Moment{at, at.AddDate(0, 0, 1)}, nil
	}
	return Moment{at, at}, nil
}

// states are those that a clause can ask for.
var states = []string{string(Pending), string(Active), string(Paused), string(Unsubscribed)}

// fields says of each field how it compares and what its values are in canonical form.
var fields = map[Field]struct {
	ops   []Op
	value func(string) (string, error)
}{
	ByAttribute:    {[]Op{Is, Contains, Exists}, readText},
	ByCountry:      {[]Op{Is}, parseCountry},
	ByLanguage:     {[]Op{Is}, language.Parse},
	ByOrganisation: {[]Op{Is, Contains}, readName},
	ByList:         {[]Op{Is}, readSlug},
	ByRhythm:       {[]Op{Is}, oneOf(Rhythms)},
	ByState:        {[]Op{Is}, oneOf(states)},
	ByJoining:      {[]Op{Before, After}, nil},
	BySending:      {[]Op{Before, After, Never}, nil},
	ByMailing:      {[]Op{Holds}, nil},
}

func readText(s string) (string, error) {
	s = tidy(s)
	if s == "" {
		return "", errs.New(errs.Invalid, "empty")
	}
	return s, checkText(s, maxText)
}

// readName reads the name of an organisation, or a part of it.
func readName(s string) (string, error) {
	s, err := readText(s)
	if err == nil && organisationKey(s) == "" {
		err = errs.New(errs.Invalid, "without a letter")
	}
	return s, err
}

func readSlug(s string) (string, error) {
	if !slug.Valid(s) {
		return "", errs.New(errs.Invalid, "not the slug of a list, which has small letters, digits and single hyphens")
	}
	return s, nil
}

func oneOf(words []string) func(string) (string, error) {
	return func(s string) (string, error) {
		if s = strings.ToLower(s); !slices.Contains(words, s) {
			return "", errs.New(errs.Invalid, "not one of %s", strings.Join(words, ", "))
		}
		return s, nil
	}
}

// String returns the audience as ParseAudience reads it.
func (a Audience) String() string {
	clauses := make([]string, len(a.Clauses))
	for i, c := range a.Clauses {
		clauses[i] = c.String()
	}
	return strings.Join(clauses, " and ")
}

// String returns the clause as a part of an audience.
func (c Clause) String() string {
	var words []string
	if c.Not {
		words = append(words, "not")
	}
	words = append(words, string(c.Field))
	if c.Field == ByAttribute {
		words = append(words, quoted(c.Attribute))
	}
	if c.Op != Holds {
		words = append(words, string(c.Op))
	}
	switch {
	case c.Op == Before || c.Op == After:
		words = append(words, c.At.String())
	case len(c.Values) > 0:
		values := make([]string, len(c.Values))
		for i, v := range c.Values {
			values[i] = quoted(v)
		}
		words = append(words, strings.Join(values, ", "))
	}
	return strings.Join(words, " ")
}

// MarshalText returns what String does.
func (a Audience) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what ParseAudience does: an audience can be a text in TOML and JSON.
func (a *Audience) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAudience(string(text))
	return err
}
