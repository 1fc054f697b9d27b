package subscribers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/language"
)

// Condition returns the audience as a condition on a row m of subscribers.mailable, with its parameters, the first of which is $first: for a
// statement that narrows an edition. Nothing that people wrote is in the SQL. A list or an organisation that the audience names and that does
// not exist is errs.NotFound.
func (a Audience) Condition(ctx context.Context, h database.Handle, first int) (sql string, args []any, err error) {
	w, err := a.where(ctx, h, first)
	if err != nil {
		return "", nil, err
	}
	parts := w.of("m.contact_id")
	if len(w.contact) > 0 {
		parts = append(parts, `m.contact_id IN (SELECT c.id FROM subscribers.contacts c WHERE `+strings.Join(w.contact, " AND ")+`)`)
	}
	if len(w.subscription) > 0 {
		parts = append(parts, `m.subscription_id IN (SELECT s.id FROM subscribers.subscriptions s WHERE `+strings.Join(w.subscription, " AND ")+`)`)
	}
	if len(parts) == 0 {
		return "true", nil, nil
	}
	return "(" + strings.Join(parts, " AND ") + ")", w.args, nil
}

// where is an audience as conditions on a contact c, on a subscription s, and on a contact's id alone, wherever that stands.
type where struct {
	contact, subscription []string
	sets                  []set
	within                string // the parameter that holds the only lists that are meant; "": all are
	first                 int
	args                  []any
}

// sees says that a contact's attributes are for who asks to know, knows that the rest of what is asked of it is.
func (w *where) sees(contact string) string {
	if w.within == "" {
		return "true"
	}
	return alone(contact, w.within)
}

func (w *where) knows(contact string) string {
	if w.within == "" {
		return "true"
	}
	return known(contact, w.within)
}

// set is the ids of contacts, who are or are not meant: those that any of its statements finds.
type set struct {
	not  bool
	find []string
}

// of returns the conditions on an id.
func (w *where) of(id string) []string {
	conditions := make([]string, len(w.sets))
	for i, set := range w.sets {
		conditions[i] = set.holds(id)
	}
	return conditions
}

func (s set) holds(id string) string {
	if s.not {
		return id + " NOT IN (" + strings.Join(s.find, " UNION ALL ") + ")"
	}
	return id + " IN (" + strings.Join(s.find, " UNION ") + ")" // without ALL, Postgres knows how many they are instead of guessing 200
}

// arg adds a parameter and returns its place.
func (w *where) arg(value any) string {
	w.args = append(w.args, value)
	return fmt.Sprintf("$%d", w.first+len(w.args)-1)
}

func (w *where) texts(values []string) string { return w.arg(pq.Array(values)) + "::text[]" }

func (w *where) ids(ids []int64) string { return w.arg(pq.Array(ids)) + "::bigint[]" }

func (w *where) time(at time.Time) string { return w.arg(at) + "::timestamptz" }

// where looks names up, so that the statement that asks about everybody has their ids: Postgres then knows how many are meant.
func (a Audience) where(ctx context.Context, h database.Handle, first int) (*where, error) {
	w := &where{first: first}
	if a.Within != nil {
		w.within = w.ids(a.Within)
		w.subscription = append(w.subscription, "s.list_id = ANY ("+w.within+")")
	}
	for _, c := range a.Clauses {
		ids, err := c.ids(ctx, h)
		if err != nil {
			return nil, err
		}
		switch c.Field {
		case ByCountry, ByOrganisation:
			w.sets = append(w.sets, set{c.Not, w.members(c, ids)})
		case ByAttribute, ByLanguage:
			w.contact = append(w.contact, negated(c.Not, w.ofContact(c)))
		default:
			w.subscription = append(w.subscription, negated(c.Not, w.ofSubscription(c, ids)))
		}
	}
	return w, nil
}

// negated turns a condition round. Who has no such attribute is meant, too.
func negated(not bool, condition string) string {
	if not {
		return "(" + condition + ") IS NOT TRUE"
	}
	return condition
}

// ids returns the lists or organisations that a clause is about.
func (c Clause) ids(ctx context.Context, h database.Handle) (ids []int64, err error) {
	switch {
	case c.Field == ByList:
		for _, slug := range c.Values {
			list, err := ListBySlug(ctx, h, slug)
			if err != nil {
				return nil, err
			}
			ids = append(ids, list.ID)
		}
	case c.Field == ByOrganisation && c.Op == Is:
		for _, name := range c.Values {
			o, err := OrganisationByName(ctx, h, name)
			if err != nil {
				return nil, err
			}
			ids = append(ids, o.ID)
		}
	case c.Field == ByOrganisation:
		keys := make([]string, len(c.Values))
		for i, part := range c.Values {
			keys[i] = organisationKey(part)
		}
		err = h.SelectContext(ctx, &ids, `
			SELECT o.id FROM subscribers.organisations o WHERE EXISTS (SELECT FROM unnest($1::text[]) part WHERE strpos(o.name_key, part) > 0)`,
			pq.Array(keys))
	case c.Field == ByCountry:
		err = h.SelectContext(ctx, &ids, `SELECT o.id FROM subscribers.organisations o WHERE o.country = ANY ($1)`, pq.Array(c.Values))
	}
	errs.Wrap(&err, "look up what is meant by %q", c)
	return ids, err
}

// members finds the contacts of organisations, and for a country those who have it for their own.
func (w *where) members(c Clause, organisations []int64) []string {
	find := []string{"SELECT member.contact_id FROM subscribers.memberships member WHERE member.organisation_id = ANY (" + w.ids(organisations) + ") AND " + w.knows("member.contact_id")}
	if c.Field == ByCountry {
		find = append(find, "SELECT own.id FROM subscribers.contacts own WHERE own.attributes ->> 'country' = ANY ("+w.texts(c.Values)+") AND "+w.sees("own.id"))
	}
	return find
}

func (w *where) ofContact(c Clause) string {
	if c.Field == ByLanguage {
		return "c.language_keys && " + w.texts(language.Keys(c.Values)) + " AND " + w.knows("c.id")
	}
	value := "(CASE WHEN " + w.sees("c.id") + " THEN c.attributes ->> " + w.arg(c.Attribute) + "::text END)"
	switch c.Op {
	case Is:
		return value + " = ANY (" + w.texts(c.Values) + ")"
	case Contains:
		parts := make([]string, len(c.Values))
		for i, part := range c.Values {
			parts[i] = "strpos(lower(" + value + "), lower(" + w.arg(part) + "::text)) > 0"
		}
		return "(" + strings.Join(parts, " OR ") + ")"
	}
	return value + " IS NOT NULL"
}

// barred are the contacts who must not be mailed.
const barred = `
	SELECT b.id FROM subscribers.suppressions x JOIN subscribers.contacts b ON b.email_key = x.address_key WHERE x.lifted_at IS NULL
	UNION ALL SELECT b.id FROM subscribers.suppressions x JOIN subscribers.contacts b ON b.domain_key = x.domain_key WHERE x.lifted_at IS NULL`

func (w *where) ofSubscription(c Clause, ids []int64) string {
	const last = "(SELECT FROM mailer.last_sent r WHERE r.subscription_id = s.id"
	switch c.Field {
	case ByList:
		return "s.list_id = ANY (" + w.ids(ids) + ")"
	case ByRhythm:
		return "s.rhythm = ANY (" + w.texts(c.Values) + ")"
	case ByState:
		return "s.state = ANY (" + w.texts(c.Values) + ")"
	case ByMailing:
		return "s.state = 'active' AND s.contact_id NOT IN (" + barred + ")"
	case ByJoining:
		return "s.created_at " + w.compare(c)
	}
	if c.Op == Never {
		return "NOT EXISTS " + last + ")"
	}
	return "EXISTS " + last + " AND r.sent_at " + w.compare(c) + ")"
}

func (w *where) compare(c Clause) string {
	switch {
	case c.Op == Before:
		return "< " + w.time(c.At.From)
	case c.At.From.Equal(c.At.To):
		return "> " + w.time(c.At.To)
	}
	return ">= " + w.time(c.At.To)
}
