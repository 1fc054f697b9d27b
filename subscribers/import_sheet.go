package subscribers

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"silkpost/internal/errs"
)

// sheet reads a CSV file as the table that a spreadsheet shows.
type sheet struct {
	columns []string // names in small letters; "" for a column without one
	row     int      // of the cells that next returned last, as a spreadsheet counts
	csv     *csv.Reader
	line    int // of the file, on which that row ends
}

// openSheet reads the header, which must have one of the needed columns.
func openSheet(file io.Reader, needed ...string) (*sheet, error) {
	buffered := bufio.NewReader(file)
	if err := skipMark(buffered); err != nil {
		return nil, err
	}
	s := &sheet{csv: csv.NewReader(buffered)}
	s.csv.FieldsPerRecord = -1 // compared with the header by our own words
	s.csv.ReuseRecord = true
	header, err := s.next()
	if errors.Is(err, io.EOF) {
		return nil, errs.New(errs.Invalid, "the file is empty: its first row must name the columns, and %s must be one of them", needed[0])
	}
	if err != nil {
		return nil, err
	}
	for _, cell := range header {
		s.columns = append(s.columns, strings.ToLower(tidy(cell)))
	}
	return s, s.checkColumns(needed)
}

// skipMark skips the byte order mark of UTF-8 and recognises, by their first bytes, files that are no such text.
func skipMark(file *bufio.Reader) error {
	start, err := file.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return errs.New(errs.Unavailable, "cannot read the file: %w", err)
	}
	switch text := string(start); {
	case strings.HasPrefix(text, "\xef\xbb\xbf"):
		_, err := file.Discard(3)
		return err
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"):
		return errs.New(errs.Invalid, `the file is UTF-16 text: save it as "CSV UTF-8"`)
	case text == "PK\x03\x04":
		return errs.New(errs.Invalid, `the file is a workbook, not CSV: save the sheet as "CSV UTF-8"`)
	}
	return nil
}

func (s *sheet) checkColumns(needed []string) error {
	for i, name := range s.columns {
		if err := checkText(name, maxName); err != nil {
			return errs.New(errs.Invalid, "row %d, column %d: the name has %w", s.row, i+1, err)
		}
		if name != "" && slices.Contains(s.columns[:i], name) {
			return errs.New(errs.Invalid, "row %d: the column %q is there twice", s.row, name)
		}
	}
	if len(s.columns) == 1 && strings.ContainsAny(s.columns[0], ";\t") {
		return errs.New(errs.Invalid, "row %d: its columns are not parted by commas; save the file with commas", s.row)
	}
	if !slices.ContainsFunc(needed, func(name string) bool { return slices.Contains(s.columns, name) }) {
		return errs.New(errs.Invalid, `row %d names no column "%s"; the columns are: %s`, s.row, strings.Join(needed, `" or "`), strings.Join(s.columns, ", "))
	}
	return nil
}

// next returns the cells of the next row that is not blank, valid until it is called again, or io.EOF after the last.
func (s *sheet) next() ([]string, error) {
	for {
		cells, err := s.csv.Read()
		if broken := (*csv.ParseError)(nil); errors.As(err, &broken) {
			return nil, errs.New(errs.Invalid, "row %d cannot be read: %s", s.row+broken.StartLine-s.line, quoteMistake(broken))
		}
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		if err != nil {
			return nil, errs.New(errs.Unavailable, "cannot read the file after row %d: %w", s.row, err)
		}
		s.count(cells)
		if !utf8.ValidString(strings.Join(cells, "")) {
			return nil, errs.New(errs.Invalid, `row %d is not UTF-8 text: save the file as "CSV UTF-8"`, s.row)
		}
		if slices.ContainsFunc(cells, func(cell string) bool { return tidy(cell) != "" }) {
			for i, cell := range cells {
				cells[i] = plain(cell)
			}
			return cells, nil
		}
	}
}

// count finds the row's number: a spreadsheet counts blank lines, which the reader skips, and counts a row once whose cells
// have line breaks in them.
func (s *sheet) count(cells []string) {
	first, _ := s.csv.FieldPos(0)
	last, _ := s.csv.FieldPos(len(cells) - 1)
	s.row += first - s.line
	s.line = last + strings.Count(cells[len(cells)-1], "\n")
}

func quoteMistake(err *csv.ParseError) string {
	if errors.Is(err.Err, csv.ErrBareQuote) {
		return `a quotation mark stands inside a cell that does not begin with one`
	}
	return `a quotation mark is not closed, or stands singly inside a quoted cell`
}
