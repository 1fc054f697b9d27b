package adminpage

import "time"

// Settings are the senders and the relay.
type Settings struct {
	Senders  []SenderLine
	Relays   []RelayLine
	Trial    *RelayTrial // nil: no test message was sent
	Fields   Fields
	Mistakes Mistakes
}

// SenderLine is whom a list's mail is from.
type SenderLine struct{ Slug, Name, Sender, Address, ReplyTo string }

// RelayLine is a next hop, without what is secret.
type RelayLine struct {
	Setting, Address, TLS, User string
	Password                    bool
}

// RelayTrial is what came of a test message.
type RelayTrial struct {
	From, To   string
	Outcome    string // below "settings.outcome."
	Phase      string // below "settings.phase."
	Code       int    // 0: no answer came
	Reply      string // the server's words
	TLS        string // version; "": none
	LoggedIn   bool
	Signed     bool
	Extensions []string
}

// SettingsDomains are the domains that mail is sent from: what the doctor found, and the keys that sign for them.
type SettingsDomains struct {
	At       time.Time // zero: nobody has asked yet
	Domains  []DomainFindings
	Keys     []KeyLine
	Outdated bool // a key or a second factor is sealed with a secret key that is not the first
	Fields   Fields
	Mistakes Mistakes
	Checked  *Finding // of the key that was just looked at
}

// DomainFindings are what was found of a domain, the gravest first.
type DomainFindings struct {
	Domain   string // "": of no domain
	Findings []Finding
	Well     int // checks that found nothing wrong
}

// Finding is what a check found, in English.
type Finding struct {
	Check, State    string // ok, note, warning or problem
	Says, Means, Do string
	Publish         []string
}

// KeyLine is a DKIM key.
type KeyLine struct {
	Domain, Selector, Algorithm, State string // made, active or retired
	MadeAt                             time.Time
	UsedAt, RetiredAt                  *time.Time
	RecordName, Record, Zone           string
	Failure                            string // why it cannot be opened
}

// SettingsBounces is how mail comes back.
type SettingsBounces struct {
	Domain, Listen string
	Mailbox        bool
	TLS            bool
	TestedAt       *time.Time
	ReadAt         *time.Time
	Failure        string
	Inbox          int
	Told           string // what came of a test, below "settings.bounce_"
	Detail         string // in English
}

// SettingsLimits are the limits with how far they are used.
type SettingsLimits struct{ Limits []LimitLine }

// LimitLine is a limit, about one thing.
type LimitLine struct {
	Name         string
	About        string // relay, destination, sender or all: below "settings.about."
	Which        string
	Uses         []LimitUse
	Waits        []LimitWait
	WarmUp, From string
}

// LimitUse is how much of a limit is taken in one of its periods.
type LimitUse struct {
	Period      string // below "settings.period."
	Taken, Most int
}

// LimitWait is what waits under a limit.
type LimitWait struct {
	N          int
	Next, Last time.Time
}

// LimitForm makes or changes a limit.
type LimitForm struct {
	Name     string // "": a new one
	Sections []Section
	Mistakes Mistakes
}

// SettingsLanguages are the languages that the product speaks, and what lists fall back on.
type SettingsLanguages struct {
	Tags  []string
	Lists []ListLanguage
}

// ListLanguage is a list with its fallback language.
type ListLanguage struct{ Slug, Name, Fallback string }

// SettingsProgram are the settings of the process, and what is kept for how long.
type SettingsProgram struct {
	Months   int // for which deliveries are kept; 0: for ever
	Floor    string
	RoseAt   *time.Time
	Settings []ProgramSetting
}

// ProgramSetting is a setting of the process. Secrets are hidden.
type ProgramSetting struct{ Name, Variable, Value string }

func (Settings) template() string          { return "settings-sending" }
func (SettingsDomains) template() string   { return "settings-domains" }
func (SettingsBounces) template() string   { return "settings-bounces" }
func (SettingsLimits) template() string    { return "settings-limits" }
func (LimitForm) template() string         { return "settings-limit" }
func (SettingsLanguages) template() string { return "settings-languages" }
func (SettingsProgram) template() string   { return "settings-program" }
