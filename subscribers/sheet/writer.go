package sheet

import (
	"encoding/csv"
	"io"
	"strings"
)

// Writer writes a table that spreadsheets open without being asked about its encoding, and in which no cell is a formula.
type Writer struct {
	csv   *csv.Writer
	cells []string
}

// NewWriter begins a table: UTF-8 with a byte order mark, its columns parted by comma.
func NewWriter(w io.Writer, comma byte) (*Writer, error) {
	_, err := io.WriteString(w, "\ufeff")
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = rune(comma), true
	return &Writer{csv: out}, err
}

// Write writes a row.
func (w *Writer) Write(cells ...string) error {
	w.cells = w.cells[:0]
	for _, cell := range cells {
		w.cells = append(w.cells, Harmless(cell))
	}
	return w.csv.Write(w.cells)
}

// Flush writes what is left, and returns the first error of all that was written.
func (w *Writer) Flush() error {
	w.csv.Flush()
	return w.csv.Error()
}

// Harmless returns a cell that no spreadsheet takes for a formula: an apostrophe stands before what looks like one. A cell that has
// apostrophes there already gets one more, so that Plain knows its own.
func Harmless(cell string) string {
	if isFormula(strings.TrimLeft(cell, "'")) {
		return "'" + cell
	}
	return cell
}

// Plain takes back what Harmless did to a cell; other cells stay as they are.
func Plain(cell string) string {
	if text, ok := strings.CutPrefix(cell, "'"); ok && isFormula(strings.TrimLeft(text, "'")) {
		return text
	}
	return cell
}

// isFormula reports whether a spreadsheet might compute a cell, also after taking off the space before it.
func isFormula(cell string) bool {
	cell = strings.TrimLeft(cell, " \t\r\n\u00a0\u3000")
	for _, sign := range []string{"=", "+", "-", "@", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(cell, sign) {
			return true
		}
	}
	return false
}
