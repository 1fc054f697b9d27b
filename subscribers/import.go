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
)

// ImportOptions say how contacts are imported.
type ImportOptions struct {
	List      string // slug
	Consent   string // the basis on which these people may be mailed; "" leaves the new ones pending
	DryRun    bool   // find out everything, change nothing
	KeepGoing bool   // import the good rows when there are refused ones
	Now       time.Time
}

// ImportResult says what an import did, or with DryRun would have done. The first three count people, each once.
type ImportResult struct {
	Imported  int // new to the list
	Changed   int // on the list before, now with something new
	Unchanged int // all was known
	Left      int // of those changed and unchanged: have unsubscribed from the list, and stay so
	Pending   int // of all: get no mail, because no statement of consent was given
	Refused   int // rows
	Refusals  []Refusal
}

// Refusal is a reason why a row of a file was not taken. Row counts as a spreadsheet does, the header being row 1.
type Refusal struct {
	Row    int
	Field  string // "" for the row as a whole
	Value  string
	Reason string
}

// String returns the refusal in one line: row 17, email "not-an-address": no @ sign.
func (r Refusal) String() string {
	if r.Field == "" {
		return fmt.Sprintf("row %d: %s", r.Row, r.Reason)
	}
	return fmt.Sprintf("row %d, %s %.100q: %s", r.Row, r.Field, r.Value, r.Reason)
}

// errDryRun rolls an import back that was only to be tried.
var errDryRun = errors.New("dry run")

// ImportContacts reads people from a CSV file (RFC 4180, UTF-8) and puts them on a list. The first row names the columns:
// email must be there; name, organisation, country (of the organisation), languages ("sr;en"), time_zone, rhythm, topics
// ("robotics;Events") and delivery_hour are known; any other becomes an attribute of the contact. An empty cell says nothing:
// what is known stays, a new subscription takes what the list has.
//
// All good rows are imported in one transaction. When a row is refused, none is, and the error (errs.Invalid) names the
// first; with KeepGoing the others are and the error is nil. Either way the result lists all refusals. Rows with the same
// address are one person: their organisations are joined, and a row that contradicts an earlier one is refused. A file that
// cannot be read as such a table is an error with KeepGoing too, and nothing is imported.
//
// With a consent text new and pending subscriptions become active, and the text is kept in the log of consents. Nobody's
// consent is weakened, and who unsubscribed stays so. Importing the same again changes nothing. Imports take turns; one that
// failed may be repeated.
func ImportContacts(ctx context.Context, db *sqlx.DB, file io.Reader, o ImportOptions) (ImportResult, error) {
	list, err := ListBySlug(ctx, db, o.List)
	if err != nil {
		return ImportResult{}, err
	}
	o.Consent = tidy(o.Consent)
	if err := checkText(o.Consent, maxText); err != nil {
		return ImportResult{}, errs.New(errs.Invalid, "the statement of consent: %w", err)
	}
	people, err := readPeople(ctx, file, &list)
	if err != nil {
		return ImportResult{}, err
	}
	result := people.refused()
	if result.Refused > 0 && !o.KeepGoing {
		return result, refusal(result)
	}
	written := result
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		written = result // the transaction may be tried more than once
		if err := writePeople(ctx, tx, &list, people, o, &written); err != nil {
			return err
		}
		if o.DryRun {
			return errDryRun
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return result, fmt.Errorf("import contacts: %w", err)
	}
	return written, nil
}

// refusal is the error of an import that stops at refused rows.
func refusal(result ImportResult) error {
	first := result.Refusals[0]
	if result.Refused == 1 {
		return errs.New(errs.Invalid, "nothing imported: %v", first)
	}
	return errs.New(errs.Invalid, "nothing imported: %d rows are refused, the first: %v", result.Refused, first)
}
