package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/jobs"
	"silkpost/subscribers"
)

// CheckUpload has a worker find out what an upload would bring, and ImportUpload has it imported. by is who wants it; the choices are kept with it.
func (a *App) CheckUpload(ctx context.Context, id uuid.UUID, list int64, c subscribers.UploadChoices) error {
	return a.beginUpload(ctx, id, list, c, subscribers.UploadChecking)
}

// ImportUpload has a worker import an upload that was checked.
func (a *App) ImportUpload(ctx context.Context, id uuid.UUID, list int64, c subscribers.UploadChoices) error {
	return a.beginUpload(ctx, id, list, c, subscribers.UploadImporting)
}

func (a *App) beginUpload(ctx context.Context, id uuid.UUID, list int64, c subscribers.UploadChoices, state subscribers.UploadState) error {
	return database.Transact(ctx, a.DB, func(tx *sqlx.Tx) error {
		if err := subscribers.ChooseUpload(ctx, tx, id, list, c, state); err != nil {
			return err
		}
		return a.queue.Insert(ctx, tx, jobs.WorkUpload{ID: id})
	})
}

// WorkUpload does what an upload waits for. What went wrong with the table stands with the upload; the job is done.
func (a *App) WorkUpload(ctx context.Context, id uuid.UUID) error {
	u, err := subscribers.UploadByID(ctx, a.DB, id)
	if errs.KindOf(err) == errs.NotFound && err != nil || err == nil && u.State != subscribers.UploadChecking && u.State != subscribers.UploadImporting {
		return nil // thrown away, or worked already
	}
	if err != nil {
		return err
	}
	run := &uploadRun{app: a, upload: &u}
	defer run.close()
	result, err := run.work(database.As(ctx, u.MadeBy, a.Clock.Now()))
	state, failure := subscribers.UploadChecked, ""
	switch {
	case err != nil && errs.KindOf(err) == errs.Internal && !errors.Is(err, context.Canceled):
		a.Log.ErrorContext(ctx, "an upload could not be worked", slog.Any("upload", id), slog.Any("error", err))
		state, failure = subscribers.UploadFailed, "something went wrong inside; nothing was imported"
	case err != nil && ctx.Err() != nil:
		state, failure = subscribers.UploadFailed, "the program was stopped meanwhile; nothing was imported"
	case err != nil:
		state, failure = subscribers.UploadFailed, err.Error()
	case u.State == subscribers.UploadImporting:
		state = subscribers.UploadImported
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recording)
	defer cancel()
	return subscribers.EndUpload(ctx, a.DB, id, state, result, failure)
}

// uploadRun is a check or an import at work.
type uploadRun struct {
	app     *App
	upload  *subscribers.Upload
	rows    []subscribers.ImportedRow
	refused *os.File // has no name; nil: no row was refused
	noted   time.Time
}

// close lets the file of refused rows go.
func (r *uploadRun) close() {
	if r.refused != nil {
		_ = r.refused.Close()
	}
}

// What is written down beside the import, in transactions of its own: how far it is, and, for it is undone when it only tries, what became of each row.
const (
	progressEvery = time.Second
	rowsTogether  = 2000
)

func (r *uploadRun) work(ctx context.Context) (result subscribers.ImportResult, err error) {
	a, u := r.app, r.upload
	list, err := subscribers.ListByID(ctx, a.DB, *u.ListID)
	if err != nil {
		return result, err
	}
	if err := subscribers.ForgetRun(ctx, a.DB, u.ID); err != nil {
		return result, err
	}
	result, err = a.ImportContacts(ctx, u.File(ctx, a.DB), subscribers.ImportOptions{
		List: list.Slug, Consent: u.Choices.Consent, Origin: u.FileName, Actor: u.MadeBy, Map: u.Choices.Map, Encoding: u.Choices.Encoding,
		Within: u.Choices.Within, DryRun: u.State == subscribers.UploadChecking, KeepGoing: u.Choices.KeepGoing || u.State == subscribers.UploadChecking,
		Progress: func(p subscribers.ImportProgress) { r.note(ctx, p) },
		Each:     func(row subscribers.ImportedRow) error { return r.keep(ctx, row) },
		Refused:  r.refusedFile,
	})
	if flushed := r.flush(ctx); err == nil {
		err = flushed
	}
	if err == nil && r.refused != nil {
		if _, err = r.refused.Seek(0, io.SeekStart); err == nil {
			err = subscribers.KeepRefused(ctx, a.DB, u.ID, r.refused)
		}
	}
	return result, err
}

// note writes down now and then how far the run is. That this fails is no reason to break it off.
func (r *uploadRun) note(ctx context.Context, p subscribers.ImportProgress) {
	now := r.app.Clock.Now()
	if now.Sub(r.noted) < progressEvery && !p.Writing {
		return
	}
	r.noted = now
	if err := subscribers.NoteProgress(ctx, r.app.DB, r.upload.ID, p); err != nil {
		r.app.Log.WarnContext(ctx, "the progress of an upload could not be noted", slog.Any("error", err))
	}
}

func (r *uploadRun) keep(ctx context.Context, row subscribers.ImportedRow) error {
	r.rows = append(r.rows, row)
	if len(r.rows) < rowsTogether {
		return nil
	}
	return r.flush(ctx)
}

func (r *uploadRun) flush(ctx context.Context) error {
	if len(r.rows) == 0 {
		return nil
	}
	err := subscribers.KeepRows(ctx, r.app.DB, r.upload.ID, r.rows)
	r.rows = r.rows[:0]
	return err
}

// refusedFile makes a file for the refused rows that nobody else can open.
func (r *uploadRun) refusedFile() (io.WriteCloser, error) {
	r.close() // of an attempt that began anew
	file, err := os.CreateTemp("", "silkpost-refused-")
	if err != nil {
		return nil, err
	}
	r.refused = file
	return keptOpen{file}, os.Remove(file.Name())
}

// keptOpen is a file whose writer is done, but that is to be read yet.
type keptOpen struct{ io.Writer }

// Close leaves the file open.
func (keptOpen) Close() error { return nil }
