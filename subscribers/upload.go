package subscribers

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers/sheet"
)

// Upload is a table of people on its way in: uploaded, then checked, then imported. It is kept in the database, so that any process can go on with it,
// and for UploadsKept.
type Upload struct {
	ID       uuid.UUID     `db:"id"`
	MadeAt   time.Time     `db:"made_at"`
	MadeBy   string        `db:"made_by"`
	FileName string        `db:"file_name"`
	Size     int64         `db:"size"` // octets
	State    UploadState   `db:"state"`
	ListID   *int64        `db:"list_id"` // nil: not chosen yet
	Choices  UploadChoices `db:"-"`
	Read     int64         `db:"read"`    // octets of it that the run that is on has read
	Rows     int           `db:"rows"`    // likewise
	Writing  bool          `db:"writing"` // all is read
	Result   *ImportResult `db:"-"`       // of the last run that came to an end; nil: none has
	Failure  string        `db:"failure"` // why the last run did nothing, in a line; "": it did something
}

// UploadChoices say how an upload is to be imported.
type UploadChoices struct {
	Consent   string    `json:"consent"`
	Map       ColumnMap `json:"map"`
	Encoding  string    `json:"encoding"`
	KeepGoing bool      `json:"keep_going"`
	Within    []int64   `json:"within"` // see ImportOptions: the lists of whoever chose
}

// UploadState is how far an upload is.
type UploadState string

// The states.
const (
	UploadNew       UploadState = "new"
	UploadChecking  UploadState = "checking"
	UploadChecked   UploadState = "checked"
	UploadImporting UploadState = "importing"
	UploadImported  UploadState = "imported"
	UploadFailed    UploadState = "failed"
)

// UploadsKept is for how long an upload is kept.
const UploadsKept = 24 * time.Hour

// MaxUpload is how large a file may be, in octets: a few hundred thousand people.
const MaxUpload = 64 << 20

// uploadPart is the size of the pieces that a file is kept in.
const uploadPart = 1 << 20

// What begins otherwise than a table of text, and what it is.
var otherKinds = []struct{ begins, kind string }{
	{"PK\x03\x04", "a spreadsheet or a ZIP archive"},
	{"PK\x05\x06", "a ZIP archive"},
	{"\xd0\xcf\x11\xe0", "a spreadsheet"},
	{"\x1f\x8b", "compressed (gzip)"},
	{"BZh", "compressed (bzip2)"},
	{"\xfd7zXZ", "compressed (xz)"},
	{"7z\xbc\xaf", "compressed (7z)"},
	{"Rar!", "compressed (rar)"},
	{"\x28\xb5\x2f\xfd", "compressed (zstd)"},
	{"%PDF", "a PDF"},
	{"\x89PNG", "a picture"},
	{"\xff\xd8\xff", "a picture"},
	{"GIF8", "a picture"},
}

// StageUpload keeps a file that somebody uploaded and returns its id. A file that is none of a table of text, or larger than MaxUpload, is errs.Invalid; no
// part of it is kept then.
func StageUpload(ctx context.Context, db *sqlx.DB, fileName string, file io.ReadSeeker, by string, now time.Time) (id uuid.UUID, err error) {
	head := make([]byte, 512)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return id, err
	}
	if err := checkKind(fileName, head[:n]); err != nil {
		return id, err
	}
	if id, err = uuid.NewV7(); err != nil {
		return id, err
	}
	err = database.Transact(ctx, db, func(tx *sqlx.Tx) error {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO subscribers.uploads (id, made_at, made_by, file_name, size) VALUES ($1, $2, $3, $4, 0)`,
			id, now, by, shownFileName(fileName)); err != nil {
			return err
		}
		size, err := writeParts(ctx, tx, id, "file", file)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE subscribers.uploads SET size = $2 WHERE id = $1`, id, size)
		return err
	})
	return id, err
}

// checkKind refuses what is no table of text, by its name and its first octets.
func checkKind(fileName string, head []byte) error {
	if len(head) == 0 {
		return errs.New(errs.Invalid, "the file is empty")
	}
	for _, other := range otherKinds {
		if strings.HasPrefix(string(head), other.begins) {
			return errs.New(errs.Invalid, "the file is %s: save the table as CSV and upload that", other.kind)
		}
	}
	switch ending := strings.ToLower(path.Ext(fileName)); ending {
	case ".csv", ".tsv", ".txt", "":
		return nil
	default:
		return errs.New(errs.Invalid, "the file's name ends in %.20s: save the table as CSV (.csv, .tsv or .txt) and upload that", ending)
	}
}

// shownFileName is what is kept of a file's name: the last part of it, on one line.
func shownFileName(name string) string {
	name = strings.ToValidUTF8(name, "\ufffd")
	if at := strings.LastIndexAny(name, `/\`); at >= 0 {
		name = name[at+1:]
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || isUnseen(r) {
			return ' '
		}
		return r
	}, name)
	if runes := []rune(tidy(name)); len(runes) > maxName {
		return string(runes[:maxName])
	}
	return tidy(name)
}

// writeParts keeps what is read in pieces and returns how much it was.
func writeParts(ctx context.Context, h database.Handle, id uuid.UUID, kind string, from io.Reader) (size int64, err error) {
	buf := make([]byte, uploadPart)
	for number := 0; ; number++ {
		n, err := io.ReadFull(from, buf)
		if size += int64(n); size > MaxUpload {
			return size, errs.New(errs.Invalid, "the file has more than %d MB: part it in two", MaxUpload>>20)
		}
		if n > 0 {
			if _, err := h.ExecContext(ctx, `INSERT INTO subscribers.upload_parts (upload_id, kind, number, body) VALUES ($1, $2, $3, $4)`, id, kind, number, buf[:n]); err != nil {
				return size, err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return size, nil
		}
		if err != nil {
			return size, err
		}
	}
}

// UploadByID returns an upload that is still kept, or errs.NotFound.
func UploadByID(ctx context.Context, h database.Handle, id uuid.UUID) (Upload, error) {
	var row struct {
		Upload
		ChoicesJSON []byte `db:"choices"`
		ResultJSON  []byte `db:"result"`
	}
	err := h.GetContext(ctx, &row, `
		SELECT id, made_at, made_by, file_name, size, state, list_id, choices, read, rows, writing, result, failure FROM subscribers.uploads WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Upload{}, errs.New(errs.NotFound, "no upload %s: uploads are kept for a day", id)
	}
	if err == nil {
		err = json.Unmarshal(row.ChoicesJSON, &row.Choices)
	}
	if err == nil && row.ResultJSON != nil {
		err = json.Unmarshal(row.ResultJSON, &row.Result)
	}
	errs.Wrap(&err, "read upload %s", id)
	return row.Upload, err
}

// Uploads returns the newest uploads, at most limit: those of somebody, "" for everybody's.
func Uploads(ctx context.Context, h database.Handle, by string, limit int) (all []Upload, err error) {
	err = h.SelectContext(ctx, &all, `
		SELECT id, made_at, made_by, file_name, size, state, list_id, read, rows, writing, failure FROM subscribers.uploads
		WHERE $1 = '' OR made_by = $1 ORDER BY made_at DESC, id DESC LIMIT $2`, by, limit)
	errs.Wrap(&err, "read the uploads")
	return all, err
}

// File returns the file of an upload, to be read from any place.
func (u *Upload) File(ctx context.Context, h database.Handle) io.ReadSeeker {
	return &parts{ctx: ctx, h: h, id: u.ID, kind: "file", size: u.Size, number: -1}
}

// RefusedFile writes the file of an upload's refused rows, as they are to be corrected. There being none is errs.NotFound.
func (u *Upload) RefusedFile(ctx context.Context, h database.Handle, w io.Writer) error {
	for number := 0; ; number++ {
		var body []byte
		err := h.GetContext(ctx, &body, `SELECT body FROM subscribers.upload_parts WHERE upload_id = $1 AND kind = 'refused' AND number = $2`, u.ID, number)
		switch {
		case errors.Is(err, sql.ErrNoRows) && number == 0:
			return errs.New(errs.NotFound, "no row of upload %s was refused", u.ID)
		case errors.Is(err, sql.ErrNoRows):
			return nil
		case err != nil:
			return err
		}
		if _, err := w.Write(body); err != nil {
			return err
		}
	}
}

// parts reads a file that is kept in pieces.
type parts struct {
	ctx    context.Context //nolint:containedctx // a reader has no other way to be told
	h      database.Handle
	id     uuid.UUID
	kind   string
	size   int64
	at     int64
	number int64 // of the piece in body; -1: none
	body   []byte
}

// Read reads from one piece.
func (p *parts) Read(into []byte) (int, error) {
	if p.at >= p.size {
		return 0, io.EOF
	}
	if number := p.at / uploadPart; number != p.number {
		p.number = -1
		if err := p.h.GetContext(p.ctx, &p.body, `SELECT body FROM subscribers.upload_parts WHERE upload_id = $1 AND kind = $2 AND number = $3`, p.id, p.kind, number); err != nil {
			return 0, err
		}
		p.number = number
	}
	n := copy(into, p.body[p.at%uploadPart:])
	p.at += int64(n)
	return n, nil
}

// Seek goes to a place.
func (p *parts) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += p.at
	case io.SeekEnd:
		offset += p.size
	}
	if offset < 0 {
		return 0, errs.New(errs.Internal, "there is nothing before the beginning of a file")
	}
	p.at = offset
	return offset, nil
}

// UploadedTable is what an upload holds, as far as a look shows.
type UploadedTable struct {
	ImportedFile
	Sample [][]string // the first rows
}

// sampledRows is how many rows a look shows.
const sampledRows = 5

// Look reads the beginning of an upload and says what its columns are taken for. What cannot be read is errs.Invalid.
func (u *Upload) Look(ctx context.Context, h database.Handle) (t UploadedTable, err error) {
	s, err := sheet.Open(u.File(ctx, h), sheet.Options{Encoding: u.Choices.Encoding, Known: isKnownColumn})
	if err != nil {
		return t, err
	}
	if err := checkHeaders(s); err != nil {
		return t, err
	}
	from, columns := programOf(s.Columns), []column{}
	for _, header := range s.Columns {
		columns = append(columns, findColumn(header, u.Choices.Map, from))
	}
	completeNames(columns)
	if from != nil {
		t.Program = from.name
	}
	t.Encoding, t.Comma = s.Encoding, s.Comma
	for _, c := range columns {
		told := c.told()
		if c.field == fieldNothing {
			told.As = string(fieldNothing)
		}
		t.Columns = append(t.Columns, told)
	}
	for range sampledRows {
		row, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t, err
		}
		t.Sample = append(t.Sample, row.Cells)
	}
	return t, nil
}

// ColumnFields are what a column of an import can be; those that end in a colon or an underscore want a name behind them; "-" leaves a column out.
func ColumnFields() []string {
	return append(fieldNames(), string(fieldAttributes), string(fieldOrgName), string(fieldAttribute), string(fieldNothing))
}

// ChooseUpload says how an upload is to be imported, and begins a run: one that only checks, or the import. An upload that is at work already, or was
// imported, is errs.Conflict.
func ChooseUpload(ctx context.Context, h database.Handle, id uuid.UUID, list int64, c UploadChoices, state UploadState) error {
	choices, err := json.Marshal(c)
	if err != nil {
		return err
	}
	begun, err := execCount(ctx, h, `
		UPDATE subscribers.uploads SET state = $5, list_id = $2, choices = $3, read = 0, rows = 0, writing = false, result = NULL, failure = ''
		WHERE id = $1 AND state = ANY ($4)`, id, list, choices, beginsFrom(state), state)
	if err == nil && begun == 0 {
		if _, err := UploadByID(ctx, h, id); err != nil {
			return err
		}
		return errs.New(errs.Conflict, "the upload is at work, or was imported already")
	}
	return err
}

// beginsFrom are the states in which a run can begin.
func beginsFrom(state UploadState) any {
	if state == UploadImporting {
		return "{checked}"
	}
	return "{new,checked,failed}"
}

// NoteProgress writes down how far the run of an upload is.
func NoteProgress(ctx context.Context, h database.Handle, id uuid.UUID, p ImportProgress) error {
	_, err := h.ExecContext(ctx, `UPDATE subscribers.uploads SET read = $2, rows = greatest(rows, $3), writing = $4 WHERE id = $1`, id, p.Read, p.Rows, p.Writing)
	return err
}

// EndUpload writes down what a run came to. failure is "" unless nothing was done.
func EndUpload(ctx context.Context, h database.Handle, id uuid.UUID, state UploadState, result ImportResult, failure string) error {
	said, err := json.Marshal(result)
	if err != nil {
		return err
	}
	if runes := []rune(failure); len(runes) > maxText {
		failure = string(runes[:maxText])
	}
	_, err = h.ExecContext(ctx, `UPDATE subscribers.uploads SET state = $2, result = $3, failure = $4, writing = false WHERE id = $1`, id, state, said, strings.ToValidUTF8(failure, "\ufffd"))
	return err
}

// ForgetRun removes what an earlier run of an upload said of its rows.
func ForgetRun(ctx context.Context, h database.Handle, id uuid.UUID) error {
	if _, err := h.ExecContext(ctx, `DELETE FROM subscribers.upload_rows WHERE upload_id = $1`, id); err != nil {
		return err
	}
	_, err := h.ExecContext(ctx, `DELETE FROM subscribers.upload_parts WHERE upload_id = $1 AND kind = 'refused'`, id)
	return err
}

// KeepRows writes down what became of rows.
func KeepRows(ctx context.Context, h database.Handle, id uuid.UUID, rows []ImportedRow) error {
	said, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	_, err = h.ExecContext(ctx, `
		INSERT INTO subscribers.upload_rows (upload_id, row, outcome, told)
		SELECT $1, (told ->> 'row')::integer, told ->> 'outcome', told FROM jsonb_array_elements($2::jsonb) told ON CONFLICT DO NOTHING`, id, said)
	errs.Wrap(&err, "keep what became of rows of upload %s", id)
	return err
}

// KeepRefused keeps the file of an upload's refused rows.
func KeepRefused(ctx context.Context, h database.Handle, id uuid.UUID, from io.Reader) error {
	_, err := writeParts(ctx, h, id, "refused", from)
	return err
}

// UploadRows returns up to limit rows of an upload with what would become of them, or did, after a row, 0 for the first; outcome narrows them, "" does not.
func UploadRows(ctx context.Context, h database.Handle, id uuid.UUID, outcome string, after, limit int) (rows []ImportedRow, err error) {
	defer errs.Wrap(&err, "read the rows of upload %s", id)
	var told [][]byte
	err = h.SelectContext(ctx, &told, `
		SELECT told FROM subscribers.upload_rows WHERE upload_id = $1 AND row > $2 AND ($3 = '' OR outcome = $3) ORDER BY row LIMIT $4`, id, after, outcome, limit)
	if err != nil {
		return nil, err
	}
	rows = make([]ImportedRow, len(told))
	for i := range told {
		if err := json.Unmarshal(told[i], &rows[i]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// RemoveUpload throws an upload away.
func RemoveUpload(ctx context.Context, h database.Handle, id uuid.UUID) error {
	_, err := h.ExecContext(ctx, `DELETE FROM subscribers.uploads WHERE id = $1`, id)
	return err
}

// ForgetUploads throws uploads away that have been kept for long enough.
func ForgetUploads(ctx context.Context, h database.Handle, now time.Time) error {
	_, err := h.ExecContext(ctx, `DELETE FROM subscribers.uploads WHERE made_at < $1`, now.Add(-UploadsKept))
	errs.Wrap(&err, "forget uploads")
	return err
}

// Check refuses choices that no file could be imported by. The error, of kind Invalid, is one line.
func (c UploadChoices) Check() error {
	for _, one := range c.Map {
		if _, err := one.column(); err != nil {
			return errs.New(errs.Invalid, "column %q: %w", one.Column, err)
		}
	}
	return CheckStatement(tidy(c.Consent))
}
