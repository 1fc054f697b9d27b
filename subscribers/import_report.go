package subscribers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/subscribers/sheet"
)

// ImportedRow says what became of a row, or with DryRun would have become of it.
type ImportedRow struct {
	Row        int            `json:"row" db:"row"`
	Outcome    string         `json:"outcome" db:"outcome"`                 // added, changed, unchanged, joined or refused
	Email      string         `json:"email,omitempty" db:"email"`           // as given; "" when the row is refused
	With       int            `json:"with,omitempty" db:"into_row"`         // joined: the first row of that person
	Changes    pq.StringArray `json:"changes,omitempty" db:"what"`          // changed: what
	State      State          `json:"state,omitempty" db:"state"`           // of the subscription, after the import
	Suppressed bool           `json:"suppressed,omitempty" db:"suppressed"` // gets no mail, whatever the state
	Refusals   []Refusal      `json:"refusals,omitempty" db:"-"`
}

const selectRows = `
SELECT o.row, CASE WHEN o.imported THEN 'added' WHEN o.what IS NULL THEN 'unchanged' ELSE 'changed' END AS outcome, i.email, 0 AS into_row,
       CASE WHEN o.imported THEN NULL ELSE o.what END AS what, o.state, o.suppressed, '' AS reasons
FROM (` + outcomes + `) o JOIN incoming i ON i.row = o.row
UNION ALL
SELECT j.row, 'joined', i.email, j.into_row, NULL, '', false, '' FROM joined j JOIN incoming i ON i.row = j.into_row
UNION ALL
SELECT row, 'refused', '', 0, NULL, '', false, reasons FROM (` + selectRefused + `) r
ORDER BY row`

// report tells what became of each row. It is called when all is written.
func (i *importing) report(ctx context.Context, tx *sqlx.Tx) error {
	if i.options.Each != nil {
		if err := i.tellEach(ctx, tx); err != nil {
			return err
		}
	}
	if i.result.Refused == 0 || i.options.Refused == nil {
		return nil
	}
	file, err := i.options.Refused()
	if err != nil {
		return err
	}
	return errors.Join(i.writeRefused(ctx, tx, file), file.Close())
}

// tellRefused tells of the refused rows alone, when nothing is written because of them.
func (i *importing) tellRefused(ctx context.Context, tx *sqlx.Tx) error {
	if i.options.Each == nil {
		return nil
	}
	return i.eachRefused(ctx, tx, 0, func(row int, refusals []Refusal) error {
		return i.options.Each(ImportedRow{Row: row, Outcome: "refused", Refusals: refusals})
	})
}

func (i *importing) tellEach(ctx context.Context, tx *sqlx.Tx) (err error) {
	rows, err := tx.QueryxContext(ctx, selectRows, i.list.ID)
	if err != nil {
		return fmt.Errorf("list the rows: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var row struct {
			ImportedRow
			Reasons string `db:"reasons"`
		}
		if err := rows.StructScan(&row); err != nil {
			return err
		}
		if row.Reasons != "" {
			if row.Refusals, err = i.refusals(row.Reasons); err != nil {
				return err
			}
		}
		if err := i.options.Each(row.ImportedRow); err != nil {
			return err
		}
	}
	return rows.Err()
}

// The columns that the file of refused rows has more. Read again, they are left out.
var refusedColumns = []string{"refused row", "refused because"}

// writeRefused reads the file once more and writes the refused rows as they stand there, with their numbers and the reasons. Of an address that was
// erased only these two are written.
func (i *importing) writeRefused(ctx context.Context, tx *sqlx.Tx, file io.Writer) error {
	if err := i.checkFile(); err != nil {
		return err
	}
	s, _, err := i.open()
	if err != nil {
		return err
	}
	w, err := sheet.NewWriter(file, i.comma)
	if err != nil {
		return err
	}
	kept := keptColumns(s.Columns)
	header := pick(s.Columns, kept)
	if err := w.Write(append(header, refusedColumns...)...); err != nil {
		return err
	}
	row := sheet.Row{}
	err = i.eachRefused(ctx, tx, 0, func(number int, refusals []Refusal) error {
		for row.Number < number {
			if row, err = s.Next(); err != nil {
				return fmt.Errorf("read the refused rows: %w", err)
			}
		}
		return w.Write(refusedCells(row, len(s.Columns), kept, refusals)...)
	})
	return errors.Join(err, w.Flush())
}

// keptColumns returns the places of the columns but for those that an earlier import added to its refused rows.
func keptColumns(columns []string) (kept []int) {
	for n, column := range columns {
		if !slices.Contains(refusedColumns, columnKey(column)) {
			kept = append(kept, n)
		}
	}
	return kept
}

func pick(cells []string, places []int) []string {
	picked := make([]string, len(places))
	for n, place := range places {
		picked[n] = cells[place]
	}
	return picked
}

// refusedCells returns a row of the file of refused rows. Cells beyond the last column stand at its end.
func refusedCells(row sheet.Row, width int, kept []int, refusals []Refusal) []string {
	reasons := make([]string, len(refusals))
	cells := row.Cells
	for n, r := range refusals {
		reasons[n] = strings.TrimLeft(r.text(), ",: ")
		if r.Reason == erasedReason {
			cells = nil
		}
	}
	whole := make([]string, width)
	beyond := cells[copy(whole, cells):]
	return slices.Concat(pick(whole, kept), []string{fmt.Sprint(row.Number), strings.Join(reasons, "; ")}, beyond)
}
