package subscribers

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"

	"silkpost/internal/database"
	"silkpost/subscribers/sheet"
)

// ExportFormat is how records are written.
type ExportFormat string

// The formats. CSV is for spreadsheets and for importing again: RFC 4180, with cells that look like formulas made harmless by an apostrophe,
// which an import takes away. JSON Lines has everything, each record an object in a line of its own.
const (
	CSV       ExportFormat = "csv"
	JSONLines ExportFormat = "jsonl"
)

// An export goes from the database to the writer and keeps no more than a page of records. Each of these functions wants a handle whose statements
// all see the same moment, and returns how many records it wrote. list is a slug; "" is all lists; an unknown one is errs.NotFound.

// records writes rows in a format.
type records struct {
	csv  *csv.Writer   // nil: JSON Lines
	json *json.Encoder // nil: CSV
	n    int
}

func newRecords(w io.Writer, format ExportFormat) *records {
	if format == JSONLines {
		r := &records{json: json.NewEncoder(w)}
		r.json.SetEscapeHTML(false)
		return r
	}
	r := &records{csv: csv.NewWriter(w)}
	r.csv.UseCRLF = true
	return r
}

// head writes the names of the columns.
func (r *records) head(columns []string) error {
	if r.csv == nil {
		return nil
	}
	return r.cells(columns...)
}

// cells writes a row of a table.
func (r *records) cells(cells ...string) error {
	for i, cell := range cells {
		cells[i] = sheet.Harmless(cell)
	}
	return r.csv.Write(cells)
}

// end hands over what is left.
func (r *records) end() error {
	if r.csv == nil {
		return nil
	}
	r.csv.Flush()
	return r.csv.Error()
}

// export writes the header and each row of a statement: as an object, or as what cells makes of it.
func export[R any](ctx context.Context, h database.Handle, r *records, header []string, cells func(row *R) [][]string, query string, args ...any) error {
	if err := r.head(header); err != nil {
		return err
	}
	rows, err := h.QueryxContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var row R
		if err := rows.StructScan(&row); err != nil {
			return err
		}
		if err := write(r, &row, cells); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return r.end()
}

// write writes a record.
func write[R any](r *records, row *R, cells func(row *R) [][]string) error {
	r.n++
	if r.json != nil {
		return r.json.Encode(row)
	}
	for _, line := range cells(row) {
		if err := r.cells(line...); err != nil {
			return err
		}
	}
	return nil
}

// listID returns the id of a list, 0 for "".
func listID(ctx context.Context, h database.Handle, slug string) (int64, error) {
	if slug == "" {
		return 0, nil
	}
	list, err := ListBySlug(ctx, h, slug)
	return list.ID, err
}
