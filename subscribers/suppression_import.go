package subscribers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers/sheet"
)

// SuppressionImport says how suppressions are imported.
type SuppressionImport struct {
	Origin string // of rows that name none
	DryRun bool   // find out everything, change nothing
	Now    time.Time
}

// SuppressionResult says what an import of suppressions did, or with DryRun would have done.
type SuppressionResult struct {
	Added     int
	Unchanged int // in force already
	Lifted    int // of those unchanged: lifted after the row's date, by whoever may, and not brought back
	Refusals  []Refusal
}

// ImportSuppressions reads whom not to mail from a CSV file. The column address (or email, or domain) holds addresses and domains; reason ("hard
// bounce", "complaint" or "manual", which is what an empty cell means), origin and date (2026-03-01 or RFC 3339; now, when it is empty) may be
// there; other columns are left alone. All rows are taken or, when one is refused, none; the error (errs.Invalid) names the first and the result
// lists all. What is in force already stays as it is, and what was lifted after a row's date stays lifted, so importing the same again
// changes nothing.
func ImportSuppressions(ctx context.Context, db *sqlx.DB, file io.ReadSeeker, o SuppressionImport) (result SuppressionResult, err error) {
	rows, refusals, err := readSuppressions(ctx, file, o)
	if err != nil {
		return result, err
	}
	if result.Refusals = refusals; len(refusals) > 0 {
		return result, refusal(ImportResult{Refused: len(slices.CompactFunc(slices.Clone(refusals), sameRow)), Refusals: refusals})
	}
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		result = SuppressionResult{Refusals: refusals}
		for batch := range slices.Chunk(rows, 10_000) {
			if err := writeSuppressions(ctx, tx, batch, &result); err != nil {
				return err
			}
		}
		if o.DryRun {
			return errDryRun
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return SuppressionResult{}, err
	}
	return result, nil
}

func sameRow(a, b Refusal) bool { return a.Row == b.Row }

// suppressionRow is a row of a file.
type suppressionRow struct {
	target
	reason Reason
	origin string
	at     time.Time
}

func readSuppressions(ctx context.Context, file io.ReadSeeker, o SuppressionImport) (rows []suppressionRow, refusals []Refusal, err error) {
	s, err := openSuppressions(file)
	if err != nil {
		return nil, nil, err
	}
	for ctx.Err() == nil {
		given, err := s.Next()
		if errors.Is(err, io.EOF) {
			return rows, refusals, nil
		}
		if err != nil {
			return nil, nil, err
		}
		r := &suppressionLine{number: given.Number, columns: s.Columns, cells: given.Cells}
		if len(r.cells) != len(r.columns) {
			r.refuse("", "", "%d cells where the header names %d columns", len(r.cells), len(r.columns))
		} else {
			rows = append(rows, readSuppression(r, o))
		}
		refusals = append(refusals, r.refusals...)
	}
	return nil, nil, context.Cause(ctx)
}

// whomColumns are the names of columns that hold addresses and domains.
var whomColumns = []string{"address", "email", "domain"}

func openSuppressions(file io.ReadSeeker) (*sheet.Sheet, error) {
	s, err := sheet.Open(file, sheet.Options{})
	if errors.Is(err, sheet.ErrEmpty) {
		return nil, errs.New(errs.Invalid, "%w, and address must be one of them", err)
	}
	if err != nil {
		return nil, err
	}
	for i, name := range s.Columns {
		s.Columns[i] = strings.ToLower(tidy(name))
	}
	if !slices.ContainsFunc(whomColumns, func(name string) bool { return slices.Contains(s.Columns, name) }) {
		return nil, errs.New(errs.Invalid, `row %d names no column "%s"; the columns are: %s`, s.Header, strings.Join(whomColumns, `" or "`),
			strings.Join(s.Columns, ", "))
	}
	return s, nil
}

// suppressionLine is a row of the file as it stands.
type suppressionLine struct {
	number         int
	columns, cells []string
	refusals       []Refusal
}

// cell returns the cell of a column, "" when the file has none of that name.
func (r *suppressionLine) cell(column string) string {
	if i := slices.Index(r.columns, column); i >= 0 {
		return r.cells[i]
	}
	return ""
}

func (r *suppressionLine) refuse(field, value, format string, args ...any) {
	r.refusals = append(r.refusals, Refusal{Row: r.number, Field: field, Value: value, Reason: fmt.Sprintf(format, args...)})
}

func readSuppression(r *suppressionLine, o SuppressionImport) (found suppressionRow) {
	whom, column := "", "address"
	for _, name := range []string{"domain", "email", "address"} {
		if cell := tidy(r.cell(name)); cell != "" {
			whom, column = cell, name
		}
	}
	t, err := parseTarget(whom)
	if err != nil {
		r.refuse(column, whom, "%v", err)
	}
	found = suppressionRow{target: t, origin: tidy(r.cell("origin")), at: o.Now}
	if found.reason, err = ParseReason(r.cell("reason")); err == nil {
		err = checkReason(t, found.reason)
	}
	if err != nil {
		r.refuse("reason", r.cell("reason"), "%v", err)
	}
	if found.origin == "" {
		found.origin = o.Origin
	}
	if err := checkText(found.origin, maxText); err != nil {
		r.refuse("origin", found.origin, "%v", err)
	}
	if cell := tidy(r.cell("date")); cell != "" {
		if found.at, err = parseMoment(cell); err != nil || found.at.After(o.Now) {
			r.refuse("date", cell, "not a date in the past such as 2026-03-01 or 2026-03-01T09:00:00Z")
		}
	}
	return found
}

// ParseReason reads a reason that people may give, however its words are parted; "" is manual. The error is the reason alone.
func ParseReason(s string) (Reason, error) {
	reason := Reason(tidy(strings.NewReplacer("_", " ", "-", " ").Replace(strings.ToLower(s))))
	if reason == "" {
		return Manual, nil
	}
	return reason, checkReason(target{}, reason)
}

// parseMoment reads a day, which begins in UTC, or a time. The error is not fit to be shown.
func parseMoment(s string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return day, nil
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	return at.UTC(), err
}

// writeSuppressions adds rows and counts what became of them.
func writeSuppressions(ctx context.Context, tx *sqlx.Tx, rows []suppressionRow, result *SuppressionResult) error {
	var addresses, domains, reasons, origins []string
	var dates []time.Time
	for _, r := range rows {
		addresses, domains = append(addresses, r.address), append(domains, r.domain)
		reasons, origins, dates = append(reasons, string(r.reason)), append(origins, r.origin), append(dates, r.at)
	}
	var count struct {
		Added  int `db:"added"`
		Lifted int `db:"lifted"`
	}
	err := tx.GetContext(ctx, &count, `
		WITH incoming AS (
			SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) WITH ORDINALITY
			AS i (address, domain, reason, origin, at, n)
		), lifted AS (
			SELECT n FROM incoming i JOIN subscribers.suppressions x
			  ON x.address_key = i.address AND x.reason = i.reason AND x.lifted_at >= i.at
			UNION SELECT n FROM incoming i JOIN subscribers.suppressions x
			  ON x.domain_key = i.domain AND x.reason = i.reason AND x.lifted_at >= i.at
		), added AS (
			INSERT INTO subscribers.suppressions (address_key, domain_key, reason, origin, at)
			SELECT nullif(address, ''), nullif(domain, ''), reason, origin, at FROM incoming WHERE n NOT IN (SELECT n FROM lifted) ORDER BY n
			ON CONFLICT DO NOTHING
			RETURNING id
		)
		SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM lifted) AS lifted`,
		pq.Array(addresses), pq.Array(domains), pq.Array(reasons), pq.Array(origins), pq.Array(dates))
	result.Added += count.Added
	result.Unchanged += len(rows) - count.Added
	result.Lifted += count.Lifted
	return err
}
