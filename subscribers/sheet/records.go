package sheet

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf8"
)

// records takes a text apart.
type records struct {
	in     *bufio.Reader
	comma  byte
	number int  // of the record that next returned last
	ended  bool // that record ends in a line break, not with the file
	text   []byte
	ends   []int // of its cells in text
}

// mistake says what is wrong with the record after number.
type mistake struct{ text string }

// Error returns the text, which follows the row's number.
func (m *mistake) Error() string { return m.text }

var (
	errOpen   = &mistake{`cannot be read: a quotation mark is not closed`}
	errInside = &mistake{`cannot be read: a quotation mark stands singly inside a quoted cell; there it is written twice`}
	errBare   = &mistake{`cannot be read: a quotation mark stands inside a cell that does not begin with one`}
	errLong   = &mistake{`is longer than a megabyte: is a quotation mark not closed?`}
	errBytes  = &mistake{`is not UTF-8 text: save the file as "CSV UTF-8", or say what it is (--encoding windows-1252, gbk, …)`}
)

// maxRecord is how long a record can be, in octets.
const maxRecord = 1 << 20

// next returns the cells of the next record, or io.EOF.
func (r *records) next() ([]string, error) {
	r.text, r.ends, r.ended = r.text[:0], r.ends[:0], false
	if _, err := r.in.Peek(1); err != nil {
		return nil, err
	}
	for more := true; more; {
		after, err := r.cell()
		if err != nil {
			return nil, err
		}
		r.ends = append(r.ends, len(r.text))
		more = after == rune(r.comma)
		r.ended = after == lineEnd
	}
	if !utf8.Valid(r.text) {
		return nil, errBytes
	}
	r.number++
	return r.cells(), nil
}

// cells cuts the record's text.
func (r *records) cells() []string {
	text, cells, begin := string(r.text), make([]string, len(r.ends)), 0
	for i, end := range r.ends {
		cells[i], begin = text[begin:end], end
	}
	return cells
}

// What follows a cell, beside the comma.
const (
	lineEnd rune = '\n' // however it is written: a carriage return alone was the line end of old Macs
	fileEnd rune = -1
)

// cell reads a cell and returns what follows it.
func (r *records) cell() (after rune, err error) {
	begin := len(r.text)
	for {
		c, err := r.character()
		switch {
		case err != nil:
			return 0, err
		case c == rune(r.comma), c == lineEnd, c == fileEnd:
			return c, nil
		case c == '"':
			// Spaces before a quotation mark are no text; ="0123" keeps a spreadsheet from making a number of it.
			if before := bytes.TrimLeft(r.text[begin:], " "); len(before) > 0 && string(before) != "=" {
				return 0, errBare
			}
			r.text = r.text[:begin]
			return r.quoted()
		}
		if err := r.add(byte(c)); err != nil {
			return 0, err
		}
	}
}

// quoted reads the rest of a cell in quotation marks, in which commas and line breaks are text.
func (r *records) quoted() (after rune, err error) {
	for {
		b, err := r.in.ReadByte()
		switch {
		case err == io.EOF: // and not one that a reader met in the midst
			return 0, errOpen
		case err != nil:
			return 0, err
		case b == '"' && !r.skip('"'):
			return r.afterQuotes()
		}
		if err := r.add(b); err != nil {
			return 0, err
		}
	}
}

// afterQuotes skips the spaces between a closing quotation mark and what follows the cell.
func (r *records) afterQuotes() (after rune, err error) {
	for {
		c, err := r.character()
		switch {
		case err != nil:
			return 0, err
		case c == rune(r.comma), c == lineEnd, c == fileEnd:
			return c, nil
		case c != ' ':
			return 0, errInside
		}
	}
}

// character returns the next byte, or what ends a record.
func (r *records) character() (rune, error) {
	b, err := r.in.ReadByte()
	switch {
	case err == io.EOF:
		return fileEnd, nil
	case err != nil:
		return 0, err
	case b == '\r':
		r.skip('\n')
		return lineEnd, nil
	}
	return rune(b), nil
}

// skip reports whether b comes next, and goes past it.
func (r *records) skip(b byte) bool {
	next, err := r.in.Peek(1)
	if err != nil || next[0] != b {
		return false
	}
	_, _ = r.in.Discard(1)
	return true
}

func (r *records) add(b byte) error {
	if len(r.text) >= maxRecord {
		return errLong
	}
	r.text = append(r.text, b)
	return nil
}
