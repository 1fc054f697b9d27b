package subscribers

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// Organisation is a partner. It is known by its name, however that is spaced and capitalised.
type Organisation struct {
	ID          int64              `db:"id" toml:"-" json:"id"`
	Name        string             `db:"name" toml:"name" json:"name"`
	Names       database.StringMap `db:"names" toml:"names" json:"names"`                      // language → words, beside Name; see NameIn
	Country     string             `db:"country" toml:"country" json:"country"`                // ISO 3166-1 alpha-2, "" when unknown
	WebSite     string             `db:"web_site" toml:"web_site" json:"web_site"`             // http or https, "" when unknown
	Languages   pq.StringArray     `db:"languages" toml:"languages" json:"languages"`          // canonical BCP 47
	Kind        string             `db:"kind" toml:"kind" json:"kind"`                         // museum, university, …: the administrators' own words
	AgreedOn    Date               `db:"agreed_on" toml:"agreed_on" json:"agreed_on"`          // the agreement with it holds from here
	AgreedUntil Date               `db:"agreed_until" toml:"agreed_until" json:"agreed_until"` // to here, or without end
	Notes       string             `db:"notes" toml:"notes" json:"notes"`
	Tags        pq.StringArray     `db:"tags" toml:"tags" json:"tags"`
	CreatedAt   time.Time          `db:"created_at" toml:"-" json:"created_at"`
}

// Date is a day as "2026-03-01", or "".
type Date string

// NameIn returns what the organisation is called in a language: its name, when it has none in that one.
func (o *Organisation) NameIn(tag string) string {
	if found := language.Choose([]string{tag}, slices.Sorted(maps.Keys(o.Names))); found != "" {
		return o.Names[found]
	}
	return o.Name
}

// OrganisationKey is what makes two names one organisation's: the same letters, without regard to case, their width or the space between them.
// A name without any has the key "".
func OrganisationKey(name string) string { return organisationKey(name) }

// Validate returns nil or an error of kind Invalid with one line for each mistake.
func (o *Organisation) Validate() error {
	_, err := o.canonical()
	return err
}

// canonical returns the organisation in the form in which it is stored, or what Validate says.
func (o *Organisation) canonical() (Organisation, error) {
	m, out := mistakes{of: fmt.Sprintf("organisation %q", o.Name)}, *o
	out.Name = tidy(o.Name)
	err := checkOrganisation(out.Name, organisationKey(out.Name))
	m.check(err, "name")
	out.Names = m.words("names", o.Names, m.line)
	if o.Country != "" {
		out.Country, err = parseCountry(o.Country)
		m.check(err, "country %q", o.Country)
	}
	out.WebSite = strings.TrimSpace(o.WebSite)
	m.check(checkWebSite(out.WebSite), "web_site %q", out.WebSite)
	tags, err := parseLanguages(o.Languages)
	m.check(err, "languages")
	out.Languages = present(tags)
	out.Kind = m.line("kind", o.Kind)
	m.date("agreed_on", o.AgreedOn)
	m.date("agreed_until", o.AgreedUntil)
	if o.AgreedUntil != "" && o.AgreedUntil < o.AgreedOn {
		m.add(fmt.Sprintf("agreed_until %q", o.AgreedUntil), "before agreed_on, %s", o.AgreedOn)
	}
	out.Notes = m.text("notes", o.Notes)
	out.Tags = m.tags(o.Tags)
	return out, m.err()
}

func (m *mistakes) date(field string, d Date) {
	if _, err := time.Parse(time.DateOnly, string(d)); d != "" && err != nil {
		m.add(fmt.Sprintf("%s %q", field, d), "not a date such as 2026-03-01")
	}
}

// tags returns each tag once, in the order given.
func (m *mistakes) tags(given []string) pq.StringArray {
	out := pq.StringArray{}
	for _, tag := range given {
		if tag = m.line("tags", tag); tag != "" && !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return out
}

// checkWebSite accepts what a page can link to. The error is the reason alone.
func checkWebSite(address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil {
		return errs.New(errs.Invalid, "not the address of a web site such as https://www.example.org/")
	}
	return checkText(address, maxText)
}

// Digest says what an organisation gets of a list.
type Digest struct {
	Title     database.StringMap // the list's names, each with the organisation's
	Selection articles.Selection
	Topics    []string // sections or tags; none: all
	Languages []string // each article in the first of these that it is in; the last is the list's fallback
}

// OrganisationDigest returns what the contacts of an organisation get of a list, taken together: the topics of all of them, or all
// when one wants all, in the languages of the one who has subscribed for longest. Of an organisation without active subscriptions it
// is what the list says.
func OrganisationDigest(ctx context.Context, h database.Handle, organisation, list int64) (d Digest, err error) {
	l, err := ListByID(ctx, h, list)
	if err != nil {
		return d, err
	}
	o, err := OrganisationByID(ctx, h, organisation)
	if err != nil {
		return d, err
	}
	d = Digest{Title: database.StringMap{}, Selection: l.Selection}
	for tag, name := range l.Name {
		d.Title[tag] = name + " · " + o.NameIn(tag)
	}
	var readers []struct {
		Languages pq.StringArray `db:"languages"`
		Topics    pq.StringArray `db:"topics"`
	}
	err = h.SelectContext(ctx, &readers, `
		SELECT languages, topics FROM subscribers.mailable JOIN subscribers.memberships USING (contact_id)
		WHERE organisation_id = $1 AND list_id = $2 ORDER BY subscription_id`, organisation, list)
	all := false
	for i, reader := range readers {
		if i == 0 {
			d.Languages = reader.Languages
		}
		for _, topic := range reader.Topics {
			if !slices.Contains(d.Topics, topic) {
				d.Topics = append(d.Topics, topic)
			}
		}
		all = all || len(reader.Topics) == 0
	}
	if all {
		d.Topics = nil
	}
	d.Languages = append(d.Languages, l.FallbackLanguage)
	return d, err
}
