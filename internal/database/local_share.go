package database

import (
	"context"
	"time"

	"silkpost/internal/errs"
)

// The words in the lock file for who holds the server.
const (
	roleOwner   = "owner"
	roleCommand = "command"
)

const (
	holderWait   = 30 * time.Second      // for a command's server to end, or for another process's server to be ready
	attachedWait = 2 * time.Minute       // for other commands to be done, before the server that they use is stopped
	pollEvery    = 25 * time.Millisecond // between looks at locks and sockets
)

// own takes the exclusive lock for an owner. A command that holds it is waited for, an owner is not.
func (l *Local) own(ctx context.Context, dir string) error {
	deadline := time.Now().Add(holderWait)
	for {
		lock, err := lockFile(holderPath(dir), exclusive)
		if err != nil {
			return err
		}
		if lock != nil {
			l.lock = lock
			return lock.write(roleOwner)
		}
		pid, role := readHolder(dir)
		late := time.Now().After(deadline)
		switch {
		case role == roleOwner:
			return errs.New(errs.Conflict, "the data directory %s is in use by another silkpost (process %d): stop that one, or give this one a directory of its own", dir, pid)
		case late:
			return errs.New(errs.Conflict, "the data directory %s has been in use by a silkpost command (process %d) for %s: wait until it is done, or stop it", dir, pid, holderWait)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// join either attaches to the running server, or takes the exclusive lock when nobody holds it.
func (l *Local) join(ctx context.Context, dir string) (err error) {
	deadline := time.Now().Add(holderWait)
	for {
		// First the shared lock: from here on a command that holds the server does not stop it.
		if l.users == nil {
			if l.users, err = lockFile(usersPath(dir), shared); err != nil {
				return err
			}
		}
		if l.users != nil {
			if done, err := l.holdOrAttach(ctx, dir); done || err != nil {
				return err
			}
		}
		if time.Now().After(deadline) {
			pid, _ := readHolder(dir)
			return errs.New(errs.Unavailable, "the database in %s, held by process %d, is not ready after %s: see %s", dir, pid, holderWait, clusterAt(dir).logFile())
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func (l *Local) holdOrAttach(ctx context.Context, dir string) (bool, error) {
	lock, err := lockFile(holderPath(dir), exclusive)
	if err != nil {
		return false, err
	}
	if lock != nil {
		l.lock = lock
		return true, lock.write(roleCommand)
	}
	url, err := runningURL(ctx, dir)
	if err != nil {
		return false, err
	}
	l.url = url
	return url != "", nil
}

// awaitOthers returns when no other command uses the server, and keeps new ones from joining.
func (l *Local) awaitOthers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, attachedWait)
	defer cancel()
	told := false
	for {
		ok, err := l.users.upgrade()
		if ok || err != nil {
			return
		}
		if !told {
			l.log.InfoContext(ctx, "waiting for other commands that use the database")
			told = true
		}
		if pause(ctx) != nil {
			l.log.WarnContext(ctx, "stopping the database although other commands use it")
			return
		}
	}
}

// pause waits for one look's time, or until ctx is over.
func pause(ctx context.Context) error { return wait(ctx, pollEvery) }
