package testkit

import (
	"os"
	"syscall"
	"testing"
)

const (
	memoryHome   = "/dev/shm" // copying a database there takes a twentieth of the time
	memoryWanted = 1 << 30    // bytes that must be free there
	diskHome     = "/tmp"
)

// Dir returns an empty directory that is good for a private Postgres: in memory when there is room, with a path that is
// short enough for a socket, and open to the account that the server of root runs as. t.TempDir is none of these. It is
// removed at the test's end.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := makeDir("silkpost-dir-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func makeDir(prefix string) (string, error) {
	dir, err := os.MkdirTemp(home(), prefix)
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711)
}

func home() string {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(memoryHome, &stat); err == nil && int64(stat.Bavail)*int64(stat.Bsize) >= memoryWanted {
		return memoryHome
	}
	return diskHome
}
