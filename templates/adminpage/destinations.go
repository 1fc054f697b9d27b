package adminpage

import "time"

// Destinations are those that mail went to lately, and those that pause.
type Destinations struct {
	Days    int // that are summed up
	Find    string
	Paused  []PausedLine
	Lines   []DestinationLine
	Pager   Pager
	Mistake string
}

// DestinationLine is what a destination took.
type DestinationLine struct {
	Name, Who                       string
	Sent, Deferred, Failed, InDoubt int
	Paused                          bool
}

// PausedLine is a destination that is left alone for now.
type PausedLine struct {
	Name   string
	Since  time.Time
	Until  time.Time // zero: until somebody resumes it
	ByHand bool
	Code   int
	Reply  string
}

// DestinationShow is one destination.
type DestinationShow struct {
	Name    string
	Paused  *PausedLine
	Days    []DestinationDay
	Domains []DestinationDomain
	Habit   *Habit // nil: nothing is known
}

// DestinationDay is what it took on a day of UTC.
type DestinationDay struct {
	Day time.Time
	DestinationLine
}

// DestinationDomain is a domain that belongs to it.
type DestinationDomain struct {
	Name  string
	Hosts []string
}

// Habit is what is known of a destination, in English.
type Habit struct {
	Who, Connections, PerConnection, Rate, Asks string
	Answers, Seen, Pages, Others                []string
}

func (Destinations) template() string    { return "destinations-list" }
func (DestinationShow) template() string { return "destinations-show" }
