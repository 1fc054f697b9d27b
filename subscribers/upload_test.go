package subscribers_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"silkpost/internal/errs"
	"silkpost/subscribers"
)

func (b *bundle) upload(t testing.TB, name string, content []byte) subscribers.Upload {
	t.Helper()
	id, err := subscribers.StageUpload(t.Context(), b.db, name, bytes.NewReader(content), "account 1", b.now)
	if err != nil {
		t.Fatal(err)
	}
	u, err := subscribers.UploadByID(t.Context(), b.db, id)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A file comes out of the database as it went in, from whatever place it is read.
func TestUploadsAreReadAsTheyCame(t *testing.T) {
	t.Parallel()
	b := setup(t)
	content := bytes.Repeat([]byte("email,name\nperson@example.org,Ωμέγα 张伟\n"), 70_000) // more than two pieces
	u := b.upload(t, "people.csv", content)
	if err := iotest.TestReader(u.File(t.Context(), b.db), content); err != nil {
		t.Error(err)
	}
	file := u.File(t.Context(), b.db)
	rapid.Check(t, func(rt *rapid.T) {
		at := rapid.IntRange(0, len(content)).Draw(rt, "at")
		n := min(rapid.SampledFrom([]int{1, 4096, 1<<20 + 7}).Draw(rt, "n"), len(content)-at)
		if _, err := file.Seek(int64(at), io.SeekStart); err != nil {
			rt.Fatal(err)
		}
		got := make([]byte, n)
		if _, err := io.ReadFull(file, got); err != nil || !bytes.Equal(got, content[at:at+n]) {
			rt.Fatalf("%d octets from %d on are others: %v", n, at, err)
		}
	})
}

// The name of a file is only ever shown: whatever it is, it is one short line without a path.
func TestNamesOfUploads(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for given, want := range map[string]string{
		`C:\Users\x\people.csv`: "people.csv", "../../etc/people.csv": "people.csv", "a\r\nb\x00.csv": "a b .csv", "\u202efdp.csv": "fdp.csv", "\xff.csv": "\ufffd.csv",
		"people": "people", "<b>.csv": "<b>.csv",
	} {
		if u := b.upload(t, given, []byte("email\n")); u.FileName != want {
			t.Errorf("%q is kept as %q, want %q", given, u.FileName, want)
		}
	}
	if u := b.upload(t, strings.Repeat("x", 500)+".csv", []byte("email\n")); len(u.FileName) > 200 {
		t.Errorf("%d characters are kept", len(u.FileName))
	}
}

func TestUploadsThatAreNone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stage := func(name string, file io.ReadSeeker) error {
		_, err := subscribers.StageUpload(t.Context(), b.db, name, file, "account 1", b.now)
		return err
	}
	for name, content := range map[string]string{"a.csv": "", "b.xlsx": "email\n", "c.csv": "PK\x03\x04", "d.txt": "\x1f\x8b\x08\x00", "e.csv": "%PDF-1.7"} {
		if err := stage(name, strings.NewReader(content)); errs.KindOf(err) != errs.Invalid || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := stage("big.csv", strings.NewReader(strings.Repeat("x", subscribers.MaxUpload+1))); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "64 MB") {
		t.Errorf("%v", err)
	}
	lost := errors.New("the line went dead")
	if err := stage("a.csv", broken{lost}); !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
	if kept := b.query(t, `SELECT file_name FROM subscribers.uploads`); len(kept) > 0 {
		t.Errorf("%v are kept", kept)
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error)       { return 0, b.err }
func (b broken) Seek(int64, int) (int64, error) { return 0, nil }

func TestUploadsAreForgotten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.upload(t, "people.csv", []byte("email\nx@example.org\n"))
	if err := subscribers.KeepRows(t.Context(), b.db, u.ID, []subscribers.ImportedRow{{Row: 2, Outcome: "added", Email: "x@example.org"}}); err != nil {
		t.Fatal(err)
	}
	b.forget(t, subscribers.UploadsKept-time.Second)
	if _, err := subscribers.UploadByID(t.Context(), b.db, u.ID); err != nil {
		t.Error(err)
	}
	b.forget(t, subscribers.UploadsKept+time.Second)
	if _, err := subscribers.UploadByID(t.Context(), b.db, u.ID); errs.KindOf(err) != errs.NotFound {
		t.Errorf("%v", err)
	}
	if left := b.query(t, `SELECT 'part' FROM subscribers.upload_parts UNION ALL SELECT 'row' FROM subscribers.upload_rows`); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

func (b *bundle) forget(t testing.TB, after time.Duration) {
	t.Helper()
	if err := subscribers.ForgetUploads(t.Context(), b.db, b.now.Add(after)); err != nil {
		t.Fatal(err)
	}
}

// An upload goes through its states in their order, and no two runs of it are on at once.
func TestRunsOfUploads(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.upload(t, "people.csv", []byte("email\nx@example.org\n"))
	choose := func(state subscribers.UploadState, want errs.Kind) {
		t.Helper()
		err := subscribers.ChooseUpload(t.Context(), b.db, u.ID, 1, subscribers.UploadChoices{}, state)
		if want == 0 && err != nil || want != 0 && errs.KindOf(err) != want {
			t.Errorf("%s: %v", state, err)
		}
	}
	end := func(state subscribers.UploadState) {
		t.Helper()
		if err := subscribers.EndUpload(t.Context(), b.db, u.ID, state, subscribers.ImportResult{Imported: 7}, ""); err != nil {
			t.Fatal(err)
		}
	}
	choose(subscribers.UploadImporting, errs.Conflict)
	choose(subscribers.UploadChecking, 0)
	choose(subscribers.UploadChecking, errs.Conflict)
	choose(subscribers.UploadImporting, errs.Conflict)
	end(subscribers.UploadFailed)
	choose(subscribers.UploadImporting, errs.Conflict)
	choose(subscribers.UploadChecking, 0)
	end(subscribers.UploadChecked)
	choose(subscribers.UploadChecking, 0)
	end(subscribers.UploadChecked)
	choose(subscribers.UploadImporting, 0)
	end(subscribers.UploadImported)
	choose(subscribers.UploadChecking, errs.Conflict)
	choose(subscribers.UploadImporting, errs.Conflict)
	found, err := subscribers.UploadByID(t.Context(), b.db, u.ID)
	if err != nil || found.Result == nil || found.Result.Imported != 7 || found.State != subscribers.UploadImported {
		t.Errorf("%+v, %v", found, err)
	}
	u.ID = uuid.New()
	choose(subscribers.UploadChecking, errs.NotFound)
}

func TestLookAtUploads(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.upload(t, "people.csv", []byte("E-Mail;Prénom;Nom;Einrichtung;Organisation it;Rolle;\n a@b.example;X;Y;Z;W;V;\n"))
	table, err := u.Look(t.Context(), b.db)
	if err != nil || len(table.Sample) != 1 {
		t.Fatalf("%+v, %v", table, err)
	}
	want := []string{"email", "first_name", "last_name", "organisation", "organisation_it", "attribute:rolle", "attribute:"}
	for i, column := range table.Columns {
		if column.As != want[i] {
			t.Errorf("%q is taken for %q, want %q", column.Header, column.As, want[i])
		}
	}
	u = b.upload(t, "people.csv", []byte("email\n\xff\xfe\xfd\n"))
	if _, err := u.Look(t.Context(), b.db); err != nil && errs.KindOf(err) != errs.Invalid {
		t.Errorf("%v", err)
	}
}
