package database_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

func TestLocalKeepsItsData(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	first := startLocal(t, database.LocalConfig{Dir: dir})
	db := open(t, first.URL())
	db.MustExec("CREATE TABLE kept (n integer)")
	stopLocal(t, first)
	stopLocal(t, first) // again is no harm

	second := startLocal(t, database.LocalConfig{Dir: dir})
	if !hasTable(t, open(t, second.URL()), "kept") {
		t.Error("the table is gone")
	}
}

func TestLocalIsAnOrdinaryDurableServerInUTF8(t *testing.T) {
	t.Parallel()
	local := startLocal(t, database.LocalConfig{Dir: testkit.Dir(t)})
	db := open(t, local.URL())
	got := map[string]string{}
	for _, name := range []string{
		"fsync", "full_page_writes", "synchronous_commit", "server_encoding", "lc_collate", "timezone", "listen_addresses", "unix_socket_permissions",
	} {
		var value string
		if err := db.Get(&value, "SELECT current_setting($1)", name); err != nil {
			t.Fatal(err)
		}
		got[name] = value
	}
	want := map[string]string{
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "server_encoding": "UTF8", "lc_collate": "C", "timezone": "UTC",
		"listen_addresses": "", "unix_socket_permissions": "0700",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

// The kernel is asked, not the server: none of its sockets is one of TCP.
func TestLocalHasNoPort(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	startLocal(t, database.LocalConfig{Dir: dir})
	tcp := tcpInodes(t)
	fds, err := filepath.Glob("/proc/" + strconv.Itoa(postmaster(t, dir)) + "/fd/*")
	if err != nil || len(fds) == 0 {
		t.Skip("needs /proc")
	}
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err == nil && tcp[target] {
			t.Errorf("the server has a TCP socket: %s", target)
		}
	}
}

// Ctrl-C in a terminal goes to a process group: the server must not be in ours, or it stops before we have finished.
func TestLocalIsInAProcessGroupOfItsOwn(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	startLocal(t, database.LocalConfig{Dir: dir})
	group, err := syscall.Getpgid(postmaster(t, dir))
	if err != nil || group == syscall.Getpgrp() {
		t.Errorf("the server's group is %d (%v), ours as well", group, err)
	}
}

func TestLocalComesBackWhenTheServerIsKilled(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	local := startLocal(t, database.LocalConfig{Dir: dir})
	db := open(t, local.URL())
	db.MustExec("CREATE TABLE kept (n integer)")
	for range 2 {
		pid := postmaster(t, dir)
		kill(t, pid)
		testkit.Eventually(t, 30*time.Second, "the server is back", func() bool {
			return db.PingContext(t.Context()) == nil && postmaster(t, dir) != pid
		})
	}
	if !hasTable(t, db, "kept") {
		t.Error("the table is gone")
	}
}

func TestLocalEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a child of its parent's death")
	}
	dir := testkit.Dir(t)
	owner := startOther(t, database.LocalConfig{Dir: dir}, executable(t), nil)
	owner.kill()
	testkit.Eventually(t, 30*time.Second, "the server has stopped in its order", func() bool { return postmaster(t, dir) == 0 })
}

func TestLocalComesBackAtOnceWhenItsProcessIsKilled(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	owner := startOther(t, database.LocalConfig{Dir: dir}, executable(t), nil)
	open(t, owner.URL).MustExec("CREATE TABLE kept (n integer)")
	pid := postmaster(t, dir)
	owner.kill()
	// At once: the old server may still be shutting down.
	local := startLocal(t, database.LocalConfig{Dir: dir})
	if !hasTable(t, open(t, local.URL()), "kept") {
		t.Error("the table is gone")
	}
	if postmaster(t, dir) == pid {
		t.Error("the old server is still there")
	}
}

func TestLocalComesBackWhenBothAreKilled(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	owner := startOther(t, database.LocalConfig{Dir: dir}, executable(t), nil)
	db := open(t, owner.URL)
	db.MustExec("CREATE TABLE kept (n integer)")
	if runtime.GOOS == "linux" { // elsewhere it is waited for
		workForEver(t, db)
	}
	if err := syscall.Kill(owner.cmd.Process.Pid, syscall.SIGSTOP); err != nil { // so that it cannot start the server again
		t.Fatal(err)
	}
	kill(t, postmaster(t, dir))
	owner.kill()
	local := startLocal(t, database.LocalConfig{Dir: dir})
	if !hasTable(t, open(t, local.URL()), "kept") {
		t.Error("the table is gone")
	}
}

// A backend at work would notice the death of its server only at the end of its query, and no server starts beside it.
func TestLocalEndsWhatAKilledServerLeftAtWork(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells which processes work in a directory")
	}
	dir := testkit.Dir(t)
	local := startLocal(t, database.LocalConfig{Dir: dir})
	db := open(t, local.URL())
	db.MustExec("CREATE TABLE kept (n integer)")
	ended := workForEver(t, db)
	pid := postmaster(t, dir)
	kill(t, pid)
	testkit.Eventually(t, 30*time.Second, "the server is back", func() bool {
		return db.PingContext(t.Context()) == nil && postmaster(t, dir) != pid
	})
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("what was at work still is")
	}
	if !hasTable(t, db, "kept") {
		t.Error("the table is gone")
	}
}

// workForEver keeps a backend busy with what never ends and never waits. The channel is closed when it is made to end.
func workForEver(t *testing.T, db *sqlx.DB) <-chan struct{} {
	t.Helper()
	conn, err := db.Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var backend int
	if err := conn.GetContext(t.Context(), &backend, "SELECT pg_backend_pid()"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = conn.ExecContext(context.WithoutCancel(t.Context()), "DO $$ BEGIN LOOP END LOOP; END $$")
	}()
	t.Cleanup(func() {
		select {
		case <-ended:
		default:
			_ = syscall.Kill(backend, syscall.SIGKILL)
			<-ended
		}
		_ = conn.Close()
	})
	testkit.Eventually(t, 30*time.Second, "the backend is at work", func() bool {
		var busy bool
		err := db.Get(&busy, "SELECT state = 'active' AND query LIKE 'DO %' FROM pg_stat_activity WHERE pid = $1", backend)
		return err == nil && busy
	})
	return ended
}

// After a restart of the machine the recorded process id may be a stranger's.
func TestLocalIsNotFooledByAStrangersProcessID(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	stopLocal(t, startLocal(t, database.LocalConfig{Dir: dir}))
	data := filepath.Join(dir, "postgres", "data")
	stranger := sleeper(t, data)
	pidFile := filepath.Join(data, "postmaster.pid")
	if err := os.WriteFile(pidFile, []byte(strconv.Itoa(stranger)+"\n"+data+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	startLocal(t, database.LocalConfig{Dir: dir})
	if err := syscall.Kill(stranger, 0); err != nil {
		t.Errorf("the stranger is gone: %v", err)
	}
}

func TestLocalRedoesAnUnfinishedSetUp(t *testing.T) {
	t.Parallel()
	dir := testkit.Dir(t)
	if err := os.MkdirAll(filepath.Join(dir, "postgres", "data.new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	startLocal(t, database.LocalConfig{Dir: dir})
}

func TestLocalTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		prepare func(t *testing.T, dir string) database.LocalConfig
		kind    errs.Kind
		want    string
	}{
		{"a file in place of the directory", func(t *testing.T, dir string) database.LocalConfig {
			write(t, filepath.Join(dir, "file"), "")
			return database.LocalConfig{Dir: filepath.Join(dir, "file", "data")}
		}, errs.Invalid, "cannot make the data directory"},
		{"a setting that does not exist", func(_ *testing.T, dir string) database.LocalConfig {
			return database.LocalConfig{Dir: dir, Settings: []string{"nonsense=1"}}
		}, errs.Unavailable, `PostgreSQL did not start: unrecognized configuration parameter "nonsense"`},
		{"data of another version", func(t *testing.T, dir string) database.LocalConfig {
			write(t, filepath.Join(dir, "postgres", "data", "PG_VERSION"), "9\n")
			return database.LocalConfig{Dir: dir}
		}, errs.Unavailable, "made by PostgreSQL 9, which is not installed: install it with"},
		{"damaged data", func(t *testing.T, dir string) database.LocalConfig {
			write(t, filepath.Join(dir, "postgres", "data", "PG_VERSION"), "?")
			return database.LocalConfig{Dir: dir}
		}, errs.Invalid, "is damaged"},
		{"a link to nothing", func(t *testing.T, dir string) database.LocalConfig {
			if err := os.Symlink(filepath.Join(dir, "gone"), filepath.Join(dir, "postgres")); err != nil {
				t.Fatal(err)
			}
			return database.LocalConfig{Dir: dir}
		}, errs.Invalid, "is gone: its files were in"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			local, err := database.StartLocal(t.Context(), test.prepare(t, testkit.Dir(t)))
			if err == nil {
				stopLocal(t, local)
				t.Fatal("started")
			}
			if errs.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got kind %d, %q; want kind %d, %q", errs.KindOf(err), err, test.kind, test.want)
			}
		})
	}
}

func TestLocalGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := database.StartLocal(ctx, database.LocalConfig{Dir: testkit.Dir(t)}); err == nil {
		t.Error("started")
	}
}

func hasTable(t *testing.T, db *sqlx.DB, name string) bool {
	t.Helper()
	var has bool
	if err := db.Get(&has, "SELECT to_regclass($1) IS NOT NULL", name); err != nil {
		t.Fatal(err)
	}
	return has
}

// postmaster is the server's process, 0 when the file does not say.
func postmaster(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return pid
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); pid == 0 || err != nil {
		t.Fatalf("kill %d: %v", pid, err)
	}
}

// tcpInodes lists the machine's TCP sockets as their file descriptors are named.
func tcpInodes(t *testing.T) map[string]bool {
	t.Helper()
	inodes := map[string]bool{}
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		table, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(table)) {
			if fields := strings.Fields(line); len(fields) > 9 {
				inodes["socket:["+fields[9]+"]"] = true
			}
		}
	}
	return inodes
}

func urlHost(t *testing.T, rawURL string) string {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("host")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
