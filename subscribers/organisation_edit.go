package subscribers

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// MakeOrganisation adds an organisation and returns its id. It returns what Validate says, and errs.Conflict when there is one of that name.
func MakeOrganisation(ctx context.Context, h database.Handle, o Organisation, now time.Time) (id int64, err error) {
	s, err := o.canonical()
	if err != nil {
		return 0, err
	}
	added, err := execCount(ctx, h, insertOrganisation, append(s.values(), now)...)
	if err != nil {
		return 0, err
	}
	if added == 0 {
		return 0, errs.New(errs.Conflict, "there is an organisation %q already", s.Name)
	}
	made, err := OrganisationByName(ctx, h, s.Name)
	return made.ID, err
}

// values are those of insertOrganisation and updateOrganisation.
func (o *Organisation) values() []any {
	return []any{organisationKey(o.Name), o.Name, o.Names, o.Country, o.WebSite, o.Languages, o.Kind, o.AgreedOn, o.AgreedUntil, o.Notes, o.Tags}
}

// ChangeOrganisation makes the organisation of o.ID be as o says, its name too. It returns what Validate says, errs.NotFound, or errs.Conflict when
// another organisation has that name: merge them then.
func ChangeOrganisation(ctx context.Context, h database.Handle, o Organisation) error {
	s, err := o.canonical()
	if err != nil {
		return err
	}
	changed, err := execCount(ctx, h, `
		UPDATE subscribers.organisations
		SET (name_key, name, names, country, web_site, languages, kind, agreed_on, agreed_until, notes, tags)
		    = ($1, $2, $3, $4, $5, $6, $7, nullif($8, '')::date, nullif($9, '')::date, $10, $11)
		WHERE id = $12`, append(s.values(), o.ID)...)
	switch {
	case database.SQLState(err) == uniqueViolation:
		return errs.New(errs.Conflict, "another organisation is called %q: merge the two, if they are one", s.Name)
	case err != nil:
		return err
	case changed == 0:
		return errs.New(errs.NotFound, "no organisation %d", o.ID)
	}
	return nil
}

// MergeOrganisations makes one organisation of two: the people of from belong to into, whose facts stay, and from's fill in what it lacks. Then from is
// gone. Whatever other rooms hold of from is theirs to move.
func MergeOrganisations(ctx context.Context, tx *sqlx.Tx, from, into int64) (err error) {
	if from == into {
		return errs.New(errs.Invalid, "an organisation cannot be merged with itself")
	}
	var both []int64
	if err := tx.SelectContext(ctx, &both, `SELECT id FROM subscribers.organisations WHERE id = ANY ($1) ORDER BY id FOR UPDATE`, pq.Array([]int64{from, into})); err != nil {
		return err
	}
	if len(both) < 2 {
		return errs.New(errs.NotFound, "one of the organisations %d and %d is not there", from, into)
	}
	defer errs.Wrap(&err, "merge organisation %d into %d", from, into)
	for _, statement := range []string{
		`UPDATE subscribers.organisations o
		 SET names = f.names || o.names, country = coalesce(nullif(o.country, ''), f.country), web_site = coalesce(nullif(o.web_site, ''), f.web_site),
		     languages = CASE WHEN o.languages = '{}' THEN f.languages ELSE o.languages END, kind = coalesce(nullif(o.kind, ''), f.kind),
		     notes = concat_ws(E'\n', nullif(o.notes, ''), nullif(f.notes, '')),
		     tags = o.tags || ARRAY(SELECT tag FROM unnest(f.tags) tag WHERE tag <> ALL (o.tags))
		 FROM subscribers.organisations f WHERE f.id = $1 AND o.id = $2`,
		`INSERT INTO subscribers.memberships (organisation_id, contact_id)
		 SELECT $2, contact_id FROM subscribers.memberships WHERE organisation_id = $1 ON CONFLICT DO NOTHING`,
		`DELETE FROM subscribers.memberships WHERE organisation_id = $1 AND $2 <> 0`,
		`DELETE FROM subscribers.organisations WHERE id = $1 AND $2 <> 0`,
	} {
		if _, err := tx.ExecContext(ctx, statement, from, into); err != nil {
			return err
		}
	}
	return nil
}

// RemoveOrganisation removes an organisation. Its people stay, as what they are, and keep their subscriptions.
func RemoveOrganisation(ctx context.Context, tx *sqlx.Tx, organisation int64) (err error) {
	defer errs.Wrap(&err, "remove organisation %d", organisation)
	if _, err := tx.ExecContext(ctx, `DELETE FROM subscribers.memberships WHERE organisation_id = $1`, organisation); err != nil {
		return err
	}
	removed, err := execCount(ctx, tx, `DELETE FROM subscribers.organisations WHERE id = $1`, organisation)
	if err == nil && removed == 0 {
		return errs.New(errs.NotFound, "no organisation %d", organisation)
	}
	return err
}
