package adminpage

import "time"

// EditionRow is an edition in a table.
type EditionRow struct {
	ID         string
	List       string // its slug
	ListName   string
	Rhythm     string
	State      string
	Date       time.Time // of the digest
	Articles   int
	Recipients int
	Paused     bool
	Reason     string // as the program says it in English; why it is held, skipped or cancelled
	ApproveBy  *time.Time
	Correction bool
	Progress   EditionProgress
}

// EditionProgress is how far the deliveries of an edition have come.
type EditionProgress struct {
	ID         string // of the edition
	At         time.Time
	Known      bool // false: they are being counted
	Recipients int
	Done       int
	Sent       int
	Waiting    int
	Deferred   int
	Failed     int // for good, or nobody knows
	Suppressed int
	Cancelled  int
	PerMinute  int        // 0: that is not known yet
	Left       int        // minutes; 0: that is not known
	Next       *time.Time // when the next one that is open is due; nil: none is open
	Last       *time.Time
	Nobody     bool // no process sends at the moment
}

// EditionComing is an edition that will be made.
type EditionComing struct {
	List     string
	ListName string
	Rhythm   string
	CutOff   time.Time
	Comes    time.Time
	Wall     *time.Location // of its list
	Before   int            // how many the last one went to; -1: there was none
	BeforeID string
	Lacks    string // as the program says it in English; why it will not be made
}

// EditionPause is something that was stopped for a while.
type EditionPause struct {
	List     string // slug; "": every list
	ListName string
	At       time.Time
	Who      EditionWho
	May      bool // who looks may let it go on
}

// EditionWho is who did something.
type EditionWho struct {
	Key  string // below editions.by of the catalogue: you, command_line or schedule; "": Name says it
	Name string
}

// EditionChoice is something to choose from.
type EditionChoice struct {
	Value string
	Name  string
}

// Editions is the board: what waits for a person, what goes out, what comes and what is over.
type Editions struct {
	Lists   []EditionChoice
	List    string // that is shown; "": all
	Rhythm  string
	State   string
	Waiting []EditionRow
	Going   []EditionRow
	Coming  []EditionComing
	More    int // editions that come after those
	Past    []EditionRow
	Older   bool // only the past is shown, somewhere in the midst
	Pauses  []EditionPause
	Pager   Pager

	MayStopAll bool   // who looks is not confined to some lists
	Query      string // of the filter, as an address has it
}

// Rhythms are those to choose from.
func (Editions) Rhythms() []string {
	return []string{"immediate", "daily", "weekly", "monthly", "once"}
}

// States are those to choose from.
func (Editions) States() []string {
	return []string{"review", "held", "approved", "sending", "sent", "cancelled", "skipped"}
}

func (Editions) template() string { return "editions-list" }

// EditionItem is an article of an edition.
type EditionItem struct {
	Slug       string // "": it was withdrawn
	Title      string
	Language   string // of the title
	Section    string
	Languages  []string
	Published  time.Time
	Recipients int
	Added      bool
	Placed     bool
	Urgent     bool
	Pinned     bool
	Dropped    string // later, never or ""
	First      bool   // of those that are in
	Last       bool
}

// EditionTongue is a language that an edition's digests are in.
type EditionTongue struct {
	Language     string
	Recipients   int
	Variants     int
	Articles     int
	Untranslated int
	Subject      string
	Introduction string

	SubjectOf, IntroductionOf string // the language whose words stand in; "": none does
}

// EditionVariant is what some recipients get alike.
type EditionVariant struct {
	ID         int64
	Language   string
	Articles   int
	Recipients int
	Shown      bool
}

// EditionDestination is what an edition came to at one destination.
type EditionDestination struct {
	Name       string // "": all others
	Recipients int
	Sent       int
	Waiting    int
	Deferred   int
	Failed     int
	Bounced    int
	Paused     bool
	Until      time.Time // zero: until somebody resumes it
	Why        string    // what the server said
}

// EditionEntry is a line of an edition's log.
type EditionEntry struct {
	At    time.Time
	Who   EditionWho
	Deed  string // below editions.deed of the catalogue; "": About says it, in English
	About string
}

// Edition is the page of one edition.
type Edition struct {
	Row           EditionRow
	Zone          *time.Location // of its list
	CutOff        time.Time
	Finished      *time.Time
	Theme         string
	Audience      string
	Repeats       bool
	WordsAlone    bool
	Corrects      string // id of the edition that it corrects; ""
	Empty         int
	WaitingFor    int // subscriptions with fewer articles than the list's minimum
	Stopped       []EditionPause
	Items         []EditionItem
	Dropped       []EditionItem
	Tongues       []EditionTongue
	Variants      int
	Log           []EditionEntry
	Destinations  []EditionDestination
	Find          string // what was looked for to be added
	Found         []EditionItem
	Arrangeable   bool
	Unsent        int
	Mistakes      Mistakes
	Open          bool // deliveries may still go out
	Going         bool // they do
	MayCorrect    bool
	MayRelease    bool
	HasDeliveries bool
	AnyPlaced     bool             // an editor has put them in an order
	Samples       []EditionVariant // those that many get
	Rare          int              // variants that few get
}

func (Edition) template() string { return "editions-one" }

// EditionConfirm asks before something is done to an edition.
type EditionConfirm struct {
	Row      EditionRow
	Act      string // approve, release, hold, cancel or resume
	Unsent   int
	Seen     int64 // the last entry of the log that is shown
	Reason   string
	Mistakes Mistakes
	Lately   []EditionEntry // what was done last
	Changed  bool           // by somebody else, since it was looked at
	Titles   []EditionItem
	Next     *time.Time
	Wrong    bool // the edition is in another state by now
}

func (EditionConfirm) template() string { return "editions-confirm" }

// EditionLeaveOut asks what becomes of recipients whom an article that is to be added would leave out.
type EditionLeaveOut struct {
	Row        EditionRow
	Article    EditionItem
	Recipients int
	Some       []string // addresses of the first of them; none: who looks may not see people
}

func (EditionLeaveOut) template() string { return "editions-leave-out" }

// More is how many there are beside those who are named.
func (p EditionLeaveOut) More() int { return p.Recipients - len(p.Some) }

// EditionText is the form for an editor's words in one language.
type EditionText struct {
	Row      EditionRow
	Tongue   EditionTongue
	Fields   Fields
	Mistakes Mistakes
	Variant  int64 // that shows them; 0: none does
	Seen     int64 // the last line of the edition's log when they were shown
}

func (EditionText) template() string { return "editions-text" }

// EditionPreview shows a variant side by side.
type EditionPreview struct {
	Row      EditionRow
	Variants []EditionVariant
	Shown    EditionVariant
	Subject  string
	From     string
	Size     int
	Pictures bool
	To       string
	Mistakes Mistakes
	Answers  []EditionAnswer // to test mails
	Email    string          // of who looks
	Dir      string
}

// EditionAnswer is what the relay said to a test mail.
type EditionAnswer struct {
	Language string
	Taken    bool
	Code     int
	Reply    string
}

func (EditionPreview) template() string { return "editions-preview" }

// EditionDelivery is a delivery with what servers said.
type EditionDelivery struct {
	Contact   int64
	Email     string
	Houses    []string
	State     string
	Language  string
	Variant   int64
	Articles  int
	Due       time.Time
	Settled   *time.Time
	Attempts  int
	Resent    int
	Tries     []EditionTry
	Bounced   *time.Time
	Bounce    string // hard, soft, other or complaint
	Said      string // by the bounce
	MayResend bool
}

// EditionTry is one attempt.
type EditionTry struct {
	At      time.Time
	Outcome string
	Phase   string
	Code    int
	Reply   string
}

// EditionDeliveries is who got an edition.
type EditionDeliveries struct {
	Row      EditionRow
	Find     string
	State    string
	States   []string
	Found    []EditionDelivery
	Gone     bool // they are not kept any more
	Pager    Pager
	Mistakes Mistakes
}

func (EditionDeliveries) template() string { return "editions-deliveries" }

// EditionMake is the form for an edition that is made by hand, or for a correction.
type EditionMake struct {
	Corrects EditionRow // whose ID is "" when it corrects nothing
	Lists    []EditionChoice
	Saved    []SavedAudience // to choose from
	Articles []EditionItem   // chosen, or to choose from for a correction
	Found    []EditionItem
	Fields   Fields
	Language string // that the words are in; "": the list's own
	Mistakes Mistakes
}

func (EditionMake) template() string { return "editions-make" }

// EditionPauses asks before everything, or a list, is stopped or goes on.
type EditionPauses struct {
	List     string // slug; "": every list
	ListName string
	Resume   bool
	Going    []EditionRow // what is on its way
}

func (EditionPauses) template() string { return "editions-pauses" }

// StateWord is the state as it is shown, below editions.state of the catalogue: an edition that is over and of which nobody is known to have anything was not sent.
func (r EditionRow) StateWord() string {
	if p := r.Progress; r.State == "sent" && p.Known && p.Recipients > 0 && p.Sent == 0 && p.Failed > 0 {
		return "ended"
	}
	return r.State
}

// Kind is that of the badge of the edition's state.
func (r EditionRow) Kind() string {
	switch {
	case r.StateWord() == "ended":
		return "needs-you"
	case r.State == "review" || r.State == "held" || r.Reason != "" && (r.State == "approved" || r.State == "sending"):
		return "needs-you"
	case r.State == "approved" || r.State == "sending":
		return "waiting"
	case r.State == "sent":
		return "done"
	}
	return "quiet"
}

// Kind is that of the badge of the delivery's state.
func (d EditionDelivery) Kind() string {
	switch d.State {
	case "sent":
		return "done"
	case "pending", "in_flight", "deferred":
		return "waiting"
	case "failed", "in_doubt":
		return "needs-you"
	}
	return "quiet"
}

// URL is where the edition's page is.
func (r EditionRow) URL() string { return "/admin/editions/" + r.ID }
