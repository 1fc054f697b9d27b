package adminpage

import "time"

// Contacts is the list of contacts.
type Contacts struct {
	Fields   Fields // of the filter: q, list, state, suppressed, country, language
	Filtered bool
	Lists    []Option
	Contacts []ListedContact
	Further  bool // not all were looked through yet
	Confined bool // to some lists: what is of no list is not theirs to see
	Pager    Pager
	Mistakes Mistakes
}

func (Contacts) template() string { return "contacts-list" }

// ListedContact is a contact in a list.
type ListedContact struct {
	ID            int64
	Email, Name   string
	Organisations []string
	Languages     []string
	Lists         []ContactStanding
	Suppressed    []string // reasons, as keys below "contacts.reason."
}

// ContactTable is contacts in a table.
type ContactTable struct {
	Contacts []ListedContact
	Houses   bool // their organisations are shown
}

func people(contacts []ListedContact, houses bool) ContactTable {
	return ContactTable{contacts, houses}
}

// ContactStanding is where a contact stands on a list.
type ContactStanding struct {
	ListName string
	State    string
}

// standingKinds are the kinds of badges for where somebody or something stands.
var standingKinds = map[string]string{
	"active": "done", "pending": "waiting", "paused": "waiting", "unsubscribed": "quiet",
	"sent": "done", "in_flight": "waiting", "deferred": "waiting", "in_doubt": "needs-you", "failed": "needs-you", "suppressed": "quiet", "cancelled": "quiet",
	"new": "waiting", "checking": "waiting", "checked": "waiting", "importing": "waiting", "imported": "done",
	"added": "done", "changed": "done", "unchanged": "quiet", "joined": "quiet", "refused": "needs-you",
}

// kindOf returns the kind of badge for a standing.
func kindOf(standing string) string {
	if kind := standingKinds[standing]; kind != "" {
		return kind
	}
	return "quiet"
}

// Kind returns the kind of badge for the state.
func (s ContactStanding) Kind() string { return kindOf(s.State) }

// Kind returns the kind of badge for the state.
func (s ContactSubscription) Kind() string { return kindOf(s.State) }

// Kind returns the kind of badge for the state.
func (c ContactConsent) Kind() string { return kindOf(c.State) }

// Kind returns the kind of badge for the state.
func (d ContactDelivery) Kind() string { return kindOf(d.State) }

// Kind returns the kind of badge for the state.
func (n ContactNotice) Kind() string { return kindOf(n.State) }

// ContactNew is the form for somebody new.
type ContactNew struct {
	Fields   Fields // email, name, organisation, languages, time_zone, delivery_hour, list, rhythm, consent
	Lists    []Option
	Rhythms  []string
	Zones    []Option
	Mistakes Mistakes
}

func (ContactNew) template() string { return "contacts-new" }

// Contact is the whole story of one contact, or the part of it that is about some lists.
type Contact struct {
	ID            int64
	Email, Name   string
	Whole         bool // it is on no list that is not of who looks: they may change what is of no list
	Organisations []ContactOrganisation
	Languages     []string
	TimeZone      string
	DeliveryHour  string
	Attributes    []NamedValue
	Since         time.Time
	Subscriptions []ContactSubscription
	Consents      []ContactConsent
	Suppressions  []ContactSuppression
	Barred        []ContactSuppression // those in force
	Deliveries    []ContactDelivery
	Earlier       int // deliveries that are not shown
	Notices       []ContactNotice
	Lists         []Option // that they are not on, to be put on
	Rhythms       []string
	Fields        Fields
	Mistakes      Mistakes
}

func (Contact) template() string { return "contacts-show" }

// NamedValue is a value with its name.
type NamedValue struct{ Name, Value string }

// ContactOrganisation is an organisation that a contact belongs to.
type ContactOrganisation struct {
	ID            int64
	Name, Country string
}

// ContactSubscription is a contact's subscription to a list.
type ContactSubscription struct {
	List        string // slug
	ListName    string
	State       string
	Rhythm      string
	Offered     []string // rhythms
	Topics      []string
	Since       time.Time
	PausedUntil *time.Time
	Mine        bool // who looks may change it
	Resumable   bool // an administrator paused it
	Public      bool // the list has a form, by which they can come back
}

// ContactConsent is a line of the log of consents.
type ContactConsent struct {
	At        time.Time
	ListName  string
	State     string      // what it became
	Method    string      // a key below "contacts.method."
	By        *EditionWho // nil: the person, or nobody
	Statement string
	Origin    string
	Network   string
}

// ContactSuppression keeps an address or its domain from being mailed.
type ContactSuppression struct {
	Address string      // or domain
	Reason  string      // a key below "contacts.reason."
	By      *EditionWho // nil: nobody in particular
	Origin  string
	At      time.Time
	Lifted  *time.Time // nil: in force
	ByHand  bool       // an administrator may lift it
	Contact int64      // whose page shows it; 0: nobody's
}

// ContactDelivery is an edition that went to a contact, or is about to.
type ContactDelivery struct {
	Edition   string
	ListName  string
	Rhythm    string
	Date      time.Time // of the edition
	State     string
	NotBefore time.Time
	SettledAt *time.Time
	MessageID string
	Language  string
	Articles  []ContactArticle
	Tries     []ContactTry
	BouncedAt *time.Time
	Bounce    string // what was said
	Again     bool   // it can be sent again
}

// ContactArticle is an article that was sent.
type ContactArticle struct{ Title, URL string }

// ContactTry is an attempt at a delivery with the server's answer.
type ContactTry struct {
	At      time.Time
	Outcome string
	Phase   string
	Code    int // 0: no answer came
	Reply   string
}

// ContactNotice is a mail to the contact alone.
type ContactNotice struct {
	Notice    string // its kind: a key below "contacts.notice."
	ListName  string
	State     string
	MadeAt    time.Time
	Code      int
	Reply     string
	BouncedAt *time.Time
	Bounce    string
}

// ContactEdit is the form for the facts of a contact.
type ContactEdit struct {
	ID       int64
	Email    string
	Fields   Fields // name, languages, time_zone, delivery_hour, organisations, attributes; address for another one
	Zones    []Option
	Mistakes Mistakes
}

func (ContactEdit) template() string { return "contacts-edit" }

// ContactErase asks whether a contact is to be erased, and says afterwards what was.
type ContactErase struct {
	ID          int64
	Email, Name string
	Erased      bool
	// What goes and what stays.
	Attributes, Organisations, Subscriptions, Suppressions int
	Deliveries, Notices, Consents                          int
	Mentions                                               []string // where the address still stands, in English
}

func (ContactErase) template() string { return "contacts-erase" }

// Suppressions is the list of addresses and domains that must not be mailed.
type Suppressions struct {
	Suppressions []ContactSuppression
	Fields       Fields // whom, why; q
	Mistakes     Mistakes
	Pager        Pager
}

func (Suppressions) template() string { return "contacts-suppressions" }
