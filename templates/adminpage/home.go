package adminpage

import (
	"html/template"
	"time"
)

// Home is the first page: what needs a person, what goes out next, and what went out.
type Home struct {
	Empty bool // there is nothing yet: the guide comes first
	Needs []HomeNeed
	Going []HomeEdition
	Next  []HomeNext
	Sent  []HomeEdition
	Plots []HomePlot
	Days  []HomeDay // the latest first
}

func (Home) template() string { return "home" }

// HomeNeed is something that waits for a person.
type HomeNeed struct {
	Kind     string // see app.NeedKind: messages of its name are below home.need
	URL      string // where it is decided
	List     string // of an edition
	Name     string // of what it is about otherwise
	Rhythm   string // of an edition; "": it is none
	Date     time.Time
	Count    int
	Since    time.Time // zero: it is not known
	Deadline *time.Time
	Why      string // in English; may be ""
	Some     []HomeLink
	Act      string // what whoever decides it must be allowed
}

// HomeLink leads to one of several.
type HomeLink struct{ URL, Name string }

// HomeEdition is an edition that goes out, or did.
type HomeEdition struct {
	URL, List, Rhythm string
	Date              time.Time
	Recipients        int
	State             string    // approved, sending or sent
	At                time.Time // when it was sent
}

// HomeNext is an edition that will be made.
type HomeNext struct {
	URL, List, Rhythm string
	CutOff, Comes     time.Time // zero: it follows what is published
	Approval          bool
	Paused            bool
}

// HomePlot is how much of something happened on each of the last days.
type HomePlot struct {
	What        string        // sent, deferred, bounced or unsubscribed
	Sum         int           // of all days
	SVG         template.HTML // made by ourselves
	First, Last time.Time     // days
}

// HomeDay is a day of the plots.
type HomeDay struct {
	Date                                  time.Time
	Sent, Deferred, Bounced, Unsubscribed int
}

// Guide leads from nothing to the first digest.
type Guide struct {
	Steps []GuideStep
	Done  bool // all are
}

func (Guide) template() string { return "home-guide" }

// GuideStep is one step of the guide.
type GuideStep struct {
	Key  string // of its words, below guide.
	Done bool
	Next bool // it is the first that is not done
	URL  string
	Also string // another way; "": there is none
	Act  string // what whoever does it must be allowed
}

// Mails is where somebody chooses what they are told by mail.
type Mails struct {
	Kinds []MailKind // that they can be told of
}

func (Mails) template() string { return "home-mails" }

// MailKind is what somebody may be told.
type MailKind struct {
	Kind   string // see staff.Kind
	Wanted bool
}
