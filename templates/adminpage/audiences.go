package adminpage

import "strconv"

// Audiences is the page on which somebody writes a filter and sees whom it finds.
type Audiences struct {
	Fields   Fields // filter; name to save it
	Asked    bool   // the filter was, and is right
	Count    int
	Members  []AudienceMember
	Saved    []SavedAudience
	Mistakes Mistakes
	Confined bool
	WriteURL string // where an edition for whom the filter finds is made; "": who looks makes none
}

func (Audiences) template() string { return "audiences" }

// AudienceMember is somebody whom a filter finds, with one of the subscriptions that are meant.
type AudienceMember struct {
	ID                      int64
	Email, Name             string
	ListName, State, Rhythm string
}

// Kind returns the kind of badge for the state.
func (m AudienceMember) Kind() string { return kindOf(m.State) }

// SavedAudience is a filter with a name.
type SavedAudience struct {
	ID           int64
	Name, Filter string
	URL          string // where it is asked
	People       *int   // as it was counted last; nil: it was not yet
	Chosen       bool
}

// Value is what a form has of it.
func (a SavedAudience) Value() string { return strconv.FormatInt(a.ID, 10) }

// Grammar returns examples of clauses with the keys of what they mean, below "audiences.clause.".
func (Audiences) Grammar() []NamedValue {
	return []NamedValue{
		{"country = IT, CH", "country"},
		{"language = it", "language"},
		{`organisation = "Science Centre"`, "organisation"},
		{"organisation contains science", "contains"},
		{"list = partners", "list"},
		{"rhythm = weekly", "rhythm"},
		{"state = active, paused", "state"},
		{"joined before 2026-01-01", "joined"},
		{"sent after 2026-05-01", "sent"},
		{"sent never", "never"},
		{"attribute role = director", "attribute"},
		{"mailable", "mailable"},
		{"not country = IT", "negated"},
	}
}
