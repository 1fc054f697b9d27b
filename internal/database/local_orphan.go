package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"silkpost/internal/errs"
)

const orphanWait = 30 * time.Second // for an earlier server of this cluster to end

// endOrphan stops a server that outlived the process which had started it: the caller holds the lock, so nobody else's it
// can be. It reports whether the last server left traces of a sudden end.
func (c cluster) endOrphan(ctx context.Context) (unclean bool, err error) {
	pid, err := c.recordedPid()
	if pid == 0 {
		return false, err
	}
	deadline := time.Now().Add(orphanWait)
	for c.listens(ctx) {
		_ = syscall.Kill(pid, syscall.SIGINT)
		if time.Now().After(deadline) {
			return true, errs.New(errs.Unavailable, "an earlier database server (process %d) still runs in %s: stop it", pid, c.dir)
		}
		if err := pause(ctx); err != nil {
			return true, err
		}
	}
	// Process ids return, after a restart of the machine or its container above all. Postgres would take a stranger with
	// the recorded id for itself and refuse to start.
	if runsElsewhere(pid, c.data()) {
		if err := os.Remove(c.pidFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return true, fmt.Errorf("start the database: %w", err)
		}
	}
	return true, nil
}

// endLeftovers ends the children that a killed server left behind, and returns how many there were. One that is at work notices only when it next
// waits for something, which may be hours later, and no server starts beside it. It is told what a server tells its children after a crash among them
// (SIGQUIT): what was committed stays. As long as the recorded server lives they are its own, and nothing is done. The caller holds the lock.
func (c cluster) endLeftovers() int {
	children := postgresIn(c.data())
	if pid, err := c.recordedPid(); err != nil || slices.Contains(children, pid) {
		return 0
	}
	for _, child := range children {
		_ = syscall.Kill(child, syscall.SIGQUIT) // an error says that it has ended
	}
	return len(children)
}

func (c cluster) pidFile() string { return filepath.Join(c.data(), "postmaster.pid") }

// recordedPid is the process of the server that runs or died here, 0 when the last one ended well.
func (c cluster) recordedPid() (int, error) {
	text, err := os.ReadFile(c.pidFile())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, errs.New(errs.Invalid, "cannot read the database at %s: %w", c.data(), errnoOf(err))
	}
	var pid int
	if _, err := fmt.Sscan(strings.TrimPrefix(string(text), "-"), &pid); err != nil {
		return 0, nil // an empty file is left by a full disk; Postgres says so itself
	}
	return pid, nil
}
