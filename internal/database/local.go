package database

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"silkpost/internal/errs"
)

// LocalConfig says where the private Postgres lives and for whom.
type LocalConfig struct {
	// Dir is the data directory. It is made when missing. The server's files are in Dir/postgres.
	Dir string
	// Shared is for commands that work beside others: they use the server that runs already, or start one for themselves
	// and whoever comes meanwhile. Without it the process owns the server, and a second owner is refused.
	Shared bool
	// Settings are further server settings as name=value; they are stronger than the ones given by this package. A process
	// that finds the server running cannot change them.
	Settings []string
	// Log is told when the server starts, stops and comes back. Nil is silence.
	Log *slog.Logger
}

// Local is a private Postgres that this process holds or uses. Its methods may be called from any goroutine.
type Local struct {
	log    *slog.Logger
	url    string
	dir    string    // the data directory
	lock   *fileLock // exclusive, of the server's holder; nil when attached
	users  *fileLock // shared, of a command that uses the server; nil for an owner
	server *server   // nil when attached

	stopOnce sync.Once
	stopErr  error
}

// StartLocal makes the private Postgres of a data directory ready for use: it sets the server up if it never was, starts it
// or, with Shared, attaches to the one that runs, and waits until it answers. A server that dies is started again, at the
// same URL, until Stop.
//
// The errors are errs.Conflict when another process owns the directory, errs.Invalid when the directory cannot be used and
// errs.Unavailable when there is no Postgres on this machine or it does not start. Cancelling ctx gives up.
func StartLocal(ctx context.Context, cfg LocalConfig) (*Local, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	l := &Local{log: cfg.Log}
	var err error
	if cfg.Dir, err = prepareDir(cfg.Dir); err != nil {
		return nil, err
	}
	l.dir = cfg.Dir
	if err := l.start(ctx, cfg); err != nil {
		l.release()
		return nil, err
	}
	return l, nil
}

// URL is where the server is reached, for Open. It holds no secret: only this account (and root) can use the socket.
func (l *Local) URL() string { return l.url }

// Place says which files the server has: whoever copies or restores them gets others, also under the same name. Whoever renames them does not.
func (l *Local) Place() (string, error) {
	var stat syscall.Stat_t
	if err := syscall.Stat(filepath.Join(clusterAt(l.dir).data(), "PG_VERSION"), &stat); err != nil {
		return "", fmt.Errorf("look at the database's files: %w", err)
	}
	return fmt.Sprintf("inode %d", stat.Ino), nil
}

// Stop leaves the server and, if this process holds it, stops it: connections are ended, what was committed stays. A
// command that started the server first waits for other commands that use it, for two minutes or until ctx is over; the
// stopping itself is not cut short by ctx, it has limits of its own. Stop may be called more than once; later calls wait for
// the first and return the same.
func (l *Local) Stop(ctx context.Context) error {
	l.stopOnce.Do(func() {
		defer l.release()
		if l.server == nil {
			return
		}
		if l.users != nil {
			l.awaitOthers(ctx)
		}
		l.stopErr = l.server.stop()
	})
	return l.stopErr
}

func (l *Local) start(ctx context.Context, cfg LocalConfig) (err error) {
	if cfg.Shared {
		err = l.join(ctx, cfg.Dir)
	} else {
		err = l.own(ctx, cfg.Dir)
	}
	if err != nil || l.lock == nil {
		return err
	}
	cluster, err := prepareCluster(ctx, cfg.Dir, l.log)
	if err != nil {
		return err
	}
	l.server, err = startServer(ctx, cluster, cfg.Settings, l.log)
	if err != nil {
		return err
	}
	l.url = l.server.url
	return nil
}

func (l *Local) release() {
	l.lock.close()
	l.users.close()
}

// prepareDir makes the data directory, checks that this account may write there, and returns its one true path.
func prepareDir(dir string) (string, error) {
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711 // the server's account must pass through
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return "", errs.New(errs.Invalid, "cannot make the data directory: %w; choose another with --data-dir", err)
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return "", errs.New(errs.Invalid, "cannot write in the data directory %s: %w; give another one, or make this one yours", dir, errnoOf(err))
	}
	_ = probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return "", fmt.Errorf("prepare the data directory: %w", err)
	}
	absolute, err := filepath.Abs(dir)
	if err == nil {
		absolute, err = filepath.EvalSymlinks(absolute)
	}
	if err != nil {
		return "", errs.New(errs.Invalid, "cannot use the data directory: %w", err)
	}
	return absolute, nil
}
