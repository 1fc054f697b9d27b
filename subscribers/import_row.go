package subscribers

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"silkpost/internal/errs"
)

// row is one row, its cells in canonical form.
type row struct {
	number       int
	email        string
	organisation string
	cells        []string
	columns      []string
	refusals     []Refusal
}

func (r *row) refuse(field, value, format string, args ...any) {
	r.refusals = append(r.refusals, Refusal{Row: r.number, Field: field, Value: value, Reason: fmt.Sprintf(format, args...)})
}

// cell returns the cell of a known column, "" when the file has none of that name.
func (r *row) cell(column string) string {
	if i := slices.Index(r.columns, column); i >= 0 {
		return r.cells[i]
	}
	return ""
}

// ofOrganisation reports whether a column speaks of the row's organisation, not of its person. A country without an
// organisation is the person's.
func (r *row) ofOrganisation(column string) bool {
	return r.organisation != "" && (column == "organisation" || column == "country")
}

// readRow checks a row for itself.
func readRow(number int, columns []string, checks []check, cells []string) *row {
	r := &row{number: number, columns: columns, cells: make([]string, len(columns))}
	if len(cells) != len(columns) {
		r.refuse("", "", "%d cells where the header names %d columns; a text with a comma in it must stand in quotation marks",
			len(cells), len(columns))
		return r
	}
	for i, cell := range cells {
		if columns[i] == "email" {
			cell = strings.TrimSpace(cell)
			r.email = cell
		} else if cell = tidy(cell); cell == "" {
			continue
		}
		canonical, err := checks[i](cell)
		if err != nil {
			r.refuse(columnName(columns, i), cell, "%v", err)
		}
		r.cells[i] = canonical
	}
	r.organisation = r.cell("organisation")
	return r
}

// maxKey is the longest key in octets; an entry of an index has room for about 2,700.
const maxKey = 2000

// organisationKey is what makes two names one organisation's: NFKC, without regard to case or the width of spaces.
func organisationKey(name string) string {
	return tidy(norm.NFKC.String(cases.Fold().String(norm.NFKC.String(name))))
}

func columnName(columns []string, i int) string {
	if columns[i] == "" {
		return fmt.Sprintf("column %d", i+1)
	}
	return columns[i]
}

// check returns the canonical form of a cell, or the reason why it is refused.
type check func(cell string) (string, error)

// checksFor returns the check of each column.
func checksFor(columns []string, list *List) []check {
	known := map[string]check{
		"email":         checkEmail,
		"name":          checkLine(maxName),
		"organisation":  checkOrganisation,
		"country":       parseCountry,
		"languages":     checkLanguages,
		"time_zone":     remember(func(cell string) (string, error) { return cell, checkTimeZone(cell) }),
		"rhythm":        checkRhythm(list),
		"topics":        checkTopics,
		"delivery_hour": parseHour,
		"":              checkNameless,

		// How an export says where people stand: to be read, for no import changes that.
		stateColumn: checkLine(maxText), statesColumn: checkLine(maxText),
	}
	checks := make([]check, len(columns))
	for i, name := range columns {
		checks[i] = known[name]
		if checks[i] == nil {
			checks[i] = checkLine(maxText)
		}
	}
	return checks
}

// isAttribute reports whether a column, when it speaks of the person, is kept as an attribute.
func isAttribute(column string) bool {
	switch column {
	case "email", "name", "organisation", "languages", "time_zone", "rhythm", "topics", "delivery_hour", stateColumn, statesColumn, "":
		return false
	}
	return true
}

// remember saves a check that reads a file each time from doing so for every row of an import.
func remember(slow check) check {
	accepted := map[string]string{}
	return func(cell string) (string, error) {
		if canonical, known := accepted[cell]; known {
			return canonical, nil
		}
		canonical, err := slow(cell)
		if err == nil {
			accepted[cell] = canonical
		}
		return canonical, err
	}
}

func checkEmail(cell string) (string, error) {
	address, err := ParseAddress(cell)
	return address.Key, err
}

func checkLine(limit int) check {
	return func(cell string) (string, error) { return cell, checkText(cell, limit) }
}

func checkOrganisation(cell string) (string, error) {
	if key := organisationKey(cell); key == "" || len(key) > maxKey {
		return "", errs.New(errs.Invalid, "too long or without a letter")
	}
	return cell, checkText(cell, maxName)
}

func checkLanguages(cell string) (string, error) {
	tags, err := parseLanguages(splitCell(cell))
	return strings.Join(tags, ";"), err
}

func checkTopics(cell string) (string, error) {
	return strings.Join(splitCell(cell), ";"), checkText(cell, maxText)
}

func checkRhythm(list *List) check {
	return func(cell string) (string, error) {
		rhythm := strings.ToLower(cell)
		if !slices.Contains(list.Rhythms, rhythm) {
			return "", errs.New(errs.Invalid, "not offered by the list %s; it offers: %s", list.Slug, strings.Join(list.Rhythms, ", "))
		}
		return rhythm, nil
	}
}

func checkNameless(string) (string, error) {
	return "", errs.New(errs.Invalid, "the header gives this column no name")
}
