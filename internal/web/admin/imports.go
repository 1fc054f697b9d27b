package admin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/accounts"
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

func (s *site) importsRoutes() []route {
	return []route{
		{pattern: "GET /admin/import", needs: accounts.People, do: s.imports},
		{pattern: "POST /admin/import", needs: accounts.People, do: s.upload, limit: subscribers.MaxUpload + formLimit},
		{pattern: "GET /admin/import/{id}", needs: accounts.People, do: s.uploadState},
		{pattern: "GET /admin/import/{id}/progress", needs: accounts.People, do: s.uploadProgress},
		{pattern: "GET /admin/import/{id}/map", needs: accounts.People, do: s.mapUpload},
		{pattern: "POST /admin/import/{id}/check", needs: accounts.People, do: s.checkUpload, form: []string{"list", "consent"}},
		{pattern: "POST /admin/import/{id}/import", needs: accounts.People, do: s.importUpload},
		{pattern: "POST /admin/import/{id}/remove", needs: accounts.People, do: s.removeUpload},
		{pattern: "GET /admin/import/{id}/refused.csv", needs: accounts.People, do: s.refusedRows},
	}
}

// uploadTime is for how long somebody may take to send a file.
const uploadTime = 15 * time.Minute

// uploadsShown is how many uploads the first step shows.
const uploadsShown = 20

func (s *site) imports(v *visit) (adminpage.Page, error) { return s.uploadForm(v, nil) }

func (s *site) uploadForm(v *visit, mistakes adminpage.Mistakes) (adminpage.Page, error) {
	by := ""
	if v.actor.Lists != nil {
		by = v.actor.Name
	}
	uploads, err := subscribers.Uploads(v.Context(), s.App.DB, by, uploadsShown)
	if err != nil {
		return nil, err
	}
	page := adminpage.Imports{MaxMB: subscribers.MaxUpload >> 20, Mistakes: mistakes}
	for i := range uploads {
		page.Uploads = append(page.Uploads, listedUpload(&uploads[i]))
	}
	if mistakes != nil {
		return v.again(page)
	}
	return page, nil
}

func listedUpload(u *subscribers.Upload) adminpage.ListedUpload {
	return adminpage.ListedUpload{ID: u.ID.String(), FileName: u.FileName, MadeAt: u.MadeAt, Size: int(u.Size), State: string(u.State)}
}

func uploadPath(id uuid.UUID) string { return "/admin/import/" + id.String() }

// upload takes a file in. It is written to a file that nobody else can open, and from there into the database, so that a slow sender holds no transaction.
func (s *site) upload(v *visit) (adminpage.Page, error) {
	_ = http.NewResponseController(v.w).SetReadDeadline(s.App.Clock.Now().Add(uploadTime)) // where it is not supported the server's own holds
	name, file, err := received(v.Request)
	if err == nil {
		defer file.Close()
		var id uuid.UUID
		if id, err = subscribers.StageUpload(v.Context(), s.App.DB, name, file, v.actor.Name, s.App.Clock.Now()); err == nil {
			return v.leave(uploadPath(id)+"/map", "")
		}
	}
	if errs.KindOf(err) == errs.Invalid {
		return s.uploadForm(v, adminpage.Mistakes{"file": err.Error()})
	}
	return nil, err
}

// received returns the file of a form, kept where it can be read from any place; it is gone when it is closed.
func received(r *http.Request) (name string, file *os.File, err error) {
	form, err := r.MultipartReader()
	if err != nil {
		return "", nil, errs.New(errs.Invalid, "choose a file")
	}
	for {
		part, err := form.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return "", nil, errs.New(errs.Invalid, "choose a file")
		case err != nil:
			return "", nil, unreadableForm(err)
		case part.FormName() != "file":
			continue
		case part.FileName() == "":
			return "", nil, errs.New(errs.Invalid, "choose a file")
		}
		file, err = kept(part)
		return part.FileName(), file, err
	}
}

// kept copies what is read into a file without a name.
func kept(from io.Reader) (*os.File, error) {
	file, err := os.CreateTemp("", "silkpost-upload-")
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(file, io.LimitReader(from, subscribers.MaxUpload+1)) // one more than may be, so that it shows
	if err = errors.Join(os.Remove(file.Name()), unreadableForm(err)); err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// unreadableForm says of a form that could not be read to its end why.
func unreadableForm(err error) error {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return errs.New(errs.Invalid, "the file has more than %d MB: part it in two", subscribers.MaxUpload>>20)
	}
	if err != nil {
		return errs.New(errs.Invalid, "the file did not arrive whole: upload it again")
	}
	return nil
}

// uploaded returns the upload in the address, if the visitor may work with it: who is confined to lists sees their own uploads alone.
func (s *site) uploaded(v *visit) (u subscribers.Upload, err error) {
	id, err := uuid.Parse(v.PathValue("id"))
	if err != nil {
		return u, errs.New(errs.NotFound, "%.40q is no upload", v.PathValue("id"))
	}
	u, err = subscribers.UploadByID(v.Context(), s.App.DB, id)
	mine := v.actor.Lists == nil || u.MadeBy == v.actor.Name && (u.ListID == nil || v.may(accounts.People, *u.ListID))
	if err == nil && !mine {
		err = errs.New(errs.NotFound, "no upload %s", id)
	}
	return u, err
}

// encodings are those that a file may be told to have; others are found out.
var encodings = []string{
	"utf-8", "utf-16le", "utf-16be", "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1256", "windows-874", "iso-8859-2", "koi8-r",
	"gb18030", "big5", "shift_jis", "euc-jp", "euc-kr",
}

func (s *site) mapUpload(v *visit) (adminpage.Page, error) {
	u, err := s.uploaded(v)
	if err != nil {
		return nil, err
	}
	if encoding, said := v.URL.Query()["encoding"]; said && (encoding[0] == "" || slices.Contains(encodings, encoding[0])) {
		u.Choices.Encoding = encoding[0]
	}
	fields := adminpage.Fields{"consent": {u.Choices.Consent}, "encoding": {u.Choices.Encoding}}
	if u.ListID != nil {
		list, err := subscribers.ListByID(v.Context(), s.App.DB, *u.ListID)
		if err != nil {
			return nil, err
		}
		fields["list"] = []string{list.Slug}
	}
	return s.mapPage(v, &u, fields, nil)
}

// mapPage shows what the columns of an upload are taken for.
func (s *site) mapPage(v *visit, u *subscribers.Upload, fields adminpage.Fields, mistakes adminpage.Mistakes) (adminpage.Page, error) {
	page := adminpage.ImportMap{ListedUpload: listedUpload(u), Fields: fields, Encodings: encodings, Mistakes: mistakes}
	lists, err := s.ownLists(v, accounts.ReadPeople)
	if err != nil {
		return nil, err
	}
	page.Lists = s.listOptions(v, lists, fields.Get("list"))
	table, err := u.Look(v.Context(), s.App.DB)
	switch {
	case errs.KindOf(err) == errs.Invalid && err != nil:
		page.Mistakes = adminpage.Mistakes{"encoding": err.Error()}
	case err != nil:
		return nil, err
	}
	page.Encoding, page.Program = table.Encoding, table.Program
	for n, column := range table.Columns {
		if column.Header != "" {
			page.Columns = append(page.Columns, importColumn(n, column, table.Sample))
		}
	}
	if len(page.Mistakes) > 0 {
		return v.again(page)
	}
	return page, nil
}

// samplesShown is how many cells of a column are shown.
const samplesShown = 3

func importColumn(n int, c subscribers.Column, rows [][]string) adminpage.ImportColumn {
	means, name := meaningOf(c.As)
	shown := adminpage.ImportColumn{Number: n, Header: c.Header, Name: name}
	for _, field := range subscribers.ColumnFields() {
		shown.Means = append(shown.Means, adminpage.Option{Value: field, Name: fieldKey(field), Chosen: field == means})
	}
	for _, row := range rows {
		if n < len(row) && strings.TrimSpace(row[n]) != "" && len(shown.Samples) < samplesShown {
			shown.Samples = append(shown.Samples, shortened(row[n]))
		}
	}
	return shown
}

// shortened returns the beginning of a cell.
func shortened(cell string) string {
	const most = 60
	if runes := []rune(cell); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return cell
}

// meaningOf parts what a column is taken for into a field and the name that goes with it.
func meaningOf(as string) (field, name string) {
	fields := subscribers.ColumnFields()
	if slices.Contains(fields, as) {
		return as, ""
	}
	for _, field := range fields {
		if strings.HasSuffix(field, ":") || strings.HasSuffix(field, "_") {
			if name, found := strings.CutPrefix(as, field); found {
				return field, name
			}
		}
	}
	return "-", ""
}

// fieldKey is the key of a field's name below "imports.field.".
func fieldKey(field string) string {
	switch field {
	case "-":
		return "nothing"
	case "attribute:":
		return "attribute"
	case "organisation_":
		return "organisation_name"
	}
	return field
}

// chosenMap reads what the columns are said to be, as far as that is something else than they are taken for by themselves: those that are known are
// read with more patience.
func chosenMap(f adminpage.Fields, guessed []subscribers.Column) (m subscribers.ColumnMap) {
	for n, column := range guessed {
		as := f.Get("column" + strconv.Itoa(n))
		if as == "" || column.Header == "" || f.Get("header"+strconv.Itoa(n)) != column.Header {
			continue
		}
		if strings.HasSuffix(as, ":") || strings.HasSuffix(as, "_") {
			name := strings.TrimSpace(f.Get("name" + strconv.Itoa(n)))
			if name == "" && as == "attribute:" {
				name = column.Header
			}
			as += name
		}
		if as != column.As {
			m = append(m, subscribers.MappedColumn{Column: column.Header, As: as})
		}
	}
	return m
}

func (s *site) checkUpload(v *visit) (adminpage.Page, error) {
	u, err := s.uploaded(v)
	if err != nil {
		return nil, err
	}
	list, err := s.ownList(v)
	if err != nil {
		return nil, err
	}
	f, before := v.fields(), u.Choices.Encoding
	u.Choices = subscribers.UploadChoices{Consent: f.Get("consent"), Encoding: f.Get("encoding"), Within: v.actor.Lists}
	if u.Choices.Encoding != "" && !slices.Contains(encodings, u.Choices.Encoding) {
		return nil, errs.New(errs.Invalid, "there is no encoding %.40q", u.Choices.Encoding)
	}
	table, err := u.Look(v.Context(), s.App.DB)
	if errs.KindOf(err) == errs.Invalid && err != nil || err == nil && u.Choices.Encoding != before {
		return s.mapPage(v, &u, f, adminpage.Mistakes{}) // read so, the columns are others: they are looked at first
	}
	if err != nil {
		return nil, err
	}
	u.Choices.Map = chosenMap(f, table.Columns)
	if err := u.Choices.Check(); err != nil {
		return s.mapPage(v, &u, f, adminpage.Mistakes{"": err.Error()})
	}
	if err := s.App.CheckUpload(v.Context(), u.ID, list.ID, u.Choices); err != nil {
		return nil, err
	}
	return v.leave(uploadPath(u.ID), "")
}

func (s *site) importUpload(v *visit) (adminpage.Page, error) {
	u, err := s.uploaded(v)
	if err != nil {
		return nil, err
	}
	if u.ListID == nil {
		return nil, errs.New(errs.Conflict, "the upload was not checked yet")
	}
	u.Choices.KeepGoing, u.Choices.Within = v.PostFormValue("keep_going") == "on", v.actor.Lists
	if err := s.App.ImportUpload(v.Context(), u.ID, *u.ListID, u.Choices); err != nil {
		return nil, err
	}
	return v.leave(uploadPath(u.ID), "")
}

func (s *site) removeUpload(v *visit) (adminpage.Page, error) {
	u, err := s.uploaded(v)
	if err != nil {
		return nil, err
	}
	if err := subscribers.RemoveUpload(v.Context(), s.App.DB, u.ID); err != nil {
		return nil, err
	}
	return v.leave("/admin/import", "upload_removed")
}

// refusedRows has the rows downloaded that were refused, to be corrected.
func (s *site) refusedRows(v *visit) (adminpage.Page, error) {
	u, err := s.uploaded(v)
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer // no larger than what was uploaded
	if err := u.RefusedFile(v.Context(), s.App.DB, &file); err != nil {
		return nil, err
	}
	s.download(v, "refused.csv", "text/csv; charset=utf-8")
	_, _ = file.WriteTo(v.w) // a visitor who went away is no fault
	return nil, nil
}

// working reports whether a worker is at an upload, or is to be.
func working(u *subscribers.Upload) bool {
	return u.State == subscribers.UploadChecking || u.State == subscribers.UploadImporting
}

func (s *site) uploadState(v *visit) (adminpage.Page, error) {
	u, err := s.uploaded(v)
	if err != nil {
		return nil, err
	}
	if u.State == subscribers.UploadNew || u.ListID == nil {
		return v.leave(uploadPath(u.ID)+"/map", "")
	}
	page := importProgress(&u)
	list, err := subscribers.ListByID(v.Context(), s.App.DB, *u.ListID)
	if err != nil {
		return nil, err
	}
	page.List, page.ListName, page.Consent = list.Slug, list.NameIn(s.words(v)), u.Choices.Consent
	if working(&u) || u.Failure != "" || u.Result == nil {
		return page, nil
	}
	r := u.Result
	page.Result = adminpage.ImportNumbers{
		Added: r.Imported, Changed: r.Changed, Unchanged: r.Unchanged, Refused: r.Refused, Left: r.Left, Ended: r.Ended, Suppressed: r.Suppressed, Pending: r.Pending,
	}
	if r.Refused > 0 {
		page.RefusedTo = uploadPath(u.ID) + "/refused.csv"
	}
	return page, s.tellRows(v, &u, &page)
}

// tellRows adds what becomes of the rows.
func (s *site) tellRows(v *visit, u *subscribers.Upload, page *adminpage.ImportCheck) error {
	if outcome := v.query("outcome"); slices.Contains(page.Outcomes(), outcome) {
		page.Outcome = outcome
	}
	rows, err := subscribers.UploadRows(v.Context(), s.App.DB, u.ID, page.Outcome, int(v.number("after")), peoplePage+1)
	if err != nil {
		return err
	}
	next := 0
	if len(rows) > peoplePage {
		rows = rows[:peoplePage]
		next = rows[peoplePage-1].Row
	}
	for _, row := range rows {
		shown := adminpage.ImportRow{
			Row: row.Row, Outcome: row.Outcome, Email: row.Email, With: row.With, Changes: row.Changes, State: string(row.State), Suppressed: row.Suppressed,
		}
		for _, r := range row.Refusals {
			shown.Refusals = append(shown.Refusals, adminpage.ImportRefusal{Field: r.Field, Value: shortened(r.Value), Reason: r.Reason})
		}
		page.Told = append(page.Told, shown)
	}
	page.Pager = v.onward(nextID(int64(next)))
	return nil
}

func importProgress(u *subscribers.Upload) adminpage.ImportCheck {
	page := adminpage.ImportCheck{ListedUpload: listedUpload(u), Working: working(u), Rows: u.Rows, Writing: u.Writing, Failure: u.Failure}
	if u.Size > 0 {
		page.Percent = int(min(u.Read, u.Size) * 100 / u.Size)
	}
	return page
}

// uploadLook is how often an upload is looked at for who follows it.
const uploadLook = 500 * time.Millisecond

// uploadProgress tells how far an upload is until it is done.
func (s *site) uploadProgress(v *visit) (adminpage.Page, error) {
	if _, err := s.uploaded(v); err != nil {
		return nil, err
	}
	return s.stream(v, func(ctx context.Context, send func(event string, data any) error) error {
		tick := time.NewTicker(uploadLook)
		defer tick.Stop()
		for {
			u, err := s.uploaded(v)
			if err != nil || !working(&u) {
				return err
			}
			part, err := s.liven(v, importProgress(&u), "working")
			if err == nil {
				err = send("progress", part)
			}
			if err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
			}
		}
	})
}
