package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// organisationColumns are those of Organisation.
const organisationColumns = `o.id, o.name, o.names, o.country, o.web_site, o.languages, o.kind,
       coalesce(to_char(o.agreed_on, 'YYYY-MM-DD'), '') AS agreed_on, coalesce(to_char(o.agreed_until, 'YYYY-MM-DD'), '') AS agreed_until,
       o.notes, o.tags, o.created_at`

const selectOrganisations = `
SELECT ` + organisationColumns + `
FROM subscribers.organisations o`

// Organisations returns all organisations, by name.
func Organisations(ctx context.Context, h database.Handle) (all []Organisation, err error) {
	err = h.SelectContext(ctx, &all, selectOrganisations+` ORDER BY o.name_key COLLATE "C"`)
	errs.Wrap(&err, "read the organisations")
	return all, err
}

// OrganisationByName returns the organisation of that name, however it is spaced and capitalised, or errs.NotFound.
func OrganisationByName(ctx context.Context, h database.Handle, name string) (o Organisation, err error) {
	if !askable(name) {
		return o, noOrganisation(name)
	}
	err = h.GetContext(ctx, &o, selectOrganisations+` WHERE o.name_key = $1`, organisationKey(name))
	if errors.Is(err, sql.ErrNoRows) {
		return o, noOrganisation(name)
	}
	errs.Wrap(&err, "read the organisation %q", name)
	return o, err
}

// askable reports whether a name can be asked for: Postgres takes no other texts.
func askable(name string) bool { return utf8.ValidString(name) && !strings.Contains(name, "\x00") }

func noOrganisation(name string) error {
	return errs.New(errs.NotFound, "no organisation %q: silkpost organisation list shows what there is", name)
}

// OrganisationByID returns the organisation of that id, or errs.NotFound.
func OrganisationByID(ctx context.Context, h database.Handle, id int64) (o Organisation, err error) {
	err = h.GetContext(ctx, &o, selectOrganisations+` WHERE o.id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return o, errs.New(errs.NotFound, "no organisation %d", id)
	}
	errs.Wrap(&err, "read organisation %d", id)
	return o, err
}

const insertOrganisation = `
INSERT INTO subscribers.organisations (name_key, name, names, country, web_site, languages, kind, agreed_on, agreed_until, notes, tags, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8, '')::date, nullif($9, '')::date, $10, $11, $12)
ON CONFLICT (name_key) DO NOTHING`

const updateOrganisation = `
UPDATE subscribers.organisations
SET (name, names, country, web_site, languages, kind, agreed_on, agreed_until, notes, tags)
    = ($2, $3, $4, $5, $6, $7, nullif($8, '')::date, nullif($9, '')::date, $10, $11)
WHERE name_key = $1
  AND (name, names, country, web_site, languages, kind, agreed_on, agreed_until, notes, tags)
      IS DISTINCT FROM
      ($2, $3::jsonb, $4, $5, $6::text[], $7, nullif($8, '')::date, nullif($9, '')::date, $10, $11::text[])`

// DeclareOrganisation makes the organisation of o's name be as o says; o.ID and o.CreatedAt are not looked at. What o leaves empty becomes
// empty: start from the organisation as it stands. Its contacts stay as they are. It returns what Validate says.
func DeclareOrganisation(ctx context.Context, h database.Handle, o Organisation, now time.Time) (change database.Change, err error) {
	s, err := o.canonical()
	if err != nil {
		return "", err
	}
	defer errs.Wrap(&err, "organisation %q", o.Name)
	values := s.values()
	if added, err := execCount(ctx, h, insertOrganisation, append(values, now)...); err != nil || added == 1 {
		return database.Added, err
	}
	changed, err := execCount(ctx, h, updateOrganisation, values...)
	if err != nil || changed == 0 {
		return database.Unchanged, err
	}
	return database.Changed, nil
}
