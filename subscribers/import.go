package subscribers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers/sheet"
)

// ImportOptions say how contacts are imported.
type ImportOptions struct {
	List      string // slug
	Consent   string // the basis on which these people may be mailed; "" leaves the new ones pending
	Origin    string // what the log of consents keeps as the place they come from: the file's name
	Actor     string // and as who imported them
	Method    Method // and as how they came; "" is ByImport
	Encoding  string // of the file, such as gbk; "" finds out
	Map       ColumnMap
	DryRun    bool // find out everything, change nothing
	KeepGoing bool // import the good rows when there are refused ones
	Now       time.Time

	// Within are the ids of the only lists whose people whoever imports may change; nil: all. Of people who are on others too it adds and changes their
	// subscription to this list alone, and of organisations that are known nothing.
	Within []int64

	Opened   func(ImportedFile)             // is told how the file is read; may be nil
	Progress func(ImportProgress)           // is told from time to time, by one goroutine at a time; may be nil
	Each     func(ImportedRow) error        // gets every row in order when all is written but not yet committed; may be nil
	Refused  func() (io.WriteCloser, error) // makes the file for refused rows, if there are any and the rest is imported; may be nil
}

// ImportedFile tells how a file is read.
type ImportedFile struct {
	Encoding string   // its WHATWG name
	Comma    byte     // what parts the columns
	Program  string   // that exported it, when that is known
	Columns  []Column // in the order of the file
}

// ImportProgress tells how far an import is.
type ImportProgress struct {
	Rows       int   // read
	Read, Size int64 // octets of the file
	Writing    bool  // all is read
}

// ImportResult says what an import did, or with DryRun would have done. The first three count people, each once.
type ImportResult struct {
	Imported   int       // new to the list
	Changed    int       // on the list before, now with something new
	Unchanged  int       // all was known
	Left       int       // of those changed and unchanged: had unsubscribed from the list, and stay so
	Ended      int       // of all: are unsubscribed because the file says that they are
	Suppressed int       // of all: get no mail from any list, by what is known or by what the file says
	Pending    int       // of the others: get no mail, because there is no consent
	Refused    int       // rows
	Refusals   []Refusal // the first of them, at most maxRefusals
}

// maxRefusals is how many refusals a result holds; ImportOptions.Each gets them all.
const maxRefusals = 100

// Refusal is a reason why a row of a file was not taken. Row counts as a spreadsheet does, the header being row 1.
type Refusal struct {
	Row    int    `json:"-"`
	Field  string `json:"field"` // the column's name, "" for the row as a whole
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

// String returns the refusal in one line: row 17, email "not-an-address": no @ sign.
func (r Refusal) String() string { return fmt.Sprintf("row %d%s", r.Row, r.text()) }

// text follows the row's number.
func (r Refusal) text() string {
	if r.Field == "" {
		return ": " + r.Reason
	}
	return fmt.Sprintf(", %s %.100q: %s", r.Field, r.Value, r.Reason)
}

// errDryRun rolls an import back that was only to be tried.
var errDryRun = errors.New("dry run")

// ImportContacts reads people from a table of text and puts them on a list. The first row names the columns, as docs/import.md says;
// what is no known column becomes an attribute of the contact. An empty cell says nothing: what is known stays, a new subscription
// takes what the list has.
//
// All good rows are imported in one transaction. When a row is refused, none is, and the error (errs.Invalid) names the first; with
// KeepGoing the others are and the error is nil. Either way the result tells the refusals. Rows with the same address are one person: their
// organisations are joined, and a row that contradicts the first one to speak of something is refused. A file that cannot be read as a table
// is an error with KeepGoing too, and nothing is imported.
//
// With a consent text new and pending subscriptions become active, and the text is kept in the log of consents. Nobody's consent is weakened;
// who unsubscribed stays so; who is suppressed is not made active; an address that was erased is refused. Rows can say that somebody has
// left or bounced elsewhere: that holds against consent that was stated for them, but not against what they said here themselves. Importing the
// same again changes nothing.
//
// The file is read from its beginning, more than once, but never held in memory. Imports take turns in writing; one that failed may be repeated.
func ImportContacts(ctx context.Context, db *sqlx.DB, file io.ReadSeeker, o ImportOptions) (ImportResult, error) {
	list, err := ListBySlug(ctx, db, o.List)
	if err != nil {
		return ImportResult{}, err
	}
	o.Consent, o.Origin = tidy(o.Consent), tidy(o.Origin)
	if err := checkText(o.Consent, maxText); err != nil {
		return ImportResult{}, errs.New(errs.Invalid, "the statement of consent: %w", err)
	}
	if err := checkText(o.Origin, maxText); err != nil {
		return ImportResult{}, errs.New(errs.Invalid, "the name of the file: %w", err)
	}
	i := &importing{options: o, list: &list, file: file}
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error { return i.run(ctx, tx) })
	for again := 1; errors.Is(err, errMoved) && again < movedAttempts; again++ {
		err = database.Transact(ctx, db, func(tx *sqlx.Tx) error { return i.run(ctx, tx) })
	}
	switch {
	case errors.Is(err, errRefused):
		return i.result, refusal(i.result)
	case errors.Is(err, errDryRun):
		return i.result, nil
	case err != nil && errs.KindOf(err) != errs.Internal:
		return ImportResult{}, err
	case err != nil:
		return ImportResult{}, fmt.Errorf("import contacts: %w", err)
	}
	return i.result, nil
}

// errRefused ends an import that stops at refused rows.
var errRefused = errors.New("rows are refused")

// errMoved ends an attempt in the midst of which somebody's address was changed.
var errMoved = errs.New(errs.Conflict, "addresses were changed meanwhile, again and again; import again")

// movedAttempts is how often an import begins anew because of that.
const movedAttempts = 5

// refusal is the error of an import that stops at refused rows.
func refusal(result ImportResult) error {
	first := result.Refusals[0]
	if result.Refused == 1 {
		return errs.New(errs.Invalid, "nothing imported: %v", first)
	}
	return errs.New(errs.Invalid, "nothing imported: %d rows are refused, the first: %v", result.Refused, first)
}

// importing is an import at work.
type importing struct {
	options ImportOptions
	list    *List
	file    io.ReadSeeker
	size    int64
	columns []column
	comma   byte
	result  ImportResult
}

// Compiling takes longer than the statements do, and to join temporary tables a rough idea of what is in them is enough.
const plainPlans = `SET LOCAL jit = off; SET LOCAL default_statistics_target = 10`

// run is one attempt, in its transaction.
func (i *importing) run(ctx context.Context, tx *sqlx.Tx) error {
	i.result = ImportResult{}
	if _, err := tx.ExecContext(ctx, plainPlans); err != nil {
		return err
	}
	if err := i.stage(ctx, tx); err != nil {
		return err
	}
	i.progress(ImportProgress{Writing: true, Read: i.size, Size: i.size})
	if err := i.lock(ctx, tx); err != nil {
		return err
	}
	if err := i.refuse(ctx, tx); err != nil {
		return err
	}
	if i.result.Refused > 0 && !i.options.KeepGoing && !i.options.DryRun {
		return errors.Join(errRefused, i.tellRefused(ctx, tx))
	}
	if err := i.write(ctx, tx); err != nil {
		return err
	}
	if err := i.report(ctx, tx); err != nil {
		return err
	}
	switch {
	case i.result.Refused > 0 && !i.options.KeepGoing:
		return errRefused
	case i.options.DryRun:
		return errDryRun
	}
	return nil
}

func (i *importing) progress(p ImportProgress) {
	if i.options.Progress != nil {
		i.options.Progress(p)
	}
}

// open reads the header.
func (i *importing) open() (s *sheet.Sheet, program string, err error) {
	s, err = sheet.Open(i.file, sheet.Options{
		Encoding: i.options.Encoding,
		Known:    func(header string) bool { return isKnownColumn(header) || i.options.Map.knows(header) },
	})
	if errors.Is(err, sheet.ErrEmpty) {
		return nil, "", errs.New(errs.Invalid, "%w, and email must be one of them", err)
	}
	if err != nil {
		return nil, "", err
	}
	i.columns, program, err = findColumns(s, i.options.Map)
	i.comma = s.Comma
	return s, program, err
}

// told returns how the file is read.
func (i *importing) told(s *sheet.Sheet, program string) ImportedFile {
	f := ImportedFile{Encoding: s.Encoding, Comma: s.Comma, Program: program}
	for _, c := range i.columns {
		if c.header != "" {
			f.Columns = append(f.Columns, c.told())
		}
	}
	return f
}
