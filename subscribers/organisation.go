package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lib/pq"

	"silkpost/internal/articles"
	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Organisations returns all organisations, by name.
func Organisations(ctx context.Context, h database.Handle) (all []Organisation, err error) {
	err = h.SelectContext(ctx, &all, `SELECT id, name, country, created_at FROM subscribers.organisations ORDER BY name_key COLLATE "C"`)
	errs.Wrap(&err, "read the organisations")
	return all, err
}

// OrganisationByName returns the organisation of that name, however it is spaced and capitalised, or errs.NotFound.
func OrganisationByName(ctx context.Context, h database.Handle, name string) (o Organisation, err error) {
	if !utf8.ValidString(name) || strings.Contains(name, "\x00") {
		return o, noOrganisation(name) // Postgres would not take it as text
	}
	err = h.GetContext(ctx, &o, `SELECT id, name, country, created_at FROM subscribers.organisations WHERE name_key = $1`, organisationKey(name))
	if errors.Is(err, sql.ErrNoRows) {
		return o, noOrganisation(name)
	}
	errs.Wrap(&err, "read the organisation %q", name)
	return o, err
}

func noOrganisation(name string) error {
	return errs.New(errs.NotFound, "no organisation %q: names stand in the column organisation of what was imported", name)
}

// OrganisationByID returns the organisation of that id, or errs.NotFound.
func OrganisationByID(ctx context.Context, h database.Handle, id int64) (o Organisation, err error) {
	err = h.GetContext(ctx, &o, `SELECT id, name, country, created_at FROM subscribers.organisations WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return o, errs.New(errs.NotFound, "no organisation %d", id)
	}
	errs.Wrap(&err, "read organisation %d", id)
	return o, err
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
		d.Title[tag] = name + " · " + o.Name
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
