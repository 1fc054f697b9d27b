package testkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
)

const (
	clusterPrefix   = "silkpost-test-"
	clusterTimeout  = time.Minute
	clusterLeftover = 5 * time.Minute // older ones whose process is gone are removed; younger ones may just be beginning
)

// cluster is this test process's Postgres, started when the first test asks for a database.
type cluster struct {
	once  sync.Once
	err   error
	dir   string
	local *database.Local
	admin *sqlx.DB // creates and drops databases
	count atomic.Int64
}

// One per process, as the server itself: tests of a package share it.
var postgres cluster

// DB returns a database of this test's own, migrated, as a new installation has it. It is dropped at the test's end.
func DB(t testing.TB) *sqlx.DB {
	t.Helper()
	db, err := database.Open(t.Context(), FreshURL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// FreshURL is DB for tests that need the URL, for another process or pool.
func FreshURL(t testing.TB) string {
	t.Helper()
	return postgres.create(t, "TEMPLATE migrated STRATEGY file_copy")
}

// EmptyURL returns the URL of a database in which nothing is, for tests of migrating. It is dropped at the test's end.
func EmptyURL(t testing.TB) string {
	t.Helper()
	return postgres.create(t, "")
}

func (c *cluster) create(t testing.TB, clause string) string {
	t.Helper()
	c.once.Do(func() { c.err = c.start() })
	if c.err != nil {
		t.Fatal(c.err)
	}
	name := fmt.Sprintf("test_%d", c.count.Add(1))
	if _, err := c.admin.ExecContext(t.Context(), "CREATE DATABASE "+name+" "+clause); err != nil {
		t.Fatalf("create a database: %v", err)
	}
	t.Cleanup(func() {
		if _, err := c.admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop a database: %v", err)
		}
	})
	return withDatabase(c.local.URL(), name)
}

// start runs the server and makes the template that the tests' databases are copied from.
func (c *cluster) start() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), clusterTimeout)
	defer cancel()
	removeLeftovers()
	if c.dir, err = makeDir(clusterPrefix); err != nil {
		return err
	}
	c.local, err = database.StartLocal(ctx, database.LocalConfig{Dir: c.dir, Settings: []string{
		"fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0",
		"min_wal_size=32MB", "max_wal_size=128MB", "autovacuum=off", "max_connections=300",
	}})
	if err != nil {
		return err
	}
	if c.admin, err = database.Open(ctx, c.local.URL()); err != nil {
		return err
	}
	c.admin.SetMaxIdleConns(2)
	return c.makeTemplate(ctx)
}

func (c *cluster) makeTemplate(ctx context.Context) error {
	if _, err := c.admin.ExecContext(ctx, "CREATE DATABASE migrated"); err != nil {
		return err
	}
	db, err := database.Open(ctx, withDatabase(c.local.URL(), "migrated"))
	if err != nil {
		return err
	}
	return errors.Join(database.Migrate(ctx, db, slog.New(slog.DiscardHandler)), db.Close())
}

// stop ends the server and removes its files.
func (c *cluster) stop() error {
	var errs []error
	if c.admin != nil {
		errs = append(errs, c.admin.Close())
	}
	if c.local != nil {
		ctx, cancel := context.WithTimeout(context.Background(), clusterTimeout)
		defer cancel()
		errs = append(errs, c.local.Stop(ctx))
	}
	if c.dir != "" {
		errs = append(errs, os.RemoveAll(c.dir))
	}
	return errors.Join(errs...)
}

// removeLeftovers removes the clusters of test processes that were killed: old ones whose lock nobody holds.
func removeLeftovers() {
	inMemory, memoryErr := filepath.Glob(filepath.Join(memoryHome, clusterPrefix+"*"))
	onDisk, diskErr := filepath.Glob(filepath.Join(diskHome, clusterPrefix+"*"))
	if memoryErr != nil || diskErr != nil {
		return
	}
	for _, dir := range append(inMemory, onDisk...) {
		if info, err := os.Lstat(dir); err != nil || time.Since(info.ModTime()) < clusterLeftover {
			continue
		}
		lock, err := os.Open(filepath.Join(dir, "postgres.lock"))
		if err != nil {
			continue
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		_ = lock.Close()
	}
}

func withDatabase(rawURL, name string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	u.Path = "/" + name
	return u.String()
}
