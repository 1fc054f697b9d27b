package adminpage

import "time"

// Organisations is the list of partner organisations.
type Organisations struct {
	Fields        Fields // q, country, unreached
	Filtered      bool
	Further       bool // not all were looked through yet
	Confined      bool
	Organisations []ListedOrganisation
	Pager         Pager
	Mistakes      Mistakes
}

func (Organisations) template() string { return "organisations-list" }

// ListedOrganisation is an organisation with what reaches it. Contacts stop at Most: there may be more.
type ListedOrganisation struct {
	ID            int64
	Name, Country string
	Kind          string
	Contacts      int
	Most          bool
	Reached       int
	Suppressed    int // of those who are not reached; likewise the next
	Unsubscribed  int
	Pending       int
	OnNoList      int
}

// Organisation is the page of one organisation.
type Organisation struct {
	ListedOrganisation
	Confined    bool
	Names       []NamedValue // language and name
	WebSite     string
	Languages   []string
	AgreedOn    string
	AgreedUntil string
	Tags        []string
	Notes       string
	Members     []ListedContact
	Feeds       []OrganisationFeed
	LastSent    *time.Time // nil: nothing was ever sent to anybody of it
	Pager       Pager
}

func (Organisation) template() string { return "organisations-show" }

// OrganisationFeed is a private feed of an organisation.
type OrganisationFeed struct {
	ListName  string
	CreatedAt time.Time
	RevokedAt *time.Time
}

// OrganisationEdit is the form for an organisation.
type OrganisationEdit struct {
	ID       int64 // 0: a new one
	Fields   Fields
	Mistakes Mistakes
}

func (OrganisationEdit) template() string { return "organisations-edit" }

// OrganisationMerge asks with which other one an organisation is to become one.
type OrganisationMerge struct {
	ListedOrganisation
	Fields   Fields // into: a name
	Into     *ListedOrganisation
	Mistakes Mistakes
}

func (OrganisationMerge) template() string { return "organisations-merge" }

// OrganisationRemove asks whether an organisation is to be removed.
type OrganisationRemove struct {
	ListedOrganisation
	Feeds int // private ones that are served
}

func (OrganisationRemove) template() string { return "organisations-remove" }
