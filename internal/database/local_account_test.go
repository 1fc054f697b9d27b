package database_test

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"silkpost/internal/database"
	"silkpost/internal/testkit"
)

func TestLocalOfRootRunsAsAnotherAccount(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	dir := testkit.Dir(t)
	startLocal(t, database.LocalConfig{Dir: dir})
	if uid := ownerOf(t, "/proc/"+strconv.Itoa(postmaster(t, dir))); uid == 0 {
		t.Error("the server runs as root")
	}
	if uid := ownerOf(t, dir); uid != 0 {
		t.Errorf("the data directory itself was given to %d", uid)
	}
}

// What mktemp -d gives root: a directory that no other account can enter.
func TestLocalOfRootInADirectoryOfItsOwn(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	one, two := fallbackDir(t), fallbackDir(t)
	first := startLocal(t, database.LocalConfig{Dir: one})
	open(t, first.URL()).MustExec("CREATE TABLE kept (n integer)")
	stopLocal(t, first)
	if info, err := os.Stat(one); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory's mode was changed to %v (%v)", info.Mode(), err)
	}
	again := startLocal(t, database.LocalConfig{Dir: one})
	if !hasTable(t, open(t, again.URL()), "kept") {
		t.Error("the table is gone")
	}
	second := startLocal(t, database.LocalConfig{Dir: two})
	if hasTable(t, open(t, second.URL()), "kept") {
		t.Error("a new data directory has the old cluster")
	}
}

func TestLocalOfAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	needsRoot(t) // to become one
	dir, nobody := testkit.Dir(t), credential(t, "nobody")
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(home, int(nobody.Uid), int(nobody.Gid)); err != nil {
		t.Fatal(err)
	}
	program := copyProgram(t)
	theirs := startOther(t, database.LocalConfig{Dir: filepath.Join(home, "data")}, program, nobody)
	if theirs.Error != "" {
		t.Fatal(theirs.Error)
	}
	theirs.kill()
	again := startOther(t, database.LocalConfig{Dir: filepath.Join(home, "data")}, program, nobody)
	if again.Error != "" {
		t.Fatal(again.Error)
	}
	again.stop()

	for place, want := range map[string]string{
		dir:                          "cannot write in the data directory " + dir + ": permission denied",
		filepath.Join(dir, "absent"): "cannot make the data directory: mkdir " + filepath.Join(dir, "absent") + ": permission denied",
	} {
		refused := startOther(t, database.LocalConfig{Dir: place}, program, nobody)
		if !strings.Contains(refused.Error, want) || strings.Contains(refused.Error, "\n") {
			t.Errorf("got %q, want %q", refused.Error, want)
		}
		refused.stop()
	}
}

func needsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root has this case")
	}
}

// fallbackDir is a directory for root alone; the cluster that is then made elsewhere goes with the test.
func fallbackDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if target, err := os.Readlink(filepath.Join(dir, "postgres")); err == nil && strings.HasPrefix(target, "/var/lib/silkpost/cluster-") {
			_ = os.RemoveAll(target)
			return
		}
		t.Error("the data directory does not link to its cluster")
	})
	return dir
}

func credential(t *testing.T, name string) *syscall.Credential {
	t.Helper()
	account, err := user.Lookup(name)
	if err != nil {
		t.Skip(err)
	}
	uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
	if uidErr != nil || gidErr != nil {
		t.Fatal(uidErr, gidErr)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// copyProgram puts the test program where every account can run it: /dev/shm may forbid that.
func copyProgram(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "program")
	// Copied by another process: were it open for writing here, a process that another test starts just then would keep it busy.
	if out, err := exec.Command("cp", executable(t), path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// sleeper is a process of the account that owns path, which has nothing to do with it.
func sleeper(t *testing.T, path string) int {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	cmd.Dir = "/"
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ownerOf(t, path)}}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

func ownerOf(t *testing.T, path string) uint32 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatal("no owner")
	}
	return stat.Uid
}
