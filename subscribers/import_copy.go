package subscribers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"golang.org/x/sync/errgroup"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers/sheet"
)

// What the rows say, as they say it: ” and {} say nothing. Everything else about the rows is found out in these tables, so that the program
// holds a few of them at a time.
const createIncoming = `
CREATE TEMPORARY TABLE incoming (
    row              integer NOT NULL,
    email            text NOT NULL,
    email_key        text NOT NULL,       -- '' when the address is refused
    address_hash     bytea NOT NULL,
    name             text NOT NULL,
    languages        text[] NOT NULL,
    language_keys    text[] NOT NULL,
    time_zone        text NOT NULL,
    delivery_hour    text NOT NULL,
    rhythm           text NOT NULL,
    topics           text[] NOT NULL,
    attributes       jsonb NOT NULL,
    organisation_key text NOT NULL,
    organisation     text NOT NULL,
    about            jsonb NOT NULL,      -- the organisation
    says             text NOT NULL,       -- a standing
    evidence         text NOT NULL,
    refusals         text NOT NULL        -- JSON; '' when nothing is wrong with the row itself
) ON COMMIT DROP`

var incomingColumns = []string{
	"row", "email", "email_key", "address_hash", "name", "languages", "language_keys", "time_zone", "delivery_hour", "rhythm", "topics",
	"attributes", "organisation_key", "organisation", "about", "says", "evidence", "refusals",
}

// Nobody else counts what is in a temporary table, and guessing makes the planner walk it once per row.
const analyseIncoming = `ANALYZE incoming (row, email_key, organisation_key, about, says, refusals)`

// values returns a row of incoming, in the order of incomingColumns. Of a row that is refused only what speaks against mail counts, and whose it is.
func (a *arrival) values() ([]any, error) {
	if len(a.refusals) > 0 {
		refusals, err := json.Marshal(a.refusals)
		if err != nil {
			return nil, err
		}
		none := pq.StringArray{}
		return []any{
			a.row, "", a.key, append([]byte{}, a.hash...), "", none, none, "", "", "", none, database.StringMap(nil), "", "",
			database.StringMap(nil), string(a.says), "", string(refusals),
		}, nil
	}
	return []any{
		a.row, a.email, a.key, a.hash, a.name, present(a.languages), present(a.languageKeys), a.timeZone, a.deliveryHour, a.rhythm,
		present(a.topics), a.attributes, a.orgKey, a.organisation, a.about, string(a.says), strings.Join(a.evidence, ", "), "",
	}, nil
}

// batch is how many rows go from goroutine to goroutine at once.
const batch = 200

// stage reads the file and copies what its rows say into a temporary table: one goroutine takes the text apart, several check and translate the
// rows, one sends them.
func (i *importing) stage(ctx context.Context, tx *sqlx.Tx) (err error) {
	if i.size, err = i.fileSize(); err != nil {
		return err
	}
	s, program, err := i.open()
	if err != nil {
		return err
	}
	if i.options.Opened != nil {
		i.options.Opened(i.told(s, program))
	}
	var secret []byte
	if err := tx.GetContext(ctx, &secret, `SELECT key FROM subscribers.erasure_key`); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, createIncoming); err != nil {
		return fmt.Errorf("create the temporary tables: %w", err)
	}
	if err := errors.Join(i.pump(ctx, tx, s, secret), i.checkFile()); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, analyseIncoming)
	return err
}

func (i *importing) fileSize() (int64, error) {
	size, err := i.file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, fmt.Errorf("the file cannot be read twice: %w", err)
	}
	return size, nil
}

// checkFile refuses a file that has grown or shrunk while it was read: nobody knows what of it was seen.
func (i *importing) checkFile() error {
	if size, err := i.fileSize(); err != nil || size == i.size {
		return err
	}
	return errs.New(errs.Conflict, "the file was changed while it was being read; import again")
}

// staged are rows on their way.
type staged struct {
	values [][]any
	read   int64 // octets of the file, when they were read
}

func (i *importing) pump(ctx context.Context, tx *sqlx.Tx, s *sheet.Sheet, secret []byte) error {
	group, ctx := errgroup.WithContext(ctx)
	rows, ready := make(chan rowBatch, 1), make(chan staged, 1)
	group.Go(func() error {
		defer close(rows)
		return readBatches(ctx, s, rows)
	})
	translators, ctx2 := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		translators.Go(func() error { return translate(ctx2, newRowReader(i.columns, i.list, secret), rows, ready) })
	}
	group.Go(func() error {
		defer close(ready)
		return translators.Wait()
	})
	group.Go(func() error { return i.send(ctx, tx, ready) })
	return group.Wait()
}

// rowBatch are rows that were read together.
type rowBatch struct {
	rows []sheet.Row
	read int64
}

// readBatches reads rows until there are no more.
func readBatches(ctx context.Context, s *sheet.Sheet, out chan<- rowBatch) error {
	for {
		rows := make([]sheet.Row, 0, batch)
		var err error
		for len(rows) < batch && err == nil {
			var row sheet.Row
			if row, err = s.Next(); err == nil {
				rows = append(rows, row)
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		select {
		case out <- rowBatch{rows, s.Read()}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err != nil {
			return nil //nolint:nilerr // the end
		}
	}
}

// translate checks rows and makes of them what COPY takes.
func translate(ctx context.Context, r *rowReader, in <-chan rowBatch, out chan<- staged) error {
	for b := range in {
		s := staged{values: make([][]any, len(b.rows)), read: b.read}
		for n, row := range b.rows {
			var err error
			if s.values[n], err = r.read(row).values(); err != nil {
				return err
			}
		}
		select {
		case out <- s:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// send fills the temporary table with COPY.
func (i *importing) send(ctx context.Context, tx *sqlx.Tx, in <-chan staged) error {
	// Preparing a COPY is how lib/pq begins one.
	statement, err := tx.PrepareContext(ctx, "COPY incoming ("+strings.Join(incomingColumns, ", ")+") FROM STDIN")
	if err != nil {
		return err
	}
	defer func() { _ = statement.Close() }()
	rows := 0
	for s := range in {
		for _, values := range s.values {
			if _, err := statement.ExecContext(ctx, values...); err != nil {
				return fmt.Errorf("copy: %w", err)
			}
		}
		rows += len(s.values)
		i.progress(ImportProgress{Rows: rows, Read: s.read, Size: i.size})
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	_, err = statement.ExecContext(ctx) // sends what is left
	return err
}
