package subscribers

import (
	"context"
	"errors"
	"io"
	"slices"
)

// people is what a file says: everyone once, and the rows that were refused.
type people struct {
	columns       []string
	all           []*person // in the order of the file
	byKey         map[string]*person
	organisations map[string]*partner // by key
	refusals      []Refusal
	refusedRows   int
}

// person is what the rows with one address say together. Empty cells say nothing.
type person struct {
	email         string   // as first given
	key           string   // see Address
	cells         []string // by column, in canonical form; not what is said of its organisations
	rows          []int    // by column, the row that said it first
	organisations []string // keys
}

// partner is an organisation in the file.
type partner struct {
	name       string // as first given
	country    string
	countryRow int // the row that named the country first
}

// readPeople reads a whole file. What is wrong with a row becomes a refusal, what is wrong with the file an error.
func readPeople(ctx context.Context, file io.Reader, list *List) (*people, error) {
	s, err := openSheet(file, "email")
	if err != nil {
		return nil, err
	}
	p := &people{columns: s.columns, byKey: map[string]*person{}, organisations: map[string]*partner{}}
	checks := checksFor(s.columns, list)
	for ctx.Err() == nil {
		cells, err := s.next()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return nil, err
		}
		row := readRow(s.row, s.columns, checks, cells)
		if len(row.refusals) == 0 {
			p.join(row)
		}
		p.refuse(row.refusals)
	}
	return nil, context.Cause(ctx)
}

// refuse records why a row is not taken.
func (p *people) refuse(reasons []Refusal) {
	if len(reasons) > 0 {
		p.refusedRows++
		p.refusals = append(p.refusals, reasons...)
	}
}

// refused returns the part of an import's result that the file alone decides.
func (p *people) refused() ImportResult {
	return ImportResult{Refused: p.refusedRows, Refusals: p.refusals}
}

// join adds a row to what is known of its person and its organisation, or refuses it when it contradicts an earlier one.
func (p *people) join(r *row) {
	known := p.byKey[r.cell("email")]
	if known != nil {
		p.compare(known, r)
	}
	key := organisationKey(r.organisation)
	country := r.cell("country")
	if partner := p.organisations[key]; key != "" && partner != nil && contradicts(partner.country, country) {
		r.refuse("country", country, "row %d says %q of the same organisation", partner.countryRow, partner.country)
	}
	if len(r.refusals) > 0 {
		return
	}
	if known == nil {
		known = p.add(r)
	}
	known.fill(r)
	if key != "" {
		p.affiliate(known, key, r)
	}
}

// compare refuses a row that says of a person something else than the rows before.
func (p *people) compare(known *person, r *row) {
	for i, name := range p.columns {
		if !r.ofOrganisation(name) && contradicts(known.cells[i], r.cells[i]) {
			r.refuse(name, r.cells[i], "row %d says %q of the same address", known.rows[i], known.cells[i])
		}
	}
}

func contradicts(before, now string) bool { return before != "" && now != "" && before != now }

func (p *people) add(r *row) *person {
	one := &person{
		email: r.email, key: r.cell("email"), cells: make([]string, len(p.columns)), rows: make([]int, len(p.columns)),
	}
	p.all = append(p.all, one)
	p.byKey[one.key] = one
	return one
}

// fill takes from a row what was not known yet.
func (one *person) fill(r *row) {
	for i, cell := range r.cells {
		if one.cells[i] == "" && !r.ofOrganisation(r.columns[i]) {
			one.cells[i], one.rows[i] = cell, r.number
		}
	}
}

// affiliate makes a person a member of the row's organisation.
func (p *people) affiliate(one *person, key string, r *row) {
	if !slices.Contains(one.organisations, key) {
		one.organisations = append(one.organisations, key)
	}
	known := p.organisations[key]
	if known == nil {
		known = &partner{name: r.organisation}
		p.organisations[key] = known
	}
	if country := r.cell("country"); known.country == "" && country != "" {
		known.country, known.countryRow = country, r.number
	}
}
