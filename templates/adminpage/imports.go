package adminpage

import "time"

// Imports is the first step: a file.
type Imports struct {
	Uploads  []ListedUpload
	MaxMB    int
	Mistakes Mistakes
}

func (Imports) template() string { return "imports-upload" }

// ListedUpload is an upload that is still kept.
type ListedUpload struct {
	ID       string
	FileName string
	MadeAt   time.Time
	Size     int
	State    string
}

// Kind returns the kind of badge for the state.
func (u ListedUpload) Kind() string { return kindOf(u.State) }

// ImportMap is the second step: what the columns are, which list, and by what right.
type ImportMap struct {
	ListedUpload
	Encoding  string // as which it is read
	Program   string // that wrote it, when that is known
	Columns   []ImportColumn
	Lists     []Option
	Encodings []string
	Fields    Fields // list, consent, encoding
	Mistakes  Mistakes
}

func (ImportMap) template() string { return "imports-map" }

// ImportColumn is a column of the file with what it is taken for.
type ImportColumn struct {
	Number  int // from 0, for its fields: column0 and name0
	Header  string
	Means   []Option // what it can be; "attribute:" and "organisation_" go with a name
	Name    string   // of an attribute, or the language of an organisation's name
	Samples []string
}

// ImportCheck is the third step and the last: what would be imported, or was.
type ImportCheck struct {
	ListedUpload
	List      string // slug
	ListName  string
	Consent   string
	Working   bool
	Rows      int // that were read
	Percent   int // of the file
	Writing   bool
	Failure   string // in English; "": none
	Result    ImportNumbers
	Outcome   string // that the rows are narrowed to; "": none
	Told      []ImportRow
	Pager     Pager
	RefusedTo string // address of the file of refused rows; "": there is none
}

func (ImportCheck) template() string { return "imports-check" }

// ImportNumbers are what an import does, or did.
type ImportNumbers struct {
	Added, Changed, Unchanged, Refused int
	Left                               int // have unsubscribed, and stay so
	Ended                              int // are unsubscribed because the file says so
	Suppressed                         int
	Pending                            int // get no mail, for there is no consent
}

// Good is how many people can be imported.
func (n ImportNumbers) Good() int { return n.Added + n.Changed + n.Unchanged }

// ImportRow is a row of the file.
type ImportRow struct {
	Row        int
	Outcome    string
	Email      string
	With       int
	Changes    []string
	State      string
	Suppressed bool
	Refusals   []ImportRefusal
}

// Kind returns the kind of badge for the outcome.
func (r ImportRow) Kind() string { return kindOf(r.Outcome) }

// ImportRefusal is a reason why a row is refused, in English.
type ImportRefusal struct{ Field, Value, Reason string }

// Outcomes are what can become of a row, as keys below "imports.outcome.".
func (ImportCheck) Outcomes() []string {
	return []string{"added", "changed", "unchanged", "joined", "refused"}
}
