package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"silkpost/internal/errs"
	"silkpost/subscribers"
)

// listing says what became of an import: in words, or as JSON.
type listing interface {
	opened(subscribers.ImportedFile)
	row(subscribers.ImportedRow) error
	print(subscribers.ImportResult, error) error
	close()
}

func (c *importContactsCmd) newListing(out io.Writer) (listing, error) {
	if !c.JSON {
		return &wordListing{out: out, consent: c.Consent, dryRun: c.DryRun, first: map[string][]string{}, count: map[string]int{}}, nil
	}
	file, err := scratchFile()
	if err != nil {
		return nil, err
	}
	return &jsonListing{out: out, file: file, rows: bufio.NewWriter(file), dryRun: c.DryRun}, nil
}

// wordListing tells how it came out, and of a dry run and of refused rows the first few.
type wordListing struct {
	out     io.Writer
	consent string
	dryRun  bool
	file    subscribers.ImportedFile
	first   map[string][]string
	count   map[string]int
}

// listed is how many rows of each kind are listed, listedRefused how many refused ones.
const (
	listed        = 10
	listedRefused = 50
)

func (l *wordListing) opened(file subscribers.ImportedFile) { l.file = file }

func (l *wordListing) close() {}

// row notes the first rows of each kind of a dry run.
func (l *wordListing) row(r subscribers.ImportedRow) error {
	stopped := r.State == subscribers.Unsubscribed || r.Suppressed
	for _, kind := range []string{r.Outcome, map[bool]string{true: "left"}[stopped]} {
		if kind == "" || kind == "refused" { // of these the result tells
			continue
		}
		if l.count[kind]++; l.count[kind] <= listed {
			l.first[kind] = append(l.first[kind], rowWords(kind, r))
		}
	}
	return nil
}

// rowWords are the line about a row.
func rowWords(kind string, r subscribers.ImportedRow) string {
	line := fmt.Sprintf("%s: row %d, %s", kind, r.Row, r.Email)
	switch {
	case kind == "left" && r.State == subscribers.Unsubscribed:
		line += ": unsubscribed"
	case kind == "left":
		line += ": suppressed"
	case kind == "changed":
		line += ": " + strings.Join(r.Changes, ", ")
	case kind == "joined":
		line += fmt.Sprintf(": with row %d", r.With)
	}
	return line
}

func (l *wordListing) print(done subscribers.ImportResult, err error) error {
	if err != nil && errs.KindOf(err) != errs.Invalid {
		return nil
	}
	if l.dryRun && len(l.file.Columns) > 0 {
		fmt.Fprintln(l.out, fileWords(l.file))
	}
	for _, kind := range []string{"added", "changed", "joined", "left"} {
		for _, line := range l.first[kind] {
			fmt.Fprintln(l.out, line)
		}
		l.more(kind, l.count[kind]-listed)
	}
	if err == nil || done.Refused > 1 { // a single refusal is in the error
		l.refused(done)
	}
	if err == nil {
		fmt.Fprintf(l.out, "%s imported, %d changed, %d unchanged, %d refused%s.%s%s\n", counted(done.Imported, "contact"), done.Changed,
			done.Unchanged, done.Refused, pending(done.Pending, l.consent), stays(done), dryRun(l.dryRun))
	}
	return nil
}

// refused lists the first refused rows with all that is wrong with them.
func (l *wordListing) refused(done subscribers.ImportResult) {
	rows, last := 0, 0
	for _, refusal := range done.Refusals {
		if refusal.Row != last {
			rows, last = rows+1, refusal.Row
		}
		if rows <= listedRefused {
			fmt.Fprintln(l.out, "refused:", refusal)
		}
	}
	l.more("refused", done.Refused-listedRefused)
}

func (l *wordListing) more(kind string, n int) {
	if n > 0 {
		fmt.Fprintf(l.out, "%s: %s more; --json lists them all\n", kind, counted(n, "row"))
	}
}

// fileWords say how a file is read.
func fileWords(f subscribers.ImportedFile) string {
	parted := map[byte]string{',': "commas", ';': "semicolons", '\t': "tabs"}[f.Comma]
	if parted == "" {
		parted = string(rune(f.Comma))
	}
	program := ""
	if f.Program != "" {
		program = ", exported by " + f.Program
	}
	columns := make([]string, len(f.Columns))
	for i, c := range f.Columns {
		columns[i] = c.String()
	}
	return fmt.Sprintf("file: %s, columns parted by %s%s: %s", f.Encoding, parted, program, strings.Join(columns, ", "))
}

// jsonListing tells of every row. The rows wait in a file until it is known that the import is done.
type jsonListing struct {
	out    io.Writer
	file   *os.File
	rows   *bufio.Writer
	count  int
	dryRun bool
	head   importedJSON
}

// importedJSON is what is printed before the rows.
type importedJSON struct {
	Imported   int                  `json:"imported"`
	Changed    int                  `json:"changed"`
	Unchanged  int                  `json:"unchanged"`
	Left       int                  `json:"left"`
	Ended      int                  `json:"ended"`
	Suppressed int                  `json:"suppressed"`
	Pending    int                  `json:"pending"`
	Refused    int                  `json:"refused"`
	DryRun     bool                 `json:"dry_run"`
	Encoding   string               `json:"encoding"`
	Program    string               `json:"program"`
	Columns    []subscribers.Column `json:"columns"`
}

func (l *jsonListing) opened(f subscribers.ImportedFile) {
	l.head = importedJSON{DryRun: l.dryRun, Encoding: f.Encoding, Program: f.Program, Columns: f.Columns}
}

func (l *jsonListing) close() { _ = l.file.Close() }

func (l *jsonListing) row(r subscribers.ImportedRow) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if l.count++; l.count > 1 {
		_, _ = l.rows.WriteString(",")
	}
	_, err = l.rows.WriteString("\n    " + string(text))
	return err
}

// print prints nothing when there was nothing to say of rows.
func (l *jsonListing) print(done subscribers.ImportResult, err error) error {
	if err != nil && done.Refused == 0 {
		return nil
	}
	h := &l.head
	h.Imported, h.Changed, h.Unchanged, h.Left = done.Imported, done.Changed, done.Unchanged, done.Left
	h.Ended, h.Suppressed, h.Pending, h.Refused = done.Ended, done.Suppressed, done.Pending, done.Refused
	head, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return err
	}
	if err := l.rows.Flush(); err != nil {
		return err
	}
	if _, err := l.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	fmt.Fprintf(l.out, "%s,\n  \"rows\": [", strings.TrimSuffix(string(head), "\n}"))
	if _, err := io.Copy(l.out, l.file); err != nil {
		return err
	}
	_, err = io.WriteString(l.out, "\n  ]\n}\n")
	return err
}
