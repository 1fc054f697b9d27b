package database

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"

	"silkpost/internal/errs"
)

// account is the system account that the server runs as: our own, but for root, whom Postgres refuses.
type account struct {
	uid, gid uint32
	foreign  bool // not our own
}

// serverAccount chooses the account for a server whose data is at path: that of the data if there is any.
func serverAccount(path string) (account, error) {
	self := account{uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}
	owner, exists := ownerOf(path)
	switch {
	case self.uid != 0 && exists && owner.uid != self.uid:
		return account{}, errs.New(errs.Invalid, "the database at %s belongs to another account (user id %d): run silkpost as that one, or give another data directory", path, owner.uid)
	case self.uid != 0:
		return self, nil
	case exists && owner.uid != 0:
		owner.foreign = true
		return owner, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if found, ok := lookup(name); ok {
			return found, nil
		}
	}
	return account{}, errs.New(errs.Unavailable, "PostgreSQL does not run as root, and there is neither an account postgres nor nobody: run silkpost as an ordinary user")
}

func lookup(name string) (account, bool) {
	found, err := user.Lookup(name)
	if err != nil {
		return account{}, false
	}
	uid, uidErr := strconv.ParseUint(found.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(found.Gid, 10, 32)
	return account{uid: uint32(uid), gid: uint32(gid), foreign: true}, uidErr == nil && gidErr == nil
}

func ownerOf(path string) (account, bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return account{}, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return account{}, false
	}
	return account{uid: stat.Uid, gid: stat.Gid}, true
}

// give makes a directory of ours the account's. Nothing but a directory is given away, not even by a link that was put in its
// place meanwhile.
func (a account) give(path string) error {
	if !a.foreign {
		return nil
	}
	dir, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	return errors.Join(dir.Chown(int(a.uid), int(a.gid)), dir.Close())
}

// command prepares a program to run as the account, in dir, without this process's environment: PGPORT and its kind would
// reach a server that is meant to be like any other. It is in a process group of its own, so that Ctrl-C in a terminal
// reaches us alone and we stop it in our order.
func (a account) command(dir, path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...) //nolint:noctx // its end has an order of its own: see process
	cmd.Dir = dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=" + serverLocale, "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if a.foreign {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	dieWithUs(cmd.SysProcAttr)
	return cmd
}

// reaches reports whether the account can work in dir: all directories above it must let it pass.
func (a account) reaches(ctx context.Context, dir string, b binaries) bool {
	p, err := launch(a.command(dir, b.postgres(), "--version"))
	return err == nil && p.wait(ctx) == nil
}
