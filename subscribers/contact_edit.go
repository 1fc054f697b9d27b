package subscribers

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// ContactFacts are what an administrator may change of a contact beside its Preferences. The address is not among them: its owner alone can say that
// mail shall go elsewhere.
type ContactFacts struct {
	Name          string
	Attributes    map[string]string // names in small letters; an empty value is none
	Organisations []string          // names; one that does not exist is made
}

// maxAttributes is how many attributes a contact can be given but by an import.
const maxAttributes = 100

// SetFacts makes a contact's facts be as given. What is wrong with them is errs.Invalid; a contact that is not there, or was erased, errs.NotFound.
func SetFacts(ctx context.Context, tx *sqlx.Tx, contact int64, f ContactFacts, now time.Time) (err error) {
	name := tidy(f.Name)
	if err := checkText(name, maxName); err != nil {
		return errs.New(errs.Invalid, "name: %w", err)
	}
	attributes, err := canonicalAttributes(f.Attributes)
	if err != nil {
		return err
	}
	changed, err := execCount(ctx, tx, `UPDATE subscribers.contacts SET name = $2, attributes = $3 WHERE id = $1 AND erased_at IS NULL`, contact, name, attributes)
	if err != nil {
		return err
	}
	if changed == 0 {
		return errs.New(errs.NotFound, "no contact %d", contact)
	}
	return setOrganisations(ctx, tx, contact, f.Organisations, now)
}

func canonicalAttributes(given map[string]string) (database.StringMap, error) {
	clean := database.StringMap{}
	for name, value := range given {
		name, value = strings.ToLower(tidy(name)), tidy(value)
		if value == "" {
			continue
		}
		if name == "" {
			return nil, errs.New(errs.Invalid, "attributes: %q has no name before it, as in role: director", value)
		}
		if err := checkText(name, maxName); err != nil {
			return nil, errs.New(errs.Invalid, "attributes, %q: %w", name, err)
		}
		if err := checkText(value, maxText); err != nil {
			return nil, errs.New(errs.Invalid, "attributes, %s: %w", name, err)
		}
		clean[name] = value
	}
	if len(clean) > maxAttributes {
		return nil, errs.New(errs.Invalid, "attributes: more than %d", maxAttributes)
	}
	return clean, nil
}

func setOrganisations(ctx context.Context, tx *sqlx.Tx, contact int64, names []string, now time.Time) error {
	var keys []string
	for _, name := range names {
		if name = tidy(name); name == "" {
			continue
		}
		key := organisationKey(name)
		if err := checkOrganisation(name, key); err != nil {
			return errs.New(errs.Invalid, "organisation %q: %w", name, err)
		}
		if slices.Contains(keys, key) {
			continue
		}
		keys = append(keys, key)
		if _, err := tx.ExecContext(ctx, `INSERT INTO subscribers.organisations (name_key, name, created_at) VALUES ($1, $2, $3) ON CONFLICT (name_key) DO NOTHING`,
			key, name, now); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `
		DELETE FROM subscribers.memberships m USING subscribers.organisations o
		WHERE m.contact_id = $1 AND o.id = m.organisation_id AND o.name_key <> ALL ($2)`, contact, present(keys)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO subscribers.memberships (organisation_id, contact_id)
		SELECT o.id, $1 FROM subscribers.organisations o WHERE o.name_key = ANY ($2) ON CONFLICT DO NOTHING`, contact, present(keys))
	return err
}

// ListsOf returns the ids of the lists that a contact has, or had, a subscription to, or errs.NotFound when there is no such contact.
func ListsOf(ctx context.Context, h database.Handle, contact int64) (lists []int64, err error) {
	defer errs.Wrap(&err, "read the lists of contact %d", contact)
	var there bool
	if err := h.GetContext(ctx, &there, `SELECT EXISTS (SELECT FROM subscribers.contacts WHERE id = $1)`, contact); err != nil {
		return nil, err
	}
	if !there {
		return nil, errs.New(errs.NotFound, "no contact %d", contact)
	}
	err = h.SelectContext(ctx, &lists, `SELECT list_id FROM subscribers.subscriptions WHERE contact_id = $1 ORDER BY list_id`, contact)
	return lists, err
}

// SubscriptionOn returns the id and the state of a contact's subscription to a list, or errs.NotFound.
func SubscriptionOn(ctx context.Context, h database.Handle, contact, list int64) (id int64, state State, err error) {
	var found []struct {
		ID    int64 `db:"id"`
		State State `db:"state"`
	}
	err = h.SelectContext(ctx, &found, `SELECT id, state FROM subscribers.subscriptions WHERE contact_id = $1 AND list_id = $2`, contact, list)
	if err == nil && len(found) == 0 {
		return 0, "", errs.New(errs.NotFound, "contact %d is not on list %d", contact, list)
	}
	if err != nil {
		return 0, "", err
	}
	return found[0].ID, found[0].State, nil
}
