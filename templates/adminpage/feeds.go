package adminpage

import "time"

// Feeds lists the feeds of a kind.
type Feeds struct {
	Kind  string // declared, section, language, tag or source
	Query string // what their names have
	Rows  []FeedRow
	Pager Pager
}

func (Feeds) template() string { return "feeds-list" }

// FeedRow is a feed.
type FeedRow struct {
	Slug, Title, Language string // of the title; "" when that is not known
	Articles, Items       int    // how many match, and how many of them the document holds
	RSS, Atom, JSON       string // addresses
}

// Feed is one feed.
type Feed struct {
	FeedRow
	Kind      string
	PageURL   string // for people
	Summary   bool   // it holds summaries only
	Limit     int
	Selection FeedSelection
	Newest    []ArticleRow
	ChangedAt *time.Time // nil: never
	Fixed     bool       // it cannot be renamed or removed
	Fields    Fields     // of the form that renames it
	Mistakes  Mistakes
}

func (Feed) template() string { return "feeds-one" }

// FeedSelection says which articles are in a feed; what is empty is any.
type FeedSelection struct{ Sections, Tags, Languages, Sources []string }

// Empty reports whether every article is in it.
func (s FeedSelection) Empty() bool {
	return len(s.Sections)+len(s.Tags)+len(s.Languages)+len(s.Sources) == 0
}

// FeedForm makes a feed, or changes one.
type FeedForm struct {
	Slug      string // of the one that is changed; "": it is new
	Titles    []FeedTitle
	Picks     []Picks
	Fields    Fields
	Mistakes  Mistakes
	Previewed bool
	Newest    []ArticleRow
	Count     int
	Many      bool // there are more than Count
}

func (FeedForm) template() string { return "feeds-form" }

// FeedTitle is what a feed is called in a language.
type FeedTitle struct{ Language, Text string }

// Picks are sections, tags, languages or sources to choose from.
type Picks struct {
	Name string // of the field: sections, tags, languages or sources
	All  []Pick
	More string // others, one a line
}

// Pick is one that can be chosen.
type Pick struct {
	Value  string
	Count  int // of articles
	Chosen bool
}

// FeedRemove asks before a feed is removed.
type FeedRemove struct{ Slug, Title string }

func (FeedRemove) template() string { return "feeds-remove" }

// PrivateFeeds lists feeds of organisations.
type PrivateFeeds struct {
	Rows     []PrivateFeedRow
	Pager    Pager
	Lists    []Option  // by slug
	Made     *MadeFeed // one that was just made: its addresses are never shown again
	Fields   Fields
	Mistakes Mistakes
}

func (PrivateFeeds) template() string { return "feeds-private" }

// MadeFeed is a feed of an organisation with its addresses.
type MadeFeed struct{ Organisation, ListName, RSS, Atom, JSON string }

// PrivateFeedRow is a feed of an organisation.
type PrivateFeedRow struct {
	ID                           int64
	Organisation, List, ListName string
	CreatedAt                    time.Time
	RevokedAt                    *time.Time // nil: it is served
}

// Hubs lists the WebSub hubs that are told of changes.
type Hubs struct {
	Rows     []HubRow
	Fields   Fields
	Mistakes Mistakes
}

func (Hubs) template() string { return "feeds-hubs" }

// HubRow is a hub.
type HubRow struct {
	URL               string
	ToldAt            *time.Time // when it last was told of everything; nil: never
	Waiting, Failures int
	Failure           string // in English
}
