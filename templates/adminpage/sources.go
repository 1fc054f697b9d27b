package adminpage

import (
	"time"
)

// Sources lists where articles come from.
type Sources struct {
	All   []SourceRow
	Pager Pager
}

func (Sources) template() string { return "sources-list" }

// SourceRow is how a source is.
type SourceRow struct {
	Slug, Kind, URL string
	Articles, Held  int
	Failure         string // why the last poll failed, in English; "": it did not
	Remark          string // what the last poll could not take in; "" nothing
	HeldWhy         string

	PolledAt, NextPollAt, FailingSince, LastArticle, QuietSince, PausedAt *time.Time // nil: never, or not
}

// State returns the key of the state that matters most, below "sources.state.".
func (s SourceRow) State() string {
	switch {
	case s.Held > 0:
		return "held"
	case s.FailingSince != nil:
		return "failing"
	case s.PausedAt != nil:
		return "paused"
	case s.QuietSince != nil:
		return "quiet"
	case s.Kind == "folder" && s.NextPollAt == nil:
		return "folder"
	case s.PolledAt == nil:
		return "new"
	}
	return "well"
}

// Badge returns the kind of badge for the state.
func (s SourceRow) Badge() string {
	switch s.State() {
	case "held", "failing":
		return "needs-you"
	case "quiet", "new":
		return "waiting"
	case "well":
		return "done"
	}
	return "quiet"
}

// SourceNew asks for an address, and shows what was found there.
type SourceNew struct {
	Address  string
	Found    []SourceFound
	Problems []string // in English
	Looked   bool     // there was a look at Address
	Mistakes Mistakes
	Fields   Fields // of the form that makes the source
}

func (SourceNew) template() string { return "sources-new" }

// SourceFound is what may be a source at an address.
type SourceFound struct {
	Number   string // "1" is the best
	Kind     string
	URL      string
	About    string // in English
	Declared string // the source as the form carries it
	Articles []SourceArticle
}

// SourceArticle is an article that would be taken in.
type SourceArticle struct {
	Title, URL, Language, Section, Image, Words string

	Published *time.Time // nil: no date was found
	HTML      string     // clean; shown in a frame that runs nothing
}

// Source is one source.
type Source struct {
	SourceRow
	Section, Language string
	Every             time.Duration
	MovedURL          string
	Due               bool // what its first poll finds is due for digests
	ChangedAt         *time.Time
	Added, Changed    int // of the last poll that brought anything
	Failures          int
	Waiting           []WaitingRow
	WaitingMore       bool // there are more than are shown
	Can               bool // it can be polled
}

func (Source) template() string { return "sources-one" }

// SourceEdit is the form of a source.
type SourceEdit struct {
	Slug, Kind, URL string
	Mistakes        Mistakes
	Fields          Fields
}

func (SourceEdit) template() string { return "sources-edit" }

// SourceRemove asks before a source is removed.
type SourceRemove struct {
	Slug     string
	Articles int
	Held     int
}

func (SourceRemove) template() string { return "sources-remove" }

// WaitingRow is an article that is not published yet.
type WaitingRow struct {
	ID            int64
	Source, Title string
	State         string // unfinished, embargoed or held
	ArrivedAt     time.Time
	PublishAt     *time.Time // of one that is embargoed
}
