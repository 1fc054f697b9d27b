package subscribers

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// The columns that say where people stand on a list, or on each of theirs.
const (
	stateColumn  = "subscription"
	statesColumn = "subscriptions"
)

// contactRecord is what an export tells of a contact.
type contactRecord struct {
	ID            int64                `db:"id" json:"id"`
	Email         string               `db:"email" json:"email"`
	Name          string               `db:"name" json:"name"`
	Languages     jsonColumn[[]string] `db:"languages" json:"languages"`
	TimeZone      string               `db:"time_zone" json:"time_zone"`
	DeliveryHour  string               `db:"delivery_hour" json:"delivery_hour"`
	Attributes    database.StringMap   `db:"attributes" json:"attributes"`
	CreatedAt     time.Time            `db:"created_at" json:"created_at"`
	Organisations jsonColumn[[]struct {
		Name    string `json:"name"`
		Country string `json:"country"`
	}] `db:"organisations" json:"organisations"`
	Subscriptions jsonColumn[[]struct {
		List        string     `json:"list"`
		State       State      `json:"state"`
		Rhythm      string     `json:"rhythm"`
		Topics      []string   `json:"topics"`
		PausedUntil *time.Time `json:"paused_until"`
		CreatedAt   time.Time  `json:"created_at"`
	}] `db:"subscriptions" json:"subscriptions"`
}

const exportContacts = `
SELECT c.id, c.email, c.name, to_json(c.languages) AS languages, c.time_zone, coalesce(to_char(c.delivery_hour, 'HH24:MI'), '') AS delivery_hour, c.attributes, c.created_at,
       coalesce((SELECT json_agg(json_build_object('name', o.name, 'country', o.country) ORDER BY o.name_key)
                 FROM subscribers.memberships m JOIN subscribers.organisations o ON o.id = m.organisation_id
                 WHERE m.contact_id = c.id), '[]') AS organisations,
       coalesce((SELECT json_agg(json_build_object('list', l.slug, 'state', s.state, 'rhythm', s.rhythm, 'topics', s.topics,
                                                   'paused_until', s.paused_until, 'created_at', s.created_at) ORDER BY l.slug)
                 FROM subscribers.subscriptions s JOIN subscribers.lists l ON l.id = s.list_id
                 WHERE s.contact_id = c.id AND ($1 = 0 OR s.list_id = $1)), '[]') AS subscriptions
FROM subscribers.contacts c
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
	err = export(ctx, h, r, sheet.header(), sheet.rows, exportContacts, sheet.list.ID)
	return r.n, err
}

// attributesInUse returns the names of the attributes that need columns, in order.
func attributesInUse(ctx context.Context, h database.Handle, list int64) (names []string, err error) {
	err = h.SelectContext(ctx, &names, `
		SELECT DISTINCT jsonb_object_keys(c.attributes) FROM subscribers.contacts c
		WHERE c.erased_at IS NULL
		  AND ($1 = 0 OR EXISTS (SELECT FROM subscribers.subscriptions s WHERE s.contact_id = c.id AND s.list_id = $1))`, list)
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return !isAttribute(name) || name == "country" }), err
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
func (s *contactSheet) rows(c *contactRecord) (rows [][]string) {
	for _, o := range c.Organisations.V {
		rows = append(rows, s.row(c, o.Name, o.Country))
	}
	if own := c.Attributes["country"]; own != "" || len(rows) == 0 {
		rows = append(rows, s.row(c, "", own))
	}
	return rows
}

func (s *contactSheet) row(c *contactRecord, organisation, country string) []string {
	cells := []string{c.Email, c.Name, organisation, country, strings.Join(c.Languages.V, ";"), c.TimeZone, c.DeliveryHour}
	if s.list.Slug != "" {
		on := c.Subscriptions.V[0]
		cells = append(cells, s.rhythm(on.Rhythm), topicsCell(on.Topics), string(on.State))
	} else {
		states := make([]string, len(c.Subscriptions.V))
		for i, on := range c.Subscriptions.V {
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
