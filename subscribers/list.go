package subscribers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/language"
	"silkpost/internal/slug"
)

// List is a mailing list with its digest plan. Hours are "15:04".
type List struct {
	ID               int64              `db:"id" toml:"-"`
	Slug             string             `db:"slug" toml:"slug"`
	Name             database.StringMap `db:"name" toml:"name"`               // language → words; see NameIn
	Description      database.StringMap `db:"description" toml:"description"` // language → words
	Sender           Sender             `db:"sender" toml:"sender"`
	PostalAddress    string             `db:"postal_address" toml:"postal_address"` // "" cannot send
	Selection        articles.Selection `db:"selection" toml:"select"`
	Rhythms          pq.StringArray     `db:"rhythms" toml:"rhythms"` // offered
	DefaultRhythm    string             `db:"default_rhythm" toml:"default_rhythm"`
	TimeZone         string             `db:"time_zone" toml:"time_zone"`                 // IANA; the list's own, and that of contacts without one
	EditorialHour    string             `db:"editorial_hour" toml:"editorial_hour"`       // cut-off, in the list's own zone
	DeliveryHour     string             `db:"delivery_hour" toml:"delivery_hour"`         // in each contact's zone
	FallbackLanguage string             `db:"fallback_language" toml:"fallback_language"` // of articles in none of the reader's languages
	Approval         bool               `db:"approval" toml:"approval"`                   // an editor lets each edition go
	ApprovalWithin   Duration           `db:"approval_within" toml:"approval_within"`     // after the planning; 0: it waits for as long as it takes
	Unapproved       string             `db:"unapproved" toml:"unapproved"`               // what becomes of an edition then: see UnapprovedHold
	Public           bool               `db:"public" toml:"public"`
	OptIn            string             `db:"opt_in" toml:"opt_in"`   // single or double
	Welcome          string             `db:"welcome" toml:"welcome"` // what who confirmed a subscription gets: see WelcomeOff
	Archive          bool               `db:"archive" toml:"archive"` // everybody may read its editions

	// The days and hours of its editions: see MadeOn, Open and CutOffHour.
	DailyOn   pq.StringArray `db:"daily_on" toml:"daily_on"`     // weekdays
	WeeklyOn  string         `db:"weekly_on" toml:"weekly_on"`   // a weekday
	MonthlyOn string         `db:"monthly_on" toml:"monthly_on"` // "first monday", "last friday", "day 15", "last day"
	DailyAt   string         `db:"daily_at" toml:"daily_at"`     // "" is EditorialHour
	WeeklyAt  string         `db:"weekly_at" toml:"weekly_at"`   // likewise
	MonthlyAt string         `db:"monthly_at" toml:"monthly_at"` // likewise
	NotOn     pq.StringArray `db:"not_on" toml:"not_on"`         // weekdays, days of each year ("12-25"), dates ("2026-04-06")

	ImmediateAfter Duration `db:"immediate_after" toml:"immediate_after"` // how long an alert waits for articles to come along
	LateAfter      Duration `db:"late_after" toml:"late_after"`           // what is later than this waits for a person
	InDoubt        string   `db:"in_doubt" toml:"in_doubt"`               // what becomes of a delivery in doubt: see InDoubtAgain

	MinArticles int            `db:"min_articles" toml:"min_articles"` // a digest with fewer waits for the next
	MaxArticles int            `db:"max_articles" toml:"max_articles"` // of one digest; 0: no limit
	Rest        string         `db:"rest" toml:"rest"`                 // what becomes of those beyond the maximum: see RestWaits
	LeaveOut    pq.StringArray `db:"leave_out" toml:"leave_out"`       // slugs of lists: what a contact has from them is left out

	Theme string `db:"theme" toml:"theme"` // how its digests look; "" is the usual way
}

// What becomes of an edition that nobody approved in time.
const (
	UnapprovedHold   = "hold"
	UnapprovedSend   = "send"
	UnapprovedCancel = "cancel"
)

// What becomes of a delivery of which nobody knows whether it arrived: its server was lost after the final dot.
const (
	InDoubtAgain = "again" // it is sent once more, as the same message: it may come twice
	InDoubtLeave = "leave" // it stays in doubt: it may be missing, and a person may send it again
)

// What a list sends to whoever has confirmed a subscription.
const (
	WelcomeOff         = "off"
	WelcomeOn          = "on"           // a mail that says what comes when
	WelcomeLastEdition = "last-edition" // and the last edition of their rhythm, in a mail of its own
)

// Sender is whom a list's mail is from.
type Sender struct {
	Name    string `db:"name" toml:"name"`
	Address string `db:"address" toml:"address"`   // "" cannot send
	ReplyTo string `db:"reply_to" toml:"reply_to"` // "" is Address
}

// NewList returns a list with the settings of one of which nothing else was said.
func NewList(slug string) List {
	return List{
		Slug: slug, Rhythms: slices.Clone(Rhythms), DefaultRhythm: Weekly, TimeZone: "UTC", EditorialHour: "17:00",
		DeliveryHour: "08:00", FallbackLanguage: "en", Public: true, OptIn: "double", Welcome: WelcomeOn, MinArticles: 1,
		DailyOn: slices.Clone(Weekdays), WeeklyOn: "monday", MonthlyOn: "first monday",
		ImmediateAfter: Duration(time.Minute), LateAfter: Duration(12 * time.Hour), Rest: RestWaits,
		Unapproved: UnapprovedHold, InDoubt: InDoubtAgain,
	}
}

// NameIn returns the list's name in a language, else in the fallback language, else in English, else in any; a list without
// names is called by its slug.
func (l *List) NameIn(tag string) string {
	if len(l.Name) == 0 {
		return l.Slug
	}
	name, _ := language.In(l.Name, tag, l.FallbackLanguage)
	return name
}

// A slug is also the first label of the List-Id, so no longer than a label of the DNS.
const maxSlug = 63

// Validate returns nil or an error of kind Invalid with one line for each mistake.
func (l *List) Validate() error {
	_, err := l.canonical()
	return err
}

// canonical returns the list in the form in which it is stored, or what Validate says.
func (l *List) canonical() (List, error) {
	c := mistakes{of: fmt.Sprintf("list %q", l.Slug)}
	out := *l
	if !slug.Valid(l.Slug) || len(l.Slug) > maxSlug {
		c.add("slug", "small letters a to z, digits and single hyphens between them, at most %d", maxSlug)
	}
	out.Name = c.words("name", l.Name, c.line)
	out.Description = c.words("description", l.Description, c.text)
	out.Sender = c.sender(l.Sender)
	out.PostalAddress = c.text("postal_address", l.PostalAddress)
	out.Selection = c.selection(l.Selection)
	out.Rhythms = c.rhythms(l.Rhythms, l.DefaultRhythm)
	c.check(checkTimeZone(l.TimeZone), "time_zone %q", l.TimeZone)
	out.EditorialHour = c.hour("editorial_hour", l.EditorialHour)
	out.DeliveryHour = c.hour("delivery_hour", l.DeliveryHour)
	out.FallbackLanguage = c.language("fallback_language", l.FallbackLanguage)
	if l.OptIn != "single" && l.OptIn != "double" {
		c.add(fmt.Sprintf("opt_in %q", l.OptIn), "neither single nor double")
	}
	if l.Theme != "" && !slug.Valid(l.Theme) {
		c.add(fmt.Sprintf("theme %q", l.Theme), "small letters a to z, digits and single hyphens between them")
	}
	if welcomes := []string{WelcomeOff, WelcomeOn, WelcomeLastEdition}; !slices.Contains(welcomes, l.Welcome) {
		c.add(fmt.Sprintf("welcome %q", l.Welcome), "none of %s", strings.Join(welcomes, ", "))
	}
	c.limits(l.MinArticles, l.MaxArticles)
	if rests := []string{RestWaits, RestMore}; !slices.Contains(rests, l.Rest) {
		c.add(fmt.Sprintf("rest %q", l.Rest), "none of %s", strings.Join(rests, ", "))
	}
	c.calendar(&out)
	c.duration("immediate_after", l.ImmediateAfter, 0, Duration(time.Hour))
	c.duration("late_after", l.LateAfter, Duration(time.Minute), Duration(30*24*time.Hour))
	out.LeaveOut = c.leaveOut(l.Slug, l.LeaveOut)
	c.duration("approval_within", l.ApprovalWithin, 0, Duration(31*24*time.Hour))
	if choices := []string{UnapprovedHold, UnapprovedSend, UnapprovedCancel}; !slices.Contains(choices, l.Unapproved) {
		c.add(fmt.Sprintf("unapproved %q", l.Unapproved), "none of %s", strings.Join(choices, ", "))
	}
	if l.InDoubt != InDoubtAgain && l.InDoubt != InDoubtLeave {
		c.add(fmt.Sprintf("in_doubt %q", l.InDoubt), "neither again nor leave")
	}
	return out, c.err()
}

// limits checks how many articles a digest may have.
func (m *mistakes) limits(least, most int) {
	const limit = 10_000
	if least < 1 || least > limit {
		m.add(fmt.Sprintf("min_articles %d", least), "between 1 and %d", limit)
	}
	if most < 0 || most > limit || most > 0 && most < least {
		m.add(fmt.Sprintf("max_articles %d", most), "0 for no limit, or between min_articles and %d", limit)
	}
}

// leaveOut returns the slugs of other lists, sorted, each once. Whether there are such lists is for whoever declares all of them.
func (m *mistakes) leaveOut(own string, given []string) pq.StringArray {
	for _, other := range given {
		switch {
		case !slug.Valid(other):
			m.add(fmt.Sprintf("leave_out %q", other), "not the slug of a list")
		case other == own:
			m.add(fmt.Sprintf("leave_out %q", other), "the list itself: nothing comes twice on one list")
		}
	}
	return present(slices.Compact(slices.Sorted(slices.Values(given))))
}

func (m *mistakes) sender(s Sender) Sender {
	return Sender{
		Name:    m.line("sender name", s.Name),
		Address: m.address("sender address", s.Address),
		ReplyTo: m.address("sender reply_to", s.ReplyTo),
	}
}

func (m *mistakes) address(field, given string) string {
	if given == "" {
		return ""
	}
	address, err := ParseAddress(given)
	m.check(err, field+" %q", given)
	return address.Given
}

func (m *mistakes) selection(s articles.Selection) articles.Selection {
	for field, values := range map[string][]string{"sections": s.Sections, "tags": s.Tags, "sources": s.Sources} {
		for _, value := range values {
			m.check(checkText(value, maxName), "select %s %q", field, value)
		}
	}
	tags, err := parseLanguages(s.Languages)
	m.check(err, "select languages")
	return articles.Selection{
		Sections: present(s.Sections), Tags: present(s.Tags), Languages: present(tags), Sources: present(s.Sources),
	}
}

// present turns nil, which would be NULL in the database, into an empty array.
func present(values []string) pq.StringArray {
	if values == nil {
		return pq.StringArray{}
	}
	return values
}

// rhythms returns those offered in the order of Rhythms, each once.
func (m *mistakes) rhythms(offered []string, usual string) pq.StringArray {
	for _, rhythm := range offered {
		if !slices.Contains(Rhythms, rhythm) {
			m.add(fmt.Sprintf("rhythms %q", rhythm), "not a rhythm; there are %s", strings.Join(Rhythms, ", "))
		}
	}
	if !slices.Contains(offered, usual) {
		m.add(fmt.Sprintf("default_rhythm %q", usual), "not among the rhythms offered (%s)", strings.Join(offered, ", "))
	}
	return slices.DeleteFunc(slices.Clone(Rhythms), func(rhythm string) bool { return !slices.Contains(offered, rhythm) })
}

func (m *mistakes) hour(field, given string) string {
	hour, err := parseHour(given)
	m.check(err, field+" %q", given)
	return hour
}
