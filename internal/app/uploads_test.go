package app_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"silkpost/internal/app"
	"silkpost/internal/testkit"
	"silkpost/subscribers"
)

// uploadLimit is longer than a worker takes to see a job and do it on a busy machine.
const uploadLimit = time.Minute

// stage uploads a table and returns its id.
func (h *house) stage(t *testing.T, table string) uuid.UUID {
	t.Helper()
	id, err := subscribers.StageUpload(t.Context(), h.DB, "people.csv", strings.NewReader(table), "account 7", h.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// uploaded waits until an upload is in a state.
func (h *house) uploaded(t *testing.T, id uuid.UUID, state subscribers.UploadState) (u subscribers.Upload) {
	t.Helper()
	testkit.Eventually(t, uploadLimit, "the upload is "+string(state), func() bool {
		var err error
		if u, err = subscribers.UploadByID(t.Context(), h.DB, id); err != nil {
			t.Fatal(err)
		}
		return u.State == state
	})
	return u
}

// A worker checks what was uploaded, which changes nothing, and imports it, for the account that wanted it.
func TestWorkersImportUploads(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.run(t, app.Parts{Worker: true})
	var table bytes.Buffer
	table.WriteString("email,name\n")
	for i := range 5000 {
		fmt.Fprintf(&table, "person%d@partner.example,Person %d\n", i, i)
	}
	table.WriteString("nowhere,X\n")
	id := h.stage(t, table.String())
	choices := subscribers.UploadChoices{Consent: "Agreed in the contract"}
	if err := h.CheckUpload(t.Context(), id, 1, choices); err != nil {
		t.Fatal(err)
	}
	u := h.uploaded(t, id, subscribers.UploadChecked)
	if u.Result.Imported != 5000 || u.Result.Refused != 1 || u.Failure != "" {
		t.Errorf("%+v %q", u.Result, u.Failure)
	}
	if n := value[int](t, h, `SELECT count(*) FROM subscribers.contacts`); n > 0 {
		t.Errorf("checking added %d contacts", n)
	}
	if n := value[int](t, h, `SELECT count(*) FROM subscribers.upload_rows WHERE upload_id = $1`, id); n != 5001 {
		t.Errorf("%d rows are told of, want 5001", n)
	}
	choices.KeepGoing = true
	if err := h.ImportUpload(t.Context(), id, 1, choices); err != nil {
		t.Fatal(err)
	}
	h.uploaded(t, id, subscribers.UploadImported)
	if n := value[int](t, h, `SELECT count(*) FROM subscribers.consents WHERE actor = 'account 7' AND origin = 'people.csv' AND method = 'import'`); n != 5000 {
		t.Errorf("%d lines in the log of consents, want 5000", n)
	}
	var refused bytes.Buffer
	if err := u.RefusedFile(t.Context(), h.DB, &refused); err != nil || !strings.Contains(refused.String(), "nowhere") || strings.Count(refused.String(), "\n") != 2 {
		t.Errorf("%v %s", err, refused.String())
	}
}

// What is wrong with a table as a whole is told, and nothing is imported; the next attempt begins anew.
func TestUploadsThatFail(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.stage(t, "name\nX\n")
	if err := h.CheckUpload(t.Context(), id, 1, subscribers.UploadChoices{}); err != nil {
		t.Fatal(err)
	}
	if err := h.WorkUpload(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	u := h.uploaded(t, id, subscribers.UploadFailed)
	if !strings.Contains(u.Failure, "email") || strings.Contains(u.Failure, "\n") {
		t.Errorf("%q", u.Failure)
	}
	choices := subscribers.UploadChoices{Map: subscribers.ColumnMap{{Column: "name", As: "email"}}}
	if err := h.CheckUpload(t.Context(), id, 1, choices); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a job may be worked again
		if err := h.WorkUpload(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if u := h.uploaded(t, id, subscribers.UploadChecked); u.Result.Refused != 1 {
		t.Errorf("%+v", u.Result)
	}
	if err := h.WorkUpload(t.Context(), uuid.New()); err != nil {
		t.Errorf("an upload that was thrown away: %v", err)
	}
}
