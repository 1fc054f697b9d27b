package subscribers

import (
	"context"
	"io"
	"slices"
	"strings"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// The columns that say where people stand on a list, or on each of theirs.
const (
	stateColumn  = "subscription"
	statesColumn = "subscriptions"
)

// selectRecords finds what there is of contacts; $1 is the id of the list that is meant, 0 for all.
const selectRecords = `
SELECT c.id, c.email, c.name, to_json(c.languages) AS languages, c.time_zone, coalesce(to_char(c.delivery_hour, 'HH24:MI'), '') AS delivery_hour, c.attributes, c.created_at,
       coalesce((SELECT json_agg(json_build_object('name', o.name, 'country', o.country) ORDER BY o.name_key)
                 FROM subscribers.memberships m JOIN subscribers.organisations o ON o.id = m.organisation_id
                 WHERE m.contact_id = c.id), '[]') AS organisations,
       coalesce((SELECT json_agg(json_build_object('id', s.id, 'list', l.slug, 'state', s.state, 'rhythm', s.rhythm, 'topics', s.topics,
                                                   'paused_until', s.paused_until, 'created_at', s.created_at) ORDER BY l.slug)
                 FROM subscribers.subscriptions s JOIN subscribers.lists l ON l.id = s.list_id
                 WHERE s.contact_id = c.id AND ($1 = 0 OR s.list_id = $1)), '[]') AS subscriptions
FROM subscribers.contacts c`

const everybody = `
WHERE c.erased_at IS NULL
  AND ($1 = 0 OR EXISTS (SELECT FROM subscribers.subscriptions s WHERE s.contact_id = c.id AND s.list_id = $1))
ORDER BY c.id`

// ExportContacts writes everybody, or everybody on a list. In CSV a contact has a row for each organisation, as in a file for ImportContacts:
// what was exported of a list can be imported onto it again and changes nothing. An attribute whose name is that of another column is in JSON
// Lines alone.
func ExportContacts(ctx context.Context, h database.Handle, w io.Writer, format ExportFormat, list string) (n int, err error) {
	sheet, r := contactSheet{}, newRecords(w, format)
	if list != "" {
		if sheet.list, err = ListBySlug(ctx, h, list); err != nil {
			return 0, err
		}
	}
	defer errs.Wrap(&err, "export contacts")
	if format == CSV {
		if sheet.attributes, err = attributesInUse(ctx, h, sheet.list.ID); err != nil {
			return 0, err
		}
	}
	err = export(ctx, h, r, sheet.header(), sheet.rows, selectRecords+everybody, sheet.list.ID)
	return r.n, err
}

// attributesInUse returns the names of the attributes that need columns, in order.
func attributesInUse(ctx context.Context, h database.Handle, list int64) (names []string, err error) {
	err = h.SelectContext(ctx, &names, `
		SELECT DISTINCT jsonb_object_keys(c.attributes) FROM subscribers.contacts c
		WHERE c.erased_at IS NULL
		  AND ($1 = 0 OR EXISTS (SELECT FROM subscribers.subscriptions s WHERE s.contact_id = c.id AND s.list_id = $1))`, list)
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return isKnownColumn(name) }), err
}

// contactSheet is the table that contacts are written to.
type contactSheet struct {
	list       List // without a slug: all lists
	attributes []string
}

func (s *contactSheet) header() []string {
	columns := []string{"email", "name", "organisation", "country", "languages", "time_zone", "delivery_hour"}
	if s.list.Slug != "" {
		columns = append(columns, "rhythm", "topics", stateColumn)
	} else {
		columns = append(columns, statesColumn)
	}
	return append(columns, s.attributes...)
}

// rows returns a row for each organisation. A country of the contact's own stands in a row without one.
func (s *contactSheet) rows(c *ContactRecord) (rows [][]string) {
	for _, o := range c.Organisations {
		rows = append(rows, s.row(c, o.Name, o.Country))
	}
	if own := c.Attributes["country"]; own != "" || len(rows) == 0 {
		rows = append(rows, s.row(c, "", own))
	}
	return rows
}

func (s *contactSheet) row(c *ContactRecord, organisation, country string) []string {
	cells := []string{c.Email, c.Name, organisation, country, strings.Join(c.Languages, ";"), c.TimeZone, c.DeliveryHour}
	if s.list.Slug != "" {
		on := c.Subscriptions[0]
		cells = append(cells, s.rhythm(on.Rhythm), topicsCell(on.Topics), string(on.State))
	} else {
		states := make([]string, len(c.Subscriptions))
		for i, on := range c.Subscriptions {
			states[i] = on.List + ":" + string(on.State)
		}
		cells = append(cells, strings.Join(states, ";"))
	}
	for _, name := range s.attributes {
		cells = append(cells, c.Attributes[name])
	}
	return cells
}

// rhythm returns what an import takes: nothing, if the list no longer offers the rhythm, as can be with who has unsubscribed.
func (s *contactSheet) rhythm(chosen string) string {
	if !slices.Contains(s.list.Rhythms, chosen) {
		return ""
	}
	return chosen
}

// topicsCell returns nothing for topics that would not come back from a cell as they are.
func topicsCell(topics []string) string {
	cell := strings.Join(topics, ";")
	if !slices.Equal(splitCell(cell), topics) {
		return ""
	}
	return cell
}
