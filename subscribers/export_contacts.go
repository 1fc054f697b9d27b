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
	if err := r.head(sheet.header()); err != nil {
		return 0, err
	}
	for after := int64(0); ; {
		page, err := recordsAfter(ctx, h, sheet.list.ID, after)
		if err != nil {
			return r.n, err
		}
		for i := range page {
			if err := write(r, &page[i], sheet.rows); err != nil {
				return r.n, err
			}
		}
		if len(page) < recordPage {
			return r.n, r.end()
		}
		after = page[len(page)-1].ID
	}
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
