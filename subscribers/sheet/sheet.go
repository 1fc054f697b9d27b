// Package sheet reads tables of text (CSV, RFC 4180) as people save them from spreadsheets: in whatever encoding and parted by
// whatever their program took for a comma, with what Excel adds to them and leaves out. It tells what it cannot read for certain
// instead of guessing, because wrong letters in a name are worse than a clear refusal.
//
// It knows nothing of what the columns mean. Errors about the text are errs.Invalid and name the row as a spreadsheet counts it.
package sheet

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"

	"silkpost/internal/errs"
)

// ErrEmpty is the error of a file in which there is no row at all.
var ErrEmpty = errs.New(errs.Invalid, "the file is empty: its first row must name the columns")

// Options say how a file is to be read.
type Options struct {
	Encoding string                   // a name such as gbk or windows-1252; "" finds out
	Known    func(column string) bool // whether a column has a meaning, which helps to tell what parts them; may be nil
}

// Sheet is a table in a file. It is for one goroutine.
type Sheet struct {
	Columns  []string // the cells of the first row that is not blank, each on one line
	Encoding string   // what the text was read as, by its WHATWG name
	Comma    byte     // what parts the columns
	Header   int      // the number of the row that names them
	records  *records
	file     *counter
}

// Row is one row that is not blank.
type Row struct {
	Number int      // as a spreadsheet counts: blank rows count, a row with line breaks in its cells counts once
	Cells  []string // one for each column; more or fewer when the row is not whole
}

// headLimit bounds what is looked at to find out how a file is written, and the first row.
const headLimit = 64 << 10

// Open finds out how a file is written and reads the names of its columns. The file is read from its beginning, twice.
func Open(file io.ReadSeeker, o Options) (*Sheet, error) {
	s := &Sheet{file: &counter{file: file}}
	text, err := s.decode(o.Encoding)
	if err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(text, headLimit)
	head, err := in.Peek(headLimit)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, unreadable(0, err)
	}
	s.Comma = comma(head, o.Known)
	if line := separator(head); line != "" {
		s.Comma = line[strings.IndexByte(line, '=')+1]
		_, _ = in.Discard(len(line))
	}
	s.records = &records{in: in, comma: s.Comma}
	header, err := s.Next()
	if errors.Is(err, io.EOF) {
		return nil, ErrEmpty
	}
	s.Header = header.Number
	for _, cell := range header.Cells {
		s.Columns = append(s.Columns, strings.Join(strings.Fields(cell), " "))
	}
	return s, err
}

// Read returns how many bytes of the file have been read.
func (s *Sheet) Read() int64 { return s.file.read }

// Next returns the next row that is not blank, or io.EOF. Empty cells that Excel has left out at the end of a row are put back. A row with
// more cells than columns, or at which the file is cut off, is for the caller to refuse.
func (s *Sheet) Next() (Row, error) {
	for {
		cells, err := s.records.next()
		broken := (*mistake)(nil)
		switch {
		case err == io.EOF: //nolint:errorlint // the end itself, and not one that a reader met in the midst
			return Row{}, io.EOF
		case errors.As(err, &broken):
			return Row{}, errs.New(errs.Invalid, "row %d %w", s.records.number+1, broken)
		case err != nil:
			return Row{}, unreadable(s.records.number, err)
		}
		if slices.ContainsFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
			return Row{Number: s.records.number, Cells: s.fit(cells)}, nil
		}
	}
}

// fit puts empty cells at the end of a row that ends in a line break. What is too much stays: it may be empty and yet come from a comma that
// was meant as text, further left.
func (s *Sheet) fit(cells []string) []string {
	for i, cell := range cells {
		cells[i] = said(cell)
	}
	for s.records.ended && len(cells) < len(s.Columns) {
		cells = append(cells, "")
	}
	return cells
}

// said returns what a cell says that was written so that a spreadsheet takes it for text: ="0123", or with Writer's apostrophe.
func said(cell string) string {
	if text, ok := strings.CutPrefix(cell, `="`); ok && strings.HasSuffix(text, `"`) {
		return strings.ReplaceAll(text[:len(text)-1], `""`, `"`)
	}
	return Plain(cell)
}

func unreadable(row int, err error) error {
	if row == 0 {
		return errs.New(errs.Unavailable, "cannot read the file: %w", err)
	}
	return errs.New(errs.Unavailable, "cannot read the file after row %d: %w", row, err)
}

// separatorLine is the first line by which Excel tells itself what parts the columns. It is no row of the table.
var separatorLine = regexp.MustCompile(`(?i)\A"?sep=[,;\t|]"?(\r\n|\r|\n|\z)`)

func separator(head []byte) string { return string(separatorLine.Find(head)) }

// comma returns what parts the columns: that by which most of the first row's cells have a meaning, else by which there are most.
func comma(head []byte, known func(string) bool) byte {
	best, most := byte(','), [2]int{}
	for _, candidate := range []byte{',', ';', '\t', '|'} {
		r := &records{in: bufio.NewReader(bytes.NewReader(head)), comma: candidate}
		cells, err := r.next()
		for err == nil && strings.Trim(strings.Join(cells, ""), " ,;\t|") == "" {
			cells, err = r.next()
		}
		if err != nil {
			continue
		}
		score := [2]int{0, len(cells)}
		for _, cell := range cells {
			if known != nil && known(cell) {
				score[0]++
			}
		}
		if score[0] > most[0] || score[0] == most[0] && score[1] > most[1] {
			best, most = candidate, score
		}
	}
	return best
}

// counter counts what is read of a file.
type counter struct {
	file io.ReadSeeker
	read int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.file.Read(p)
	c.read += int64(n)
	return n, err
}

// rewind goes back to the beginning.
func (c *counter) rewind() error {
	c.read = 0
	_, err := c.file.Seek(0, io.SeekStart)
	return err
}
