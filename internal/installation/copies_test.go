package installation_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/installation"
	"silkpost/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// server is a private Postgres of its own, not the one that tests share: copies are made of it.
type server struct {
	*database.Local
	db  *sqlx.DB
	dir string
}

func start(t *testing.T, dir string) *server {
	t.Helper()
	local, err := database.StartLocal(t.Context(), database.LocalConfig{Dir: dir, Log: testkit.Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Local: local, dir: dir}
	t.Cleanup(func() { s.stop(t) })
	if s.db, err = database.Open(t.Context(), local.URL()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *server) stop(t *testing.T) {
	t.Helper()
	if s.db != nil {
		_ = s.db.Close()
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// enrolled is a server whose database knows itself, with its place if placed is true.
func enrolled(t *testing.T, placed bool) *server {
	t.Helper()
	s := start(t, testkit.Dir(t))
	if err := database.Migrate(t.Context(), s.db, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	s.enrol(t, placed)
	if why := held(t, s.db); why != "" {
		t.Fatalf("a new database is held: %s", why)
	}
	return s
}

func (s *server) enrol(t *testing.T, placed bool) {
	t.Helper()
	place := ""
	if placed {
		var err error
		if place, err = s.Place(); err != nil {
			t.Fatal(err)
		}
	}
	if err := installation.Enrol(t.Context(), s.db, place, now); err != nil {
		t.Fatal(err)
	}
}

func held(t *testing.T, db *sqlx.DB) string {
	t.Helper()
	s, err := installation.Of(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if s.Blind {
		t.Error("the server does not tell what it calls itself")
	}
	return s.Held
}

// wantHeld checks that a copy is held, for a reason, until it is adopted, and then not even after a restart's enrolment.
func wantHeld(t *testing.T, db *sqlx.DB, reason string) {
	t.Helper()
	before, err := installation.Of(t.Context(), db)
	if err != nil || !strings.Contains(before.Held, reason) {
		t.Fatalf("held because of %q (%v), want %q", before.Held, err, reason)
	}
	if err := installation.Enrol(t.Context(), db, "", now); err != nil {
		t.Fatal(err)
	}
	if why := held(t, db); why != before.Held {
		t.Errorf("opening it changed %q to %q", before.Held, why)
	}
	if err := installation.Adopt(t.Context(), db, "", now); err != nil {
		t.Fatal(err)
	}
	after, err := installation.Of(t.Context(), db)
	if err != nil || after.Held != "" || after.ID == before.ID {
		t.Errorf("adopted it is %+v (%v), was %+v", after, err, before)
	}
}

// tool runs one of the server's own programs.
func (s *server) tool(t *testing.T, name string, args ...string) {
	t.Helper()
	var dir string
	if err := s.db.Get(&dir, `SELECT setting FROM pg_config WHERE name = 'BINDIR'`); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), filepath.Join(dir, name), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// The same database is the same after a stop, after a crash, and for whoever else connects.
func TestTheSameDatabase(t *testing.T) {
	t.Parallel()
	s := enrolled(t, true)
	dir := s.dir
	s.stop(t)
	again := start(t, dir)
	again.enrol(t, true)
	if why := held(t, again.db); why != "" {
		t.Errorf("restarted: %s", why)
	}
	var main int
	if err := again.db.Get(&main, `SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)::int`); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(main, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, "the server is back", func() bool {
		var after int
		return again.db.Get(&after, `SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)::int`) == nil && after != main
	})
	again.enrol(t, true)
	if why := held(t, again.db); why != "" {
		t.Errorf("after a crash: %s", why)
	}
	moved := dir + "-moved"
	again.stop(t)
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(moved) })
	renamed := start(t, moved)
	renamed.enrol(t, true)
	if why := held(t, renamed.db); why != "" {
		t.Errorf("under another name: %s", why)
	}
}

// A dump is another database wherever it is restored.
func TestRestoredDumps(t *testing.T) {
	t.Parallel()
	original := enrolled(t, false)
	dump := filepath.Join(t.TempDir(), "dump.sql")
	original.tool(t, "pg_dump", "--file="+dump, "--dbname="+original.URL())

	original.db.MustExec(`CREATE DATABASE restored`)
	beside := strings.Replace(original.URL(), "/silkpost?", "/restored?", 1)
	if beside == original.URL() {
		t.Fatalf("no database in %s", beside)
	}
	original.tool(t, "psql", "--quiet", "--set=ON_ERROR_STOP=1", "--file="+dump, "--dbname="+beside)
	db, err := database.Open(t.Context(), beside)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	wantHeld(t, db, "another database of the same server")

	elsewhere := start(t, testkit.Dir(t))
	original.tool(t, "psql", "--quiet", "--set=ON_ERROR_STOP=1", "--file="+dump, "--dbname="+elsewhere.URL())
	wantHeld(t, elsewhere.db, "system identifier")
	if why := held(t, original.db); why != "" {
		t.Errorf("the original is held: %s", why)
	}
}

// baseBackup copies a server's files while it runs, as backups and standbys are made.
func (s *server) baseBackup(t *testing.T, more ...string) (dir string) {
	t.Helper()
	dir = testkit.Dir(t)
	if err := os.Mkdir(filepath.Join(dir, "postgres"), 0o700); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "postgres", "data")
	s.tool(t, "pg_basebackup", append([]string{"--pgdata=" + data, "--checkpoint=fast", "--dbname=" + s.URL()}, more...)...)
	own(t, filepath.Join(dir, "postgres"), filepath.Join(s.dir, "postgres"))
	return dir
}

// own gives a folder to the account that another one is of.
func own(t *testing.T, dir, like string) {
	t.Helper()
	var account syscall.Stat_t
	if err := syscall.Stat(like, &account); err != nil {
		t.Fatal(err)
	}
	if err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(account.Uid), int(account.Gid))
	}); err != nil {
		t.Fatal(err)
	}
}

// A standby that is promoted, and a recovery to a point in time, go on under another timeline. The original stays what it is.
func TestPromoted(t *testing.T) {
	t.Parallel()
	original := enrolled(t, false)
	standby := start(t, original.baseBackup(t, "--write-recovery-conf"))
	if why := held(t, original.db); why != "" {
		t.Errorf("a standby makes the original held: %s", why)
	}
	if s, err := installation.Of(t.Context(), standby.db); err != nil || s.Held != "" {
		t.Errorf("a standby, which cannot send: %+v, %v", s, err)
	}
	standby.db.MustExec(`SELECT pg_promote()`)
	wantHeld(t, standby.db, "timeline 00000002, not 00000001")

	dir := original.baseBackup(t)
	data := filepath.Join(dir, "postgres", "data")
	for name, content := range map[string]string{"recovery.signal": "", "postgresql.auto.conf": "restore_command = 'false'\n"} {
		if err := os.WriteFile(filepath.Join(data, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	own(t, data, filepath.Join(original.dir, "postgres"))
	recovered := start(t, dir)
	testkit.Eventually(t, 30*time.Second, "the recovery is over", func() bool {
		var inRecovery bool
		return recovered.db.Get(&inRecovery, `SELECT pg_is_in_recovery()`) == nil && !inRecovery
	})
	wantHeld(t, recovered.db, "promoted or recovered")
}

// A plain copy of the files is the same to the server. It shows by its place, and by not knowing what was asked in the original.
func TestCopiedFiles(t *testing.T) {
	t.Parallel()
	original := enrolled(t, true)
	clone := start(t, original.baseBackup(t))
	if s, err := installation.Of(t.Context(), clone.db); err != nil || s.Held != "" {
		t.Fatalf("a copy that nothing shows of is held: %+v, %v", s, err)
	}
	keys := ring(t, "a key of the tests alone")
	nonce, err := installation.Challenge(t.Context(), original.db, now)
	if err != nil {
		t.Fatal(err)
	}
	for db, want := range map[*sqlx.DB]bool{original.db: true, clone.db: false} {
		answer, err := installation.Reply(t.Context(), db, keys, nonce)
		if err != nil || answer.Proves(keys, nonce) != want {
			t.Errorf("%+v, %v: proves is not %v", answer, err, want)
		}
	}
	clone.enrol(t, true)
	wantHeld(t, clone.db, "its files were copied or restored")
}
