package subscribers

import (
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"

	"silkpost/internal/language"
)

// Condition returns the audience as a condition on a row m of subscribers.mailable, with its parameters, the first of which is $first: for a
// statement that narrows an edition. Nothing of what people wrote is in the SQL.
func (a Audience) Condition(first int) (sql string, args []any) {
	w := a.where(first)
	var parts []string
	if len(w.contact) > 0 {
		parts = append(parts, `m.contact_id IN (SELECT c.id FROM subscribers.contacts c WHERE `+strings.Join(w.contact, " AND ")+`)`)
	}
	if len(w.subscription) > 0 {
		parts = append(parts, `m.subscription_id IN (SELECT s.id FROM subscribers.subscriptions s WHERE `+strings.Join(w.subscription, " AND ")+`)`)
	}
	if len(parts) == 0 {
		return "true", nil
	}
	return "(" + strings.Join(parts, " AND ") + ")", w.args
}

// where is an audience as conditions on a contact c and on a subscription s.
type where struct {
	contact, subscription []string
	first                 int
	args                  []any
}

// arg adds a parameter and returns its place.
func (w *where) arg(value any) string {
	w.args = append(w.args, value)
	return fmt.Sprintf("$%d", w.first+len(w.args)-1)
}

func (w *where) texts(values []string) string { return w.arg(pq.Array(values)) + "::text[]" }

func (w *where) time(at time.Time) string { return w.arg(at) + "::timestamptz" }

func (a Audience) where(first int) *where {
	w := &where{first: first}
	for _, c := range a.Clauses {
		sql, of := w.clause(c), &w.contact
		switch c.Field {
		case ByList, ByRhythm, ByState, ByJoining, BySending, ByMailing:
			of = &w.subscription
		}
		if c.Not {
			sql = "(" + sql + ") IS NOT TRUE" // who has no such attribute is meant, too
		}
		*of = append(*of, sql)
	}
	return w
}

// membersOf finds the contacts of organisations that a condition on o chooses. The ids are an array so that the index on memberships is asked for
// each of them.
const membersOf = `c.id IN (SELECT member.contact_id FROM subscribers.memberships member
	WHERE member.organisation_id = ANY (ARRAY(SELECT o.id FROM subscribers.organisations o WHERE %s)))`

// barred are the contacts who must not be mailed.
const barred = `
	SELECT b.id FROM subscribers.suppressions x JOIN subscribers.contacts b ON b.email_key = x.address_key WHERE x.lifted_at IS NULL
	UNION ALL SELECT b.id FROM subscribers.suppressions x JOIN subscribers.contacts b ON b.domain_key = x.domain_key WHERE x.lifted_at IS NULL`

// clause returns the SQL of a clause without its not.
func (w *where) clause(c Clause) string {
	switch c.Field {
	case ByAttribute:
		return w.attribute(c)
	case ByCountry:
		codes := w.texts(c.Values)
		return "(" + fmt.Sprintf(membersOf, "o.country = ANY ("+codes+")") + " OR c.attributes ->> 'country' = ANY (" + codes + "))"
	case ByLanguage:
		return "c.language_keys && " + w.texts(language.Keys(c.Values))
	case ByOrganisation:
		return fmt.Sprintf(membersOf, w.name(c))
	case ByList:
		return "s.list_id = ANY (ARRAY(SELECT l.id FROM subscribers.lists l WHERE l.slug = ANY (" + w.texts(c.Values) + ")))"
	case ByRhythm:
		return "s.rhythm = ANY (" + w.texts(c.Values) + ")"
	case ByState:
		return "s.state = ANY (" + w.texts(c.Values) + ")"
	case ByJoining:
		return "s.created_at " + w.compare(c)
	case BySending:
		return w.sent(c)
	case ByMailing:
		return "s.state = 'active' AND s.contact_id NOT IN (" + barred + ")"
	}
	return "false"
}

func (w *where) attribute(c Clause) string {
	value := "(c.attributes ->> " + w.arg(c.Attribute) + "::text)"
	switch c.Op {
	case Is:
		return value + " = ANY (" + w.texts(c.Values) + ")"
	case Contains:
		return w.contains(value, c.Values)
	}
	return value + " IS NOT NULL"
}

// name is a condition on an organisation's name.
func (w *where) name(c Clause) string {
	keys := make([]string, len(c.Values))
	for i, value := range c.Values {
		keys[i] = organisationKey(value)
	}
	if c.Op == Contains {
		return w.contains("o.name_key", keys)
	}
	return "o.name_key = ANY (" + w.texts(keys) + ")"
}

// contains looks for texts inside one, whatever the case.
func (w *where) contains(text string, parts []string) string {
	found := make([]string, len(parts))
	for i, part := range parts {
		found[i] = "strpos(lower(" + text + "), lower(" + w.arg(part) + "::text)) > 0"
	}
	return "(" + strings.Join(found, " OR ") + ")"
}

func (w *where) compare(c Clause) string {
	if c.Op == Before {
		return "< " + w.time(c.At.From)
	}
	if c.At.From.Equal(c.At.To) {
		return "> " + w.time(c.At.To)
	}
	return ">= " + w.time(c.At.To)
}

func (w *where) sent(c Clause) string {
	const last = "(SELECT FROM mailer.last_sent r WHERE r.subscription_id = s.id"
	if c.Op == Never {
		return "NOT EXISTS " + last + ")"
	}
	return "EXISTS " + last + " AND r.sent_at " + w.compare(c) + ")"
}
