package database

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"silkpost/internal/errs"
)

// Two locks order the processes on a data directory. Whoever holds the server has the first one alone; its file says who
// that is. Each command that uses the server shares the second one. The kernel drops both with their process.
func holderPath(dir string) string { return filepath.Join(dir, "postgres.lock") }
func usersPath(dir string) string  { return filepath.Join(dir, "postgres.users") }

const (
	exclusive = syscall.LOCK_EX
	shared    = syscall.LOCK_SH
)

// fileLock is an advisory lock on a file. A nil one is not held.
type fileLock struct{ file *os.File }

// lockFile takes a lock without waiting. It returns nil, nil when others hold it.
func lockFile(path string, how int) (*fileLock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, errs.New(errs.Invalid, "cannot use the data directory: %w", err)
	}
	lock := &fileLock{file: file}
	ok, err := lock.try(how)
	if ok {
		return lock, nil
	}
	_ = file.Close()
	return nil, err
}

// upgrade turns a shared lock into an exclusive one, if nobody else shares it. On failure it may be held no more.
func (l *fileLock) upgrade() (bool, error) { return l.try(exclusive) }

func (l *fileLock) try(how int) (bool, error) {
	err := syscall.Flock(int(l.file.Fd()), how|syscall.LOCK_NB)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, syscall.EWOULDBLOCK), errors.Is(err, syscall.EINTR):
		return false, nil
	default:
		return false, errs.New(errs.Invalid, "cannot lock %s: %w", l.file.Name(), err)
	}
}

// write puts the holder's process and role into the file.
func (l *fileLock) write(role string) error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("write the lock file: %w", err)
	}
	if _, err := l.file.WriteAt(fmt.Appendf(nil, "%d %s\n", os.Getpid(), role), 0); err != nil {
		return fmt.Errorf("write the lock file: %w", err)
	}
	return nil
}

// close lets go of the lock. It may be called on nil and again.
func (l *fileLock) close() {
	if l != nil {
		_ = l.file.Close()
	}
}

// readHolder returns who holds the server of a data directory, zeros when that is not written yet: a dead process's words
// stay in the file until the next one writes its own.
func readHolder(dir string) (pid int, role string) {
	text, err := os.ReadFile(holderPath(dir))
	if err != nil {
		return 0, ""
	}
	if _, err := fmt.Sscanf(string(text), "%d %s", &pid, &role); err != nil || !alive(pid) {
		return 0, ""
	}
	return pid, role
}

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// errnoOf is the bare reason inside a file error: the text around it names the file already.
func errnoOf(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}
