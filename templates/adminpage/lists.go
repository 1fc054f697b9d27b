package adminpage

import "time"

// Lists are all lists that who looks may see.
type Lists struct {
	Lists     []ListLine
	AllPaused bool
}

// ListLine is a list in a table.
type ListLine struct {
	Slug, Name string
	People     People
	Next       []NextEdition
	Lacks      []string // keys below "lists.lacks." of what is missing for it to be sent for
	Paused     bool
}

// People counts the subscriptions of a list by state.
type People struct{ Active, Pending, Paused, Unsubscribed int }

// NextEdition is a list's next edition of a rhythm.
type NextEdition struct {
	Rhythm string
	At     time.Time // on the list's own wall
	Hour   string    // there
}

// ListShow is one list.
type ListShow struct {
	ListLine
	AllPaused    bool
	Description  string
	Sender       string
	Address      string // of the sender
	ReplyTo      string
	Postal       string
	Rhythms      []string
	Theme        string
	Topics       []string // that people choose from; none: everything
	Public       bool
	Archive      bool
	OptIn        string
	FormURL      string
	ArchiveURL   string
	Embed        string // HTML to put into another page
	DeliveryHour string
	TimeZone     string
}

// ListForm makes or changes a list.
type ListForm struct {
	Slug     string // "": a new one
	Name     string
	Sections []Section // the first is open
	Mistakes Mistakes
	Zones    []string // of time, to choose from
}

func (Lists) template() string    { return "lists-list" }
func (ListShow) template() string { return "lists-show" }
func (ListForm) template() string { return "lists-form" }
