package database_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/internal/testkit"
)

// longDir is a data directory whose path leaves no room for a socket.
func longDir(t *testing.T) string {
	t.Helper()
	return filepath.Join(testkit.Dir(t), strings.Repeat("long/", 40))
}

func TestLocalWithALongPath(t *testing.T) {
	t.Parallel()
	dir := longDir(t)
	local := startLocal(t, database.LocalConfig{Dir: dir})
	open(t, local.URL())
	socketDir := urlHost(t, local.URL())
	if len(socketDir) > 85 {
		t.Errorf("the socket is in %s", socketDir)
	}
	guest := startOther(t, database.LocalConfig{Dir: dir, Shared: true}, executable(t), nil)
	if guest.URL != local.URL() {
		t.Errorf("a command is at %q (%s)", guest.URL, guest.Error)
	}
	guest.stop()
	stopLocal(t, local)
	if _, err := os.Lstat(socketDir); !os.IsNotExist(err) {
		t.Errorf("%s is left over", socketDir)
	}
	again := startLocal(t, database.LocalConfig{Dir: dir})
	if again.URL() != local.URL() {
		t.Errorf("the socket moved from %s to %s", local.URL(), again.URL())
	}
}

// The server's account may put what it likes where the socket is; what we do there must reach no further.
func TestLocalFollowsNoLinkOfTheServersAccount(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"a short path": testkit.Dir(t), "a long one": longDir(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			victim := t.TempDir()
			precious := filepath.Join(victim, "precious")
			write(t, precious, "")
			local := startLocal(t, database.LocalConfig{Dir: dir})
			socketDir := urlHost(t, local.URL())
			for _, place := range []string{filepath.Join(dir, "postgres", "socket"), socketDir} {
				if err := os.RemoveAll(place); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(victim, place); err != nil {
					t.Fatal(err)
				}
			}
			stopLocal(t, local)
			if _, err := os.Stat(precious); err != nil {
				t.Error(err)
			}
			again := startLocal(t, database.LocalConfig{Dir: dir})
			open(t, again.URL())
			if found, err := os.ReadDir(victim); err != nil || len(found) != 1 {
				t.Errorf("in the victim's directory: %v, %v", found, err)
			}
		})
	}
}

// In /tmp somebody else may come first; nobody talks to a server of theirs.
func TestLocalTakesNoStrangersSocket(t *testing.T) {
	t.Parallel()
	needsRoot(t) // to be somebody else
	dir := longDir(t)
	local := startLocal(t, database.LocalConfig{Dir: dir})
	socketDir := urlHost(t, local.URL())
	stopLocal(t, local)

	stranger := int(ownerOf(t, "/")) + 12345
	write(t, filepath.Join(socketDir, "theirs"), "")
	t.Cleanup(func() { _ = os.RemoveAll(socketDir) })
	if err := os.Chown(socketDir, stranger, stranger); err != nil {
		t.Fatal(err)
	}
	_, err := database.StartLocal(t.Context(), database.LocalConfig{Dir: dir, Log: testkit.Log(t)})
	if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), socketDir) {
		t.Errorf("got %v, want that %s is in the way", err, socketDir)
	}
}
